"""The ledger: what was planned, bought, fetched and checked, each step a durable commit."""

# ruff: noqa: S608  # names of columns are constants of this package; values are always bound

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes.batch import moves, planning, states
from nanorecipes.batch.locks import is_held
from nanorecipes.batch.moves import Change, Decide, Desk, Move
from nanorecipes.batch.records import ROW_COLUMNS, RUN_COLUMNS, Plan, Row, Run, read_row, read_run
from nanorecipes.batch.states import State, to_micro, to_usd
from nanorecipes.batch.store import LEASE_S, Store
from nanorecipes.errors import BudgetError, LedgerError

if TYPE_CHECKING:
    from types import TracebackType

    from nanorecipes.batch.pending import Pending

__all__ = ["TASK_LIFE_S", "Ledger", "Plan", "Row", "Run", "default_path", "project_folder"]

TASK_LIFE_S = 4 * 3600.0
"""How long a task is asked for after it was submitted."""

FOLDER = ".nanorecipes"
FILE = "ledger.sqlite"


def project_folder(start: Path | None = None) -> Path:
    """The folder whose `.nanorecipes` is meant: the nearest that has one, else the project's.

    A project is known by its `pyproject.toml` or `.git`; without any it is the folder itself.
    """
    here = (start or Path.cwd()).resolve()
    for marks in ((FOLDER,), ("pyproject.toml", ".git")):
        for folder in (here, *here.parents):
            if folder != Path.home() and any((folder / mark).exists() for mark in marks):
                return folder
    return here


def default_path(start: Path | None = None) -> Path:
    """Where the ledger of this project lies."""
    return project_folder(start) / FOLDER / FILE


