"""The runner: rows in, outcomes out, purchases within bounds, in memory that doesn't grow."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from nanorecipes.batch.booking import Entry, booked
from nanorecipes.batch.groups import Groups, bridged
from nanorecipes.batch.ledger import Ledger, Row, Run
from nanorecipes.batch.outcomes import BatchOptions, Outcome, Tally, outcome_of
from nanorecipes.batch.pace import Pace
from nanorecipes.batch.preparing import Bad, Prepared, Source, said
from nanorecipes.batch.saving import Filed, Filing, save_durably, save_watched, trouble_with
from nanorecipes.batch.states import PAID
from nanorecipes.errors import (
    ApiError,
    AuthenticationError,
    BudgetError,
    InputError,
    InsufficientCreditsError,
    LedgerError,
    NanorecipesError,
    RateLimitError,
    SaveError,
)
from nanorecipes.service.qolaba import Outcome as Finished
from nanorecipes.service.replies import RemoteImage

if TYPE_CHECKING:
    from pathlib import Path

    from nanorecipes.batch.pending import Pending
    from nanorecipes.client import AsyncClient, Task
    from nanorecipes.request import Request
    from nanorecipes.result import Result
    from nanorecipes.service.flow import Flow, Note

T = TypeVar("T")

CHUNK = 64
"""Rows that are prepared and entered at once."""
SAVERS, ENOUGH_TO_SAVE = 4, 8
"""Threads that write pictures, and how many pictures must wait before one more begins."""
LOOK_AGAIN_S = 1.0
"""How often rows that another process holds are looked at."""
PATIENCE = 25
"""Refusals in a row without one acceptance after which a run gives up for now."""

StopKind = Literal["drain", "leave"]


@dataclass
class _Item:
    """One row on its way, and the table's rows that wait for it."""

    row: Row
    request: Request | None
    numbers: list[int]
    entry: _RowEntry | None = None
    """Its books, from the purchase on."""
    task: Task | None = None
    """What was bought just now."""


class _RowEntry(Entry):
    """A row's books, which also keep the run's pace.

    The purchase that follows at the same buyer is entered behind an acceptance, in the same commit
    or a later one: so the buyer needn't wait for the first, and no more intents are ever open than
    there are buyers. What is asked for after that costs nothing, and may run ahead as well.
    """

    may_wait = frozenset({"submitted", "done"})

    def __init__(self, runner: Runner, row: Row, before: _RowEntry | None = None) -> None:
        super().__init__(runner.ledger, row, runner.options.budget)
        self._runner = runner
        self._before = before
        """The purchase before this one at the same buyer."""

    async def take_async(self, note: Note) -> None:
        runner = self._runner
        if note.kind == "submitting":
            runner.may_be_stopped()
            await runner.pace.turn()
            runner.must_go_on()
        await super().take_async(note)
        if self._before is not None:  # it lies on the disk by now, or can't be written
            before, self._before = self._before, None
            await before.settle()
        if note.kind == "retrying":
            if "answered 429" in str(note.data.get("reason")):
                runner.pace.slow_down(float(note.data["seconds"]))
            if self.row.state == "planned":  # a pause follows, and nothing is open
                runner.may_be_stopped()


class _Room:
    """What a bought row takes up: a place among those in flight, then one on the way to the disk.

    The disk must not take the service's time, and who takes outcomes slowly slows down the rest.
    """

    def __init__(self, flying: asyncio.Semaphore, keeping: asyncio.Semaphore) -> None:
        self._held = flying
        self._keeping = keeping

    async def keep(self) -> None:
        """The picture is here; its place in flight is free for another."""
        await self._keeping.acquire()
        self._held.release()
        self._held = self._keeping

    def leave(self) -> None:
        """The row has come to its end."""
        self._held.release()


