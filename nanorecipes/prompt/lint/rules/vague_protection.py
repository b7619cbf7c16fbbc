"""NR110: protection that names no thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import listed, word_list

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_SPLIT = re.compile(r"\s*(?:,| and | as well as )\s*")
_EMPTY = listed("vague_protection", "empty")
"""Words that name nothing: an item made of these alone protects nothing that can be pointed at."""
_ALONE = listed("vague_protection", "alone")
_ORDERS = ("keep", "leave", "preserve", "maintain", "retain", "don't", "do not", "change nothing")


class VagueProtection(Rule):
    """The protect list names nothing that can be pointed at.

    What it does: asks for at least one item that names a thing, in every branch and every example.
    "everything else", "the rest of the picture" and "the overall look" alone name none; beside
    concrete items, or with a place of their own ("everything else on the desk"), they are fine. An
    order such as "keep it the same" says nothing in any company.

    Why it matters: the model preserves nothing that it isn't told to. "Everything else" leaves it
    to the model what that is.

    Example:

        protect: [everything else]

    Use instead:

        protect: [the brick wall and the steps, the house number, the hedge on the left]

    References: rule 2 of the prompt guide.
    """

    code = "NR110"
    name = "vague-protection"

    def check(self, context: Context) -> Iterator[Fault]:
        passed = any(draft.values for draft in context.drafts("protect"))
        variants = [*context.variants, *(context.examples if passed else ())]
        for kept in {tuple(map(id, v.protect)): v.protect for v in variants}.values():
            if all(is_vague(draft) for draft in kept):
                yield self._nothing(context, kept)
                return
            for draft in kept:
                if draft.lower.startswith(_ORDERS) and is_vague(draft):
                    yield self._fault(context, draft)
                    return

    def _nothing(self, context: Context, vague: list[Draft]) -> Fault:
        if vague:
            return self._fault(context, vague[0])
        message = "without the optional images nothing is protected"
        advice = "name what stays of an image that is always there"
        return Fault(context.place_of("prompt", "protect", key=True), message, advice)

    def _fault(self, context: Context, draft: Draft) -> Fault:
        message = f"{draft.text!r} names nothing that can be pointed at"
        advice = "name the things: faces, hands, edges, lettering, the framing, what stands beside"
        return Fault(context.place(draft), message, advice)


def is_vague(draft: Draft) -> bool:
    """Whether a protect item names no thing."""
    return _is_vague(draft.lower.rstrip(" .;,!"))


@lru_cache(maxsize=1024)
def _is_vague(text: str) -> bool:
    if text in _known():
        return True
    parts = [part for part in _SPLIT.split(text) if part]
    return bool(parts) and all(part in _known() or _is_empty(part) for part in parts)


def _is_empty(part: str) -> bool:
    words = re.findall(r"[^\W_]+(?:['’][^\W_]+)?", part)
    if not words or not all(word.replace("’", "'") in _EMPTY for word in words):
        return False
    named = [word for word in words if word in _ALONE]
    return not named or any(
        word in ("all", "other", "every", "everything", "rest") for word in words
    )


@cache
def _known() -> frozenset[str]:
    phrases = listed("vague_protection", "phrases", "frames")
    return phrases | {
        str(item).removeprefix("the ") for item in word_list("vague_protection")["phrases"]
    }
