"""NR142: something placed or added, and nothing says how large."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.draft import is_image
from nanorecipes.prompt.lint.grammar import Command
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import any_of, blot, listed, phrases

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft
    from nanorecipes.prompt.lint.variants import Variant

_COVERING = listed("size_phrases", "covering")
"""What covers a whole surface has its size from there."""
_PLACING = listed("size_phrases", "placing")
_NO_THING = listed("size_phrases", "spread")
"""What is spread over a picture and has no size of its own."""
_PERHAPS = frozenset("set print fit project apply plant build".split())
"""These place something only where a place follows."""
_WHERE = frozenset("on onto in into at beside over above behind against across".split())
_SIZE_PARAM = re.compile(
    r"\b(?:size|height|width|length|scale|large|tall|wide|diameter|share|dimensions?)\b"
)
_INSTEAD = re.compile(r"\bin (?:its|his|her|their) (?:place|stead)\b|\bin place of\b")
"""What takes the place of another thing has its size from there."""
_CAPABILITIES = frozenset(("placement", "edit", "composition"))


class PlacementWithoutSize(Rule):
    """Something is placed or added, and neither the edit nor the details say how large.

    What it does: where an order places or adds a thing, looks for a size: a measure, a share of the
    surface, or a comparison with something in the picture. "at a fitting size" states none. What
    covers a whole surface (tiles, wallpaper, snow) has its size from there.

    Why it matters: the model guesses, and a lamp becomes a toy or a tower.

    Example:

        Place the vase of {{ vase }} on the left end of the table in {{ table }}.

    Use instead:

        Place the vase of {{ vase }} on the left end of the table in {{ table }}, twice as tall as
        the jug beside.

    References: rules 15, 18 and 21 of the prompt guide.
    """

    code = "NR142"
    name = "placement-without-size"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        if context.capability not in _CAPABILITIES:
            return
        for variant in context.variants:
            edit = variant.edit
            order = _placing(context, edit) if edit is not None else None
            if edit is None or order is None or _states_size(context, variant):
                continue
            words = edit.sentences[order.sentence].tokens
            first = words[order.order.first]
            end = order.things[0].end if order.things else first.end
            message = f"{edit.text[first.start : end]!r} is told, but not how large it is"
            advice = "give a share or a comparison: 'a third as wide as the mug', '150 cm tall'"
            yield Fault(context.place(edit, first.start, first.end), message, advice)
            return


def _placing(context: Context, edit: Draft) -> Command | None:
    """The order that places something, if there is one."""
    for order in edit.commands:
        if order.verb in _COVERING or _covers(order):
            continue
        leads = order.sentence == 0 and order.order.first <= 1
        placed = order.verb in _PLACING and _has_place(order)
        if (placed or (context.capability == "placement" and leads)) and _is_thing(order):
            return order
    return None


def _covers(order: Command) -> bool:
    """`lay a floor over the concrete` covers it."""
    words = {token.word for token in order.rest} | {
        word for thing in order.things for word in thing.rest
    }
    return order.verb in ("lay", "spread", "apply") and not words.isdisjoint(("over", "across"))


def _has_place(order: Command) -> bool:
    """Whether `set` or `print` really place something; `add` and `place` always do."""
    if order.verb not in _PERHAPS:
        return True
    words = [word for thing in order.things for word in thing.rest]
    words += [token.word for token in order.rest]
    return any(
        word in _WHERE and not is_image(following[0]) for word, following in pairwise([*words, "."])
    )


def _is_thing(order: Command) -> bool:
    """Whether what is placed has a size of its own."""
    if not order.things:
        return True
    return not all(thing.head in _NO_THING for thing in order.things)


def _states_size(context: Context, variant: Variant) -> bool:
    for draft in variant.of("edit") + variant.of("details"):
        vague = [m.span() for m in phrases("size_phrases", "vague").find(draft.lower, draft.words)]
        text = blot(draft.lower, vague)
        if any_of("size_phrases", "patterns").search(text) or _INSTEAD.search(text):
            return True
        for char in draft.values:
            param = context.param_of(char)
            if param is not None and _SIZE_PARAM.search(
                f"{param.name} {param.description}".lower()
            ):
                return True
    return False
