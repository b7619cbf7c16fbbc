"""How the commands that make pictures save them: names, file type, and what the files tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar

import click

if TYPE_CHECKING:
    from nanorecipes.config import Detail
    from nanorecipes.convert import Format
    from nanorecipes.result import ResultImage

F = TypeVar("F", bound=Callable[..., Any])


class Saving(TypedDict):
    """The options of `save`."""

    name: str | None
    format: Format | None
    provenance: Detail


class SavedImage(NamedTuple):
    """A picture on disk, and a line about it."""

    path: Path
    size: tuple[int, int] | None
    mime_type: str
    about: str


def save_options(command: F) -> F:
    """`--name`, `--format`, `--provenance` and `--no-provenance`, as one argument `saving`."""

    @wraps(command)
    def collected(
        *args: Any, name_pattern: str | None, to: Format | None, provenance: Detail | None,
        no_provenance: bool, **more: Any,
    ) -> Any:  # fmt: skip
        if name_pattern is not None:
            from nanorecipes.naming import check_pattern

            check_pattern(name_pattern)
        from nanorecipes import config

        chosen: Detail = "none" if no_provenance else provenance or config.provenance()
        saving = Saving(name=name_pattern, format=to, provenance=chosen)
        return command(*args, saving=saving, **more)

    made: Any = collected
    for option in (
        click.option("--no-provenance", is_flag=True,
                     help="The same as --provenance none: the picture alone."),
        click.option("--provenance", type=click.Choice(["full", "minimal", "none"]),
                     show_default="full, or the setting",
                     help="What the file and its sidecar tell; minimal leaves out inputs and "
                          "prompt."),
        click.option("--format", "to", type=click.Choice(["png", "jpeg", "webp"]),
                     help="Convert pictures of another type; without it they stay as they came."),
        click.option("--name", "name_pattern", metavar="PATTERN",
                     help="Name the files, as in '{recipe}-{n}'; also {group} {task} {model} "
                          "{date}."),
    ):  # fmt: skip
        made = option(made)
    decorated: F = made
    return decorated


def saved_image(path: Path, image: ResultImage, saving: Saving) -> SavedImage:
    """What became of a picture."""
    from nanorecipes.convert import TYPES

    to = saving["format"]
    mime_type = TYPES[to] if to is not None else image.mime_type
    size = f"{image.size[0]}x{image.size[1]}" if image.size else "size unknown"
    how = f", converted from {image.mime_type}" if mime_type != image.mime_type else ""
    record = f", made by: {path.name}.json" if saving["provenance"] != "none" else ""
    return SavedImage(path, image.size, mime_type, f"{size} {mime_type}{how}{record}")
