"""Validation errors in words: what was found, what was expected, and the nearest right name."""

from __future__ import annotations

from typing import Any, NamedTuple

from nanorecipes import codes
from nanorecipes.suggest import did_you_mean

_WORDS = {
    "string": "a text", "integer": "a whole number", "number": "a number",
    "boolean": "true or false", "array": "a list", "object": "a mapping", "null": "nothing",
}  # fmt: skip

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "union_tag_invalid": "another type",
}


class Wording(NamedTuple):
    """A validation error as code, message and help."""

    code: codes.Code
    message: str
    help: str | None = None


def found(value: Any) -> str:
    """A value as it is quoted in a message: short, and never more than a line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 10**50:
        return "a number of more than 50 digits"
    if not isinstance(value, (str, int, float)):
        return f"a value of the type {type(value).__name__}"
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"


def expected(kind: str, context: dict[str, Any]) -> str | None:
    """What a validation error of this kind asks for, or None when it is of another sort."""
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    if kind == "string_too_long":
        return f"at most {_count(context['max_length'], 'character')}"
    if kind == "string_too_short":
        return f"at least {_count(context['min_length'], 'character')}"
    if kind == "too_long":
        return f"at most {_count(context['max_length'], 'entry', 'entries')}"
    if kind == "too_short":
        return f"at least {_count(context['min_length'], 'entry', 'entries')}"
    if kind == "greater_than_equal":
        return f"{_number(context['ge'])} or more"
    if kind == "less_than_equal":
        return f"{_number(context['le'])} or less"
    if kind == "string_pattern_mismatch":
        return f"a text of the form {context['pattern']}"
    return None


def word_file_error(error: dict[str, Any], known: list[str]) -> Wording:
    """A form error of a recipe file; `known` are the keys that its place may have."""
    kind, loc = error["type"], error["loc"]
    name = loc[-1] if loc else "the file"
    if kind == "extra_forbidden":
        near = did_you_mean(str(name), known)
        return Wording(
            codes.UNKNOWN_KEY,
            f"unknown key {name!r}",
            near or f"allowed here: {', '.join(known)}",
        )
    if kind == "missing":
        return Wording(codes.MISSING_KEY, f"the key {name!r} is required", None)
    if name == "[key]":
        return Wording(
            codes.BAD_NAME,
            f"{error['input']!r} is no name",
            "a name is lower-case letters, digits and _, and begins with a letter",
        )
    context = error.get("ctx", {})
    if kind == "one_of_types":
        wanted = " or ".join(_WORDS[part] for part in error["msg"].split(" or "))
    else:
        wanted = expected(kind, context) or error["msg"]
    value = error["input"]
    message = f"{name} must be {wanted}, found {_measure(kind, value)}"
    return Wording(codes.WRONG_VALUE, message, _advice(kind, name, value, context))


def _measure(kind: str, value: Any) -> str:
    if kind in ("string_too_long", "string_too_short"):
        return str(len(value))
    if kind in ("too_long", "too_short"):
        return _count(len(value), "entry", "entries")
    return found(value)


def _advice(kind: str, name: Any, value: Any, context: dict[str, Any]) -> str | None:
    if kind == "literal_error" and isinstance(value, str):
        allowed = [part.strip(" '") for part in context["expected"].replace(" or ", ",").split(",")]
        return did_you_mean(value, allowed)
    if kind == "string_type" and isinstance(value, (int, float, bool)):
        shown = "true" if value is True else "false" if value is False else value
        return f'quote it: {name}: "{shown}"'
    if kind == "bool_type" and value in ("yes", "no", "on", "off"):
        return "YAML 1.2 reads yes, no, on and off as text: write true or false"
    return None


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _number(value: float) -> str:
    return f"{value:g}"
