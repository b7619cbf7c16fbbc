"""The engine on httpx: blocking over guarded connections, or over a transport handed in."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from nanorecipes.errors import NanorecipesError
from nanorecipes.service import sockets
from nanorecipes.service.door import Door, RefusedAddress, Unresolved
from nanorecipes.service.exchange import Exchange, Progress, TooLarge
from nanorecipes.service.flow import Lost, LostKind, Reply
from nanorecipes.service.sockets import Pools

if TYPE_CHECKING:
    from nanorecipes.service.door import Resolve
    from nanorecipes.service.timing import Clock

STARTED = "http11.send_request_headers.started"
"""How a transport says that the first byte is about to be written."""

_TIMEOUTS = (httpcore.TimeoutException, httpx.TimeoutException)
_CONNECTS = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
    httpcore.ProxyError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    Unresolved,
)


@cache
def tls_context() -> ssl.SSLContext:
    """Whom to trust: what `SSL_CERT_FILE` says, else the usual authorities."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class PoolTransport(httpx.BaseTransport):
    """Connections to anywhere that the door lets through, by a proxy where there is one."""

    def __init__(self, door: Door, *, keeps: bool) -> None:
        self._pools = Pools(door, keeps=keeps, tls=tls_context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send and hand back the answer's head; its body is read by whoever takes it."""
        pool = self._pools.to(request.url.scheme, request.url.host)
        response = pool.handle_request(_to_core(request))
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        """Close every connection."""
        self._pools.close()


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


class HttpxEngine:
    """Exchanges that block the caller.

    Args:
        clock: what bounds the whole of an exchange.
        host: the service's own host.
        transport: what carries everything, in place of guarded connections.
        resolve: gives the addresses of a host's name.
    """

    def __init__(
        self,
        clock: Clock,
        host: str | None,
        *,
        transport: httpx.BaseTransport | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._clock = clock
        door = Door(host, is_guarded=False, resolve=resolve)
        guarded = Door(host, is_guarded=True, resolve=resolve)
        self._ways = {
            "kept": transport or PoolTransport(door, keeps=True),
            "fresh": transport or PoolTransport(door, keeps=False),
            "outside": transport or PoolTransport(guarded, keeps=False),
        }

    def exchange(self, asked: Exchange) -> Reply | Lost:
        """The whole answer, or how far it came."""
        progress = Progress(asked.max_bytes)
        with _bounded(self._clock, asked.timeouts.total_s):
            try:
                request = _request(asked, lambda *event: _notice(progress, *event))
                response = self._ways[asked.way].handle_request(request)
                try:
                    progress.begin(response.status_code, response.headers.multi_items())
                    for chunk in response.iter_bytes():
                        sockets.cut(None)
                        progress.add(chunk)
                finally:
                    response.close()
            except NanorecipesError:
                raise
            except Exception as exc:  # whatever it is, the flow must know whether bytes left
                return _lost(progress, exc)
        return progress.reply()

    def close(self) -> None:
        """Close every connection."""
        for transport in self._ways.values():
            transport.close()


class CarriedEngine:
    """Exchanges on an event loop over a transport that was handed in."""

    def __init__(self, clock: Clock, transport: httpx.AsyncBaseTransport) -> None:
        self._clock = clock
        self._transport = transport

    async def exchange(self, asked: Exchange) -> Reply | Lost:
        """The whole answer, or how far it came."""
        progress = Progress(asked.max_bytes)

        async def trace(*event: Any) -> None:
            _notice(progress, *event)

        with _bounded(self._clock, asked.timeouts.total_s):
            try:
                response = await self._transport.handle_async_request(_request(asked, trace))
                try:
                    progress.begin(response.status_code, response.headers.multi_items())
                    async for chunk in response.aiter_bytes():
                        sockets.cut(None)
                        progress.add(chunk)
                finally:
                    await response.aclose()
            except NanorecipesError:
                raise
            except Exception as exc:  # whatever it is, the flow must know whether bytes left
                return _lost(progress, exc)
        return progress.reply()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def _notice(progress: Progress, name: str, info: Mapping[str, Any]) -> None:
    """Notice the moment before a request's first byte is written."""
    request = info.get("request")
    # A proxy's CONNECT is not the request; the request follows when the tunnel stands.
    if name.endswith("send_request_headers.started"):
        progress.is_sent |= getattr(request, "method", b"") != b"CONNECT"


def _request(asked: Exchange, trace: Callable[..., Any]) -> httpx.Request:
    timeouts = asked.timeouts
    waits = {
        "connect": timeouts.connect_s,
        "read": timeouts.read_s,
        "write": timeouts.read_s,
        "pool": timeouts.connect_s,
    }
    return httpx.Request(
        asked.method, asked.url, headers=asked.headers, content=asked.content,
        extensions={"trace": trace, "timeout": waits},
    )  # fmt: skip


@contextmanager
def _bounded(clock: Clock, seconds: float) -> Iterator[None]:
    end = clock.monotonic() + seconds
    token = sockets.left_s.set(lambda: end - clock.monotonic())
    try:
        yield
    finally:
        sockets.left_s.reset(token)


def _lost(progress: Progress, exc: Exception) -> Lost:
    if isinstance(exc, TooLarge):
        return progress.too_large()
    return progress.lost(*_name(exc))


def _name(exc: Exception) -> tuple[LostKind, str]:
    said = str(exc) or type(exc).__name__
    if isinstance(exc, RefusedAddress):
        return "refused", said
    if isinstance(exc, _CONNECTS):
        return "connect", f"no connection: {said}"
    if isinstance(exc, _TIMEOUTS):
        return "timeout", f"no answer in time: {said}"
    return "broken", said
