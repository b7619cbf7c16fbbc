"""Typesetting of a proof sheet: the prompt's paragraphs in columns, and the table of facts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.sandbox import lettering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.ImageDraw import ImageDraw

LEADING = 1.36
PARAGRAPH_GAP = 0.75
LEAD_SCALE = 1.22
"""The first paragraph says what is asked for, and is set larger."""
COLUMN_EM = 36
"""A line longer than this (about 75 characters) is hard to read; more columns then."""
CAP_EM = 0.72
"""Height of a capital: the first line's tops stand level with the edge of its place."""


class Paragraph(NamedTuple):
    """A part of the prompt between blank lines, and where it begins in the prompt."""

    text: str
    start: int


class Box(NamedTuple):
    """A place on the sheet (px)."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A line with its place; `paragraph` counts from 0."""

    text: str
    x: float
    baseline: float
    size: int
    paragraph: int
    end: int


@dataclass(frozen=True, slots=True)
class Flow:
    """A prompt set in one size: the lines that found a place, and whether that was all."""

    lines: tuple[Placed, ...]
    is_whole: bool
    columns: int
    size: int


def paragraphs(prompt: str) -> list[Paragraph]:
    """The parts between blank lines, in order."""
    found: list[Paragraph] = []
    start = end = place = 0
    for line in [*prompt.split("\n"), ""]:
        if line.strip():
            start = place if start == end else start
            end = place + len(line)
        elif start < end:
            found.append(Paragraph(prompt[start:end], start))
            start = end = 0
        place += len(line) + 1
    return found


def set_prompt(
    draw: ImageDraw,
    prompt: str,
    box: Box,
    sheet_px: tuple[int, int],
    inks: tuple[str, str, str],
    markers: Sequence[str],
) -> None:
    """Draw a prompt as large as it fits, down to a readable least size, then cut short.

    Args:
        draw: where to.
        prompt: the text as it was sent.
        box: the place for it.
        sheet_px: size of the whole sheet, which the sizes of type follow.
        inks: of the first paragraph, of the others, of the note about what was left out.
        markers: colours of the bars beside first, middle (in turn) and last paragraphs.
    """
    parts = paragraphs(prompt)
    flow = _best_flow(parts, box, *_sizes(sheet_px, box))
    for line in flow.lines:
        ink = inks[0] if line.paragraph == 0 else inks[1]
        lettering.write(draw, line.x, line.baseline, line.text, line.size, ink)
    _draw_markers(draw, flow, len(parts), markers)
    if not flow.is_whole:
        _draw_note(draw, prompt, flow, box, inks[2])


def _sizes(sheet_px: tuple[int, int], area: Box) -> tuple[int, int]:
    """The least and the largest size of type (px)."""
    mean = math.sqrt(sheet_px[0] * sheet_px[1])
    least = max(9, round(0.0108 * min(mean, 3 * min(sheet_px))))
    most = max(least, round(min(0.027 * mean, 0.075 * area.w, 0.2 * area.h)))
    return least, most


def _best_flow(parts: Sequence[Paragraph], area: Box, least: int, most: int) -> Flow:
    best = flow_text(parts, area, least)
    if not best.is_whole:
        # One line less: the note about what is left out stands there.
        return flow_text(parts, area._replace(h=area.h - _leading(least)), least)
    low, high = least, most
    while low < high:
        middle = (low + high + 1) // 2
        tried = flow_text(parts, area, middle)
        if tried.is_whole:
            low, best = middle, tried
        else:
            high = middle - 1
    return _balanced(parts, area, best)


def _balanced(parts: Sequence[Paragraph], area: Box, flow: Flow) -> Flow:
    """The same with columns of about the same height."""
    if flow.columns == 1:
        return flow
    low, high = 1, area.h
    while low < high:
        middle = (low + high) // 2
        tried = flow_text(parts, area._replace(h=middle), flow.size)
        if tried.is_whole:
            high, flow = middle, tried
        else:
            low = middle + 1
    return flow


def _leading(size: int) -> int:
    return math.ceil(LEADING * size)


def flow_text(parts: Sequence[Paragraph], area: Box, size: int) -> Flow:
    """Set paragraphs in one size, column by column, until the place is full."""
    columns = max(1, math.ceil(area.w / (COLUMN_EM * size)))
    gap = 2 * size
    column_w = (area.w - gap * (columns - 1)) / columns
    indent = 0.9 * size
    lines: list[Placed] = []
    column, y = 0, 0.0
    for number, part in enumerate(parts):
        own = round(LEAD_SCALE * size) if number == 0 and len(parts) > 1 else size
        leading = _leading(own)
        for wrapped in lettering.wrap(part.text, part.start, own, column_w - indent):
            if y + own > area.h:
                column, y = column + 1, 0.0
                if column == columns or own > area.h:
                    return Flow(tuple(lines), False, columns, size)
            x = area.x + column * (column_w + gap) + indent
            baseline = area.y + y + CAP_EM * own
            lines.append(Placed(wrapped.text, x, baseline, own, number, wrapped.end))
            y += leading
        if y:
            y += PARAGRAPH_GAP * size
    return Flow(tuple(lines), True, columns, size)


