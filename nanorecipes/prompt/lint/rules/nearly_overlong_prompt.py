"""NR152: a prompt with hardly any room left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context

SHARE = 0.9
"""Of what a model reads."""


class NearlyOverlongPrompt(Rule):
    """The longest possible prompt leaves less than a tenth of its room.

    What it does: counts as `overlong-prompt` does, and speaks from nine tenths of the bound on.

    Why it matters: one more sentence, a note of the caller's or one more thing to protect, and the
    longest call is refused. Such prompts also bury the order under its details.

    Example: two parameters with `format: multiline` and a third of 540 characters.

    Use instead: a `maxLength` that fits what callers really write.

    References: rule 9 of the prompt guide.
    """

    code = "NR152"
    name = "nearly-overlong-prompt"
    reads_english = False

    def check(self, context: Context) -> Iterator[Fault]:
        most = catalogue().limits.prompt_chars
        if most * SHARE <= context.longest <= most:
            message = f"the longest prompt has {context.longest} of {most} characters"
            advice = "bound the longest parameters with maxLength or maxItems"
            yield Fault(context.place_of("prompt", key=True), message, advice)
