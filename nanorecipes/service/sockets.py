"""Blocking connections below the HTTP library: where they go to, and when each read ends."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from nanorecipes.service.door import Door
from nanorecipes.service.proxies import proxy_for

_CONNECTIONS = 128
_KEPT_S = 30.0

left_s: ContextVar[Callable[[], float]] = ContextVar("left_s")


def cut(timeout: float | None) -> float:
    """A time-out for one read or write, cut to what is left of the whole exchange."""
    left = left_s.get()()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer did not end in time")
    return left if timeout is None else min(timeout, left)


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


class Pools:
    """Pools of connections, made when a scheme or a proxy is first used."""

    def __init__(self, door: Door, *, keeps: bool, tls: Callable[[], ssl.SSLContext]) -> None:
        self._door = door
        self._keeps = keeps
        self._tls = tls
        self._pools: dict[tuple[str, str | None], httpcore.ConnectionPool] = {}

    def to(self, scheme: str, host: str) -> httpcore.ConnectionPool:
        """The pool for a host."""
        key = self._key(scheme, host)
        if key not in self._pools:
            options = self._options(scheme)
            if key[1] is None:
                options["network_backend"] = Backend(self._door)
                self._pools[key] = httpcore.ConnectionPool(**options)
            else:
                options["network_backend"] = Backend(Door())
                self._pools[key] = httpcore.HTTPProxy(**_proxy_options(key[1]), **options)
        return self._pools[key]

    def close(self) -> None:
        """Close every connection."""
        while self._pools:
            self._pools.popitem()[1].close()

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
