"""Lettering: text set in Pillow's own typeface, wrapped, measured and drawn without surprises."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.ImageDraw import ImageDraw

NO_CHARACTER = "\U0010fffd"

# The typeface that comes with Pillow has ASCII and little else. What it lacks is drawn from what
# it has, as long as the reader sees the same character; anything else becomes a box.
_SAME = {
    "\u00a0": " ", "\t": "    ", "\u2010": "-", "\u2011": "-", "\u2022": "·", "\u00d7": "x",
    "\u201a": ",", "\u201e": ",,", "\u2032": "'", "\u2033": '"', "\u202f": " ", "\u2009": " ",
}  # fmt: skip
_DASHES = {"\u2012": 0.55, "\u2013": 0.55, "\u2212": 0.55, "\u2014": 0.95, "\u2015": 0.95}


@dataclass(frozen=True, slots=True)
class _Mark:
    glyph: str
    scale: float
    below: bool = False


_MARKS = {
    "\u0300": _Mark("`", 1.0),
    "\u0301": _Mark("´", 1.0),
    "\u0302": _Mark("^", 0.75),
    "\u0303": _Mark("~", 0.75),
    "\u0304": _Mark("-", 1.0),
    "\u0306": _Mark("u", 0.45),
    "\u0307": _Mark(".", 1.0),
    "\u0308": _Mark("..", 0.9),
    "\u030a": _Mark("°", 0.75),
    "\u030b": _Mark("´´", 0.9),
    "\u030c": _Mark("v", 0.5),
    "\u0323": _Mark(".", 1.0, below=True),
    "\u0327": _Mark(",", 0.8, below=True),
    "\u0328": _Mark(",", 0.8, below=True),
}


@lru_cache(maxsize=256)
def face(size: int) -> ImageFont.FreeTypeFont:
    """The typeface in one size (px). The basic layout looks the same wherever Pillow runs."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def is_covered(char: str) -> bool:
    """Whether the typeface has this character."""
    if char.isascii():
        return char.isprintable()
    if 0xD800 <= ord(char) <= 0xDFFF:
        return False
    font = face(24)
    lacking, mask = font.getmask(NO_CHARACTER), font.getmask(char)
    return mask.size != lacking.size or bytes(mask) != bytes(lacking)


@dataclass(frozen=True, slots=True)
class _Run:
    """A piece of a line: plain text, a letter with marks, a dash (its width in em) or a box."""

    text: str
    marks: tuple[_Mark, ...] = ()
    dash: float = 0.0
    box: bool = False


@lru_cache(maxsize=16384)
def _runs(text: str) -> tuple[_Run, ...]:
    if text.isascii() and text.isprintable():
        return (_Run(text),)
    return tuple(_join(_run(char) for char in unicodedata.normalize("NFC", text)))


def _run(char: str) -> _Run:
    char = _SAME.get(char, char)
    if len(char) > 1 or is_covered(char):
        return _Run(char)
    if char in _DASHES:
        return _Run("", dash=_DASHES[char])
    if unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return _Run("")
    parts = unicodedata.normalize("NFD", char)
    base, marks = parts[0], parts[1:]
    if marks and is_covered(base) and all(mark in _MARKS for mark in marks):
        return _Run(base, tuple(_MARKS[mark] for mark in marks))
    return _Run("", box=True)


def _join(runs: Iterator[_Run]) -> Iterator[_Run]:
    plain = ""
    for run in runs:
        if not run.marks and not run.dash and not run.box:
            plain += run.text
            continue
        if plain:
            yield _Run(plain)
            plain = ""
        yield run
    if plain:
        yield _Run(plain)


@lru_cache(maxsize=65536)
def width(text: str, size: int) -> float:
    """The width of a line in px."""
    return sum(_run_width(run, size) for run in _runs(text))


def _run_width(run: _Run, size: int) -> float:
    if run.box:
        return 0.72 * size
    if run.dash:
        return (run.dash + 0.08) * size
    words = run.text.split(" ")
    wide = sum(face(size).getlength(word) for word in words if word)
    return wide + (len(words) - 1) * space(size)


@lru_cache(maxsize=256)
def space(size: int) -> float:
    """The space between words (px): hinting rounds it too narrow in small sizes."""
    return max(float(face(size).getlength(" ")), 0.27 * size)


