"""One text inside a picture's own file and back: the pixels stay as they are, bit for bit.

PNG holds it in an `iTXt` chunk, JPEG and WebP in their XMP packet, which is where other tools look.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from nanorecipes import xmp

KEYWORD = "nanorecipes"
MAX_TEXT_BYTES = 4 * 1024 * 1024

_PNG_HEAD = 8 + 4 + 4 + 13 + 4
_ITXT = KEYWORD.encode("ascii") + b"\0"
_SEGMENT_BYTES = 65_533
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEAD = len(_EXTENSION) + 32 + 4 + 4
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10

# The head of a signed provenance record (C2PA), which holds a hash of the file around it.
_SIGNED = b"jumdc2pa"


def embed(data: bytes, mime_type: str, text: str) -> bytes:
    """The file with a JSON text in it, or as it was where its type or its form has no place.

    What other tools wrote into it stays. A picture whose provenance is signed stays as it is: a
    changed byte would break that.
    """
    if _SIGNED in data or len(text) > MAX_TEXT_BYTES:
        return data
    text = xmp.escape_json(text)
    try:
        if mime_type == "image/png":
            return _into_png(data, text)
        if mime_type == "image/jpeg":
            return _into_jpeg(data, text)
        if mime_type == "image/webp":
            return _into_webp(data, text)
    except (xmp.Unfit, struct.error, IndexError):
        return data
    return data


def extract(data: bytes) -> str | None:
    """The text in a file, by its bytes; None where there is none, or the file is broken."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _from_png(data)
        if data.startswith(b"\xff\xd8"):
            return _from_jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            found = [data[c.start : c.end] for c in _riff(data) if c.name == b"XMP "]
            return xmp.find(found[0]) if found else None
    except (struct.error, IndexError, zlib.error, UnicodeDecodeError):
        return None
    return None


class _Block(NamedTuple):
    """A chunk or segment: its name, where it begins, its content's bounds, and where it ends."""

    name: bytes
    at: int
    start: int
    end: int
    after: int


# --- PNG


def _chunks(data: bytes) -> Iterator[_Block]:
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        start = at + 8
        if start + length + 4 > len(data):
            return
        yield _Block(data[at + 4 : start], at, start, start + length, start + length + 4)
        at = start + length + 4


def _into_png(data: bytes, text: str) -> bytes:
    if data[12:16] != b"IHDR":
        return data
    rest = data[_PNG_HEAD:]
    for chunk in reversed([c for c in _chunks(data) if _is_ours(data, c)]):
        rest = rest[: chunk.at - _PNG_HEAD] + rest[chunk.after - _PNG_HEAD :]
    body = b"iTXt" + _ITXT + b"\0\0\0\0" + text.encode("utf-8")
    head = struct.pack(">I", len(body) - 4)
    return data[:_PNG_HEAD] + head + body + struct.pack(">I", zlib.crc32(body)) + rest


def _is_ours(data: bytes, chunk: _Block) -> bool:
    return chunk.name == b"iTXt" and data.startswith(_ITXT, chunk.start)


def _from_png(data: bytes) -> str | None:
    for chunk in _chunks(data):
        if _is_ours(data, chunk):
            body = data[chunk.start + len(_ITXT) : chunk.end]
            text = body[2:].split(b"\0", 2)[2]
            if body[0]:  # another tool packed it
                text = zlib.decompressobj().decompress(text, MAX_TEXT_BYTES)
            return text.decode("utf-8")
    return None


# --- JPEG


