"""Waiting until the disk itself has something, so that a power cut can't take it."""

from __future__ import annotations

import errno
import os
from typing import Any

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows has none
    _fcntl: Any = None
else:
    _fcntl = fcntl

_UNKNOWN = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY)
"""How a file system says that it doesn't know a call."""


def sync(handle: int) -> None:
    """Wait until the disk has an open file.

    On macOS `fsync` comes back when the drive has taken the data, perhaps into memory of its own;
    there is a call of its own for more (fcntl(2), F_FULLFSYNC). A network's file system may not
    know it.

    Raises:
        OSError: the disk failed.
    """
    full = getattr(_fcntl, "F_FULLFSYNC", None)
    if full is not None:
        try:
            _fcntl.fcntl(handle, full)
        except OSError as exc:
            if exc.errno not in _UNKNOWN:
                raise
        else:
            return
    os.fsync(handle)


def sync_path(path: str | bytes | os.PathLike[str]) -> None:
    """Wait until the disk has a file, or a folder's names.

    Raises:
        OSError: it can't be opened, or the disk failed.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        sync(handle)
    finally:
        os.close(handle)
