"""How values print in a prompt: ordinals, lists, numbers, and the handles that stand for images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
    "eighteenth", "nineteenth", "twentieth", "twenty-first", "twenty-second", "twenty-third",
    "twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh", "twenty-eighth",
)  # fmt: skip
"""For 14 sources and 14 references, the most that one request takes."""


def _ordinal(number: int) -> str:
    """In words; beyond the most that is sent in digits, for a prompt that is refused anyway."""
    return ORDINALS[number - 1] if number <= len(ORDINALS) else f"{number}th"


class NotAttachedError(Exception):
    """A template speaks of an optional image that was not passed."""

    def __init__(self, slot: str) -> None:
        super().__init__(slot)
        self.slot = slot


def join_and(items: Sequence[Any], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; items print as they would alone."""
    texts = [text(item) for item in items]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def text(value: Any) -> str:
    """A value as it prints: numbers without trailing zeros, true and false in lower case."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) is float:
        return number(value)
    if isinstance(value, (list, tuple)) and not isinstance(value, Handles):
        return join_and(value)
    return "" if value is None else str(value)


def number(value: float) -> str:
    """Up to six decimals, none of them a trailing zero: `0.5`, `3`, `12.25`."""
    shown = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown


class Handle:
    """One attached image: prints as `the image`, or as `the second image` when there are more."""

    __slots__ = ("_text", "label", "ordinal")

    def __init__(self, ordinal: int, label: str, total: int) -> None:
        self.ordinal = ordinal
        self.label = label
        self._text = "the image" if total == 1 else f"the {_ordinal(ordinal)} image"

    def __str__(self) -> str:
        return self._text


class Handles(tuple[Handle, ...]):
    """The images of a list slot: prints as `the second and third images`; can be looped over."""

    label: str

    def __new__(cls, handles: Sequence[Handle], label: str) -> Handles:
        self = super().__new__(cls, handles)
        self.label = label
        return self

    @property
    def ordinal(self) -> int:
        """The number of the first of them."""
        return self[0].ordinal

    def __str__(self) -> str:
        if len(self) == 1:
            return str(self[0])
        return f"the {join_and([_ordinal(handle.ordinal) for handle in self])} images"


class Absent:
    """An optional image that wasn't passed: false, empty, and nothing that could be printed."""

    __slots__ = ("slot",)

    def __init__(self, slot: str) -> None:
        self.slot = slot

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Handle]:
        return iter(())

    def __str__(self) -> str:
        raise NotAttachedError(self.slot)
