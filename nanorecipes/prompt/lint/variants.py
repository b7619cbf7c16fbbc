"""A recipe's prompt in every branch: which calls there can be, and the drafts that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import nodes
from jinja2.exceptions import TemplateError

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.bounds import BoundError, Meter, meter
from nanorecipes.prompt.environment import environment, plain_blanks
from nanorecipes.prompt.environment import parse as parse_template
from nanorecipes.prompt.layout import CLOSINGS, closed, enumerate_phrases, finish
from nanorecipes.prompt.lint.draft import (
    VALUE_BASE,
    Chunk,
    Draft,
    PieceSource,
    Source,
    image_letter,
    value_letter,
)
from nanorecipes.prompt.lint.walk import CannotRunError, Macro, Walker, imported
from nanorecipes.prompt.pieces import Piece, pieces
from nanorecipes.prompt.words import Absent, Handle, Handles
from nanorecipes.recipe.params import Param, Verbatim, compile_value

if TYPE_CHECKING:
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.source import Place

MAX_CHOICES = 12
"""Values of one enum that are tried."""
MAX_VARIANTS = 48
LONGEST_COLOR = "lightgoldenrodyellow"
_FAILURES = (
    CannotRunError, BoundError, TemplateError, RecursionError,
    TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
)  # fmt: skip
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NAME = re.compile(r"[a-z_][a-z0-9_]*")

GIVEN, DEFAULT, ABSENT = "given", "default", "absent"
Choice = tuple[Any, ...]
"""What a name stands for in one variant: a kind, and perhaps a value."""


class _Image(Handle):
    """An attached image that prints as its letter."""

    __slots__ = ()

    def __init__(self, ordinal: int, label: str, letter: str) -> None:
        super().__init__(ordinal, label, 2)
        self._text = letter


class _Images(Handles):
    """A list slot's images that print as one letter."""

    letter: str

    def __str__(self) -> str:
        return self.letter


@dataclass(frozen=True, eq=False)
class Variant:
    """The prompt of one possible call."""

    drafts: tuple[Draft, ...]
    """Every text that isn't empty, in order."""
    attached: Mapping[str, int]
    """How many images each slot holds; only those that hold some."""
    name: str = ""
    """The example's name, when it is one."""

    def of(self, section: str) -> list[Draft]:
        """The texts of a section."""
        return [draft for draft in self.drafts if draft.section == section]

    @property
    def edit(self) -> Draft | None:
        """The edit, unless it came out empty."""
        return next((draft for draft in self.drafts if draft.section == "edit"), None)

    @property
    def protect(self) -> list[Draft]:
        """The protected things; those of images that aren't attached are left out."""
        return [d for d in self.of("protect") if d.image is None or d.image in self.attached]

    @property
    def image_count(self) -> int:
        """How many images are attached."""
        return sum(self.attached.values())


class _Template(NamedTuple):
    """A piece's syntax tree, and what it reads."""

    piece: Piece
    source: Source
    tree: nodes.Template
    reads: tuple[str, ...]


