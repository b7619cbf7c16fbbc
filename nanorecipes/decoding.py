"""How much memory decoding a picture takes, and whether one too large to decode is whole.

Compressed pictures may be bombs: a WebP of 34 bytes unpacks into 1.5 GB. The figures are what
Pillow was measured to take for one pixel, with all that its decoders hold at the same time.
"""

from __future__ import annotations

import io
import struct
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 380 * 1024 * 1024
"""What decoding one picture may take: below 500 MB with the program itself and a large file."""

_BYTES_PER_PIXEL = {"WEBP": 17, "AVIF": 10, "HEIF": 10}
_PROGRESSIVE = 12
_USUAL = 5
_TAIL = 4096
_BOXED = ("image/heic", "image/heif", "image/avif")


def decoding_bytes(image: Image) -> int:
    """Bytes of memory that decoding takes at most, of a picture that was opened and not loaded."""
    width, height = image.size
    if image.format == "JPEG" and image.info.get("progressive"):
        return width * height * _PROGRESSIVE  # all coefficients are held
    return width * height * _BYTES_PER_PIXEL.get(image.format or "", _USUAL)


def fits(image: Image) -> bool:
    """Whether a picture can be decoded within the memory that there is for one."""
    return decoding_bytes(image) <= MAX_BYTES


def is_whole(data: bytes, mime_type: str) -> bool:
    """Whether a file reaches to its end, by its structure alone; True for types without one."""
    try:
        if mime_type == "image/png":
            return _verifies(data)
        if mime_type == "image/jpeg":
            return b"\xff\xd9" in data[-_TAIL:]
        if mime_type == "image/webp":
            return bool(struct.unpack_from("<I", data, 4)[0] + 8 <= len(data))
        if mime_type in _BOXED:
            return _boxes_end(data) == len(data)
    except struct.error:
        return False
    return True


def _verifies(data: bytes) -> bool:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                image.verify()  # every chunk's checksum, to the last one
    except Exception:  # whatever damaged files make it raise
        return False
    return True


def _boxes_end(data: bytes) -> int:
    """Where the last box of an ISO media file ends."""
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size == 0:  # to the end of the file
            return len(data)
        if size < 8:
            return -1
        at += size
    return at
