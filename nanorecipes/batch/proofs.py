"""What the ledger knows of proofs: what each row is held to, what was found, which try is best."""

# ruff: noqa: S608  # names of columns are constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes.batch.keys import base_key, try_key
from nanorecipes.batch.ledger import Ledger
from nanorecipes.batch.queries import CHUNK
from nanorecipes.batch.records import ROW_COLUMNS, Row, read_row

if TYPE_CHECKING:
    from nanorecipes.batch.pending import Pending

# Beside the tables of purchases, and made only where something is proved: a ledger without proofs
# stays as it was, and an older program reads one that has them.
_TABLES = (
    "CREATE TABLE IF NOT EXISTS wants (run_id TEXT NOT NULL, key TEXT NOT NULL, "
    "copy INTEGER NOT NULL, source TEXT NOT NULL, terms TEXT NOT NULL, request TEXT, "
    "PRIMARY KEY (run_id, key, copy)) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS proofs (row_id INTEGER PRIMARY KEY, asked TEXT NOT NULL, "
    "verdict TEXT NOT NULL, score REAL, reasons TEXT NOT NULL, at REAL NOT NULL) STRICT",
)
_RANK = {"kept": 0, "not provable": 1, "unclear": 2, "drifted": 3}
"""Which of several tries is named: the first of these, then the one of the highest score."""


