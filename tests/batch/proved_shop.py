"""A catalogue of edits against an emulator that answers with pictures whose truth is known."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL.PngImagePlugin import PngInfo
from proof_pictures import EDIT, ELSEWHERE, patched, resynthesised, scene

from nanorecipes import AsyncClient, Client
from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger
from nanorecipes.batch.outcomes import Outcome
from nanorecipes.client import Wiring
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.service.timing import VirtualClock

RECIPE = "edit/change_part"
PROVE = {"region": EDIT}
PRICE = "0.045"

KEPT = resynthesised(patched(scene(), EDIT))
DRIFTED = resynthesised(patched(patched(scene(), EDIT), ELSEWHERE))
FAR_OFF = resynthesised(scene(77))
"""Another picture altogether: its score is below that of `DRIFTED`, or as low."""


@dataclass
class ProvedShop:
    """A folder with sources, the emulator's answers, and a ledger."""

    folder: Path
    sandbox: Sandbox
    clock: VirtualClock | None

    @classmethod
    def open(
        cls,
        folder: Path,
        answers: dict[str, list[bytes]],
        faults: Faults | None = None,
        *,
        in_real_time: bool = False,
    ) -> ProvedShop:
        """A shop whose sources are all the same picture, under these names.

        Args:
            folder: where everything lies.
            answers: by name of the source, what comes of its first, second, ... purchase.
            faults: what goes wrong.
            in_real_time: for clients in other processes; else waiting takes no time.
        """
        (folder / "answers").mkdir(parents=True)
        for name, pictures in answers.items():
            told = PngInfo()
            told.add_text("Title", name)  # the same pixels, and bytes of its own
            scene().save(folder / f"{name}.png", pnginfo=told)
            for turn, data in enumerate(pictures, 1):
                number = "" if turn == 1 else f"-{turn}"
                (folder / "answers" / f"{name}{number}.jpg").write_bytes(data)
        clock = None if in_real_time else VirtualClock(1_795_132_800.0)
        timing = {} if clock is None else {"clock": clock.monotonic, "wall": clock.time}
        sandbox = Sandbox(answers=folder / "answers", task_seconds=0, faults=faults, **timing)
        return cls(folder, sandbox, clock)

    def rows(self, *names: str, **more: Any) -> list[dict[str, Any]]:
        """A row for each source of these names."""
        fast = {"aspect_ratio": "1:1", "quality": "512"}
        return [
            {"photo": str(self.folder / f"{name}.png"), "part": "the mug", "change": "blue",
             **fast, **more}
            for name in names
        ]  # fmt: skip

    def ledger(self) -> Ledger:
        """The books."""
        return Ledger(self.folder / "ledger.sqlite")

    def client(self, books: Ledger, kind: Any = Client) -> Any:
        """A client of the emulator."""
        return kind(sandbox=self.sandbox, ledger=books, wiring=Wiring(clock=self.clock))

    def batch(self, rows: Any, **options: Any) -> list[Outcome]:
        """Run a batch to its end, in the table's order, and audit the books."""
        with self.ledger() as books, self.client(books) as client:
            found = list(client.batch(RECIPE, rows, out=self.folder / "out", **options))
        self.audit()
        return sorted(found, key=lambda outcome: outcome.number)

    def batch_async(self, rows: Any, **options: Any) -> list[Outcome]:
        """The same on an event loop."""

        async def work() -> list[Outcome]:
            async with self.client(books, AsyncClient) as client:
                came = client.batch(RECIPE, rows, out=self.folder / "out", **options)
                return [outcome async for outcome in came]

        with self.ledger() as books:
            found = asyncio.run(work())
        self.audit()
        return sorted(found, key=lambda outcome: outcome.number)

    def audit(self) -> None:
        """The books are sound, and each purchase in them is one charge of the emulator's."""
        with self.ledger() as books:
            queries.check(books)
            bought = [row for row, _ in queries.rows_of(books) if row.task_id]
        tasks = [row.task_id for row in bought]
        assert len(tasks) == len({*tasks})
        charged = {charge.task_id for charge in self.sandbox.charges}
        assert {*tasks} <= charged
