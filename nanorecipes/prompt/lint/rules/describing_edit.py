"""NR102: an edit that orders nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.opening import NONE
from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context


class DescribingEdit(Rule):
    """The edit describes, wishes or asks, and orders nothing.

    What it does: looks for an order in the edit. A caption ("A photo of ..."), a wish ("I would
    love to see ..."), a question, or the result told as if it were there ("now wears ...") is none.

    Why it matters: a description makes the model draw the whole picture anew. An order makes it
    change what the order names.

    Example:

        A photo of the kitchen in {{ kitchen }} with sage green fronts.

    Use instead:

        Recolour the fronts of the kitchen in {{ kitchen }} to sage green.

    References: rule 1 of the prompt guide.
    """

    code = "NR102"
    name = "describing-edit"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        for draft, found in context.openings:
            if found.kind == NONE:
                sentence = draft.sentences[0]
                message = "the edit describes or wishes; it orders nothing"
                advice = "command the change: Replace ... with ..., Recolour ... to ..."
                place = context.place(draft, sentence.tokens[0].start, sentence.end)
                yield Fault(place, message, advice)
