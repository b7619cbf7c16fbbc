"""What the ledger is asked: runs, rows that wait for someone, costs, and whether it is sound."""

# ruff: noqa: S608  # names of columns are constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from nanorecipes.batch.ledger import Ledger
from nanorecipes.batch.records import ROW_COLUMNS, RUN_COLUMNS, Row, Run, read_row, read_run
from nanorecipes.batch.states import ARROWS, to_usd
from nanorecipes.errors import LedgerError
from nanorecipes.service.kept import KeptAnswers

if TYPE_CHECKING:
    from pathlib import Path

    from nanorecipes.batch.pending import Pending

CHUNK = 500

Group: TypeAlias = Literal["recipe", "day", "model"]


@dataclass(frozen=True, slots=True)
class RunState:
    """A run with how many of its rows stand in each state."""

    run: Run
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent on one group."""

    name: str
    usd: Decimal
    pictures: int
    """How many rows were bought at least once."""


class Line(NamedTuple):
    """One row of a table and what became of it: a purchase, or why there is none."""

    number: int
    row: Row | None
    error: str | None


LAST = "last"
"""The name of the newest run, whichever it is."""


def list_runs(ledger: Ledger, limit: int = 50) -> list[RunState]:
    """The latest runs, newest first."""

    def work(connection: sqlite3.Connection) -> list[RunState]:
        sql = f"SELECT {RUN_COLUMNS} FROM runs ORDER BY started_at DESC, id DESC LIMIT ?"
        found = [read_run(values) for values in connection.execute(sql, (limit,)).fetchall()]
        return [RunState(run, _counts(connection, run.id)) for run in found]

    return ledger.store.do(work)


def find_run(ledger: Ledger, name: str) -> RunState | None:
    """A run by its id or the beginning of it, where only one begins so; `last` is the newest."""
    if name == LAST:
        return next(iter(list_runs(ledger, 1)), None)

    def work(connection: sqlite3.Connection) -> RunState | None:
        where = "id = ?1 OR substr(id, 1, length(?1)) = ?1"
        sql = f"SELECT {RUN_COLUMNS} FROM runs WHERE {where} LIMIT 2"
        found = connection.execute(sql, (name,)).fetchall()
        if len(found) != 1:
            return None
        run = read_run(found[0])
        return RunState(run, _counts(connection, run.id))

    return ledger.store.do(work)


def run_later(ledger: Ledger, run_id: str) -> Pending[Run]:
    """A run as it stands now."""

    def work(connection: sqlite3.Connection) -> Run:
        sql = f"SELECT {RUN_COLUMNS} FROM runs WHERE id = ?"
        values = connection.execute(sql, (run_id,)).fetchone()
        if values is None:
            raise LedgerError(f"the ledger knows no run {run_id!r}", path=ledger.path)
        return read_run(values)

    return ledger.store.begin(work)


def find_place(ledger: Ledger, place: str) -> Run | None:
    """The run of a place, when the ledger knows it."""

    def work(connection: sqlite3.Connection) -> Run | None:
        values = connection.execute(
            f"SELECT {RUN_COLUMNS} FROM runs WHERE place = ?", (place,)
        ).fetchone()
        return read_run(values) if values else None

    return ledger.store.do(work)


def _counts(connection: sqlite3.Connection, run_id: str) -> dict[str, int]:
    sql = "SELECT state, count(*) FROM rows WHERE run_id = ? GROUP BY state"
    return dict(connection.execute(sql, (run_id,)).fetchall())


def rows_of(
    ledger: Ledger, *, run_id: str | None = None, states: Sequence[str] = ()
) -> Iterator[tuple[Row, Run]]:
    """Rows with their runs in the order of entry, of one run or in some states only."""
    last = 0
    while True:
        found = ledger.store.do(_page(run_id, tuple(states), last))
        yield from found
        if len(found) < CHUNK:
            return
        last = found[-1][0].id


def _page(run_id: str | None, states: tuple[str, ...], after: int) -> Any:
    marks = ", ".join("?" for _ in states)
    wanted = [f"state IN ({marks})"] if states else []
    wanted += ["run_id = ?"] if run_id is not None else []
    where = " AND ".join(["id > ?", *wanted])
    values = (after, *states, *([run_id] if run_id is not None else []), CHUNK)

    def work(connection: sqlite3.Connection) -> list[tuple[Row, Run]]:
        sql = f"SELECT {ROW_COLUMNS} FROM bought WHERE {where} ORDER BY id LIMIT ?"
        rows = [read_row(found) for found in connection.execute(sql, values).fetchall()]
        return [(row, _run(connection, row.run_id)) for row in rows]

    return work


def _run(connection: sqlite3.Connection, run_id: str) -> Run:
    sql = f"SELECT {RUN_COLUMNS} FROM runs WHERE id = ?"
    return read_run(connection.execute(sql, (run_id,)).fetchone())


def find_task(ledger: Ledger, task_id: str) -> tuple[Row, Run] | None:
    """The row of a task."""

    def work(connection: sqlite3.Connection) -> tuple[Row, Run] | None:
        sql = f"SELECT {ROW_COLUMNS} FROM bought WHERE task_id = ? ORDER BY id DESC LIMIT 1"
        found = connection.execute(sql, (task_id,)).fetchone()
        if found is None:
            return None
        row = read_row(found)
        return row, _run(connection, row.run_id)

    return ledger.store.do(work)


def unnamed_answers(ledger: Ledger) -> list[Path]:
    """Pictures that were kept for rows which never heard of them: the program ended in between."""
    kept = KeptAnswers.beside(ledger.path)
    names = kept.names()

    def work(connection: sqlite3.Connection) -> set[str]:
        sql = "SELECT task_id FROM rows WHERE task_id IN (SELECT value FROM json_each(?))"
        return {found[0] for found in connection.execute(sql, (json.dumps(names),))}

    named = ledger.store.do(work) if names else set()
    return [kept.path(name) for name in names if name not in named]


def lines(ledger: Ledger, run_id: str, last: int) -> Iterator[Line]:
    """What became of the table's rows up to a number, in their order."""
    *names, _ = ROW_COLUMNS.split(",")
    columns = ", ".join([*(f"rows.{name.strip()}" for name in names), "requests.text"])
    sql = (
        f"SELECT lines.number, lines.error, {columns} FROM lines "
        "LEFT JOIN rows ON rows.id = lines.row_id "
        "LEFT JOIN requests ON requests.row_id = rows.id "
        "WHERE lines.run_id = ? AND lines.number > ? AND lines.number <= ? "
        "ORDER BY lines.number LIMIT ?"
    )

    def page(after: int) -> list[Line]:
        def work(connection: sqlite3.Connection) -> list[Line]:
            found = connection.execute(sql, (run_id, after, last, CHUNK)).fetchall()
            return [
                Line(number, read_row(rest) if rest[0] is not None else None, error)
                for number, error, *rest in found
            ]

        return ledger.store.do(work)

    after = 0
    while True:
        found = page(after)
        yield from found
        if len(found) < CHUNK:
            return
        after = found[-1].number


