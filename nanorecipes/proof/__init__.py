"""Proof: what changed between two pictures, held against what was allowed to change."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanorecipes.proof.front import prove, restore
    from nanorecipes.proof.restoring import Restored
    from nanorecipes.proof.values import (
        Change,
        Changes,
        Edges,
        Framing,
        Ignored,
        Proof,
        Tone,
        Verdict,
    )

__all__ = [
    "Change",
    "Changes",
    "Edges",
    "Framing",
    "Ignored",
    "Proof",
    "Restored",
    "Tone",
    "Verdict",
    "prove",
    "restore",
]

_VALUES = ("Change", "Changes", "Edges", "Framing", "Ignored", "Proof", "Tone", "Verdict")
_HOMES = {
    "prove": "front",
    "restore": "front",
    "Restored": "restoring",
    **dict.fromkeys(_VALUES, "values"),
}


def __getattr__(name: str) -> Any:
    # Arrays and image libraries load with the first name that needs them, not before.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
