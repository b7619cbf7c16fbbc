"""NR122: settings written into the prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import any_of, blot

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_OUTPUT = frozenset("output deliver save saved export exported return delivered".split())
_GROUPS = {
    "ratio": (
        "the ratio or orientation of the picture", "settings.aspect_ratio",
        frozenset(
            "aspect square widescreen vertical horizontal portrait landscape panorama panoramic"
            " cinemascope ultrawide upright wide tall instagram tiktok youtube facebook pinterest"
            " story reel banner thumbnail cover width height".split()
        ), re.compile(r"\d:\d"),
    ),
    "pixels": (
        "the size of the picture in pixels", "settings.quality",
        frozenset("px pixel pixels mp megapixel megapixels dpi ppi".split()),
        re.compile(r"\d ?(?:x|×|by|p\b)"),
    ),
    "resolution": (
        "the resolution of the picture", "settings.quality",
        frozenset("res resolution hd".split()), re.compile(r"\d ?k\b"),
    ),
    "file": (
        "a file type", "nothing: the service chooses it, and a saved file can be converted",
        frozenset(
            "png pngs jpg jpgs jpeg jpegs webp tif tiff tiffs gif heic bmp svg psd pdf avif"
            " transparent alpha file".split()
        ) | _OUTPUT, None,
    ),
    "count": (
        "the number of results", "settings.num_images",
        frozenset(
            "versions variants variations alternatives renditions options takes copies outputs"
            " results proposals drafts images pictures photos files jpgs jpegs pngs grid contact"
            " version".split()
        ), None,
    ),
}  # fmt: skip
"""By group: what it is, the setting for it, words one of which tells it, and a number that may."""
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
        numbers = _numbers(context)
        groups = [
            group for group, (*_, words, number) in _GROUPS.items()
            if not words.isdisjoint(context.words)
            or (number and any(number.search(text) for text in numbers))
        ]  # fmt: skip
        for draft in context.drafts() if groups else ():
            found = self._first(draft, groups)
            if found is None:
                continue
            match, group = found
            what, setting = _GROUPS[group][:2]
            message = f"{draft.text[match.start() : match.end()]!r} gives {what} in words"
            place = context.place(draft, match.start(), match.end())
            yield Fault(place, message, f"use {setting}")

    def _first(self, draft: Draft, groups: Sequence[str]) -> tuple[re.Match[str], str] | None:
        text = draft.lower
        fine = any_of("format_prose", "fine").finditer(text)
        judged = blot(text, [match.span() for match in fine])
        for group in groups:
            if draft.section == "protect" and group not in ("pixels",):
                continue
            if draft.section == "subject" and group in _OF_THE_ORIGINAL:
                continue
            match = any_of("format_prose", group).search(judged)
            if match is not None:
                return match, group
        return None


def _numbers(context: Context) -> list[str]:
    """The texts in which a number stands with what may make it a format."""
    if context.initials.isdisjoint("0123456789"):
        return []
    return [draft.lower for draft in context.drafts() if _ANY_NUMBER.search(draft.lower)]


_ANY_NUMBER = re.compile(r"[0-9](?::\d| ?(?:x|×|by|p\b|k\b))")
