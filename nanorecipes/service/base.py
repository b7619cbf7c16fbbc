"""What the flows of every service share: sending once, and trying again where that is free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nanorecipes.errors import ApiError, TaskTimeoutError
from nanorecipes.service import flow, retry
from nanorecipes.service.flow import Flow, Lost, Reply, Send
from nanorecipes.service.retry import Verdict

if TYPE_CHECKING:
    from decimal import Decimal

    from nanorecipes.service.refusals import Refusals
    from nanorecipes.service.replies import RemoteImage
    from nanorecipes.service.secret import Secret
    from nanorecipes.service.timing import Clock, Timing


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished request: where its pictures lie and what it cost."""

    task_id: str | None
    images: tuple[RemoteImage, ...]
    cost_usd: Decimal | None
    text: str | None
    service: Mapping[str, Any] | None = None
    """What the service says of its answer besides: names and counts that were checked."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted request: a task to wait for, or its outcome where that came at once."""

    task_id: str | None
    outcome: Outcome | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    """What the flows need to know: the host, the key, and how patient to be."""

    base_url: str
    """Scheme, host and perhaps a prefix, without a slash at the end."""
    secret: Secret
    refusals: Refusals
    clock: Clock
    retry: retry.RetryPolicy
    timing: Timing

    def headers(self) -> Mapping[str, str | Secret]:
        """The headers of every call; the key stays wrapped until a driver writes it."""
        return {"Authorization": self.secret.bearer(), "Accept": "application/json"}

    def _post_flow(
        self,
        path: str,
        body: Mapping[str, Any] | bytes,
        read_s: float,
        deadline: float,
        told: Mapping[str, Any],
        max_bytes: int | None = None,
    ) -> Flow[Reply]:
        """Buy once: send again only where that can't buy twice; gives the answer that accepts.

        Args:
            path: of the service, from its host on.
            body: what is sent as JSON, perhaps written already.
            read_s: how long an answer may take, in seconds.
            deadline: the clock's time beyond which nothing is waited for.
            told: facts for the note before each attempt.
            max_bytes: how large the answer may be, where the usual bound is too low.
        """
        headers = self.headers()
        json, content = (None, body) if isinstance(body, bytes) else (body, None)
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        attempt = 0
        while True:
            attempt += 1
            remaining = self._remaining(deadline)
            if remaining <= 0:
                raise TaskTimeoutError("the time is over before anything was sent")
            yield from flow.note("submitting", attempt=attempt, **told)
            answer = yield from flow.exchange(
                Send(
                    "POST",
                    f"{self.base_url}{path}",
                    self.timing.exchange(read_s, remaining),
                    headers,
                    json=json,
                    content=content,
                    fresh_connection=True,
                    max_bytes=max_bytes,
                )
            )
            verdict = retry.judge_post(answer)
            if verdict is Verdict.ACCEPTED and isinstance(answer, Reply):
                return answer
            if verdict is Verdict.REFUSED:
                raise self.refusals.definite(answer)
            if verdict is Verdict.UNKNOWN:
                whole = yield from self._whole_flow(answer)
                if whole is None:
                    raise self.refusals.unknown(answer)
                return whole
            yield from self._again(answer, attempt, deadline, None)

    def _whole_flow(self, answer: Reply | Lost) -> Flow[Reply | None]:
        """What came before a connection broke, where nothing of the answer is missing."""
        yield from ()
        return None

    def _again(
        self, answer: Reply | Lost, attempt: int, deadline: float, task_id: str | None
    ) -> Flow[None]:
        """Wait before the next attempt, or raise when there is none."""
        asked = None
        if isinstance(answer, Reply):
            asked = self._asked_s(answer)
            if asked is not None and asked > self.retry.longest_retry_after_s:
                raise self.refusals.slow_down(answer, asked, task_id)
        seconds = asked if asked is not None else self.retry.backoff_s(attempt)
        if attempt >= self.retry.attempts:
            raise self._given_up(answer, asked, task_id)
        if seconds >= self._remaining(deadline):
            if task_id is not None:
                raise self.refusals.waited_too_long(task_id, self._reason(answer))
            raise self._given_up(answer, asked, task_id)
        reason = self._reason(answer)
        yield from flow.pause("retrying", seconds, reason, attempt=attempt, task_id=task_id)

    def _asked_s(self, answer: Reply) -> float | None:
        """The pause that an answer asks for, in seconds."""
        return retry.retry_after_s(answer.headers, self.clock.time())

    def _given_up(self, answer: Reply | Lost, asked: float | None, task_id: str | None) -> ApiError:
        if isinstance(answer, Reply) and answer.status == 429:
            return self.refusals.slow_down(answer, asked, task_id)
        if isinstance(answer, Reply) and 200 <= answer.status < 300 and task_id is not None:
            return self.refusals.unknown(answer, task_id)
        return self.refusals.definite(answer, task_id)

    def _reason(self, answer: Reply | Lost) -> str:
        if isinstance(answer, Lost):
            return self.refusals.scrub(answer.reason)
        return f"the service answered {answer.status}"

    def _remaining(self, deadline: float) -> float:
        return deadline - self.clock.monotonic()
