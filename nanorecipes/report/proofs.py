"""What a sidecar says of a proof, read as warily as everything that comes from a stranger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from nanorecipes import files
from nanorecipes.drawings import SUFFIXES
from nanorecipes.proof.values import Verdict

if TYPE_CHECKING:
    from nanorecipes.provenance import Provenance

_MOST_REASONS = 12


@dataclass(frozen=True, slots=True)
class Proved:
    """What was found when a picture was held against its source."""

    verdict: str
    score: float | None
    reasons: tuple[str, ...]
    overlay: Path | None
    """The picture with heat and boxes over it, where it lies beside."""


def proved(made: Provenance, picture: Path) -> Proved | None:
    """The proof of a picture; None where its record tells of none."""
    told = made.facts.get("proof")
    if not isinstance(told, Mapping) or told.get("verdict") not in get_args(Verdict):
        return None
    score, reasons = told.get("score"), told.get("reasons")
    listed = reasons if isinstance(reasons, list) else []
    # Its name is known: a record could name any file of this machine.
    overlay = picture.with_name(f"{picture.name}{SUFFIXES['overlay']}")
    return Proved(
        verdict=str(told["verdict"]),
        score=_number(score),
        reasons=tuple(text for text in listed[:_MOST_REASONS] if isinstance(text, str)),
        overlay=overlay if files.is_regular(overlay) else None,
    )


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def composite(made: Provenance) -> str | None:
    """What a restored picture is, where it is one."""
    told = made.facts.get("composite")
    if not isinstance(told, Mapping):
        return None
    what = told.get("what")
    return what if isinstance(what, str) else "a composite"
