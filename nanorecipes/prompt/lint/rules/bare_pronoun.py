"""NR130: a pronoun that may stand for more than one image or person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.people import people_shown
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import blot, phrases

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_BARE = frozenset("it itself he him himself she herself they them themselves hers theirs".split())
_OWNERS = frozenset("his her their".split())
_ALONE = re.compile(
    r"(?<![\w-])(?:the former|the latter|(?:this|that|the other) one|"
    r"(?:this|these)(?= *(?:[.,;:!?]|$)| (?:is|are|was|were|has|have|goes|go|in|into|on|onto|to|"
    r"over|with|"
    r"at|like|under|behind|beside|from|fades?|becomes?|stands?|lies|comes?|should|must|will)\b)|"
    r"(?<=into )that(?= *[.,;:!?]| (?:in|on|along|at|with|by|and)\b|$)|"
    r"(?:(?<=on )|(?<=over )|(?<=with )|(?<=to )|(?<=beside )|(?<=behind )|(?<=under ))"
    r"(?:that|those)(?= *[.,;:!?]|$| and\b)|"
    r"the other(?= *[.,;:!?]|$| (?:is|has|stands|in|on|and)\b))(?![\w-])"
)
_WEATHER = re.compile(
    r"\bit (?:is |was |has been )?(?:rain|snow|hail|storm|drizzl|thunder)\w*|"
    r"\bit is (?:\w+ )?(?:night|day|dark|late"
    r"|early|winter|summer|spring|autumn|evening|morning|dusk|dawn|noon)\b|\bas it (?:is|was|"
    r"were)\b"
    r"|\bas they (?:are|were)\b|\bmake it (?:look|seem|appear) (?:as|like)\b|\bso be it\b"
)


class BarePronoun(Rule):
    """A pronoun stands alone where there are two or more images or people.

    What it does: finds "it", "he", "them", "this one" and "his", "her", "their" in recipes that
    attach several images, or whose picture shows several people. "its" is left to the reader, and
    so is "it rains".

    Why it matters: the model has to guess which image or person is meant, and a wrong guess mixes
    two faces or edits the wrong thing.

    Example:

        Place the bowl of {{ bowl }} on the shelf in {{ shelf }}. Light it from the left.

    Use instead:

        Place the bowl of {{ bowl }} on the shelf in {{ shelf }}. Light the bowl from the left.

    References: rule 13 of the prompt guide.
    """

    code = "NR130"
    name = "bare-pronoun"

    def check(self, context: Context) -> Iterator[Fault]:
        images = context.most_images > 1
        people = people_shown(context) > 1
        if not images and not people:
            return
        sections = ("edit", "subject", "details", "protect") if people else _TEXTS
        for draft in [*context.drafts(*sections), *_example_drafts(context, sections)]:
            found = _first(draft, context.words)
            if found is not None:
                start, end = found
                several = "images" if images else "people"
                message = f"{draft.text[start:end]!r} may stand for more than one of the {several}"
                advice = "repeat the role and a visible mark: 'the man with the grey beard'"
                yield Fault(context.place(draft, start, end), message, advice)


_TEXTS = ("edit", "subject", "details")


def _example_drafts(context: Context, sections: tuple[str, ...]) -> list[Draft]:
    return [draft for variant in context.examples for draft in variant.drafts
            if draft.section in sections]  # fmt: skip


def _first(draft: Draft, words: frozenset[str]) -> tuple[int, int] | None:
    text = draft.lower
    dummies = [m.span() for m in phrases("pronouns", "dummy").find(text, words)]
    dummies += [m.span() for m in _WEATHER.finditer(text)]
    judged = blot(text, dummies)
    for token in draft.tokens:
        if judged[token.start] != "_" and token.word in _BARE | _OWNERS:
            return token.start, token.end
    found = _ALONE.search(judged)
    return None if found is None else found.span()
