"""Colour profiles for tests."""

from __future__ import annotations

import struct

from PIL import ImageCms


def profile(name: str = "sRGB") -> bytes:
    """A colour profile's bytes."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()  # type: ignore[arg-type]  # one of three words


def wide_profile() -> bytes:
    """A profile whose red and green changed places: other colours than sRGB's, surely."""
    data = bytearray(profile())
    count = struct.unpack_from(">I", data, 128)[0]
    entries = {bytes(data[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    data[red + 4 : red + 12], data[green + 4 : green + 12] = (
        data[green + 4 : green + 12],
        data[red + 4 : red + 12],
    )
    at = struct.unpack_from(">I", data, entries[b"desc"] + 4)[0]
    length = struct.unpack_from(">I", data, entries[b"desc"] + 8)[0]
    text = data[at : at + length].replace(b"s\x00R\x00G\x00B", b"w\x00i\x00d\x00e")
    data[at : at + length] = text.replace(b"sRGB", b"wide")
    return bytes(data)
