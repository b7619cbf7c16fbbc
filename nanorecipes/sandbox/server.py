"""The emulator over HTTP: a thin skin that can also hang up, stop halfway and be slow."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from nanorecipes.errors import ConfigurationError
from nanorecipes.sandbox import google, replies
from nanorecipes.sandbox.core import MAX_JSON_BYTES, MAX_UPLOAD_BYTES, Sandbox
from nanorecipes.sandbox.gallery import DRAWN_AT_ONCE
from nanorecipes.sandbox.wire import Answer, Call, Drop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

UPLOADS = "/sandbox/uploads/"
RESULTS = "/sandbox/results/"
START_TIMEOUT_S = 30.0

wait = asyncio.sleep  # by this name, so that tests of slow answers can take no time


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server in a thread of this process."""

    base_url: str
    sandbox: Sandbox


def serve(
    sandbox: Sandbox,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve an emulator until the process is interrupted (Ctrl-C raises KeyboardInterrupt here).

    Args:
        sandbox: what is served; its `base_url` becomes the address of the server.
        host: the address to listen on.
        port: 0 takes a free one.
        on_ready: called once with the base URL when calls are answered.

    Raises:
        ConfigurationError: host or port can't be listened on.
    """

    async def run() -> None:
        async with _listening(sandbox, host, port) as base_url:
            if on_ready is not None:
                on_ready(base_url)
            await asyncio.Event().wait()

    asyncio.run(run())


@contextlib.contextmanager
def running_server(
    sandbox: Sandbox | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[RunningServer]:
    """Serve an emulator in a thread for as long as the block runs, on a free port by default.

    Raises:
        ConfigurationError: host or port can't be listened on.
    """
    served = sandbox or Sandbox()
    ready = threading.Event()
    state: dict[str, BaseException] = {}
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with _listening(served, host, port):
            ready.set()
            await stop.wait()

    def body() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(run())
        except BaseException as exc:
            state["error"] = exc
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=body, name="nanorecipes-sandbox", daemon=True)
    thread.start()
    if not ready.wait(START_TIMEOUT_S):
        raise ConfigurationError(f"the server didn't start within {START_TIMEOUT_S:g} s")
    if "error" in state:
        thread.join()
        raise state["error"]
    try:
        yield RunningServer(served.base_url, served)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@contextlib.asynccontextmanager
async def _listening(sandbox: Sandbox, host: str, port: int) -> AsyncIterator[str]:
    pool = ThreadPoolExecutor(DRAWN_AT_ONCE, "nanorecipes-paint")
    server = web.Server(_Handler(sandbox, pool), access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as exc:
            raise ConfigurationError(
                f"can't listen on {host}:{port}: {exc.strerror or exc}",
                help="choose another port, or 0 for a free one",
            ) from exc
        bound = runner.addresses[0][1]
        sandbox.base_url = f"http://{_reachable(host)}:{bound}"
        yield sandbox.base_url
    finally:
        await runner.cleanup()
        pool.shutdown(wait=True, cancel_futures=True)


def _reachable(host: str) -> str:
    """A host under which a client on this machine finds a server that listens on that address."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # only a key
    return f"[{host}]" if ":" in host else host


class _Handler:
    """Turns a request into a call, and the reply into bytes on the connection or its end."""

    def __init__(self, sandbox: Sandbox, pool: ThreadPoolExecutor) -> None:
        self.sandbox = sandbox
        self.pool = pool

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await _read(request)
        if body is None:
            made = replies.problem(413, "the body is larger than is taken here")
            response = web.Response(status=made.status, headers=dict(made.headers), body=made.body)
            response.force_close()  # the rest of the body is not read
            return response
        call = Call(request.method, request.path, request.headers, body, request.query_string)
        reply = await self._handle(call)
        if reply.delay_s > 0:
            await wait(reply.delay_s)
        if isinstance(reply, Drop):
            return _hang_up(request)
        return await _send_half(request, reply) if reply.is_cut else _whole(reply)

    async def _handle(self, call: Call) -> Answer | Drop:
        """Drawing and hashing take long and leave the event loop; the rest is quick."""
        slow = call.path.startswith((RESULTS, UPLOADS, google.PREFIX))
        if not slow:
            return self.sandbox.handle(call)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, self.sandbox.handle, call)


async def _read(request: web.BaseRequest) -> bytes | None:
    """The body, or None when it is longer than this route takes."""
    takes_pictures = request.path.startswith((UPLOADS, google.PREFIX))
    limit = MAX_UPLOAD_BYTES if takes_pictures else MAX_JSON_BYTES
    if (request.content_length or 0) > limit:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _whole(reply: Answer) -> web.Response:
    return web.Response(status=reply.status, headers=dict(reply.headers), body=reply.body)


def _hang_up(request: web.BaseRequest) -> web.Response:
    """Reset the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _send_half(request: web.BaseRequest, reply: Answer) -> web.StreamResponse:
    """Promise the whole length, send what there is, and close."""
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    response.force_close()
    await response.prepare(request)
    await response.write(reply.body)
    if request.transport is not None:
        request.transport.close()  # after the bytes that wait to be sent
    return response
