"""The runner: rows in, outcomes out, purchases within bounds, in memory that doesn't grow."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from nanorecipes.batch.booking import Entry, booked
from nanorecipes.batch.buying import Buyers
from nanorecipes.batch.fetching import Fetcher
from nanorecipes.batch.groups import bridged
from nanorecipes.batch.items import Item, Stopped
from nanorecipes.batch.ledger import Ledger, Row, Run
from nanorecipes.batch.outcomes import BatchOptions, Outcome, Tally, outcome_of
from nanorecipes.batch.pace import Pace
from nanorecipes.batch.preparing import Bad, Prepared, Source
from nanorecipes.batch.saving import gone
from nanorecipes.batch.states import PAID
from nanorecipes.errors import NanorecipesError

if TYPE_CHECKING:
    from pathlib import Path

    from nanorecipes.client import AsyncClient
    from nanorecipes.request import Request
    from nanorecipes.service.flow import Flow

T = TypeVar("T")

CHUNK = 64
"""Rows that are prepared and entered at once."""
LOOK_AGAIN_S = 1.0
"""How often rows that another process holds are looked at."""

StopKind = Literal["drain", "leave"]


class Runner:
    """Works through prepared rows: buys narrow, waits and fetches wide.

    Args:
        client: who sends.
        ledger: the books.
        run: this batch in the books.
        out: the folder in which each row gets one of its own.
        options: bounds and wishes.
    """

    def __init__(
        self, client: AsyncClient, ledger: Ledger, run: Run, out: Path, options: BatchOptions
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.run = run
        self.out = out
        self.options = options
        self.tally = Tally()
        self.pace = Pace(client._clock, options.rate)
        self.stopping: StopKind | None = None
        self.reason: str | None = None
        self.error: NanorecipesError | None = None
        self.is_out_of_money = False
        """Whether it stopped because the next purchase would be above the budget."""
        self.active: dict[int, Item] = {}
        """Rows on their way, by their id in the ledger."""
        self.held: deque[tuple[int, Prepared]] = deque()
        """Rows that another process works at."""
        self._out: asyncio.Queue[Outcome | None] = asyncio.Queue(4 * CHUNK)
        self.slots = asyncio.Semaphore(options.concurrency)
        """Places for rows that are in flight."""
        self.settled = asyncio.Event()
        """Set whenever a row or a purchase has ended."""
        self.idle: set[asyncio.Task[Any]] = set()
        """Buyers that have no request open."""
        self.buyers = Buyers(self, CHUNK)
        self.fetcher = Fetcher(self)
        self._began = ledger.wall()

    def may_be_stopped(self) -> None:
        """The buyer that calls has no request open, and a pause before it."""
        if self.stopping == "leave":
            raise Stopped
        task = asyncio.current_task()
        assert task is not None
        self.idle.add(task)

    def must_go_on(self) -> None:
        """The buyer that calls is about to send, unless the run has ended meanwhile."""
        task = asyncio.current_task()
        assert task is not None
        self.idle.discard(task)
        if self.stopping is not None:
            raise Stopped

    def stop(self, reason: str, kind: StopKind = "leave") -> None:
        """Send nothing more. `leave` waits for open purchases only, `drain` for pictures too."""
        if self.stopping == "leave":
            return
        self.stopping = kind
        self.reason = self.reason or reason
        self.settled.set()
        if kind == "leave":
            # Not the one that says so: it still has to tell what its row came to.
            for task in {*self.fetcher.tasks, *self.idle} - {asyncio.current_task()}:
                task.cancel()

    async def outcomes(self, source: Source) -> AsyncIterator[Outcome]:
        """What each row comes to, as they end; a row that wasn't reached has none.

        Raises:
            NanorecipesError: what stopped the run, once all outcomes have come.
        """
        work = asyncio.create_task(self._work(source))
        try:
            while (outcome := await self._out.get()) is not None:
                self.tally.count(outcome)
                yield outcome
        finally:
            if not work.done():
                self.stop("the caller has gone")
                while not work.done():  # room for what still comes
                    while not self._out.empty():
                        self._out.get_nowait()
                    await asyncio.wait({work}, timeout=0.05)
        await work
        if self.error is not None:
            raise self.error

    async def _work(self, source: Source) -> None:
        buyers = [asyncio.create_task(self.buyers.work()) for _ in range(self.options.submits)]
        self.ledger.store.company += len(buyers) - 1
        try:
            await bridged(self.ledger.recover_later())
            await self._feed(source)
            await self._feed_held()
        except NanorecipesError as exc:
            self.give_up(exc)
        except asyncio.CancelledError:
            self.stop("cancelled")
            raise
        except BaseException:
            self.stop("a fault")
            raise
        finally:
            try:
                await self._settle(buyers)
            finally:
                await self.fetcher.close()
                self.ledger.store.company -= len(buyers) - 1
            await self._out.put(None)

    async def _settle(self, buyers: list[asyncio.Task[None]]) -> None:
        """Let the buyers end, then wait for what they bought."""
        for _ in buyers:
            await self.buyers.queue.put(None)
        await asyncio.gather(*buyers)
        while self.fetcher.tasks:
            await asyncio.wait(set(self.fetcher.tasks))

    def give_up(self, error: NanorecipesError, kind: StopKind = "leave") -> None:
        """Stop because of an error, which is raised when all outcomes have come."""
        self.error = self.error or error
        self.stop(error.message, kind)

    # feeding

    async def _feed(self, source: Source) -> None:
        while self.stopping is None:
            prepared = await asyncio.to_thread(source.take, CHUNK)
            if not prepared:
                return
            await self._enter(prepared)

    async def _enter(self, prepared: list[Prepared | Bad]) -> None:
        good = [item for item in prepared if isinstance(item, Prepared)]
        bad = {item.number: item.error for item in prepared if isinstance(item, Bad)}
        if bad:
            await bridged(self.ledger.lines_later(self.run.id, bad))
        for number, error in bad.items():
            await self._out.put(Outcome(number, "bad", error=error))
        plans = [item.plan for item in good]
        rows = await bridged(self.ledger.plan_later(self.run.id, plans)) if plans else []
        rows = await self._found_again(rows)
        for item, row in zip(good, rows, strict=True):
            await self._place(item.number, item, row)

    async def _found_again(self, rows: list[Row]) -> list[Row]:
        """The rows, where those whose files are gone are to be fetched once more."""
        checked = [row for row in rows if row.state == "verified"]
        if not checked:
            return rows
        reasons = await asyncio.to_thread(
            lambda: {row.id: gone(row.files, os.path.join(self.out, row.name)) for row in checked}
        )
        steps = {
            row_id: self.ledger.gone_later(row_id, reason)
            for row_id, reason in reasons.items()
            if reason is not None
        }
        return [await bridged(steps[row.id]) if row.id in steps else row for row in rows]

    async def _place(self, number: int, prepared: Prepared, row: Row) -> None:
        """Send a row where its state says."""
        active = self.active.get(row.id)
        if active is not None:
            active.numbers.append(number)
            return
        # Only what failed before this call: its equals further down must not be bought again.
        is_old = row.updated_at < self._began
        if row.state in ("failed", "refused") and self.options.retry_failed and is_old:
            row = await bridged(self.ledger.replan_later(row.id))
        if row.state in PAID and self.client._has_lost(row.task_id):
            row = await bridged(self.ledger.forget_later(row.id))
            self.tally.forgotten += 1
        if row.state in PAID:
            taken = await bridged(self.ledger.take_later(row.id))
            if taken is None:
                self.held.append((number, prepared))
                return
            await self.slots.acquire()
            self.fetcher.begin(self._item(number, taken, prepared.request))
        elif row.state == "planned":
            await self.buyers.queue.put(self._item(number, row, prepared.request))
        elif row.state == "submitting":
            self.held.append((number, prepared))
        else:
            await self._out.put(outcome_of(number, row, self.ledger.store.owner))

    def _item(self, number: int, row: Row, request: Request | None) -> Item:
        item = self.active[row.id] = Item(row, request, [number])
        return item

    async def _feed_held(self) -> None:
        """Rows that another process works at, until it has finished or is gone."""
        while True:
            while self.active and self.stopping is None:
                self.settled.clear()
                await self.settled.wait()
            if not self.held or self.stopping is not None:
                return
            await bridged(self.ledger.recover_later())
            waiting, self.held = self.held, deque()
            for number, prepared in waiting:
                plans = [prepared.plan]
                (row,) = await bridged(self.ledger.plan_later(self.run.id, plans))
                await self._place(number, prepared, row)
            if self.held and not self.active:
                await self.client._clock.sleep_async(LOOK_AGAIN_S)

    # small things

    async def end(self, item: Item, outcome: Outcome | None = None) -> None:
        """Tell what a row came to, to every row of the table that is the same."""
        self.active.pop(item.row.id, None)
        self.settled.set()
        for number in item.numbers:
            made = outcome_of(number, item.row, self.ledger.store.owner)
            if outcome is not None:
                made = Outcome(number, outcome.state, outcome.row_key, error=outcome.error)
            await self._out.put(made)

    async def drive(self, flow: Flow[T], entry: Entry) -> T:
        """Run a flow with a row's books."""
        try:
            is_watched = self.client._observer is not None
            return await self.client._driver.run(booked(flow, entry, tells_all=is_watched))
        except BaseException as exc:
            await entry.fail_async(exc)
            raise
