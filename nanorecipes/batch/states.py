"""The states of a row, the arrows between them, and money as whole micro-dollars."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, TypeAlias, get_args

State: TypeAlias = Literal[
    "planned",
    "submitting",
    "submitted",
    "done",
    "downloaded",
    "verified",
    "unknown",
    "failed",
    "refused",
]

STATES: tuple[State, ...] = get_args(State)

ARROWS: frozenset[tuple[str, State]] = frozenset(
    {
        ("", "planned"),
        ("planned", "submitting"),
        ("submitting", "planned"),  # surely not bought: 429, overload, no connection
        ("submitting", "submitted"),
        ("submitting", "unknown"),
        ("submitting", "refused"),
        ("submitted", "done"),
        ("submitted", "failed"),
        ("submitted", "refused"),  # the content was blocked after it was accepted
        ("done", "downloaded"),
        ("done", "failed"),  # the only copy of its picture has gone, or is none
        ("downloaded", "verified"),
        ("downloaded", "done"),  # the check of the file failed: download again
        ("verified", "done"),  # its file is gone: download again
        ("submitted", "planned"),  # the embedded emulator that had it is gone, and no money
        ("done", "planned"),  # likewise
        ("downloaded", "planned"),  # likewise
        ("unknown", "submitted"),  # its task id turned up after all
        ("unknown", "failed"),  # a person took it as charged
        ("unknown", "planned"),  # a person allowed a second purchase
        ("failed", "planned"),  # on request
        ("refused", "planned"),  # on request
    }
)
"""Every change of state there is; each is one durable commit."""

PAID: frozenset[str] = frozenset({"submitted", "done", "downloaded"})
"""Bought, and not yet on the disk and checked: work that costs nothing more."""

FINAL: frozenset[str] = frozenset({"verified", "unknown", "failed", "refused"})
"""What a run leaves as it is."""

MICRO = Decimal(1_000_000)


def to_micro(usd: Decimal) -> int:
    """A price in whole micro-dollars; a part of one counts as one."""
    return int((usd * MICRO).to_integral_value(ROUND_CEILING))


def cap_micro(usd: Decimal) -> int:
    """A cap in whole micro-dollars; a part of one counts for nothing."""
    return int((usd * MICRO).to_integral_value(ROUND_FLOOR))


def to_usd(micro: int) -> Decimal:
    """Micro-dollars as USD, without zeros at the end."""
    usd = (Decimal(micro) / MICRO).normalize()
    return usd.quantize(Decimal(1)) if usd == usd.to_integral_value() else usd
