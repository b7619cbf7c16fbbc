"""A recipe's example as a person would type it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from nanorecipes.prompt.words import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.book import Recipe


def command_line(recipe: Recipe, inputs: Mapping[str, Any], verb: str = "run") -> str:
    """The command line of an example, one argument a line, everything quoted for a shell."""
    words = [f"nanorecipes {verb} {recipe.name}"]
    flags: list[str] = []
    for name, value in inputs.items():
        values = value if isinstance(value, list) else [value]
        if name in recipe.images or name in recipe.params:
            words += [f"{name}={shlex.quote(text(item))}" for item in values]
        elif isinstance(value, bool):
            flags.append(f"--{'' if value else 'no-'}{_flag(name)}")
        else:
            flags += [f"--{_flag(name)} {shlex.quote(text(item))}" for item in values]
    return " \\\n  ".join([*words, *flags])


def _flag(name: str) -> str:
    return name.replace("_", "-")
