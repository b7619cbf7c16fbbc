"""A table's pictures, each distinct file looked at once, by its header alone."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from nanorecipes import files
from nanorecipes.fit import BY_EXTRA, missing_reader, size_problem
from nanorecipes.headers import displayed_size
from nanorecipes.images import MAX_INPUT_BYTES, BadImageError
from nanorecipes.recent import Recent

if TYPE_CHECKING:
    from nanorecipes.images import ImageInput

KEPT_FINE = 65_536
KEPT_BAD = 4_096
HEAD_BYTES = 64 * 1024


class Pictures:
    """Says what is wrong with pictures, and remembers so much of it as fits into flat memory.

    A picture that is fine in its header may still be cut off further on: that is found before it
    is sent, and nothing is paid for it.
    """

    def __init__(self) -> None:
        # Hashes, not names: 65,536 paths would weigh as much as the rest of the program. Of two
        # names with one hash the second would be looked at when it is sent, which is in time.
        self._fine: Recent[int, bool] = Recent(KEPT_FINE)
        self._bad: Recent[str, str] = Recent(KEPT_BAD)
        self.looked = 0
        """How many files were opened."""

    def problem(self, image: ImageInput) -> str | None:
        """Why a picture can't be used, or None; a URL is never opened."""
        if image.kind == "url":
            return None
        if image.kind == "bytes":
            return _whole_problem(image)
        key = hash(image.name)
        if self._fine.get(key):
            return None
        found = self._bad.get(image.name)
        if found is not None:
            return found
        self.looked += 1
        found = _file_problem(image)
        if found is None:
            self._fine.put(key, True)
        else:
            self._bad.put(image.name, found)
        return found


def _file_problem(image: ImageInput) -> str | None:
    path = image.name
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return _whole_problem(image)  # a folder or a pipe: it says which
        if found.st_size > MAX_INPUT_BYTES:
            return f"{path!r} is larger than the {MAX_INPUT_BYTES} bytes allowed"
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError) as exc:
        if isinstance(exc, FileNotFoundError):
            return f"there is no file {path!r}"
        return f"{path!r} can't be read: {getattr(exc, 'strerror', None) or exc}"
    kind = files.image_type(head)
    if kind is None:
        return f"{path!r} is not a picture of a known type"
    missing = missing_reader(kind)
    if missing is not None:
        return f"{path!r} {missing}"
    size = displayed_size(head)
    if size is not None:
        reason = size_problem(*size)
        return None if reason is None else f"{path!r} {reason}"
    return None if kind in BY_EXTRA else _whole_problem(image)


def _whole_problem(image: ImageInput) -> str | None:
    """What an unusual picture says when it is opened."""
    try:
        image.check()
    except BadImageError as exc:
        return str(exc)
    return None
