"""What each image and parameter of a recipe can stand for, and the calls that try it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.lint.draft import image_letter, value_letter
from nanorecipes.prompt.words import Absent, Handle, Handles
from nanorecipes.recipe.params import Param, Slot, Verbatim, compile_value

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.templates import Templates
    from nanorecipes.recipe.model import Definition

MAX_CHOICES = 12
"""Values of one enum that are tried."""
MAX_CALLS = 48
LONGEST_COLOR = "lightgoldenrodyellow"

Kind = Literal["given", "value", "default", "absent"]
Call = Mapping[str, int]
"""For each name which of its choices is taken."""


class Choice(NamedTuple):
    """One thing that a name can stand for."""

    kind: Kind
    """`given` a caller's words, one `value` that the recipe names, the `default`, or `absent`."""
    value: Any
    """What templates see of it."""


class _Image(Handle):
    """An attached image that prints as its letter."""

    __slots__ = ()

    def __init__(self, ordinal: int, label: str, letter: str) -> None:
        self.ordinal = ordinal
        self.label = label
        self._text = letter


class _Images(Handles):
    """A list slot's images that print as one letter."""

    letter: str

    def __str__(self) -> str:
        return self.letter


class Choices:
    """The choices of each name that some template reads; the first ones make the fullest call."""

    def __init__(self, definition: Definition, templates: Templates) -> None:
        self.definition = definition
        self.model = _model(definition)
        reads = {name for template in templates.all for name in template.reads}
        asked = {name for t in templates.all if t.reads for name in t.asked}
        self.axes: dict[str, list[Choice]] = {}
        for index, (name, slot) in enumerate(definition.slots.items()):
            self.axes[name] = [Choice("given", marked(slot, index, slot.max))]
            if slot.min == 0:
                self.axes[name].append(Choice("absent", Absent(name)))
        for index, (name, param) in enumerate(definition.params.items()):
            if name in definition.fixed:
                self.axes[name] = [Choice("value", definition.fixed[name])]
            elif name in reads:
                self.axes[name] = _of_param(param, value_letter(index), name in asked)
        if "model" in reads:
            aliases = [self.model, *(a for a in catalogue().models if a != self.model)]
            self.axes["model"] = [Choice("value", alias) for alias in aliases]

    def value(self, name: str, number: int) -> Any:
        """What templates see of a choice."""
        return self.axes[name][number].value

    def calls(self) -> list[Call]:
        """The fullest call, the leanest, and each other choice on its own from both."""
        full: Call = dict.fromkeys(self.axes, 0)
        lean = {name: _leanest(choices) for name, choices in self.axes.items()}
        found: list[Call] = [full]
        if lean != full:
            found.append(lean)
        for name, choices in self.axes.items():
            found += [{**full, name: number} for number in range(1, len(choices))]
        for name, choices in self.axes.items():
            if choices[-1].kind != "value" or len(choices) == 2:  # an enum is tried once
                found += [{**lean, name: n} for n in range(len(choices)) if n != lean[name]]
        return found[:MAX_CALLS]


def _model(definition: Definition) -> str:
    """The alias of the model that a recipe asks for."""
    name = str(definition.settings.get("model", "flash"))
    model = catalogue().get(name)
    return model.alias if model is not None else name


def marked(slot: Slot, index: int, count: int) -> Any:
    """A slot's images as letters.

    Args:
        slot: the slot.
        index: its number.
        count: how many images it holds; a list only shows so many.
    """
    if not slot.is_list:
        return _Image(index + 1, slot.label, image_letter(index))
    items = [_Image(index + i + 1, slot.label, image_letter(index, i)) for i in range(count)]
    images = _Images(items, slot.label)
    images.letter = image_letter(index)
    return images


def real_images(slots: Mapping[str, Slot], counts: Mapping[str, int]) -> dict[str, Any]:
    """The handles that a real call would number."""
    total = sum(counts.values())
    found: dict[str, Any] = {}
    number = 0
    for name, slot in slots.items():
        count = counts.get(name, 0)
        items = [Handle(number + i + 1, slot.label, total) for i in range(count)]
        number += count
        if not items:
            found[name] = Absent(name)
        else:
            found[name] = Handles(items, slot.label) if slot.is_list else items[0]
    return found


def longest_value(param: Param) -> Any:
    """A value of a parameter that prints as long as any."""
    if param.type in ("integer", "number"):
        return max(_numbers(param, False), key=lambda value: len(str(value)))
    one: Any = LONGEST_COLOR if param.format == "color" else "x" * param.max_length
    if param.enum is not None:
        one = max((str(_enum_value(param, value)) for value in param.enum), key=len)
    if param.format == "verbatim":
        one = Verbatim(one)
    return [one] * param.max_items if param.type == "array" else one


def _of_param(param: Param, letter: str, asked: bool) -> list[Choice]:
    if param.enum is not None and param.type != "array":
        values = sorted(param.enum[:MAX_CHOICES], key=lambda value: value != param.default)
        found = [Choice("value", _enum_value(param, value)) for value in values]
        return found + list(_unset(param))
    if param.type == "boolean":
        return [Choice("value", True), Choice("value", False)]
    if param.type in ("integer", "number"):
        return [Choice("value", value) for value in _numbers(param, asked)]
    value: Any = Verbatim(letter) if param.format == "verbatim" else letter
    if param.type == "array":
        value = [value] * min(3, param.max_items)
    found = [Choice("given", value)]
    return [*found, Choice("default", _default(param))] if param.has_default else found


def _unset(param: Param) -> Iterator[Choice]:
    if param.has_default and param.default is None:
        yield Choice("default", None)


def _leanest(choices: Sequence[Choice]) -> int:
    """Absent before default before false before the usual."""
    for kind in ("absent", "default"):
        for number, choice in enumerate(choices):
            if choice.kind == kind:
                return number
    return 1 if len(choices) == 2 and choices[1].value is False else 0


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
    if param.type == "string" and param.format == "line" and param.default.isprintable():
        return " ".join(param.default.split())
    try:
        return compile_value(param).validate_python(param.default)
    except ValueError:
        return param.default
