"""The nearest known name to one that isn't known, also of files."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MAX_ENTRIES = 1_000
"""Of a folder; it is looked through for an error's help, and may hold a million."""


def nearest(name: str, known: Iterable[str], count: int = 1, *, likeness: float = 0.6) -> list[str]:
    """The known names that look most like this one, best first; empty when none does.

    Args:
        name: what isn't known.
        known: what is.
        count: how many names at most.
        likeness: how alike they must be, from 0 to 1.
    """
    from difflib import get_close_matches

    by_lower = {text.lower(): text for text in sorted(known)}
    matches = get_close_matches(name.lower(), by_lower, n=count, cutoff=likeness)
    return [by_lower[match] for match in matches]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean 'outfit'?`, or None when nothing is near."""
    found = nearest(name, known)
    return f"did you mean {found[0]!r}?" if found else None


def did_you_mean_file(
    path: str | os.PathLike[str], suffixes: Collection[str] = (), *, folders: bool = False
) -> str | None:
    """`did you mean 'photos/mug.jpg'?`, for a path that isn't there; or None.

    Only the folder that the path names is looked into, and not far.

    Args:
        path: what isn't there.
        suffixes: those that the file may have, in lower case; any without.
        folders: whether a folder is wanted, and no file.
    """
    folder, name = os.path.split(os.fspath(path).rstrip("/"))
    try:
        with os.scandir(folder or os.curdir) as entries:
            names = [
                entry.name
                for entry in islice(entries, MAX_ENTRIES)
                if (entry.is_dir() if folders else entry.is_file())
                and (not suffixes or _parts(entry.name)[1] in suffixes)
            ]
    except (OSError, ValueError):
        return None
    # Names are compared without their suffix first: `a.jpg` and `b.jpg` are much alike with it.
    stems = set(nearest(_parts(name)[0], {_parts(known)[0] for known in names}, 5))
    found = nearest(name, [known for known in names if _parts(known)[0] in stems])
    return f"did you mean {os.path.join(folder, found[0])!r}?" if found else None


def _parts(name: str) -> tuple[str, str]:
    """The stem and the suffix of a file's name, in lower case."""
    stem, suffix = os.path.splitext(name.lower())
    return stem, suffix
