"""Folders of recipe files and the names that they give; nothing is read or loaded."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".yaml"
OTHER_SUFFIX = ".yml"
"""A file that ends so is read by its path; no name leads to it."""
_HEAD_BYTES = 64 * 1024
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
    for where, names in _files(base, SUFFIX):
        group = os.path.relpath(where, base).replace(os.sep, "/")
        for name in names:
            stem = name[: -len(SUFFIX)]
            full = stem if group == "." else f"{group}/{stem}"
            yield Entry(full, Path(where, name), folder)


def misnamed(folder: Path) -> Iterator[Path]:
    """Files of a library that would be recipes if they ended in `.yaml`."""
    for where, names in _files(os.fspath(folder), OTHER_SUFFIX):
        yield from (path for name in names if _tells_a_format(path := Path(where, name)))


def renaming(path: Path) -> str:
    """What gives a file that ends in `.yml` the name of a recipe file."""
    target = path.with_suffix(SUFFIX)
    if target.exists():  # `mv` would replace it
        return f"keep one of the two: {target} is there as well"
    return f"rename it: mv {shlex.quote(str(path))} {shlex.quote(str(target))}"


def _files(base: str, suffix: str) -> Iterator[tuple[str, list[str]]]:
    """The folders of a library with the files in them that end so."""
    for where, folders, names in os.walk(base, followlinks=True):
        folders[:] = sorted(
            name for name in folders if name[0] not in "._" and _may_enter(base, where, name)
        )
        yield where, sorted(n for n in names if n.endswith(suffix) and n[0] not in "._")


def _tells_a_format(path: Path) -> bool:
    """Whether a file says `format:`, as every recipe does; others may well end in `.yml`."""
    try:
        if not path.is_file():  # opening a pipe would wait
            return False
        with path.open("rb") as file:
            return re.search(rb"^format[ \t]*:", file.read(_HEAD_BYTES), re.MULTILINE) is not None
    except OSError:
        return False


def _may_enter(base: str, where: str, name: str) -> bool:
    """A linked folder is entered only inside the library, once, and never in a circle."""
    path = os.path.join(where, name)
    if not os.path.islink(path):
        return True
    root, target, here = (os.path.realpath(item) for item in (base, path, where))
    linked_before = here != os.path.normpath(os.path.join(root, os.path.relpath(where, base)))
    inside = target.startswith(root + os.sep)
    return inside and not linked_before and not f"{here}{os.sep}".startswith(target + os.sep)
