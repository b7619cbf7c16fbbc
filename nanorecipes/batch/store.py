"""The ledger's file: opened, looked at, and written by one thread in durable groups."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from nanorecipes.batch.locks import Lock
from nanorecipes.batch.pending import Pending, settle
from nanorecipes.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Bulk: TypeAlias = Callable[[sqlite3.Connection, "Store", list[Any]], Sequence[Any]]
"""Does work for several items; gives for each what came of it, or an error."""
End: TypeAlias = tuple[Pending[Any], Any, "Exception | None"]

APPLICATION_ID = 0x4E52_4C47
FORMAT = 2
LEASE_S = 120.0
"""How long a silent process keeps its rows, where its lock can't tell that it has gone."""
BUSY_S = 30.0
LOOKED_THROUGH_BYTES = 16 * 1024 * 1024
"""Up to this size the whole file is checked each time it is opened."""
LARGEST_GROUP = 256
LINGER_S = 0.003
"""How long work that isn't in a hurry waits for other work, to share its commit."""

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


class _Job(NamedTuple):
    """Work that waits for its group: a function, or an item for one that takes many."""

    pending: Pending[Any]
    work: Callable[[sqlite3.Connection], Any] | None = None
    bulk: Bulk | None = None
    item: Any = None


class Store:
    """One SQLite file in WAL mode, synchronous to the disk; threads and processes may share it.

    Args:
        path: the file; made when it is absent, unless `create` is false.
        create: whether an absent file is made.
        setup: statements for the connection alone, such as temporary views.
        wall: seconds since 1970.
        lease_s: how long a silent process keeps its rows.

    Raises:
        LedgerError: the file is torn, damaged, or no ledger.
        OSError: the place can't be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        setup: str = "",
        wall: Callable[[], float] = time.time,
        lease_s: float = LEASE_S,
    ) -> None:
        self.path = path
        self.wall = wall
        self.lease_s = lease_s
        self.owner = uuid.uuid4().hex
        self._lock: Lock | None = None
        if create and not path.exists():
            _make(path)
        _check_header(path)
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            raise PermissionError(errno.EACCES, "the ledger can't be written", str(path))
        self._connection = _connect(path, setup)
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._settled = threading.Condition()
        self._closing = self._hurries = self._dozes = False
        self._is_idle = True
        self._beat_at = 0.0
        self._thread = threading.Thread(target=self._write, name="nanorecipes-ledger", daemon=True)
        self._thread.start()

    @property
    def locks(self) -> Path:
        """The folder in which living processes hold their locks."""
        return self.path.with_name(f"{self.path.name}.locks")

    def begin(self, work: Callable[[sqlite3.Connection], T]) -> Pending[T]:
        """Hand in work; it is done when it lies on the disk, with what else came then.

        Work that raises leaves no trace; the others of its group are kept.
        """
        return self._hand_in(_Job(Pending(self._settled), work))

    def join(self, bulk: Bulk, item: Any, *, lingers: bool = False) -> Pending[Any]:
        """Hand in an item of work that is done for many at once; errors are among its results.

        Args:
            bulk: does it for several, and writes only when nothing can go wrong any more.
            item: what it takes.
            lingers: whether it may wait a moment for company that is in a hurry.
        """
        return self._hand_in(_Job(Pending(self._settled), bulk=bulk, item=item), lingers)

    def _hand_in(self, job: _Job, lingers: bool = False) -> Pending[Any]:
        with self._wake:
            if self._closing:
                raise LedgerError(f"the ledger {str(self.path)!r} is closed", path=self.path)
            self._jobs.append(job)
            self._hurries |= not lingers
            if not lingers or self._dozes:  # waking a thread costs as much as a step itself
                self._wake.notify()
        return job.pending

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same, and wait for it."""
        return self.begin(work).result()

    def register(self, connection: sqlite3.Connection) -> str:
        """Make this process known as one that lives and may hold rows; gives its name."""
        if self._lock is None:
            self._lock = Lock(self.locks / self.owner)
            self._beat(connection)
        return self.owner

    def close(self) -> None:
        """Wait for what was handed in, give all rows free, and close the file."""
        if self._lock is not None and not self._closing:
            with contextlib.suppress(LedgerError):
                self.do(self._leave)
        self._stop()
        if self._lock is not None:
            self._lock.release()

    def _stop(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        self._connection.close()

    def _leave(self, connection: sqlite3.Connection) -> None:
        mine = (self.owner,)
        # An intent whose answer never came stays with its owner, who is about to be gone:
        # whoever looks next finds it so, and marks it unknown.
        sql = "UPDATE rows SET owner = NULL WHERE owner = ? AND state <> 'submitting'"
        connection.execute(sql, mine)
        held = connection.execute("SELECT 1 FROM rows WHERE owner = ? LIMIT 1", mine).fetchone()
        if held is None:
            connection.execute("DELETE FROM owners WHERE id = ?", mine)

    # the writing thread

    def _write(self) -> None:
        while True:
            with self._wake:
                if not self._hurries and not self._closing:
                    self._wait()
                self._dozes = False
                count = min(len(self._jobs), LARGEST_GROUP)
                taken = [self._jobs.popleft() for _ in range(count)]
                self._hurries = bool(self._jobs)
                if not taken and self._closing:
                    return
            if taken or self._must_beat():
                self._group(taken)

    def _must_beat(self) -> bool:
        return self._lock is not None and self.wall() >= self._beat_at

    def _wait(self) -> None:
        """Wait for work; a moment is enough for what may linger, and comes to nothing at times."""
        if not self._jobs and self._is_idle:
            self._dozes = True
            self._wake.wait(self.lease_s / 4)
        if not self._hurries and not self._closing:
            self._wake.wait(LINGER_S)
        self._is_idle = not self._jobs

    def _group(self, jobs: list[_Job]) -> None:
        connection = self._connection
        ends: list[End] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            if self._must_beat():
                self._beat(connection)
            for bulk, some in groupby(jobs, lambda job: job.bulk):
                together = list(some)
                ends += self._together(bulk, together) if bulk else map(self._one, together)
            connection.execute("COMMIT")
        except Exception as exc:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            error = explain(self.path, exc) if isinstance(exc, sqlite3.Error) else exc
            ends = [(job.pending, None, error) for job in jobs]
        settle(self._settled, ends)

    def _one(self, job: _Job) -> End:
        assert job.work is not None
        value, error = self._alone(job.work)
        return job.pending, value, error

    def _together(self, bulk: Bulk, jobs: list[_Job]) -> list[End]:
        values = bulk(self._connection, self, [job.item for job in jobs])
        return [
            (job.pending, None, end) if isinstance(end, Exception) else (job.pending, end, None)
            for job, end in zip(jobs, values, strict=True)
        ]

    def _alone(self, work: Callable[[sqlite3.Connection], Any]) -> tuple[Any, Exception | None]:
        """Do some work so that it leaves no trace when it raises."""
        connection = self._connection
        connection.execute("SAVEPOINT one")
        value, raised = None, None
        try:
            value = work(connection)
        except sqlite3.Error:
            raise
        except Exception as exc:
            connection.execute("ROLLBACK TO one")
            raised = exc
        connection.execute("RELEASE one")
        return value, raised

    def _beat(self, connection: sqlite3.Connection) -> None:
        now = self.wall()
        self._beat_at = now + self.lease_s / 4
        connection.execute(
            "INSERT INTO owners VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET until = ?3",
            (self.owner, os.getpid(), now + self.lease_s),
        )


def _make(path: Path) -> None:
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
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _ignore_in_git(folder: Path) -> None:
    """A ledger is about one machine's purchases and holds inputs: not for a repository."""
    mark = folder / ".gitignore"
    if folder.name == ".nanorecipes" and not mark.exists():
        mark.write_text("*\n", encoding="ascii")


def _check_header(path: Path) -> None:
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


def _connect(path: Path, setup: str) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        if path.stat().st_size <= LOOKED_THROUGH_BYTES:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise _damaged(path, said)
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
