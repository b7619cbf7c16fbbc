"""Width and height of a JPEG, PNG or WebP as displayed, from its header alone.

Loading Pillow takes as long as three empty Pythons take to start, and `render` needs nothing of a
picture but its shape. Whatever is unusual here is left to Pillow: None is always a right answer.
"""

from __future__ import annotations

from struct import error as StructError  # noqa: N812  # the module names its error in lower case
from struct import unpack_from

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_NO_SIZE = frozenset({0xC4, 0xC8, 0xCC})
"""JPEG markers among those of frames that begin tables, not frames."""


def displayed_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels with the EXIF rotation counted in; None when in doubt."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (StructError, IndexError):
        return None
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at, turned = 2, False
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xDA:  # no length behind it, or the picture itself
            return None
        (length,) = unpack_from(">H", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE:
            height, width = unpack_from(">HH", data, at + 5)
            return _positive(width, height, turned)
        if marker == 0xE1:
            segment = data[at + 4 : at + 2 + length]
            found = _is_turned(segment[6:]) if segment[:6] == b"Exif\x00\x00" else None
            if found is None and b"Orientation" in segment:  # said by XMP
                return None
            if found is None and segment[:4] == b"Exif":
                return None
            turned = turned or bool(found)
        at += 2 + length


def _png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR":
        return None
    width, height = unpack_from(">II", data, 16)
    # Orientation may stand in a chunk of its own, or in a text chunk that only Pillow reads.
    unusual = b"eXIf" in data or b"Raw profile type" in data or b"XML:com.adobe.xmp" in data
    return None if unusual else _positive(width, height, False)


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", data, 26)
        return _positive(width & 0x3FFF, height & 0x3FFF, False)
    if kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = unpack_from("<I", data, 21)
        return _positive((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, False)
    return None  # an extended file may hold a rotation


def _positive(width: int, height: int, turned: bool) -> tuple[int, int] | None:
    if width <= 0 or height <= 0:
        return None
    return (height, width) if turned else (width, height)


def _is_turned(exif: bytes) -> bool | None:
    """Whether an EXIF block says that width and height are swapped; None when it is unusual."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(exif[:4])
    if order is None:
        return None
    (at,) = unpack_from(f"{order}I", exif, 4)
    (count,) = unpack_from(f"{order}H", exif, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, values = unpack_from(f"{order}HHI", exif, entry)
        if tag == _ORIENTATION:
            if kind != 3 or values != 1:
                return None
            return unpack_from(f"{order}H", exif, entry + 8)[0] in _TURNED
    return False
