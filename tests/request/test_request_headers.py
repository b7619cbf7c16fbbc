"""The size read from a header is the size that Pillow shows, or it is left to Pillow."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from nanorecipes.headers import displayed_size


def encoded(size: tuple[int, int], kind: str, orientation: int | None, **options: object) -> bytes:
    picture = Image.new("RGB", size, (120, 90, 60))
    buffer = io.BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x010F] = "a camera"
        exif[0x0112] = orientation
        options["exif"] = exif
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def shown(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    orientation=st.one_of(st.none(), st.integers(1, 8)),
    flag=st.booleans(),
)
def test_header_size_is_the_displayed_size(
    kind: str, width: int, height: int, orientation: int | None, flag: bool
) -> None:
    """A wrong shape would ask the service for a ratio that crops the picture."""
    options = {"JPEG": {"progressive": flag}, "WEBP": {"lossless": flag}, "PNG": {}}[kind]
    data = encoded((width, height), kind, orientation, **options)
    assert displayed_size(data) in (None, shown(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_usual_pictures_need_no_pillow(kind: str) -> None:
    """Otherwise the module would be dead weight."""
    assert displayed_size(encoded((40, 30), kind, None)) == (40, 30)


def test_turned_photo_is_read_without_pillow() -> None:
    """Phones write photos so, and most photos come from phones."""
    assert displayed_size(encoded((40, 30), "JPEG", 6)) == (30, 40)


@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"]))
def test_no_bytes_break_the_reader(tail: bytes, head: bytes) -> None:
    """Pictures come from strangers."""
    found = displayed_size(head + tail)
    assert found is None or min(found) > 0


@given(st.integers(3, 600))
def test_cut_photo_is_read_or_left(count: int) -> None:
    """A header that ends early says nothing, and never something wrong."""
    data = encoded((40, 30), "JPEG", 8)
    assert displayed_size(data[:count]) in (None, (30, 40))
