"""The ledger: what was planned, bought, fetched and checked, each step a durable commit."""

# ruff: noqa: S608  # names of columns are constants of this package; values are always bound

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes.batch import states
from nanorecipes.batch.locks import is_held
from nanorecipes.batch.states import ARROWS, State, to_micro, to_usd
from nanorecipes.batch.store import LEASE_S, Store
from nanorecipes.errors import BudgetError, LedgerError

if TYPE_CHECKING:
    from types import TracebackType

TASK_LIFE_S = 4 * 3600.0
"""How long a task is asked for after it was submitted."""

FOLDER = ".nanorecipes"
FILE = "ledger.sqlite"


@dataclass(frozen=True, slots=True)
class Run:
    """One command or one catalogue: where it sends, where its pictures go, what it has cost."""

    id: str
    kind: str
    place: str | None
    recipe: str
    backend: str
    base_url: str
    is_sandbox: bool
    out: str | None
    cap_micro: int | None
    started_at: float
    reserved_micro: int
    spent_micro: int


@dataclass(frozen=True, slots=True)
class Row:
    """One picture's purchase, as the ledger knows it."""

    id: int
    run_id: str
    key: str
    copy: int
    state: State
    attempt: int
    owner: str | None
    task_id: str | None
    recipe: str
    recipe_hash: str
    model: str
    price_micro: int | None
    reserved_micro: int
    spent_micro: int
    pictures: tuple[Mapping[str, Any], ...]
    """Where the service keeps them: URL, size and type of each."""
    files: tuple[Mapping[str, Any], ...]
    """What lies on the disk: path and SHA-256 of each."""
    error: str | None
    submitted_at: float | None
    updated_at: float
    request: str | None
    """The request as JSON, kept until the row is verified."""

    @property
    def name(self) -> str:
        """The row's key, with its number where the same is bought several times."""
        return self.key if self.copy == 0 else f"{self.key}-{self.copy + 1}"

    @property
    def price(self) -> Decimal | None:
        """The estimated USD of one attempt."""
        return None if self.price_micro is None else to_usd(self.price_micro)

    @property
    def spent(self) -> Decimal:
        """USD charged over all attempts, as far as is known."""
        return to_usd(self.spent_micro)


@dataclass(frozen=True, slots=True)
class Plan:
    """A row about to be bought."""

    key: str
    recipe: str
    recipe_hash: str
    model: str
    price: Decimal | None
    request: str
    copy: int = 0
    number: int | None = None
    """The table's row, from 1."""


_ROW = (
    "id, run_id, key, copy, state, attempt, owner, task_id, recipe, recipe_hash, model, "
    "price_micro, reserved_micro, spent_micro, pictures, files, error, submitted_at, updated_at, "
    "request"
)
_RUN = (
    "id, kind, place, recipe, backend, base_url, is_sandbox, out, cap_micro, started_at, "
    "reserved_micro, spent_micro"
)


def read_row(values: Sequence[Any]) -> Row:
    """A row from its columns in the order of `_ROW`."""
    made = list(values)
    made[14] = tuple(json.loads(made[14])) if made[14] else ()
    made[15] = tuple(json.loads(made[15])) if made[15] else ()
    return Row(*made)


