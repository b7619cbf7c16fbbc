"""Enough English to read prompts: words, sentences, quotes, and what begins an order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from nanorecipes.prompt.lint.words import Verb, third_persons, verb_starts, verbs

QUOTED = "\ua4d0"
"""Covers each letter of what stands in quotes; a letter, so that it still reads as a word."""

FIRST_IMAGE, FIRST_VALUE = "\ua000", "\ua1d0"
"""Where the letters begin that stand for images, and for values."""

_QUOTES = re.compile(
    r'"[^"]*"|“[^”"]*”|„[^“”]*[“”]|«[^»]*»|‘[^’]*’(?![^\W_])|(?<![^\W_])\'(?=\S)[^\']*\'(?![^\W_])'
)
_OPENS_QUOTE = re.compile(r"[\"“„«‘]|'(?=\S)(?<![^\W_]')")
_WORD = re.compile(r"[^\W_]+(?:[-‐‑][^\W_]+)*(?:['’][^\W\d_]+)?")
_STOP = re.compile(r"[.!?]+(?=[\s\"'”’)]|$)|;")
_LAST_WORD = re.compile(r"([\w.]+)\Z")
_ABBREVIATIONS = frozenset(
    "no nos nr approx ca dr mr mrs ms st vs eg ie cf fig max min prof inc ltd vol ed art e.g"
    " i.e".split()
)

ARTICLES = frozenset("the a an".split())
DETERMINERS = ARTICLES | frozenset(
    "this that these those my your his her its their our each every all both some any one two three"
    " four five six seven eight nine ten eleven twelve several many few another either half no more"
    " whose which what such twice only".split()
)
PREPOSITIONS = frozenset(
    "in on at by for from of to with without into onto over under above below behind beside besides"
    " between among around across along through against near within inside outside upon before"
    " after"
    " during towards toward beneath underneath off out up down as like per via past beyond until"
    " since about amid instead".split()
)
CONJUNCTIONS = frozenset(
    "and or but nor yet while when where whereas because although though if unless once so than"
    " whether that".split()
)
PRONOUNS = frozenset(
    "i you he she it we they me him us them myself yourself himself herself itself ourselves"
    " themselves who whom someone somebody everyone everybody anyone anybody nobody"
    " something".split()
)
MODALS = frozenset(
    "must should shall will would can could may might ought cannot mustn't shouldn't won't can't"
    " couldn't wouldn't needn't".split()
)
BE = frozenset("is are was were isn't aren't wasn't weren't am".split())
HAVE = frozenset("has have had hasn't haven't hadn't does do did doesn't don't didn't".split())
STAYING = frozenset(
    "stays stay stayed remains remain remained keeps continues persists persist looks appears"
    " changes matches needs".split()
)
BE_OR_MODAL = MODALS | BE
FINITE = BE_OR_MODAL | HAVE | STAYING
"""Verbs that make a sentence of what else would be a noun phrase."""

FUNCTION_WORDS = DETERMINERS | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | FINITE
_CLAUSE_ENDS = PREPOSITIONS | {"that", "which"}
_ADVERBS_BEFORE = frozenset("only also then completely fully gently slightly carefully".split())
_NOUN_OR_VERB = frozenset(
    "light snow rain fog mist frost ice paint colour color dust shade sun cloud clouds storm wind"
    " haze smoke steam water sand rust warm cool clean clear open dry wet empty dim level slim"
    " smooth"
    " narrow double complete calm lower float cast stage model present light set sketch picture"
    " photo"
    " photograph portrait style plant pattern frame fire silver bronze gold tan brown yellow"
    " blanket"
    " garnish show crown cover thin close mature mirror tile carpet moss grass picture view render"
    " rendering montage collage mosaic cartoon caricature composite project line top label title"
    " caption plaster paper oil wax glaze enamel lacquer stain varnish".split()
)
HAPPENS = frozenset(
    "is are was were has have covers cover falls fall fills fill floods flows lies lie hangs hang"
    " drifts drift stands stand streams stream pours pour glows glow sits sit shines shine lights"
    " surrounds surround rises rise spreads spread drips drip runs run line lines grows grow hides"
    " softens wraps envelops bathes bathe replaces replace shows show reflects becomes become"
    " should"
    " must will would now".split()
)
_LOOKING = frozenset(
    "look study observe examine analyse analyze inspect notice note remember consider see read"
    " think"
    " understand attempt ensure be keep preserve maintain leave protect retain focus pay start"
    " begin"
    " go help assume follow use take work treat identify find locate detect select choose pick act"
    " imagine envision picture suppose pretend visualise visualize check compare start try make"
    " dear hello please kindly let's don't never do avoid forget envisage".split()
)
"""Verbs that order something, but no operation on a picture; those that can be both are decided
by what follows."""


class Token(NamedTuple):
    """A word in small letters, and where it stands."""

    word: str
    start: int
    end: int


class Sentence(NamedTuple):
    """A sentence: where it stands, and its words."""

    start: int
    end: int
    tokens: list[Token]


class Order(NamedTuple):
    """An order: its verb, and how many words that takes."""

    verb: Verb | None
    """None for a verb that the list doesn't hold."""
    first: int
    """The verb's first word, by number in the tokens given."""
    length: int


