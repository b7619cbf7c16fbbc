"""NR121: tags and keywords where sentences belong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import Phrases, listed, word_list

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_PART = re.compile(r"[^,;:.!?()\n]+|[.](?=\w)")
_PARTS = re.compile(r"(?:[^,;:.!?()]|[.](?=\w))+")
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
                yield Fault(context.place(draft, start, end), message, advice)
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


@cache
def _tag_phrases() -> Phrases:
    return Phrases(listed("quality_tags", "tags"))


@cache
def _strong() -> Phrases:
    return Phrases(word_list("quality_tags")["strong"])


def _parts(draft: Draft) -> list[Part]:
    found = []
    for match in _PARTS.finditer(draft.lower):
        text = match.group().strip()
        if text:
            start = match.start() + match.group().index(text[0])
            found.append(Part(text, start, start + len(text)))
    return found


def _strings(draft: Draft) -> Iterator[tuple[int, int, str]]:
    """Rows of short parts that nothing links, at least two of which are known for it."""
    if draft.lower.count(",") < _STRING - 2:
        return
    row: list[Part] = []
    for part in [*_parts(draft), Part("", 0, 0)]:
        joined = bool(row) and "," in draft.lower[row[-1].end : part.start]
        is_short = 0 < len(part.text.split()) <= 3 and not _LINKED.search(part.text)
        if is_short and (joined or not row):
            row.append(part)
            continue
        if _is_string(draft, row, part if joined else None):
            yield row[0].start, row[-1].end, "is a string of keywords"
            return
        row = [part] if is_short else []


def _is_string(draft: Draft, row: list[Part], after: Part | None) -> bool:
    known = listed("quality_tags", "tags", "soup")
    count = sum(part.text in known or part.text.split()[-1] in known for part in row)
    linked = after is not None and re.match(r"(?:and|or)\b|[^,]* (?:and|or) ", after.text)
    if len(row) >= _STRING and not linked:
        return count >= 2 or len(row) >= 2 * _STRING - 1
    return len(row) >= 3 and count >= 3
