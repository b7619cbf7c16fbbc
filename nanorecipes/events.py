"""What happens while pictures are made, told to those who asked: one event for each step."""

from __future__ import annotations

import contextlib
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nanorecipes.errors import ConfigurationError

if TYPE_CHECKING:
    from decimal import Decimal
    from types import TracebackType

    from nanorecipes.request import Request
    from nanorecipes.tracing import OpenSpan

EventKind: TypeAlias = Literal["render", "upload", "submit", "poll", "download", "save"]
StepKind: TypeAlias = EventKind | Literal["run"]
"""`run` holds the steps of one request together; it is a span, and no event of its own."""

_TRACING = "opentelemetry.trace"

DETAILS: Mapping[EventKind, Mapping[str, str]] = {
    "render": {
        "prompt_chars": "characters of the prompt",
        "images": "how many pictures go with it",
    },
    "upload": {
        "size_bytes": "bytes of the picture, as it was handed over",
        "attempts": "how many times it was tried, where more than one",
    },
    "submit": {
        "attempts": "how many times it was sent; more than one only where the ones before surely "
        "bought nothing",
    },
    "poll": {
        "polls": "how many times the service was asked",
        "status": "the service's own word for the state of the task, the last time",
    },
    "download": {
        "size_bytes": "bytes of the picture's file",
        "mime_type": "by its bytes, such as `image/png`",
        "width_px": "pixels; None for a type that can't be decoded here",
        "height_px": "pixels, likewise",
        "attempts": "how many times it was tried, where more than one",
    },
    "save": {"paths": "the picture's path in a tuple; in a batch, all paths of the row"},
}
"""What `Event.details` may hold, by the kind of step. A step that failed may lack any of it."""


@dataclass(frozen=True, slots=True)
class Event:
    """A step that ended, well or not."""

    kind: EventKind
    """`render` a request; `upload` a local picture; `submit` it, that is buy; `poll` until the
    service has finished; `download` one picture; `save` one picture."""
    started_at: float
    """Seconds since 1970."""
    duration_s: float
    """Seconds, pauses and further attempts included."""
    recipe: str | None
    """`group/name`; None where a task is waited for by its id alone."""
    model: str | None
    """The full id of the model that is asked."""
    backend: str | None
    """`qolaba` or `sandbox`; None for `render`."""
    task_id: str | None
    """The service's id of the task, once it is known."""
    cost_usd: Decimal | None
    """USD for the whole request: the estimate of `render` and `submit`, and what the service
    reported at the end of `poll`; else None."""
    error: BaseException | None
    """What ended the step early; `GeneratorExit` where the caller stopped it."""
    details: Mapping[str, Any]
    """More about this kind of step, by name, with the units in the names."""
    request: Request | None = field(default=None, repr=False)
    """What was rendered or sent; it holds the prompt."""


EventCallback: TypeAlias = Callable[[Event], object]


class Subscription:
    """A callback that is called until this is closed, or left as a context manager."""

    def __init__(self, callback: EventCallback, kinds: frozenset[str] | None) -> None:
        self._callback = callback
        self._kinds = kinds

    def close(self) -> None:
        """Call it no more."""
        global _subscribed
        with _lock:
            _subscribed = tuple(one for one in _subscribed if one is not self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _tell(self, event: Event) -> None:
        if self._kinds is not None and event.kind not in self._kinds:
            return
        with _harmless("a callback of on_event"):
            self._callback(event)


@contextlib.contextmanager
def _harmless(who: str) -> Iterator[None]:
    """Whoever watches must not cost a picture that was paid for: what fails is logged."""
    try:
        yield
    except Exception:
        import logging

        logging.getLogger("nanorecipes").exception("%s failed", who)


_lock = threading.Lock()
_subscribed: tuple[Subscription, ...] = ()


def on_event(callback: EventCallback, *kinds: EventKind) -> Subscription:
    """Have a function called with an `Event` after each step, in the thread where it happened.

    It should be quick: on an event loop everything waits for it. When it raises, that is logged to
    the logger `nanorecipes`, and the work goes on.

    Args:
        callback: a function of one argument, and no coroutine function.
        kinds: `render upload submit poll download save`; all of them when none is given.

    Returns:
        A handle whose `close()` ends it; it is a context manager, too.

    Raises:
        ConfigurationError: no function, a coroutine function, or an unknown kind.
    """
    if not callable(callback):
        raise ConfigurationError(f"on_event takes a function, found {callback!r}")
    if inspect.iscoroutinefunction(callback):
        raise ConfigurationError("on_event calls functions, and this is a coroutine function")
    unknown = [kind for kind in kinds if kind not in DETAILS]
    if unknown:
        raise ConfigurationError(
            f"on_event knows no kind {unknown[0]!r}, expected some of {', '.join(DETAILS)}"
        )
    made = Subscription(callback, frozenset(kinds) or None)
    global _subscribed
    with _lock:
        _subscribed = (*_subscribed, made)
    return made


class Step:
    """One step on its way: facts gather, and when it ends they are told."""

    def __init__(self, kind: StepKind, backend: str | None, request: Request | None) -> None:
        self.kind = kind
        self.facts: dict[str, Any] = {"backend": backend}
        self.details: dict[str, Any] = {}
        self.error: BaseException | None = None
        self.request = request
        self._span: OpenSpan | None = None
        self._started = self._started_at = 0.0

    def begin(self) -> Step:
        """The step begins now."""
        if _TRACING in sys.modules:
            with _harmless("a span"):
                from nanorecipes.tracing import OpenSpan

                self._span = OpenSpan(self)
        self._started_at, self._started = time.time(), time.perf_counter()
        return self

    def end(self, error: BaseException | None = None) -> None:
        """The step has ended: tell everybody."""
        self.error = error
        duration_s = time.perf_counter() - self._started
        if self._span is not None:
            with _harmless("a span"):
                self._span.close()
        if self.kind == "run" or not _subscribed:
            return
        request, facts = self.request, self.facts
        event = Event(
            self.kind, self._started_at, duration_s,
            recipe=facts.get("recipe") or (request.recipe if request else None),
            model=request.model if request else None,
            backend=facts["backend"], task_id=facts.get("task_id"),
            cost_usd=facts.get("cost_usd"), error=error, details=self.details, request=request,
        )  # fmt: skip
        for one in _subscribed:
            one._tell(event)

    def __enter__(self) -> Step:
        return self.begin()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(exc)


def step(
    kind: StepKind, backend: str | None = None, request: Request | None = None, **facts: Any
) -> Step | None:
    """A step that begins where it is entered; None where nobody would hear of it."""
    if not _subscribed and _TRACING not in sys.modules:
        return None
    made = Step(kind, backend, request)
    made.facts.update(facts)
    return made
