"""A recipe's snapshot file: Markdown with one section for each example, made to be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes import files
from nanorecipes.prompt.words import Handle, text
from nanorecipes.testing.calls import command_line
from nanorecipes.testing.lines import split_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nanorecipes.book import Recipe
    from nanorecipes.request import AttachedImage, Request

FOLDER = "__snapshots__"
SUFFIX = ".md"
MARK = "What the examples render. `nanorecipes test` compares, `nanorecipes test --update` writes."
"""Stands below the title, and tells a snapshot from any other page."""
MAX_BYTES = 4 * 1024 * 1024

_HEADING = re.compile(r"## (.*)")
_FENCE = re.compile(r"`{3,}")


def snapshot_path(recipe_file: Path) -> Path:
    """Where the snapshot of a recipe file stands.

    Raises:
        InputError: a link leads out of the recipe's folder.
    """
    return files.join_under(recipe_file.parent, f"{FOLDER}/{recipe_file.stem}{SUFFIX}")


@dataclass(frozen=True, slots=True)
class Part:
    """The section of one example, and the line that it begins on."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot file as it was found: its text, and its sections by heading."""

    text: str
    parts: Mapping[str, Part]

    @property
    def is_ours(self) -> bool:
        """Whether it was written by `nanorecipes test --update`."""
        return MARK in self.text.split("\n")[:5]


def read_snapshot(path: Path) -> Snapshot | None:
    """The snapshot at a path, or None where there is none.

    Raises:
        OSError: it can't be read.
    """
    if not path.exists():
        return None
    if not files.is_regular(path):
        raise OSError(f"{path} is no plain file")
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES)
    text = raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    return Snapshot(text, _parts(text))


def _parts(text: str) -> dict[str, Part]:
    """The sections by heading; a `##` inside a fenced block is no heading."""
    lines = text.split("\n")
    starts: list[tuple[str, int]] = []
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark.group()
        elif fence and line == fence:
            fence = ""
        elif not fence and (heading := _HEADING.fullmatch(line)):
            starts.append((heading[1], number))
    return {
        name: Part("\n".join(lines[start:end]).strip("\n"), start + 1)
        for (name, start), (_, end) in pairwise([*starts, ("", len(lines))])
    }


def write_text(title: str, parts: Iterable[str]) -> str:
    """The text of a snapshot file from its sections."""
    return "\n\n".join([f"# {title}", MARK, *parts]) + "\n"


def headings(names: Sequence[str]) -> list[str]:
    """The sections' headings: the examples' names, each on one line and none twice."""
    used: dict[str, None] = {}
    for name in names:
        folded = " ".join(name.split())
        heading, number = folded, 2
        while heading in used:
            heading, number = f"{folded} ({number})", number + 1
        used[heading] = None
    return list(used)


def section(heading: str, recipe: Recipe, example: Mapping[str, object], request: Request) -> str:
    """One example: the call, the images, the prompt section by section, and what is asked for."""
    inputs = example["inputs"]
    assert isinstance(inputs, Mapping)
    blocks = [
        f"## {heading}",
        fenced(command_line(recipe, inputs), "sh"),
        "\n".join(image_line(image, len(request.images)) for image in request.images),
    ]
    for part in request.sections:
        blocks += [f"**{part.name}**", fenced("\n".join(split_text(part.text)), "text")]
    return "\n\n".join([*blocks, "**settings**", _asked(request)])


def fenced(content: str, language: str) -> str:
    """A fenced block, with a fence that the content does not hold."""
    longest = max((len(run) for run in _FENCE.findall(content)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{content}\n{fence}"


def image_line(image: AttachedImage, total: int) -> str:
    """An attached image as the prompt speaks of it, with its slot, role and file."""
    handle = Handle(image.ordinal, "", total)
    return f"- {handle}: `{image.slot}`, {image.role}, {image.source}"


def _asked(request: Request) -> str:
    """Model, settings and cost, as the recipe and the call ask for them."""
    alias = request.chosen.alias
    model = alias if alias == request.model else f"{alias} ({request.model})"
    options = {name: value for name, value in request.options.items() if name != "model"}
    cost = request.estimated_cost
    rows = [
        ("model", model),
        *((name, text(value)) for name, value in options.items()),
        ("cost", "unknown" if cost is None else f"${cost:f} estimated"),
        *(("notice", notice) for notice in request.notices),
    ]
    return "\n".join(f"- {name}: {value}" for name, value in rows)
