"""Parameters and image slots: what a caller may pass, checked in pydantic-core and put into words.

A value is data. It is folded, bounded and cleaned here, so that nothing behind this door has to ask
whether a text could break a line, open a paragraph or close a quote.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic_core import PydanticCustomError, SchemaError, SchemaValidator, core_schema

from nanorecipes.recipe.colors import CSS_COLORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ParamType = Literal["string", "integer", "number", "boolean", "array"]
ParamFormat = Literal["line", "multiline", "color", "verbatim"]
Role = Literal["source", "reference"]

LINE_MAX = 300
MULTILINE_MAX = 1500
ARRAY_MAX = 10
SLOT_MAX = 14
NUMBER_MAX = 10**15
"""Beyond it a number is no word of a prompt, and its digits could not be counted beforehand."""

# C0 and C1 controls but tab and line breaks, the bidirectional overrides and isolates, lone
# surrogates, and non-characters: none of them is a word. (Unicode's line and paragraph separators
# are white space, and are folded like it.)
_CONTROL = (
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_HEX_COLOR = re.compile(r"#[0-9a-f]{6}\Z")
_QUOTES = '"\u201c\u201d\u201e\u201f\u2033\u275d\u275e\u301d\u301e\uff02'


class Verbatim(str):
    """Lettering that shall appear in the picture; prints in straight double quotes."""

    __slots__ = ()

    def __str__(self) -> str:
        return f'"{str.__str__(self)}"'


class Worded(str):
    """An enum value that compares as itself and prints as the words the recipe gives it."""

    words: str

    def __new__(cls, value: str, words: str) -> Worded:
        self = super().__new__(cls, value)
        self.words = words
        return self

    def __str__(self) -> str:
        return self.words

    __hash__ = str.__hash__


class WordedNumber(int):
    """The same for an enum of whole numbers."""

    words: str

    def __new__(cls, value: int, words: str) -> WordedNumber:
        self = super().__new__(cls, value)
        self.words = words
        return self

    def __str__(self) -> str:
        return self.words


class WordedFraction(float):
    """The same for an enum that holds fractions."""

    words: str

    def __new__(cls, value: float, words: str) -> WordedFraction:
        self = super().__new__(cls, value)
        self.words = words
        return self

    def __str__(self) -> str:
        return self.words


def worded(value: Any, words: str) -> Any:
    """A value of an enum that prints as its words; true and false have none."""
    line = " ".join(words.split())
    if isinstance(value, str):
        return Worded(value, line)
    return WordedFraction(value, line) if isinstance(value, float) else WordedNumber(value, line)


def fold(text: str) -> str:
    """One line: white space becomes one space.

    Raises:
        PydanticCustomError: the text holds control characters.
    """
    if text.isprintable() and "  " not in text:  # the blank is the only printable white space
        return text.strip()
    refuse_controls(text)
    return " ".join(text.split())


def fold_lines(text: str) -> str:
    """Lines without white space at their ends and without blank lines between them.

    A blank line would look like the end of a section; a section is the framework's to make.
    """
    refuse_controls(text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def refuse_controls(text: str) -> None:
    """Refuse characters that print as nothing or turn the text around."""
    if text.isprintable():
        return
    found = re.search(_CONTROL, text)
    if found:
        raise PydanticCustomError(
            "control_character",
            "text without control characters",
            {"character": f"U+{ord(found.group()):04X}", "position": found.start() + 1},
        )


def _color(text: str) -> str:
    name = fold(text).lower()
    if _HEX_COLOR.match(name) or name in CSS_COLORS:
        return name
    raise PydanticCustomError("not_a_color", "a CSS colour name or #rrggbb")


def _verbatim(text: str) -> Verbatim:
    line = fold(text)
    if any(mark in line for mark in _QUOTES):
        raise PydanticCustomError("quote_in_lettering", "lettering without double quotes")
    return Verbatim(line)


def _number(value: float) -> float | int:
    """A whole number prints without a fraction."""
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


class Param(NamedTuple):
    """One declared parameter. Lengths count characters, items count entries."""

    name: str
    type: ParamType = "string"
    format: ParamFormat = "line"
    description: str = ""
    enum: tuple[Any, ...] | None = None
    wording: Mapping[str, str] | None = None
    has_default: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int = LINE_MAX
    pattern: str | None = None
    min_items: int | None = None
    max_items: int = ARRAY_MAX
    examples: tuple[Any, ...] = ()
    deprecated: bool = False

    @property
    def is_required(self) -> bool:
        """Whether a caller has to pass it."""
        return not self.has_default

    @property
    def least(self) -> float:
        """The smallest number."""
        return -NUMBER_MAX if self.minimum is None else self.minimum

    @property
    def most(self) -> float:
        """The largest number."""
        return NUMBER_MAX if self.maximum is None else self.maximum

    @property
    def least_length(self) -> int:
        """The fewest characters: 1 unless declared otherwise or empty by default.

        An empty text would leave a hole in the sentence that the picture is paid for.
        """
        if self.min_length is not None:
            return self.min_length
        return 0 if self.has_default and not self.default else 1

    def words_for(self, value: Any) -> Any:
        """The value as templates see it: an enum value that has a wording prints as that."""
        if self.wording is None:
            return value
        words = self.wording.get(enum_key(value))
        return value if words is None else worded(value, words)

    def longest(self) -> int:
        """The most characters that one value can add to a prompt, quotes and commas counted."""
        if self.enum is not None:
            texts = [str(self.words_for(value)) for value in self.enum]
            one = max((len(text) for text in texts), default=0)
        elif self.type in ("integer", "number"):
            one = 24
        elif self.type == "boolean":
            one = 5
        else:
            one = self.max_length + (2 if self.format == "verbatim" else 0)
        return (one + 5) * self.max_items if self.type == "array" else one


class Slot(NamedTuple):
    """One declared image, or a list of them."""

    name: str
    role: Role = "source"
    description: str = ""
    optional: bool = False
    is_list: bool = False
    min: int = 1
    max: int = 1
    label: str = ""

    @property
    def is_required(self) -> bool:
        """Whether a caller has to pass it."""
        return not self.optional


def make_param(name: str, spec: Mapping[str, Any] | None) -> Param:
    """A parameter from its declaration, with the format's default bounds filled in."""
    spec = spec or {}
    form: ParamFormat = spec.get("format", "line")
    enum = spec.get("enum")
    kind: ParamType = spec.get("type") or ("string" if enum is None else _enum_type(enum))
    return Param(
        name=name,
        type=kind,
        format=form,
        description=spec.get("description", ""),
        enum=None if enum is None else tuple(enum),
        wording=spec.get("wording"),
        has_default="default" in spec,
        default=spec.get("default"),
        minimum=spec.get("minimum"),
        maximum=spec.get("maximum"),
        min_length=spec.get("minLength"),
        max_length=spec.get("maxLength", MULTILINE_MAX if form == "multiline" else LINE_MAX),
        pattern=spec.get("pattern"),
        min_items=spec.get("minItems"),
        max_items=spec.get("maxItems", ARRAY_MAX),
        examples=tuple(spec.get("examples", ())),
        deprecated=spec.get("deprecated", False),
    )


