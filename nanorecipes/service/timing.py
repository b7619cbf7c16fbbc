"""Time as the service's side sees it: the clock that is read, and how long each step may take."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What tells the time and lets it pass; tests bring their own."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def time(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """Let so many seconds pass without holding up the event loop."""
        ...


class RealClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Let so many seconds pass without holding up the event loop."""
        import asyncio

        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that only moves when someone sleeps: waiting for an emulator costs no time.

    Wall time starts at the moment of making it, so that dates in sidecars are true.
    """

    def __init__(self, start: float | None = None) -> None:
        self._start = time.time() if start is None else start
        self._passed = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Seconds slept through since the clock was made."""
        return self._passed

    def time(self) -> float:
        """Seconds since 1970, as far as this clock knows."""
        return self._start + self._passed

    def sleep(self, seconds: float) -> None:
        """Move the clock on."""
        with self._lock:
            self._passed += max(0.0, seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Move the clock on and let other tasks run."""
        import asyncio

        self.sleep(seconds)
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one exchange, in seconds; `total_s` also ends a server that only drips."""

    connect_s: float
    read_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each step may take, in seconds."""

    connect_s: float = 10.0
    post_s: float = 120.0
    """A POST's answer where the service replies with a task id at once."""
    post_sync_s: float = 360.0
    """A POST's answer where the service replies with the pictures."""
    get_s: float = 30.0
    upload_s: float = 120.0
    first_poll_s: float = 1.0
    poll_factor: float = 1.5
    longest_poll_s: float = 10.0

    def exchange(self, read_s: float, remaining_s: float | None = None) -> Timeouts:
        """Bounds of one exchange, cut to what is left of the whole."""
        left = max(0.001, remaining_s) if remaining_s is not None else self.connect_s + read_s
        return Timeouts(
            connect_s=min(self.connect_s, left),
            read_s=min(read_s, left),
            total_s=min(self.connect_s + read_s, left),
        )
