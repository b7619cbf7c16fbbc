"""A recipe's example as a person would type it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from nanorecipes.prompt.words import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.book import Recipe


def command_line(
    recipe: Recipe, inputs: Mapping[str, Any], verb: str = "run", *, name: str = "",
    columns: int = 0,
) -> str:  # fmt: skip
    """The command line of an example, everything quoted for a shell.

    Args:
        recipe: the recipe.
        inputs: the example's arguments.
        verb: `run` or `render`.
        name: what the recipe is called by; its name unless given.
        columns: how long a line may be; 0 is one argument a line.
    """
    words = [f"nanorecipes {verb} {name or recipe.name}"]
    flags: list[str] = []
    for name, value in inputs.items():
        values = value if isinstance(value, list) else [value]
        if name in recipe.images or name in recipe.params:
            words += [f"{name}={shlex.quote(text(item))}" for item in values]
        elif isinstance(value, bool):
            flags.append(f"--{'' if value else 'no-'}{_flag(name)}")
        else:
            flags += [f"--{_flag(name)} {shlex.quote(text(item))}" for item in values]
    return " \\\n  ".join(_filled([*words, *flags], columns - 4))


def _filled(words: list[str], room: int) -> list[str]:
    """The words in lines no longer than there is room, except for single words that are."""
    lines = words[:1]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _flag(name: str) -> str:
    return name.replace("_", "-")
