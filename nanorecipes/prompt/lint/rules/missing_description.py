"""NR160: an image or a parameter that nobody is told how to fill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context

_EMPTY = re.compile(r"[\W_]*(?:(?:todo|tbd|tba|fixme|xxx|n/a|none|description)[\W_]*)?\Z", re.I)


class MissingDescription(Rule):
    """An image or a parameter has no description, or one that says nothing.

    What it does: asks each image and each parameter that a caller may pass for a description.

    Why it matters: the description is what a caller sees in `show`, in forms and in tools. Without
    it the caller guesses, and a wrong guess is a picture that was paid for.

    Example:

        params:
          finish: {maxLength: 60}

    Use instead:

        params:
          finish:
            description: How the surface shines, as in "matt" or "high gloss".
            maxLength: 60

    References: rule 5 of the prompt guide (be specific), for the recipe's own interface.
    """

    code = "NR160"
    name = "missing-description"
    reads_english = False

    def check(self, context: Context) -> Iterator[Fault]:
        fixed = context.definition.fixed
        owners = [("images", slot.name, slot.description) for slot in context.slots.values()]
        owners += [
            ("params", param.name, param.description)
            for param in context.params.values()
            if param.name not in fixed
        ]
        for group, name, description in owners:
            if _EMPTY.match(description):
                noun = "image" if group == "images" else "parameter"
                written = context.definition.document.has((group, name, "description"))
                path = (group, name, "description") if written else (group, name)
                place = context.place_of(*path, key=not written)
                message = f"nothing tells what the {noun} {name!r} is for"
                yield Fault(place, message, "say in a few words what the caller should pass")
