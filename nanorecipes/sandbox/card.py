"""How a picture that the sandbox drew is told from one that it was given."""

from __future__ import annotations

MARK = b"nanorecipes-sandbox-card"


def is_card(data: bytes) -> bool:
    """Whether a file is a card that the sandbox drew: a comment in it says so."""
    return MARK in data
