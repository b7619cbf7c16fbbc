"""What the tests of tables share: a recipe to bind to, and files written in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from nanorecipes import Library
from nanorecipes.book import Recipe

RECIPE = """\
format: 1
title: Dress
summary: Dress the person in other clothes.
capability: outfit
changes: part
images:
  photo: {description: The photo to edit.}
  looks: {role: reference, description: Other looks., min: 0, max: 3}
params:
  outfit: {description: What to wear., maxLength: 60}
  size: {type: integer, minimum: 1, maximum: 9, default: 3}
  fit: {enum: [slim, wide], default: slim}
  tones: {type: array, default: [], maxItems: 3}
  frame: {type: boolean, default: false}
prompt:
  edit: >-
    Dress the person in {{ photo }} in {{ outfit }}, {{ fit }}, size {{ size }}
    {% if tones %}in {{ tones | join_and }}{% endif %}
    {% if frame %}with a frame{% endif %}{% if looks %} like {{ looks }}{% endif %}.
  protect: [the face]
"""


def recipe(folder: Path, text: str = RECIPE) -> Recipe:
    """A recipe in a library of its own."""
    path = folder / "library" / "outfit" / "dress.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return Library(folder / "library")["outfit/dress"]


def table(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    """A table's file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(folder: Path, *rows: Any, name: str = "t.jsonl") -> Path:
    """A JSON Lines file."""
    return table(folder, "".join(json.dumps(row) + "\n" for row in rows), name)


def picture(folder: Path, name: str = "a.png") -> Path:
    """A small picture's file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), "teal").save(path)
    return path
