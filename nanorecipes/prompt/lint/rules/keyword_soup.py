"""NR121: tags and keywords where sentences belong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.lint.mending import BLOCK, VALUE, covered, edit_at
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import Phrases, listed, word_list

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft, Source
    from nanorecipes.prompt.lint.mending import Edit

_PART = re.compile(r"[^,;:.!?()\n]+|[.](?=\w)")
_PARTS = re.compile(r"(?:[^,;:.!?()]|[.](?=\w))+")
_STOP = re.compile(r"[.;:!?](?!\w)")
_LINKED = re.compile(
    r"\b(?:and|or|the|a|an|of|in|on|with|from|to|at|by|is|are|has|have|as|for|each|its|that|"
    r"which)\b"
)
_STRING = 4
"""So many short parts in a row, without a word that links them, are a string of keywords."""


class Part(NamedTuple):
    """What stands between two commas or stops."""

    text: str
    start: int
    end: int


class KeywordSoup(Rule):
    """Quality tags, engine names or strings of keywords stand where sentences belong.

    What it does: finds tags such as "8k", "masterpiece" or "octane render" that stand between
    commas, praise such as "award-winning" and "ultra-detailed" anywhere, and rows of four or more
    keywords that no word links. A thing of such a name in the scene ("a print of a masterpiece",
    "an 8K run") and a real list ("linen, wool and velvet") are fine.

    Why it matters: the model reads language. Tags order nothing that a retoucher could carry out,
    and they pull the picture towards a stock look.

    Example:

        Change the glaze to {{ glaze }}, 8k, masterpiece, best quality.

    Use instead:

        Change the glaze to {{ glaze }}. The glaze pools in the throwing rings and breaks to a
        lighter tone over the edges.

    References: rule 4 of the prompt guide.
    """

    code = "NR121"
    name = "keyword-soup"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        for draft in _suspects(context):
            for start, end, why in faults(draft):
                message = f"{draft.text[start:end]!r} {why}"
                advice = "say in a sentence what shall be seen: material, light, edge, texture"
                place = context.place(draft, start, end)
                yield Fault(place, message, advice, _without_tags(draft.source))
                break


def _suspects(context: Context) -> list[Draft]:
    """The texts that hold a tag's words, or commas enough for a row of keywords."""
    known = _tag_phrases().may_stand_in(context.words) or _strong().may_stand_in(context.words)
    drafts = context.drafts("edit", "subject", "details")
    return [draft for draft in drafts if known or draft.lower.count(",") >= _STRING - 2]


def faults(draft: Draft) -> Iterator[tuple[int, int, str]]:
    """Where a text falls into tags or keywords, and why that is a fault."""
    yield from _tags(draft)
    yield from _strings(draft)


def tag_spans(draft: Draft) -> Iterator[tuple[int, int]]:
    """The tags that stand between commas, which can be taken out without a trace."""
    if _tag_phrases().may_stand_in(draft.words):
        for part in _parts(draft):
            if _is_tag(part.text):
                yield part.start, part.end


def _tags(draft: Draft) -> Iterator[tuple[int, int, str]]:
    spans = [span for span in tag_spans(draft) if _is_chained(draft, span)]
    if spans:
        yield (*spans[0], "is a tag, which orders nothing")
    for match in _strong().find(draft.lower, draft.words):
        yield match.start(), match.end(), "is praise or jargon, which orders nothing"


def _is_chained(draft: Draft, span: tuple[int, int]) -> bool:
    """Whether a tag is a part of its own: not the whole text, as a wording's value may be."""
    return span != (0, len(draft.lower.rstrip(".! ")))


def _is_tag(text: str) -> bool:
    bare = re.sub(r"^(?:and|in|with|as|very|super|ultra) ", "", text)
    return bare in listed("quality_tags", "tags") or text in listed("quality_tags", "tags")


def _without_tags(source: Source) -> Iterator[Edit]:
    """Tags taken out with their commas, where what is left is a sentence."""
    text = covered(source.text) or ""
    rows = list(_tag_rows(text))
    for start, end in rows:
        if _leaves_sentence(text, start, rows):
            yield from edit_at(source, start, end, "")


