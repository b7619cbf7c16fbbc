"""The error for each answer of the service that isn't a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanorecipes.errors import (
    ApiError,
    AuthenticationError,
    ContentBlockedError,
    InsufficientCreditsError,
    NoImageError,
    OutcomeUnknownError,
    RateLimitError,
    ServiceError,
    TaskTimeoutError,
)
from nanorecipes.service import replies
from nanorecipes.service.flow import Lost, Reply

if TYPE_CHECKING:
    from nanorecipes.service.secret import Secret

NOT_CHARGED = "nothing was charged"
LOOK_FIRST = "look at the account's history before sending it again: it may have been charged"


class Refusals:
    """Makes errors from answers; whatever the service said is shown without the key.

    Args:
        secret: the key.
        key_name: where it came from.
        url_name: the setting of the service's address.
        has_tasks: whether an answer may name a task that can be waited for.
    """

    def __init__(
        self,
        secret: Secret | None,
        key_name: str,
        url_name: str = "QOLABA_BASE_URL",
        *,
        has_tasks: bool = True,
    ) -> None:
        self._has_tasks = has_tasks
        self._secret = secret
        self._key_name = key_name
        self._url_name = url_name

    def scrub(self, text: str) -> str:
        """The text without the key."""
        return self._secret.scrub(text) if self._secret is not None else text

    def definite(self, answer: Reply | Lost, task_id: str | None = None) -> ApiError:
        """The error of an answer that says no, or of a request that never left."""
        if isinstance(answer, Lost):
            return self._unreached(answer, task_id)
        said, blocked = replies.read_error(answer.body)
        said = self.scrub(said) if said else None
        unread = ", which can't be read" if 200 <= answer.status < 300 else ""
        what = f"the service answered {answer.status}{unread}" + (f": {said}" if said else "")
        if blocked is not None and answer.status in (400, 403, 422):
            return self._blocked(blocked, said, task_id, answer.status)
        if answer.status in (401, 403) or replies.names_bad_key(answer.body):
            help = f"check the key in {self._key_name}"
            return AuthenticationError(what, status=answer.status, task_id=task_id, help=help)
        if answer.status == 402:
            help = "top up the account; nothing was charged for this request"
            return InsufficientCreditsError(what, status=402, task_id=task_id, help=help)
        return ServiceError(
            what, status=answer.status, task_id=task_id, help=self._help(answer.status)
        )

    def slow_down(
        self, answer: Reply, seconds: float | None, task_id: str | None
    ) -> RateLimitError:
        """The service asks for a longer pause than is waited for here, or asked too often."""
        said, _ = replies.read_error(answer.body)
        pause = "" if seconds is None else f", and asks for {seconds:.0f} s"
        text = f": {self.scrub(said)}" if said else ""
        return RateLimitError(
            f"the service answered {answer.status}{pause}{text}",
            retry_after_s=seconds,
            status=answer.status,
            task_id=task_id,
            help="try again later; nothing was charged for this request",
        )

    def unknown(self, answer: Reply | Lost, task_id: str | None = None) -> OutcomeUnknownError:
        """The request left, and nobody can say what became of it."""
        if isinstance(answer, Lost):
            what = f"the request was sent, and no whole answer came ({self.scrub(answer.reason)})"
            body, status = answer.partial, answer.status
        else:
            said, _ = replies.read_error(answer.body)
            said = f": {self.scrub(said)}" if said else ""
            taken = 200 <= answer.status < 300
            unread = ", which can't be read" if taken else ""
            what = f"the request was sent and answered with {answer.status}{unread}{said}"
            body, status = answer.body, answer.status
        if task_id is None and self._has_tasks:
            task_id = replies.find_task_id(body)
        help = f"wait for task {task_id} instead of sending again" if task_id else LOOK_FIRST
        if status is not None and 300 <= status < 400:
            help += f"; redirects are not followed, so check {self._url_name}"
        return OutcomeUnknownError(
            f"{what}: the picture was perhaps charged", status=status, task_id=task_id, help=help
        )

    def failed(self, reply: replies.TaskReply, task_id: str | None) -> ApiError:
        """The error of a task that ended without a picture, whatever word it used."""
        said = self.scrub(reply.text) if reply.text else None
        if reply.block_reason is not None:
            return self._blocked(reply.block_reason, said, task_id, None)
        if reply.state == "finished":
            what = "the task finished without a picture" + (f": {said}" if said else "")
            help = "change the wording or the pictures, and try again"
            return NoImageError(what, text=said, task_id=task_id, help=help)
        if reply.word == "expired":
            what = f"task {task_id} has expired"
        else:
            what = f"the task failed ({self.scrub(reply.word) or 'no status'})"
        return ServiceError(f"{what}: {said}" if said else what, task_id=task_id)

    def no_picture(
        self, block_reason: str | None, finish_reason: str | None, text: str | None, status: int
    ) -> ApiError:
        """The error of an answer that was read and brings no picture."""
        said = self.scrub(text) if text else None
        if block_reason is not None:
            return self._blocked(block_reason, said, None, status)
        why = f" ({self.scrub(finish_reason)})" if finish_reason else ""
        what = f"the answer came without a picture{why}" + (f": {said}" if said else "")
        help = "change the wording or the pictures, and try again"
        return NoImageError(what, text=said, status=status, help=help)

    def unknown_task(self, answer: Reply, task_id: str) -> ServiceError:
        """The service has never heard of the task, or no more."""
        said, _ = replies.read_error(answer.body)
        text = f": {self.scrub(said)}" if said else ""
        return ServiceError(
            f"the service knows no task {self.scrub(task_id)!r}{text}",
            status=answer.status,
            task_id=task_id,
            help="it expired, or belongs to another account or host; "
            "what was charged shows in the account's history",
        )

    def waited_too_long(self, task_id: str, word: str) -> TaskTimeoutError:
        """The whole wait is over, and the task isn't."""
        state = f" (last seen: {self.scrub(word)})" if word else ""
        return TaskTimeoutError(
            f"task {task_id} has not finished within the time allowed{state}",
            task_id=task_id,
            help=f"it may still finish: wait for task {task_id} again, that costs nothing",
        )

    def _blocked(
        self, reason: str, said: str | None, task_id: str | None, status: int | None
    ) -> ContentBlockedError:
        text = f": {said}" if said else ""
        return ContentBlockedError(
            f"the service refused the content ({self.scrub(reason)}){text}",
            reason=self.scrub(reason),
            text=said,
            status=status,
            task_id=task_id,
            help="change the wording or the pictures; the same request is refused again",
        )

    def _unreached(self, lost: Lost, task_id: str | None) -> ServiceError:
        help = f"check the network and {self._url_name}"
        if task_id is None:
            what = "the service can't be reached, and nothing was sent"
        else:
            what = f"task {task_id} could not be asked for"
            help += f"; task {task_id} can be waited for again"
        return ServiceError(f"{what}: {self.scrub(lost.reason)}", task_id=task_id, help=help)

    def _help(self, status: int) -> str:
        if status == 404:
            return f"check the model's id and {self._url_name}; {NOT_CHARGED}"
        if status == 413:
            return f"send fewer or smaller pictures; {NOT_CHARGED}"
        if 400 <= status < 500:
            return f"the request was refused before any work; {NOT_CHARGED}"
        return "try again later"
