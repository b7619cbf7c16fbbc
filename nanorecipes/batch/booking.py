"""Books kept along a flow: every note goes into the ledger before the flow's next step."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nanorecipes.batch.groups import bridged
from nanorecipes.batch.keys import row_key, to_text
from nanorecipes.batch.ledger import TASK_LIFE_S, Ledger, Plan, Row
from nanorecipes.batch.states import PAID
from nanorecipes.errors import (
    ApiError,
    AuthenticationError,
    ContentBlockedError,
    DownloadError,
    InsufficientCreditsError,
    LedgerError,
    OutcomeUnknownError,
    RateLimitError,
    TaskTimeoutError,
)
from nanorecipes.images import BadImageError
from nanorecipes.service.flow import Flow, Note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from nanorecipes.batch.pending import Pending
    from nanorecipes.request import Request

T = TypeVar("T")

WRITTEN = frozenset({"submitting", "retrying", "submitted", "done"})
"""The notes that change a row."""
UNSENT = "nothing was sent"
"""How the service's side words an error of which not one byte had left."""


@dataclass(frozen=True, slots=True)
class Booked(Note):
    """A note whose entry must be on the disk before the flow goes on."""

    entry: Entry


def booked(flow: Flow[T], entry: Entry | None, *, tells_all: bool = True) -> Flow[T]:
    """The same flow, with its notes on the way into the ledger; as it is without an entry.

    Args:
        flow: what is done.
        entry: its books.
        tells_all: whether somebody watches notes that change nothing as well.
    """
    if entry is None:
        return (yield from flow)
    answer: Any = None
    try:
        while True:
            try:
                step = flow.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(step, Note):
                if entry.skips(step) and not tells_all:
                    answer = None
                    continue
                step = Booked(step.kind, step.data, entry)
            answer = yield step
    finally:
        flow.close()