_GROUPS = {
    "recipe": "rows.recipe",
    "model": "rows.model",
    "day": "strftime('%Y-%m-%d', events.at, 'unixepoch')",
}


def costs(ledger: Ledger, by: Group, *, sandbox: bool = False) -> list[Cost]:
    """What was spent, by recipe, model or day (UTC), the most first; days in their order.

    Args:
        ledger: the books.
        by: what to group by.
        sandbox: the emulator's costs, which are no money, instead of the real ones.
    """
    order = "1" if by == "day" else "2 DESC, 1"
    sql = (
        f"SELECT {_GROUPS[by]}, sum(events.spent_micro), "
        "count(DISTINCT CASE WHEN events.spent_micro > 0 THEN events.row_id END) "
        "FROM events JOIN rows ON rows.id = events.row_id JOIN runs ON runs.id = rows.run_id "
        f"WHERE runs.is_sandbox = ? AND events.spent_micro <> 0 GROUP BY 1 ORDER BY {order}"
    )

    def work(connection: sqlite3.Connection) -> list[Cost]:
        found = connection.execute(sql, (int(sandbox),)).fetchall()
        return [Cost(name, to_usd(micro), count) for name, micro, count in found]

    return ledger.store.do(work)


def check(ledger: Ledger) -> None:
    """Replay every event and compare with what the tables say.

    Raises:
        LedgerError: a step that doesn't follow from the one before, or a sum that differs.
    """
    ledger.store.do(lambda connection: _replay(connection, ledger))


def _replay(connection: sqlite3.Connection, ledger: Ledger) -> None:
    replayed: dict[int, tuple[str, int, int]] = {}
    sql = "SELECT row_id, before, after, reserved_micro, spent_micro, note FROM events ORDER BY seq"
    for row_id, before, after, reserved, spent, note in connection.execute(sql):
        state, held, paid = replayed.get(row_id, ("", 0, 0))
        is_stray = before == after and note is not None and '"stray"' in note
        if before != state or not (is_stray or (before, after) in ARROWS):
            raise LedgerError(
                f"row {row_id} went from {state!r} to {after!r}, which is no step",
                path=ledger.path,
            )
        replayed[row_id] = (after, held + reserved, paid + spent)
    sums: dict[str, tuple[int, int]] = {}
    sql = "SELECT id, run_id, state, reserved_micro, spent_micro FROM rows"
    for row_id, run_id, *now in connection.execute(sql):
        if replayed.pop(row_id, ("", 0, 0)) != tuple(now):
            raise LedgerError(f"row {row_id} is not what its events say", path=ledger.path)
        held, paid = sums.get(run_id, (0, 0))
        sums[run_id] = (held + now[1], paid + now[2])
    if replayed:
        raise LedgerError(f"{len(replayed)} rows are missing", path=ledger.path)
    for run_id, held, paid in connection.execute(
        "SELECT id, reserved_micro, spent_micro FROM runs"
    ):
        if sums.get(run_id, (0, 0)) != (held, paid):
            raise LedgerError(f"the sums of run {run_id} differ", path=ledger.path)
