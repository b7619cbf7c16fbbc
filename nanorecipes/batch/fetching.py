"""Fetching: from a task that was bought to a verified file, many rows at a time."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from nanorecipes.batch.groups import Groups
from nanorecipes.batch.items import Item, Room, RowEntry
from nanorecipes.batch.keeper import Keeper
from nanorecipes.batch.saving import Filed, Filing, save_durably, save_watched, trouble_with
from nanorecipes.errors import LedgerError, NanorecipesError, SaveError
from nanorecipes.service.base import Outcome as Finished
from nanorecipes.service.replies import RemoteImage

if TYPE_CHECKING:
    from nanorecipes.batch.ledger import Row
    from nanorecipes.batch.runner import Runner
    from nanorecipes.result import Result

SAVERS, ENOUGH, MANY = 4, 32, 48
"""Threads that write pictures, how many pictures are begun with at once, and how many have to wait
before one more thread begins: two take longer than one as long as the disk keeps up."""


class Fetcher:
    """Waits for what a run has bought, downloads it, and keeps it for good."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._folder = str(runner.out)
        self._keeping = asyncio.Semaphore(runner.options.concurrency)
        self._keeper = Keeper(lambda: runner.ledger.store.lock_handle)
        self._savings: Groups[Filing, Filed] = Groups(
            lambda filings: save_durably(filings, self._keeper.keep),
            can_come=self._can_come, threads=SAVERS, enough=ENOUGH, many=MANY,
        )  # fmt: skip
        self.tasks: set[asyncio.Task[None]] = set()
        """One for each row that is being fetched."""

    async def close(self) -> None:
        """Wait for what is still written, whoever left meanwhile; then give back what it holds.

        Until then this process must be seen to live: else another one takes over the same rows.
        """
        await self._savings.settle()
        await asyncio.to_thread(self._keeper.close)

    def begin(self, item: Item) -> None:
        """Fetch what was bought, beside everything else."""
        self._runner.tally.in_flight += 1
        task = asyncio.create_task(self._fetch(item))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _fetch(self, item: Item) -> None:
        entry = item.entry or RowEntry(self._runner, item.row)
        room = Room(self._runner.slots, self._keeping)
        try:
            await self._fetch_steps(entry, item, room)
        except asyncio.CancelledError:
            if self._runner.stopping is None:
                raise
        except (LedgerError, SaveError) as exc:
            self._runner.give_up(exc)
        except NanorecipesError:
            pass  # what it means stands in the ledger
        except Exception as exc:
            self._runner.give_up(LedgerError(f"a fault while fetching: {exc!r}"))
        finally:
            self._runner.tally.in_flight -= 1
            try:
                await self.settle_books(item, entry)
                await self._runner.end(item)
            finally:
                room.leave()

    def _can_come(self) -> int:
        """How many pictures may still come to be saved before another one is bought."""
        return len(self.tasks) - self._savings.in_hand

    async def settle_books(self, item: Item, entry: RowEntry) -> None:
        """Bring the item up to what its books say."""
        try:
            await entry.settle()
        except LedgerError as exc:
            self._runner.give_up(exc)
        item.row = entry.row

    async def _fetch_steps(self, entry: RowEntry, item: Item, room: Room) -> None:
        """From a task to a verified file, from wherever the row stands."""
        client, deadline, request = (
            self._runner.client,
            self._runner.client._deadline(),
            item.request,
        )
        result: Result | None = None
        if entry.state == "submitted" or (item.task is not None and entry.state == "done"):
            task = item.task or entry.row.task_id or ""
            result = await self._runner.drive(client._wait_flow(task, request, deadline), entry)
        if entry.state == "downloaded":
            trouble = await asyncio.to_thread(trouble_with, entry.row.files)
            if trouble is not None:
                await entry.step(self._runner.ledger.again_later(entry.row.id, trouble))
        if entry.state == "done":
            if result is None:
                finished = _finished(entry.row)
                flow = client._fetch_flow(finished, request, deadline)
                result = await self._runner.drive(flow, entry)
            await room.keep()
            await self._save(entry, result)
        if entry.state == "downloaded":
            await entry.step(self._runner.ledger.verified_later(entry.row.id))
        if entry.state == "verified" and client.backend == "gemini":
            names = [picture["url"] for picture in entry.row.pictures]
            await asyncio.to_thread(client._drop_answers, names)

    async def _save(self, entry: RowEntry, result: Result) -> None:
        row = entry.row
        if len(result.images) < entry.pictures:
            why = f"{len(result.images)} of {entry.pictures} pictures came"
            await entry.step(self._runner.ledger.trouble_later(row.id, why))
            return
        filing = Filing(result, os.path.join(self._folder, row.name))
        saved, trouble = await save_watched(self._savings, filing)
        entry.hand_in(self._runner.ledger.downloaded_later(row.id, saved), "downloaded")
        if trouble is None:
            entry.hand_in(self._runner.ledger.verified_later(row.id), "verified")
        else:
            entry.hand_in(self._runner.ledger.again_later(row.id, trouble), "done")
        await entry.settle()


def _finished(row: Row) -> Finished:
    images = tuple(RemoteImage(entry["url"]) for entry in row.pictures)
    # What a kept answer cost is the price list's word, not the service's.
    cost = row.spent if row.attempt == 1 and not row.came_along else None
    return Finished(row.task, images, cost, None)
