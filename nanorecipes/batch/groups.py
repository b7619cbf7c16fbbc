"""Work that is handed to threads in groups: what comes while one is busy goes together."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from nanorecipes.batch.pending import Pending

T = TypeVar("T")
R = TypeVar("R")

LINGER_S = 0.05
"""How long items wait for others to go with, while others can still come."""


class Groups(Generic[T, R]):
    """Does work for many tasks of one event loop, several items in one go.

    Asking a thread costs about as much as the work itself, and a disk that is asked for several
    files at once answers as fast as for one. While a group is worked at the next one gathers; only
    when many wait does one more thread begin.

    Args:
        work: does a group; gives a result, or an error, for each item in order.
        can_come: how many items can still come, those that wait included.
        threads: how many groups are worked at, at a time.
        enough: how many items are begun with at once.
        many: how many have to wait before one more thread begins.
    """

    def __init__(
        self,
        work: Callable[[list[T]], Sequence[R | Exception]],
        *,
        can_come: Callable[[], int],
        threads: int,
        enough: int,
        many: int,
    ) -> None:
        self._work = work
        self._can_come = can_come
        self._threads = threads
        self._enough = enough
        self._many = many
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._busy = 0
        self._timer: asyncio.TimerHandle | None = None
        self.in_hand = 0
        """Items that are being worked at."""
        self._works: set[asyncio.Future[Sequence[R | Exception]]] = set()

    async def settle(self) -> None:
        """Wait for what is being worked at, whoever asked for it."""
        while self._works:
            await asyncio.wait(set(self._works))

    async def do(self, item: T) -> R:
        """The item's result. It is worked at even when the caller is cancelled meanwhile."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future))
        count = len(self._waiting)
        if self._busy:
            if count >= self._many:
                self._begin()
        elif count >= self._enough or count >= self._can_come():
            self._begin()
        elif self._timer is None:
            self._timer = loop.call_later(LINGER_S, self._begin)
        return await future

    def _begin(self) -> None:
        """Begin with what waits, unless every thread is busy: then when the first has finished."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting or self._busy >= self._threads:
            return
        group, self._waiting = self._waiting, []
        self._busy += 1
        self.in_hand += len(group)
        loop = asyncio.get_running_loop()
        try:
            work = loop.run_in_executor(None, self._work, [item for item, _ in group])
        except RuntimeError:  # the loop is closing: what was bought is fetched the next time
            self._busy -= 1
            self.in_hand -= len(group)
            for _, future in group:
                future.cancel()
            return
        self._works.add(work)
        work.add_done_callback(lambda ended: self._end(group, ended))

    def _end(
        self,
        group: list[tuple[T, asyncio.Future[R]]],
        ended: asyncio.Future[Sequence[R | Exception]],
    ) -> None:
        self._busy -= 1
        self.in_hand -= len(group)
        self._works.discard(ended)
        error = ended.exception()
        results = ended.result() if error is None else [error] * len(group)
        for (_, future), result in zip(group, results, strict=True):
            if future.done():  # whoever asked was cancelled
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._begin()


class Bridge:
    """Brings what another thread finishes to one event loop, all that came together in one go."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._came: deque[tuple[asyncio.Future[Any], Pending[Any]]] = deque()
        self._is_called = False

    def wait(self, future: Pending[R]) -> asyncio.Future[R]:
        """The future for this loop; cancelling it leaves the work itself alone."""
        waited: asyncio.Future[R] = self.loop.create_future()
        future.when_done(lambda done: self._deliver(waited, done))
        return waited

    def _deliver(self, waited: asyncio.Future[Any], done: Pending[Any]) -> None:
        """Called in the thread that finished it."""
        self._came.append((waited, done))
        if not self._is_called and not self.loop.is_closed():
            self._is_called = True
            self.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        # First the mark, then the work: what comes in between calls once more, and is not lost.
        self._is_called = False
        while self._came:
            waited, done = self._came.popleft()
            if waited.done():
                continue
            error = done.exception()
            if error is not None:
                waited.set_exception(error)
            else:
                waited.set_result(done.result())


_here = threading.local()


def bridged(future: Pending[R]) -> asyncio.Future[R]:
    """A future of another thread, for the event loop that runs here."""
    loop = asyncio.get_running_loop()
    bridge: Bridge | None = getattr(_here, "bridge", None)
    if bridge is None or bridge.loop is not loop:
        bridge = _here.bridge = Bridge(loop)
    return bridge.wait(future)
