"""A rule of the guide by example: a recipe that breaks it, what is said, and one that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Case:
    rule: str
    """The rule's name."""
    bad: str
    """A recipe that breaks the rule, and no other."""
    said: str
    """What `nanorecipes lint wall.yaml` prints of it; starts with an empty line, for reading."""
    good: str
    """A near relation that keeps every rule."""

    @property
    def expected(self) -> str:
        return dedent(self.said).removeprefix("\n")
