"""The emulator's books: what was accepted, how often it was asked for, and what it cost."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanorecipes.sandbox.check import Order

KEPT_TASKS = 20_000
KEPT_ATTEMPTS = 1_000_000
NEVER_S = 1e9


@dataclass(frozen=True, slots=True)
class Charge:
    """One accepted request in the charge log."""

    task_id: str
    request_key: str
    usd: Decimal
    """For all pictures of the request."""
    at: float
    """Seconds on the emulator's clock."""


@dataclass(frozen=True, slots=True)
class Task:
    """One accepted request: what was asked, what it makes, when it is ready."""

    id: str
    order: Order
    ratio: str
    size_px: tuple[int, int]
    usd: Decimal
    started_at: float
    ready_at: float
    fault: str | None
    turn: int = 1
    """How many times this very request was accepted, this time included."""

    @property
    def label(self) -> str:
        """The part of the id that is the same however often this request was sent."""
        return self.id.rpartition("-")[0]

    @property
    def has_pictures(self) -> bool:
        """Whether pictures come of it, once it is ready."""
        return self.fault not in ("failed_task", "expired_task", "blocked", "no_image")


class Books:
    """Charges, tasks and attempts; threads may share them.

    The charge log is kept whole. Of tasks and attempts the latest are kept, so that memory doesn't
    grow with them: a task that was pushed out is unknown, as an expired one is at the service.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.charges: list[Charge] = []
        self._lock = threading.Lock()
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._attempts: OrderedDict[str, int] = OrderedDict()
        self._turns: OrderedDict[str, int] = OrderedDict()

    @property
    def total_usd(self) -> Decimal:
        """The sum of the charge log."""
        return sum((charge.usd for charge in tuple(self.charges)), Decimal(0))

    def task(self, task_id: str) -> Task | None:
        """An accepted request by its id, or None."""
        return self._tasks.get(task_id)

    def next_attempt(self, key: str) -> int:
        """How often this was asked for, this time included."""
        with self._lock:
            return _count(self._attempts, key)

    def accept(
        self,
        order: Order,
        attempt: int,
        target: tuple[str, tuple[int, int]],
        fault: str | None,
        *,
        now: float,
        task_seconds: float,
    ) -> Task:
        """Take an order in and charge it, both or neither.

        Args:
            order: what is asked for.
            attempt: how often it was asked for, which is part of the task's id.
            target: ratio and size in pixels of what will be made.
            fault: what will go wrong with it, or None.
            now: seconds on the emulator's clock.
            task_seconds: how long it takes.
        """
        price = order.model.price(order.quality, order.backend)
        usd = (price.usd if price else Decimal(0)) * order.num_images
        ready_at = now + (NEVER_S if fault == "never_ends" else task_seconds)
        ratio, size_px = target
        with self._lock:
            task_id = self._task_id(order.key, attempt)
            while task_id in self._tasks:
                attempt += 1
                task_id = self._task_id(order.key, attempt)
            turn = _count(self._turns, order.key)
            task = Task(task_id, order, ratio, size_px, usd, now, ready_at, fault, turn)
            self._tasks[task_id] = task
            self.charges.append(Charge(task_id, order.key, usd, now))
            while len(self._tasks) > KEPT_TASKS:
                self._tasks.popitem(last=False)
        return task

    def _task_id(self, key: str, attempt: int) -> str:
        return f"sbx-{self.seed:x}-{key[:12]}-{attempt}"


def _count(counts: OrderedDict[str, int], key: str) -> int:
    """One more of this key; those unused for longest are forgotten."""
    count = counts[key] = counts.pop(key, 0) + 1
    while len(counts) > KEPT_ATTEMPTS:
        counts.popitem(last=False)
    return count
