"""The two drivers that run a flow, one blocking and one not: the only user of the HTTP library."""

from __future__ import annotations

import asyncio
import inspect
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpcore
import httpx

from nanorecipes.errors import ConfigurationError, NanorecipesError
from nanorecipes.service import guard, sockets
from nanorecipes.service.agent import tool_version
from nanorecipes.service.flow import (
    Examine,
    Fetch,
    Lost,
    LostKind,
    Note,
    Reply,
    Send,
    Step,
    Wait,
    Work,
)
from nanorecipes.service.secret import Secret
from nanorecipes.service.sockets import Door, Pools, RefusedAddress, Resolve, allow_network
from nanorecipes.service.timing import Timeouts

if TYPE_CHECKING:
    from nanorecipes.sandbox.wire import Answer as SandboxAnswer
    from nanorecipes.sandbox.wire import Call, Drop
    from nanorecipes.service.flow import Flow
    from nanorecipes.service.timing import Clock

__all__ = ["AsyncDriver", "Driver", "PoolTransport", "SandboxTransport", "allow_network"]

T = TypeVar("T")
Observer: TypeAlias = Callable[[Note], Any]

MAX_ANSWER_BYTES = 16 * 1024 * 1024


class _TooLarge(Exception):
    """A body beyond its bound."""


# --- transports: pools of connections, or the emulator in this process


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _to_core(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_stream()

    async def aclose(self) -> None:
        await self._response.aclose()


class PoolTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Connections to anywhere that the door lets through, by a proxy where there is one."""

    def __init__(self, door: Door, *, keeps: bool) -> None:
        self._pools = Pools(door, keeps=keeps, tls=_ssl_context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send and hand back the answer's head; its body is read by whoever takes it."""
        pool = self._pools.blocking(request.url.scheme, request.url.host)
        response = pool.handle_request(_to_core(request))
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same without blocking."""
        pool = self._pools.non_blocking(request.url.scheme, request.url.host)
        response = await pool.handle_async_request(_to_core(request))
        stream = _AsyncBody(response)
        return httpx.Response(response.status, headers=response.headers, stream=stream)

    def close(self) -> None:
        """Close every connection."""
        self._pools.close()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pools.aclose()


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The emulator in this process, behind the same face as a connection."""

    def __init__(
        self, handle: Callable[[Call], SandboxAnswer | Drop], host: str, clock: Clock
    ) -> None:
        self._handle = handle
        self._host = host
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Let the emulator answer."""
        reply = self._handle(self._call(request))
        if _reached(reply):
            request.extensions["trace"](_STARTED, {})
        self._clock.sleep(_pause_s(reply, request))
        return _sandbox_response(reply, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the emulator answer, in a thread: it draws."""
        reply = await asyncio.to_thread(self._handle, self._call(request))
        if _reached(reply):
            await request.extensions["trace"](_STARTED, {})
        await self._clock.sleep_async(_pause_s(reply, request))
        return _sandbox_response(reply, request)

    def _call(self, request: httpx.Request) -> Call:
        from nanorecipes.sandbox.wire import Call

        if request.url.host != self._host:
            raise httpx.ConnectError(f"the sandbox reaches no other host, not {request.url.host}")
        query = request.url.query.decode("ascii")
        return Call(request.method, request.url.path, dict(request.headers), request.read(), query)


def _reached(reply: SandboxAnswer | Drop) -> bool:
    return getattr(reply, "sent", True)


def _pause_s(reply: SandboxAnswer | Drop, request: httpx.Request) -> float:
    return min(reply.delay_s, float(request.extensions["timeout"]["read"]))


def _sandbox_response(reply: SandboxAnswer | Drop, request: httpx.Request) -> httpx.Response:
    from nanorecipes.sandbox.wire import Drop

    if reply.delay_s > request.extensions["timeout"]["read"]:
        raise httpx.ReadTimeout("no answer in time")
    if isinstance(reply, Drop):
        if not reply.sent:
            raise httpx.ConnectError("connection refused")
        raise httpx.RemoteProtocolError("the connection was closed without an answer")
    body = _CutBody(reply.body) if reply.is_cut else httpx.ByteStream(reply.body)
    return httpx.Response(reply.status, headers=dict(reply.headers), stream=body)


class _CutBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose connection breaks before its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data
        self._break()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data
        self._break()

    def _break(self) -> NoReturn:
        raise httpx.RemoteProtocolError("the connection was closed inside the body")


# --- drivers

_STARTED = "http11.send_request_headers.started"
_TIMEOUTS = (httpcore.TimeoutException, httpx.TimeoutException)
_CONNECTS = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
    httpcore.ProxyError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
)


