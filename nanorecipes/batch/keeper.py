"""Who writes a batch's pictures: a thread that does it, or processes where many come at a time."""

from __future__ import annotations

import os
import subprocess
import sys
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
    pictures a second these calls and the network's wait for one another. Then processes do it.
    Where one can't begin, or is gone, the thread does its work again.

    Args:
        lock: gives the handle of the lock by which others see that this process lives, or None
            where there is none. The other processes hold it as well: as long as one may write,
            nobody takes over its rows.
    """

    def __init__(self, lock: Callable[[], int | None]) -> None:
        self._lock = lock
        self._idle: list[subprocess.Popen[bytes]] = []
        self._may_begin = True

    def keep(self, parcels: Sequence[Parcel]) -> list[End]:
        """As `drafts.keep`; called in a thread."""
        if len(parcels) >= FEW and _size(parcels) <= LARGE_BYTES:
            ends = self._handed_over(parcels)
            if ends is not None:
                return ends
        return drafts.keep(parcels)

    def close(self) -> None:
        """End the processes, when none of them is asked any more."""
        while self._idle:
            _end(self._idle.pop())

    def _handed_over(self, parcels: Sequence[Parcel]) -> list[End] | None:
        try:
            process = self._idle.pop()
        except IndexError:  # threads may take at the same moment
            begun = self._begin()
            if begun is None:
                return None
            process = begun
        try:
            ends = _ask(process, parcels)
        except (OSError, EOFError, ValueError):  # what it left is written over
            self._may_begin = False
            _end(process)
            return None
        self._idle.append(process)
        return ends

    def _begin(self) -> subprocess.Popen[bytes] | None:
        lock = self._lock()
        if lock is None or not self._may_begin:
            return None
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", drafts.__file__],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, pipesize=_PIPE_BYTES,
                pass_fds=(lock,), cwd=os.sep,
                start_new_session=True,  # Ctrl-C is for the batch, which ends its processes itself
            )  # fmt: skip
        except OSError:
            self._may_begin = False
            return None


def _ask(process: subprocess.Popen[bytes], parcels: Sequence[Parcel]) -> list[End]:
    assert process.stdin is not None
    assert process.stdout is not None
    drafts.send(process.stdin, parcels)
    return cast("list[End]", drafts.receive(process.stdout))


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:  # closes its input: it ends when it has read that
        try:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(_PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()


def _size(parcels: Sequence[Parcel]) -> int:
    return sum(len(data) for _, files in parcels for _, data in files)