def is_image(letter: str) -> bool:
    """Whether a letter stands for an attached image."""
    return FIRST_IMAGE <= letter < FIRST_VALUE


def blot_quotes(text: str) -> str:
    """The text, as long as before, with each word in quotes covered; the quotes themselves stay."""
    if _OPENS_QUOTE.search(text) is None:
        return text
    return _QUOTES.sub(_cover, text)


def _cover(match: re.Match[str]) -> str:
    inner = re.sub(r"\w", QUOTED, match.group()[1:-1])
    return match.group()[0] + re.sub(r"[^\w\s]", "_", inner) + match.group()[-1]


def quotes(text: str) -> list[tuple[int, int]]:
    """Where the insides of quotes stand."""
    return [(match.start() + 1, match.end() - 1) for match in _QUOTES.finditer(text)]


def tokens(lower: str) -> list[Token]:
    """The words of a text; a hyphen joins, `'s` belongs to its word."""
    plain = lower.replace("’", "'") if "’" in lower else lower
    found: list[Token] = []
    add = found.append
    start = 0
    for part in plain.split(" "):  # a word with nothing at it needs no pattern, and most are such
        end = start + len(part)
        if part.isalnum():
            add(_new(Token, (part, start, end)))
        elif part[:-1].isalnum() and part[-1] in ",.":
            add(_new(Token, (part[:-1], start, end - 1)))
        else:
            for match in _WORD.finditer(plain, start, end):
                add(_new(Token, (match.group(), *match.span())))
        start = end + 1
    return found


_new = tuple.__new__
"""The bare constructor: words are made by the hundred thousand."""


