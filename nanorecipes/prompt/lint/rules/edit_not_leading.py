"""NR101: an edit whose order comes after something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.opening import LATE
from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context


class EditNotLeading(Rule):
    """The edit does not begin with the verb that names the operation.

    What it does: asks the first sentence of the edit, in every branch, to begin with an order that
    a retoucher could carry out. A place, a purpose, a scene or politeness before it is a fault, and
    so is a verb that only looks or thinks.

    Why it matters: the model weighs the beginning most. What comes first should be the change.

    Example:

        In {{ room }}, replace the rug in front of the sofa with {{ rug }}.

    Use instead:

        Replace the rug in front of the sofa in {{ room }} with {{ rug }}.

    References: rule 1 of the prompt guide.
    """

    code = "NR101"
    name = "edit-not-leading"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        for draft, found in context.openings:
            if found.kind == LATE:
                end = draft.sentences[0].end
                shown = draft.tokens[0]
                message = "the edit does not begin with its order"
                advice = "begin with the verb: Replace, Add, Remove, Recolour, Extend, ..."
                if found.verb:
                    advice = f"begin with the verb that names the operation: {found.verb} ..."
                place = context.place(draft, shown.start, min(end, found.until))
                yield Fault(place, message, advice)
