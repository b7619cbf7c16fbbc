"""A recipe to start from: complete, commented, and clean to the linter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanorecipes import codes, files
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError
from nanorecipes.recipe.places import NAME, SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

_PLAIN = """\
# {path}: the name is the path below the library folder, {name}.
# Check it with: nanorecipes lint {path}
format: 1
title: {title}
summary: Say here when to use the recipe, and when another one is better.
# One of edit style background composition consistency outfit placement upscale variation grounded
capability: edit
version: "1.0"
tags: []
changes: part             # what may change: part | background | look | scene

images:
  photo:
    description: The photo to edit.

params:
  part:
    description: What to change, and where it is.
    maxLength: 200
    examples: [the mug on the table]
  new_state:
    description: How it shall look.
    maxLength: 300
    examples: [glazed deep blue with a matt finish]

prompt:
  # The change, first, as an order. Images are handles: "the image", or "the second image" when
  # there are several, numbered as they are sent.
  edit: |
    Change {{{{ part }}}} in {{{{ photo }}}} so that the result is {{{{ new_state }}}}.
  # The original as it is, apart from the change.
  subject: |
    {{{{ photo | capitalize }}}} shows {{{{ part }}}} before the change.
  # How the result looks and blends in, in sentences.
  details:
    - The changed part follows the light direction, the perspective and the shadows of the picture.
    - Its edges meet the surroundings as they do in the original.
  # Noun phrases for what must stay.
  protect:
    - the people, objects and surfaces around {{{{ part }}}}
    - the background, the framing and the light

settings:
  model: flash            # flash to try things out; pro for lettering, faces and final output
  quality: 1K
  aspect_ratio: match     # the ratio nearest to the photo's

examples:
  - name: blue mug
    inputs: {{photo: mug.jpg, part: the mug on the table, new_state: glazed deep blue}}
    expect: {{contains: [Change the mug on the table in the image], max_chars: 1000}}
"""

_CHILD = """\
# {path}: builds on {parent}; what is left out here comes from there.
# Mappings merge by key; tags, details and protect are added to; !override replaces a value.
format: 1
{overrides}title: {title}
summary: Say here when to use the recipe, and when {parent} itself is better.
extends: {parent}
version: "1.0"

prompt:
  protect:
    - the overall colour balance of the picture
"""


def write_recipe(folder: Path, name: str, *, extends: str | None = None) -> Path:
    """Write a new recipe file into a library folder, which is made when it's absent.

    Args:
        folder: the library folder.
        name: `group/name`.
        extends: the name of a recipe to build on.

    Raises:
        InputError: the name is no recipe name, or the file exists or can't be written.
        UnknownRecipeError: there is no recipe to build on.
    """
    if not NAME.match(name):
        advice = "for example fashion/swap_shoes: lower-case letters, digits and _"
        raise InputError([_finding("name", f"expected group/name, found {name!r}", advice)])
    path = folder / f"{name}{SUFFIX}"
    title = name.rpartition("/")[2].replace("_", " ").capitalize()
    from nanorecipes.book import recipes

    if extends is not None:
        overrides = "overrides: true           # stands before the one that it extends\n"
        text = _CHILD.format(
            path=path, title=title, parent=recipes[extends].name,
            overrides=overrides if extends == name else "",
        )  # fmt: skip
    elif taken := [entry.path for entry in recipes.shelf.find(name) if not _is(entry.path, path)]:
        advice = f"choose another name, or build on it: --extends {name}"
        raise InputError([_finding("name", f"{name!r} is taken by {taken[0]}", advice)])
    else:
        text = _PLAIN.format(path=path, name=name, title=title)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise InputError([_finding("name", f"{str(path)!r} exists already", "choose another")])
        files.write_atomic(path, text.encode())
    except OSError as exc:
        message = f"{str(path)!r} can't be written: {exc.strerror or exc}"
        raise InputError([_finding("in", message, None)]) from exc
    return path


def _is(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


def _finding(field: str, message: str, help: str | None) -> Diagnostic:
    code = codes.BAD_ARGUMENT
    return Diagnostic(code.code, code.name, "error", message, help=help, field=field)
