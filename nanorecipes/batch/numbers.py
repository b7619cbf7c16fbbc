"""Row numbers that wait, in memory that hardly grows."""

from __future__ import annotations

from array import array

_SLACK = 256


class Numbers:
    """Whole numbers, first in, first out: 8 bytes each."""

    def __init__(self) -> None:
        self._held = array("q")
        self._next = 0

    def __len__(self) -> int:
        return len(self._held) - self._next

    def put(self, number: int) -> None:
        """Add one at the end."""
        self._held.append(number)

    def take(self) -> int:
        """The first one."""
        number = self._held[self._next]
        self._next += 1
        if self._next > _SLACK and 2 * self._next > len(self._held):
            del self._held[: self._next]
            self._next = 0
        return number

    def copy(self) -> Numbers:
        """The same ones, to be taken from apart."""
        made = Numbers()
        made._held = self._held[self._next :]
        return made
