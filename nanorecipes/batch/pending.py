"""Work that another thread will have done: a future that costs little."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Pending(Generic[T]):
    """What becomes of a piece of work; the lock is shared by all of one place.

    `concurrent.futures.Future` does the same with a lock of its own for each, and takes ten times
    as long to make and to finish.
    """

    __slots__ = ("_callbacks", "_error", "_is_done", "_settled", "_value")

    def __init__(self, settled: threading.Condition) -> None:
        self._settled = settled
        self._is_done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callbacks: tuple[Callable[[Pending[T]], Any], ...] = ()

    def exception(self) -> BaseException | None:
        """Wait for the end; the error that it came to, or None."""
        if not self._is_done:
            with self._settled:
                while not self._is_done:
                    self._settled.wait()
        return self._error

    def result(self) -> T:
        """Wait for the end; what came of it.

        Raises:
            Exception: what went wrong.
        """
        error = self.exception()
        if error is not None:
            raise error
        return cast("T", self._value)

    def when_done(self, callback: Callable[[Pending[T]], Any]) -> None:
        """Call this when it has ended, in the thread that ended it, or now."""
        with self._settled:
            if not self._is_done:
                self._callbacks += (callback,)
                return
        callback(self)


def settle(
    settled: threading.Condition, ends: Iterable[tuple[Pending[Any], Any, BaseException | None]]
) -> None:
    """Say of several pieces of work what came of them: a value, or an error."""
    callbacks = []
    with settled:
        for pending, value, error in ends:
            pending._value, pending._error, pending._is_done = value, error, True
            callbacks += [(callback, pending) for callback in pending._callbacks]
        settled.notify_all()
    for callback, pending in callbacks:
        callback(pending)