def make_slot(name: str, spec: Mapping[str, Any] | None) -> Slot:
    """An image slot from its declaration; `min` or `max` make it a list."""
    spec = spec or {}
    optional = spec.get("optional", False)
    is_list = "min" in spec or "max" in spec
    least = spec.get("min", 0 if optional else 1)
    return Slot(
        name=name,
        role=spec.get("role", "source"),
        description=spec.get("description", ""),
        optional=optional or least == 0,
        is_list=is_list,
        min=0 if optional and "min" not in spec else least,
        max=spec.get("max", SLOT_MAX if is_list else 1),
        label=spec.get("label") or name.replace("_", " "),
    )


def enum_key(value: Any) -> str:
    """An enum value as `wording` names it: its text as YAML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return f"{int(value)}" if value.is_integer() else float.__repr__(value)
    return f"{int(value)}"


def _enum_type(values: Sequence[Any]) -> ParamType:
    """The type that all values of an enum have in common; text when they are mixed."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    return "number" if kinds in ({float}, {int, float}) else "string"


def value_schema(param: Param) -> Any:
    """The pydantic-core schema of one parameter's value.

    Raises:
        SchemaError: the pattern is not one that the linear-time engine takes.
    """
    if param.type == "array":
        schema: Any = core_schema.list_schema(
            _item_schema(param), min_length=param.min_items, max_length=param.max_items
        )
        return core_schema.no_info_before_validator_function(_one_as_list, schema)
    return _item_schema(param)