def sentences(text: str, words: Sequence[Token]) -> list[Sentence]:
    """Split at stops, not at those of abbreviations; a semicolon stops too."""
    ends = [match.end() for match in _STOP.finditer(text) if not _is_abbreviation(text, match)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    found: list[Sentence] = []
    start = index = 0
    for end in ends:
        first = index
        while index < len(words) and words[index].start < end:
            index += 1
        if index > first:
            found.append(Sentence(start, end, list(words[first:index])))
        start = end
    return found


def _is_abbreviation(text: str, stop: re.Match[str]) -> bool:
    if stop.group() != ".":
        return False
    before = _LAST_WORD.search(text, max(0, stop.start() - 8), stop.start())
    if before is None:
        return False
    word = before.group().lower().rpartition(" ")[2]
    single = len(word) == 1 and word.isascii() and word.isalpha() and word != "i"
    return word in _ABBREVIATIONS or single


def begins_phrase(word: str, after: str = "") -> bool:
    """Whether a word begins a noun phrase, so that the word before it may be a verb."""
    first = word[:1]
    return (
        word in DETERMINERS
        or first.isdigit()
        or FIRST_IMAGE <= first <= QUOTED
        or word in ("it", "them", "him", "me", "everything", "something", "what", "only")
        or word.endswith("'s")
    )


def order_at(words: Sequence[Token], index: int = 0, *, strict: bool = False) -> Order | None:
    """The order that begins with a word: its verb is in base form and has an object.

    Args:
        words: the words of a sentence, or of a part of it.
        index: where the order would begin.
        strict: ask for an object that begins with a determiner, as within a sentence.
    """
    at = index
    while at < len(words) - 1 and not strict and _is_adverb(words[at].word):
        at += 1
    if at >= len(words):
        return None
    found = _operation(words, at)
    if found is not None:
        return found if _is_command(words, found, strict) else None
    word = words[at].word
    if at + 1 >= len(words) or not (word == "have" or _may_be_verb(word)):
        return None
    if word in _LOOKING:
        return None
    if begins_phrase(words[at + 1].word) and not strict:
        return Order(None, at, 1)
    return None


def _is_adverb(word: str) -> bool:
    return word in _ADVERBS_BEFORE or (
        word.endswith("ly") and word not in ("simply", "kindly") and word not in verb_starts()
    )


def _operation(words: Sequence[Token], at: int) -> Order | None:
    word = _plain(words[at].word)
    for parts in verb_starts().get(word, ()):
        size = len(parts)
        if size == 1 or tuple(token.word for token in words[at : at + size]) == parts:
            return Order(verbs()[" ".join(parts)], at, size)
    if word in ("take", "put", "switch", "turn", "wash", "zip", "sharpen"):
        return _parted(words, at, word)
    return None


def _plain(word: str) -> str:
    """`re-light` as the list has it."""
    if word in verb_starts() or "-" not in word:
        return word
    joined = word.replace("-", "")
    if joined in verb_starts():
        return joined
    prefix, _, rest = word.partition("-")
    return rest if prefix in ("re", "de", "un", "over", "hand") and rest in verb_starts() else word


def _parted(words: Sequence[Token], at: int, word: str) -> Order | None:
    """`take the bin out`: the verb with its object in between."""
    for parts in verb_starts().get(word, ()):
        if len(parts) == 2 and any(token.word == parts[1] for token in words[at + 2 : at + 12]):
            return Order(verbs()[" ".join(parts)], at, 1)
    return None


def _is_command(words: Sequence[Token], order: Order, strict: bool) -> bool:
    rest = [token.word for token in words[order.first + order.length :]]
    word = words[order.first].word
    if not rest:
        return not strict and word not in _NOUN_OR_VERB
    if rest[0] in ("of", "which", "who") or rest[0] in BE_OR_MODAL:
        return False
    if begins_phrase(rest[0], rest[1] if len(rest) > 1 else ""):
        return True
    if strict:
        return False
    if word in _NOUN_OR_VERB:
        head = rest[:4]
        stop = next((i for i, item in enumerate(head) if item in _CLAUSE_ENDS), 4)
        return not any(item in HAPPENS for item in head[: stop + 1])
    return True


def _may_be_verb(word: str) -> bool:
    """Whether an unknown word can be a verb in base form."""
    return (
        word.isascii()
        and word.replace("-", "").isalpha()
        and len(word) > 2
        and word not in FUNCTION_WORDS
        and word not in _NOT_VERBS
        and not word.endswith(("ing", "ed", "tion", "ness", "ment", "'s"))
        and not (word.endswith("s") and not word.endswith("ss"))
    )


_NOT_VERBS = (
    frozenset(
        "there here now first next today tonight ideally hopefully maybe perhaps everything nothing"
        " anything not just simply firstly also then please yes okay except task note step edit"
        " prompt"
        " instruction result output goal aim how why even still very quite rather too much".split()
    )
    | third_persons()
)
