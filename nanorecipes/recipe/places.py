"""Folders of recipe files and the names that they give; nothing is read or loaded."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".yaml"
OTHER_SUFFIX = ".yml"
"""A file that ends so is read by its path; no name leads to it."""
MACROS = "_macros"
NAME = re.compile(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)+\Z")


class Folder(NamedTuple):
    """One library: a folder of recipes, and what kind of place it is."""

    path: Path
    label: str


class Entry(NamedTuple):
    """A recipe file in a library, not read yet."""

    name: str
    path: Path
    folder: Folder


def walk(folder: Folder) -> Iterator[Entry]:
    """Every recipe file of a library, by name; folders that begin with `_` or `.` hold none."""
    base = os.fspath(folder.path)
    for where, folders, names in os.walk(base, followlinks=True):
        folders[:] = sorted(
            name for name in folders if name[0] not in "._" and _may_enter(base, where, name)
        )
        group = os.path.relpath(where, base).replace(os.sep, "/")
        for name in sorted(names):
            if name.endswith(SUFFIX) and name[0] not in "._":
                stem = name[: -len(SUFFIX)]
                full = stem if group == "." else f"{group}/{stem}"
                yield Entry(full, Path(where, name), folder)


def _may_enter(base: str, where: str, name: str) -> bool:
    """A linked folder is entered only inside the library, once, and never in a circle."""
    path = os.path.join(where, name)
    if not os.path.islink(path):
        return True
    root, target, here = (os.path.realpath(item) for item in (base, path, where))
    linked_before = here != os.path.normpath(os.path.join(root, os.path.relpath(where, base)))
    inside = target.startswith(root + os.sep)
    return inside and not linked_before and not f"{here}{os.sep}".startswith(target + os.sep)