class Variants:
    """Makes the drafts of a recipe; each piece is run once for each set of values that it reads."""

    def __init__(
        self, definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
    ) -> None:
        self.definition = definition
        self._macro_folders = macro_folders
        self._drafts: dict[tuple[int, tuple[Choice, ...]], Draft | None] = {}
        self._lengths: dict[tuple[int, tuple[Choice, ...]], str] = {}
        self._letters = {value_letter(i): name for i, name in enumerate(definition.params)}

    # --- templates

    @cached_property
    def templates(self) -> list[_Template]:
        names = {*self.definition.slots, *self.definition.params, "model"}
        found = []
        for piece in pieces(self.definition):
            code = " ".join(_CODE.findall(piece.text)) if "{" in piece.text else ""
            reads = tuple(sorted(names.intersection(_NAME.findall(code)))) if code else ()
            found.append(_Template(piece, PieceSource(piece), parse(piece.text), reads))
        return found

    @cached_property
    def macros(self) -> dict[Any, dict[str, Macro]]:
        """By file, what its templates import: an import holds for the whole file."""
        found: dict[Any, dict[str, Macro]] = {}
        for template in self.templates:
            document = template.piece.document
            known = found.setdefault(document, {})
            if "import" in template.piece.text:
                root = document.root_folder or document.path.parent
                known.update(imported(template.tree, self._macro_folders(root)))
        return found

    # --- choices

    @cached_property
    def axes(self) -> dict[str, list[Choice]]:
        """What each name that some template reads can stand for; the first is the fullest call."""
        reads = {name for template in self.templates for name in template.reads}
        asked = self._asked()
        axes: dict[str, list[Choice]] = {}
        for name, slot in self.definition.slots.items():
            axes[name] = [(GIVEN,), (ABSENT,)] if slot.min == 0 else [(GIVEN,)]
        for name, param in self.definition.params.items():
            if name in reads:
                axes[name] = self._choices(param, name in asked)
        if "model" in reads:
            own = self._model
            others = [alias for alias in catalogue().models if alias != own]
            axes["model"] = [(GIVEN, own), *((GIVEN, alias) for alias in others)]
        return axes

    @property
    def _model(self) -> str:
        name = str(self.definition.settings.get("model", "flash"))
        model = catalogue().get(name)
        return model.alias if model is not None else name

    def _asked(self) -> frozenset[str]:
        """Names that stand in conditions."""
        found: set[str] = set()
        for template in self.templates:
            if template.reads and ("if" in template.piece.text):
                found.update(
                    name
                    for code in _CODE.findall(template.piece.text)
                    if " if " in code or code.lstrip("{%-+ ").startswith(("if", "elif"))
                    for name in _NAME.findall(code)
                )
        return frozenset(found)

    def _choices(self, param: Param, asked: bool) -> list[Choice]:
        if param.name in self.definition.fixed:
            return [(GIVEN,)]
        if param.enum is not None and param.type != "array":
            values = list(param.enum[:MAX_CHOICES])
            if param.has_default and param.default in values:
                values.sort(key=lambda value: value != param.default)
            choices: list[Choice] = [(GIVEN, type(value), value) for value in values]
            return choices + ([(DEFAULT,)] if param.has_default and param.default is None else [])
        if param.type == "boolean":
            return [(GIVEN, bool, True), (GIVEN, bool, False)]
        if param.type in ("integer", "number"):
            return [(GIVEN, float, value) for value in _numbers(param, asked)]
        return [(GIVEN,), (DEFAULT,)] if param.has_default else [(GIVEN,)]

    def _calls(self) -> list[dict[str, Choice]]:
        """The fullest call, the leanest, and each other choice on its own from both."""
        full = {name: choices[0] for name, choices in self.axes.items()}
        lean = {name: _leanest(choices) for name, choices in self.axes.items()}
        calls = [full, lean]
        for base in (full, lean):
            for name, choices in self.axes.items():
                calls += [{**base, name: choice} for choice in choices if choice != base[name]]
        return calls[:MAX_VARIANTS]

    # --- drafts

    @cached_property
    def variants(self) -> list[Variant]:
        found: dict[tuple[int, ...], Variant] = {}
        token = meter.set(Meter())
        try:
            for call in self._calls():
                variant = self._variant(call)
                if variant is not None:
                    found.setdefault(tuple(map(id, variant.drafts)), variant)
        finally:
            meter.reset(token)
        return list(found.values()) or [Variant((), {})]

    def _variant(self, call: Mapping[str, Choice]) -> Variant | None:
        drafts = []
        for index, template in enumerate(self.templates):
            key = (index, tuple([call[name] for name in template.reads]))
            if key not in self._drafts:
                self._drafts[key] = self._draft(template, call)
            draft = self._drafts[key]
            if draft is None:
                return None
            if draft.text:
                drafts.append(draft)
        attached = {
            name: slot.max
            for name, slot in self.definition.slots.items()
            if call[name][0] != ABSENT
        }
        return Variant(tuple(drafts), attached)

    def _draft(self, template: _Template, call: Mapping[str, Choice]) -> Draft | None:
        values = {name: self._value(name, call[name]) for name in template.reads}
        return self._run(template, values)

    def _run(self, template: _Template, values: Mapping[str, Any]) -> Draft | None:
        walker = Walker(
            template.source, values, self.macros[template.piece.document],
            frozenset(self.definition.params),
        )  # fmt: skip
        try:
            chunks = walker.run(template.tree.body)
        except _FAILURES:
            return None
        return Draft(template.piece.section, template.piece.image, template.source, chunks)

    def _value(self, name: str, choice: Choice) -> Any:
        """What a template sees of a name."""
        if name == "model":
            return choice[1]
        if name in self.definition.slots:
            return self._images(name, choice)
        if name in self.definition.fixed:
            return self.definition.fixed[name]
        param = self.definition.params[name]
        if choice[0] == DEFAULT:
            return _default(param)
        if len(choice) > 1:
            return _enum_value(param, choice[2])
        letter = value_letter(list(self.definition.params).index(name))
        value = Verbatim(letter) if param.format == "verbatim" else letter
        return [value, value, value][: param.max_items] if param.type == "array" else value

    def _images(self, name: str, choice: Choice) -> Any:
        if choice[0] == ABSENT:
            return Absent(name)
        slot = self.definition.slots[name]
        index = list(self.definition.slots).index(name)
        if not slot.is_list:
            return _Image(index + 1, slot.label, image_letter(index))
        items = [_Image(index + i + 1, slot.label, image_letter(index, i)) for i in range(slot.max)]
        images = _Images(items, slot.label)
        images.letter = image_letter(index)
        return images

    def param_of(self, letter: str) -> Param | None:
        name = self._letters.get(letter) if letter >= chr(VALUE_BASE) else None
        return self.definition.params[name] if name is not None else None

    # --- examples

    @cached_property
    def examples(self) -> list[Variant]:
        found = []
        token = meter.set(Meter())
        try:
            for example in self.definition.examples:
                variant = self._example(example)
                if variant is not None:
                    found.append(variant)
        finally:
            meter.reset(token)
        return found

    def _example(self, example: Mapping[str, Any]) -> Variant | None:
        inputs = example["inputs"]
        params = {
            name: value for name, value in inputs.items()
            if name in self.definition.params and name not in self.definition.fixed
        }  # fmt: skip
        try:
            values = self.definition.validator.validate_python(params)
        except ValueError:
            return None
        values = {**values, **self.definition.fixed, "model": inputs.get("model", self._model)}
        attached = {}
        for name, slot in self.definition.slots.items():
            given = inputs.get(name)
            count = len(given) if isinstance(given, list) else int(given is not None)
            values[name] = self._images(name, (GIVEN,) if count else (ABSENT,))
            if count:
                attached[name] = count
            if slot.is_list and count:
                images = _Images(list(values[name])[:count], slot.label)
                images.letter = str(values[name])
                values[name] = images
        drafts = [self._run(template, values) for template in self.templates]
        if any(draft is None for draft in drafts):
            return None
        shown = tuple(draft for draft in drafts if draft is not None and draft.text)
        return Variant(shown, attached, str(example["name"]))

    # --- the longest prompt

    @cached_property
    def longest(self) -> int:
        """Characters of the longest prompt, found by climbing from the fullest call."""
        token = meter.set(Meter())
        try:
            return self._climb()
        except _FAILURES:
            return 0
        finally:
            meter.reset(token)

    def _climb(self) -> int:
        call = {name: choices[0] for name, choices in self.axes.items()}
        best = self._length(call)
        for name, choices in self.axes.items():
            for choice in choices[1:]:
                other = {**call, name: choice}
                length = self._length(other)
                if length > best:
                    best, call = length, other
        return best

    def _length(self, call: Mapping[str, Choice]) -> int:
        handles = self._handles(call)
        texts: dict[str, list[str]] = {"edit": [], "subject": [], "details": []}
        kept: dict[str | None, list[str]] = {}
        for index, template in enumerate(self.templates):
            key = (index, tuple([call[name] for name in template.reads]))
            if key not in self._lengths:
                self._lengths[key] = self._filled(template, call, handles)
            text = self._lengths[key]
            piece = template.piece
            if piece.section == "protect":
                if text and (piece.image is None or handles[piece.image]):
                    kept.setdefault(piece.image, []).append(text)
            elif text:
                texts[piece.section].append(text)
        first = next(name for name in handles if handles[name])
        protect = [
            f"Keep {enumerate_phrases(items)} exactly as in {handles[image or first]}."
            for image, items in kept.items()
        ]
        protect.append(CLOSINGS[self.definition.changes])
        parts = [" ".join(items) for items in (*texts.values(), protect) if items]
        return len("\n\n".join(parts))

    def _handles(self, call: Mapping[str, Choice]) -> dict[str, Any]:
        """The images as a real call with the most of each would number them."""
        slots = self.definition.slots
        total = sum(slot.max for name, slot in slots.items() if call[name][0] != ABSENT)
        found: dict[str, Any] = {}
        number = 0
        for name, slot in slots.items():
            if call[name][0] == ABSENT:
                found[name] = Absent(name)
                continue
            items = [Handle(number + i + 1, slot.label, total) for i in range(slot.max)]
            number += slot.max
            found[name] = Handles(items, slot.label) if slot.is_list else items[0]
        return found

    def _filled(
        self, template: _Template, call: Mapping[str, Choice], handles: Mapping[str, Any]
    ) -> str:
        values = {
            name: handles[name] if name in handles else self._longest_value(name, call[name])
            for name in template.reads
        }
        walker = Walker(template.source, values, self.macros[template.piece.document])
        chunks = walker.run(template.tree.body)
        text = finish(template.piece.section, "".join(chunk.text for chunk in chunks))
        return closed(text) if template.piece.section == "details" and text else text

    def _longest_value(self, name: str, choice: Choice) -> Any:
        param = self.definition.params.get(name)
        if param is None or name in self.definition.fixed or choice[0] == DEFAULT:
            return self._value(name, choice)
        if param.type in ("integer", "number"):
            return max(_numbers(param, False), key=lambda value: len(str(value)))
        if len(choice) > 1:
            return _enum_value(param, choice[2])
        one: Any = LONGEST_COLOR if param.format == "color" else "x" * param.max_length
        if param.enum is not None:
            one = max((str(_enum_value(param, value)) for value in param.enum), key=len)
        if param.format == "verbatim":
            one = Verbatim(one)
        return [one] * param.max_items if param.type == "array" else one

    # --- places

    def place(self, draft: Draft, start: int, end: int) -> Place:
        """Where a stretch of a draft stands in the author's file."""
        start += len(draft.text[start:end]) - len(draft.text[start:end].lstrip())
        chunk, offset = draft.chunk_at(start)
        wanted = draft.text[start:end]
        if type(chunk.origin.node) is nodes.TemplateData:
            return _data_place(chunk, offset, wanted)
        return self._value_place(chunk, draft)

    def _value_place(self, chunk: Chunk, draft: Draft) -> Place:
        """Where a value's words stand: the wording or default that holds them, else its use."""
        document = self.definition.document
        name = chunk.origin.param
        spec = (self.definition.data.get("params", {}).get(name) or {}) if name else {}
        for key, words in spec.get("wording", {}).items():
            if words == chunk.text:
                return document.place(("params", str(name), "wording", key))
        if name and spec.get("default") == chunk.text and chunk.text:
            return document.place(("params", name, "default"))
        line = chunk.origin.node.lineno
        lines = chunk.origin.source.text.split("\n")
        own = lines[line - 1] if 0 < line <= len(lines) else ""
        found = re.search(rf"\{{\{{[^}}]*\b{re.escape(name)}\b[^}}]*\}}\}}", own) if name else None
        if found is not None:
            return chunk.origin.source.place(line, found.start() + 1, found.end() - found.start())
        indent = len(own) - len(own.lstrip())
        return chunk.origin.source.place(line, indent + 1, len(own.strip()))


