"""NR122: settings written into the prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import any_of, blot

if TYPE_CHECKING:
    import re

    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_GROUPS = {
    "ratio": ("the ratio or orientation of the picture", "settings.aspect_ratio"),
    "pixels": ("the size of the picture in pixels", "settings.quality"),
    "resolution": ("the resolution of the picture", "settings.quality"),
    "file": ("a file type", "nothing: the service chooses it, and a saved file can be converted"),
    "count": ("the number of results", "settings.num_images"),
}
_OF_THE_ORIGINAL = ("resolution", "file", "ratio")
"""What a subject may say of the picture as it is."""


class FormatInProse(Rule):
    """Ratio, size, resolution, file type or number of results stand in the prompt.

    What it does: finds "16:9", "2000 x 2000 px", "in 4K", "PNG", "portrait orientation", "four
    versions" and their like outside quotes. True measures of things (35 mm film, an A5 book, a 1:18
    model, 10:10 on a dial) and numbers of things in the scene are content.

    Why it matters: these are settings. In words they change nothing that the settings don't, and
    the model may draw them: a frame, a grid of four pictures, lettering.

    Example:

        Extend the background to a 16:9 format.

    Use instead:

        settings: {aspect_ratio: "16:9"}

    References: rule 8 of the prompt guide.
    """

    code = "NR122"
    name = "format-in-prose"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        for draft in context.drafts():
            found = self._first(draft)
            if found is None:
                continue
            match, group = found
            what, setting = _GROUPS[group]
            message = f"{draft.text[match.start() : match.end()]!r} gives {what} in words"
            place = context.place(draft, match.start(), match.end())
            yield Fault(place, message, f"use {setting}")

    def _first(self, draft: Draft) -> tuple[re.Match[str], str] | None:
        text = draft.lower
        fine = any_of("format_prose", "fine").finditer(text)
        judged = blot(text, [match.span() for match in fine])
        for group in _GROUPS:
            if draft.section == "protect" and group not in ("pixels",):
                continue
            if draft.section == "subject" and group in _OF_THE_ORIGINAL:
                continue
            match = any_of("format_prose", group).search(judged)
            if match is not None:
                return match, group
        return None
