"""What can go wrong on demand: by seed, so that concurrency changes nothing, or by a script."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nanorecipes.errors import ConfigurationError
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Route = Literal["generate", "tasks", "results", "uploads", "models"]

ROUTES: tuple[Route, ...] = ("generate", "tasks", "results", "uploads", "models")
OK = "ok"

ANY = ROUTES
JSON: tuple[Route, ...] = ("generate", "tasks", "models")
GENERATE: tuple[Route, ...] = ("generate",)
PICTURE: tuple[Route, ...] = ("generate", "results")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong: where it can, and what a caller sees."""

    name: str
    routes: tuple[Route, ...]
    text: str


_ALL = (
    Fault("429", ANY, "429 with Retry-After in seconds; nothing is charged"),
    Fault("429_date", ANY, "429 with Retry-After as a date; nothing is charged"),
    Fault("503", ANY, "503 that speaks of overload, with Retry-After; nothing is charged"),
    Fault("refused", ANY, "the connection is refused: no byte is sent, nothing is charged"),
    Fault("drop_before", ANY, "the connection drops before the call is accepted"),
    Fault("drop_after", GENERATE, "accepted and charged, then the connection drops"),
    Fault("500", ANY, "500; a generate call was charged before"),
    Fault("502", ANY, "502 with a gateway's page; a generate call was charged before"),
    Fault("504", ANY, "504 with a gateway's page; a generate call was charged before"),
    Fault("503_bare", ANY, "503 without a word of overload; a generate call was charged before"),
    Fault("slow", ANY, "the right answer, late"),
    Fault("half_body", ANY, "the right answer, but the connection breaks in the middle of it"),
    Fault("bad_json", JSON, "an answer of the right status that is not JSON"),
    Fault("never_ends", GENERATE, "charged; the task says that it is running for ever"),
    Fault("expired_task", GENERATE, "charged; the task ends as expired"),
    Fault("unknown_task", GENERATE, "charged; asking for the task gives 404"),
    Fault("failed_task", GENERATE, "charged; the task ends as failed"),
    Fault("no_image", GENERATE, "charged; success without a picture, with a text"),
    Fault("blocked", GENERATE, "the content is refused, with a reason and a text"),
    Fault("truncated_picture", PICTURE, "the picture's file ends too early"),
    Fault("wrong_type", PICTURE, "the picture is a JPEG and is called image/png"),
    Fault("not_a_picture", PICTURE, "a page of HTML that is called image/jpeg"),
    Fault("wrong_size", GENERATE, "the picture has another size than the one asked for"),
    Fault("gone", ("results",), "404: the result is no longer there"),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
"""Every fault by name, for help texts and tables."""


class Faults:
    """Decides for each call whether something goes wrong, and what.

    A rate is the share of calls that get a fault. Its name is that of a fault, which then strikes
    calls to `generate`, or `route.fault` such as `tasks.503`. Whether a call is struck is decided
    from a hash of (seed, route, key, attempt), so the order of the calls doesn't matter. A script
    comes first: the next calls to its route get its entries, in order.

    Args:
        rates: shares from 0 to 1 by name; those of one route add up to 1 at most.
        seed: another seed strikes other calls.
        retry_after_s: seconds that 429 and 503 ask to wait.
        slow_s: seconds that a slow answer takes.

    Raises:
        ConfigurationError: an unknown name, or a share that is none.
    """

    def __init__(
        self,
        rates: Mapping[str, float] | None = None,
        *,
        seed: int = 0,
        retry_after_s: int = 1,
        slow_s: float = 30.0,
    ) -> None:
        self.seed = seed
        self.retry_after_s = retry_after_s
        self.slow_s = slow_s
        self.rates: dict[str, float] = dict(rates or {})
        self._by_route = _read_rates(self.rates)
        self._scripts: dict[str, deque[str]] = {route: deque() for route in ROUTES}
        self._lock = threading.Lock()

    @classmethod
    def script(cls, kinds: Iterable[str], *, route: str = "generate", seed: int = 0) -> Faults:
        """Faults for the next calls to one route, in order: `Faults.script(["429", "ok"])`.

        Raises:
            ConfigurationError: an unknown name or route.
        """
        return cls(seed=seed).push(kinds, route=route)

    @classmethod
    def parse(cls, text: str, *, seed: int = 0) -> Faults:
        """Faults from a text such as `429:0.05,drop_after:0.02,tasks.503:0.1`.

        Raises:
            ConfigurationError: the text can't be read, or names an unknown fault.
        """
        rates: dict[str, float] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, colon, share = (piece.strip() for piece in part.partition(":"))
            if not colon or name in rates:
                problem = "stands twice" if name in rates else "has no rate"
                raise ConfigurationError(f"fault {name!r} {problem}", help=_EXAMPLE)
            try:
                rates[name] = float(share)
            except ValueError as exc:
                raise ConfigurationError(
                    f"the rate of {name!r} must be a number from 0 to 1, found {share!r}",
                    help=_EXAMPLE,
                ) from exc
        return cls(rates, seed=seed)

    def push(self, kinds: Iterable[str], *, route: str = "generate") -> Faults:
        """Add entries for the next calls to a route, `ok` among them; returns itself.

        Raises:
            ConfigurationError: an unknown name or route; nothing was added then.
        """
        names = list(kinds)
        if route not in ROUTES:
            raise ConfigurationError(
                f"unknown route {route!r}, expected one of: {', '.join(ROUTES)}"
            )
        for name in names:
            if name != OK:
                _check_name(name, route)
        with self._lock:
            self._scripts[route].extend(names)
        return self

    def concerns(self, route: Route) -> bool:
        """Whether anything can go wrong on this route, so that calls to it must be counted."""
        return bool(self._scripts[route]) or route in self._by_route

    def pick(self, route: Route, key: str, attempt: int) -> str | None:
        """The fault that strikes this call, or None."""
        script = self._scripts[route]
        if script:
            with self._lock:
                if script:
                    name = script.popleft()
                    return None if name == OK else name
        shares = self._by_route.get(route)
        if not shares:
            return None
        point = _point(self.seed, route, key, attempt)
        for name, share in shares:
            point -= share
            if point < 0:
                return name
        return None

    def __repr__(self) -> str:
        return f"Faults({self.rates!r}, seed={self.seed})"


_EXAMPLE = "write them as in `429:0.05,drop_after:0.02,tasks.503:0.1`"


def _read_rates(rates: Mapping[str, float]) -> dict[str, list[tuple[str, float]]]:
    """The shares by route, each route's in the order of names so that spelling doesn't matter."""
    by_route: dict[str, list[tuple[str, float]]] = {}
    for full, share in rates.items():
        route, name = _split(full)
        _check_name(name, route)
        if not (isinstance(share, (int, float)) and math.isfinite(share) and 0 <= share <= 1):
            raise ConfigurationError(
                f"the rate of {full!r} must be a number from 0 to 1, found {share!r}",
                help=_EXAMPLE,
            )
        by_route.setdefault(route, []).append((name, float(share)))
    for where, shares in by_route.items():
        total = math.fsum(share for _, share in shares)
        if total > 1 + 1e-9 or len({name for name, _ in shares}) < len(shares):
            raise ConfigurationError(
                f"the rates of {where!r} must name each fault once and add up to 1 at most, "
                f"found a sum of {total:g}"
            )
        shares.sort()
    return by_route


def _split(full: str) -> tuple[Route, str]:
    route, dot, name = full.partition(".")
    if not dot:
        return "generate", full
    if route not in ROUTES:
        raise ConfigurationError(
            f"unknown route {route!r} in {full!r}, expected one of: {', '.join(ROUTES)}"
        )
    return route, name


def _check_name(name: str, route: str) -> None:
    fault = FAULTS.get(name)
    if fault is None:
        near = did_you_mean(name, FAULTS)
        raise ConfigurationError(
            f"unknown fault {name!r}" + (f", {near}" if near else ""),
            help=f"known: {', '.join(FAULTS)}",
        )
    if route not in fault.routes:
        raise ConfigurationError(
            f"the fault {name!r} can't strike {route!r}, only {' or '.join(fault.routes)}"
        )


def _point(seed: int, route: str, key: str, attempt: int) -> float:
    """A number from 0 up to 1 that looks random and depends on nothing else."""
    text = f"{seed}/{route}/{key}/{attempt}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64