def _leaves_sentence(text: str, at: int, rows: list[tuple[int, int]]) -> bool:
    """Whether more is left than keywords: those ask for other words, and without their tags they
    might not be noticed."""
    begin = max((stop.end() for stop in _STOP.finditer(text, 0, at)), default=0)
    stop = _STOP.search(text, at)
    end = stop.start() if stop else len(text)
    kept = "".join(
        char
        for place, char in enumerate(text[begin:end], begin)
        if not any(start <= place < over for start, over in rows)
    )
    short = [_is_short(part.text.lower()) and VALUE not in part.text for part in _parts_of(kept)]
    return bool(short) and not short[0] and sum(short) <= 1


def _tag_rows(text: str) -> Iterator[tuple[int, int]]:
    """Rows of nothing but tags, each from the comma before it, which a sentence does without."""
    row: list[Part] = []
    before = Part("", 0, 0)
    for part in [*_parts_of(text), Part("", len(text), len(text))]:
        gap = text[row[-1].end if row else 0 : part.start]
        if row and gap.strip() == "," and _is_removable(text, part, in_row=True):
            row.append(part)
            continue
        if row and (span := _row_span(text, row, part)):
            yield span
        is_rest = _is_tag(before.text.lower())  # of a row that can't be taken out whole
        row = [part] if not is_rest and _is_removable(text, part, in_row=False) else []
        before = part


def _is_removable(text: str, part: Part, *, in_row: bool) -> bool:
    """Whether a part is a tag; capitals may be a name, and `and` only ends a row of tags."""
    if part.text.startswith("and ") and not in_row:
        return False
    lower = part.text.lower()
    return _is_tag(lower) and not re.search(r"[A-Z][a-z]", text[part.start : part.end])


def _row_span(text: str, row: list[Part], after: Part) -> tuple[int, int] | None:
    """A row with the comma before it; None where the sentence would not stand without it."""
    comma, end = text.rfind(",", 0, row[0].start), row[-1].end
    before = text[:comma]
    if comma < 0 or text[comma : row[0].start].strip() != "," or not before.strip():
        return None
    if before[-1] in f"{BLOCK}\n ,;:.!?(" or any("and " in part.text for part in row[:-1]):
        return None
    follows = text[end:].strip()
    if not follows or text[end] in ".;!?":
        return comma, end
    joins = re.match(r"(?:and|or|nor|but)\b", after.text) or row[-1].text.startswith("and ")
    return (comma, end) if text[end] == "," and after.text and not joins else None


@cache
def _tag_phrases() -> Phrases:
    return Phrases(listed("quality_tags", "tags"))


@cache
def _strong() -> Phrases:
    return Phrases(word_list("quality_tags")["strong"])


def _parts(draft: Draft) -> list[Part]:
    return _parts_of(draft.lower)


def _parts_of(text: str) -> list[Part]:
    found = []
    for match in _PARTS.finditer(text):
        part = match.group().strip()
        if part:
            start = match.start() + match.group().index(part[0])
            found.append(Part(part, start, start + len(part)))
    return found


def _strings(draft: Draft) -> Iterator[tuple[int, int, str]]:
    """Rows of short parts that nothing links, at least two of which are known for it."""
    if draft.lower.count(",") < _STRING - 2:
        return
    row: list[Part] = []
    for part in [*_parts(draft), Part("", 0, 0)]:
        joined = bool(row) and "," in draft.lower[row[-1].end : part.start]
        is_short = _is_short(part.text)
        if is_short and (joined or not row):
            row.append(part)
            continue
        if _is_string(draft, row, part if joined else None):
            yield row[0].start, row[-1].end, "is a string of keywords"
            return
        row = [part] if is_short else []


def _is_short(text: str) -> bool:
    return 0 < len(text.split()) <= 3 and not _LINKED.search(text)


def _is_string(draft: Draft, row: list[Part], after: Part | None) -> bool:
    known = listed("quality_tags", "tags", "soup")
    count = sum(part.text in known or part.text.split()[-1] in known for part in row)
    linked = after is not None and re.match(r"(?:and|or)\b|[^,]* (?:and|or) ", after.text)
    if len(row) >= _STRING and not linked:
        return count >= 2 or len(row) >= 2 * _STRING - 1
    return len(row) >= 3 and count >= 3
