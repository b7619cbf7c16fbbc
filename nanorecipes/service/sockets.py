"""Connections below the HTTP library: which addresses they go to, and when each read ends."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import httpcore

from nanorecipes.errors import ConfigurationError
from nanorecipes.service import guard
from nanorecipes.service.proxies import proxy_for

Resolve: TypeAlias = Callable[[str, int], list[str]]

_CONNECTIONS = 128
_KEPT_S = 30.0
_ADDRESSES_TRIED = 4

_network_is_allowed = True


def allow_network(allowed: bool) -> bool:
    """Switch real sends on or off for the whole process; off, only this machine is reached.

    Returns what held before, so that it can be put back.
    """
    global _network_is_allowed
    before, _network_is_allowed = _network_is_allowed, allowed
    return before


def resolve_name(host: str, port: int) -> list[str]:
    """All addresses of a host's name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class RefusedAddress(Exception):
    """A host whose addresses may not be connected to."""


left_s: ContextVar[Callable[[], float]] = ContextVar("left_s")


def cut(timeout: float | None) -> float:
    """A time-out for one read or write, cut to what is left of the whole exchange."""
    left = left_s.get()()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer did not end in time")
    return left if timeout is None else min(timeout, left)


class Door:
    """Decides which addresses a connection may go to.

    The addresses that were checked are the ones connected to: a name that resolves to something
    else a moment later gains nothing.
    """

    def __init__(
        self,
        own_host: str | None = None,
        *,
        is_guarded: bool = False,
        resolve: Resolve | None = None,
    ) -> None:
        self._own_host = own_host
        self._own_is_loopback = own_host is not None and guard.is_loopback_host(own_host)
        self._is_guarded = is_guarded
        self._resolve = resolve if resolve is not None else resolve_name

    @property
    def is_open(self) -> bool:
        """Whether nothing is checked, and the name may be left to the connecting library."""
        return _network_is_allowed and not self._is_guarded

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, all of them checked."""
        if guard.parse_address(host) is not None:
            found = [host]
        else:
            try:
                found = self._resolve(host, port)
            except (OSError, UnicodeError) as exc:
                raise httpcore.ConnectError(f"{host} can't be resolved: {exc}") from None
        if not _network_is_allowed and not guard.is_loopback_host(host, found):
            raise ConfigurationError(f"the network is switched off, and {host} is not this machine")
        if self._is_guarded:
            self._refuse(guard.refused_address(found, host, self._own_host, self._own_is_loopback))
        return found[:_ADDRESSES_TRIED]

    def check_behind_proxy(self, host: str) -> None:
        """The proxy resolves names, so that only what is an address already can be checked."""
        if self._is_guarded and (guard.parse_address(host) or guard.is_loopback_host(host)):
            own = self._own_is_loopback
            self._refuse(guard.refused_address([host], host, self._own_host, own))

    def _refuse(self, why: str | None) -> None:
        if why is not None:
            raise RefusedAddress(why)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, cut(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, cut(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, cut(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, cut(timeout))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, cut(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    def __init__(self, door: Door) -> None:
        self._door = door
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        hosts = [host] if self._door.is_open else self._door.addresses(host, port)
        for number, address in enumerate(hosts, 1):
            try:
                stream = self._inner.connect_tcp(
                    address, port, cut(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(hosts):
                    raise
            else:
                return _Stream(stream)
        raise httpcore.ConnectError(f"{host} has no address")


class AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, door: Door) -> None:
        self._door = door
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        door = self._door
        hosts = [host] if door.is_open else await asyncio.to_thread(door.addresses, host, port)
        for number, address in enumerate(hosts, 1):
            try:
                stream = await self._inner.connect_tcp(
                    address, port, cut(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(hosts):
                    raise
            else:
                return _AsyncStream(stream)
        raise httpcore.ConnectError(f"{host} has no address")


class Pools:
    """Pools of connections, made when a scheme or a proxy is first used."""

    def __init__(self, door: Door, *, keeps: bool, tls: Callable[[], ssl.SSLContext]) -> None:
        self._door = door
        self._keeps = keeps
        self._tls = tls
        self._blocking: dict[tuple[str, str | None], httpcore.ConnectionPool] = {}
        self._others: dict[tuple[str, str | None], httpcore.AsyncConnectionPool] = {}

    def blocking(self, scheme: str, host: str) -> httpcore.ConnectionPool:
        """The pool for a host, for callers that may block."""
        key = self._key(scheme, host)
        if key not in self._blocking:
            options = self._options(scheme)
            if key[1] is None:
                options["network_backend"] = Backend(self._door)
                self._blocking[key] = httpcore.ConnectionPool(**options)
            else:
                options["network_backend"] = Backend(Door())
                self._blocking[key] = httpcore.HTTPProxy(**_proxy_options(key[1]), **options)
        return self._blocking[key]

    def non_blocking(self, scheme: str, host: str) -> httpcore.AsyncConnectionPool:
        """The pool for a host, for callers on an event loop."""
        key = self._key(scheme, host)
        if key not in self._others:
            options = self._options(scheme)
            if key[1] is None:
                options["network_backend"] = AsyncBackend(self._door)
                self._others[key] = httpcore.AsyncConnectionPool(**options)
            else:
                options["network_backend"] = AsyncBackend(Door())
                self._others[key] = httpcore.AsyncHTTPProxy(**_proxy_options(key[1]), **options)
        return self._others[key]

    def close(self) -> None:
        """Close every connection of the blocking kind."""
        while self._blocking:
            self._blocking.popitem()[1].close()

    async def aclose(self) -> None:
        """Close every connection of the other kind."""
        while self._others:
            await self._others.popitem()[1].aclose()

    def _key(self, scheme: str, host: str) -> tuple[str, str | None]:
        proxy = proxy_for(scheme, host)
        if proxy is not None:
            self._door.check_behind_proxy(host)
        return scheme, proxy

    def _options(self, scheme: str) -> dict[str, Any]:
        return {
            "max_connections": _CONNECTIONS,
            "max_keepalive_connections": _CONNECTIONS if self._keeps else 0,
            "keepalive_expiry": _KEPT_S,
            "ssl_context": self._tls() if scheme == "https" else None,
        }


def _proxy_options(proxy: str) -> dict[str, Any]:
    parts = urlsplit(proxy)
    auth = None
    if parts.username or parts.password:
        auth = (unquote(parts.username or ""), unquote(parts.password or ""))
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return {"proxy_url": bare.geturl(), "proxy_auth": auth}
