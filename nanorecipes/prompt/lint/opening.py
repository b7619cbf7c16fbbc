"""How an edit begins: with its order, with something before it, or with no order at all."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from nanorecipes.prompt.lint import english
from nanorecipes.prompt.lint.draft import is_value
from nanorecipes.prompt.lint.grammar import begins_part
from nanorecipes.prompt.lint.words import listed

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.draft import Draft

Kind = Literal["late", "none"]
LATE: Kind = "late"
NONE: Kind = "none"


class Opening(NamedTuple):
    """What is wrong with the beginning of an edit."""

    kind: Kind
    verb: str = ""
    """The verb of the order that comes late."""
    until: int = 0
    """Where that order begins."""


def opening(draft: Draft) -> Opening | None:
    """What is wrong with how an edit begins; None where it leads with its order."""
    if not draft.sentences:
        return None
    words = draft.sentences[0].tokens
    if draft.lower[: words[0].start].strip(" \"'“‘([*-–#>"):
        return None  # begins with something that is no word
    if is_value(words[0].word[0]):
        return None  # the caller's own words lead
    if english.order_at(words) is not None and not _is_filler(draft):
        return None
    late = _late_order(draft)
    if late is not None:
        return late
    first = words[0].word
    placed = first in english.PREPOSITIONS and _PASSIVE_ORDER.search(draft.lower)
    if first in _ORDERS_NOTHING or placed or _is_polite(draft):
        return Opening(LATE, until=draft.sentences[0].end)
    return Opening(NONE)


_PASSIVE_ORDER = re.compile(
    r"\b(?:is|are|has|have|needs?|ought) to be \w+(?:ed|en|t|id)\b"
    r"|\b(?:should|must|shall) be \w+ed\b"
)
"""`On the shelf the clock is to be replaced`: an order, and what comes first is the place."""
_ORDERS_NOTHING = frozenset(
    "look study observe examine analyse analyze inspect notice note remember consider see read"
    " ensure keep preserve maintain leave protect retain focus pay start begin assume follow use"
    " take work treat identify find locate detect select choose pick make compare please kindly"
    " don't never do avoid".split()
)
"""Orders that change nothing in a picture."""


def _is_filler(draft: Draft) -> bool:
    """Whether the edit begins with words that only seem to order."""
    return bool(_fillers().match(draft.lower))


@cache
def _fillers() -> re.Pattern[str]:
    """Beginnings that a verb list alone takes for orders."""
    return re.compile(
        r"(?:edit|prompt|task|instruction|instructions|step \d)\s*[:\-–]"
        r"|(?:make sure|take care|take a look|take note|set out to|try to|picture (?:this|"
        r"yourself))\b"
        r"|picture (?:a|an|the)\b(?![^.]*? (?:of|from) [\ua000-\ua1cf])"
    )


def _is_polite(draft: Draft) -> bool:
    return bool(re.search(r"\b(?:please|kindly|be so kind)\b", draft.lower[:200]))


def _late_order(draft: Draft) -> Opening | None:
    """The first order that comes after something else."""
    for number, sentence in enumerate(draft.sentences):
        words = sentence.tokens
        if number > 0:
            order = english.order_at(words, strict=True) or _loose(words)
            if order is not None:
                return _late(words, order)
            continue
        if _wishes(draft):
            continue
        for index in range(1, len(words)):
            lead = begins_part(draft, words, index) or words[index - 1].word in _BEFORE_ORDERS
            order = english.order_at(words, index, strict=True) if lead else None
            if order is not None and order.verb is not None:
                return _late(words, order)
    return None


_BEFORE_ORDERS = frozenset("please kindly just simply now first then also to".split())


def _loose(words: list[english.Token]) -> english.Order | None:
    """An order of a known verb at the begin of a sentence, whatever follows it."""
    order = english.order_at(words)
    return order if order is not None and order.verb is not None else None


def _late(words: list[english.Token], order: english.Order) -> Opening:
    verb = order.verb.base.capitalize() if order.verb is not None else ""
    return Opening(LATE, verb, words[order.first].start)


def _wishes(draft: Draft) -> bool:
    """Whether the first sentence wishes, asks or tells; an order within it belongs to that."""
    lower = draft.lower.replace("’", "'")
    return lower.startswith(_wish_words()) or "?" in draft.sentences[0].tokens[-1].word


@cache
def _wish_words() -> tuple[str, ...]:
    found = listed("describing_openers", "captions", "statements", "wishes", "questions")
    return tuple(f"{item} " for item in found)
