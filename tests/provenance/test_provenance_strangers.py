"""Bad pictures of strangers, shown to everything that reads pictures: no fault, hang or bomb."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import strangers
from PIL import Image

from nanorecipes import decoding
from nanorecipes.service.flow import NoPicture, Picture
from nanorecipes.service.guard import examine


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.soak)])
def test_bad_pictures_do_no_harm(count: int) -> None:
    """Downloads break off, and a page about a folder is made of whatever lies in it."""
    line = [sys.executable, "-W", "ignore", strangers.__file__, str(count), "20261128"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["pictures"] == count
    assert told["slowest_s"] < 2
    assert told["memory_mb"] < 500


def large(kind: str) -> bytes:
    """A file whose header names more pixels than are decoded, and whose end is there."""
    small = Image.new("RGB", (16, 16), "teal")
    size = 9000
    if kind == "PNG":
        png = b"\x89PNG\r\n\x1a\n"
        head = strangers.chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0))
        pixels = strangers.chunk(b"IDAT", b"never looked at")
        return png + head + pixels + strangers.chunk(b"IEND", b"")
    if kind == "JPEG":
        data = strangers.encoded(small, "JPEG", progressive=True)
        at = data.index(b"\xff\xc2") + 5
        return data[:at] + struct.pack(">HH", size, size) + data[at + 4 :]
    if kind == "WEBP":
        data = bytearray(strangers.encoded(small, "WEBP", lossless=True))
        data[21:25] = struct.pack("<I", (size - 1) | (size - 1) << 14)
        return bytes(data)
    data = bytearray(strangers.encoded(small, "AVIF"))
    for name in (b"ispe",):
        at = data.index(name) + 8
        data[at : at + 8] = struct.pack(">II", size, size)
    return bytes(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_picture_too_large_to_decode_must_reach_to_its_end(kind: str) -> None:
    """It was paid for and may be whole: it is kept, unless it surely was cut off."""
    data = large(kind)
    found = examine(data, 100_000_000)
    assert isinstance(found, Picture)
    assert found.size_px == (9000, 9000)
    cut = examine(data[:-9], 100_000_000)
    assert isinstance(cut, NoPicture)
    assert not cut.is_final


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_largest_pictures_that_services_make_are_decoded(kind: str, tmp_path: Path) -> None:
    """The bound is for bombs: 12288x1536, the largest that a model makes, is far below it."""
    path = tmp_path / "picture"
    Image.new("RGB", (8, 8)).save(path, kind)
    with Image.open(path) as image:
        image._size = (12288, 1536)
        assert decoding.fits(image)