def write(
    draw: ImageDraw, x: float, baseline: float, text: str, size: int, ink: str, tracking: float = 0
) -> float:
    """Draw a line from its left end on a baseline; returns where it ends (px)."""
    if tracking:
        for char in text:
            x = write(draw, x, baseline, char, size, ink) + tracking
        return x - tracking
    for run in _runs(text):
        if run.box:
            _write_box(draw, x, baseline, size, ink)
        elif run.dash:
            top = baseline - 0.3 * size
            thick = max(1, round(size * 0.07))
            left = round(x + 0.04 * size)
            draw.rectangle((left, top, left + run.dash * size, top + thick - 1), fill=ink)
        elif run.text:
            _write_words(draw, x, baseline, run.text, size, ink)
            for mark in run.marks:
                _write_mark(draw, x, baseline, run.text, size, ink, mark)
        x += _run_width(run, size)
    return x


def _write_words(
    draw: ImageDraw, x: float, baseline: float, text: str, size: int, ink: str
) -> None:
    font = face(size)
    for word in text.split(" "):
        if word:
            draw.text((x, baseline), word, ink, font, anchor="ls")
            x += font.getlength(word)
        x += space(size)


def _write_box(draw: ImageDraw, x: float, baseline: float, size: int, ink: str) -> None:
    left, right = round(x + 0.08 * size), round(x + 0.64 * size)
    line = max(1, round(size * 0.05))
    draw.rectangle((left, round(baseline - 0.7 * size), right, round(baseline)), None, ink, line)


def _write_mark(
    draw: ImageDraw, x: float, baseline: float, base: str, size: int, ink: str, mark: _Mark
) -> None:
    """Set a mark over (or under) the middle of a letter, from a glyph that looks like it."""
    font = face(max(4, round(size * mark.scale)))
    letter, sign = _ink(base, face(size)), _ink(mark.glyph, font)
    middle = x + (letter[0] + letter[2]) / 2
    left = middle - (sign[0] + sign[2]) / 2
    gap = max(1, 0.08 * size)
    shift = letter[3] + gap / 2 - sign[1] if mark.below else letter[1] - gap - sign[3]
    draw.text((left, baseline + shift), mark.glyph, ink, font, anchor="ls")


def _ink(text: str, font: ImageFont.FreeTypeFont) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is really drawn, from the start of the baseline."""
    mask, (left, top) = font.getmask2(text, "L", anchor="ls")
    edges = mask.getbbox() or (0, 0, 0, 0)
    return (left + edges[0], top + edges[1], left + edges[2], top + edges[3])


def shorten(text: str, size: int, room: float) -> str:
    """The text, or as much of it as fits with an ellipsis behind."""
    if width(text, size) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(f"{text[:middle].rstrip()}…", size) <= room:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low].rstrip()}…" if low else ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a wrapped paragraph and where it ends in the text it came from."""

    text: str
    end: int


def wrap(text: str, start: int, size: int, room: float) -> list[Line]:
    """Break a paragraph into lines; its own line breaks stay. `start` is its place in the whole."""
    lines: list[Line] = []
    for match in re.finditer(r"[^\n]*", text):
        if match[0].strip():
            lines += _wrap_line(match[0], start + match.start(), size, room)
    return lines


def _wrap_line(text: str, start: int, size: int, room: float) -> Iterator[Line]:
    gap = space(size)
    held, held_width, end = "", 0.0, start
    for match in re.finditer(r"\S+", text):
        for piece, stop in _pieces(match[0], size, room):
            wide = width(piece, size)
            if held and (held_width + gap + wide > room or stop < len(match[0])):
                yield Line(held, end)
                held = ""
            held_width = held_width + gap + wide if held else wide
            held = f"{held} {piece}" if held else piece
            end = start + match.start() + stop
    yield Line(held, end)


def _pieces(word: str, size: int, room: float) -> Iterator[tuple[str, int]]:
    """A word, or its pieces where it is wider than the line, each with its end in the word."""
    if width(word, size) <= room:
        yield word, len(word)
        return
    begin, wide = 0, 0.0
    for index, char in enumerate(word):
        step = width(char, size)
        if wide + step > room and index > begin:
            yield word[begin:index], index
            begin, wide = index, 0.0
        wide += step
    yield word[begin:], len(word)
