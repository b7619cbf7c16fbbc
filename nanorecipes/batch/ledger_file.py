"""The ledger's file: made whole, looked at before it is believed, and what SQLite says in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from typing import TYPE_CHECKING

from nanorecipes.durable import sync_path
from nanorecipes.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID = 0x4E52_4C47
FORMAT = 2
BUSY_S = 30.0
LOOKED_THROUGH_BYTES = 16 * 1024 * 1024
"""Up to this size the whole file is checked each time it is opened."""

SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, place TEXT UNIQUE, recipe TEXT NOT NULL,
    backend TEXT NOT NULL, base_url TEXT NOT NULL, is_sandbox INTEGER NOT NULL, out TEXT,
    cap_micro INTEGER, started_at REAL NOT NULL,
    reserved_micro INTEGER NOT NULL DEFAULT 0, spent_micro INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE rows (
    id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, key TEXT NOT NULL, copy INTEGER NOT NULL,
    state TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, owner TEXT, task_id TEXT,
    recipe TEXT NOT NULL, recipe_hash TEXT NOT NULL, model TEXT NOT NULL, price_micro INTEGER,
    reserved_micro INTEGER NOT NULL DEFAULT 0, spent_micro INTEGER NOT NULL DEFAULT 0,
    pictures TEXT, files TEXT, error TEXT, submitted_at REAL, updated_at REAL NOT NULL,
    UNIQUE (run_id, key, copy)
) STRICT;
CREATE TABLE requests (row_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE VIEW bought AS SELECT rows.*, requests.text AS request
    FROM rows LEFT JOIN requests ON requests.row_id = rows.id;
CREATE TRIGGER rows_verified AFTER UPDATE OF state ON rows WHEN NEW.state = 'verified'
    BEGIN DELETE FROM requests WHERE row_id = NEW.id; END;
CREATE INDEX rows_owner ON rows (owner) WHERE owner IS NOT NULL;
CREATE INDEX rows_task ON rows (task_id) WHERE task_id IS NOT NULL;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, row_id INTEGER NOT NULL, at REAL NOT NULL, before TEXT NOT NULL,
    after TEXT NOT NULL, attempt INTEGER NOT NULL, reserved_micro INTEGER NOT NULL,
    spent_micro INTEGER NOT NULL, note TEXT
) STRICT;
CREATE TABLE owners (id TEXT PRIMARY KEY, pid INTEGER NOT NULL, until REAL NOT NULL) STRICT;
CREATE TABLE lines (
    run_id TEXT NOT NULL, number INTEGER NOT NULL, row_id INTEGER, error TEXT,
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;
"""


def make(path: Path) -> None:
    """Make the file beside its place, whole, then give it its name: no half of one is ever seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (f"{path.name}-wal", f"{path.name}-journal"):
        if path.with_name(leftover).exists():
            raise LedgerError(
                f"the ledger {str(path)!r} is gone, but its {leftover!r} is there",
                path=path,
                help="put the ledger back from where it was moved; "
                "starting over could pay for everything again",
            )
    _ignore_in_git(path.parent)
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
                f"BEGIN; {SCHEMA} COMMIT;"
            )
        finally:
            connection.close()
        _name(draft, path)
    except sqlite3.Error as exc:
        raise explain(path, exc) from exc
    finally:
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                draft.with_name(f"{draft.name}{ending}").unlink()


def _name(draft: Path, path: Path) -> None:
    """Give the draft its name, unless another process was first."""
    with contextlib.suppress(FileExistsError):
        try:
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if not path.exists():
                draft.replace(path)
    sync_path(path.parent)


def _ignore_in_git(folder: Path) -> None:
    """A ledger is about one machine's purchases and holds inputs: not for a repository."""
    mark = folder / ".gitignore"
    if folder.name == ".nanorecipes" and not mark.exists():
        mark.write_text("*\n", encoding="ascii")


def check_header(path: Path) -> None:
    """Say at once when the file is torn: SQLite takes an empty one for a new one."""
    with path.open("rb") as file:
        head = file.read(100)
        size = file.seek(0, os.SEEK_END)
    if size == 0 or len(head) < 100:
        raise _damaged(path, f"it holds {size} bytes, so it was cut off")
    if not head.startswith(b"SQLite format 3\x00"):
        raise _damaged(path, "it doesn't begin as an SQLite file does")
    if int.from_bytes(head[68:72]) != APPLICATION_ID:
        raise LedgerError(
            f"{str(path)!r} is an SQLite file, but no ledger of nanorecipes",
            path=path,
            help="name another file",
        )
    found = int.from_bytes(head[60:64])
    if found != FORMAT:
        which, advice = ("a newer", "update") if found > FORMAT else ("an older", "go on with that")
        raise LedgerError(
            f"{str(path)!r} was written by {which} nanorecipes",
            path=path,
            help=f"{advice} nanorecipes",
        )
    page = int.from_bytes(head[16:18])
    expected = (65536 if page == 1 else page) * int.from_bytes(head[28:32])
    wal = path.with_name(f"{path.name}-wal")
    if size < expected and not (wal.exists() and wal.stat().st_size):
        raise _damaged(path, f"it holds {size} of {expected} bytes, so it was cut off")


def connect(path: Path, setup: str) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # as in `durable`; elsewhere it does nothing
        connection.execute("PRAGMA temp_store = MEMORY")
        if path.stat().st_size <= LOOKED_THROUGH_BYTES:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise _damaged(path, said.splitlines()[-1])
        connection.executescript(setup)
    except BaseException as exc:
        if connection is not None:
            connection.close()
        if isinstance(exc, sqlite3.Error):
            raise explain(path, exc) from exc
        raise
    return connection


def explain(path: Path, exc: sqlite3.Error) -> LedgerError:
    """SQLite's error as ours, with what to do next."""
    name = getattr(exc, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _damaged(path, str(exc))
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return LedgerError(
            f"the ledger {str(path)!r} can't be written: {exc}; nothing more is sent",
            path=path,
            help="make room on the disk, and run the same command again",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LedgerError(
            f"the ledger {str(path)!r} is kept busy by another process",
            path=path,
            help="run the same command again when that one has finished",
        )
    return LedgerError(
        f"the ledger {str(path)!r} can't be used: {exc}",
        path=path,
        help="check that the file and its folder can be written",
    )


def _damaged(path: Path, what: str) -> LedgerError:
    return LedgerError(
        f"the ledger {str(path)!r} is damaged: {what}",
        path=path,
        help="put back a copy of it, or save what can be read with SQLite's .recover; move it away "
        "only when nothing that it knew is to be kept: it is never started over by itself",
    )
