"""The emulator in this process, behind the same face as a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

import httpx

from nanorecipes.service.with_httpx import STARTED

if TYPE_CHECKING:
    from nanorecipes.sandbox.wire import Answer, Call, Drop
    from nanorecipes.service.timing import Clock


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that asks the emulator."""

    def __init__(self, handle: Callable[[Call], Answer | Drop], host: str, clock: Clock) -> None:
        self._handle = handle
        self._host = host
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Let the emulator answer."""
        reply = self._handle(self._call(request))
        if _reached(reply):
            request.extensions["trace"](STARTED, {})
        self._clock.sleep(_pause_s(reply, request))
        return _sandbox_response(reply, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the emulator answer, in a thread: it draws."""
        reply = await asyncio.to_thread(self._handle, self._call(request))
        if _reached(reply):
            await request.extensions["trace"](STARTED, {})
        await self._clock.sleep_async(_pause_s(reply, request))
        return _sandbox_response(reply, request)

    def _call(self, request: httpx.Request) -> Call:
        from nanorecipes.sandbox.wire import Call

        if request.url.host != self._host:
            raise httpx.ConnectError(f"the sandbox reaches no other host, not {request.url.host}")
        query = request.url.query.decode("ascii")
        return Call(request.method, request.url.path, dict(request.headers), request.read(), query)


def _reached(reply: Answer | Drop) -> bool:
    return getattr(reply, "sent", True)


def _pause_s(reply: Answer | Drop, request: httpx.Request) -> float:
    return min(reply.delay_s, float(request.extensions["timeout"]["read"]))


def _sandbox_response(reply: Answer | Drop, request: httpx.Request) -> httpx.Response:
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
