"""What goes in and out of the emulator: a call, and an answer or a dropped connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


def header(headers: Mapping[str, str], name: str) -> str | None:
    """A header's value whatever its case, or None when it is absent."""
    wanted = name.lower()
    for key, value in headers.items():
        if key.lower() == wanted:
            return value
    return None


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, read to its end."""

    method: str
    path: str
    """Path alone, such as `/api/v1/images/generate`: no host, no query."""
    headers: Mapping[str, str]
    body: bytes = b""
    query: str = ""
    """What stands behind the question mark, without it."""

    def header(self, name: str) -> str | None:
        """A header's value whatever its case, or None when it is absent."""
        return header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; whoever carries it waits `delay_s` before its first byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_s: float = 0.0

    @property
    def is_cut(self) -> bool:
        """Whether the connection breaks inside the body: fewer bytes than the header promises."""
        promised = header(self.headers, "Content-Length")
        return promised is not None and int(promised) > len(self.body)


@dataclass(frozen=True, slots=True)
class Drop:
    """A connection that goes away without an answer."""

    charged: bool
    """Whether the work was accepted and charged before it went away."""
    sent: bool
    """Whether the request's bytes had gone out; false is a refused connection."""
    delay_s: float = 0.0


Reply: TypeAlias = Answer | Drop
