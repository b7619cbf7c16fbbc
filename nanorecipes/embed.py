"""How a picture was made, written into its own file: the pixels stay as they are, bit for bit."""

from __future__ import annotations

import struct
import zlib

KEYWORD = "nanorecipes"

_PNG_HEAD = 8 + 4 + 4 + 13 + 4
_SEGMENT_BYTES = 65_533
_COMMENT = b"\xff\xfe"

# The head of a signed provenance record (C2PA), which holds a hash of the file around it.
_SIGNED = b"jumdc2pa"


def embed(data: bytes, mime_type: str, text: str) -> bytes:
    """The file with a text in it, where its type has a plain place for one; else as it was.

    PNG gets an `iTXt` chunk named `nanorecipes`, JPEG a comment. Other types have their sidecar
    alone, and so does a picture whose provenance is signed: a changed byte would break that.
    """
    if _SIGNED in data:
        return data
    encoded = text.encode("utf-8")
    if mime_type == "image/png" and data[12:16] == b"IHDR":
        return data[:_PNG_HEAD] + _itxt(encoded) + data[_PNG_HEAD:]
    if mime_type == "image/jpeg" and len(encoded) <= _SEGMENT_BYTES:
        place = _after_headers(data)
        segment = _COMMENT + struct.pack(">H", len(encoded) + 2) + encoded
        return data[:place] + segment + data[place:]
    return data


def _itxt(text: bytes) -> bytes:
    body = b"iTXt" + KEYWORD.encode("ascii") + b"\0\0\0\0\0" + text
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _after_headers(data: bytes) -> int:
    """Behind the APPn segments, which readers expect to come first."""
    place = 2
    while data[place : place + 1] == b"\xff" and 0xE0 <= data[place + 1] <= 0xEF:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if place + 2 + length > len(data):
            break
        place += 2 + length
    return place
