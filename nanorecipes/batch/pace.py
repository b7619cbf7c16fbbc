"""How fast a run sends: a rate, and a pause of the whole run when the service asks for one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nanorecipes.errors import ConfigurationError

if TYPE_CHECKING:
    from nanorecipes.service.timing import Clock

_RATE = re.compile(r"(\d{1,7}(?:\.\d{1,6})?)\s*/\s*(s|m|h)", re.IGNORECASE)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_rate(text: str) -> float:
    """Requests a second from a text such as `60/m`, `2/s` or `900/h`.

    Raises:
        ConfigurationError: it is written otherwise, or is none at all.
    """
    match = _RATE.fullmatch(text.strip())
    rate = float(match[1]) / _SECONDS[match[2].lower()] if match else 0.0
    if rate <= 0:
        raise ConfigurationError(f"rate is {text!r}, expected requests in a time such as 60/m")
    return rate


class Pace:
    """Lets one request after the other begin; all that a run sends passes here.

    Args:
        clock: what tells the time and lets it pass.
        rate: requests a second at most; None for no bound.
    """

    def __init__(self, clock: Clock, rate: float | None = None) -> None:
        self._clock = clock
        self._gap_s = 0.0 if rate is None else 1.0 / rate
        self._next_at = 0.0
        self._paused_until = 0.0

    def slow_down(self, seconds: float) -> None:
        """The service asked for a pause: nothing begins before it is over."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    async def turn(self) -> None:
        """Wait until the next request may begin."""
        now = self._clock.monotonic()
        begin = max(now, self._next_at, self._paused_until)
        self._next_at = begin + self._gap_s
        while begin > now:
            await self._clock.sleep_async(begin - now)
            now = self._clock.monotonic()
            begin = max(begin, self._paused_until)