def _draw_markers(draw: ImageDraw, flow: Flow, count: int, colours: Sequence[str]) -> None:
    """A coloured bar beside each paragraph, in each column that it stands in."""
    runs: dict[tuple[int, float], list[Placed]] = {}
    for line in flow.lines:
        runs.setdefault((line.paragraph, line.x), []).append(line)
    for (number, x), lines in runs.items():
        bar = max(2, round(0.2 * flow.size))
        left = round(x - 0.9 * flow.size)
        top = round(lines[0].baseline - CAP_EM * lines[0].size)
        bottom = round(lines[-1].baseline + 0.2 * lines[-1].size)
        colour = _marker(number, count, colours)
        draw.rectangle((left, top, left + bar - 1, bottom), fill=colour)


def _marker(number: int, count: int, colours: Sequence[str]) -> str:
    if number == 0:
        return colours[0]
    if number == count - 1:
        return colours[-1]
    return colours[1:-1][(number - 1) % (len(colours) - 2)]


def _draw_note(draw: ImageDraw, prompt: str, flow: Flow, area: Box, ink: str) -> None:
    left_out = len(prompt) - (flow.lines[-1].end if flow.lines else 0)
    note = f"… {left_out:,} characters left out"
    x = flow.lines[-1].x if flow.lines else area.x + 0.9 * flow.size
    room = area.x + area.w - x
    baseline = area.y + area.h - 0.3 * flow.size
    lettering.write(draw, x, baseline, lettering.shorten(note, flow.size, room), flow.size, ink)


# The table of facts

FACT_GAP = 1.5
"""Between two facts of a row, in the size of their type."""

FactRows = list[list[tuple[str, str, float]]]


def arrange_facts(facts: Sequence[tuple[str, str]], size: int, room: float) -> FactRows:
    """Break label and value pairs into rows of about the same length; each carries its width (px).

    With no room each stands in a row of its own.
    """
    measured = [
        (label, value, max(lettering.width(value, size), lettering.width(label, _label_size(size))))
        for label, value in facts
    ]
    rows = _fill_rows(measured, size, room)
    least = room
    while len(rows) > 1 and least > 0:  # the narrowest room that needs no more rows
        least -= size
        tried = _fill_rows(measured, size, least)
        if len(tried) > len(rows):
            break
        rows = tried
    return _aligned(rows, size, room)


def _aligned(rows: FactRows, size: int, room: float) -> FactRows:
    """The same with its facts one below the other, where the room allows."""
    count = max(len(row) for row in rows)
    columns = [max(row[i][2] for row in rows if i < len(row)) for i in range(count)]
    if sum(columns) + FACT_GAP * size * (count - 1) > room:
        return rows
    return [[(*fact[:2], columns[index]) for index, fact in enumerate(row)] for row in rows]


def _fill_rows(facts: Sequence[tuple[str, str, float]], size: int, room: float) -> FactRows:
    rows: FactRows = [[]]
    used = 0.0
    for label, value, wide in facts:
        if rows[-1] and used + wide > room:
            rows.append([])
            used = 0.0
        rows[-1].append((label, value, wide))
        used += wide + FACT_GAP * size
    return rows


def facts_height(rows: FactRows, size: int) -> int:
    """The height of the table (px)."""
    return math.ceil(len(rows) * _row_height(size) + 0.3 * size)


def _row_height(size: int) -> float:
    return 2.75 * size


def _label_size(size: int) -> int:
    return max(7, round(0.74 * size))


def set_facts(
    draw: ImageDraw,
    facts: Sequence[tuple[str, str]],
    box: Box,
    size: int,
    inks: tuple[str, str, str],
    *,
    stacked: bool = False,
) -> None:
    """Draw labels over values in rows under thin rules, or all in one line where room is scarce.

    Args:
        draw: where to.
        facts: labels and values.
        box: the place for them.
        size: of the values (px).
        inks: of values, of labels, of rules.
        stacked: each fact in a row of its own.
    """
    rows = arrange_facts(facts, size, 0 if stacked else box.w)
    if facts_height(rows, size) > box.h:
        _set_compact(draw, facts, box, size, inks)
        return
    for index, row in enumerate(rows):
        top = box.y + index * _row_height(size)
        thick = max(1, round(size / 14))
        draw.rectangle((box.x, top, box.x + box.w - 1, top + thick - 1), fill=inks[2])
        x = float(box.x)
        for label, value, wide in row:
            lettering.write(draw, x, top + 0.98 * size, label, _label_size(size), inks[1])
            shown = lettering.shorten(value, size, box.w)
            lettering.write(draw, x, top + 2.1 * size, shown, size, inks[0])
            x += wide + FACT_GAP * size


def _set_compact(
    draw: ImageDraw,
    facts: Sequence[tuple[str, str]],
    area: Box,
    size: int,
    inks: tuple[str, str, str],
) -> None:
    size = max(7, min(size, area.h))
    text = " · ".join(value for _, value in facts)
    leading = max(size + 2, round(1.3 * size))
    lines = lettering.wrap(text, 0, size, area.w)[: max(1, area.h // leading)]
    for index, line in enumerate(lines):
        shown = lettering.shorten(line.text, size, area.w)
        lettering.write(draw, area.x, area.y + index * leading + size, shown, size, inks[1])
