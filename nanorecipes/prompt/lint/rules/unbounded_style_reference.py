"""NR134: a style taken from an image, with nothing to keep its objects out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.draft import IMAGES
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import any_of

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft
    from nanorecipes.prompt.lint.variants import Variant

_STYLE = (
    r"(?:styles?|look|looks|manner|aesthetics?|visual language|technique|brushwork|brush ?strokes?|"
    r"line ?work|palette|colou?r grad(?:e|ing)|grading|treatment|rendering|handling|spirit|medium|"
    r"drawing style|art style|feel|vibe)"
)
_WORDS = frozenset(
    "style styles styled restyle restyled look looks looking manner aesthetic aesthetics visual"
    " technique"
    " brushwork brush brushstroke brushstrokes line linework palette color colour grading treatment"
    " rendering handling spirit medium drawing art feel vibe inspired reminiscent resemble"
    " resembles"
    " resembling mimic mimics mimicking imitate imitates imitating emulate emulates emulating as"
    " stylistically redraw redrawn repaint repainted painted drawn".split()
)
"""Without any of these no image lends its style."""
_LINK = (
    r"(?:(?:that is |as )?(?:seen|shown|used|found|set|given|displayed|demonstrated|"
    r"exemplified) (?:in|by)"
    r"|of|in|from|by|taken from|borrowed from|as in)"
)


_ARTWORK = (
    r"(?:comics?|paintings?|posters?|drawings?|illustrations?|prints?|artworks?|sketch(?:es)?|"
    r"engravings?|etchings?|films?|frames?|panels?|covers?|murals?|mosaics?|cartoons?|collages?|"
    r"linocuts?|woodcuts?|watercolou?rs?|photographs?|stills?|tapestr(?:y|ies)|frescos?|frescoes)"
)


@cache
def _uses() -> re.Pattern[str]:
    """An image that lends its style."""
    return re.compile(
        rf"\b{_STYLE}(?:,? (?:and|of) (?:the )?(?:\w+ )?{_STYLE})* (?:\w+ )?{_LINK} ({IMAGES})"
        rf"|\b{_STYLE} of (?:the|a|an|this|that) (?:[\w-]+ ){{0,2}}{_ARTWORK} "
        rf"(?:of|in|from|shown in|seen in) ({IMAGES})"
        rf"|\bin the (?:style|manner|spirit) of (?:the|a|an|this|that) (?:[\w-]+ ){{1,4}}"
        rf"(?:of|in|from|shown in|seen in) ({IMAGES})"
        rf"|\blook(?:s|ing)? (?:just |exactly |more )?like (?:the|a|an|this|that) "
        rf"(?:[\w-]+ ){{0,2}}{_ARTWORK} (?:of|in|from|shown in|seen in) ({IMAGES})"
        rf"|\b(?:look(?:s|ing)? (?:just |exactly |more )?like|in the (?:style|manner|spirit) of"
        rf"|inspired by|reminiscent of|resembl(?:e|es|ing)|mimic(?:s|king)?|imitat(?:e|es|ing)"
        rf"|emulat(?:e|es|ing)|as if (?:painted|drawn|made|photographed) by|stylistically like"
        rf"|(?:styled?|restyled?|redrawn?|repaint(?:ed)?|painted|drawn) (?:after|like)) ({IMAGES})"
        rf"|({IMAGES})['’]s (?:\w+ )?{_STYLE}\b"
        rf"|\b(?:use|with|using|take) ({IMAGES}) (?:as|for) (?:the |a |its )?(?:\w+ )?(?:style|"
        rf"look)"
        rf"|({IMAGES}) (?:sets|gives|lends|provides|shows|is) (?:the |a |"
        rf"its )?(?:\w+ )?(?:style|look)\b"
    )


_ONLY = re.compile(
    r"\b(?:only|solely|exclusively|purely|merely|nothing but|nothing else|nothing more|just)\b"
    r"[^.;]{0,40}?\b" + _STYLE + r"\b"
    r"|\b" + _STYLE + r"[^.;]{0,30}? (?:only|alone)\b"
    r"|\b(?:none|nothing|no (?:object|thing|content|figure|motif|element|subject|people|part)s?|"
    r"not)"
    r"[^.;]{0,40}? (?:of|from|in|that|what) (?:its|the|" + IMAGES + r")"
    r"|\b(?:leave|leaving|keep|keeping) (?:its|the|all|every)[^.;]{0,40}? (?:out|behind|aside|"
    r"away)\b"
    r"|\b(?:its|the) (?:objects?|contents?|motifs?|subjects?|figures?|scene)[^.;]{0,30}? "
    r"(?:stays? (?:out|behind|there)|play no part|do(?:es)? not|are not|is not|"
    r"remains? (?:there|out))"
    r"|\b(?:ignor|disregard|discard)\w* (?:its|the|what)\b"
    r"|\b(?:without|not) (?:copying|taking|adding|borrowing|importing|its|the|any)\b"
    r"|\bbut (?:not|none|nothing)\b"
)


class UnboundedStyleReference(Rule):
    """A style is taken from an image, and nothing says that only the style is.

    What it does: where an image lends its style, look, palette or brushwork, looks for a limit such
    as "only the style" or "none of its objects" in every branch that speaks of the image.

    Why it matters: without a limit the model takes objects, people and composition of the reference
    along.

    Example:

        Repaint {{ photo }} in the style of {{ painting }}.

    Use instead:

        Repaint {{ photo }} in the style of {{ painting }}. Take only the style from {{ painting }}:
        the medium, the palette and the line.

    References: rule 16 of the prompt guide.
    """

    code = "NR134"
    name = "unbounded-style-reference"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        if context.most_images < 2 or _WORDS.isdisjoint(context.words):
            return
        for variant in context.variants:
            for draft in variant.drafts:
                found = _style_of(context, draft)
                if found is not None and not _is_bounded(variant):
                    start, end, slot = found
                    message = f"the style comes from {slot!r}, and nothing keeps its objects out"
                    advice = f"add: Take only the style from {{{{ {slot} }}}}."
                    yield Fault(context.place(draft, start, end), message, advice)
                    return


def _style_of(context: Context, draft: Draft) -> tuple[int, int, str] | None:
    if draft.section == "protect" or not draft.images:
        return None
    first = next(iter(context.slots))
    for match in _uses().finditer(draft.lower):
        letter = next(group for group in match.groups() if group)
        slot = context.slot_of(letter)
        if slot != first:  # the picture that is edited keeps its own style
            return match.start(), match.end(), slot
    return None


def _is_bounded(variant: Variant) -> bool:
    limits = any_of("style_only_phrases", "limits")
    return any(limits.search(draft.lower) or _ONLY.search(draft.lower) for draft in variant.drafts)
