"""Rows on their way through a run: what is known of each, its books, and the room that it takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanorecipes.batch.booking import Entry

if TYPE_CHECKING:
    from nanorecipes.batch.ledger import Row
    from nanorecipes.batch.runner import Runner
    from nanorecipes.client import Task
    from nanorecipes.request import Request
    from nanorecipes.service.flow import Note


@dataclass
class Item:
    """One row on its way, and the table's rows that wait for it."""

    row: Row
    request: Request | None
    numbers: list[int]
    entry: RowEntry | None = None
    """Its books, from the purchase on."""
    task: Task | None = None
    """What was bought just now."""


class RowEntry(Entry):
    """A row's books, which also keep the run's pace.

    The purchase that follows at the same buyer is entered behind an acceptance, in the same commit
    or a later one: so the buyer needn't wait for the first, and no more intents are ever open than
    there are buyers. What is asked for after that costs nothing, and may run ahead as well.
    """

    may_wait = frozenset({"submitted", "done"})

    def __init__(self, runner: Runner, row: Row, before: RowEntry | None = None) -> None:
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
            runner.tally.trouble = str(note.data.get("reason"))
            if "answered 429" in str(note.data.get("reason")):
                runner.pace.slow_down(float(note.data["seconds"]))
            if self.row.state == "planned":  # a pause follows, and nothing is open
                runner.may_be_stopped()


class Room:
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


class Stopped(Exception):
    """The run ends, and this row was not sent."""