class _Progress:
    """How far one exchange has come: whether bytes left, and what arrived."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        self._size = 0
        self._sent = False
        self._response: httpx.Response | None = None

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Notice the moment before a request's first byte is written."""
        request = info.get("request")
        # A proxy's CONNECT is not the request; the request follows when the tunnel stands.
        if name.endswith("send_request_headers.started"):
            self._sent |= getattr(request, "method", b"") != b"CONNECT"

    async def trace_async(self, name: str, info: Mapping[str, Any]) -> None:
        """The same for a driver that doesn't block."""
        self.trace(name, info)

    def begin(self, response: httpx.Response) -> None:
        """Take the answer's head."""
        self._response = response
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            raise _TooLarge

    def add(self, chunk: bytes) -> None:
        """Take a part of the body; beyond the bound the rest stays unread."""
        sockets.cut(None)
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise _TooLarge
        self._chunks.append(chunk)

    def reply(self) -> Reply:
        """The answer that arrived whole."""
        assert self._response is not None
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Reply(self._response.status_code, headers, b"".join(self._chunks))

    def lost(self, exc: Exception) -> Lost:
        """What is known when no whole answer came."""
        kind, reason = _name(exc, self._max_bytes)
        status = self._response.status_code if self._response is not None else None
        return Lost(kind, self._sent, reason, status, b"".join(self._chunks))


def _name(exc: Exception, max_bytes: int) -> tuple[LostKind, str]:
    said = str(exc) or type(exc).__name__
    if isinstance(exc, RefusedAddress):
        return "refused", said
    if isinstance(exc, _TooLarge):
        return "too-large", f"it is larger than the {max_bytes} bytes allowed"
    if isinstance(exc, _CONNECTS):
        return "connect", f"no connection: {said}"
    if isinstance(exc, _TIMEOUTS):
        return "timeout", f"no answer in time: {said}"
    return "broken", said


class _Common:
    """What both drivers share: making requests, and guarding the key."""

    def __init__(self, base_url: str, clock: Clock, observer: Observer | None) -> None:
        self._origin = _origin(base_url)
        self._clock = clock
        self._observer = observer
        self._agent = f"nanorecipes/{tool_version()}"

    def _request(self, step: Send | Fetch, trace: Callable[..., Any]) -> httpx.Request:
        headers = {"User-Agent": self._agent, "Accept-Encoding": "identity"}
        content: bytes | None = None
        if isinstance(step, Fetch):
            method, timeouts = "GET", _fetch_timeouts(step)
            headers["Accept"] = "image/*"
        else:
            method, timeouts, content = step.method, step.timeouts, step.content
            headers |= {name: self._reveal(value, step.url) for name, value in step.headers.items()}
            if step.json is not None:
                content = json.dumps(step.json, ensure_ascii=False).encode()
                headers["Content-Type"] = "application/json"
        waits = {
            "connect": timeouts.connect_s,
            "read": timeouts.read_s,
            "write": timeouts.read_s,
            "pool": timeouts.connect_s,
        }
        extensions = {"trace": trace, "timeout": waits}
        return httpx.Request(
            method, step.url, headers=headers, content=content, extensions=extensions
        )

    def _reveal(self, value: str | Secret, url: str) -> str:
        if isinstance(value, str):
            return value
        if _origin(url) != self._origin:
            raise ConfigurationError("the key is sent to the service's own host only")
        return value.reveal()

    @contextmanager
    def _bounded(self, seconds: float) -> Iterator[None]:
        end = self._clock.monotonic() + seconds
        token = sockets.left_s.set(lambda: end - self._clock.monotonic())
        try:
            yield
        finally:
            sockets.left_s.reset(token)


