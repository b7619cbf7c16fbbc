"""NR143: something taken away, and nothing says what shows there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.english import is_image
from nanorecipes.prompt.lint.grammar import Command
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import any_of, blot, listed, phrases

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft
    from nanorecipes.prompt.lint.variants import Variant

_REMOVING = listed("reveal_phrases", "removing")
_UNSURE = listed("reveal_phrases", "removing_with_off")
"""These remove only together with `off`, `away`, `out` or `from`."""
_MOVING = listed("reveal_phrases", "moving")
_FLAWS = listed("reveal_phrases", "flaws")
"""What lies over the whole picture; below it is the picture."""
_BODY = listed("reveal_phrases", "posed")
_NEW_SCENES = ("composition", "consistency")
_REPLACED = re.compile(
    r"\b(?:replac|substitut|exchang|swap)\w* (?:\w+ ){0,4}?(?:with|by|for)\b"
    r"|\b(?:put|place|set|plant|paint|insert|hang|stand|add)\w* (?:\w+ ){1,5}?(?:in (?:its|his|"
    r"her|their|the) "
    r"(?:place|stead|spot)|there|instead|where)\b"
    r"|\bin (?:its|his|her|their) (?:place|stead)\b|\bso that (?:only )?(?:the )?\w+"
)
_REVEAL_PARAM = re.compile(
    r"\b(?:behind|beneath|underneath|reveal\w*|uncover\w*|in its place|shows? (?:there|instead|"
    r"behind)|"
    r"fills? (?:the|in)|instead|background behind|comes into view|lies there)\b"
)


class RemovalWithoutReveal(Rule):
    """Something is removed, and nothing says what shows in its place.

    What it does: where an order removes a thing, or moves it elsewhere, looks in the edit and the
    details for what comes into view: "revealing the brick wall behind", "with lawn where the bin
    stood". "Fill the gap seamlessly" doesn't say with what. Replacing is no removal, and neither is
    cleaning a picture of noise or scratches.

    Why it matters: the model fills the gap with what is likely, often with another thing of the
    same kind.

    Example:

        Remove the lamp post in front of the church in {{ church }}.

    Use instead:

        Remove the lamp post in front of the church in {{ church }}, revealing the porch and its
        three steps.

    References: rule 15 of the prompt guide.
    """

    code = "NR143"
    name = "removal-without-reveal"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        for variant in context.variants:
            edit = variant.edit
            # Who is moved between pictures leaves no gap in the result.
            verbs = _REMOVING if context.capability in _NEW_SCENES else _REMOVING | _MOVING
            order = _removing(edit, verbs) if edit is not None else None
            if edit is None or order is None or _tells_reveal(context, variant):
                continue
            first = edit.sentences[order.sentence].tokens[order.order.first]
            what = "moved" if order.verb in _MOVING else "removed"
            message = f"something is {what}, and nothing says what shows in its place"
            advice = "add what comes into view: 'revealing the brick wall behind'"
            end = order.things[0].end if order.things else first.end
            yield Fault(context.place(edit, first.start, end), message, advice)
            return


def _removing(edit: Draft, verbs: frozenset[str]) -> Command | None:
    for order in edit.commands:
        if order.verb not in verbs:
            continue
        words = {token.word for token in order.rest} | {
            word for thing in order.things for word in (*thing.rest, *thing.words)
        }
        if order.verb in _REMOVING:
            if order.verb in _UNSURE and words.isdisjoint(("off", "away", "out", "from")):
                continue
            if order.things and all(_is_flaw(thing.head, thing.words) for thing in order.things):
                continue
            return order
        if order.verb in _MOVING and _is_moved(order, words):
            return order
    return None


def _is_flaw(head: str, words: tuple[str, ...]) -> bool:
    return head in _FLAWS or (head in ("cast", "colour") and "colour" in (*words, head))


def _is_moved(order: Command, words: set[str]) -> bool:
    """Whether a thing goes from one place to another, and leaves a gap."""
    if not order.things or any(thing.head in _BODY for thing in order.things):
        return False
    if any(
        one.word in ("from", "of") and is_image(other.word[0])
        for one, other in pairwise(order.rest)
    ):
        return False  # from one picture to another: the first is only looked at
    tail = " ".join(token.word for token in order.rest)
    return bool(
        words & {"from", "onto", "behind", "beside", "under", "next", "left", "right"}
        or re.match(r"(?:to|into|onto) (?:the|another|a) [^\d]", f"{tail} ")
    ) and not re.search(r"\d", tail)


def _tells_reveal(context: Context, variant: Variant) -> bool:
    for draft in variant.of("edit") + variant.of("details"):
        empty = [
            m.span() for m in phrases("reveal_phrases", "empty").find(draft.lower, draft.words)
        ]
        text = blot(draft.lower, empty)
        if any_of("reveal_phrases", "patterns").search(text) or _REPLACED.search(text):
            return True
        for char in draft.values:
            param = context.param_of(char)
            if param is not None and _REVEAL_PARAM.search(_about(param.name, param.description)):
                return True
    return False


def _about(name: str, description: str) -> str:
    return f"{name.replace('_', ' ')} . {description}".lower()
