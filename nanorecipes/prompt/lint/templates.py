"""A recipe's templates as syntax trees, read once and without their places in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes.prompt.environment import parse as parse_template
from nanorecipes.prompt.lint.draft import PieceSource
from nanorecipes.prompt.lint.lazy import lazy
from nanorecipes.prompt.lint.skim import Skimmed, skim
from nanorecipes.prompt.lint.walk import Macro, imported

if TYPE_CHECKING:
    from jinja2 import nodes

    from nanorecipes.recipe.model import Definition

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class Template:
    """A piece of the prompt: its text, its tree, and which names of the recipe it reads."""

    def __init__(
        self, section: str, image: str | None, source: PieceSource, names: frozenset[str]
    ) -> None:
        self.section = section
        self.image = image
        self.source = source
        self.is_plain = "{" not in source.text
        """Whether the text holds no template at all."""
        self._names = names

    @lazy
    def reads(self) -> tuple[str, ...]:
        """The recipe's names that it reads, sorted."""
        if self.is_plain:
            return ()
        found = self.skimmed.names
        if found is None:
            found = frozenset(_NAME.findall(" ".join(_CODE.findall(self.source.text))))
        return tuple(sorted(self._names & found))

    @property
    def tree(self) -> nodes.Template:
        """The syntax tree, only to be read.

        Raises:
            TemplateSyntaxError: the text is no valid template.
        """
        return self.skimmed.tree

    @lazy
    def skimmed(self) -> Skimmed:
        """The syntax tree and what is known of it.

        Raises:
            TemplateSyntaxError: the text is no valid template.
        """
        return _parse(self.source.text)

    @property
    def parts(self) -> int:
        """How many parts the tree has."""
        return 1 if self.is_plain else self.skimmed.parts

    @property
    def is_harmless(self) -> bool:
        """Whether nothing in it can fail with one value and not with another."""
        return self.is_plain or self.skimmed.is_harmless

    @lazy
    def asked(self) -> frozenset[str]:
        """Names that stand in conditions."""
        if self.skimmed.names is not None:
            return self.skimmed.asked
        codes = _CODE.findall(self.source.text)
        return frozenset(
            name
            for code in codes
            if " if " in code or code.lstrip("{%-+ ").startswith(("if", "elif"))
            for name in _NAME.findall(code)
        )


class Templates:
    """All of a recipe's templates, in the order of the prompt."""

    def __init__(
        self, definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
    ) -> None:
        names = frozenset((*definition.slots, *definition.params, "model"))
        self.all = [
            Template(section, image, PieceSource(text, definition, index), names)
            for index, (section, image, text) in enumerate(_texts(definition))
        ]
        self._macro_folders = macro_folders

    def macros(self, template: Template) -> Mapping[str, Macro]:
        """What the template's file imports: an import holds for the whole file."""
        return self._imports[template.source.document] if self._imports else {}

    @lazy
    def _imports(self) -> dict[Any, dict[str, Macro]]:
        importing = [template for template in self.all if "import" in template.source.text]
        found: dict[Any, dict[str, Macro]] = {}
        if not importing:
            return found
        for template in self.all:
            found.setdefault(template.source.document, {})
        for template in importing:
            document = template.source.document
            root = document.root_folder or document.path.parent
            found[document].update(imported(template.tree, self._macro_folders(root)))
        return found


def _texts(definition: Definition) -> Iterator[tuple[str, str | None, str]]:
    """Section, image and text of every piece, in the order of `pieces`."""
    prompt = definition.data["prompt"]
    yield "edit", None, prompt["edit"]
    if "subject" in prompt:
        yield "subject", None, prompt["subject"]
    details = prompt.get("details", ())
    for text in [details] if isinstance(details, str) else details:
        yield "details", None, text
    protect = prompt["protect"]
    groups = protect.items() if isinstance(protect, dict) else [(None, protect)]
    for image, items in groups:
        for text in items:
            yield "protect", image, text


_parsed: dict[str, Skimmed] = {}


def _parse(text: str) -> Skimmed:
    """The tree of a text; the same text is parsed once."""
    found = _parsed.get(text)
    if found is None:
        if len(_parsed) > 2000:
            _parsed.clear()
        found = _parsed[text] = skim(text) or Skimmed(*parse_template(text))
    return found
