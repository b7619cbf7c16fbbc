"""A project with recipes in `recipes/`, and the command `nanorecipes test` run in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_trees import Tree, recipe_text
from shells import Outcome

from nanorecipes.cli.main import run

EXAMPLES = """\
params:
  color: {description: The colour., examples: [red]}
examples:
  - name: red wall
    inputs: {photo: wall.jpg, color: red}
  - name: on pro
    inputs: {photo: wall.jpg, color: sky blue, model: pro, quality: 2K}
"""


def painted(edit: str = "Paint the wall in {{ photo }} {{ color }}.", more: str = EXAMPLES) -> str:
    """A recipe that paints a wall, with two examples."""
    images = "photo: {description: The wall.}"
    return recipe_text(edit, images=images, protect="- the sky\n- the roof", more=more)


def expecting(expect: str) -> str:
    """The same with one example, and what is expected of it."""
    params = "params:\n  color: {description: The colour.}\n"
    return painted(
        more=f"{params}examples:\n  - name: red wall\n"
        f"    inputs: {{photo: wall.jpg, color: red}}\n    expect: {expect}\n"
    )


class Said(Outcome):
    """What a call of `nanorecipes test` printed, and its exit code."""

    @property
    def kinds(self) -> list[str]:
        """The kinds of all problems, in order, from `--json`."""
        return [p["kind"] for outcome in self.json["failed"] for p in outcome["problems"]]


class Project:
    """Recipes are added as text; `test` runs the command in the project's folder."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.tree = Tree(root / "recipes")
        self._capsys = capsys

    def add(self, text: str, name: str = "house/wall") -> Path:
        """Write a recipe file."""
        return self.tree.add(name, text)

    def test(self, *args: str) -> Said:
        """Run `nanorecipes test`."""
        self._capsys.readouterr()
        code = run(["test", *args])
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)

    def snapshot(self, name: str = "house/wall") -> Path:
        """Where a recipe's snapshot stands."""
        group, _, stem = name.rpartition("/")
        return self.tree.root / group / "__snapshots__" / f"{stem}.md"
