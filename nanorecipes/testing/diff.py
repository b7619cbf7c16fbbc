"""Two texts compared line by line, with the changed words of a line marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

CONTEXT = 2
"""Unchanged lines around a change."""
ALIKE = 0.5
"""From this share of equal words on, two lines are one line with changed words."""

_NAME = re.compile(r"\*\*(\w+)\*\*$")
_MARKUP = re.compile(r"(`{3,}\w*|\*\*\w+\*\*|)$")
"""Says nothing about a change: a fence, a section's name, a blank line."""


def diff(old: str, new: str, *, first_line: int = 1) -> tuple[str, ...]:
    """The lines that differ, in the manner of a unified diff: `-` was, `+` is, ` ` is the same.

    Where only some words of a line changed, they stand in `[-...-]` and `{+...+}`, so that the
    change is seen without colours, in lines of any length.

    Args:
        old: the text as it was.
        new: the text as it is now.
        first_line: the number of the old text's first line in its file, for the `@@` lines.
    """
    before, after = old.split("\n"), new.split("\n")
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    lines: list[str] = []
    for group in matcher.get_grouped_opcodes(CONTEXT):
        start = next(i1 for tag, i1, *_ in group if tag != "equal")
        lines.append(f"@@ line {first_line + start}{_section(before[:start])} @@")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [f"  {line}" for line in before[i1:i2] if not _MARKUP.match(line)]
            else:
                lines += _changed(before[i1:i2], after[j1:j2])
    return tuple(lines)


def _section(before: Sequence[str]) -> str:
    """The section of the prompt that a line stands in, as far as one has begun."""
    names = (found[1] for line in reversed(before) if (found := _NAME.match(line)))
    name = next(names, None)
    return f", {name}" if name else ""


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Lines that were replaced; pairs that are alike stand together."""
    used = 0
    added: list[str] = []
    for line in new:
        match = next((i for i in range(used, len(old)) if _is_alike(old[i], line)), None)
        if match is None:
            added.append(f"+ {line}")
            continue
        yield from (f"- {left}" for left in old[used:match])
        yield from added
        was, now = _marked(old[match], line)
        yield from (f"- {was}", f"+ {now}")
        used, added = match + 1, []
    yield from (f"- {left}" for left in old[used:])
    yield from added


def _is_alike(old: str, new: str) -> bool:
    return SequenceMatcher(None, old.split(), new.split(), autojunk=False).ratio() >= ALIKE


def _marked(old: str, new: str) -> tuple[str, str]:
    """Both lines with the words that differ in brackets."""
    before, after = old.split(" "), new.split(" ")
    left: list[str] = []
    right: list[str] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        was, now = " ".join(before[i1:i2]), " ".join(after[j1:j2])
        if i1 < i2:
            left.append(was if tag == "equal" else f"[-{was}-]")
        if j1 < j2:
            right.append(now if tag == "equal" else f"{{+{now}+}}")
    return " ".join(left), " ".join(right)