def _data_place(chunk: Chunk, offset: int, wanted: str) -> Place:
    """Where a stretch of the author's own words stands."""
    source, node = chunk.origin.source, chunk.origin.node
    begin = _data_offset(source, node, chunk)
    raw = begin + offset
    before = source.text[:raw]
    line = before.count("\n") + 1
    column = raw - (before.rfind("\n") + 1) + 1
    rest = source.text[raw:].split("\n")[0]
    length = 0
    for have, want in zip(rest, wanted, strict=False):
        if have != want:
            break
        length += 1
    return source.place(line, column, length)


def _data_offset(source: Source, node: nodes.Node, chunk: Chunk) -> int:
    """Where a stretch of template data begins in its text: they stand there in order."""
    tree = environment().parse(plain_blanks(source.text))
    wanted = getattr(node, "data", chunk.text)
    position = 0
    for part in tree.find_all(nodes.TemplateData):
        found = source_find(source.text, part.data, position)
        if part.data == wanted and part.lineno == node.lineno:
            return found + wanted.find(chunk.text)
        position = found + len(part.data)
    return max(0, source.text.find(chunk.text))


def source_find(text: str, data: str, position: int) -> int:
    """Where template data stands at or behind a position, blanks compared as blanks."""
    found = plain_blanks(text).find(data, position)
    return found if found >= 0 else position


