"""How a batch stands, while it runs: one live line, or a plain one now and then."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.cli import view

if TYPE_CHECKING:
    from nanorecipes.batch.redo import ProvedBatch
    from nanorecipes.batch.runner import Runner

LIVE_EVERY_S = 0.5
PLAIN_EVERY_S = 10.0


class BatchProgress:
    """Shows done, in flight, unknown, spent, cap and the time that is left."""

    def __init__(
        self, runner: Runner, rows: int, quiet: bool, proved: ProvedBatch | None = None
    ) -> None:
        self._runner = runner
        self._proved = proved
        self._rows = rows
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._began = time.monotonic()
        self._first = 0

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show it for as long as the block runs; on the event loop."""
        if self._quiet:
            yield
            return
        task = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            task.cancel()
            if self._live:
                sys.stderr.write("\r\x1b[2K")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(LIVE_EVERY_S if self._live else PLAIN_EVERY_S)
            text = await self._text()
            if self._live:
                sys.stderr.write(f"\r\x1b[2K{text[: view.width() - 1]}")
                sys.stderr.flush()
            else:
                view.info(text)

    async def _text(self) -> str:
        from nanorecipes.batch.groups import bridged
        from nanorecipes.batch.queries import run_later
        from nanorecipes.batch.states import to_usd

        runner = self._runner
        found = await bridged(run_later(runner.ledger, runner.run.id))
        budget = runner.options.budget
        cap = f" of {view.money(budget)}" if budget is not None else ""
        tally = runner.tally
        proved = self._proved
        in_flight = tally.in_flight if proved is None else proved.current.tally.in_flight
        parts = [
            f"{tally.rows}/{self._rows} done",
            f"{in_flight} in flight",
            "" if proved is None else f"{proved.prover.done} proved",
            f"{tally.counts['unknown']} unknown",
            f"{view.money(to_usd(found.spent_micro))}{cap} spent",
            self._left(),
            f"trying again: {tally.trouble}" if tally.trouble else "",
        ]
        return "  ".join(part for part in parts if part)

    def _left(self) -> str:
        proved = self._proved
        done = self._runner.tally.rows if proved is None else proved.prover.done
        passed = time.monotonic() - self._began
        if not done or passed < 1:
            return ""
        seconds = round(passed / done * (self._rows - done))
        hours, rest = divmod(seconds, 3600)
        return f"{hours}:{rest // 60:02}:{rest % 60:02} left"
