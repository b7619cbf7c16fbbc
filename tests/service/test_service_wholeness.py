"""A picture that is taken for whole without being decoded is one that a decoder takes as well."""

from __future__ import annotations

import io
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import nanorecipes
from nanorecipes.service import guard
from nanorecipes.wholeness import whole_size

SAMPLES = Path(nanorecipes.__file__).parents[1] / "docs" / "samples"
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {"format": "JPEG", "quality": 85},
    "optimized": {"format": "JPEG", "quality": 85, "optimize": True, "subsampling": 0},
    "progressive": {"format": "JPEG", "quality": 85, "progressive": True},
    "restarts": {"format": "JPEG", "quality": 85, "restart_marker_rows": 1},
    "png": {"format": "PNG"},
}
HEAD_BYTES = 720
"""Where the tables of a JPEG of Pillow's end."""


@cache
def photo(kind: str, size: tuple[int, int] = (48, 40), mode: str = "RGB") -> bytes:
    """A photo in some form."""
    buffer = io.BytesIO()
    with Image.open(SAMPLES / "mug.jpg") as image:
        image.convert(mode).resize(size).save(buffer, **KINDS[kind])
    return buffer.getvalue()


def decoded(data: bytes) -> tuple[int, int] | None:
    """The size of what a decoder makes of it, or None."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image.size
    except (OSError, SyntaxError, ValueError):
        return None


def assert_no_more_is_claimed(data: bytes) -> None:
    """Taken for whole, it decodes, and to that size."""
    size = whole_size(data)
    assert size is None or decoded(data) == size


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_usual_pictures_are_known_without_a_decoder(kind: str, mode: str) -> None:
    """A decoder takes ten to a hundred times as long."""
    assert whole_size(photo(kind, (200, 150), mode)) == (200, 150)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bit", [0, 1, 3, 5, 7])
def test_a_flipped_bit_in_a_header_never_makes_a_picture(kind: str, bit: int) -> None:
    """Tables that a decoder refuses are left to it."""
    data = photo(kind)
    for at in range(2, min(len(data), HEAD_BYTES), 3):
        assert_no_more_is_claimed(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])


@pytest.mark.parametrize("kind", KINDS)
@given(cut=st.floats(0, 1, exclude_max=True), lost=st.integers(1, 200), seed=st.integers(0, 2**32))
def test_damage_that_a_decoder_finds_is_never_taken_for_whole(
    kind: str, cut: float, lost: int, seed: int
) -> None:
    """Cut off, a piece lost, of zeros, of something else, or a part that comes twice."""
    data = photo(kind, (120, 90))
    at = int(cut * len(data))
    rest = data[at + lost :]
    strange = random.Random(seed).randbytes(lost)
    assert whole_size(data[:at]) is None
    again = data[seed % len(data) :]
    for middle in (rest, bytes(lost) + rest, strange + rest, again):
        assert_no_more_is_claimed(data[:at] + middle)


@given(st.binary(max_size=300), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""]))
def test_no_bytes_break_the_look(tail: bytes, head: bytes) -> None:
    """What comes from a service may be anything."""
    assert whole_size(head + tail) is None


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP", "TIFF"])
def test_types_without_checksums_are_decoded(kind: str) -> None:
    """Their damage shows nowhere else."""
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, kind)
    assert whole_size(buffer.getvalue()) is None
    assert guard.glance(buffer.getvalue(), 10**6) is None
    assert isinstance(guard.examine(buffer.getvalue(), 10**6), guard.Picture)


def test_what_follows_a_picture_is_left_alone() -> None:
    """Phones append a second picture, and some services a line break."""
    assert whole_size(photo("baseline") + b"\r\n") == (48, 40)


def test_a_picture_without_a_decoder_keeps_the_bound_of_pixels() -> None:
    """It will be decoded by someone."""
    found = guard.glance(photo("png"), 100)
    assert isinstance(found, guard.NoPicture)
    assert found.is_final
