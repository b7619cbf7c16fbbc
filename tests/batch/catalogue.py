"""A small catalogue against an emulator: rows, clients, and what the books say afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanorecipes import AsyncClient, Client, recipes
from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger
from nanorecipes.batch.outcomes import Outcome
from nanorecipes.client import Wiring
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import VirtualClock

RECIPE = "edit/change_part"
PRICE = "0.08"


def row(n: int, **more: Any) -> dict[str, Any]:
    """The arguments of a row."""
    photo = f"https://pictures.invalid/{n}.jpg"
    given = {"photo": photo, "part": "the mug", "change": f"glazed in blue number {n}"}
    return {**given, "model": "flash", "aspect_ratio": "1:1", "quality": "512", **more}


def rows(count: int) -> list[dict[str, Any]]:
    """Different rows."""
    return [row(n) for n in range(count)]


@dataclass
class Shop:
    """An emulator, its clock, and a folder with a ledger."""

    folder: Path
    sandbox: Sandbox
    clock: VirtualClock

    @classmethod
    def open(cls, folder: Path, faults: Faults | None = None, **options: Any) -> Shop:
        """A shop in a folder; its pictures are blank and its time is free."""
        clock = VirtualClock(1_795_132_800.0)
        sandbox = Sandbox(
            faults=faults, clock=clock.monotonic, wall=clock.time, plain=True, **options
        )
        return cls(folder, sandbox, clock)

    @property
    def out(self) -> Path:
        """Where pictures go."""
        return self.folder / "out"

    def ledger(self) -> Ledger:
        """The books."""
        return Ledger(self.folder / "ledger.sqlite", wall=self.clock.time)

    def client(self, kind: Any = Client, **options: Any) -> Any:
        """A client of the emulator."""
        wiring = Wiring(clock=self.clock, retry=RetryPolicy(random=lambda: 0.0))
        options = {"ledger": self.folder / "ledger.sqlite", "wiring": wiring, **options}
        return kind(sandbox=self.sandbox, **options)

    def batch(self, given: Any, **options: Any) -> list[Outcome]:
        """Run a batch to its end, in the table's order."""
        with self.ledger() as books, self.client(ledger=books) as client:
            found = list(client.batch(RECIPE, given, out=self.out, **options))
        return sorted(found, key=lambda outcome: outcome.number)

    def batch_async(self, given: Any, **options: Any) -> list[Outcome]:
        """The same on an event loop."""

        async def work() -> list[Outcome]:
            async with self.client(AsyncClient, ledger=books) as client:
                return [o async for o in client.batch(RECIPE, given, out=self.out, **options)]

        with self.ledger() as books:
            found = asyncio.run(work())
        return sorted(found, key=lambda outcome: outcome.number)

    def checked(self) -> Ledger:
        """The books, found sound, and agreeing with the emulator's charge log."""
        books = self.ledger()
        queries.check(books)
        return books


def states(found: list[Outcome]) -> Counter[str]:
    """How many rows came to what."""
    return Counter(outcome.state for outcome in found)


_ = recipes
