"""Steps of many rows taken together: read at once, decided one by one, written at once.

A statement for each row would cost ten times as much, and would give up the interpreter's lock as
often. What is written is the same: each step is an event of its own, and either the whole group is
on the disk or nothing of it.
"""

# ruff: noqa: S608  # names of columns are constants of this package; values are always bound

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from nanorecipes.batch.records import ROW_COLUMNS, Row
from nanorecipes.batch.states import ARROWS, State
from nanorecipes.errors import BudgetError, LedgerError

if TYPE_CHECKING:
    import sqlite3

    from nanorecipes.batch.store import Store


class Change(NamedTuple):
    """What a step does to its row."""

    after: State | None = None
    """None where the row stays in its state."""
    reserved: int | None = None
    """Micro-dollars that are reserved from now on; None leaves them."""
    spent: int = 0
    """Micro-dollars more."""
    note: Mapping[str, Any] = {}
    columns: Mapping[str, Any] = {}
    is_event: bool = True


Decide: TypeAlias = Callable[[Row, "Desk"], Change]


class Move(NamedTuple):
    """A step that is wanted; what it does is decided when the row has been read."""

    row_id: int
    decide: Decide


_MICRO_S = 1_000_000
READ = (
    ", ".join(
        f"CAST(round(rows.{name} * {_MICRO_S}) AS INTEGER)"
        if name.endswith("_at")
        else f"rows.{name}"
        for name in ROW_COLUMNS.split(", ")[:-1]
    )
    + ", NULL"
)
"""The columns of a row as JSON keeps them; the request is of no use to a step."""

_WRITTEN = (
    "state", "attempt", "owner", "task_id", "reserved_micro", "spent_micro", "pictures", "files",
    "error", "submitted_at", "updated_at",
)  # fmt: skip
_ROWS = (
    f"UPDATE rows SET {', '.join(f'{name} = made.{name}' for name in _WRITTEN)} FROM (SELECT "
    + ", ".join(
        f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(("id", *_WRITTEN))
    )
    + " FROM json_each(NEW.rows)) AS made WHERE rows.id = made.id"
)
_EVENTS = (
    "INSERT INTO events (row_id, at, before, after, attempt, reserved_micro, spent_micro, note) "
    "SELECT " + ", ".join(f"json_extract(value, '$[{at}]')" for at in range(8))
    + " FROM json_each(NEW.events)"
)  # fmt: skip
_SUMS = (
    "UPDATE runs SET reserved_micro = reserved_micro + more.reserved, "
    "spent_micro = spent_micro + more.spent FROM (SELECT json_extract(value, '$[0]') AS id, "
    "json_extract(value, '$[1]') AS reserved, json_extract(value, '$[2]') AS spent "
    "FROM json_each(NEW.sums)) AS more WHERE runs.id = more.id"
)
PREPARE = (
    "CREATE TEMP VIEW taken AS SELECT NULL AS rows, NULL AS events, NULL AS sums;"
    "CREATE TEMP TRIGGER take INSTEAD OF INSERT ON taken "
    f"BEGIN {_ROWS}; {_EVENTS}; {_SUMS}; END;"
)
"""Lets one statement write what a whole group changes: each gives up the interpreter's lock."""
_TAKE = "INSERT INTO taken VALUES (?, ?, ?)"


def take(connection: sqlite3.Connection, store: Store, moves: Sequence[Move]) -> list[Any]:
    """Take steps in their order; gives for each the row as it then stands, or an error."""
    desk = Desk(connection, store, [move.row_id for move in moves])
    ends = [desk.move(move) for move in moves]
    desk.write()
    return ends