class _Stopped(Exception):
    """The run ends, and this row was not sent."""


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
        self._folder = str(out)
        self.options = options
        self.tally = Tally()
        self.pace = Pace(client._clock, options.rate)
        self.stopping: StopKind | None = None
        self.reason: str | None = None
        self.error: NanorecipesError | None = None
        self._active: dict[int, _Item] = {}
        self._held: deque[tuple[int, Prepared]] = deque()
        self._again: deque[_Item] = deque()
        self._to_buy: asyncio.Queue[_Item | None] = asyncio.Queue(CHUNK)
        self._out: asyncio.Queue[Outcome | None] = asyncio.Queue(4 * CHUNK)
        self._slots = asyncio.Semaphore(options.concurrency)
        self._keeping = asyncio.Semaphore(options.concurrency)
        self._fetching: set[asyncio.Task[None]] = set()
        self._open_posts = 0
        self._settled = asyncio.Event()
        self._refusals = 0
        self._idle: set[asyncio.Task[Any]] = set()
        self._savings: Groups[Filing, Filed] = Groups(
            save_durably, threads=SAVERS, enough=ENOUGH_TO_SAVE, largest=CHUNK
        )
        self._began = ledger.wall()

    def may_be_stopped(self) -> None:
        """The buyer that calls has no request open, and a pause before it."""
        if self.stopping == "leave":
            raise _Stopped
        task = asyncio.current_task()
        assert task is not None
        self._idle.add(task)

    def must_go_on(self) -> None:
        """The buyer that calls is about to send, unless the run has ended meanwhile."""
        task = asyncio.current_task()
        assert task is not None
        self._idle.discard(task)
        if self.stopping is not None:
            raise _Stopped

    def stop(self, reason: str, kind: StopKind = "leave") -> None:
        """Send nothing more. `leave` waits for open purchases only, `drain` for pictures too."""
        if self.stopping == "leave":
            return
        self.stopping = kind
        self.reason = self.reason or reason
        self._settled.set()
        if kind == "leave":
            for task in (*self._fetching, *self._idle):
                task.cancel()

    async def outcomes(self, source: Source) -> AsyncIterator[Outcome]:
        """What each row comes to, as they end; a row that wasn't reached has none.

        Raises:
            NanorecipesError: what stopped the run, once all outcomes have come.
        """
        work = asyncio.create_task(self._work(source))
        try:
            while (outcome := await self._out.get()) is not None:
                self.tally.counts[outcome.state] += 1
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
        buyers = [asyncio.create_task(self._buyer()) for _ in range(self.options.submits)]
        try:
            await self._await(self.ledger.recover_later())
            await self._feed(source)
            await self._feed_held()
        except NanorecipesError as exc:
            self._give_up(exc)
        except asyncio.CancelledError:
            self.stop("cancelled")
            raise
        except BaseException:
            self.stop("a fault")
            raise
        finally:
            await self._settle(buyers)
            await self._out.put(None)

    async def _settle(self, buyers: list[asyncio.Task[None]]) -> None:
        """Let the buyers end, then wait for what they bought."""
        for _ in buyers:
            await self._to_buy.put(None)
        await asyncio.gather(*buyers)
        while self._fetching:
            await asyncio.wait(set(self._fetching))

    def _give_up(self, error: NanorecipesError, kind: StopKind = "leave") -> None:
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
            await self._await(self.ledger.lines_later(self.run.id, bad))
        for number, error in bad.items():
            await self._out.put(Outcome(number, "bad", error=error))
        plans = [item.plan for item in good]
        rows = await self._await(self.ledger.plan_later(self.run.id, plans)) if plans else []
        for item, row in zip(good, rows, strict=True):
            await self._place(item.number, item, row)

    async def _place(self, number: int, prepared: Prepared, row: Row) -> None:
        """Send a row where its state says."""
        active = self._active.get(row.id)
        if active is not None:
            active.numbers.append(number)
            return
        # Only what failed before this call: its equals further down must not be bought again.
        is_old = row.updated_at < self._began
        if row.state in ("failed", "refused") and self.options.retry_failed and is_old:
            row = await self._await(self.ledger.replan_later(row.id))
        if row.state in PAID:
            taken = await self._await(self.ledger.take_later(row.id))
            if taken is None:
                self._held.append((number, prepared))
                return
            await self._slots.acquire()
            self._begin_fetching(self._item(number, taken, prepared.request))
        elif row.state == "planned":
            await self._to_buy.put(self._item(number, row, prepared.request))
        elif row.state == "submitting":
            self._held.append((number, prepared))
        else:
            await self._out.put(outcome_of(number, row))

    def _item(self, number: int, row: Row, request: Request | None) -> _Item:
        item = self._active[row.id] = _Item(row, request, [number])
        return item

    async def _feed_held(self) -> None:
        """Rows that another process works at, until it has finished or is gone."""
        while True:
            while self._active and self.stopping is None:
                self._settled.clear()
                await self._settled.wait()
            if not self._held or self.stopping is not None:
                return
            await self._await(self.ledger.recover_later())
            waiting, self._held = self._held, deque()
            for number, prepared in waiting:
                plans = [prepared.plan]
                (row,) = await self._await(self.ledger.plan_later(self.run.id, plans))
                await self._place(number, prepared, row)
            if self._held and not self._active:
                await self.client._clock.sleep_async(LOOK_AGAIN_S)

    # buying

    async def _buyer(self) -> None:
        last: _RowEntry | None = None
        while True:
            item = self._again.popleft() if self._again else await self._to_buy.get()
            if item is None:
                if not self._again:
                    return
                await self._to_buy.put(None)
                continue
            if self.stopping is not None:
                await self._end(item)
                continue
            await self._slots.acquire()
            try:
                item.entry = _RowEntry(self, item.row, last)
                is_bought = await self._buy(item, item.entry)
            except NanorecipesError as exc:
                self._give_up(exc)
                await self._end(item)
                is_bought = False
            last = item.entry if is_bought else None
            if is_bought and self.stopping != "leave":
                self._begin_fetching(item)
                continue
            self._slots.release()
            if is_bought:
                assert item.entry is not None
                await self._settle_books(item, item.entry)
                await self._end(item)

    async def _buy(self, item: _Item, entry: _RowEntry) -> bool:
        """Buy one row; whether there is something to fetch."""
        client, request = self.client, item.request
        assert request is not None
        self._open_posts += 1
        try:
            item.task = await self._drive(client._task_flow(request), entry)
        except (_Stopped, asyncio.CancelledError):
            if self.stopping is None:
                raise
            item.row = entry.row
            await self._end(item)
        except BudgetError as exc:
            await self._short_of_money(item, exc)
        except LedgerError as exc:
            await self._overtaken(item, exc)
        except InputError as exc:  # found before anything was sent
            item.row = entry.row
            await self._await(
                self.ledger.lines_later(self.run.id, dict.fromkeys(item.numbers, said(exc)))
            )
            await self._end(item, Outcome(0, "bad", item.row.name, error=said(exc)))
        except ApiError as exc:
            item.row = entry.row
            await self._not_bought(item, exc)
        else:
            self.tally.bought += 1
            self._refusals = 0
            return True
        finally:
            self._idle.discard(cast("asyncio.Task[Any]", asyncio.current_task()))
            self._open_posts -= 1
            self._settled.set()
        return item.row.state in PAID and item.row.id in self._active

    async def _not_bought(self, item: _Item, error: ApiError) -> None:
        if item.row.state in PAID:  # no clean answer, but the task's id: it can be waited for
            return
        if isinstance(error, (AuthenticationError, InsufficientCreditsError)):
            self._give_up(error, "drain")
        if item.row.state != "planned":
            await self._end(item)
            return
        self._refusals += 1
        if isinstance(error, RateLimitError) and error.retry_after_s is not None:
            self.pace.slow_down(error.retry_after_s)
        else:
            self.pace.slow_down(self.client._wiring.retry.backoff_s(min(self._refusals, 6)))
        if self._refusals >= PATIENCE:
            self._give_up(error, "drain")
        await self._back(item)

    async def _back(self, item: _Item) -> None:
        if self.stopping is not None:
            await self._end(item)
        else:
            self._again.append(item)

    async def _short_of_money(self, item: _Item, error: BudgetError) -> None:
        """What is open may turn out cheaper or be refused: only then it's truly over."""
        self._open_posts -= 1
        try:
            while (self._open_posts or self.tally.in_flight) and self.stopping is None:
                self._settled.clear()
                await self._settled.wait()
                if item.row.price_micro is not None and await self._fits(item):
                    await self._back(item)
                    return
        finally:
            self._open_posts += 1
        self.stop(error.message, "drain")
        await self._end(item)

    async def _fits(self, item: _Item) -> bool:
        from nanorecipes.batch import queries
        from nanorecipes.batch.states import cap_micro

        run = await self._await(queries.run_later(self.ledger, self.run.id))
        cap = cap_micro(self.options.budget) if self.options.budget is not None else 0
        return run.spent_micro + run.reserved_micro + (item.row.price_micro or 0) <= cap

    async def _overtaken(self, item: _Item, error: LedgerError) -> None:
        """Another process was first with this row, or the ledger can't be written."""
        rows = await self._await(self.ledger.rows_later([item.row.id]))
        if rows[0].state == "planned" or rows[0].owner == self.ledger.store.owner:
            raise error
        item.row = rows[0]
        for number in item.numbers:
            self._held.append((number, Prepared.again(number, item.row, item.request)))
        self._active.pop(item.row.id, None)

    # fetching

    def _begin_fetching(self, item: _Item) -> None:
        self.tally.in_flight += 1
        task = asyncio.create_task(self._fetch(item))
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)

    async def _fetch(self, item: _Item) -> None:
        entry = item.entry or _RowEntry(self, item.row)
        room = _Room(self._slots, self._keeping)
        try:
            await self._fetch_steps(entry, item, room)
        except asyncio.CancelledError:
            if self.stopping is None:
                raise
        except (LedgerError, SaveError) as exc:
            self._give_up(exc)
        except NanorecipesError:
            pass  # what it means stands in the ledger
        except Exception as exc:
            self._give_up(LedgerError(f"a fault while fetching: {exc!r}"))
        finally:
            self.tally.in_flight -= 1
            try:
                await self._settle_books(item, entry)
                await self._end(item)
            finally:
                room.leave()

    async def _settle_books(self, item: _Item, entry: _RowEntry) -> None:
        """Bring the item up to what its books say."""
        try:
            await entry.settle()
        except LedgerError as exc:
            self._give_up(exc)
        item.row = entry.row

    async def _fetch_steps(self, entry: Entry, item: _Item, room: _Room) -> None:
        """From a task to a verified file, from wherever the row stands."""
        client, deadline, request = self.client, self.client._deadline(), item.request
        result: Result | None = None
        if entry.state == "submitted" or (item.task is not None and entry.state == "done"):
            task = item.task or entry.row.task_id or ""
            result = await self._drive(client._wait_flow(task, request, deadline), entry)
        if entry.state == "downloaded":
            trouble = await asyncio.to_thread(trouble_with, entry.row.files)
            if trouble is not None:
                await entry.step(self.ledger.again_later(entry.row.id, trouble))
        if entry.state == "done":
            if result is None:
                finished = _finished(entry.row)
                flow = client._fetch_flow(finished, request, deadline)
                result = await self._drive(flow, entry)
            await room.keep()
            await self._save(entry, result)
        if entry.state == "downloaded":
            await entry.step(self.ledger.verified_later(entry.row.id))

    async def _save(self, entry: Entry, result: Result) -> None:
        row = entry.row
        if len(result.images) < entry.pictures:
            why = f"{len(result.images)} of {entry.pictures} pictures came"
            await entry.step(self.ledger.trouble_later(row.id, why))
            return
        filing = Filing(result, os.path.join(self._folder, row.name))
        saved, trouble = await save_watched(self._savings, filing)
        entry.hand_in(self.ledger.downloaded_later(row.id, saved), "downloaded")
        if trouble is None:
            entry.hand_in(self.ledger.verified_later(row.id), "verified")
        else:
            entry.hand_in(self.ledger.again_later(row.id, trouble), "done")
        await entry.settle()

    # small things

    async def _end(self, item: _Item, outcome: Outcome | None = None) -> None:
        """Tell what a row came to, to every row of the table that is the same."""
        self._active.pop(item.row.id, None)
        self._settled.set()
        for number in item.numbers:
            made = outcome_of(number, item.row)
            if outcome is not None:
                made = Outcome(number, outcome.state, outcome.row_key, error=outcome.error)
            await self._out.put(made)

    async def _drive(self, flow: Flow[T], entry: Entry) -> T:
        try:
            is_watched = self.client._observer is not None
            return await self.client._driver.run(booked(flow, entry, tells_all=is_watched))
        except BaseException as exc:
            await entry.fail_async(exc)
            raise

    async def _await(self, future: Pending[T]) -> T:
        return await bridged(future)


def _finished(row: Row) -> Finished:
    images = tuple(RemoteImage(entry["url"]) for entry in row.pictures)
    cost = row.spent if row.attempt == 1 else None
    return Finished(row.task_id, images, cost, None)
