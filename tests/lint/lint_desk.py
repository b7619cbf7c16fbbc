"""Recipes on an author's desk, linted from the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recipe_trees import recipe_text

if TYPE_CHECKING:
    from pathlib import Path

    from shells import Outcome, Shell

WALL = "Paint the wall in {{ photo }} red."
PLACED = "In {{ photo }}, paint the wall red."
"""An edit that breaks one rule, NR101 edit-not-leading, and no other."""


def recipe(edit: str = WALL, **parts: str) -> str:
    """A recipe file with these parts, which are those of `recipe_text`; the image is described."""
    return recipe_text(edit, **{"images": "photo: {description: The house.}", **parts})


@dataclass(frozen=True)
class Desk:
    """A folder with recipe files, and the shell that stands in it."""

    folder: Path
    shell: Shell

    def put(self, text: str, name: str = "wall.yaml") -> Path:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def lint(self, text: str, *options: str) -> Outcome:
        """What `nanorecipes lint wall.yaml` says of a recipe."""
        self.put(text)
        return self.shell("lint", "wall.yaml", *options)

    def found(self, text: str, *options: str) -> list[dict[str, Any]]:
        """The findings of a recipe, as `--json` tells them."""
        findings: list[dict[str, Any]] = self.lint(text, "--json", *options).json["diagnostics"]
        return findings

    def codes(self, text: str, *options: str) -> list[str]:
        """The codes of a recipe's findings."""
        return [finding["code"] for finding in self.found(text, *options)]
