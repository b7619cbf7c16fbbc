"""Noun phrases and orders: what an order acts on, and what a list of things names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.lint import english
from nanorecipes.prompt.lint.english import Order, Token
from nanorecipes.prompt.lint.words import singular

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.draft import Draft

_RELATIVE = frozenset(
    "that which who whom whose where when while so until exactly instead alone only also together"
    " being is are was were has have there then".split()
)
_PARTICIPLES = frozenset(
    "shown seen known worn drawn taken given made used left set held kept placed cut lying standing"
    " hanging sitting wearing holding looking facing showing leading running reaching painted"
    " printed"
    " written found visible".split()
)
"""End a noun phrase where something follows: `the garment shown in`, but `the garment's cut`."""
_LEADING = frozenset("only just also all both either each every any".split())
_LEADS = english.DETERMINERS | _LEADING
_FOLLOWS_PARTICIPLE = english.PREPOSITIONS | english.DETERMINERS
_HEAD_ENDS = english.PREPOSITIONS | _RELATIVE | english.DETERMINERS | english.PRONOUNS
_PARTS = frozenset(("and", "then", "please", "also"))
_OBJECT_ENDS = frozenset(
    "with to into from so by as for until onto except besides apart save".split()
)
_MARKS = frozenset(",:;–—(")
COMPARED = frozenset(
    "other others another remaining neighbouring neighboring adjacent else".split()
)
"""Words that set a thing apart from the one of the same name that changes."""


class Thing(NamedTuple):
    """One noun phrase: its head in the singular, and what narrows it."""

    head: str
    words: tuple[str, ...]
    """Everything before the head, without articles; an owner's `'s` taken off."""
    of: tuple[str, ...]
    """The heads of what stands behind `of`, `on`, `in` and the like."""
    rest: tuple[str, ...]
    """Every word behind the head."""
    start: int
    end: int

    @property
    def owners(self) -> frozenset[str]:
        """Whose it is, or of what."""
        return frozenset(singular(word) for word in (*self.words, *self.of))

    @property
    def is_another(self) -> bool:
        """Whether it is set apart: the other windows, everything else."""
        return not COMPARED.isdisjoint((*self.words, *self.rest))


class Command(NamedTuple):
    """An order in a text: its verb, the things it acts on, and the words behind those."""

    order: Order
    things: list[Thing]
    rest: list[Token]
    sentence: int

    @property
    def classes(self) -> frozenset[str]:
        """The operations that its verb can begin; none for an unknown verb."""
        return self.order.verb.classes if self.order.verb is not None else frozenset()

    @property
    def verb(self) -> str:
        """Its verb in base form, or nothing for an unknown one."""
        return self.order.verb.base if self.order.verb is not None else ""


def commands(draft: Draft) -> Iterator[Command]:
    """The orders at the beginning of sentences and of their parts."""
    for number, sentence in enumerate(draft.sentences):
        words = sentence.tokens
        first = english.order_at(words)
        if first is not None:
            yield command(draft, words, first, number)
        end = words[0].end
        for index, word in enumerate(words):
            gap = word.start - end
            end = word.end
            # Most words stand behind one blank; begins_part tells the rest apart.
            if (
                index
                and (gap > 1 or words[index - 1].word in _PARTS)
                and begins_part(draft, words, index)
            ):
                found = english.order_at(words, index, strict=True)
                if found is not None:
                    yield command(draft, words, found, number)


def begins_part(draft: Draft, words: Sequence[Token], index: int) -> bool:
    """Whether an order could begin with a word: behind a mark, `and` or `then`."""
    before = words[index - 1]
    if before.word in _PARTS:
        return True
    if words[index].start - before.end < 2:
        return False
    return not _MARKS.isdisjoint(draft.lower[before.end : words[index].start])


def command(draft: Draft, words: Sequence[Token], order: Order, sentence: int) -> Command:
    """An order with what it acts on."""
    begin = order.first + order.length
    end = begin
    while end < len(words) and not _ends_object(draft, words, begin, end):
        end += 1
    things = list(list_things(draft, words[begin:end]))
    return Command(order, things, list(words[end:]), sentence)


def _ends_object(draft: Draft, words: Sequence[Token], begin: int, at: int) -> bool:
    word = words[at].word
    if at > begin:
        between = draft.lower[words[at - 1].end : words[at].start]
        if between != " " and any(mark in between for mark in ":;–—("):
            return True
        if "," in between and english.order_at(words, at, strict=True) is not None:
            return True
        if word == "and" and english.order_at(words, at + 1, strict=True) is not None:
            return True
    return word in _OBJECT_ENDS


def list_things(draft: Draft, words: Sequence[Token]) -> Iterator[Thing]:
    """The noun phrases of a list, split at commas and `and`; `of` behind the last is shared."""
    parts: list[list[Token]] = [[]]
    for index, token in enumerate(words):
        between = draft.lower[words[index - 1].end : token.start] if index else ""
        linked = token.word in ("and", "or") and not _has_place(parts[-1])
        if linked or "," in between or ";" in between:
            parts.append([])
        if token.word not in ("and", "or"):
            parts[-1].append(token)
    found = [thing for part in parts if part and (thing := noun_phrase(part)) is not None]
    shared: tuple[str, ...] = ()
    for number in range(len(found) - 1, -1, -1):
        thing = found[number]
        if thing.of:
            shared = thing.of
        elif shared and not any(word.endswith("'s") for word in thing.rest):
            found[number] = thing._replace(of=shared)
    yield from found


def _has_place(words: Sequence[Token]) -> bool:
    """`the things around the bin and the bench`: the bench belongs to the place."""
    return any(token.word in english.PREPOSITIONS for token in words)


def noun_phrase(words: Sequence[Token]) -> Thing | None:
    """Head and company of one noun phrase; None where no noun is left."""
    begin, end = _head_span(words, 0)
    if end == begin or words[end - 1].word.endswith("'s"):
        return None
    if words[end - 1].word in english.ARTICLES:
        return None  # `the For Sale board`
    before = [token.word for token in words[:begin]]
    before += [_bare(token.word) for token in words[begin : end - 1]]
    rest = tuple([token.word for token in words[end:]])
    return Thing(
        singular(_bare(words[end - 1].word)), tuple(before),
        tuple(_complements(words, end)) if rest else (), rest, words[0].start, words[end - 1].end,
    )  # fmt: skip


def _head_span(words: Sequence[Token], start: int) -> tuple[int, int]:
    """Where the nouns of a phrase begin, behind its articles, and where they end."""
    count = len(words)
    begin = start
    while begin < count - 1 and words[begin].word in _LEADS:
        begin += 1
    end = begin
    while end < count and not _ends_head(words, begin, end):
        end += 1
    return begin, end


def _ends_head(words: Sequence[Token], begin: int, at: int) -> bool:
    word = words[at].word
    if at == begin:
        return word in english.PREPOSITIONS
    if word in _PARTICIPLES and not words[at - 1].word.endswith("'s"):
        return at + 1 < len(words) and words[at + 1].word in _FOLLOWS_PARTICIPLE
    return word in _HEAD_ENDS or english.is_image(word[0])


def _complements(words: Sequence[Token], index: int) -> Iterator[str]:
    """Heads and adjectives of the phrases behind the prepositions of a noun phrase."""
    while index < len(words):
        word = words[index].word
        index += 1
        if word in english.PREPOSITIONS:
            begin, end = _head_span(words, index)
            if end > begin and not words[end - 1].word.endswith("'s"):
                yield singular(_bare(words[end - 1].word))
                for token in words[index : end - 1]:
                    yield _bare(token.word)
                index = end
        elif word in _RELATIVE:
            return


def _bare(word: str) -> str:
    return word[:-2] if word.endswith("'s") else word.rstrip("'")


@cache
def synonyms() -> dict[str, str]:
    """One word for things that have several."""
    groups = (
        "clothes clothing outfit clothe garment garb attire wardrobe",
        "background backdrop surrounding",
        "colour color hue tint",
        "sofa couch settee", "couch sofa", "car automobile", "rug carpet", "lamp light-fitting",
        "style look-and-feel", "light lighting illumination",
        "curtain drape", "picture photo image photograph", "sky heaven", "weather weather",
        "text lettering wording inscription", "bike bicycle", "glass glass",
        "worktop countertop", "tap faucet", "jumper sweater pullover", "trousers pants trouser",
        "shoe footwear", "floor flooring", "position place location placement spot",
        "size scale dimension", "pose posture stance",
    )  # fmt: skip
    return {word: group.split()[0] for group in reversed(groups) for word in group.split()}


def same(one: str, other: str) -> bool:
    """Whether two heads name the same kind of thing."""
    return synonyms().get(one, one) == synonyms().get(other, other)
