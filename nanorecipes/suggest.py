"""The nearest known name to one that isn't known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], count: int = 1) -> list[str]:
    """The known names that look most like this one, best first; empty when none does."""
    from difflib import get_close_matches

    by_lower = {text.lower(): text for text in sorted(known)}
    matches = get_close_matches(name.lower(), by_lower, n=count, cutoff=0.6)
    return [by_lower[match] for match in matches]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean 'outfit'?`, or None when nothing is near."""
    found = nearest(name, known)
    return f"did you mean {found[0]!r}?" if found else None
