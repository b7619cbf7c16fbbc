"""The ledger's writer: one thread that takes what many hand in, in durable groups."""

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

from nanorecipes.batch import ledger_file
from nanorecipes.batch.locks import Lock
from nanorecipes.batch.pending import Pending, settle
from nanorecipes.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Bulk: TypeAlias = Callable[[sqlite3.Connection, "Store", list[Any]], Sequence[Any]]
"""Does work for several items; gives for each what came of it, or an error."""
End: TypeAlias = tuple[Pending[Any], Any, "Exception | None"]

LEASE_S = 120.0
"""How long a silent process keeps its rows, where its lock can't tell that it has gone."""
LARGEST_GROUP = 256
LINGER_S = 0.003
"""How long work that isn't in a hurry waits for other work, to share its commit."""
REST_S = 0.008
"""How long after a commit work that is in a hurry waits for its company, to share the next one."""


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
        self.company = 1
        """How much work that is in a hurry may come at about the same time."""
        self._lock: Lock | None = None
        if create and not path.exists():
            ledger_file.make(path)
        ledger_file.check_header(path)
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            raise PermissionError(errno.EACCES, "the ledger can't be written", str(path))
        self._connection = ledger_file.connect(path, setup)
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._settled = threading.Condition()
        self._closing = self._dozes = False
        self._is_idle = True
        self._hurried = 0
        self._beat_at = self._rests_until = 0.0
        self._thread = threading.Thread(target=self._write, name="nanorecipes-ledger", daemon=True)
        self._thread.start()

    @property
    def locks(self) -> Path:
        """The folder in which living processes hold their locks."""
        return self.path.with_name(f"{self.path.name}.locks")

    @property
    def lock_handle(self) -> int | None:
        """The file by which others see that this process lives, once it has taken rows."""
        return self._lock.handle if self._lock is not None else None

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
            if not lingers:
                self._hurried += 1
            # Waking a thread costs as much as a step itself.
            if self._dozes if lingers else self._hurried == 1 or self._hurried >= self.company:
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
                if not self._hurried and not self._closing:
                    self._wait()
                self._dozes = False
                self._gather()
                count = min(len(self._jobs), LARGEST_GROUP)
                taken = [self._jobs.popleft() for _ in range(count)]
                self._hurried = len(self._jobs)
                if not taken and self._closing:
                    return
            if taken or self._must_beat():
                self._group(taken)
                self._rests_until = time.monotonic() + REST_S

    def _must_beat(self) -> bool:
        return self._lock is not None and self.wall() >= self._beat_at

    def _wait(self) -> None:
        """Wait for work; a moment is enough for what may linger, and comes to nothing at times."""
        if not self._jobs and self._is_idle:
            self._dozes = True
            self._wake.wait(self.lease_s / 4)
        if not self._hurried and not self._closing:
            self._wake.wait(LINGER_S)
        self._is_idle = not self._jobs

    def _gather(self) -> None:
        """Shortly after a commit, let those who wait for the next one come together."""
        while 0 < self._hurried < self.company and not self._closing:
            left = self._rests_until - time.monotonic()
            if left <= 0:
                return
            self._wake.wait(left)

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
            error = ledger_file.explain(self.path, exc) if isinstance(exc, sqlite3.Error) else exc
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
