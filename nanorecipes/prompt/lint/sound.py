"""Whether a recipe's templates are sound, told without compiling them.

`compile_prompt` reports what is wrong; this only asks whether it would report anything, by the same
checks on syntax trees that the rules read anyway. A library of sound recipes so is linted in the
time that compiling a tenth of it would take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2.exceptions import TemplateSyntaxError

from nanorecipes.prompt.check import Check, Scope
from nanorecipes.prompt.environment import MAX_PARTS
from nanorecipes.prompt.macros import Importer

if TYPE_CHECKING:
    from nanorecipes.prompt.check import Signature
    from nanorecipes.prompt.lint.templates import Template, Templates
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.source import Document


class _Unsound(Exception):  # a signal within this module
    pass


def _stop(*_: object) -> None:
    raise _Unsound


def is_sound(
    definition: Definition, templates: Templates, macro_folders: Callable[[Path], Sequence[Path]]
) -> bool:
    """Whether the static check of a recipe finds nothing, neither errors nor warnings."""
    try:
        return _check(definition, templates, macro_folders)
    except (_Unsound, TemplateSyntaxError):
        return False


def _check(
    definition: Definition, templates: Templates, macro_folders: Callable[[Path], Sequence[Path]]
) -> bool:
    if sum(template.parts for template in templates.all) > MAX_PARTS:
        return False
    by_file = _imports(templates, macro_folders)
    used: set[str] = set()
    spoken = set(_named(definition))
    known = frozenset((*definition.params, *definition.slots, "model"))
    optional = frozenset(slot.name for slot in definition.slots.values() if slot.optional)
    for template in templates.all:
        if template.is_plain:
            continue
        macros = by_file.get(template.source.document, {}) if by_file else {}
        if not macros and _is_plainly_sound(template, known, optional):
            names = template.reads
            used.update(names)
            spoken.update(names if not template.asked else template.skimmed.shown)
            continue
        scope = Scope(
            params=frozenset(definition.params),
            images={slot.name: slot.optional for slot in definition.slots.values()},
            macros=macros,
            others=frozenset({"model"}),
        )
        Check(scope, _stop).run(template.tree)
        used |= scope.used
        spoken |= scope.spoken
    return used >= definition.params.keys() and spoken >= definition.slots.keys()


def _is_plainly_sound(template: Template, known: frozenset[str], optional: frozenset[str]) -> bool:
    """Whether a template of names, filters of letters and conditions on names surely is sound."""
    skimmed = template.skimmed
    return (
        skimmed.names is not None
        and skimmed.is_harmless
        and skimmed.names <= known
        and skimmed.bare.isdisjoint(optional)
        and template.source.text.replace("\n", "").isprintable()
    )


def _imports(
    templates: Templates, macro_folders: Callable[[Path], Sequence[Path]]
) -> dict[Document, dict[str, Signature]]:
    by_file: dict[Document, dict[str, Signature]] = {}
    for template in templates.all:
        if "import" not in template.source.text:
            continue
        document = template.source.document
        root = document.root_folder or document.path.parent
        importer = Importer(template.source.text, macro_folders(root), _stop)
        names = importer.run(template.tree)
        if any(file.findings for file in importer.files):
            raise _Unsound
        known = by_file.setdefault(document, {})
        for name, item in names.items():
            if known.setdefault(name, item.signature) != item.signature:
                raise _Unsound
    return by_file


def _named(definition: Definition) -> list[str]:
    """The images that the protecting paragraph names."""
    protect = definition.data["prompt"]["protect"]
    return list(protect) if isinstance(protect, dict) else [next(iter(definition.slots))]
