"""The proof picture: what was asked for, set as a proof sheet of exactly the asked size."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from PIL import Image, ImageDraw

from nanorecipes.sandbox import lettering, pictures, setting
from nanorecipes.sandbox.card import MARK
from nanorecipes.sandbox.setting import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

PAPER = "#f6f2ea"
CARD = "#ebe5d9"
RULE = "#d5cdbd"
INK = "#22262d"
SOFT = "#5d6068"
MUTED = "#8b867b"
MARKERS = ("#c2593b", "#2f7377", "#b8872d", "#41618f")
"""Of a prompt's first paragraph, of those between in turn, and of the last."""

BAND_TEXT = "SANDBOX PROOF, NOT A MODEL'S PICTURE"
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Tile:
    """One input image; `data` is None where it isn't held, as behind a URL elsewhere."""

    ordinal: int
    role: Literal["source", "reference"]
    data: bytes | None
    host: str
    name: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that a proof picture shows."""

    model: str
    tier: str
    ratio: str
    size_px: tuple[int, int]
    prompt: str
    seed: int | None
    request: str
    """The part of the task id that is the same for the same request."""
    number: int
    count: int
    tiles: tuple[Tile, ...]


class Plan(NamedTuple):
    """Where everything stands on a sheet."""

    frame: Box
    strip: Box
    text: Box
    band: Box
    fact_size: int
    """Size of type in the table of facts (px)."""
    badge: int
    """Side of the square with an ordinal (px)."""


def paint(sheet: Sheet) -> bytes:
    """Draw a proof picture as JPEG; the same sheet gives the same bytes."""
    image = Image.new("RGB", sheet.size_px, PAPER)
    draw = ImageDraw.Draw(image)
    plan = _plan(sheet)
    _draw_frame(image, draw, plan.frame, sheet.tiles[0], plan.badge)
    _draw_strip(image, draw, plan, sheet)
    setting.set_prompt(draw, sheet.prompt, plan.text, sheet.size_px, (INK, SOFT, MUTED), MARKERS)
    _draw_band(draw, plan.band)
    return _jpeg(image)


def paint_plain(sheet: Sheet) -> bytes:
    """A picture of the right size that shows nothing but the band: for floods of requests.

    Its bytes still tell one request from another, by a comment in the file.
    """
    blank = _blank(sheet.size_px)
    label = f"{sheet.request} {sheet.number}".encode("ascii")
    start, comment = blank[:2], b"\xff\xfe" + (len(label) + 2).to_bytes(2) + label
    return start + comment + blank[2:]


@lru_cache(maxsize=16)
def _blank(size_px: tuple[int, int]) -> bytes:
    image = Image.new("RGB", size_px, PAPER)
    width, height = size_px
    band_h = max(13, round(0.052 * min(size_px)))
    _draw_band(ImageDraw.Draw(image), Box(0, height - band_h, width, band_h))
    return _jpeg(image)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=MARK)
    return buffer.getvalue()


def _plan(sheet: Sheet) -> Plan:
    """Divide the sheet: a frame of its own shape in one corner, the rest around it.

    The frame takes a share of both sides, so an L remains: the text has the long part of it and
    the strip with thumbnails and facts the short one. A tall sheet is a wide one turned over.
    """
    width, height = sheet.size_px
    short = min(width, height)
    mean = math.sqrt(width * height)
    band_h = max(13, round(0.052 * min(mean, 1.7 * short)))
    if width < 0.42 * height:
        band_h = round(1.7 * band_h)
    margin = max(5, round(0.042 * min(mean, 1.5 * short)))
    gap = max(5, round(0.9 * margin))
    room = Box(margin, margin, width - 2 * margin, height - 2 * margin - band_h)
    frame_w, frame_h = _frame_size(width / height, room, _share(sheet))
    frame = Box(room.x, room.y, frame_w, frame_h)
    right, below = frame.x + frame_w + gap, frame.y + frame_h + gap
    to_right, to_bottom = room.x + room.w - right, room.y + room.h - below
    if width >= height:
        strip = Box(frame.x, below, frame_w, to_bottom)
        text = Box(right, room.y, to_right, room.h)
    else:
        strip = Box(right, frame.y, to_right, frame_h)
        text = Box(room.x, below, room.w, to_bottom)
    roomy = len(sheet.tiles) == 1 and width >= height and to_bottom > 0.2 * height
    fact_size = max(8, round((0.0175 if roomy else 0.0135) * min(mean, 2.2 * short)))
    badge = max(11, round(0.055 * math.sqrt(frame_w * frame_h)))
    return Plan(frame, strip, text, Box(0, height - band_h, width, band_h), fact_size, badge)


def _share(sheet: Sheet) -> float:
    """How much of the sheet's sides the frame takes: less, the more there is beside it."""
    shape = sheet.size_px[0] / sheet.size_px[1]
    if not 1 / 3 <= shape <= 3:
        return 0.48
    if len(sheet.tiles) > 1:
        return 0.55
    return 0.66 if len(sheet.prompt) <= 900 else 0.6