class Entry:
    """One row of the ledger along its flow.

    Args:
        ledger: the books.
        row: the row, as it stands.
        cap: USD that its run may cost in all.
    """

    def __init__(self, ledger: Ledger, row: Row | None, cap: Decimal | None = None) -> None:
        self.ledger = ledger
        self.cap = cap
        self._row = row
        self._last = ""
        self._open: list[Pending[Row]] = []
        self.state: str = row.state if row is not None else ""
        """Where the row will stand when all that was handed in is on the disk."""
        self.pictures = len(row.pictures) if row is not None else 0
        """How many pictures the service has made of it."""

    @property
    def row(self) -> Row:
        """The row as it stands, after the steps that were waited for."""
        assert self._row is not None
        return self._row

    def prepare(self) -> None:
        """Make sure that there is a row; called before the first request is sent."""

    def take(self, note: Note) -> None:
        """Write what a note says, and come back when it is on the disk."""
        if note.kind == "submitting" and self._row is None:
            self.prepare()
        for future in self._begin(note):
            self._know(future.result())

    def skips(self, note: Note) -> bool:
        """Whether a note changes nothing, so that it needn't be taken."""
        self._last = note.kind
        return note.kind not in WRITTEN

    async def take_async(self, note: Note) -> None:
        """The same without blocking."""
        if note.kind == "submitting" and self._row is None:
            await asyncio.to_thread(self.prepare)
        self._open += self._begin(note)
        if note.kind not in self.may_wait:
            await self.settle()

    may_wait: frozenset[str] = frozenset()
    """Notes whose steps are handed in at once, and waited for when the row is next used."""

    async def settle(self) -> None:
        """Wait for the steps that were handed in and not yet waited for."""
        while self._open:
            waited = list(self._open)  # they are taken in order: with the last one all have ended
            try:
                row = await bridged(waited[-1])
            except LedgerError as exc:
                raise next((e for step in waited if (e := step.exception())), exc) from None
            if waited[-1] not in self._open:  # someone else waited as well, and for more
                continue
            del self._open[: self._open.index(waited[-1]) + 1]
            self._row = row
            if not self._open:
                self.state = row.state

    async def step(self, future: Pending[Row]) -> None:
        """Wait for a step that was handed in. It happens even when the caller is cancelled."""
        await self.settle()
        self._know(await bridged(future))

    def hand_in(self, future: Pending[Row], state: str) -> None:
        """Take a step that was handed in, and is waited for later."""
        self._open.append(future)
        self.state = state

    def _know(self, row: Row) -> None:
        self._row, self.state = row, row.state

    def fail(self, error: BaseException) -> None:
        """Write what an error leaves behind; the error itself goes on."""
        future = self.fail_later(error)
        if future is not None:
            with contextlib.suppress(LedgerError):
                self._know(future.result())

    async def fail_async(self, error: BaseException) -> None:
        """The same without blocking."""
        with contextlib.suppress(LedgerError):
            await self.settle()
            future = self.fail_later(error)
            if future is not None:
                await self.step(future)

    def _begin(self, note: Note) -> list[Pending[Row]]:
        self._last = note.kind
        if self._row is None:
            return []
        ledger, row, data, state = self.ledger, self._row, note.data, self.state
        if note.kind == "submitting" and state == "planned":
            self.state = "submitting"
            return [ledger.intend_later(row.id, self.cap)]
        if note.kind == "retrying" and state == "submitting":
            self.state = "planned"
            return [ledger.release_later(row.id, str(data.get("reason", "")))]
        if note.kind == "submitted" and state == "submitting":
            self.state = "submitted"
            return [ledger.submitted_later(row.id, row.attempt, data.get("task_id"))]
        if note.kind == "done" and state in ("submitting", "submitted"):
            return self._done(row, data)
        return []

    def _done(self, row: Row, data: Mapping[str, Any]) -> list[Pending[Row]]:
        pictures = [{"url": url} for url in data.get("urls", ())]
        steps = []
        if self.state == "submitting":  # the answer came at once, and names no task
            steps.append(self.ledger.submitted_later(row.id, row.attempt, data.get("task_id")))
        steps.append(self.ledger.done_later(row.id, pictures, data.get("cost_usd")))
        self.state, self.pictures = "done", len(pictures)
        return steps

    def fail_later(self, error: BaseException) -> Pending[Any] | None:
        """What an error leaves behind, handed in; None where nothing changes."""
        row = self._row
        if row is None or isinstance(error, LedgerError):
            return None
        if row.state == "submitting":
            return self._sent(row, error)
        if row.state == "submitted" and isinstance(error, ApiError):
            return self._asked(row, error)
        if row.state == "done" and isinstance(error, DownloadError) and self._is_lost(row, error):
            return self.ledger.lost_later(row.id, error.message)
        if row.state in PAID and isinstance(error, ApiError):
            return self._noted(row, error)
        return None

    def _sent(self, row: Row, error: BaseException) -> Pending[Row]:
        """A request was handed over, and no task came of it."""
        ledger, why = self.ledger, str(error) or type(error).__name__
        if isinstance(error, OutcomeUnknownError):
            if error.task_id:
                return ledger.submitted_later(row.id, row.attempt, error.task_id)
            return ledger.unknown_later(row.id, why)
        if not isinstance(error, ApiError):  # stopped from outside while it was open
            return ledger.unknown_later(row.id, f"stopped while the request was open: {why}")
        if isinstance(error, RateLimitError) or error.status == 503 or UNSENT in error.message:
            return ledger.release_later(row.id, why)
        if isinstance(error, (AuthenticationError, InsufficientCreditsError)):
            return ledger.release_later(row.id, why)  # the account was refused, not the row
        if error.status is None:  # an answer was read, names no task, and tells of no picture
            return ledger.unknown_later(row.id, why)
        return ledger.refused_later(row.id, why)

    def _asked(self, row: Row, error: ApiError) -> Pending[Any]:
        """An error of a task: its end where the service's last word was about it, else a pause."""
        if isinstance(error, ContentBlockedError):
            return self.ledger.refused_later(row.id, error.message)
        if isinstance(error, TaskTimeoutError):
            has_ended = self._is_late(row)
        else:
            has_ended = self._last in ("polling", "submitted") or error.status == 404
        if has_ended:
            return self.ledger.failed_later(row.id, error.message)
        return self._noted(row, error)

    def _is_lost(self, row: Row, error: DownloadError) -> bool:
        """Whether a picture can't come any more: what its host answers late, it will answer on."""
        return error.is_lost or (error.is_answered and self._is_late(row))

    def _is_late(self, row: Row) -> bool:
        return self.ledger.wall() - (row.submitted_at or 0) > TASK_LIFE_S

    def _noted(self, row: Row, error: ApiError) -> Pending[Row]:
        return self.ledger.trouble_later(row.id, error.message)


class RunEntry(Entry):
    """The entry of a single run: it begins when its request is about to be sent."""

    def __init__(
        self, ledger: Ledger, request: Request, backend: str, base_url: str, out: str | None
    ) -> None:
        super().__init__(ledger, None)
        self._request = request
        self._from = (backend, base_url)
        self._out = out

    def prepare(self) -> None:
        """Enter the run and its row."""
        request = self._request
        run = self.ledger.start_run("run", request.recipe, *self._from, out=self._out)
        try:
            key = row_key(request)
        except BadImageError:  # the file has gone since it was read; what is sent is at hand
            key = ""
        plan = Plan(
            key, request.recipe, request.hash, request.model, request.estimated_cost,
            to_text(request),
        )  # fmt: skip
        self._know(self.ledger.plan(run.id, plan))


class TaskEntry(Entry):
    """The entry of a task that is waited for again."""

    @classmethod
    def of(cls, ledger: Ledger, task_id: str) -> TaskEntry | None:
        """The entry of a task that the ledger knows and nobody else works at."""
        from nanorecipes.batch.queries import find_task

        found = find_task(ledger, task_id)
        if found is None or found[0].state not in PAID:
            return None
        row = ledger.take_later(found[0].id).result()
        return cls(ledger, row) if row is not None else None
