"""NR150: more people than the model keeps apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.people import people_kept
from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context


class TooManyPeople(Rule):
    """The fullest call asks for more people than the recipe's model keeps apart.

    What it does: counts the people whose looks come from images: a list slot of portraits at its
    fullest, slots for single people, and numbers in words ("all seven siblings of ..."). A crowd in
    the scenery and people who merely stand in the one picture that is edited don't count.

    Why it matters: beyond four people on flash and five on pro, faces begin to blend.

    Example:

        images:
          singers: {min: 2, max: 6, description: One portrait for each singer.}

    Use instead: `max: 5` with `model: pro`, and two pictures for a larger choir.

    References: rule 19 of the prompt guide.
    """

    code = "NR150"
    name = "too-many-people"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        most = context.model.people if context.model is not None else None
        scene = context.capability in ("consistency", "composition")
        if most is None or (context.most_images <= most and not scene):
            return
        kept = people_kept(context)
        if kept > most:
            assert context.model is not None
            message = (
                f"up to {kept} people are to be kept, {context.model.alias} keeps {most} apart"
            )
            advice = "lower `max`, or make several pictures"
            lists = [slot for slot in context.slots.values() if slot.is_list and slot.max > 1]
            path = ("images", lists[0].name, "max") if lists else ("images",)
            yield Fault(context.place_of(*path, key=not lists), message, advice)
