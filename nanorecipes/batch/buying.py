"""Buying: a few purchases open at a time, each written down before it is sent."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from nanorecipes.batch.groups import bridged
from nanorecipes.batch.items import Item, RowEntry, Stopped
from nanorecipes.batch.outcomes import Outcome
from nanorecipes.batch.preparing import Prepared, said
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
)

if TYPE_CHECKING:
    from nanorecipes.batch.runner import Runner

PATIENCE, FIRST_PATIENCE = 25, 4
"""Refusals in a row, each of several attempts, after which a run gives up for now: as a rule, and
where the service was never reached before."""


class Buyers:
    """Buys the rows of a run; several buyers work at the same queue.

    Args:
        runner: the run.
        waiting: how many rows wait for a buyer at most.
    """

    def __init__(self, runner: Runner, waiting: int) -> None:
        self._runner = runner
        self.queue: asyncio.Queue[Item | None] = asyncio.Queue(waiting)
        """Rows to buy; None ends a buyer."""
        self._again: deque[Item] = deque()
        self._open_posts = 0
        self._refusals = 0

    async def work(self) -> None:
        """Buy what comes, until nothing more does."""
        last: RowEntry | None = None
        while True:
            item = self._again.popleft() if self._again else await self.queue.get()
            if item is None:
                if not self._again:
                    return
                await self.queue.put(None)
                continue
            if self._runner.stopping is not None:
                await self._runner.end(item)
                continue
            await self._runner.slots.acquire()
            try:
                item.entry = RowEntry(self._runner, item.row, last)
                is_bought = await self._buy(item, item.entry)
            except NanorecipesError as exc:
                self._runner.give_up(exc)
                await self._runner.end(item)
                is_bought = False
            last = item.entry if is_bought else None
            if is_bought and self._runner.stopping != "leave":
                self._runner.fetcher.begin(item)
                continue
            self._runner.slots.release()
            if is_bought:
                assert item.entry is not None
                await self._runner.fetcher.settle_books(item, item.entry)
                await self._runner.end(item)

    async def _buy(self, item: Item, entry: RowEntry) -> bool:
        """Buy one row; whether there is something to fetch."""
        client, request = self._runner.client, item.request
        assert request is not None
        self._open_posts += 1
        try:
            item.task = await self._runner.drive(client._task_flow(request), entry)
        except (Stopped, asyncio.CancelledError):
            if self._runner.stopping is None:
                raise
            item.row = entry.row
            await self._runner.end(item)
        except BudgetError as exc:
            await self._short_of_money(item, exc)
        except LedgerError as exc:
            await self._overtaken(item, exc)
        except InputError as exc:  # found before anything was sent
            item.row = entry.row
            await bridged(
                self._runner.ledger.lines_later(
                    self._runner.run.id, dict.fromkeys(item.numbers, said(exc))
                )
            )
            await self._runner.end(item, Outcome(0, "bad", item.row.name, error=said(exc)))
        except ApiError as exc:
            item.row = entry.row
            await self._not_bought(item, exc)
        else:
            self._runner.tally.bought += 1
            self._runner.tally.trouble = None
            self._refusals = 0
            return True
        finally:
            self._runner.idle.discard(cast("asyncio.Task[Any]", asyncio.current_task()))
            self._open_posts -= 1
            self._runner.settled.set()
        return item.row.state in PAID and item.row.id in self._runner.active

    async def _not_bought(self, item: Item, error: ApiError) -> None:
        if item.row.state in PAID:  # no clean answer, but the task's id: it can be waited for
            return
        if isinstance(error, (AuthenticationError, InsufficientCreditsError)):
            self._runner.give_up(error, "drain")
        if item.row.state != "planned":
            await self._runner.end(item)
            return
        self._refusals += 1
        if isinstance(error, RateLimitError) and error.retry_after_s is not None:
            self._runner.pace.slow_down(error.retry_after_s)
        else:
            self._runner.pace.slow_down(
                self._runner.client._wiring.retry.backoff_s(min(self._refusals, 6))
            )
        is_reached = self._runner.tally.bought > 0 or error.status is not None
        if self._refusals >= (PATIENCE if is_reached else FIRST_PATIENCE):
            self._runner.give_up(error, "drain")
        await self._back(item)

    async def _back(self, item: Item) -> None:
        if self._runner.stopping is not None:
            await self._runner.end(item)
        else:
            self._again.append(item)

    async def _short_of_money(self, item: Item, error: BudgetError) -> None:
        """What is open may turn out cheaper or be refused: only then it's truly over."""
        self._open_posts -= 1
        try:
            while (
                self._open_posts or self._runner.tally.in_flight
            ) and self._runner.stopping is None:
                self._runner.settled.clear()
                await self._runner.settled.wait()
                if item.row.price_micro is not None and await self._fits(item):
                    await self._back(item)
                    return
        finally:
            self._open_posts += 1
        self._runner.is_out_of_money = True
        self._runner.stop(error.message, "drain")
        await self._runner.end(item)

    async def _fits(self, item: Item) -> bool:
        from nanorecipes.batch import queries
        from nanorecipes.batch.states import cap_micro

        run = await bridged(queries.run_later(self._runner.ledger, self._runner.run.id))
        cap = (
            cap_micro(self._runner.options.budget) if self._runner.options.budget is not None else 0
        )
        return run.spent_micro + run.reserved_micro + (item.row.price_micro or 0) <= cap

    async def _overtaken(self, item: Item, error: LedgerError) -> None:
        """Another process was first with this row, or the ledger can't be written."""
        if item.entry is not None:
            item.row = item.entry.row
        rows = await bridged(self._runner.ledger.rows_later([item.row.id]))
        if rows[0].state == "planned" or rows[0].owner == self._runner.ledger.store.owner:
            raise error
        item.row = rows[0]
        for number in item.numbers:
            self._runner.held.append((number, Prepared.again(number, item.row, item.request)))
        self._runner.active.pop(item.row.id, None)
