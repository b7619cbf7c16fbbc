"""NR120: content asked for by what is absent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import any_of, blot, listed, phrases

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_TRIGGERS = frozenset(
    "no not never none nothing nobody nowhere neither nor without w don doesn didn isn aren wasn"
    " weren shouldn mustn can cannot couldn wouldn hasn haven needn won shan ain avoid avoids"
    " avoiding avoided exclude excludes excluding excluded omit omits omitting omitted prevent"
    " prevents preventing prevented refrain forbid forbids forbidden prohibit prohibits prohibited"
    " lack lacks lacking absent absence devoid free empty minus instead zero hardly barely stay"
    " steer rid negative".split()
)
_PRESERVING = (
    r"(?:chang|alter|touch|mov|crop|cut|cover|hid|distort|modif|affect|replac|remov|los[et]|los|"
    r"stretch|resiz|rescal|scal|shift|blur|disturb|obscur|warp|squash|squeez|turn|rotat|flip|"
    r"mirror|recolou?r|redraw|re-draw|smooth|soften|trim|block|overlap|deform|bend|drop|damag|"
    r"reshap|repaint|retouch|restyl|tint|reword|break|bleed|swap|enlarg|shrink|mask)\w*"
)
_KEEPS = re.compile(
    # "does not cover the face", "must never be moved", "without ever touching"
    r"\b(?:without|not|never|cannot|nor|can['’]?t|won['’]t|(?:do|does|is|are|must|should|"
    r"need)n['’]t)"
    r"(?: (?:to|be|being|get|gets|getting|also|otherwise|ever|in any way|\w+ly)){0,3}"
    rf" {_PRESERVING}[^,.;:]*"
    # "nothing is cropped", "no part of the cup may be covered"
    r"|\b(?:nothing|none|no \w+)(?: \w+){0,9}? (?:is|are|gets?|be|being) "
    rf"{_PRESERVING}[^,.;:]*"
    # "until no letter can be read"
    r"|\b(?:no|nothing|none)(?: \w+){0,5}? can be (?:\w+ly )?(?:read|seen|made out|told|recognised|"
    r"recognized|identified|deciphered)\b"
    # "without losing", but not "without showing"
    r"|\bwithout (?:ever )?(?!showing|including|having|containing|using|featuring|displaying|being)"
    r"\w+ing\b"
    # "adds no new objects"
    r"|\b(?:no|without(?: any)?|(?:not|n['’]t) (?:add|introduc|invent)\w*(?: any)?)"
    r" (?:new|additional|further|extra|other) \w+"
    # "none wider than a ribbon", "no two alike", "vary nothing besides the age", "not red but blue"
    r"|\b(?:no|none|nothing|not)(?: any)? (?:\w+er|more|less|worse) than\b"
    # "as if nothing had ever pressed on it", "the absent player"
    r"|\bas (?:if|though) (?:nothing|\w+(?: \w+){0,4} (?:not|never))\b"
    r"|(?<!is )(?<!are )(?<!be )\babsent (?!from|in|of|and\b)\w+"
    r"|\bno two\b|\bno other than\b"
    r"|\b(?:nothing|none)(?: \w+)? (?:but|besides|except|other than|apart from|beyond)\b"
    r"|\bnot [^.;:]{1,40}?,? but\b"
    r"|\b(?:whether or not|if not|not (?:quite|yet|unlike|merely|simply|least))\b"
)


@cache
def _without() -> re.Pattern[str]:
    """`without people`, `free of any visible cables`, `clutter-free`."""
    things = "|".join(sorted(listed("negative_content", "things"), key=len, reverse=True))
    free = "|".join(sorted(listed("negative_content", "free")))
    told = (
        r"(?:(?:any|all|other|extra|more|visible|unwanted|distracting|modern|\w+ing|\w+ed) ){0,3}"
    )
    return re.compile(rf"\b(?:without|free (?:of|from)) {told}(?:{things})\b|\b(?:{free})s?-free\b")


class NegativeContent(Rule):
    """The prompt asks for content by what should be absent.

    What it does: looks in the edit and the details for "no", "without", "don't add", "avoid",
    "clutter-free" and their like. What preserves something is fine ("without moving the cup",
    "nothing is cropped", "Change nothing else."), and so are protect items, lettering in quotes,
    names ("no-entry sign", "No. 5"), the limits of a style reference ("none of its objects") and
    turns of speech that only sound so ("none wider than a ribbon", "without a break").

    Why it matters: a model draws what is named. "No cars" puts cars into its mind; "an empty
    street" doesn't.

    Example:

        Replace the background with a square without people or cars.

    Use instead:

        Replace the background with an empty square in the early morning.

    References: rule 6 of the prompt guide.
    """

    code = "NR120"
    name = "negative-content"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        for draft in context.drafts_with(_TRIGGERS, "edit", "details"):
            if _TRIGGERS.isdisjoint(draft.words):
                continue
            text = self._judged(context, draft)
            found = any_of("negative_content", "patterns").search(text) or _without().search(text)
            if found is not None:
                shown = draft.text[found.start() : found.end()]
                message = f"{shown!r} asks for what should be absent"
                advice = "name what should be there instead, as in 'an empty street'"
                yield Fault(context.place(draft, found.start(), found.end()), message, advice)

    def _judged(self, context: Context, draft: Draft) -> str:
        """The text without what holds a negation by sound only, or preserves something."""
        text = draft.lower
        fine = phrases("negative_content", "fine").find(text, context.words)
        text = blot(text, [match.span() for match in fine])
        text = blot(text, [m.span() for m in any_of("style_only_phrases", "limits").finditer(text)])
        return blot(text, [match.span() for match in _KEEPS.finditer(text)])
