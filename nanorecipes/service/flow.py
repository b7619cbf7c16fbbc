"""What the service's logic asks for and is told, as values: a flow does no I/O itself.

A flow is a generator. It yields a step, a driver does it and sends the answer back, until the flow
returns. The same flow so runs blocking and on an event loop, and a test can play the service.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from nanorecipes.service.guard import DownloadLimits
    from nanorecipes.service.secret import Secret
    from nanorecipes.service.timing import Timeouts

T = TypeVar("T")

NoteKind = Literal[
    "uploaded",
    "submitting",
    "submitted",
    "waiting",
    "retrying",
    "polling",
    "done",
    "downloaded",
]
LostKind = Literal["connect", "timeout", "broken", "refused", "too-large"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send one request to the service and hand back its whole answer; redirects are answers."""

    method: Literal["GET", "POST", "PUT"]
    url: str
    timeouts: Timeouts
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    content: bytes | None = field(default=None, repr=False)
    fresh_connection: bool = False
    """Never on a kept-alive one: when it is stale, nobody can tell whether the request arrived."""
    max_bytes: int | None = None
    """How large the answer may be, where the usual bound is too low."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch what lies behind a URL from anywhere: one hop, without the key, bounded."""

    url: str
    limits: DownloadLimits
    total_s: float
    """Seconds for the whole of this hop."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Let so many seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Examine:
    """Look whether bytes are a whole picture: work that must not hold up an event loop."""

    data: bytes = field(repr=False)
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Work:
    """Do this and hand back what it returns: work that must not hold up an event loop."""

    call: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Note:
    """What happens, for whoever watches or keeps books.

    The next step only begins when the observer has returned; when it raises, nothing more is sent.
    """

    kind: NoteKind
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole answer came."""

    kind: LostKind
    sent: bool
    """False only when surely not one byte of the request was written."""
    reason: str
    status: int | None = None
    """Set when at least the head of an answer came."""
    partial: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was found whole; `size_px` is None for a type that can't be decoded here."""

    mime_type: str
    size_px: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class NoPicture:
    """Bytes that are no picture, or only a part of one, or one that is too large."""

    reason: str
    is_final: bool = False
    """Whether fetching it again can't help."""


Step: TypeAlias = Send | Fetch | Wait | Examine | Work | Note
Answer: TypeAlias = Reply | Lost | Picture | NoPicture | None
Flow: TypeAlias = Generator[Step, Any, T]


def exchange(step: Send | Fetch) -> Flow[Reply | Lost]:
    """Yield a request and take its answer, typed."""
    answer: Reply | Lost = yield step
    return answer


def examine(data: bytes, max_pixels: int) -> Flow[Picture | NoPicture]:
    """Yield a look at some bytes and take what was found, typed."""
    found: Picture | NoPicture = yield Examine(data, max_pixels)
    return found


def work(call: Callable[[], T]) -> Flow[T]:
    """Yield some work and take what it returned, typed."""
    found: T = yield Work(call)
    return found


def note(kind: NoteKind, **data: Any) -> Flow[None]:
    """Yield a note."""
    yield Note(kind, data)


def pause(
    kind: Literal["waiting", "retrying"], seconds: float, reason: str, **data: Any
) -> Flow[None]:
    """Say why, then wait."""
    yield Note(kind, {"seconds": seconds, "reason": reason, **data})
    yield Wait(seconds)