def read_run(values: Sequence[Any]) -> Run:
    """A run from its columns in the order of `_RUN`."""
    made = list(values)
    made[6] = bool(made[6])
    return Run(*made)


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
        self.store = Store(self.path, create=create, wall=wall, lease_s=lease_s)

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
            found = connection.execute(f"SELECT {_RUN} FROM runs WHERE {where} = ?", (value,))
            return read_run(found.fetchone())

        return self.store.do(work)

    def plan_later(self, run_id: str, plans: Sequence[Plan]) -> Future[list[Row]]:
        """Enter rows as planned; those that are known already come as they are.

        Rows that were left open by nobody alive become this process's own.
        """

        def work(connection: sqlite3.Connection) -> list[Row]:
            return [self._plan(connection, run_id, plan) for plan in plans]

        return self.store.begin(work)

    def plan(self, run_id: str, plan: Plan) -> Row:
        """The same for one, waited for."""
        return self.plan_later(run_id, [plan]).result()[0]

    def _plan(self, connection: sqlite3.Connection, run_id: str, plan: Plan) -> Row:
        price = None if plan.price is None else to_micro(plan.price)
        made = connection.execute(
            "INSERT INTO rows (run_id, key, copy, state, recipe, recipe_hash, model, price_micro, "
            "updated_at, request) VALUES (?, ?, ?, 'planned', ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (run_id, key, copy) DO NOTHING RETURNING id",
            (run_id, plan.key, plan.copy, plan.recipe, plan.recipe_hash, plan.model, price,
             self.wall(), plan.request),
        ).fetchone()  # fmt: skip
        if made is not None:
            _event(connection, made[0], self.wall(), "", "planned", 0)
        row = read_row(
            connection.execute(
                f"SELECT {_ROW} FROM rows WHERE run_id = ? AND key = ? AND copy = ?",
                (run_id, plan.key, plan.copy),
            ).fetchone()
        )
        if plan.number is not None:
            _line(connection, run_id, plan.number, row.id, None)
        return row

    def rows_later(self, ids: Sequence[int]) -> Future[list[Row]]:
        """Rows as they stand now."""

        def work(connection: sqlite3.Connection) -> list[Row]:
            return [self._row(connection, row_id) for row_id in ids]

        return self.store.begin(work)

    def lines_later(self, run_id: str, bad: Mapping[int, str]) -> Future[None]:
        """Remember the table's rows that can't be bought, by number, with the reason."""

        def work(connection: sqlite3.Connection) -> None:
            for number, error in bad.items():
                _line(connection, run_id, number, None, error)

        return self.store.begin(work)

    # arrows

    def intend_later(self, row_id: int, cap: Decimal | None = None) -> Future[Row]:
        """planned -> submitting: reserve the price and say that a request is about to be sent.

        Raises (in the future):
            BudgetError: spent, reserved and this price would be more than the cap.
            LedgerError: the row isn't planned (any more).
        """

        def work(connection: sqlite3.Connection) -> Row:
            row = self._row(connection, row_id)
            _check_arrow(row, "submitting")
            self._check_cap(connection, row, cap)
            return self._move(
                connection, row, "submitting", reserved=row.price_micro or 0,
                attempt=row.attempt + 1, owner=self.store.register(connection),
                task_id=None, error=None, pictures=None,
            )  # fmt: skip

        return self.store.begin(work)

    def release_later(self, row_id: int, why: str) -> Future[Row]:
        """submitting -> planned: it was surely not bought."""
        return self._arrow(row_id, "submitting", "planned", reserved=0, owner=None, error=why)

    def submitted_later(self, row_id: int, attempt: int, task_id: str | None) -> Future[Row]:
        """submitting (or unknown) -> submitted: it was accepted, and is charged from here on.

        An acceptance that comes when the row has gone on without it, because its lease had ended,
        is entered as spent all the same.
        """

        def work(connection: sqlite3.Connection) -> Row:
            row = self._row(connection, row_id)
            if row.attempt != attempt or row.state not in ("submitting", "unknown"):
                return self._stray(connection, row, task_id)
            return self._move(
                connection, row, "submitted", reserved=0, spent=row.price_micro or 0,
                task_id=task_id, owner=self.store.register(connection), error=None,
                submitted_at=self.wall(),
            )  # fmt: skip

        return self.store.begin(work)

    def unknown_later(self, row_id: int, why: str) -> Future[Row]:
        """submitting -> unknown: sent, and no answer that says what became of it."""
        return self._arrow(row_id, "submitting", "unknown", owner=None, error=why)

    def refused_later(self, row_id: int, why: str) -> Future[Row]:
        """submitting -> refused (nothing charged) or submitted -> refused (charged)."""
        before = ("submitting", "submitted")
        return self._arrow(row_id, before, "refused", reserved=0, owner=None, error=why)

    def failed_later(self, row_id: int, why: str) -> Future[Row]:
        """submitted -> failed: it stays charged, as nothing says otherwise."""
        return self._arrow(row_id, "submitted", "failed", owner=None, error=why)

    def done_later(
        self, row_id: int, pictures: Iterable[Mapping[str, Any]], cost: Decimal | None
    ) -> Future[Row]:
        """submitted -> done: where the pictures lie, and what the service says that they cost."""

        def work(connection: sqlite3.Connection) -> Row:
            row = self._row(connection, row_id)
            if row.state != "submitted":
                raise _wrong(row, "done")
            self._check_held(row)
            correction = 0 if cost is None else to_micro(cost) - (row.price_micro or 0)
            note = {} if cost is None else {"cost_usd": str(cost)}
            return self._move(
                connection, row, "done", spent=correction, note=note,
                pictures=json.dumps(list(pictures)),
            )  # fmt: skip

        return self.store.begin(work)

    def downloaded_later(self, row_id: int, files: Iterable[Mapping[str, Any]]) -> Future[Row]:
        """done -> downloaded: the pictures lie on the disk, under these paths and digests."""
        kept = json.dumps(list(files))
        return self._arrow(row_id, "done", "downloaded", files=kept, error=None)

    def verified_later(self, row_id: int) -> Future[Row]:
        """downloaded -> verified: the files were read again and are what was received."""
        return self._arrow(row_id, "downloaded", "verified", owner=None, error=None, request=None)

    def again_later(self, row_id: int, why: str) -> Future[Row]:
        """downloaded -> done: the files aren't what was received; fetch them again."""
        return self._arrow(row_id, "downloaded", "done", files=None, error=why)

    def replan_later(self, row_id: int) -> Future[Row]:
        """failed, refused or unknown -> planned, on request; what is unknown counts as spent."""

        def work(connection: sqlite3.Connection) -> Row:
            row = self._row(connection, row_id)
            if row.state not in ("failed", "refused", "unknown"):
                raise _wrong(row, "planned")
            return self._move(
                connection, row, "planned", reserved=0, spent=row.reserved_micro, owner=None
            )

        return self.store.begin(work)

    def assume_charged_later(self, row_id: int) -> Future[Row]:
        """unknown -> failed: a person takes it as charged, and it isn't sent again."""

        def work(connection: sqlite3.Connection) -> Row:
            row = self._row(connection, row_id)
            if row.state != "unknown":
                raise _wrong(row, "failed")
            why = f"taken as charged: {row.error or 'no answer came'}"
            return self._move(
                connection, row, "failed", reserved=0, spent=row.reserved_micro, error=why
            )

        return self.store.begin(work)

    def trouble_later(self, row_id: int, why: str) -> Future[Row]:
        """Remember why a row stands where it stands; its state stays."""

        def work(connection: sqlite3.Connection) -> Row:
            connection.execute("UPDATE rows SET error = ? WHERE id = ?", (why, row_id))
            return self._row(connection, row_id)

        return self.store.begin(work)

    # who holds what

    def take_later(self, row_id: int) -> Future[Row | None]:
        """Make a row that was paid for this process's own; None while another one has it."""

        def work(connection: sqlite3.Connection) -> Row | None:
            row = self._row(connection, row_id)
            me = self.store.register(connection)
            if row.owner not in (None, me) and self._is_alive(connection, row.owner):
                return None
            connection.execute("UPDATE rows SET owner = ? WHERE id = ?", (me, row_id))
            return self._row(connection, row_id)

        return self.store.begin(work)

    def give_later(self, row_id: int) -> Future[None]:
        """Let others go on with a row."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE rows SET owner = NULL WHERE id = ?", (row_id,))

        return self.store.begin(work)

    def recover_later(self) -> Future[int]:
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
        sql = f"SELECT {_ROW} FROM rows WHERE owner = ? AND state = 'submitting'"
        lost = [read_row(found) for found in connection.execute(sql, (owner,)).fetchall()]
        for row in lost:
            why = "the program ended while the request was open: it was perhaps accepted"
            self._move(connection, row, "unknown", owner=None, error=why)
        connection.execute("UPDATE rows SET owner = NULL WHERE owner = ?", (owner,))
        connection.execute("DELETE FROM owners WHERE id = ?", (owner,))
        return len(lost)

    # the one place where a state changes

    def _arrow(
        self,
        row_id: int,
        before: str | tuple[str, ...],
        after: State,
        *,
        reserved: int | None = None,
        **columns: Any,
    ) -> Future[Row]:
        """An arrow that only the row's holder may take: a lease may have ended unnoticed."""

        def work(connection: sqlite3.Connection) -> Row:
            row = self._row(connection, row_id)
            if row.state not in (before if isinstance(before, tuple) else (before,)):
                raise _wrong(row, after)
            self._check_held(row)
            return self._move(connection, row, after, reserved=reserved, **columns)

        return self.store.begin(work)

    def _row(self, connection: sqlite3.Connection, row_id: int) -> Row:
        found = connection.execute(f"SELECT {_ROW} FROM rows WHERE id = ?", (row_id,)).fetchone()
        if found is None:
            raise LedgerError(f"the ledger knows no row {row_id}", path=self.path)
        return read_row(found)

    def _check_held(self, row: Row) -> None:
        if row.owner != self.store.owner:
            raise LedgerError(
                f"row {row.name} is no longer held by this process: its lease had ended",
                path=self.path,
                help="`nanorecipes runs` shows where it stands",
            )

    def _check_cap(self, connection: sqlite3.Connection, row: Row, cap: Decimal | None) -> None:
        if cap is None:
            return
        if row.price_micro is None:
            raise BudgetError(
                f"no price is known for {row.model}, so ${cap} can't be kept", limit_usd=cap
            )
        sql = "SELECT spent_micro + reserved_micro FROM runs WHERE id = ?"
        bound = int(connection.execute(sql, (row.run_id,)).fetchone()[0])
        if bound + row.price_micro > states.cap_micro(cap):
            raise BudgetError(
                f"${to_usd(bound)} is spent or reserved, and ${to_usd(row.price_micro)} more "
                f"would be above the ${cap} allowed",
                cost_usd=to_usd(bound + row.price_micro),
                limit_usd=cap,
            )

    def _move(
        self,
        connection: sqlite3.Connection,
        row: Row,
        after: State,
        *,
        reserved: int | None = None,
        spent: int = 0,
        note: Mapping[str, Any] | None = None,
        **columns: Any,
    ) -> Row:
        """Take one arrow: the event, the row and the run's sums, all or nothing."""
        _check_arrow(row, after)
        now = self.wall()
        kept = row.reserved_micro if reserved is None else reserved
        change = kept - row.reserved_micro
        attempt = columns.pop("attempt", row.attempt)
        told = {key: columns[key] for key in ("task_id", "error") if columns.get(key)}
        _event(
            connection, row.id, now, row.state, after, attempt, change, spent,
            {**told, **(note or {})},
        )  # fmt: skip
        columns |= {
            "state": after, "attempt": attempt, "reserved_micro": kept,
            "spent_micro": row.spent_micro + spent, "updated_at": now,
        }  # fmt: skip
        names = ", ".join(f"{name} = ?" for name in columns)
        found = connection.execute(
            f"UPDATE rows SET {names} WHERE id = ? RETURNING {_ROW}", (*columns.values(), row.id)
        ).fetchone()
        _add(connection, row.run_id, change, spent)
        return read_row(found)

    def _stray(self, connection: sqlite3.Connection, row: Row, task_id: str | None) -> Row:
        """An acceptance that the row no longer waits for: charged, so it is entered."""
        spent = row.price_micro or 0
        _event(
            connection, row.id, self.wall(), row.state, row.state, row.attempt, 0, spent,
            {"stray": task_id},
        )  # fmt: skip
        sql = "UPDATE rows SET spent_micro = spent_micro + ? WHERE id = ?"
        connection.execute(sql, (spent, row.id))
        _add(connection, row.run_id, 0, spent)
        return self._row(connection, row.id)


def _event(
    connection: sqlite3.Connection,
    row_id: int,
    at: float,
    before: str,
    after: str,
    attempt: int,
    reserved: int = 0,
    spent: int = 0,
    note: Mapping[str, Any] | None = None,
) -> None:
    connection.execute(
        "INSERT INTO events (row_id, at, before, after, attempt, reserved_micro, spent_micro, note)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row_id, at, before, after, attempt, reserved, spent, json.dumps(note) if note else None),
    )


def _add(connection: sqlite3.Connection, run_id: str, reserved: int, spent: int) -> None:
    if reserved or spent:
        connection.execute(
            "UPDATE runs SET reserved_micro = reserved_micro + ?, spent_micro = spent_micro + ? "
            "WHERE id = ?",
            (reserved, spent, run_id),
        )


def _line(
    connection: sqlite3.Connection, run_id: str, number: int, row_id: int | None, error: str | None
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?)", (run_id, number, row_id, error)
    )


def _check_arrow(row: Row, after: State) -> None:
    if (row.state, after) not in ARROWS:
        raise _wrong(row, after)


def _wrong(row: Row, after: State) -> LedgerError:
    return LedgerError(f"row {row.name} is {row.state!r} and can't become {after!r}")
