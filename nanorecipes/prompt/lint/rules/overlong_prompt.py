"""NR151: a valid call whose prompt the model would not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context


class OverlongPrompt(Rule):
    """The longest possible prompt has more characters than a model reads.

    What it does: renders the prompt with every text as long as its `maxLength` allows, every list
    full, every image attached and the longest wording of each enum, and counts. Branches that
    exclude each other count once. `notes` and `protect` of a call are the caller's own.

    Why it matters: such a call is refused, and whoever calls can't see why: each value alone was
    within its bounds.

    Example: three parameters with `format: multiline`, of 1500 characters each.

    Use instead: a `maxLength` for each, so that together they leave room for the recipe's words.

    References: rule 9 of the prompt guide.
    """

    code = "NR151"
    name = "overlong-prompt"
    severity = "error"
    reads_english = False

    def check(self, context: Context) -> Iterator[Fault]:
        most = catalogue().limits.prompt_chars
        if context.longest > most:
            message = f"the longest prompt has {context.longest} characters, allowed are {most}"
            advice = "bound the longest parameters with maxLength or maxItems"
            yield Fault(context.place_of("prompt", key=True), message, advice)
