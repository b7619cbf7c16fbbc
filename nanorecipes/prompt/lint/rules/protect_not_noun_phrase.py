"""NR111: a protect item that does not fit into "Keep ... exactly as in the image"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint import english
from nanorecipes.prompt.lint.english import Token
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.rules.vague_protection import is_vague

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_KEEPING = frozenset(
    "keep keeping preserve preserving maintain maintaining retain retaining leave leaving protect"
    " protecting ensure ensuring conserve safeguard do don't never please avoid don".split()
)
_TRAILING = re.compile(
    r"(?:^|[ ,])(?:(?:to be |all |still |completely |fully |exactly |totally |entirely |being )*"
    r"(?:unchanged|untouched|unaltered|unmodified|unedited|unaffected|intact|preserved|retained|"
    r"as before|as is|as it is|as they are|as it was|as they were|the same|the same as before|"
    r"identical|stays? put|kept(?: as is)?|exactly as in the original|as in the original|"
    r"exactly as (?:it|they) (?:is|are|was|were)|not (?:be )?(?:changed|altered|touched|moved)))$"
)
_NO_CHANGE = re.compile(
    r"^(?:no|not|without|nothing|never|none)\b(?! one\b).*\b(?:chang\w*|alter\w*|modif\w*|"
    r"touch\w*|mov\w*|"
    r"edit\w*|crop\w*|remov\w*|add\w*|distort\w*|replac\w*|new|extra|additional|different)\b"
)
_RELATIVE = frozenset(
    "that which who whom whose where what how when why as than whatever whoever wherever because if"
    " while until whether".split()
)
_SPEAKERS = frozenset(
    "i you he she it we they nobody somebody someone everyone everybody anyone one each".split()
)


_PLAIN = re.compile(r"(?:the|a|an|her|his|their|its|every|each|all|any) (?!of )")
_ASIDE = re.compile(r", \w+ as (?:it is|it was|they are|they were)$")
"""`the lamp, lit as it is`: an aside tells of the thing."""
_SUSPECT = frozenset(part for word in english.FINITE for part in word.split("'")) | frozenset(
    "unchanged untouched unaltered unmodified unedited unaffected intact preserved retained"
    " before same"
    " identical put kept original exactly not never".split()
)


class ProtectNotNounPhrase(Rule):
    """A protect item is an order or a sentence, not a noun phrase.

    What it does: asks that each item can stand in "Keep ... exactly as in the image". Orders ("keep
    the face"), prohibitions ("do not touch the logo"), sentences ("the tiles remain white") and
    clipped sentences ("wallpaper unchanged") can't. A verb inside a noun phrase ("the hands that
    hold the mug") is fine.

    Why it matters: the framework writes the protecting sentence. An order within it reads as
    nonsense, and the model has to guess.

    Example:

        protect: [keep the face exactly as it is]

    Use instead:

        protect: ["the face with its freckles and its expression"]

    References: rule 2 of the prompt guide.
    """

    code = "NR111"
    name = "protect-not-noun-phrase"

    def check(self, context: Context) -> Iterator[Fault]:
        suspects = context.drafts_with(_SUSPECT, "protect")
        for draft in context.drafts("protect"):
            if _PLAIN.match(draft.lower) and draft not in suspects:
                continue
            if is_vague(draft):
                continue  # which vague-protection reports
            found = _fault(draft)
            if found is not None:
                message = f"{draft.text!r} {found}"
                advice = "name the thing alone: it goes into 'Keep ... exactly as in the image.'"
                yield Fault(context.place(draft), message, advice)


def _fault(draft: Draft) -> str | None:
    words = draft.tokens
    if not words:
        return None
    text = draft.lower.rstrip(" .;,!").replace("’", "'")
    if _is_order(words):
        return "is an order, not a thing"
    if _NO_CHANGE.search(text) or words[0].word in ("that", "nothing"):
        return "is a prohibition, not a thing"
    if _TRAILING.search(text) and len(words) > 1 and not _ASIDE.search(text):
        return "ends like a clipped sentence"
    if _main_verb(draft, words) is not None:
        return "is a sentence, not a thing"
    return None


def _is_order(words: Sequence[Token]) -> bool:
    first = words[0].word
    following = words[1].word if len(words) > 1 else ""
    if first in _KEEPING:
        return following not in ("of", "and", "or", "") and "'s" not in first
    if first == "make" and following in ("sure", "certain"):
        return True
    order = english.order_at(words, strict=True)
    return order is not None and first not in ("what", "cut", "set")


def _main_verb(draft: Draft, words: Sequence[Token]) -> Token | None:
    """The finite verb of a sentence; those of relative clauses are none."""
    clause = False
    for index, token in enumerate(words):
        between = draft.lower[words[index - 1].end : token.start] if index else ""
        if "," in between or ";" in between:
            clause = False
        if (
            token.word in _RELATIVE
            or (token.word in _SPEAKERS and index > 0)
            or (index > 0 and _opens_clause(words, index))
        ):
            clause = True
        if not clause and index > 0 and _is_finite(words, index):
            return token
    return None


def _opens_clause(words: Sequence[Token], index: int) -> bool:
    """`the way | the blanket falls`: a noun with a determiner straight behind another noun."""
    before = words[index - 1].word
    return words[index].word in english.ARTICLES | {"his", "her", "its", "their"} and not (
        before in english.PREPOSITIONS
        or before in english.CONJUNCTIONS
        or before in english.DETERMINERS
        or before in english.FINITE
        or before.endswith("ing")
    )


def _is_finite(words: Sequence[Token], index: int) -> bool:
    word = words[index].word
    following = words[index + 1].word if index + 1 < len(words) else ""
    if word not in english.FINITE:
        return False
    if word in ("can", "may", "will", "might", "must", "needs", "matches", "looks", "changes"):
        # a watering can, a will, matches in a box, changes of height
        noun = following in ("of", "in", "on", "with", "and", "") or words[index - 1].word in (
            english.ARTICLES | {"of", "and"}
        )
        return not noun
    if word in ("stay", "stays", "keeps", "appears", "does", "do", "remains", "remain"):
        return words[index - 1].word not in english.ARTICLES | {"of"}
    return True