def _leanest(choices: Sequence[Choice]) -> Choice:
    """Absent before default before false before the usual."""
    for kind in (ABSENT, DEFAULT):
        for choice in choices:
            if choice[0] == kind:
                return choice
    return choices[-1] if choices[0][1:2] == (bool,) else choices[0]


def _numbers(param: Param, asked: bool) -> list[Any]:
    """A usual number, and where a condition asks for it the least and the most."""
    usual = param.examples[0] if param.examples else param.default
    if not isinstance(usual, (int, float)) or isinstance(usual, bool):
        usual = param.minimum if param.minimum is not None else 3
    edges = [edge for edge in (param.minimum, param.maximum) if edge is not None]
    found = [usual, *edges] if asked or not edges else [usual, edges[-1]]
    whole = [int(n) if param.type == "integer" or float(n).is_integer() else n for n in found]
    return list(dict.fromkeys(whole))


def _enum_value(param: Param, value: Any) -> Any:
    if param.wording is not None:
        return param.words_for(value)
    return Verbatim(value) if param.format == "verbatim" and isinstance(value, str) else value


def _default(param: Param) -> Any:
    """A default as templates see it."""
    if param.default is None or param.default == "":
        return param.default
    try:
        return compile_value(param).validate_python(param.default)
    except ValueError:
        return param.default


_parsed: dict[str, nodes.Template] = {}


def parse(text: str) -> nodes.Template:
    """The syntax tree of a template, only to be read; the same text is parsed once."""
    if text not in _parsed:
        if len(_parsed) > 2000:
            _parsed.clear()
        _parsed[text] = parse_template(text)[0]
    return _parsed[text]
