"""Whether a picture's file is whole, by its own lengths, marks, tables and checksums.

Decoding takes ten to a hundred times as long and tells no more of these types: a PNG's checksums
cover every byte, and a JPEG's decoder draws on over damage that leaves the marks in place. Whatever
else there is, and whatever is in doubt, is left to a decoder: None is always a right answer.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from struct import error as StructError  # noqa: N812  # the module names its error in lower case
from struct import unpack_from

Size = tuple[int, int]


def whole_size(data: bytes) -> Size | None:
    """Width and height in pixels, as stored, of a JPEG or PNG file that is whole; None in doubt."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
    except (StructError, IndexError, _Doubt):
        return None
    return None


class _Doubt(Exception):
    """Something that doesn't fit together, or is unusual."""


def _expect(is_so: bool) -> None:
    if not is_so:
        raise _Doubt


# --- JPEG: segments with lengths, then coded data up to the next marker

_END, _SCAN, _HUFFMAN, _QUANTIZERS, _RESTARTS = 0xD9, 0xDA, 0xC4, 0xDB, 0xDD
_BASELINE, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_OTHERS = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Segments that say nothing of the picture itself: application data and comments."""
_SAMPLINGS = (1, 2, 4)
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In coded data 0xFF stands before 0 or a restart's number; anything else ends it."""


@dataclass
class _Frame:
    """What a decoder has been told so far."""

    size: Size | None = None
    is_progressive: bool = False
    components: dict[int, int] = field(default_factory=dict)
    """The quantizer of each."""
    quantizers: set[int] = field(default_factory=set)
    tables: set[int] = field(default_factory=set)
    """Huffman tables: the number, and 16 more for those of the finer parts."""
    scanned: set[int] = field(default_factory=set)


def _jpeg(data: bytes) -> Size:
    frame, at = _Frame(), 2
    while True:
        _expect(data[at] == 0xFF)
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _END:
            break
        (length,) = unpack_from(">H", data, at + 2)
        start, at = at + 4, at + 2 + length
        _expect(length >= 2 and at < len(data))
        _take(frame, marker, data[start:at])
        if marker == _SCAN:
            at = _after_scan(data, at)
    _expect(frame.size is not None and frame.scanned == {*frame.components})
    assert frame.size is not None
    return frame.size


def _take(frame: _Frame, marker: int, segment: bytes) -> None:
    if marker == _QUANTIZERS:
        frame.quantizers |= _quantizers(segment)
    elif marker == _HUFFMAN:
        frame.tables |= _tables(segment)
    elif marker in _BASELINE or marker == _PROGRESSIVE:
        _take_frame(frame, segment)
        frame.is_progressive = marker == _PROGRESSIVE
    elif marker == _SCAN:
        _take_scan(frame, segment)
    elif marker == _RESTARTS:
        _expect(len(segment) == 2)
    else:
        _expect(marker in _OTHERS)


@lru_cache(maxsize=64)  # one service writes the same few again and again
def _quantizers(segment: bytes) -> frozenset[int]:
    numbers = segment[::65]  # one byte a value, as in every picture of 8 bits
    _expect(len(segment) == 65 * len(numbers) and max(numbers, default=0) < 4)
    return frozenset(numbers)


@lru_cache(maxsize=64)
def _tables(segment: bytes) -> frozenset[int]:
    at, found = 0, set()
    while at < len(segment):
        number, counts = segment[at], segment[at + 1 : at + 17]
        _expect(len(counts) == 16 and number & 0xEF < 4)
        _expect(_is_code(counts))
        at += 17 + sum(counts)
        if number < 4:  # coarse values have at most 15 bits
            _expect(max(segment[at - sum(counts) : at], default=0) < 16)
        found.add(number)
    _expect(at == len(segment))
    return frozenset(found)


def _is_code(counts: bytes) -> bool:
    """Whether so many codes of each length can stand side by side, and one of only ones is left."""
    used = sum(count << (16 - length) for length, count in enumerate(counts, 1))
    return 0 < used < 1 << 16 and sum(counts) <= 256


def _take_frame(frame: _Frame, segment: bytes) -> None:
    precision, height, width, count = unpack_from(">BHHB", segment)
    _expect(frame.size is None and precision == 8 and width > 0 and height > 0)
    _expect(count in (1, 3, 4) and len(segment) == 6 + 3 * count)
    for at in range(6, len(segment), 3):
        name, sampling, quantizer = segment[at : at + 3]
        _expect(name not in frame.components and quantizer < 4)
        _expect(sampling >> 4 in _SAMPLINGS and sampling & 15 in _SAMPLINGS)
        frame.components[name] = quantizer
    frame.size = (width, height)


def _take_scan(frame: _Frame, segment: bytes) -> None:
    count = segment[0]
    _expect(1 <= count <= len(frame.components) and len(segment) == 4 + 2 * count)
    first, last, steps = segment[-3:]
    names = segment[1:-3:2]
    _expect(len({*names}) == count)
    # A picture that isn't refined step by step comes in one go.
    _expect(frame.is_progressive or not frame.scanned.intersection(names))
    for at in range(1, 1 + 2 * count, 2):
        name, tables = segment[at : at + 2]
        _expect(name in frame.components and frame.components[name] in frame.quantizers)
        needs_coarse = first == 0 and steps >> 4 == 0
        _expect(not needs_coarse or tables >> 4 in frame.tables)
        _expect(last == 0 or (tables & 15) + 16 in frame.tables)
        frame.scanned.add(name)
    if frame.is_progressive:
        _expect(first <= last < 64 and (first > 0 or last == 0) and (first == 0 or count == 1))
        _expect(steps >> 4 in (0, (steps & 15) + 1) and steps & 15 <= 13)
    else:
        _expect((first, last, steps) == (0, 63, 0))


def _after_scan(data: bytes, at: int) -> int:
    found = _MARKER.search(data, at)
    if found is None or found.start() == at:
        raise _Doubt
    return found.start()


# --- PNG: chunks with lengths and checksums

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""The bit depths of each colour type."""


def _png(data: bytes) -> Size:
    at, names, view = 8, [], memoryview(data)
    while True:
        (length,) = unpack_from(">I", data, at)
        after = at + 12 + length
        _expect(after <= len(data))
        _expect(zlib.crc32(view[at + 4 : after - 4]) == unpack_from(">I", data, after - 4)[0])
        names.append(data[at + 4 : at + 8])
        at = after
        if names[-1] == b"IEND":
            break
    _expect(names[0] == b"IHDR" and b"IDAT" in names and b"acTL" not in names)
    width, height, depth, color, packing, filtering, order = unpack_from(">IIBBBBB", data, 16)
    _expect(width > 0 and height > 0 and depth in _DEPTHS.get(color, ()))
    _expect(packing == filtering == 0 and order < 2 and (color != 3 or b"PLTE" in names))
    return width, height
