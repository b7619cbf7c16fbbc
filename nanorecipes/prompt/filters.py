"""The filters that templates may use; each takes a value as it prints and stays within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError

from nanorecipes.prompt import words
from nanorecipes.prompt.bounds import checked_number, current
from nanorecipes.prompt.words import Absent, Handles
from nanorecipes.recipe.params import Verbatim


def text(value: Any) -> str:
    """A value as it prints; a list's length is counted before it is made."""
    if isinstance(value, (list, tuple)) and not isinstance(value, Handles):
        current().write(sum(len(text(item)) + 2 for item in value))
    return words.text(value)


def _written(value: str) -> str:
    current().write(len(value))
    return value


def capitalize(value: Any) -> str:
    """First letter large, all others small; an image's name so begins a sentence."""
    return _written(text(value).capitalize())


def default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """Another value for one that isn't defined or attached (with `true`, also for an empty one)."""
    missing = value is None or isinstance(value, (Undefined, Absent))
    return default_value if missing or (boolean and not value) else value


def first(value: Any) -> Any:
    """The first entry of a list, or the first letter of a text."""
    items = _items(value)
    return items[0] if items else ""


def last(value: Any) -> Any:
    """The last entry of a list, or the last letter of a text."""
    items = _items(value)
    return items[-1] if items else ""


def to_int(value: Any, default: int = 0) -> int:
    """A whole number, cut towards zero, or the default where there is none in it."""
    try:
        number = float(text(value))
    except ValueError:
        return default
    return int(checked_number(number)) if math.isfinite(number) else default


def join(value: Any, d: str = "") -> str:
    """Entries one behind the other with a text between them."""
    between = text(d)
    texts = [text(item) for item in _walked(value)]
    current().write(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def join_and(value: Any, last: str = "and") -> str:
    """`a, b and c`; with another word, `a, b or c`."""
    texts = [text(item) for item in _walked(value)]
    current().write(sum(len(item) + 2 for item in texts))
    return words.join_and(texts, text(last))


def length(value: Any) -> int:
    """How many entries a list has, or characters a text."""
    return len(_items(value))


def lower(value: Any) -> str:
    """All letters small."""
    return _written(text(value).lower())


def quote(value: Any) -> str:
    """In straight double quotes; lettering that has them already stays as it is."""
    shown = text(value)
    if isinstance(value, Verbatim):
        return shown
    if '"' in shown:
        raise FilterArgumentError(f"quote: the text holds a double quote already: {shown[:60]!r}")
    return _written(f'"{shown}"')


def replace(value: Any, old: str, new: str, count: int = -1) -> str:
    """Each occurrence of a text by another one."""
    shown, old, new = text(value), text(old), text(new)
    times = shown.count(old) if count is None or count < 0 else min(shown.count(old), count)
    current().write(len(shown) + times * len(new))
    return shown.replace(old, new, times)


def round_number(value: Any, precision: int = 0, method: str = "common") -> float | int:
    """Rounded to so many decimals: `common`, `ceil` or `floor`."""
    rounds: dict[str, Callable[[float], float]] = {
        "common": round,
        "ceil": math.ceil,
        "floor": math.floor,
    }
    if method not in rounds:
        raise FilterArgumentError("round: the method is common, ceil or floor")
    scale = 10.0 ** max(-9, min(9, precision))
    number = checked_number(float(text(value)))
    if method == "common":
        rounded = round(number, max(-9, min(9, precision)))
    else:
        rounded = rounds[method](number * scale) / scale
    return int(rounded) if float(rounded).is_integer() else rounded


def sentence(value: Any) -> str:
    """A sentence: its first letter large, a full stop at the end unless a mark is there."""
    shown = text(value).strip()
    if not shown:
        return ""
    closed = shown if shown.rstrip("\"')\u201d\u2019")[-1:] in ".!?:\u2026" else f"{shown}."
    return _written(closed[0].upper() + closed[1:])


def title(value: Any) -> str:
    """Each word with a large first letter."""
    shown = _written(text(value))
    return " ".join(word[:1].upper() + word[1:].lower() for word in shown.split(" "))


def trim(value: Any, chars: str | None = None) -> str:
    """Without white space (or the given characters) at both ends."""
    return _written(text(value).strip(chars))


def unique(value: Any) -> list[Any]:
    """Each entry once, in order, whatever its case."""
    seen: dict[str, Any] = {}
    for item in _walked(value):
        seen.setdefault(text(item).lower(), item)
    return list(seen.values())


def upper(value: Any) -> str:
    """All letters large."""
    return _written(text(value).upper())


def _items(value: Any) -> Any:
    """The entries of a list, or the letters of anything else as it prints."""
    if isinstance(value, (list, tuple)):
        return value
    if not isinstance(value, (str, int, float)) and hasattr(value, "__len__"):
        return list(value)
    return text(value)


def _walked(value: Any) -> Any:
    """The entries, counted."""
    items = _items(value)
    current().walk(len(items))
    return items


FILTERS = {
    "capitalize": capitalize, "default": default, "first": first, "int": to_int, "join": join,
    "last": last, "length": length, "lower": lower, "replace": replace, "round": round_number,
    "title": title, "trim": trim, "unique": unique, "upper": upper,
    "sentence": sentence, "join_and": join_and, "quote": quote,
}  # fmt: skip
