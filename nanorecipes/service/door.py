"""Where connections may go: the switch for the whole process, and addresses that are checked."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeAlias

from nanorecipes.errors import ConfigurationError
from nanorecipes.service import guard

Resolve: TypeAlias = Callable[[str, int], list[str]]

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


class Unresolved(OSError):
    """A host whose name leads nowhere, at least for now."""


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
        self._own_addresses: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether nothing is checked, and the name may be left to the connecting library."""
        return _network_is_allowed and not self._is_guarded

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, all of them checked.

        Raises:
            Unresolved: the name leads nowhere.
            RefusedAddress: it leads to an address inside.
            ConfigurationError: the network is switched off.
        """
        if guard.parse_address(host) is not None:
            found = [host]
        else:
            try:
                found = self._resolve(host, port)
            except (OSError, UnicodeError) as exc:
                raise Unresolved(socket.EAI_NONAME, f"{host} can't be resolved: {exc}") from None
        self._check_switch(host, found)
        if self._is_guarded:
            self._refuse(guard.refused_address(found, host, self._own_host, self._own_is_loopback))
            if self._own_host is not None and host.lower() == self._own_host.lower():
                self._own_addresses = frozenset(found)
        return found[:_ADDRESSES_TRIED]

    def check(self, address: str) -> None:
        """The last look, at the very address that is about to be connected to.

        Raises:
            RefusedAddress: it lies inside.
            ConfigurationError: the network is switched off.
        """
        self._check_switch(address, [address])
        if self._is_guarded and address not in self._own_addresses:
            own = self._own_host
            self._refuse(guard.refused_address([address], address, own, self._own_is_loopback))

    def check_behind_proxy(self, host: str) -> None:
        """The proxy resolves names, so that only what is an address already can be checked."""
        if self._is_guarded and (guard.parse_address(host) or guard.is_loopback_host(host)):
            own = self._own_is_loopback
            self._refuse(guard.refused_address([host], host, self._own_host, own))

    def _check_switch(self, host: str, found: list[str]) -> None:
        if not _network_is_allowed and not guard.is_loopback_host(host, found):
            raise ConfigurationError(f"the network is switched off, and {host} is not this machine")

    def _refuse(self, why: str | None) -> None:
        if why is not None:
            raise RefusedAddress(why)
