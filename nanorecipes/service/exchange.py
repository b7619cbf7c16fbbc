"""One request and its answer between a driver and an HTTP engine, in neither one's own types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, Protocol, TypeAlias

from nanorecipes.service.flow import Lost, LostKind, Reply
from nanorecipes.service.timing import Timeouts

Way: TypeAlias = Literal["kept", "fresh", "outside"]
"""Which connections serve: kept ones to the service, a fresh one, or guarded ones to anywhere."""


class Exchange(NamedTuple):
    """A request as it is to be written, and the bounds of its answer."""

    way: Way
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    timeouts: Timeouts
    max_bytes: int


class TooLarge(Exception):
    """A body beyond its bound."""


class Progress:
    """How far one exchange has come: whether bytes left, and what arrived."""

    __slots__ = ("_chunks", "_headers", "_max_bytes", "_size", "_status", "is_sent")

    def __init__(self, max_bytes: int) -> None:
        self.is_sent = False
        """Whether the first byte of the request may have been written."""
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        self._size = 0
        self._status: int | None = None
        self._headers: dict[str, str] = {}

    def begin(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Take the answer's head."""
        self._status = status
        found = self._headers
        for name, value in headers:
            name = name.lower()
            found[name] = f"{found[name]}, {value}" if name in found else value
        length = found.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            raise TooLarge

    def add(self, chunk: bytes) -> None:
        """Take a part of the body; beyond the bound the rest stays unread."""
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise TooLarge
        self._chunks.append(chunk)

    def reply(self) -> Reply:
        """The answer that arrived whole."""
        assert self._status is not None
        chunks = self._chunks
        return Reply(
            self._status, self._headers, chunks[0] if len(chunks) == 1 else b"".join(chunks)
        )

    def too_large(self) -> Lost:
        """The answer went beyond its bound."""
        return self.lost("too-large", f"it is larger than the {self._max_bytes} bytes allowed")

    def lost(self, kind: LostKind, reason: str) -> Lost:
        """What is known when no whole answer came."""
        return Lost(kind, self.is_sent, reason, self._status, b"".join(self._chunks))


class Engine(Protocol):
    """Sends requests without blocking."""

    async def exchange(self, asked: Exchange) -> Reply | Lost:
        """The whole answer, or how far it came; an error only for what must not be tried."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class BlockingEngine(Protocol):
    """Sends requests and blocks the caller."""

    def exchange(self, asked: Exchange) -> Reply | Lost:
        """The whole answer, or how far it came; an error only for what must not be tried."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
