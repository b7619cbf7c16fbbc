"""Proof: what changed between two pictures, held against what was allowed to change."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanorecipes.proof.judge import prove
    from nanorecipes.proof.restoring import Restored, restore
    from nanorecipes.proof.values import Change, Changes, Edges, Framing, Proof, Tone, Verdict

__all__ = [
    "Change",
    "Changes",
    "Edges",
    "Framing",
    "Proof",
    "Restored",
    "Tone",
    "Verdict",
    "prove",
    "restore",
]

_HOMES = {
    "prove": "judge",
    "restore": "restoring",
    "Restored": "restoring",
} | dict.fromkeys(("Change", "Changes", "Edges", "Framing", "Proof", "Tone", "Verdict"), "values")


def __getattr__(name: str) -> Any:
    # Arrays and image libraries load with the first name that needs them, not before.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