class Driver(_Common):
    """Runs flows, blocking the caller."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        observer: Observer | None,
        *,
        transport: httpx.BaseTransport | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        super().__init__(base_url, clock, observer)
        host = urlsplit(base_url).hostname
        door = Door(host, is_guarded=False, resolve=resolve)
        inner = Door(host, is_guarded=True, resolve=resolve)
        self._kept = transport or PoolTransport(door, keeps=True)
        self._fresh = transport or PoolTransport(door, keeps=False)
        self._downloads = transport or PoolTransport(inner, keeps=False)

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
        for transport in (self._kept, self._fresh, self._downloads):
            transport.close()

    def _do(self, step: Step) -> Any:
        match step:
            case Send():
                transport = self._fresh if step.fresh_connection else self._kept
                return self._exchange(step, transport, MAX_ANSWER_BYTES, step.timeouts.total_s)
            case Fetch():
                bound = step.limits.max_bytes
                return self._exchange(step, self._downloads, bound, step.total_s)
            case Wait():
                return self._clock.sleep(step.seconds)
            case Examine():
                return guard.examine(step.data, step.max_pixels)
            case Work():
                return step.call()
            case Note():
                return self._observer(step) if self._observer is not None else None

    def _exchange(
        self, step: Send | Fetch, transport: httpx.BaseTransport, max_bytes: int, total_s: float
    ) -> Reply | Lost:
        progress = _Progress(max_bytes)
        with self._bounded(total_s):
            try:
                response = transport.handle_request(self._request(step, progress.trace))
                try:
                    progress.begin(response)
                    for chunk in response.iter_bytes():
                        progress.add(chunk)
                finally:
                    response.close()
            except NanorecipesError:
                raise
            except Exception as exc:  # whatever it is, the flow must know whether bytes left
                return progress.lost(exc)
        return progress.reply()


class AsyncDriver(_Common):
    """Runs flows on an event loop."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        observer: Observer | None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        super().__init__(base_url, clock, observer)
        host = urlsplit(base_url).hostname
        door = Door(host, is_guarded=False, resolve=resolve)
        inner = Door(host, is_guarded=True, resolve=resolve)
        self._kept = transport or PoolTransport(door, keeps=True)
        self._fresh = transport or PoolTransport(door, keeps=False)
        self._downloads = transport or PoolTransport(inner, keeps=False)

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
        for transport in (self._kept, self._fresh, self._downloads):
            await transport.aclose()

    async def _do(self, step: Step) -> Any:
        match step:
            case Send():
                transport = self._fresh if step.fresh_connection else self._kept
                total_s = step.timeouts.total_s
                return await self._exchange(step, transport, MAX_ANSWER_BYTES, total_s)
            case Fetch():
                bound = step.limits.max_bytes
                return await self._exchange(step, self._downloads, bound, step.total_s)
            case Wait():
                return await self._clock.sleep_async(step.seconds)
            case Examine():
                return await asyncio.to_thread(guard.examine, step.data, step.max_pixels)
            case Work():
                return await asyncio.to_thread(step.call)
            case Note():
                return await self._tell(step)

    async def _tell(self, step: Note) -> None:
        told = self._observer(step) if self._observer is not None else None
        if inspect.isawaitable(told):
            await told

    async def _exchange(
        self,
        step: Send | Fetch,
        transport: httpx.AsyncBaseTransport,
        max_bytes: int,
        total_s: float,
    ) -> Reply | Lost:
        progress = _Progress(max_bytes)
        with self._bounded(total_s):
            try:
                request = self._request(step, progress.trace_async)
                response = await transport.handle_async_request(request)
                try:
                    progress.begin(response)
                    async for chunk in response.aiter_bytes():
                        progress.add(chunk)
                finally:
                    await response.aclose()
            except NanorecipesError:
                raise
            except Exception as exc:  # whatever it is, the flow must know whether bytes left
                return progress.lost(exc)
        return progress.reply()


def _fetch_timeouts(step: Fetch) -> Timeouts:
    limits = step.limits
    return Timeouts(
        min(limits.connect_s, step.total_s), min(limits.read_s, step.total_s), step.total_s
    )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(scheme)
