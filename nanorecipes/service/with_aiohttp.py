"""The engine on aiohttp: exchanges on an event loop, over guarded connections."""

from __future__ import annotations

import asyncio
import re
import socket
from base64 import b64encode
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from nanorecipes.errors import NanorecipesError
from nanorecipes.service.door import Door, RefusedAddress, Resolve
from nanorecipes.service.exchange import Exchange, Progress, TooLarge
from nanorecipes.service.flow import Lost, LostKind, Reply
from nanorecipes.service.proxies import proxy_for

if TYPE_CHECKING:
    from nanorecipes.service.exchange import Way

_CONNECTIONS = 128
_KEPT_S = 30.0
_ENCODED = re.compile(r"[!-~]+")

_underway: ContextVar[Progress] = ContextVar("underway")


class AiohttpEngine:
    """Sends requests over connections of its own, made on the event loop that first uses it.

    Args:
        host: the service's own host, whose address may lie inside.
        resolve: gives the addresses of a host's name.
    """

    def __init__(self, host: str | None, resolve: Resolve | None = None) -> None:
        self._own = Door(host, is_guarded=False, resolve=resolve)
        self._guarded = Door(host, is_guarded=True, resolve=resolve)
        self._sessions: dict[tuple[Way, bool], aiohttp.ClientSession] = {}
        self._proxies: dict[tuple[str, str], str | None] = {}

    async def exchange(self, asked: Exchange) -> Reply | Lost:
        """The whole answer, or how far it came."""
        progress = Progress(asked.max_bytes)
        token = _underway.set(progress)
        try:
            response = await self._begin(asked)
            try:
                progress.begin(response.status, response.headers.items())
                await _read(response.content, progress)
            except BaseException:
                response.close()
                raise
        except NanorecipesError:
            raise
        except Exception as exc:  # whatever it is, the flow must know whether bytes left
            return _lost(progress, exc)
        finally:
            _underway.reset(token)
        return progress.reply()

    async def aclose(self) -> None:
        """Close every connection."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    def _begin(self, asked: Exchange) -> Any:
        url = _url(asked.url)
        proxy = self._proxy(url.scheme, url.host or "")
        timeouts = asked.timeouts
        options: dict[str, Any] = {} if proxy is None else _proxy_options(proxy)
        if url.scheme == "https":
            options["ssl"] = _tls_context()
        if proxy is not None and asked.way == "outside":
            self._guarded.check_behind_proxy(url.host or "")
        return self._session(asked.way, proxy is not None).request(
            asked.method, url, headers=asked.headers, data=asked.content, allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=timeouts.total_s, sock_connect=timeouts.connect_s,
                # On a kept connection the whole is bound by hardly more than the reading.
                sock_read=None if asked.way == "kept" else timeouts.read_s,
            ),
            **options,
        )  # fmt: skip

    def _proxy(self, scheme: str, host: str) -> str | None:
        """What the environment says, read once for each host."""
        key = (scheme, host)
        if key not in self._proxies:
            self._proxies[key] = proxy_for(scheme, host)
        return self._proxies[key]

    def _session(self, way: Way, is_proxied: bool) -> aiohttp.ClientSession:
        found = self._sessions.get((way, is_proxied))
        if found is None:
            door = self._guarded if way == "outside" else self._own
            if is_proxied:  # it is the proxy that is connected to, and the user chose it
                door = Door()
            found = self._sessions[way, is_proxied] = _session(door, is_fresh=way == "fresh")
        return found


def _session(door: Door, *, is_fresh: bool) -> aiohttp.ClientSession:
    """A session that follows no redirect, keeps no cookie, and adds no header of its own."""
    if is_fresh:
        connector = _Connector(door, limit=_CONNECTIONS, force_close=True)
    else:
        connector = _Connector(door, limit=_CONNECTIONS, keepalive_timeout=_KEPT_S)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Content-Type"),
    )


class _Connector(aiohttp.TCPConnector):
    """Connections through a door, which note the moment when one is handed to a request."""

    def __init__(self, door: Door, **options: Any) -> None:
        def make_socket(info: Any) -> socket.socket:
            door.check(str(info[4][0]))
            return socket.socket(info[0], info[1], info[2])

        super().__init__(resolver=_Resolver(door), socket_factory=make_socket, **options)

    async def connect(self, *args: Any, **options: Any) -> Any:
        """A connection. From here on bytes may leave; before, surely none have."""
        connection = await super().connect(*args, **options)
        _underway.get().is_sent = True
        return connection


class _Resolver(AbstractResolver):
    def __init__(self, door: Door) -> None:
        self._door = door

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.to_thread(self._door.addresses, host, port)
        if not found:
            raise OSError(socket.EAI_NONAME, f"{host} has no address")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, proto=0, flags=socket.AI_NUMERICHOST,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in found
        ]  # fmt: skip

    async def close(self) -> None:
        pass


async def _read(body: aiohttp.StreamReader, progress: Progress) -> None:
    """Take the body as it comes; when it breaks, also what had come by then."""
    try:
        while not body.at_eof():
            progress.add(await body.readany())
    except aiohttp.ClientError:
        # What lies in the buffer can't be had otherwise; it may hold the id of a paid task.
        for chunk in tuple(getattr(body, "_buffer", ())):
            progress.add(bytes(chunk))
        raise


def _tls_context() -> Any:
    from nanorecipes.service.with_httpx import tls_context

    return tls_context()


def _url(text: str) -> URL:
    """The URL as it stands: a signature may hold for its very characters."""
    return URL(text, encoded=_ENCODED.fullmatch(text) is not None)


def _proxy_options(proxy: str) -> dict[str, Any]:
    parts = urlsplit(proxy)
    options: dict[str, Any] = {
        "proxy": parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    }
    if parts.username or parts.password:
        words = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        # Under this name for the proxy; aiohttp passes it on as Proxy-Authorization.
        options["proxy_headers"] = {"Authorization": f"Basic {b64encode(words.encode()).decode()}"}
    return options


def _lost(progress: Progress, exc: Exception) -> Lost:
    if isinstance(exc, TooLarge):
        return progress.too_large()
    return progress.lost(*_name(exc, progress.is_sent))


def _name(exc: Exception, is_sent: bool) -> tuple[LostKind, str]:
    said = str(exc) or type(exc).__name__
    if isinstance(exc, RefusedAddress):
        return "refused", said
    if isinstance(exc, aiohttp.ClientConnectorError):
        said = exc.os_error.strerror or said
    if not is_sent:
        return "connect", f"no connection: {said}"
    if isinstance(exc, TimeoutError):
        return "timeout", f"no answer in time: {said}"
    return "broken", said
