"""Fetching finished pictures: redirects checked one by one, retried, and looked at before use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from nanorecipes.errors import DownloadError
from nanorecipes.service import flow, guard, retry
from nanorecipes.service.flow import Fetch, Flow, Lost, NoPicture, Reply
from nanorecipes.service.kept import came_along
from nanorecipes.service.retry import Verdict
from nanorecipes.service.watching import watched

if TYPE_CHECKING:
    from nanorecipes.events import Step
    from nanorecipes.service.guard import DownloadLimits
    from nanorecipes.service.replies import RemoteImage
    from nanorecipes.service.timing import Clock

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A picture that arrived whole."""

    remote: RemoteImage
    data: bytes = field(repr=False)
    mime_type: str
    """By the bytes."""
    size_px: tuple[int, int] | None
    declared_type: str | None
    """What the answer's header called it."""


@dataclass(frozen=True)
class Downloader:
    """How patient and how careful downloads are."""

    limits: DownloadLimits
    retry: retry.RetryPolicy
    clock: Clock
    scrub: Callable[[str], str]
    kept: Callable[[str], bytes | NoPicture] | None = None
    """Gives a picture that is kept here by its name, or why there is none."""

    def all_flow(
        self,
        images: Sequence[RemoteImage],
        task_id: str | None,
        deadline: float,
        step: Callable[[], Step | None] = lambda: None,
    ) -> Flow[list[Downloaded | DownloadError]]:
        """Fetch every picture, in order; one that fails doesn't cost the others.

        Args:
            images: where they lie.
            task_id: the task that made them.
            deadline: the clock's time beyond which nothing is waited for.
            step: makes the step as which one download is told.
        """
        found: list[Downloaded | DownloadError] = []
        for index, image in enumerate(images):
            try:
                flow_of_one = self.one_flow(image, task_id, deadline)
                picture = yield from watched(flow_of_one, step(), _told)
            except DownloadError as exc:
                found.append(exc)
                continue
            yield from flow.note(
                "downloaded",
                task_id=task_id,
                index=index,
                url=image.url,
                size_bytes=len(picture.data),
            )
            found.append(picture)
        return found

    def one_flow(
        self, image: RemoteImage, task_id: str | None, deadline: float
    ) -> Flow[Downloaded]:
        """Fetch one picture, with a few attempts.

        Raises:
            DownloadError: its URL is refused, it can't be fetched, or what comes is no picture.
        """
        limits = self.limits
        if image.data is not None or (self.kept is not None and came_along(image.url)):
            return (yield from self._own_flow(image, task_id))
        end = self.clock.monotonic() + min(
            limits.total_s, max(deadline - self.clock.monotonic(), limits.grace_s)
        )
        attempt = 0
        while True:
            attempt += 1
            answer = yield from self._follow(image.url, task_id, end)
            if isinstance(answer, Reply) and answer.status == 200:
                found = yield from flow.examine(answer.body, limits.max_pixels)
                if not isinstance(found, NoPicture):
                    declared = answer.headers.get("content-type")
                    return Downloaded(image, answer.body, found.mime_type, found.size_px, declared)
                why, is_final = found.reason, found.is_final
            else:
                why, is_final = _reason(answer), not _may_come(answer)
            seconds = self._pause_s(answer, attempt)
            if is_final or attempt >= limits.attempts or self.clock.monotonic() + seconds >= end:
                is_answered = isinstance(answer, Reply)
                raise self._error(image.url, why, task_id, is_answered=is_answered)
            yield from flow.pause(
                "retrying", seconds, self.scrub(why), attempt=attempt, task_id=task_id
            )

    def _own_flow(self, image: RemoteImage, task_id: str | None) -> Flow[Downloaded]:
        """A picture that came with its answer: nothing is fetched."""
        data: bytes | NoPicture | None = image.data
        if data is None:
            kept = self.kept
            assert kept is not None, "only what is kept comes here without its bytes"
            data = yield from flow.work(lambda: kept(image.url))
        if isinstance(data, NoPicture):
            raise self._error(image.url, data.reason, task_id, is_lost=data.is_final)
        found = yield from flow.examine(data, self.limits.max_pixels)
        if isinstance(found, NoPicture):  # these bytes are all that there ever was
            raise self._error(image.url, found.reason, task_id, is_lost=True)
        return Downloaded(image, data, found.mime_type, found.size_px, image.content_type)

    def _follow(self, url: str, task_id: str | None, end: float) -> Flow[Reply | Lost]:
        """Fetch through redirects; each place on the way is checked like the first."""
        place = url
        for _ in range(self.limits.max_redirects + 1):
            refused = guard.refused_url(place)
            if refused is not None:
                raise self._error(place, refused, task_id)
            total_s = max(0.001, end - self.clock.monotonic())
            answer = yield from flow.exchange(Fetch(place, self.limits, total_s))
            if isinstance(answer, Lost) or answer.status not in _REDIRECTS:
                return answer
            target = answer.headers.get("location")
            if not target:
                return answer
            try:
                place = urljoin(place, target)
            except ValueError:
                raise self._error(place, "it redirects to a malformed URL", task_id) from None
        limit = f"more than {self.limits.max_redirects} redirects"
        raise self._error(url, limit, task_id)

    def _pause_s(self, answer: Reply | Lost, attempt: int) -> float:
        asked = None
        if isinstance(answer, Reply):
            asked = retry.retry_after_s(answer.headers, self.clock.time())
        return asked if asked is not None else self.retry.backoff_s(attempt)

    def _error(
        self,
        url: str,
        why: str,
        task_id: str | None,
        *,
        is_lost: bool = False,
        is_answered: bool = False,
    ) -> DownloadError:
        again = f"; wait for task {task_id} again, that costs nothing" if task_id else ""
        url = self.scrub(url)
        return DownloadError(
            f"the picture at {url} can't be used: {self.scrub(why)}",
            url=url,
            is_lost=is_lost,
            is_answered=is_answered,
            task_id=task_id,
            help=f"it was made and paid for{'; another one has to be bought' * is_lost or again}",
        )


def _told(picture: Downloaded) -> dict[str, Any]:
    width, height = picture.size_px or (None, None)
    return {
        "size_bytes": len(picture.data), "mime_type": picture.mime_type,
        "width_px": width, "height_px": height,
    }  # fmt: skip


def _reason(answer: Reply | Lost) -> str:
    return answer.reason if isinstance(answer, Lost) else f"its host answered {answer.status}"


def _may_come(answer: Reply | Lost) -> bool:
    """A 404 may only be early: stores show a new file late."""
    if isinstance(answer, Reply) and answer.status == 404:
        return True
    return retry.judge_get(answer) is Verdict.AGAIN