@dataclass(frozen=True, slots=True)
class Want:
    """What a row is to be held to."""

    source: Mapping[str, str]
    """Where the picture that is edited lies: a path, a URL, or why it can't be had."""
    terms: Mapping[str, Any]
    request: str | None = None
    """The request as JSON, for another try; None where it can't be sent again."""

    @property
    def asked(self) -> str:
        """What makes two proofs of the same picture the same."""
        from nanorecipes.service.agent import tool_version

        return json.dumps([tool_version(), self.terms, self.source], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Found:
    """What a proof came to."""

    verdict: str
    score: float | None
    reasons: tuple[str, ...]
    asked: str

    @property
    def rank(self) -> tuple[int, float]:
        """What is better comes first."""
        return _RANK.get(self.verdict, 9), -(self.score or 0.0)


class Try(NamedTuple):
    """One purchase of a row, and its proof where there is one."""

    row: Row
    found: Found | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A row of the table over all its tries."""

    tries: tuple[Try, ...]
    """In the order of purchase; the first is the row itself."""
    want: Want | None

    def of_turn(self, turn: int) -> Try | None:
        """The purchase of that turn: 1 is the row itself, 2 its first further try."""
        key = base_key(self.tries[0].row.key)
        wanted = key if turn == 1 else try_key(key, turn)
        return next((item for item in self.tries if item.row.key == wanted), None)

    @property
    def best(self) -> Try:
        """The try that results name: the best one that was proved, else the row itself."""
        proved = [item for item in self.tries if item.found and item.row.state == "verified"]
        return min(proved, key=_rank) if proved else self.tries[0]

    @property
    def spent_micro(self) -> int:
        """Micro-dollars over all tries."""
        return sum(item.row.spent_micro for item in self.tries)

    @property
    def bought(self) -> int:
        """How many of them were bought, or perhaps were."""
        return sum(item.row.attempt > 0 for item in self.tries)

    @property
    def needs_another(self) -> bool:
        """Whether a further try makes sense: the best drifted, and each try so far has come.

        Behind one that is open, that failed or was refused, or of which nobody knows, no further
        one is bought: a person looks first.
        """
        found = self.best.found
        has_come = all(item.row.state in ("verified", "planned") for item in self.tries)
        return found is not None and found.verdict == "drifted" and has_come


def _rank(item: Try) -> tuple[int, float]:
    assert item.found is not None
    return item.found.rank


class Proofs:
    """The proofs of one run in the ledger.

    Args:
        ledger: the books.
        run_id: the run.
    """

    def __init__(self, ledger: Ledger, run_id: str) -> None:
        self.ledger = ledger
        self.run_id = run_id

    def open(self) -> None:
        """Make room for proofs, where there is none yet."""

        def work(connection: sqlite3.Connection) -> None:
            for table in _TABLES:
                connection.execute(table)

        self.ledger.store.do(work)

    @property
    def is_open(self) -> bool:
        """Whether something of this ledger was ever to be proved."""
        return self.ledger.store.do(_has_tables)

    def want_later(self, wants: Sequence[tuple[str, int, Want]]) -> Pending[None]:
        """Remember what rows are held to, by key and copy."""
        values = [
            (self.run_id, key, copy, json.dumps(want.source), json.dumps(want.terms), want.request)
            for key, copy, want in wants
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO wants VALUES (?, ?, ?, ?, ?, ?)", values)

        return self.ledger.store.begin(work)

    def keep_later(self, row_id: int, found: Found) -> Pending[None]:
        """Write down what a proof came to."""
        values = (
            row_id, found.asked, found.verdict, found.score, json.dumps(found.reasons),
            self.ledger.wall(),
        )  # fmt: skip

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO proofs VALUES (?, ?, ?, ?, ?, ?)", values)

        return self.ledger.store.begin(work)

    def standing_later(self, number: int) -> Pending[Standing | None]:
        """A row of the table with all its tries; None where it has no purchase."""

        def work(connection: sqlite3.Connection) -> Standing | None:
            sql = "SELECT row_id FROM lines WHERE run_id = ? AND number = ?"
            found = connection.execute(sql, (self.run_id, number)).fetchone()
            if found is None or found[0] is None:
                return None
            return self._standing(connection, found[0])

        return self.ledger.store.begin(work)

    def standings(self, last: int) -> Iterator[tuple[int, Standing | None, str | None]]:
        """The table's rows up to a number, in order: number, tries, or why there are none."""
        after = 0
        while True:
            page = self.ledger.store.do(self._page(after, last))
            yield from page
            if len(page) < CHUNK:
                return
            after = page[-1][0]

    def _page(self, after: int, last: int) -> Any:
        sql = (
            "SELECT number, row_id, error FROM lines WHERE run_id = ? AND number > ? "
            "AND number <= ? ORDER BY number LIMIT ?"
        )

        def work(
            connection: sqlite3.Connection,
        ) -> list[tuple[int, Standing | None, str | None]]:
            found = connection.execute(sql, (self.run_id, after, last, CHUNK)).fetchall()
            return [
                (number, None if row_id is None else self._standing(connection, row_id), error)
                for number, row_id, error in found
            ]

        return work

    def _standing(self, connection: sqlite3.Connection, row_id: int) -> Standing:
        sql = f"SELECT {ROW_COLUMNS} FROM bought WHERE id = ?"
        first = read_row(connection.execute(sql, (row_id,)).fetchone())
        key = base_key(first.key)
        sql = (
            f"SELECT {ROW_COLUMNS} FROM bought WHERE run_id = ? AND copy = ? "
            "AND (key = ? OR (key > ? AND key < ?)) ORDER BY id"
        )
        values = (self.run_id, first.copy, key, f"{key}.try", f"{key}.trz")
        rows = [read_row(found) for found in connection.execute(sql, values).fetchall()]
        tries = tuple(Try(row, _found(connection, row.id)) for row in rows)
        sql = "SELECT source, terms, request FROM wants WHERE run_id = ? AND key = ? AND copy = ?"
        want = connection.execute(sql, (self.run_id, key, first.copy)).fetchone()
        if want is not None:
            want = Want(json.loads(want[0]), json.loads(want[1]), want[2])
        return Standing(tries, want)


def _has_tables(connection: sqlite3.Connection) -> bool:
    sql = "SELECT count(*) FROM sqlite_master WHERE name IN ('wants', 'proofs')"
    return bool(connection.execute(sql).fetchone()[0] == len(_TABLES))


def _found(connection: sqlite3.Connection, row_id: int) -> Found | None:
    sql = "SELECT verdict, score, reasons, asked FROM proofs WHERE row_id = ?"
    values = connection.execute(sql, (row_id,)).fetchone()
    if values is None:
        return None
    verdict, score, reasons, asked = values
    return Found(verdict, score, tuple(json.loads(reasons)), asked)
