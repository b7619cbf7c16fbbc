"""Folders of recipe files and the names that they give; nothing is read or loaded."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".yaml"
MACROS = "_macros"
NAME = re.compile(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)+\Z")


@dataclass(frozen=True, slots=True)
class Folder:
    """One library: a folder of recipes, and what kind of place it is."""

    path: Path
    label: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A recipe file in a library, not read yet."""

    name: str
    path: Path
    folder: Folder


def walk(folder: Folder) -> Iterator[Entry]:
    """Every recipe file of a library, by name; folders that begin with `_` or `.` hold none."""
    base = os.fspath(folder.path)
    for where, folders, names in os.walk(base):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        group = os.path.relpath(where, base).replace(os.sep, "/")
        for name in sorted(names):
            if name.endswith(SUFFIX) and name[0] not in "._":
                stem = name[: -len(SUFFIX)]
                full = stem if group == "." else f"{group}/{stem}"
                yield Entry(full, Path(where, name), folder)
