"""Who writes a batch's pictures: a thread that does it, or processes where many come at a time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes.batch import drafts
from nanorecipes.batch.drafts import End

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nanorecipes.batch.drafts import Parcel

FEW, LARGE_BYTES = 16, 16 * 1024 * 1024
"""So many folders at once are worth beginning a process, and up to so much handing them over."""
PATIENCE_S = 30.0
"""How long a process may take for a group; one that takes longer hangs, and is ended."""
_PIPE_BYTES = 1024 * 1024
_ANSWER_BYTES = 64 * 1024
"""More than the answer for one folder takes."""
_HOME = str(Path(__file__).parents[2])
_PROGRAM = (
    f"import sys; sys.path.append({_HOME!r}); from nanorecipes.batch.drafts import main; main()"
)


class Keeper:
    """Keeps files for good, without holding the interpreter where that would hold up a batch.

    A thread that writes hands the interpreter over at each call of the system: with hundreds of
    pictures a second these calls and the network's wait for one another. Then processes do it.
    Where one can't begin, hangs or is gone, the thread does its work again.

    Args:
        lock: gives the handle of the lock by which others see that this process lives, or None
            where there is none. The other processes hold it as well, so that nobody takes over
            their rows before a lease ends by the clock; and a process that finds its parent gone
            touches nothing more.
    """

    def __init__(self, lock: Callable[[], int | None]) -> None:
        self._lock = lock
        self._guard = threading.Lock()
        self._idle: list[_Process] = []
        self._may_begin = _is_python()
        self._is_closed = False

    def keep(self, parcels: Sequence[Parcel]) -> list[End]:
        """As `drafts.keep`; called in a thread."""
        size = sum(len(values[0]) for _, pictures in parcels for _, values in pictures)
        ends = self._handed_over(parcels) if size <= LARGE_BYTES else None
        return drafts.keep(parcels) if ends is None else ends

    def close(self) -> None:
        """End the processes; one that is still asked ends when it has answered."""
        with self._guard:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.tell_end()
        until = time.monotonic() + PATIENCE_S
        for process in idle:
            process.end(until - time.monotonic())

    def _handed_over(self, parcels: Sequence[Parcel]) -> list[End] | None:
        process = self._take(may_begin=len(parcels) >= FEW)
        if process is None:
            return None
        try:
            ends = process.ask(parcels)
        except Exception:  # whatever it answered or left: the thread writes it over
            self._may_begin = False
            process.kill()
            return None
        except BaseException:
            process.kill()
            raise
        with self._guard:
            if not self._is_closed:
                self._idle.append(process)
                return ends
        process.tell_end()
        process.end(PATIENCE_S)
        return ends

    def _take(self, *, may_begin: bool) -> _Process | None:
        """One that is idle, or a new one."""
        with self._guard:
            if self._idle:
                return self._idle.pop()
            lock = self._lock()
            if lock is None or not may_begin or not self._may_begin or self._is_closed:
                return None
            try:
                return _Process(begin(lock))
            except OSError:
                self._may_begin = False
                return None


class _Process:
    """A process that keeps one group at a time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._number = 0

    def ask(self, parcels: Sequence[Parcel]) -> list[End]:
        """What became of a group. A process that hangs is killed, and so ends the waiting."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        watch = threading.Timer(PATIENCE_S, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            drafts.send(self._process.stdin, (self._number, parcels))
            answer = drafts.receive(self._process.stdout, _ANSWER_BYTES * (1 + len(parcels)))
        finally:
            watch.cancel()
        return _read_answer(answer, self._number, len(parcels))

    def tell_end(self) -> None:
        """Let it end; closing its input isn't enough where somebody forked meanwhile."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            drafts.send(self._process.stdin, None)
            self._process.stdin.close()

    def end(self, patience_s: float) -> None:
        """Wait until it has ended."""
        try:
            self._process.wait(max(0.0, patience_s))
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def kill(self) -> None:
        """End it at once, and wait until it is surely gone: two must not write the same folder."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was never sent
                    stream.close()


def _read_answer(answer: Any, number: int, count: int) -> list[End]:
    """The ends in an answer.

    Raises:
        ValueError: it is none to this question.
    """
    told, values = answer
    ends = [End(*each) for each in values]
    if told != number or len(ends) != count:
        raise ValueError("an answer to something else")
    return ends


def begin(lock: int) -> subprocess.Popen[bytes]:
    """Begin a process that keeps files, and holds a lock."""
    options: dict[str, Any] = {
        "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL,
        "pass_fds": (lock,), "cwd": os.sep,
        "start_new_session": True,  # Ctrl-C is for the batch, which ends its processes itself
    }  # fmt: skip
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(os.getpid())]
    try:
        return subprocess.Popen(command, pipesize=_PIPE_BYTES, **options)  # noqa: S603
    except PermissionError:  # no larger pipes for this user
        return subprocess.Popen(command, **options)  # noqa: S603


def _is_python() -> bool:
    """Whether it can be begun by name: a program that Python is built into would begin itself."""
    name = os.path.basename(sys.executable or "").lower()
    return name.startswith(("python", "pypy")) and not getattr(sys, "frozen", False)
