"""Who writes a batch's pictures: a thread that does it, or processes where many come at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nanorecipes.batch import drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nanorecipes.batch.drafts import End, Parcel

FEW, LARGE_BYTES = 16, 16 * 1024 * 1024
"""So many folders at once are worth beginning a process, and up to so much handing them over."""
_PIPE_BYTES = 1024 * 1024
_PATIENCE_S = 30.0
_HOME = str(Path(__file__).parents[2])
_PROGRAM = (
    f"import sys; sys.path.append({_HOME!r}); from nanorecipes.batch.drafts import main; main()"
)


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
        self._guard = threading.Lock()
        self._idle: list[subprocess.Popen[bytes]] = []
        self._may_begin = _is_python()
        self._is_closed = False

    def keep(self, parcels: Sequence[Parcel]) -> list[End]:
        """As `drafts.keep`; called in a thread."""
        size = sum(len(sheet[0]) for _, pictures in parcels for _, sheet in pictures)
        ends = self._handed_over(parcels) if size <= LARGE_BYTES else None
        return drafts.keep(parcels) if ends is None else ends

    def close(self) -> None:
        """End the processes; one that is still asked ends when it has answered."""
        with self._guard:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            _end(process)

    def _handed_over(self, parcels: Sequence[Parcel]) -> list[End] | None:
        process = self._take(may_begin=len(parcels) >= FEW)
        if process is None:
            return None
        try:
            ends = _ask(process, parcels)
        except ValueError:  # a value of a caller's own type: nothing was handed over
            ends = None
        except (OSError, EOFError):  # what it left is written over
            self._may_begin = False
            _end(process)
            return None
        with self._guard:
            if not self._is_closed:
                self._idle.append(process)
                return ends
        _end(process)
        return ends

    def _take(self, *, may_begin: bool) -> subprocess.Popen[bytes] | None:
        """One that is idle, or a new one."""
        with self._guard:
            if self._idle:
                return self._idle.pop()
            lock = self._lock()
            if lock is None or not may_begin or not self._may_begin or self._is_closed:
                return None
            try:
                return _begin(lock)
            except OSError:
                self._may_begin = False
                return None


def _begin(lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", "-c", _PROGRAM],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        pipesize=_PIPE_BYTES, pass_fds=(lock,), cwd=os.sep,
        start_new_session=True,  # Ctrl-C is for the batch, which ends its processes itself
    )  # fmt: skip


def _is_python() -> bool:
    """Whether it can be begun by name: a program that Python is built into would begin itself."""
    name = os.path.basename(sys.executable or "").lower()
    return name.startswith(("python", "pypy")) and not getattr(sys, "frozen", False)


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
