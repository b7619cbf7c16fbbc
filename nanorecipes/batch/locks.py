"""Signs of life: a file that its process keeps locked, which the system frees when it dies."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows has none; leases then end by the clock alone
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path


class Lock:
    """A file held locked for as long as this process lives, or until it is released."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle: int | None = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        if fcntl is not None:
            fcntl.flock(self._handle, fcntl.LOCK_EX)

    @property
    def handle(self) -> int | None:
        """For a process that works for this one: while it holds the file, the lock is held."""
        return self._handle if fcntl is not None else None

    def release(self) -> None:
        """Let go and take the file away; a second time does nothing."""
        if self._handle is None:
            return
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._handle)
        self._handle = None


def is_held(path: Path) -> bool:
    """Whether a living process holds this lock."""
    if fcntl is None:  # pragma: no cover  # only a lease's end by the clock tells there
        return path.exists()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)
