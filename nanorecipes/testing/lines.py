"""A prompt's text as lines that a reviewer can compare: one sentence or list entry a line."""

from __future__ import annotations

import re
from itertools import pairwise

BREAK = "\u21b5"
"""Stands at the end of a line where the prompt itself has a line break."""

_END = re.compile(r"(?:[.!?\u2026][\"')\u201d\u2019]*|;) ")


def split_text(text: str) -> list[str]:
    """The text cut behind sentences and list entries; joined with a space it is the text again.

    A line break of the text's own is cut as well, and shown as a mark at the end of its line.
    """
    lines: list[str] = []
    parts = text.split("\n")
    for number, part in enumerate(parts):
        lines += _sentences(part)
        if number < len(parts) - 1:
            lines[-1] += BREAK
    return lines


def _sentences(text: str) -> list[str]:
    cuts = [0, *(m.end() for m in _END.finditer(text) if _begins(text, m)), len(text) + 1]
    return [text[start : end - 1] for start, end in pairwise(cuts)]


def _begins(text: str, end: re.Match[str]) -> bool:
    """Whether what follows begins anew: behind a full stop with a capital, behind `;` always."""
    rest = text[end.end() :].lstrip("\"'(\u201c\u201e")
    return end.group() == "; " or rest[:1].isupper()
