"""Who writes a batch's pictures: a thread that does it, or a process where many come at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, cast

from nanorecipes.batch import drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nanorecipes.batch.drafts import End, Parcel

FEW, LARGE_BYTES = 16, 16 * 1024 * 1024
"""So many folders at once are worth a process, and up to so much handing them over."""
_PIPE_BYTES = 1024 * 1024
_PATIENCE_S = 30.0


class Keeper:
    """Keeps files for good, without holding the interpreter where that would hold up a batch.

    A thread that writes hands the interpreter over at each call of the system: with hundreds of
    pictures a second these calls and the network's wait for one another. Then a process does it.
    Where it can't begin, or is gone, the thread does its work again.

    Args:
        lock: gives the handle of the lock by which others see that this process lives, or None
            where there is none. The other process holds it as well: as long as it may write,
            nobody takes over its rows.
    """

    def __init__(self, lock: Callable[[], int | None]) -> None:
        self._lock = lock
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._may_begin = True

    def keep(self, parcels: Sequence[Parcel]) -> list[End]:
        """As `drafts.keep`; called in a thread."""
        if len(parcels) < FEW or _size(parcels) > LARGE_BYTES:
            return drafts.keep(parcels)
        if not self._turn.acquire(blocking=False):  # it is busy
            return drafts.keep(parcels)
        try:
            return self._handed_over(parcels) or drafts.keep(parcels)
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the process; a second time does nothing."""
        with self._turn:
            self._may_begin = False
            self._end()

    def _handed_over(self, parcels: Sequence[Parcel]) -> list[End] | None:
        process = self._process or self._begin()
        if process is None:
            return None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            drafts.send(process.stdin, parcels)
            return cast("list[End]", drafts.receive(process.stdout))
        except (OSError, EOFError, ValueError):  # what it left is written over
            self._end()
            return None

    def _begin(self) -> subprocess.Popen[bytes] | None:
        lock = self._lock() if self._may_begin else None
        self._may_begin = False
        if lock is None:
            return None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", drafts.__file__],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, pipesize=_PIPE_BYTES,
                pass_fds=(lock,), cwd=os.sep,
                start_new_session=True,  # Ctrl-C is for the batch, which ends its processes itself
            )  # fmt: skip
        except OSError:
            return None
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with process:  # closes its input: it ends when it has read that
            try:
                if process.stdin is not None:
                    process.stdin.close()
                process.wait(_PATIENCE_S)
            except (OSError, subprocess.TimeoutExpired):
                process.kill()


def _size(parcels: Sequence[Parcel]) -> int:
    return sum(len(data) for _, files in parcels for _, data in files)
