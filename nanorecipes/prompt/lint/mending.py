"""Mends that are mechanical and safe: a stretch of the author's text, and what replaces it.

Rules look at drafts; a mend is sought in the template's own text, where code is covered up, so that
no place has to be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.lint import english

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.draft import Source
    from nanorecipes.recipe.source import Place

VALUE, BLOCK = "\ue000", "\ue001"
"""What covers `{{ ... }}`, and statements and comments: letters that no author writes."""
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_DELIMITER = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_RAW = re.compile(r"\{%[-+]?\s*raw\b")
_BLANKS = re.compile(r"(?<=\S)  +(?=\S)")


class Edit(NamedTuple):
    """One change of a file: it stays on one line."""

    place: Place
    """The stretch that is replaced."""
    before: str
    after: str


def covered(text: str) -> str | None:
    """A template's text, as long, with its code covered and what stands in quotes blotted out.

    None where delimiters stand within code, or code stands there to be printed.
    """
    if VALUE in text or BLOCK in text or _RAW.search(text):
        return None
    plain = _CODE.sub(_cover, text)
    return None if _DELIMITER.search(plain) else english.blot_quotes(plain)


def _cover(code: re.Match[str]) -> str:
    if _DELIMITER.search(code[0][2:-2]):
        return code[0]  # which `covered` then meets
    return (VALUE if code[0].startswith("{{") else BLOCK) * len(code[0])


def edit_at(source: Source, start: int, end: int, after: str) -> Iterator[Edit]:
    """The edit of a stretch of a text; none where its place in the file isn't known exactly."""
    before = source.text[start:end]
    place = None if "\n" in before else source.exact_place(start, end)
    if place is not None:
        yield Edit(place, before, after)


def doubled_blanks(source: Source) -> Iterator[Edit]:
    """Runs of blanks within a line, outside code and quotes; a prompt shows one of each."""
    if "  " not in source.text:
        return
    plain = covered(source.text) or ""
    quoted = english.quotes(plain)
    for run in _BLANKS.finditer(plain):
        if not any(start <= run.start() < end for start, end in quoted):
            yield from edit_at(source, run.start(), run.end(), " ")
