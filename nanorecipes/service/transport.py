"""The two drivers that run a flow, one blocking and one on an event loop."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from nanorecipes.errors import ConfigurationError
from nanorecipes.service import guard
from nanorecipes.service.agent import tool_version
from nanorecipes.service.exchange import Exchange, Way
from nanorecipes.service.flow import Examine, Fetch, Note, Send, Step, Wait, Work
from nanorecipes.service.timing import Timeouts

if TYPE_CHECKING:
    from nanorecipes.service.door import Resolve
    from nanorecipes.service.exchange import BlockingEngine, Engine
    from nanorecipes.service.flow import Flow
    from nanorecipes.service.secret import Secret
    from nanorecipes.service.timing import Clock

__all__ = ["AsyncDriver", "Driver"]

T = TypeVar("T")
Observer: TypeAlias = Callable[[Note], Any]

MAX_ANSWER_BYTES = 16 * 1024 * 1024
SMALL_BYTES = 1024 * 1024
"""Up to this size a glance at a picture takes about as long as asking a thread for it."""


class _Common:
    """What both drivers share: spelling requests, and guarding the key."""

    def __init__(self, base_url: str, clock: Clock, observer: Observer | None) -> None:
        self._origin = _origin(base_url)
        self._below = f"{base_url.rstrip('/')}/"
        self._clock = clock
        self._observer = observer
        self._headers = {
            "User-Agent": f"nanorecipes/{tool_version()}", "Accept-Encoding": "identity",
        }  # fmt: skip

    def _fetch(self, step: Fetch) -> Exchange:
        """A picture's request: the key is never part of it."""
        limits, total_s = step.limits, step.total_s
        timeouts = Timeouts(min(limits.connect_s, total_s), min(limits.read_s, total_s), total_s)
        headers = {**self._headers, "Accept": "image/*"}
        return Exchange("outside", "GET", step.url, headers, None, timeouts, limits.max_bytes)

    def _send(self, step: Send) -> Exchange:
        """A request to the service itself."""
        headers = dict(self._headers)
        for name, value in step.headers.items():
            headers[name] = value if isinstance(value, str) else self._reveal(value, step.url)
        content = step.content
        if step.json is not None:
            content = json.dumps(step.json, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        way: Way = "fresh" if step.fresh_connection else "kept"
        limit = step.max_bytes or MAX_ANSWER_BYTES
        return Exchange(way, step.method, step.url, headers, content, step.timeouts, limit)

    def _reveal(self, value: Secret, url: str) -> str:
        if not url.startswith(self._below) and _origin(url) != self._origin:
            raise ConfigurationError("the key is sent to the service's own host only")
        return value.reveal()


class Driver(_Common):
    """Runs flows, blocking the caller."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        observer: Observer | None,
        *,
        transport: Any = None,
        resolve: Resolve | None = None,
    ) -> None:
        from nanorecipes.service.with_httpx import HttpxEngine

        super().__init__(base_url, clock, observer)
        host = urlsplit(base_url).hostname
        self._engine: BlockingEngine = HttpxEngine(
            clock, host, transport=transport, resolve=resolve
        )

    def run(self, flow: Flow[T]) -> T:
        """Do what the flow asks for, step by step, and hand back what it returns."""
        answer: Any = None
        try:
            while True:
                try:
                    step = flow.send(answer)
                except StopIteration as end:
                    result: T = end.value
                    return result
                answer = self._do(step)
        finally:
            flow.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.close()

    def _do(self, step: Step) -> Any:
        match step:
            case Note():
                return self._observer(step) if self._observer is not None else None
            case Send():
                return self._engine.exchange(self._send(step))
            case Fetch():
                return self._engine.exchange(self._fetch(step))
            case Wait():
                return self._clock.sleep(step.seconds)
            case Examine():
                return guard.examine(step.data, step.max_pixels)
            case Work():
                return step.call()


class AsyncDriver(_Common):
    """Runs flows on an event loop."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        observer: Observer | None,
        *,
        transport: Any = None,
        resolve: Resolve | None = None,
    ) -> None:
        super().__init__(base_url, clock, observer)
        self._engine = _engine(urlsplit(base_url).hostname, clock, transport, resolve)

    async def run(self, flow: Flow[T]) -> T:
        """Do what the flow asks for, step by step, and hand back what it returns."""
        answer: Any = None
        try:
            while True:
                try:
                    step = flow.send(answer)
                except StopIteration as end:
                    result: T = end.value
                    return result
                answer = await self._do(step)
        finally:
            flow.close()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.aclose()

    async def _do(self, step: Step) -> Any:
        match step:
            case Note():
                return await self._tell(step)
            case Send():
                return await self._engine.exchange(self._send(step))
            case Fetch():
                return await self._engine.exchange(self._fetch(step))
            case Wait():
                return await self._clock.sleep_async(step.seconds)
            case Examine():
                found = None
                if len(step.data) <= SMALL_BYTES:
                    found = guard.glance(step.data, step.max_pixels)
                return found or await asyncio.to_thread(guard.examine, step.data, step.max_pixels)
            case Work():
                return await asyncio.to_thread(step.call)

    async def _tell(self, step: Note) -> None:
        told = self._observer(step) if self._observer is not None else None
        if told is not None and inspect.isawaitable(told):
            await told


def _engine(host: str | None, clock: Clock, transport: Any, resolve: Resolve | None) -> Engine:
    if transport is not None:
        from nanorecipes.service.with_httpx import CarriedEngine

        return CarriedEngine(clock, transport)
    from nanorecipes.service.with_aiohttp import AiohttpEngine

    return AiohttpEngine(host, resolve)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(scheme)
