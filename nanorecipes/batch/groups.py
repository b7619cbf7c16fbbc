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

LINGER_S = 0.01
"""How long an item waits for others to go with."""


class Groups(Generic[T, R]):
    """Does work for many tasks of one event loop, several items in one go.

    Asking a thread costs about as much as the work itself, and a disk that is asked for several
    files at once answers as fast as for one.

    Args:
        work: does a group; gives a result, or an error, for each item in order.
        threads: how many groups are worked at, at a time.
        enough: how many items are begun with at once; fewer linger for others.
        largest: how many go together at most.
    """

    def __init__(
        self,
        work: Callable[[list[T]], Sequence[R | Exception]],
        *,
        threads: int,
        enough: int,
        largest: int,
    ) -> None:
        self._work = work
        self._threads = threads
        self._enough = enough
        self._largest = largest
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._busy: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def do(self, item: T) -> R:
        """The item's result. It is worked at even when the caller is cancelled meanwhile."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._waiting) >= self._enough:
            self._begin()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._begin)
        return await future

    def _begin(self) -> None:
        """Begin with what waits, enough or not."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting or len(self._busy) >= self._threads:
            return
        count = min(len(self._waiting), self._largest)
        group = [self._waiting.popleft() for _ in range(count)]
        task = asyncio.ensure_future(self._run(group))
        self._busy.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        if self._timer is None:
            self._begin()

    async def _run(self, group: list[tuple[T, asyncio.Future[R]]]) -> None:
        found: Sequence[R | Exception]
        try:
            found = await asyncio.to_thread(self._work, [item for item, _ in group])
        except Exception as exc:
            found = [exc] * len(group)
        for (_, future), result in zip(group, found, strict=True):
            if future.done():  # whoever asked was cancelled
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


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
