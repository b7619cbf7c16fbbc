"""Ledgers for tests: on a clock of their own, and ways to lose a process."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from nanorecipes.batch.ledger import Ledger, Plan, Run

PRICE = Decimal("0.045")


class Wall:
    """Seconds since 1970 that pass only when told."""

    def __init__(self, now: float = 1_795_132_800.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def ledger(folder: Path, wall: Wall | None = None, **options: Any) -> Ledger:
    """A ledger in a folder."""
    return Ledger(folder / "ledger.sqlite", wall=wall or Wall(), **options)


def batch_run(books: Ledger, place: str = "out", cap: Decimal | None = None) -> Run:
    """The run of a catalogue."""
    return books.start_run("batch", "edit/x", "qolaba", "http://x", place=place, cap=cap)


def plan(key: str = "k1", price: Decimal | None = PRICE, **more: Any) -> Plan:
    """A row about to be bought."""
    return Plan(key, "edit/x", "hash", "vertex/x", price, '{"prompt": "x"}', **more)


def die(books: Ledger) -> None:
    """What the system does when a process is killed: its lock is freed, nothing else happens."""
    books.store._stop()
    if books.store._lock is not None:
        import os

        handle = books.store._lock._handle
        books.store._lock._handle = None
        if handle is not None:
            os.close(handle)