def _segments(data: bytes) -> Iterator[_Block]:
    """The marker segments before the picture itself."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xDA:
            return
        after = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if after > len(data) or after < at + 4:
            return
        yield _Block(data[at + 1 : at + 2], at, at + 4, after, after)
        at = after


def _is_app1(data: bytes, segment: _Block, head: bytes) -> bool:
    return segment.name == b"\xe1" and data.startswith(head, segment.start)


def _into_jpeg(data: bytes, text: str) -> bytes:
    segments = list(_segments(data))
    old = next((s for s in segments if _is_app1(data, s, _XMP)), None)
    packet = data[old.start + len(_XMP) : old.end] if old else None
    written = _jpeg_segments(packet, text)
    if old is not None:
        return data[: old.at] + written + data[old.after :]
    place = _place(data, segments)
    return data[:place] + written + data[place:]


def _jpeg_segments(packet: bytes | None, text: str) -> bytes:
    """The XMP segment, and extensions where one segment is too small."""
    whole = xmp.packet(text) if packet is None else xmp.merge(packet, text)
    if len(_XMP) + len(whole) <= _SEGMENT_BYTES:
        return _app1(_XMP + whole)
    extended = xmp.packet(text)
    digest = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()  # the format's own
    main = xmp.refer(packet, digest)
    if len(_XMP) + len(main) > _SEGMENT_BYTES:
        raise xmp.Unfit("no room left")
    room = _SEGMENT_BYTES - _EXTENSION_HEAD
    head = _EXTENSION + digest.encode("ascii") + struct.pack(">I", len(extended))
    return _app1(_XMP + main) + b"".join(
        _app1(head + struct.pack(">I", at) + extended[at : at + room])
        for at in range(0, len(extended), room)
    )


def _app1(body: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _place(data: bytes, segments: list[_Block]) -> int:
    """Behind JFIF and EXIF, which readers want first; before APP2, whose offsets point ahead."""
    place = 2
    for segment in segments:
        if segment.name != b"\xe0" and not _is_app1(data, segment, b"Exif\0"):
            break
        place = segment.after
    return place


def _from_jpeg(data: bytes) -> str | None:
    parts: dict[bytes, list[tuple[int, bytes]]] = {}
    text: str | None = None
    for segment in _segments(data):
        if text is None and _is_app1(data, segment, _XMP):
            text = xmp.find(data[segment.start + len(_XMP) : segment.end])
        elif _is_app1(data, segment, _EXTENSION):
            at = segment.start + len(_EXTENSION)
            (offset,) = struct.unpack_from(">I", data, at + 36)
            body = data[segment.start + _EXTENSION_HEAD : segment.end]
            parts.setdefault(data[at : at + 32], []).append((offset, body))
    if text is not None:
        return text
    for pieces in parts.values():
        found = xmp.find(b"".join(body for _, body in sorted(pieces)))
        if found is not None:
            return found
    return None


# --- WebP


def _riff(data: bytes) -> Iterator[_Block]:
    at = 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length
        if end > len(data):
            return
        after = min(end + (length & 1), len(data))
        yield _Block(data[at : at + 4], at, at + 8, end, after)
        at = after


def _into_webp(data: bytes, text: str) -> bytes:
    (size,) = struct.unpack_from("<I", data, 4)
    end = size + 8
    if end > len(data):
        return data
    trailing, data = data[end:], data[:end]
    chunks = list(_riff(data))
    if not chunks or chunks[-1].after != len(data):
        return data + trailing
    old = next((c for c in chunks if c.name == b"XMP "), None)
    packet = xmp.merge(data[old.start : old.end], text) if old else xmp.packet(text)
    kept = [data[c.at : c.after] for c in chunks if c.name not in (b"XMP ", b"VP8X")]
    body = b"".join([_extended_head(data, chunks), *kept, _chunk(b"XMP ", packet)])
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body + trailing


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def _extended_head(data: bytes, chunks: list[_Block]) -> bytes:
    """The `VP8X` chunk: the file's own with one more flag, or one made from the plain picture."""
    first = chunks[0]
    body = data[first.start : first.end]
    if first.name == b"VP8X":
        return _chunk(b"VP8X", bytes([body[0] | _HAS_XMP]) + body[1:])
    if first.name == b"VP8L" and body[0] == 0x2F:
        (bits,) = struct.unpack_from("<I", body, 1)
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    elif first.name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        wide, high = struct.unpack_from("<HH", body, 6)
        width, height, alpha = (wide & 0x3FFF) - 1, (high & 0x3FFF) - 1, 0
    else:
        raise xmp.Unfit("no picture first")
    if width < 0 or height < 0:
        raise xmp.Unfit("a picture without size")
    flags = _HAS_XMP | (_HAS_ALPHA if alpha else 0)
    size = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)
