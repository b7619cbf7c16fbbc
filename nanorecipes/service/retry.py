"""When a request may be sent again: a re-sent POST is a second purchase, a GET is free."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nanorecipes.service.flow import Lost, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Statuses that say before any work was done: no.
DEFINITE = frozenset({400, 401, 402, 403, 404, 413, 422})
ACCEPTED = frozenset({200, 201, 202})

_OVERLOAD = re.compile(
    r"overload|capacity|try(ing)?\s+(it\s+|this\s+)?(once\s+)?again|"
    r"retry\s+(again|later|after|in|shortly|your|the)",
    re.IGNORECASE,
)
_SECONDS = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


class Verdict(Enum):
    """What an answer to a request means for sending it again."""

    ACCEPTED = "accepted"
    AGAIN = "again"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently: waits double from `first_s`, less a random part of them."""

    attempts: int = 5
    first_s: float = 1.0
    factor: float = 2.0
    longest_s: float = 30.0
    jitter: float = 0.5
    """The share of a wait that is random, so that many clients don't come back at once."""
    longest_retry_after_s: float = 120.0
    random: Callable[[], float] = random.random
    """Gives a number from 0 to 1."""

    def backoff_s(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number, from 1."""
        wait = min(self.longest_s, self.first_s * self.factor ** (attempt - 1))
        return wait * (1 - self.jitter * self.random())


def judge_post(answer: Reply | Lost) -> Verdict:
    """Whether a POST was taken, refused, surely never seen, or perhaps taken."""
    if isinstance(answer, Lost):
        return Verdict.UNKNOWN if answer.sent else Verdict.AGAIN
    if answer.status in ACCEPTED:
        return Verdict.ACCEPTED
    if answer.status in DEFINITE:
        return Verdict.REFUSED
    if answer.status == 429 or (answer.status == 503 and _is_overload(answer)):
        return Verdict.AGAIN
    return Verdict.UNKNOWN


def judge_get(answer: Reply | Lost) -> Verdict:
    """Whether a request that costs nothing was answered, or is worth another try."""
    if isinstance(answer, Lost):
        return Verdict.REFUSED if answer.kind in ("refused", "too-large") else Verdict.AGAIN
    if 200 <= answer.status < 300:
        return Verdict.ACCEPTED
    if answer.status in (408, 409, 425, 429) or answer.status >= 500:
        return Verdict.AGAIN
    return Verdict.REFUSED


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """What `Retry-After` asks for, in seconds from now; None when it is absent or unreadable.

    Args:
        headers: names in lower case.
        now: seconds since 1970, for the form that names a date.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    if not text:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _is_overload(reply: Reply) -> bool:
    if retry_after_s(reply.headers, 0.0) is not None:
        return True
    return _OVERLOAD.search(reply.body[:4096].decode("utf-8", "replace")) is not None
