"""What one rendering may cost: steps and characters, counted while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

MAX_STEPS = 10_000
"""Loop turns and macro calls together. The largest built-in recipe takes fewer than 100."""
MAX_ITEMS = 10_000
"""Entries of lists that a template makes or walks through in a filter."""
MAX_CHARS = 64_000
"""Characters written, those of values inside values too: 16 times the longest prompt."""
MAX_INTEGER = 10**15


class BoundError(Exception):
    """A rendering went beyond a bound; the text says which."""


class Meter:
    """Counts down what a rendering may still use."""

    __slots__ = ("chars", "items", "steps")

    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.items = MAX_ITEMS
        self.chars = MAX_CHARS

    def step(self, chars: int = 0) -> None:
        """Take one turn of a loop or one call of a macro, with the fixed text in its body."""
        self.steps -= 1
        if self.steps < 0:
            raise BoundError(f"it took more than {MAX_STEPS} steps")
        self.write(chars)

    def walk(self, items: int) -> None:
        """Take some entries of a list."""
        self.items -= items
        if self.items < 0:
            raise BoundError(f"its lists had more than {MAX_ITEMS} entries")

    def write(self, chars: int) -> None:
        """Take some characters of output."""
        self.chars -= chars
        if self.chars < 0:
            raise BoundError(f"it wrote more than {MAX_CHARS} characters")


meter: ContextVar[Meter] = ContextVar("nanorecipes_meter")


def current() -> Meter:
    """The meter of the rendering that runs; a fresh one while constants are folded."""
    found = meter.get(None)
    return Meter() if found is None else found


def bounded(items: Iterable[Any], chars: int = 0) -> Iterator[Any]:
    """Loop over items, and count each turn with the fixed text that it writes."""
    counter = current()
    for item in items:
        counter.step(chars)
        yield item


def number_only(operator: str, left: Any, right: Any) -> None:
    """Arithmetic is for numbers: a text times a number is how memory runs out."""
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BoundError(f"`{operator}` works on numbers, found {type(value).__name__}")


def checked_number(value: Any) -> Any:
    """Refuse numbers that no prompt can mean."""
    if isinstance(value, complex) or abs(value) > MAX_INTEGER or value != value:
        raise BoundError(f"a number went beyond {MAX_INTEGER}")
    return value


def power(left: Any, right: Any) -> Any:
    """A power whose size is known before it is computed."""
    number_only("**", left, right)
    if abs(right) > 64 or abs(left) > MAX_INTEGER or abs(left) ** min(abs(right), 8) > 10**30:
        raise BoundError(f"a number went beyond {MAX_INTEGER}")
    return checked_number(left**right)
