"""NR132: an image that is mentioned, and never told what for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.draft import IMAGES
from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_BESIDE = re.compile(
    r"(?:\b(?:see(?: also)?|also see|(?:also |please )?consider|look at|study|observe|note|mind|"
    r"check|regard|"
    r"refer (?:also )?to|with reference to|(?:take|have) a look at|keep in mind|bear in mind|"
    r"(?:taken |used |sent )?together with|along with|alongside|as well as|in addition to|"
    r"besides|plus|"
    r"based on|similar to|according to|compare(?: (?:with|to))?|examine|inspect|"
    r"attached(?: is| are)?|additionally|including|include|take|use|using|reference|"
    r"(?:as|for) (?:in|inspiration|reference),? see)"
    r"(?: also| both| all)?(?: the)?)\s*\Z"
)
"""Before an image that is only pointed at."""
_JOINED = re.compile(
    r"\b(?:combine|merge|blend|mix|join|unite|fuse|composite|compose|collage|montage|assemble|"
    r"marry|"
    r"bring together|put together|stitch together|integrate|use|take)(?: both| all| together|"
    r" the)?\s*\Z"
)
"""Before images that are put together as they are."""
_LAST_WORDS = frozenset(
    "see also consider at study observe note mind check regard to with look alongside as besides"
    " plus on compare examine inspect attached is are additionally including include take use using"
    " reference combine merge blend mix join unite fuse composite compose collage montage assemble"
    " marry together integrate both all the".split()
)
"""How those end."""
_AND = re.compile(r"(?:\band|\bwith|\binto|,|\bor|&|\+)(?: also| both| the)?\s*\Z")
_LINKED = re.compile(r"\s*(?:,|and|with|,? ?and also|or|&)\s*")
_PURPOSE = re.compile(
    r"\s*(?:,? ?(?:as|for) (?!(?:well|(?:a |an |your |further |extra |more )?(?:reference|"
    r"inspiration|"
    r"information|guidance|context|orientation|background information|help|comparison|a start))\b)"
    r"|,? ?(?:to|so that|which|whose|that shows?)\b|['’]s \w)"
)
"""Behind an image that is used for something."""
_ATTACHED = re.compile(
    r"\s*(?:is|are|comes?|was|were|has been|have been|goes|go)(?: also| only| both|"
    r" all)? (?:attached|included|provided|"
    r"given|added|supplied|sent|there|here|available|appended|enclosed|along|with it|additional|"
    r"extra|"
    r"for (?:your )?(?:information|reference|inspiration|guidance|context)|(?:another|an extra|"
    r"a further|"
    r"an additional|a second|one more) (?:image|picture|photo|reference))\b"
)
"""Behind an image of which only its presence is told."""


class RolelessImage(Rule):
    """An image is mentioned, but never with what it shows or gives.

    What it does: where several images are attached, looks at each mention of an image. "the coat of
    ...", "... shows a coat" and "place ... on" give a role; "see also ...", "together with ...",
    "combine ... and ...", "... comes attached" give none. At least one mention has to give a role;
    a list of its own under `protect` counts as one.

    Why it matters: an image without a role is mixed in as a whole: its people, its light, its
    background.

    Example:

        Combine {{ one }} and {{ other }} into one market scene.

    Use instead:

        Combine the fish stall of {{ one }} with the flower stall of {{ other }} into one market.

    References: rule 12 of the prompt guide.
    """

    code = "NR132"
    name = "roleless-image"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        if context.most_images < 2:
            return
        kept = {draft.image for draft in context.drafts("protect")}
        for slot, mentions in _mentions(context).items():
            if slot not in kept and not any(_has_role(draft, at) for draft, at in mentions):
                draft, at = mentions[0]
                message = f"the image {slot!r} is mentioned, but not what it shows or gives"
                advice = f"say what comes from it: 'the coat of {{{{ {slot} }}}}'"
                yield Fault(context.place(draft, at, at + 1), message, advice)


def _mentions(context: Context) -> dict[str, list[tuple[Draft, int]]]:
    """By slot, each place where a text speaks of it."""
    found: dict[str, list[tuple[Draft, int]]] = {}
    for draft in context.drafts():
        for at in () if draft.text.isascii() else draft.images:
            found.setdefault(context.slot_of(draft.text[at]), []).append((draft, at))
    return found


def _has_role(draft: Draft, at: int) -> bool:
    """Whether a mention says what the image is for; one joined to another by `and` says as much."""
    lead, behind = draft.lower[max(0, at - 60) : at], draft.lower[at + 1 : at + 120]
    if _ATTACHED.match(behind):
        return False
    number = draft.images.index(at)
    if number and _LINKED.fullmatch(draft.lower, draft.images[number - 1] + 1, at):
        return _has_role(draft, draft.images[number - 1])
    if _PURPOSE.match(behind):
        return True
    last = lead.split()[-1:]
    if not last or last[0] not in _LAST_WORDS:
        return True
    if _BESIDE.search(lead) or _JOINED.search(lead):
        shows = re.match(
            rf"(?:\s*(?:,|and|with) {IMAGES})*\s*,? ?(?:shows?|gives?|is|are|lends?)\b", behind
        )
        return bool(shows)
    return True
