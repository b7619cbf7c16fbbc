"""`name=value` arguments of the command line as keyword arguments of a recipe."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError
from nanorecipes.recipe.places import OTHER_SUFFIX, SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanorecipes.book import Library, Recipe

MAX_FILE_BYTES = 256 * 1024


def find_recipe(library: Library, name: str) -> Recipe:
    """A recipe by its name, or by the path of its file."""
    if name.endswith((SUFFIX, OTHER_SUFFIX)):
        return library.open(name)
    return library[name]


def read_inputs(recipe: Recipe, texts: Sequence[str]) -> dict[str, Any]:
    """Arguments by name; a list takes its name several times.

    `name=@file` reads a text from a file (`name=@@...` is a text that begins with `@`).

    Raises:
        InputError: an argument without `=`, one given twice that is no list, a file that can't be
            read; all at once.
    """
    problems: list[Diagnostic] = []
    given: dict[str, Any] = {}
    for before, text in pairwise(("", *texts)):
        name, equals, value = text.partition("=")
        if not equals:
            problems.append(_no_equals(recipe, text, before))
            continue
        is_list = _is_list(recipe, name)
        if name in given and not is_list:
            problems.append(_problem(name, f"{name!r} is given twice"))
            continue
        content = _content(recipe, name, value, problems)
        if is_list:
            given.setdefault(name, []).append(content)
        else:
            given[name] = content
    if problems:
        raise InputError(problems)
    return given


def _problem(field: str, message: str, help: str | None = None) -> Diagnostic:
    code = codes.BAD_ARGUMENT
    return Diagnostic(code.code, code.name, "error", message, help=help, field=field)


def _no_equals(recipe: Recipe, text: str, before: str) -> Diagnostic:
    names = [*recipe.images, *recipe.params]
    message = f"expected name=value, found {text!r}"
    name, _, value = before.partition("=")
    if name in recipe.params and value:
        advice = f"put a value with blanks into quotes: {name}='{value} {text}'"
        return _problem("inputs", message, advice)
    advice = f"for example {names[0]}={text}; the recipe takes {', '.join(names)}"
    return _problem("inputs", message, advice)


def _is_list(recipe: Recipe, name: str) -> bool:
    if name in recipe.images:
        return recipe.images[name].is_list
    return name == "protect" or (name in recipe.params and recipe.params[name].type == "array")


def _content(recipe: Recipe, name: str, value: str, problems: list[Diagnostic]) -> str:
    if name in recipe.images or not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    path = Path(value[1:])
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            problems.append(_problem(name, f"{name}: {path} is larger than {MAX_FILE_BYTES} bytes"))
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except OSError as exc:
        advice = f"write {name}=@{value} for a text that begins with @"
        problems.append(_problem(name, f"{name}: {path} can't be read: {exc.strerror}", advice))
    except UnicodeDecodeError:
        problems.append(_problem(name, f"{name}: {path} is no text in UTF-8"))
    return ""