class Ledger:
    """Keeps the books of purchases in one file, which threads and processes may share.

    Each arrow between states is one durable commit; those that come at the same time share one.
    Methods that end in `_later` hand the work in and give a future.

    Args:
        path: the file; without one `.nanorecipes/ledger.sqlite` of this project.
        create: whether an absent file is made.
        wall: seconds since 1970.
        lease_s: how long a silent process keeps its rows, in seconds.

    Raises:
        LedgerError: the file is torn, damaged, or no ledger.
        OSError: the place can't be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        create: bool = True,
        wall: Callable[[], float] = time.time,
        lease_s: float = LEASE_S,
    ) -> None:
        self.path = Path(path) if path is not None else default_path()
        self.wall = wall
        self.store = Store(
            self.path, create=create, setup=moves.PREPARE, wall=wall, lease_s=lease_s
        )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r})"

    def close(self) -> None:
        """Wait for what was handed in, give all rows free, and close the file."""
        self.store.close()

    # runs and rows

    def start_run(
        self,
        kind: str,
        recipe: str,
        backend: str,
        base_url: str,
        *,
        out: str | None = None,
        place: str | None = None,
        cap: Decimal | None = None,
    ) -> Run:
        """Begin a run, or go on with the one of the same place.

        Args:
            kind: `run` or `batch`.
            recipe: its name.
            backend: who makes the pictures; the sandbox's cost no money.
            base_url: the service's address.
            out: the folder for pictures.
            place: what makes two calls the same catalogue; None for a run of its own.
            cap: USD that the run may cost, over all its calls.
        """
        micro = None if cap is None else states.cap_micro(cap)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self.wall()))
        name = f"{stamp}-{uuid.uuid4().hex[:6]}"

        def work(connection: sqlite3.Connection) -> Run:
            connection.execute(
                "INSERT INTO runs (id, kind, place, recipe, backend, base_url, is_sandbox, out, "
                "cap_micro, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (place) DO UPDATE SET cap_micro = excluded.cap_micro, "
                "out = excluded.out, base_url = excluded.base_url, recipe = excluded.recipe",
                (name, kind, place, recipe, backend, base_url, backend == "sandbox", out, micro,
                 self.wall()),
            )  # fmt: skip
            where, value = ("place", place) if place is not None else ("id", name)
            found = connection.execute(
                f"SELECT {RUN_COLUMNS} FROM runs WHERE {where} = ?", (value,)
            )
            return read_run(found.fetchone())

        return self.store.do(work)

    def plan_later(self, run_id: str, plans: Sequence[Plan]) -> Pending[list[Row]]:
        """Enter rows as planned; those that are known already come as they are.

        Rows that were left open by nobody alive become this process's own.
        """

        return self.store.begin(
            lambda connection: planning.enter(connection, run_id, plans, self.wall())
        )

    def plan(self, run_id: str, plan: Plan) -> Row:
        """The same for one, waited for."""
        return self.plan_later(run_id, [plan]).result()[0]

    def rows_later(self, ids: Sequence[int]) -> Pending[list[Row]]:
        """Rows as they stand now."""

        def work(connection: sqlite3.Connection) -> list[Row]:
            return [self._row(connection, row_id) for row_id in ids]

        return self.store.begin(work)

    def lines_later(self, run_id: str, bad: Mapping[int, str]) -> Pending[None]:
        """Remember the table's rows that can't be bought, by number, with the reason."""

        lines = [[number, None, error] for number, error in bad.items()]

        def work(connection: sqlite3.Connection) -> None:
            planning.enter_lines(connection, run_id, lines)

        return self.store.begin(work)

    # arrows

    def intend_later(self, row_id: int, cap: Decimal | None = None) -> Pending[Row]:
        """planned -> submitting: reserve the price and say that a request is about to be sent.

        Raises (in the future):
            BudgetError: spent, reserved and this price would be more than the cap.
            LedgerError: the row isn't planned (any more).
        """

        def decide(row: Row, desk: Desk) -> Change:
            if row.state != "planned":
                raise moves.wrong(row, "submitting")
            _check_cap(desk, row, cap)
            return Change("submitting", reserved=row.price_micro or 0, columns={
                "attempt": row.attempt + 1, "owner": desk.owner(), "task_id": None, "error": None,
                "pictures_text": None,
            })  # fmt: skip

        return self._move(row_id, decide)

    def release_later(self, row_id: int, why: str) -> Pending[Row]:
        """submitting -> planned: it was surely not bought."""
        return self._arrow(row_id, "submitting", "planned", reserved=0, owner=None, error=why)

    def submitted_later(self, row_id: int, attempt: int, task_id: str | None) -> Pending[Row]:
        """submitting (or unknown) -> submitted: it was accepted, and is charged from here on.

        An acceptance that comes when the row has gone on without it, because its lease had ended,
        is entered as spent all the same.
        """

        def decide(row: Row, desk: Desk) -> Change:
            price = row.price_micro or 0
            if row.attempt != attempt or row.state not in ("submitting", "unknown"):
                return Change(spent=price, note={"stray": task_id})
            return Change("submitted", reserved=0, spent=price, columns={
                "task_id": task_id, "owner": desk.owner(), "error": None, "submitted_at": desk.now,
            })  # fmt: skip

        return self._move(row_id, decide, lingers=True)

    def unknown_later(self, row_id: int, why: str) -> Pending[Row]:
        """submitting -> unknown: sent, and no answer that says what became of it."""
        return self._arrow(row_id, "submitting", "unknown", owner=None, error=why)

    def refused_later(self, row_id: int, why: str) -> Pending[Row]:
        """submitting -> refused (nothing charged) or submitted -> refused (charged)."""
        before = ("submitting", "submitted")
        return self._arrow(row_id, before, "refused", reserved=0, owner=None, error=why)

    def failed_later(self, row_id: int, why: str) -> Pending[Row]:
        """submitted -> failed: it stays charged, as nothing says otherwise."""
        return self._arrow(row_id, "submitted", "failed", owner=None, error=why)

    def done_later(
        self, row_id: int, pictures: Iterable[Mapping[str, Any]], cost: Decimal | None
    ) -> Pending[Row]:
        """submitted -> done: where the pictures lie, and what the service says that they cost."""

        kept = json.dumps(list(pictures))

        def decide(row: Row, desk: Desk) -> Change:
            if row.state != "submitted":
                raise moves.wrong(row, "done")
            desk.check_held(row)
            if cost is None:
                return Change("done", columns={"pictures_text": kept})
            return Change(
                "done", spent=to_micro(cost) - (row.price_micro or 0),
                note={"cost_usd": str(cost)}, columns={"pictures_text": kept},
            )  # fmt: skip

        return self._move(row_id, decide, lingers=True)

    def lost_later(self, row_id: int, why: str) -> Pending[Row]:
        """done -> failed: nothing can bring its picture any more; it stays charged."""
        return self._arrow(row_id, "done", "failed", owner=None, error=why)

    def downloaded_later(self, row_id: int, files: Iterable[Mapping[str, Any]]) -> Pending[Row]:
        """done -> downloaded: the pictures lie on the disk, under these paths and digests."""
        kept = json.dumps(list(files))
        return self._arrow(row_id, "done", "downloaded", files_text=kept, error=None)

    def verified_later(self, row_id: int) -> Pending[Row]:
        """downloaded -> verified: the files were read again and are what was received."""
        return self._arrow(row_id, "downloaded", "verified", owner=None, error=None)

    def again_later(self, row_id: int, why: str) -> Pending[Row]:
        """downloaded -> done: the files aren't what was received; fetch them again."""
        return self._arrow(row_id, "downloaded", "done", files_text=None, error=why)

    def gone_later(self, row_id: int, why: str) -> Pending[Row]:
        """verified -> done: its files are gone; fetch them again, which costs nothing."""

        def decide(row: Row, desk: Desk) -> Change:
            if row.state != "verified":
                raise moves.wrong(row, "done")
            columns = {"owner": None, "files_text": None, "error": why}
            return Change("done", columns=columns)

        return self._move(row_id, decide)

    def forget_later(self, row_id: int) -> Pending[Row]:
        """submitted, done or downloaded -> planned: an emulator that has ended had it, for free."""

        def decide(row: Row, desk: Desk) -> Change:
            if row.state not in states.PAID:
                raise moves.wrong(row, "planned")
            why = "the sandbox of its process has ended, and its task with it"
            return Change("planned", reserved=0, columns={"owner": None, "error": why})

        return self._move(row_id, decide)

    def replan_later(self, row_id: int) -> Pending[Row]:
        """failed, refused or unknown -> planned, on request; what is unknown counts as spent."""

        def decide(row: Row, desk: Desk) -> Change:
            if row.state not in ("failed", "refused", "unknown"):
                raise moves.wrong(row, "planned")
            return Change("planned", reserved=0, spent=row.reserved_micro, columns={"owner": None})

        return self._move(row_id, decide)

    def assume_charged_later(self, row_id: int) -> Pending[Row]:
        """unknown -> failed: a person takes it as charged, and it isn't sent again."""

        def decide(row: Row, desk: Desk) -> Change:
            if row.state != "unknown":
                raise moves.wrong(row, "failed")
            why = f"taken as charged: {row.error or 'no answer came'}"
            return Change("failed", reserved=0, spent=row.reserved_micro, columns={"error": why})

        return self._move(row_id, decide)

    def trouble_later(self, row_id: int, why: str) -> Pending[Row]:
        """Remember why a row stands where it stands; its state stays."""

        return self._move(row_id, lambda row, desk: Change(columns={"error": why}, is_event=False))

    # who holds what

    def take_later(self, row_id: int) -> Pending[Row | None]:
        """Make a row that was paid for this process's own; None while another one has it."""

        def work(connection: sqlite3.Connection) -> Row | None:
            row = self._row(connection, row_id)
            me = self.store.register(connection)
            if row.owner not in (None, me) and self._is_alive(connection, row.owner):
                return None
            connection.execute("UPDATE rows SET owner = ? WHERE id = ?", (me, row_id))
            return self._row(connection, row_id)

        return self.store.begin(work)

    def give_later(self, row_id: int) -> Pending[None]:
        """Let others go on with a row."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE rows SET owner = NULL WHERE id = ?", (row_id,))

        return self.store.begin(work)

    def recover_later(self) -> Pending[int]:
        """Free the rows of processes that are gone; their open intents become unknown.

        Returns (in the future):
            How many became unknown.
        """

        def work(connection: sqlite3.Connection) -> int:
            sql = "SELECT DISTINCT owner FROM rows WHERE owner IS NOT NULL"
            owners = [found[0] for found in connection.execute(sql).fetchall()]
            gone = [
                owner
                for owner in owners
                if owner != self.store.owner and not self._is_alive(connection, owner)
            ]
            return sum(self._bury(connection, owner) for owner in gone)

        return self.store.begin(work)

    def recover(self) -> int:
        """The same, waited for."""
        return self.recover_later().result()

    def _is_alive(self, connection: sqlite3.Connection, owner: str) -> bool:
        """Its lock is held, and its lease hasn't ended: whoever sleeps too long loses its rows."""
        sql = "SELECT until FROM owners WHERE id = ?"
        found = connection.execute(sql, (owner,)).fetchone()
        if found is not None and found[0] < self.wall():
            return False
        return is_held(self.store.locks / owner)

    def _bury(self, connection: sqlite3.Connection, owner: str) -> int:
        sql = "SELECT id FROM rows WHERE owner = ? AND state = 'submitting'"
        lost = [found[0] for found in connection.execute(sql, (owner,)).fetchall()]
        why = "the program ended while the request was open: it was perhaps accepted"
        change = Change("unknown", columns={"owner": None, "error": why})
        moves.take(connection, self.store, [Move(row_id, lambda *_: change) for row_id in lost])
        connection.execute("UPDATE rows SET owner = NULL WHERE owner = ?", (owner,))
        connection.execute("DELETE FROM owners WHERE id = ?", (owner,))
        return len(lost)

    # steps

    def _move(self, row_id: int, decide: Decide, *, lingers: bool = False) -> Pending[Row]:
        """A step, which is taken together with those that come at the same time.

        What nobody waits for to buy the next row lingers for one that somebody does wait for.
        """
        return self.store.join(moves.take, Move(row_id, decide), lingers=lingers)

    def _arrow(
        self,
        row_id: int,
        before: str | tuple[str, ...],
        after: State,
        *,
        reserved: int | None = None,
        **columns: Any,
    ) -> Pending[Row]:
        """An arrow that only the row's holder may take: a lease may have ended unnoticed."""

        def decide(row: Row, desk: Desk) -> Change:
            if row.state not in (before if isinstance(before, tuple) else (before,)):
                raise moves.wrong(row, after)
            desk.check_held(row)
            return Change(after, reserved=reserved, columns=columns)

        return self._move(row_id, decide, lingers=after in ("downloaded", "verified"))

    def _row(self, connection: sqlite3.Connection, row_id: int) -> Row:
        sql = f"SELECT {ROW_COLUMNS} FROM bought WHERE id = ?"
        found = connection.execute(sql, (row_id,)).fetchone()
        if found is None:
            raise LedgerError(f"the ledger knows no row {row_id}", path=self.path)
        return read_row(found)


def _check_cap(desk: Desk, row: Row, cap: Decimal | None) -> None:
    if cap is None:
        return
    if row.price_micro is None:
        raise BudgetError(
            f"no price is known for {row.model}, so ${cap} can't be kept", limit_usd=cap
        )
    bound = desk.bound(row.run_id)
    if bound + row.price_micro > states.cap_micro(cap):
        raise BudgetError(
            f"${to_usd(bound)} is spent or reserved, and ${to_usd(row.price_micro)} more "
            f"would be above the ${cap} allowed",
            cost_usd=to_usd(bound + row.price_micro),
            limit_usd=cap,
        )