def _one_as_list(value: Any) -> Any:
    """A single text stands for a list of one: the command line can't tell them apart."""
    return [value] if isinstance(value, str) else value


def _item_schema(param: Param) -> Any:
    if param.enum is not None:
        return _enum_schema(param)
    if param.type == "integer":
        low, high = math.ceil(param.least), math.floor(param.most)
        whole = core_schema.int_schema(ge=low, le=high)
        return core_schema.no_info_before_validator_function(_refuse_bool, whole)
    if param.type == "number":
        number = core_schema.float_schema(ge=param.least, le=param.most, allow_inf_nan=False)
        checked = core_schema.no_info_before_validator_function(_refuse_bool, number)
        return core_schema.no_info_after_validator_function(_number, checked)
    if param.type == "boolean":
        return core_schema.bool_schema()
    return _text_schema(param)


def _refuse_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "a number")
    return value


def _text_schema(param: Param) -> Any:
    bounded = core_schema.str_schema(
        min_length=param.least_length,
        max_length=param.max_length,
        pattern=param.pattern,
    )
    folds: Any = {"multiline": fold_lines, "color": _color}.get(param.format, fold)
    steps: list[Any] = [
        core_schema.str_schema(max_length=65536, strict=True),
        core_schema.no_info_plain_validator_function(folds),
        bounded,
    ]
    if param.format == "verbatim":
        steps.append(core_schema.no_info_plain_validator_function(_verbatim))
    return core_schema.chain_schema(steps)


def _enum_schema(param: Param) -> Any:
    """Match a value or its text: command lines and tables hold nothing but text."""
    allowed = param.enum or ()
    by_text = {enum_key(value): value for value in allowed}
    prints = {text: _enum_value(param, value) for text, value in by_text.items()}
    message = ", ".join(by_text)

    def choose(value: Any) -> Any:
        if isinstance(value, str) or (
            isinstance(value, (int, float)) and -NUMBER_MAX <= value <= NUMBER_MAX
        ):
            found = prints.get(enum_key(value))
            if found is None and isinstance(value, str):
                found = prints.get(value.strip())
            if found is not None:
                return found
        raise PydanticCustomError("not_in_enum", "one of", {"allowed": message})

    return core_schema.no_info_plain_validator_function(choose)


def _enum_value(param: Param, value: Any) -> Any:
    if param.wording is not None:
        return param.words_for(value)
    return Verbatim(value) if param.format == "verbatim" and isinstance(value, str) else value


def compile_values(params: Sequence[Param], fixed: Mapping[str, Any]) -> SchemaValidator:
    """One validator for all parameters: every wrong one is reported at once."""
    fields = {}
    for param in params:
        schema = value_schema(param)
        if param.name in fixed:
            continue
        if param.has_default:
            schema = core_schema.with_default_schema(schema, default=_default(param))
        fields[param.name] = core_schema.typed_dict_field(schema, required=param.is_required)
    return SchemaValidator(core_schema.typed_dict_schema(fields, extra_behavior="forbid"))


def compile_value(param: Param) -> SchemaValidator:
    """The validator of a single parameter.

    Raises:
        SchemaError: the pattern is not one that the linear-time engine takes.
    """
    return SchemaValidator(value_schema(param))


def _default(param: Param) -> Any:
    """The default as templates see it; an empty or absent one stays as it is."""
    if param.default is None or param.default == "":
        return param.default
    return compile_value(param).validate_python(param.default)


__all__ = [
    "Param", "ParamFormat", "ParamType", "Role", "SchemaError", "Slot", "Verbatim", "Worded",
    "compile_value", "compile_values", "enum_key", "fold", "fold_lines", "make_param", "make_slot",
    "worded",
]  # fmt: skip
