"""NR133: one reference that has to give several things."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint import english
from nanorecipes.prompt.lint.draft import IMAGES, is_image, is_value
from nanorecipes.prompt.lint.grammar import Thing, list_things, noun_phrase
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import listed, singular, word_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft
    from nanorecipes.prompt.lint.english import Token

_KIND = {
    word: kind
    for kind, words in word_list("image_roles").items()
    if kind != "part"
    for word in words
}
_PART = listed("image_roles", "part")
"""Words for a property or a part: what counts is what they belong to."""
_CLAUSE_END = re.compile(
    rf"[.;]|{IMAGES}|, (?:which|who|whose|where|while|as|so|and nothing|\w+(?:ed|ing)|drawn|seen|"
    r"shown|set|cut|lit|made|worn|known|held|taken)\b"
)
_start = attrgetter("start")
_GIVES = re.compile(
    r"\s*(?:gives?|lends?|provides?|supplies|supply|contributes?|is the (?:source|reference|"
    r"model) for|"
    r"is for|serves? (?:as|for)|is used for|sets?|determines?|defines?|shows? both)\b(.*)"
)
_KEPT_OUT = re.compile(
    r"\s*(?:stays? (?:out|behind|there|where)|(?:is|are) (?:not|left|kept) |(?:isn|aren)['’]t |"
    r"(?:do|does)(?: not|n['’]t) |plays? no |remains? (?:out|there|behind)|disappears?|"
    r"vanish(?:es)?|falls? away|(?:is|are) (?:dropped|ignored|discarded))"
)
_USED_FOR = re.compile(r"\s*(?:as (?:the |a )?(?:source|reference|model|guide) )?(?:for|as)\b(.*)")


_TAKING = frozenset(("use", "take", "using", "see"))


class OverloadedImage(Rule):
    """One reference has to give two or more different things.

    What it does: collects what is taken from each reference: "the coat of ...", "... gives the
    lamp and the angle of the camera". A thing and another one, or a thing and a place, a light, a
    pose or a style, are too many. Parts and properties of one thing count as that thing, and so do
    medium, palette and line of a style.

    Why it matters: one image gives one role. With two, the model mixes in the rest of the picture
    too.

    Example:

        Place the lamp of {{ ref }} in {{ room }}, and paint the walls in the colour of {{ ref }}.

    Use instead: a second image for the other thing, or words.

    References: rule 12 of the prompt guide.
    """

    code = "NR133"
    name = "overloaded-image"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        references = {slot.name for slot in context.slots.values() if slot.role == "reference"}
        if not references:
            return
        given: dict[str, dict[str, str]] = {}  # by letter: each image of a list has its own
        for draft in context.drafts("edit", "subject", "details"):
            for at in draft.images:
                slot = context.slot_of(draft.text[at])
                if slot not in references:
                    continue
                known = given.setdefault(draft.text[at], {})
                for thing in things_given(draft, at):
                    kind, name = kind_of(thing)
                    if kind.startswith("thing ") and not _is_definite(draft, thing):
                        continue  # `short hatching on cream paper comes from ...`: traits
                    other = _another(known, kind, name)
                    if other is not None:
                        message = f"{slot!r} has to give {other!r} and {name!r}"
                        advice = "give each image one role: a second image, or words, for the other"
                        yield Fault(context.place(draft, thing.start, thing.end), message, advice)
                        return
                    known.setdefault(kind, name)


def _another(known: dict[str, str], kind: str, name: str) -> str | None:
    """What an image gives already, when this is something else."""
    for other, shown in known.items():
        if other == kind or name == shown:
            continue
        if {other, kind} <= {"style", "light", "camera"} and "style" in (other, kind):
            continue  # light and framing can be traits of a style
        if {other, kind} == {"face", "hair"}:
            continue  # of one person
        if {other, kind} & {"face", "hair"} and (_is_person(name) or _is_person(shown)):
            continue  # the face and the man whose it is
        return shown
    return None


def _is_definite(draft: Draft, thing: Thing) -> bool:
    """Whether a phrase names one certain thing: `the lamp`, `her coat`, `the potter's wheel`."""
    lead = draft.lower[max(0, thing.start - 24) : thing.end]
    return (
        re.search(r"\b(?:the|this|that|these|those|both|its|his|her|their)\b|['’]s?\b", lead)
        is not None
    )


def _is_person(name: str) -> bool:
    return name in listed("people_words", "one")


def kind_of(thing: Thing) -> tuple[str, str]:
    """The kind of a given thing and its name; things of the scene are a kind each."""
    head = thing.head
    of = [word for word in thing.of if word not in english.DETERMINERS and not is_image(word[0])]
    owners = [singular(word) for word in of]
    if (
        head in ("colour", "color", "texture", "tone", "angle", "position", "mood", *_PART)
        and owners
    ):
        head = owners[0]
    if head in _PART:
        return "part", head
    kind = _KIND.get(head, "")
    return (kind, head) if kind else (f"thing {head}", head)


def things_given(draft: Draft, at: int) -> Iterator[Thing]:
    """What one mention of an image says that it gives."""
    words = draft.tokens
    index = bisect_right(words, at, key=_start) - 1
    if index < 0 or words[index].end <= at:
        return
    # Up to the next image: what stands there belongs to that one; clauses tell more of a thing.
    behind = _CLAUSE_END.split(draft.lower[at + 1 :])[0]
    if _KEPT_OUT.match(behind):
        return
    gives = _GIVES.match(behind)
    start = _sentence_start(draft, words, index)
    if gives is None and start < index and words[index - 1].word in _TAKING:
        gives = _USED_FOR.match(behind)
    if gives is not None:
        begin = at + 1 + gives.start(1)
        end = at + 1 + gives.end(1)
        inner = [token for token in words if begin <= token.start and token.end <= end]
        yield from _real(list_things(draft, inner))
        return
    before = words[start:index]
    if before and before[-1].word in ("of", "from", "in", "by") and len(before) > 1:
        yield from _real(_tied(draft, before))


def _real(things: Iterator[Thing]) -> Iterator[Thing]:
    for thing in things:
        kind, name = kind_of(thing)
        known = not is_image(name[0]) and not is_value(name[0])
        if kind != "part" and known and name not in _NO_THING:
            yield thing


_NO_THING = frozenset(
    "style-reference these those this that else result reference inspiration image picture photo"
    " it same only nothing none objects"
    " first second third fourth fifth sixth seventh eighth ninth tenth last one ones"
    " object subject content motif rest medium way manner hand vein spirit fashion"
    " well also both that those".split()
)


_STOPS = frozenset(".;:!?")


def _sentence_start(draft: Draft, words: Sequence[Token], index: int) -> int:
    start = index
    while start > 0:
        before = words[start - 1]
        if is_image(before.word[0]):
            break
        between = draft.lower[before.end : words[start].start]
        if between != " " and not _STOPS.isdisjoint(between):
            break
        start -= 1
    return start


_PARTICIPLES = frozenset(
    "shown seen known taken borrowed drawn pictured depicted worn given used come comes coming"
    " stems derives taking borrowing copied lifted sampled".split()
)
"""`shown in`, `seen in`, `taken from`: an image that something comes from."""


def _tied(draft: Draft, before: Sequence[Token]) -> Iterator[Thing]:
    """The noun phrases that end in `of` or `shown in` before an image."""
    last = before[-1].word
    end = len(before) - 1
    if end and before[end - 1].word in _PARTICIPLES:
        end -= 1
    elif last in ("in", "by"):
        return  # `in` alone tells where something is, as a rule in the picture that is edited
    begin = end
    while begin > 0 and not _begins(draft, before, begin):
        begin -= 1
    found = noun_phrase(before[begin:end])
    if found is not None:
        yield found
        yield from _coordinate(draft, before, begin)


def _coordinate(draft: Draft, before: Sequence[Token], begin: int) -> Iterator[Thing]:
    """`the pose and the jersey of`: what stands before the `and`, with the same preposition."""
    at = begin - 1
    if at >= 0 and before[at].word in ("in", "with", "of", "from", "on", "by"):
        at -= 1
    if at < 1 or before[at].word != "and":
        return
    end = at
    start = end
    while start > 0 and not _begins(draft, before, start):
        start -= 1
    found = noun_phrase(before[start:end])
    if found is not None and not found.of:
        yield found


def _begins(draft: Draft, words: Sequence[Token], at: int) -> bool:
    """Whether a noun phrase begins with a word: its article, or the word behind a preposition."""
    if words[at].word in english.DETERMINERS:
        return True
    before = words[at - 1].word
    between = draft.lower[words[at - 1].end : words[at].start]
    return "," in between or before in _LINKING


_LINKING = english.PREPOSITIONS | english.FINITE | {"and", "or"}
