"""NR161: `changes` and the capability contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context

FITTING = {
    "style": ("look",),
    "background": ("background",),
    "outfit": ("part",),
    "placement": ("part",),
    "upscale": ("look",),
    "composition": ("scene", "part", "background"),
    "consistency": ("scene",),
}
"""A capability that isn't here (edit, variation, grounded) may change whatever its edit asks"
" for."""


class ChangesMismatch(Rule):
    """`changes` says that something else changes than the capability means.

    What it does: holds `changes` against `capability`. A style changes the look, a background the
    background, clothes and things that are placed a part, a re-render the look; a scene for a known
    character is a new one, and a composition makes anything but a look.

    Why it matters: `changes` decides the sentence that closes the prompt. A style that closes with
    "Change nothing else." forbids what its edit asks for.

    Example:

        capability: style
        changes: part

    Use instead:

        capability: style
        changes: look

    References: rules 2 and 16 to 22 of the prompt guide.
    """

    code = "NR161"
    name = "changes-mismatch"
    severity = "error"
    reads_english = False

    def check(self, context: Context) -> Iterator[Fault]:
        fitting = FITTING.get(context.capability)
        if fitting is None or context.changes in fitting:
            return
        message = f"changes: {context.changes} does not fit the capability {context.capability!r}"
        advice = f"write changes: {fitting[0]}, or choose another capability"
        yield Fault(context.place_of("changes"), message, advice)
