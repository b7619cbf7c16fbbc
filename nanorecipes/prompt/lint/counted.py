"""Images counted by hand whose number surely means one slot, and the handles to put there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.lint.mending import BLOCK, covered, edit_at
from nanorecipes.prompt.words import ORDINALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.prompt.lint.draft import Draft
    from nanorecipes.prompt.lint.mending import Edit
    from nanorecipes.recipe.params import Slot

_WORDS = ORDINALS[:14]
_DIGITS = ("1st", "2nd", "3rd", *(f"{number}th" for number in range(4, 15)))
_COUNTS = {word: i + 1 for words in (_WORDS, _DIGITS) for i, word in enumerate(words)}
_NOUN = r"(?:[Ii]mage|[Pp]icture|[Pp]hoto(?:graph)?)"
_ORDINAL = re.compile(rf"(?<![\w-])[Tt]he ({'|'.join(_COUNTS)}) {_NOUN}(?![\w-])")
_LABEL = re.compile(
    rf"(?<![\w-])(?:[Tt]he )?{_NOUN} (?:#|[Nn]o\. ?|[Nn]umber )?(\d{{1,2}})(?![\w:-]|\.\d)"
)
_MORE = re.compile(rf"\s*(?:,|&|/|–|and|or|to)\s*(?:\d{{1,2}}(?!\w)|(?:{'|'.join(_COUNTS)})\b)")
"""One of several numbers: "image 1 and 2", "the first image or second"."""

_VERBS = (
    "and|or|but|to|into|onto|as|is|are|was|has|so|while|with|exactly|must|stays|shows|gives|keeps|"
    "meets|becomes|lends|provides|supplies|replaces|covers|fills|holds|gets|goes|stands|sits|lies|"
    "hangs|comes|takes|serves|defines|sets|contains"
)
_WHERE = "in|on|at|from|by|of|over|under|behind|beside|across|around|against|above|below|between"
_STOP = r"\s*(?:[.,;:!?)]|['’]s\b|\Z)"
_BEHIND_ORDINAL = re.compile(rf"{_STOP}|\s+(?:{_VERBS})\b")
"""What can follow when a whole name has ended; "the second picture on the wall" may hang there."""
_BEHIND_LABEL = re.compile(rf"{_STOP}|\s+(?:{_VERBS}|{_WHERE})\b")
"""The same for a label: "image 2 cm" and "photo 3 people" are none."""
_BEFORE_LABEL = re.compile(
    rf"(?:^|[\s(])(?:and|or|to|into|onto|as|with|like|than|for|{_WHERE})\s+\Z"
)
_LEADING = re.compile(r"(?:^|[.!?]\s+)[A-Z][a-z]+ \Z")
"""The first word of a sentence: an order, unless it is one of those that say which image."""
_WHICH = re.compile(
    r"(?:Attached|Uploaded|Provided|Supplied|Given|Reference|Source|Input|Other|Each|Every|This|"
    r"That|Secondary|Primary|Original) \Z"
)


class _Counted(NamedTuple):
    start: int
    end: int
    number: int


def handles_for(draft: Draft, slots: Mapping[str, Slot]) -> Iterator[Edit]:
    """Handles in place of numbers, where each image is single and always there.

    With lists and optional images the number means another slot from call to call.
    """
    names = list(slots)
    if any(slot.optional or slot.is_list for slot in slots.values()):
        return
    source = draft.source
    text = covered(source.text)
    for found in _counted(text, single=len(names) == 1) if text is not None else ():
        assert text is not None
        is_first = _opens_sentence(text, found.start)
        if not 0 < found.number <= len(names) or is_first is None:
            continue
        name = names[found.number - 1]
        if not _is_hidden(source.text, name):
            capital = " | capitalize" if is_first and draft.section != "protect" else ""
            yield from edit_at(source, found.start, found.end, f"{{{{ {name}{capital} }}}}")


def _counted(text: str, *, single: bool) -> Iterator[_Counted]:
    for match in () if single else _ORDINAL.finditer(text):
        if _BEHIND_ORDINAL.match(text, match.end()) and not _MORE.match(text, match.end()):
            yield _Counted(match.start(), match.end(), _COUNTS[match[1]])
    for match in _LABEL.finditer(text):
        if not _BEHIND_LABEL.match(text, match.end()) or _MORE.match(text, match.end()):
            continue
        if match[0][:3].lower() == "the" or _may_name(text, match.start()):
            yield _Counted(match.start(), match.end(), int(match[1]))


def _may_name(text: str, start: int) -> bool:
    """Whether a label without article stands where a name can stand."""
    before = text[:start]
    if not before.strip(f" \n{BLOCK}") or re.search(r"[.!?]\s+\Z", before):
        return True
    if _BEFORE_LABEL.search(before):
        return True
    return bool(_LEADING.search(before)) and not _WHICH.search(before)


def _opens_sentence(text: str, start: int) -> bool | None:
    """Whether a stretch begins a sentence; None where that hangs on a branch or an abbreviation."""
    before = text[:start]
    plain = before.replace(BLOCK, "").rstrip()
    opens = not plain or plain[-1] in ".!?"
    in_doubt = before.rstrip(" \n").endswith(BLOCK) or bool(plain)
    if in_doubt and opens and not text[start].isupper():
        return None
    if before.rstrip(" \n").endswith(BLOCK) and text[start].isupper() != opens:
        return None
    return opens


def _is_hidden(text: str, name: str) -> bool:
    """Whether a loop or an assignment of the template gives the name another meaning."""
    return re.search(rf"\{{%[-+]?\s*(?:for|set|macro|from)\b[^%]*\b{name}\b", text) is not None
