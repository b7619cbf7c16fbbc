"""The sections' fixed layout: which text goes where, with all that never changes laid out once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.words import join_and

if TYPE_CHECKING:
    from nanorecipes.prompt.pieces import Piece
    from nanorecipes.recipe.model import Changes

CLOSINGS: Mapping[Changes, str] = {
    "part": "Change nothing else.",
    "background": "Only the background changes.",
    "look": "The composition and everything in it stay; only the look changes.",
    "scene": "The rest of the scene may be new.",
}
"""How the protecting paragraph ends, by what the edit may change."""

_MARKS = frozenset(".!?:;\u2026")
_CLOSERS = "\"')\u201d\u2019"
# A value that ends like a sentence, where the sentence around it ends too; not inside quotes.
_TWO_ENDS = re.compile(
    r"""("[^"]*"|\u201c[^\u201d]*\u201d)|(?<!\.)(\.\.\.|[.!?\u2026])\.(?![.\w/\\])"""
)


def tidy(text: str) -> str:
    """Lines without blanks at their ends or doubled within, and no blank lines.

    Statements that stand on lines of their own leave blank ones, and a blank line would look like
    the end of a section. Templates and values hold no white space but blanks and line breaks.
    """
    text = text.strip()
    if "\n" not in text and "  " not in text:
        return text
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join([line for line in lines if line])


def closed(text: str) -> str:
    """A text that ends like a sentence."""
    if text[-1:] in _MARKS or not text or text.rstrip(_CLOSERS)[-1:] in _MARKS:
        return text
    return f"{text}."


def phrase(text: str) -> str:
    """A noun phrase as it stands inside a sentence: one line, no marks at its end."""
    line = " ".join(text.split()) if "\n" in text else text
    return line.rstrip(".;, ")


def enumerate_phrases(items: Sequence[str]) -> str:
    """`a, b and c`; where an entry is a list itself, `a, b and c; d; and e`. Each only once."""
    once = list(dict.fromkeys(items))
    if len(once) > 1 and ", " in "\n".join(once):
        return f"{'; '.join(once[:-1])}; and {once[-1]}"
    return join_and(once)


class Group(NamedTuple):
    """Protected things of one image."""

    image: str | None
    """The slot, or None for the first image attached."""
    indexes: tuple[int, ...]
    fixed: str | None
    """Their enumeration, where no entry depends on a value."""


class Layout(NamedTuple):
    """Where each piece's text goes; `texts` holds those of pieces without variables, finished."""

    texts: tuple[str, ...]
    dynamic: tuple[int, ...]
    """The pieces that have to be rendered, in order."""
    edit: int
    subject: int | None
    details: tuple[int, ...]
    fixed_details: str | None
    protect: tuple[Group, ...]


def make_layout(pieces: Sequence[Piece], constants: Mapping[int, str]) -> Layout:
    """Lay out what is fixed.

    Args:
        pieces: all template texts.
        constants: by index, the text of those that hold no template at all.
    """
    texts = [finish(piece.section, constants.get(i, "")) for i, piece in enumerate(pieces)]
    details = _indexes(pieces, "details")
    images = dict.fromkeys(piece.image for piece in pieces if piece.section == "protect")
    groups = []
    for image in images:
        indexes = tuple(i for i in _indexes(pieces, "protect") if pieces[i].image == image)
        fixed = all(i in constants for i in indexes)
        items = [texts[i] for i in indexes if texts[i]]
        groups.append(Group(image, indexes, enumerate_phrases(items) if fixed else None))
    subject = _indexes(pieces, "subject")
    return Layout(
        texts=tuple(texts),
        dynamic=tuple(i for i in range(len(pieces)) if i not in constants),
        edit=_indexes(pieces, "edit")[0],
        subject=subject[0] if subject else None,
        details=details,
        fixed_details=(
            " ".join(filter(None, (texts[i] for i in details)))
            if all(i in constants for i in details)
            else None
        ),
        protect=tuple(groups),
    )


def finish(section: str, text: str) -> str:
    """A piece's text as it stands in its section."""
    text = _one_end(tidy(text))
    if section == "details":
        return closed(text)
    return phrase(text) if section == "protect" else text


def _one_end(text: str) -> str:
    """No full stop behind the end of a sentence."""
    if not any(ends in text for ends in ("..", "!.", "?.", "\u2026.")):
        return text
    return _TWO_ENDS.sub(lambda found: found[1] or found[2], text)


def _indexes(pieces: Sequence[Piece], section: str) -> tuple[int, ...]:
    return tuple(i for i, piece in enumerate(pieces) if piece.section == section)
