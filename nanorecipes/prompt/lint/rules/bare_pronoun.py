"""NR130: a pronoun that may stand for more than one image or person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint import english
from nanorecipes.prompt.lint.draft import IMAGES, is_image
from nanorecipes.prompt.lint.people import people_shown
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import blot, listed, phrases, singular, third_persons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft
    from nanorecipes.prompt.lint.english import Token

_BARE = frozenset("it itself he him himself she herself they them themselves hers theirs".split())
_NEUTER = frozenset("it itself".split())
_NEXT_IMAGE = re.compile(rf"; (?={IMAGES})")
_BESIDE_IT = re.compile(
    r"(?:, \w+ing|\w (?:around|behind|beside|under|beneath|below|above|over|near|opposite|against|"
    r"along|through|across|past|from|of|inside|before)) (?:it|them)\Z"
)
"""`filling it from rim to rim`, `the wall behind it`: what was named last."""
_POSSESSIVE = re.compile(r"['’]s?$")
_PLURAL = frozenset("they them themselves their theirs".split())
_ONE_OF_TWO = re.compile(r"\b(?:one|the (?:two|pair|first|\w+er of))\b[^.;]*\Z")
_OWNERS = frozenset("his her their".split())
_OWNED = re.compile(r"\b(?:his|her|their)\b")
_STANDS = _BARE | _OWNERS
_POINTING = frozenset("this that these those former latter other".split())
_WORDS = _STANDS | _POINTING
_ALONE = re.compile(
    r"(?<![\w-])(?:the (?:former|latter)(?= *(?:[.,;:!?]|$)| (?:is|are|was|has|and|in|on|to|with|"
    r"at|stands?|lies|should|must|will)\b)|(?:this|that|the other) one|"
    r"(?:this|(?<!only )these)(?= *(?:[.,;:!?]|$)| (?:is|are|was|were|has|have|goes|go|in|into|on|"
    r"onto|to|over|with|at|like|under|behind|beside|from|fades?|becomes?|"
    r"stands?|lies|comes?|should|must|will)\b)|"
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
    # "It is a close shot from eye level": the picture itself
    r"|\bit (?:is|was) an? (?:[\w-]+ ){0,3}(?:shot|view|photo|photograph|picture|portrait|frame|"
    r"scene|image|still)\b"
    # "It is the hour of unloading"
    r"|\bit (?:is|was) (?:the|an?|one of) (?:[\w-]+ ){0,3}(?:hour|time|moment|season|day|week|"
    r"morning|afternoon|evening|night|month|year|end|start|beginning|middle|eve|turn)\b"
    # "as tall as the vase beside it": what is measured
    r"|\bas \w+ as (?:[\w-]+ ){1,6}(?:beside|behind|under|above|around|near|below|opposite|next to|"
    r"in front of) it\b"
    # "together they make one scene", "they all sit": everything that is attached
    r"|\btogether they\b|\bthey (?:all|both|each)\b"
    r"|\b(?:all|each|both|most|none|half) of them\b"
    # "as the mug itself does"
    r"|\b(?:the|an?|this|that) (?:[\w-]+ )?[\w-]+ (?:itself|himself|herself|themselves)\b"
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
        if _WORDS.isdisjoint(context.words) and not context.example_drafts(_STANDS, *_TEXTS):
            return
        images = context.most_images > 1
        kept = any(_OWNED.search(d.lower) for d in context.drafts_with(_OWNERS, "protect"))
        people = (kept or not images) and people_shown(context) > 1
        if not images and not people:
            return
        sections = ("edit", "subject", "details", "protect") if people else _TEXTS
        examples = context.example_drafts(_STANDS, *sections)
        for draft in [*context.drafts_with(_WORDS, *sections), *examples]:
            found = _first(draft, context.words, images=images)
            if found is not None:
                start, end = found
                several = "images" if images else "people"
                message = f"{draft.text[start:end]!r} may stand for more than one of the {several}"
                advice = "repeat the role and a visible mark: 'the man with the grey beard'"
                yield Fault(context.place(draft, start, end), message, advice)


_STANDING = re.compile(rf"\b(?:{'|'.join(sorted(_BARE | _OWNERS))})\b(?!['’-])")
_TEXTS = ("edit", "subject", "details")


def _has_owner(draft: Draft, pronoun: re.Match[str], *, images: bool) -> bool:
    """Whether one owner stands before in the same sentence, and nothing else that could be one.

    `... shows one person in their present clothes`, `the handles and their spacing`.
    """
    if pronoun.group() in _NEUTER and not images:
        return True  # nobody takes a person for it
    # A semicolon doesn't part what belongs together, unless an image begins what follows.
    begin = max(draft.lower.rfind(f"{mark} ", 0, pronoun.start()) for mark in ".!?") + 1
    for part in _NEXT_IMAGE.finditer(draft.lower, begin, pronoun.start()):
        begin = part.end()
    if _BESIDE_IT.search(draft.lower, begin, pronoun.end()):
        return True
    before = [other for other in draft.tokens if begin <= other.start < pronoun.start()]
    if pronoun.group() == "their" and before and before[-1].word in ("and", "with"):
        return True
    if pronoun.group() in _NEUTER:
        return _has_thing(before)
    if pronoun.group() in _PLURAL and _has_things(before):
        return True
    if pronoun.group() not in _OWNERS:
        return False
    if _is_told(before):
        return True
    people = listed("people_words", "one", "many")
    return sum(_POSSESSIVE.sub("", other.word) in people for other in before) == 1


def _has_thing(before: Sequence[Token]) -> bool:
    """Whether a thing stands before in the sentence, and no image: `The lamp lights the sofa as it
    lights the curtain`."""
    images = [is_image(token.word[0]) for token in before]
    if any(images):  # `The scan lends its grain, and nothing of what it shows`: told of the image
        if sum(images) > 1:
            return False
        if not any(token.word in english.DETERMINERS - {"that"} for token in before):
            return True  # `Repaint the photo so that it ...`: there is nothing else
        return _is_told(before)
    return len(before) > 1 and any(token.word in english.DETERMINERS for token in before[:-1])


def _is_told(before: Sequence[Token]) -> bool:
    """Whether a sentence tells of one image: `The first image gives Ana with her plait`."""
    images = [is_image(token.word[0]) for token in before]
    verbs = english.FINITE | third_persons()
    return len(before) > 1 and images[0] and sum(images) == 1 and before[1].word in verbs


def _has_things(before: Sequence[Token]) -> bool:
    """Whether things, and no people or several images, stand before in the sentence.

    `The reflections run across the coat as they run across the floor`.
    """
    people = listed("people_words", "one", "many")
    if any(token.word in people or singular(token.word) in people for token in before):
        return False
    if sum(is_image(token.word[0]) for token in before) > 1:
        return False
    words = ["", *(token.word for token in before)]
    return any(_is_plural(word, behind) for behind, word in pairwise(words))


def _is_plural(word: str, behind: str) -> bool:
    """Whether a word is surely the plural of a noun, given the word before it."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "'s")):
        return False
    return behind in english.DETERMINERS or (
        word not in third_persons()
        and word not in english.FUNCTION_WORDS
        and word not in english.HAPPENS
    )


def _may_be_bare(draft: Draft, *, images: bool) -> bool:
    """Whether some pronoun is left that no owner in its sentence explains."""
    if not _POINTING.isdisjoint(draft.words):
        return True
    return any(
        not _has_owner(draft, match, images=images) for match in _STANDING.finditer(draft.lower)
    )


def _first(draft: Draft, words: frozenset[str], *, images: bool) -> tuple[int, int] | None:
    text = draft.lower
    if not _may_be_bare(draft, images=images):
        return None
    dummies = [m.span() for m in phrases("pronouns", "dummy").find(text, words)]
    dummies += [m.span() for m in _WEATHER.finditer(text)]
    judged = blot(text, dummies)
    for match in _STANDING.finditer(judged):
        if not _has_owner(draft, match, images=images):
            return match.span()
    found = _ALONE.search(judged)
    if found is None or (
        found.group() == "the other" and _ONE_OF_TWO.search(judged, 0, found.start())
    ):
        return None
    return found.span()