def _frame_size(shape: float, room: Box, share: float) -> tuple[int, int]:
    if shape >= 1:
        wide = min(share * room.w, 0.74 * room.h * shape)
        return round(wide), round(wide / shape)
    tall = min(share * room.h, 0.74 * room.w / shape)
    return round(tall * shape), round(tall)


# The frame and the thumbnails


def _draw_frame(
    image: Image.Image, draw: ImageDraw.ImageDraw, box: Box, tile: Tile, badge: int
) -> None:
    line = max(1, round(math.sqrt(box.w * box.h) / 500))
    _place(image, draw, box, tile)
    draw.rectangle(_edges(box), outline=INK, width=line)
    _crop_marks(draw, box, line)
    _badge(draw, box.x, box.y, tile, badge)


def _crop_marks(draw: ImageDraw.ImageDraw, box: Box, line: int) -> None:
    """The printer's ticks outside the corners."""
    length, off = 6 * line, 3 * line
    left, top, right, bottom = _edges(box)
    for x, step_x in ((left, -1), (right, 1)):
        for y, step_y in ((top, -1), (bottom, 1)):
            ends = sorted((x + step_x * off, x + step_x * (off + length)))
            draw.line((ends[0], y, ends[1], y), MUTED, line)
            ends = sorted((y + step_y * off, y + step_y * (off + length)))
            draw.line((x, ends[0], x, ends[1]), MUTED, line)


def _edges(box: Box) -> tuple[int, int, int, int]:
    return (box.x, box.y, box.x + box.w - 1, box.y + box.h - 1)


def _place(image: Image.Image, draw: ImageDraw.ImageDraw, box: Box, tile: Tile) -> None:
    """Put a picture into a box, or a card that says why there is none."""
    if tile.data is None:
        _card(draw, box, [tile.host, tile.name, "not fetched"])
        return
    try:
        image.paste(pictures.fit(tile.data, (box.w, box.h), CARD), (box.x, box.y))
    except pictures.UnreadableError as exc:
        _card(draw, box, [tile.name, str(exc)])


