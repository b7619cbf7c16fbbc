"""NR131: an image counted by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.counted import handles_for
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import listed, phrases

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

NOUN = r"(?:reference |source |input )?(?:images?|pictures?|photos?|photographs?|pics?|img)"
_LABEL_NOUN = rf"(?:{NOUN}|reference|ref|source|input|attachment|upload)"
_GIVEN = "other|attached|uploaded|provided|supplied|given|input|secondary|primary"
_NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten)"


class HandWrittenOrdinal(Rule):
    """An image is counted by hand ("the second image", "image 2") and not by its handle.

    What it does: finds ordinals and labels that the author typed for attached images. With a
    single image attached, photos and pictures in the scene may be counted; only a number at the
    word ("image 2") is a fault there. What stands in quotes is lettering.

    Why it matters: numbers follow from what is really sent. Leave an optional image out, and the
    typed number names another picture; the handle renumbers.

    Example:

        The pattern of the second image meets at the seams.

    Use instead:

        The pattern of {{ paper }} meets at the seams.

    References: rule 11 of the prompt guide.
    """

    code = "NR131"
    name = "hand-written-ordinal"

    def check(self, context: Context) -> Iterator[Fault]:
        several = context.most_images > 1
        pattern = _several() if several else _single()
        hints = _counting() & context.words
        for draft in context.drafts_with(_NOUNS):
            found = _first(draft, pattern, context.words, hints)
            if found is not None:
                start, end = found
                message = f"{draft.text[start:end]!r} counts an image by hand"
                advice = f"write the handle: {self._handle(context)}"
                place = context.place(draft, start, end)
                yield Fault(place, message, advice, handles_for(draft, context.slots))

    def _handle(self, context: Context) -> str:
        return " or ".join(f"{{{{ {name} }}}}" for name in list(context.slots)[:3])


_NOUNS = frozenset(
    "image images picture pictures photo photos photograph photographs pic pics img reference"
    " references ref source input attachment upload".split()
)


def _first(
    draft: Draft, pattern: re.Pattern[str], words: frozenset[str], hints: frozenset[str]
) -> tuple[int, int] | None:
    """The first image that is counted by hand; looked for around the words for images only."""
    if not any(hint in draft.lower for hint in hints) and _HINTS.search(draft.lower) is None:
        return None
    fine: list[tuple[int, int]] | None = None
    for noun in _NOUN.finditer(draft.lower):
        start = max(0, draft.prose.rfind(" ", 0, max(0, noun.start() - _BEFORE)))
        around = f"{draft.lower[start : noun.end() + _BEHIND]} "
        if not any(hint in around for hint in hints) and _HINTS.search(around) is None:
            continue
        found = pattern.search(draft.prose, start, noun.end() + _BEHIND)
        if found is None:
            continue
        if fine is None:
            fine = [m.span() for m in phrases("ordinals", "fine").find(draft.lower, words)]
        if not any(begin < found.end() and found.start() < end for begin, end in fine):
            return found.span()
    return None


_BEFORE, _BEHIND = 30, 16
"""How far the number can stand from the word for an image, in characters."""
_NOUN = re.compile(rf"\b(?:{'|'.join(sorted(_NOUNS))})\b")


_HINTS = re.compile(r"[0-9#(]| [a-f](?!\w)")
"""What a counted image has about it, if it has no word of those that count."""


@cache
def _counting() -> frozenset[str]:
    """Words that count images, or name one of several; parts of those that are hyphened."""
    words = listed("ordinals", "ordinals") | {*_GIVEN.split("|"), *_NUMBER[3:-1].split("|")}
    return frozenset(part for word in words for part in word.replace("-", " ").split())


@cache
def _single() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?i:{NOUN}) (?:#|no\. ?|number )?\d{{1,2}}(?![\w:.-]*\w)")


@cache
def _several() -> re.Pattern[str]:
    ordinals = "|".join(sorted(map(re.escape, listed("ordinals", "ordinals"))))
    return re.compile(
        rf"(?<![\w-])(?:(?i:(?:{ordinals})(?: and (?:{ordinals}))? (?:{NOUN}|references?|"
        rf"attachments?"
        rf"|uploads?))(?![\w-])(?! of (?:light|a |an ))"
        rf"|(?i:(?:{_GIVEN}) {NOUN})(?![\w-])"
        rf"|(?i:{_LABEL_NOUN}) (?:#|[Nn]o\. ?|[Nn]umber )?\d{{1,2}}(?![\w:-]|\.\d)"
        rf"|(?i:(?:{NOUN}|reference)) (?:#|number )(?:\d{{1,2}}|{_NUMBER})(?!\w)"
        rf"|(?i:{NOUN}|reference) \(?[A-F]\)?(?![\w'’-])(?! [a-z]+ing)"
        rf"|(?i:(?:image|photo|reference|img)) {_NUMBER}(?![\w-])(?! \w+s\b))"
    )