class Desk:
    """The rows of a group as they stand after the steps so far, and the sums of their runs."""

    def __init__(self, connection: sqlite3.Connection, store: Store, ids: Sequence[int]) -> None:
        self._connection = connection
        self._store = store
        self.now = store.wall()
        self._rows = {row.id: row for row in read_rows(connection, ids)}
        self._changed: dict[int, None] = {}
        self._events: list[list[Any]] = []
        self._sums: dict[str, list[int]] = {}
        """By run: micro-dollars that are reserved and spent more than before the group."""

    def owner(self) -> str:
        """This process, known from now on as one that lives and holds rows."""
        return self._store.register(self._connection)

    def check_held(self, row: Row) -> None:
        """Make sure that this process still holds a row: a lease may have ended unnoticed."""
        if row.owner != self._store.owner:
            raise LedgerError(
                f"row {row.name} is no longer held by this process: its lease had ended",
                path=self._store.path,
                help="`nanorecipes runs` shows where it stands",
            )

    def bound(self, run_id: str) -> int:
        """Micro-dollars that a run has spent or reserved."""
        sql = "SELECT spent_micro + reserved_micro FROM runs WHERE id = ?"
        before = int(self._connection.execute(sql, (run_id,)).fetchone()[0])
        return before + sum(self._sums.get(run_id, ()))

    def move(self, move: Move) -> Row | Exception:
        """Take one step; the row as it then stands, or why it can't be taken."""
        row = self._rows.get(move.row_id)
        if row is None:
            path = self._store.path
            return LedgerError(f"the ledger knows no row {move.row_id}", path=path)
        try:
            change = move.decide(row, self)
            if change.after is not None and (row.state, change.after) not in ARROWS:
                raise wrong(row, change.after)
        except (LedgerError, BudgetError) as exc:
            return exc
        return self._apply(row, change)

    def _apply(self, row: Row, change: Change) -> Row:
        after = change.after or row.state
        reserved = row.reserved_micro if change.reserved is None else change.reserved
        freed = reserved - row.reserved_micro
        made = row._replace(
            state=after, reserved_micro=reserved, spent_micro=row.spent_micro + change.spent,
            updated_at=row.updated_at if change.after is None else self.now, **change.columns,
        )  # fmt: skip
        if change.is_event:
            self._enter(row, made, freed, change)
        if freed or change.spent:
            sums = self._sums.setdefault(row.run_id, [0, 0])
            sums[0] += freed
            sums[1] += change.spent
        self._rows[row.id] = made
        self._changed[row.id] = None
        return made

    def _enter(self, row: Row, made: Row, freed: int, change: Change) -> None:
        told = {key: change.columns[key] for key in ("task_id", "error") if change.columns.get(key)}
        told |= change.note
        note = json.dumps(told) if told else None
        self._events.append(
            [row.id, self.now, row.state, made.state, made.attempt, freed, change.spent, note]
        )

    def write(self) -> None:
        """Write what has changed: the rows, the events, and the sums of the runs."""
        if self._changed:
            rows = [_written(self._rows[row_id]) for row_id in self._changed]
            sums = [[run_id, *more] for run_id, more in self._sums.items()]
            self._connection.execute(_TAKE, tuple(map(to_json, (rows, self._events, sums))))


def read_rows(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Row]:
    """Rows by their ids, all with one step of SQLite, without their requests."""
    sql = (
        f"SELECT json_group_array(json_array({READ})) FROM rows "
        "WHERE id IN (SELECT value FROM json_each(?))"
    )
    found = connection.execute(sql, (json.dumps(ids),)).fetchone()[0]
    return [read_json(values) for values in json.loads(found)]


def read_json(values: list[Any]) -> Row:
    """A row from its columns in the order of `READ`."""
    if values[17] is not None:
        values[17] /= _MICRO_S
    values[18] /= _MICRO_S
    return Row._make(values)


def _written(row: Row) -> list[Any]:
    return [
        row.id, row.state, row.attempt, row.owner, row.task_id, row.reserved_micro,
        row.spent_micro, row.pictures_text, row.files_text, row.error, row.submitted_at,
        row.updated_at,
    ]  # fmt: skip


def to_json(value: Any) -> str:
    """JSON for SQLite, which takes no half characters."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def wrong(row: Row, after: State) -> LedgerError:
    """A step that doesn't follow from where the row stands."""
    return LedgerError(f"row {row.name} is {row.state!r} and can't become {after!r}")
