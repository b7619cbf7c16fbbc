"""Google's image API as flows: one request, whose answer brings the picture along."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nanorecipes import files, google_wire
from nanorecipes.errors import OutcomeUnknownError, ServiceError
from nanorecipes.service import flow, google_answers, retry
from nanorecipes.service.base import Outcome, Service, Submitted
from nanorecipes.service.flow import Flow, Lost, Reply, work
from nanorecipes.service.kept import INLINE, came_along
from nanorecipes.service.replies import RemoteImage

if TYPE_CHECKING:
    from nanorecipes.request import Request
    from nanorecipes.service.google_answers import Answer
    from nanorecipes.service.secret import Secret

MAX_ANSWER_BYTES = 128 * 1024 * 1024
"""A 4K picture and its drafts, written as text."""


@dataclass(frozen=True)
class Gemini(Service):
    """Google's flows.

    An answer is the only copy of its picture: `keep` puts it on the disk before the books, or
    anyone else, hears that it came.
    """

    keep: Callable[[bytes], str | None] = lambda _: None
    """Keeps a picture for good and gives its name, or None where no books are kept."""

    def headers(self) -> Mapping[str, str | Secret]:
        """The headers of every call; the key stays wrapped until a driver writes it."""
        return {google_wire.KEY_HEADER: self.secret, "Accept": "application/json"}

    def submit_flow(self, request: Request, body: bytes, deadline: float) -> Flow[Submitted]:
        """Buy the picture once, and come back with it.

        Args:
            request: what to make.
            body: the request as it is sent.
            deadline: the clock's time beyond which nothing is waited for.
        """
        google_id = request.chosen.google_id
        assert google_id is not None, "checked before anything is sent"
        reply = yield from self._post_flow(
            google_wire.path(google_id),
            body,
            self.timing.post_sync_s,
            deadline,
            {"model": google_id, "recipe": request.recipe, "mode": "sync"},
            MAX_ANSWER_BYTES,
        )
        answer = yield from work(lambda: google_answers.read_answer(reply.body))
        if answer is None:
            raise (yield from self._unread_flow(reply))
        if answer.picture is not None:
            return (yield from self._came_flow(answer, answer.picture))
        if not answer.is_prompt_refused:  # work was done: only a refused prompt surely cost none
            yield from flow.note("submitted", task_id=None)
        raise self.refusals.no_picture(
            answer.block_reason, answer.finish_reason, answer.text, reply.status
        )

    def wait_flow(self, task_id: str, deadline: float) -> Flow[Outcome]:
        """The picture of a purchase that the books name; there is nothing to ask Google for."""
        if not came_along(task_id):
            # The last word about it: the books needn't wait for another.
            yield from flow.note("polling", task_id=task_id, status="unknown", elapsed_s=0.0)
            raise ServiceError(
                f"there is no task {self.refusals.scrub(task_id)!r} to wait for: Google answers a "
                "request with its picture, and knows it no more after that",
                task_id=task_id or None,
                help="`nanorecipes resume` fetches what the ledger here has kept",
            )
        yield from flow.note("done", task_id=None, urls=(task_id,), cost_usd=None)
        return Outcome(None, (RemoteImage(task_id),), None, None)

    def _whole_flow(self, answer: Reply | Lost) -> Flow[Reply | None]:
        if isinstance(answer, Reply) or answer.status not in retry.ACCEPTED:
            return None
        body = answer.partial
        read = yield from work(lambda: google_answers.read_answer(body))
        return None if read is None or read.picture is None else Reply(answer.status, {}, body)

    def _unread_flow(self, reply: Reply) -> Flow[OutcomeUnknownError]:
        """The error of an answer in no form that is known: kept, for it was perhaps paid for."""
        error = self.refusals.unknown(reply)
        kept = (yield from work(lambda: self._keep(reply.body)))[0] if reply.body else None
        if kept is not None:
            error.help = f"{error.help}; the answer is kept: `nanorecipes unknown` names its file"
        return error

    def _came_flow(self, answer: Answer, data: bytes) -> Flow[Submitted]:
        kept, warnings = yield from work(lambda: self._keep(data))
        name = kept or f"{INLINE}{files.sha256(data)}-{os.urandom(4).hex()}"
        # The name stands for the task: should the program end here, it leads to what was kept.
        yield from flow.note("submitted", task_id=name)
        yield from flow.note("done", task_id=None, urls=(name,), cost_usd=None)
        text = self.refusals.scrub(answer.text) if answer.text else None
        declared = self.refusals.scrub(answer.declared_type or "") or None
        image = RemoteImage(name, content_type=declared, data=data)
        outcome = Outcome(None, (image,), None, text, self._scrubbed(answer.service))
        return Submitted(None, outcome, warnings)

    def _scrubbed(self, facts: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        scrub = self.refusals.scrub
        return facts and {k: scrub(v) if isinstance(v, str) else v for k, v in facts.items()}

    def _keep(self, data: bytes) -> tuple[str | None, tuple[str, ...]]:
        """The name under which the picture is kept; where it can't be, it goes on in memory."""
        try:
            return self.keep(data), ()
        except OSError as exc:
            why = f"the answer could not be kept beside the ledger: {exc.strerror or exc}"
            return None, (why,)

    def _asked_s(self, answer: Reply) -> float | None:
        asked = retry.retry_after_s(answer.headers, self.clock.time())
        return asked if asked is not None else google_answers.retry_delay_s(answer.body)
