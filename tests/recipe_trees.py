"""Small recipe libraries in a temporary folder, used as an author and a caller would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import pytest

from nanorecipes import Library, Recipe, RecipeError, Request

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic

PHOTO = "https://example.test/photo.jpg"


def recipe_text(
    edit: str = "Paint the wall in {{ photo }} red.",
    *,
    images: str = "photo:",
    params: str = "",
    subject: str = "",
    details: str = "",
    protect: str = "- the sky",
    capability: str = "edit",
    changes: str = "part",
    more: str = "",
    title: str = "Title",
) -> str:
    """A recipe file with these parts; each is YAML, indented as it stands below its key."""
    lines = [
        "format: 1",
        f"title: {title}",
        "summary: Summary.",
        f"capability: {capability}",
        f"changes: {changes}",
        "images:",
        indent(dedent(images), "  "),
    ]
    if params:
        lines += ["params:", indent(dedent(params), "  ")]
    lines += ["prompt:", "  edit: |", indent(edit, "    ")]
    if subject:
        lines += ["  subject: |", indent(subject, "    ")]
    if details:
        lines += ["  details:", indent(dedent(details), "    ")]
    lines += ["  protect:", indent(dedent(protect), "    ")]
    return "\n".join([*lines, dedent(more)]).rstrip("\n") + "\n"


@dataclass(frozen=True)
class Tree:
    """A library folder: recipes are added as text and read through the public library."""

    root: Path

    def add(self, name: str, text: str | bytes) -> Path:
        """Write a recipe file."""
        return self.write(f"{name}.yaml", text)

    def macro(self, name: str, text: str) -> Path:
        """Write a macro file."""
        return self.write(f"_macros/{name}.jinja", text)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write any file below the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        path.write_bytes(data)
        return path

    @property
    def library(self) -> Library:
        """The folder as a library, read afresh."""
        return Library(self.root)

    def recipe(self, text: str | bytes, name: str = "group/name") -> Recipe:
        """Write a recipe and load it."""
        self.add(name, text)
        return self.library[name]

    def render(self, text: str, **arguments: Any) -> Request:
        """Write a recipe and render it; `photo` is given unless the call says otherwise."""
        return self.recipe(text).render(**{"photo": PHOTO, **arguments})

    def problems(self, text: str | bytes, name: str = "group/name") -> tuple[Diagnostic, ...]:
        """What is wrong with a recipe file, or with its templates when it is first rendered."""
        with pytest.raises(RecipeError) as caught:
            self.recipe(text, name).render(photo=PHOTO)
        return caught.value.diagnostics

    def problem(self, text: str | bytes) -> Diagnostic:
        """The only thing that is wrong with a recipe file."""
        found = self.problems(text)
        assert len(found) == 1, [finding.headline() for finding in found]
        return found[0]


def pointed_at(finding: Diagnostic) -> str:
    """The part of the source line that a finding's caret stands below."""
    assert finding.excerpt is not None
    assert finding.column is not None
    end = finding.end_column if finding.end_line == finding.line else None
    return finding.excerpt[finding.column - 1 : None if end is None else end - 1]
