"""A bounded memory for what was seen of late."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps between half of `most` entries and all of them: those that were used last.

    Two halves take turns, so that forgetting costs nothing; a dictionary that loses its first
    entry again and again gets slower with each.
    """

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value of a key, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Remember a value; it must not be None."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value