def _card(draw: ImageDraw.ImageDraw, box: Box, lines: Sequence[str]) -> None:
    draw.rectangle(_edges(box), fill=CARD)
    line = max(1, min(box.w, box.h) // 160)
    draw.line((box.x, box.y, box.x + box.w - 1, box.y + box.h - 1), RULE, line)
    draw.line((box.x, box.y + box.h - 1, box.x + box.w - 1, box.y), RULE, line)
    size = max(7, round(min(0.11 * box.w, 0.13 * box.h, 0.045 * math.sqrt(box.w * box.h) + 5)))
    leading = round(1.35 * size)
    shown = [text for text in lines if text][: max(1, (box.h - 4) // leading)]
    texts = [lettering.shorten(text, size, box.w - size) for text in shown]
    top = box.y + (box.h - leading * len(texts)) // 2
    widest = max((lettering.width(text, size) for text in texts), default=0)
    middle = box.x + box.w / 2
    pad = size // 2
    plate = (middle - widest / 2 - pad, top - pad, middle + widest / 2 + pad,
             top + leading * len(texts) + pad)  # fmt: skip
    draw.rectangle(_clip(plate, box), fill=CARD)
    for index, text in enumerate(texts):
        baseline = top + index * leading + size
        ink = SOFT if index == 0 else MUTED
        lettering.write(draw, middle - lettering.width(text, size) / 2, baseline, text, size, ink)


def _clip(edges: tuple[float, float, float, float], box: Box) -> tuple[float, float, float, float]:
    left, top, right, bottom = _edges(box)
    return (max(edges[0], left), max(edges[1], top), min(edges[2], right), min(edges[3], bottom))


def _badge(draw: ImageDraw.ImageDraw, x: int, y: int, tile: Tile, side: int) -> None:
    """The ordinal in a square: dark for a source, light for a reference."""
    label = str(tile.ordinal)
    size = max(7, round(0.62 * side))
    wide = max(side, round(lettering.width(label, size) + 0.5 * side))
    dark = tile.role == "source"
    edge = (x, y, x + wide - 1, y + side - 1)
    draw.rectangle(edge, INK if dark else PAPER, INK, max(1, side // 24))
    left = x + (wide - lettering.width(label, size)) / 2
    baseline = y + side / 2 + 0.36 * size
    lettering.write(draw, left, baseline, label, size, PAPER if dark else INK)


def _draw_strip(image: Image.Image, draw: ImageDraw.ImageDraw, plan: Plan, sheet: Sheet) -> None:
    """Thumbnails at the top of the strip and the facts at its foot, or both side by side."""
    strip, others, size = plan.strip, sheet.tiles[1:], plan.fact_size
    facts = _facts(sheet)
    stacked = not others and strip.h > strip.w
    rows = setting.arrange_facts(facts, size, 0 if stacked else strip.w)
    facts_h = min(setting.facts_height(rows, size), strip.h)
    foot = Box(strip.x, strip.y + strip.h - facts_h, strip.w, facts_h)
    if others and strip.w > strip.h and facts_h > 0.3 * strip.h:
        room = Box(strip.x, strip.y, strip.w // 2, strip.h)
        used = _draw_thumbnails(image, draw, room, others, plan.badge)
        left = strip.x + used + 2 * size
        foot = Box(left, foot.y, strip.x + strip.w - left, facts_h)
    elif others:
        room = Box(strip.x, strip.y, strip.w, strip.h - facts_h - size)
        _draw_thumbnails(image, draw, room, others, plan.badge)
    setting.set_facts(draw, facts, foot, size, (INK, MUTED, RULE), stacked=stacked)


def _draw_thumbnails(
    image: Image.Image, draw: ImageDraw.ImageDraw, room: Box, tiles: Sequence[Tile], badge: int
) -> int:
    """The other images as equal squares, as large as the room allows; returns the width used."""
    gap = max(3, round(0.04 * min(room.w, room.h)))
    side, columns = _grid(len(tiles), room, gap)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        box = Box(room.x + column * (side + gap), room.y + row * (side + gap), side, side)
        _place(image, draw, box, tile)
        draw.rectangle(_edges(box), outline=RULE, width=max(1, side // 160))
        _badge(draw, box.x, box.y, tile, min(badge, max(10, round(0.22 * side))))
    return (side + gap) * min(columns, len(tiles)) - gap


def _grid(count: int, room: Box, gap: int) -> tuple[int, int]:
    """Side of the squares (px) and how many stand in a row."""
    best = (1, count)
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        side = min((room.w - gap * (columns - 1)) // columns, (room.h - gap * (rows - 1)) // rows)
        best = max(best, (side, columns))
    return best


def _facts(sheet: Sheet) -> list[tuple[str, str]]:
    width, height = sheet.size_px
    facts = [
        ("model", sheet.model),
        ("quality", sheet.tier),
        ("ratio", sheet.ratio),
        ("size", f"{width} x {height} px"),
        ("seed", "none" if sheet.seed is None else str(sheet.seed)),
        ("task", sheet.request),
    ]
    return [*facts, ("picture", f"{sheet.number} of {sheet.count}")] if sheet.count > 1 else facts


# The band


def _draw_band(draw: ImageDraw.ImageDraw, box: Box) -> None:
    """Says what this picture is; the patches are the prompt's markers, as on a printer's sheet."""
    draw.rectangle(_edges(box), fill=INK)
    pad = max(5, round(0.45 * min(box.h, box.w // 12)))
    lines = [BAND_TEXT]
    size, tracking = _band_type(lines, box, pad)
    if size < 0.3 * box.h:
        head, _, tail = BAND_TEXT.partition(", ")
        lines = [f"{head},", tail]
        size, tracking = _band_type(lines, box, pad)
    leading = 1.45 * size
    baseline = box.y + box.h / 2 - leading * (len(lines) - 1) / 2 + 0.36 * size
    end = 0.0
    for index, text in enumerate(lines):
        y = baseline + index * leading
        end = max(end, lettering.write(draw, box.x + pad, y, text, size, PAPER, tracking))
    _patches(draw, box, end + 2 * pad, pad)


def _band_type(lines: Sequence[str], box: Box, pad: int) -> tuple[int, float]:
    """The largest size in which the lines fit, and the space between their letters (px)."""
    for size in range(max(7, round(0.42 * box.h / len(lines) ** 0.6)), 6, -1):
        tracking = 0.09 * size
        widest = max(lettering.width(text, size) + tracking * len(text) for text in lines)
        if widest <= box.w - 2 * pad:
            return size, tracking
    return 7, 0.0


def _patches(draw: ImageDraw.ImageDraw, box: Box, start: float, pad: int) -> None:
    side = max(4, round(0.3 * box.h))
    left = box.x + box.w - pad - side * len(MARKERS)
    if left < start:
        return
    top = box.y + (box.h - side) // 2
    for index, colour in enumerate(MARKERS):
        x = left + index * side
        draw.rectangle((x, top, x + side - 1, top + side - 1), fill=colour)
