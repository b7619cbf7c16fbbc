"""Qolaba's image API as flows: submit, wait for a task, list the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar
from urllib.parse import quote, urljoin

from nanorecipes import wire
from nanorecipes.service import flow, replies, retry
from nanorecipes.service.base import Outcome, Service, Submitted
from nanorecipes.service.flow import Flow, Reply, Send
from nanorecipes.service.retry import Verdict

if TYPE_CHECKING:
    from nanorecipes.request import Request
    from nanorecipes.service.replies import OfferedModel, RemoteImage, TaskReply

Mode: TypeAlias = Literal["task", "sync"]
T = TypeVar("T")

# A task may be unknown for a moment after it was accepted: the id comes from the part of the
# service that takes requests, the answer from the one that does the work. So many unknowns in a
# row are waited out; one more says that the task doesn't exist or has expired.
MISSING_POLLS = 3

# The last question of a wait comes when its time is up, and still needs a moment for the answer.
LAST_ASK_S = 5.0


@dataclass(frozen=True)
class Qolaba(Service):
    """Qolaba's flows."""

    def submit_flow(
        self, request: Request, urls: Mapping[int, str], mode: Mode, deadline: float
    ) -> Flow[Submitted]:
        """Buy the picture once: send the request again only where that can't buy it twice.

        Args:
            request: what to make.
            urls: by ordinal, where pictures that were local lie now.
            mode: `task` gets an id at once, `sync` waits for the pictures in the same answer.
            deadline: the clock's time beyond which nothing is waited for.
        """
        reply = yield from self._post_flow(
            wire.GENERATE_PATH,
            request.payload(urls, celery=mode == "task"),
            self.timing.post_s if mode == "task" else self.timing.post_sync_s,
            deadline,
            {"model": request.model, "recipe": request.recipe, "mode": mode},
        )
        return (yield from self._accepted(reply))

    def wait_flow(self, task_id: str, deadline: float) -> Flow[Outcome]:
        """Ask for a task until it has finished; asking is free and may be repeated at any time."""
        started = self.clock.monotonic()
        wait_s, missing, word = self.timing.first_poll_s, 0, ""
        while True:
            remaining = self._remaining(deadline)
            if remaining <= 0:
                raise self.refusals.waited_too_long(task_id, word)
            pause_s = min(wait_s, remaining)
            yield from flow.pause("waiting", pause_s, word or "submitted", task_id=task_id)
            answer = yield from self._poll(task_id, deadline)
            if isinstance(answer, Reply):
                missing += 1
                if missing > MISSING_POLLS:
                    raise self.refusals.unknown_task(answer, task_id)
            else:
                missing, word = 0, answer.word
                yield from flow.note(
                    "polling",
                    task_id=task_id,
                    status=word,
                    elapsed_s=self.clock.monotonic() - started,
                )
                if answer.state != "running":
                    return (yield from self._finished(answer, task_id))
            wait_s = min(wait_s * self.timing.poll_factor, self.timing.longest_poll_s)

    def models_flow(self, deadline: float) -> Flow[tuple[OfferedModel, ...]]:
        """The models as the service lists them now."""
        found = yield from self._get(wire.MODELS_PATH, replies.read_models, deadline, None)
        if isinstance(found, Reply):
            raise self.refusals.definite(found)
        return found

    def put_flow(self, path: str, data: bytes, deadline: float) -> Flow[str]:
        """Put a file under a path of the service that takes them; gives its URL."""
        attempt = 0
        url = f"{self.base_url}{path}"
        while True:
            attempt += 1
            timeouts = self.timing.exchange(self.timing.upload_s, self._remaining(deadline))
            send = Send("PUT", url, timeouts, self.headers(), content=data)
            answer = yield from flow.exchange(send)
            verdict = retry.judge_get(answer)
            if verdict is Verdict.ACCEPTED:
                yield from flow.note("uploaded", url=url, size_bytes=len(data))
                return url
            if verdict is Verdict.REFUSED:
                raise self.refusals.definite(answer)
            yield from self._again(answer, attempt, deadline, None)

    def _accepted(self, reply: Reply) -> Flow[Submitted]:
        """Read a 200, 201 or 202. What can't be read was accepted all the same."""
        task = replies.read_task(reply.body)
        if task is None or not task.is_telling:
            raise self.refusals.unknown(reply)
        if task.task_id is not None:
            # Before anything else: from here on the task can be found again.
            yield from flow.note("submitted", task_id=task.task_id)
        if task.state == "running" and task.task_id is None:
            raise self.refusals.unknown(reply)
        if task.task_id is not None and not task.images and _is_only_accepted(task, reply.status):
            return Submitted(task.task_id)
        return Submitted(task.task_id, (yield from self._finished(task, task.task_id)))

    def _finished(self, task: TaskReply, task_id: str | None) -> Flow[Outcome]:
        if task.state == "failed" or not task.images:
            raise self.refusals.failed(task, task_id)
        outcome = Outcome(
            task_id=task_id,
            images=tuple(self._absolute(image) for image in task.images),
            cost_usd=task.cost_usd,
            text=self.refusals.scrub(task.text) if task.text else None,
        )
        yield from flow.note(
            "done",
            task_id=task_id,
            urls=tuple(image.url for image in outcome.images),
            cost_usd=outcome.cost_usd,
        )
        return outcome

    def _absolute(self, image: RemoteImage) -> RemoteImage:
        """The picture with a whole URL, where the service gave only a path on its own host."""
        if image.url.startswith(("https://", "http://")):
            return image
        try:
            url = urljoin(f"{self.base_url}/", image.url)
        except ValueError:  # left as it is, for the download to refuse
            url = image.url
        return type(image)(url, image.width, image.height, image.content_type)

    def _poll(self, task_id: str, deadline: float) -> Flow[TaskReply | Reply]:
        """Ask once for a task; a `Reply` says that the service knows none of this id."""
        path = wire.TASK_PATH.format(task_id=quote(task_id, safe=""))
        return (yield from self._get(path, replies.read_task, deadline, task_id))

    def _get(
        self, path: str, read: Callable[[bytes], T | None], deadline: float, task_id: str | None
    ) -> Flow[T | Reply]:
        """Ask until an answer can be read, within bounds; a 404 is handed back unread."""
        attempt = 0
        while True:
            attempt += 1
            remaining = max(self._remaining(deadline), LAST_ASK_S)
            timeouts = self.timing.exchange(self.timing.get_s, remaining)
            answer = yield from flow.exchange(
                Send("GET", f"{self.base_url}{path}", timeouts, self.headers())
            )
            verdict = retry.judge_get(answer)
            if verdict is Verdict.ACCEPTED and isinstance(answer, Reply):
                found = read(answer.body)
                if found is not None:
                    return found
            elif verdict is Verdict.REFUSED:
                if isinstance(answer, Reply) and answer.status == 404:
                    return answer
                raise self.refusals.definite(answer, task_id)
            yield from self._again(answer, attempt, deadline, task_id)


def _is_only_accepted(task: TaskReply, status: int) -> bool:
    """Whether a first answer without pictures speaks of the submission, not of the result.

    `{"task_id": ..., "status": "success"}` does, as does every 202 that doesn't say failed.
    """
    if task.state == "finished":
        return status == 202 or not task.names_images
    return task.state == "running"
