"""Pictures made fit to send: what passes untouched, what is changed, what is refused."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pillow_heif
import pytest
from color_profiles import profile, wide_profile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from nanorecipes import files, fit
from nanorecipes.fit import Fitted, fit_once, fit_picture, missing_reader
from nanorecipes.images import BadImageError


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Left red, right blue: whatever is turned or converted can be seen."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (size[0] // 2, 0, *size))
    return image.convert(mode)


def opened(fitted: Fitted) -> Image.Image:
    """What came out, decoded."""
    image = Image.open(io.BytesIO(fitted.data))
    image.load()
    assert fitted.mime_type == files.image_type(fitted.data)
    return image


def turned(orientation: int) -> Image.Exif:
    """An EXIF block that says how the picture is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def deep_png(color_type: int) -> bytes:
    """A PNG of 16 bit: grey (0) or colour (2), its left half dark and its right half bright."""
    bands = 1 if color_type == 0 else 3
    row = b"\x00" + struct.pack(">H", 0x10FF) * bands * 4 + struct.pack(">H", 0xE0FF) * bands * 4
    header = struct.pack(">IIBBBBB", 8, 2, 16, color_type, 0, 0, 0)
    body = b""
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(row * 2)), (b"IEND", b"")):
        body += struct.pack(">I", len(data)) + name + data
        body += struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    "data",
    [
        saved(halves()),
        saved(halves("RGBA")),
        saved(halves("L")),
        saved(halves(), "JPEG", exif=turned(1)),
        saved(halves("L"), "JPEG"),
        saved(halves(), "JPEG", icc_profile=profile()),
        saved(halves(), "JPEG", icc_profile=b"no profile at all"),
        saved(halves(), "JPEG") + b"what telephones append",
        saved(halves(), "WEBP"),
        saved(halves("RGBA"), "WEBP", lossless=True),
        saved(halves(), "MPO", save_all=True, append_images=[halves()]),
    ],
    ids=range(11),
)
def test_a_fit_picture_passes_byte_for_byte(data: bytes) -> None:
    """Each encoding costs detail, and the digest would be another."""
    found = fit_picture(data)
    assert found.data is data
    assert found.changes == ()
    assert found.mime_type == files.image_type(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_rotation_in_exif_is_applied(kind: str, orientation: int) -> None:
    """A service that doesn't read it would edit a picture that lies on its side."""
    from PIL import ImageOps

    data = saved(halves(), kind, exif=turned(orientation))
    found = fit_picture(data)
    assert found.changes == ("rotated as its EXIF says",)
    image = opened(found)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert image.size == wanted.size
    assert image.getexif().get(0x0112) is None
    for place in ((2, 2), (image.width - 3, image.height - 3)):
        near = zip(image.convert("RGB").getpixel(place), wanted.getpixel(place), strict=True)  # type: ignore[arg-type]  # pixels of three bands
        assert all(abs(a - b) < 25 for a, b in near)
    assert found.mime_type == ("image/png" if kind == "PNG" else "image/jpeg")


def test_a_broken_exif_turns_nothing() -> None:
    """No viewer would turn it either."""
    data = saved(halves(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert fit_picture(data).changes == ()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_other_colours_become_srgb(mode: str) -> None:
    """Read as sRGB they would be other colours, and a product's must be right."""
    data = saved(halves(mode), "PNG", icc_profile=wide_profile())
    found = fit_picture(data)
    (change,) = found.changes
    assert change.startswith("colours converted from ")
    image = opened(found)
    assert "icc_profile" not in image.info
    red, green, _ = image.convert("RGB").getpixel((2, 2))  # type: ignore[misc]  # three bands
    assert green > red  # its red and green had changed places


def test_cmyk_becomes_rgb() -> None:
    """What comes from print has four inks."""
    image = opened(fit_picture(saved(halves("CMYK"), "JPEG")))
    assert image.mode == "RGB"
    red, _, blue = image.getpixel((4, 4))  # type: ignore[misc]  # three bands
    assert red > blue


def test_grey_with_a_profile_becomes_srgb() -> None:
    """Printers' greys are darker than they look."""
    data = saved(halves("L"), "PNG", icc_profile=profile("LAB"))
    assert fit_picture(data).changes == ()  # a profile for something else says nothing


@pytest.mark.parametrize(
    ("data", "change", "mode"),
    [
        (saved(halves("P")), "palette converted", "RGB"),
        (saved(halves("LA")), "LA converted to RGBA", "RGB"),
        (saved(halves("1")), "1 bit converted to 8", "L"),
        (deep_png(2), "16 bit converted to 8", "RGB"),
        (deep_png(0), "16 bit converted to 8", "L"),
        (saved(halves("I"), "TIFF"), "16 bit converted to 8", "L"),
        (saved(halves(), "BMP"), "BMP converted", "RGB"),
        (saved(halves(), "TIFF"), "TIFF converted", "RGB"),
        (saved(halves("P"), "GIF"), "GIF converted", "RGB"),
        (saved(halves("LAB"), "TIFF", icc_profile=profile("LAB")), "to sRGB", "RGB"),
    ],
    ids=range(10),
)
def test_unusual_pixels_become_usual_ones(data: bytes, change: str, mode: str) -> None:
    """A service may refuse them, or show something else."""
    found = fit_picture(data)
    assert any(change in text for text in found.changes), found.changes
    image = opened(found)
    assert image.mode == mode


def test_16_bit_grey_keeps_its_tones() -> None:
    """Cut off in place of scaled, all of it would be white."""
    image = opened(fit_picture(deep_png(0)))
    assert (image.getpixel((0, 0)), image.getpixel((7, 1))) == (0x10, 0xE0)


def test_transparency_is_kept() -> None:
    """A logo on a white square is another logo."""
    image = halves("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    for kind in ("TIFF", "PNG"):
        data = saved(image, kind, icc_profile=wide_profile())
        assert opened(fit_picture(data)).mode == "RGBA"
    palette = halves("P")
    shown = palette.getpixel((2, 2))
    assert opened(fit_picture(saved(palette, "GIF", transparency=shown))).mode == "RGBA"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_taken_and_told(kind: str) -> None:
    """Which one a service would take is anybody's guess."""
    second = Image.new("RGB", (64, 48), "green")
    data = saved(halves(), kind, save_all=True, append_images=[second])
    found = fit_picture(data)
    assert "the first of several frames taken" in found.changes
    image = opened(found)
    assert getattr(image, "n_frames", 1) == 1
    red, green, _ = image.convert("RGB").getpixel((4, 4))  # type: ignore[misc]  # three bands
    assert red > green


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_what_telephones_make_becomes_jpeg(kind: str) -> None:
    """HEIC is what half of all portraits come as."""
    buffer = io.BytesIO()
    if kind == "heic":
        pillow_heif.from_pillow(halves()).save(buffer, exif=turned(6).tobytes())
    elif features.check("avif"):
        halves().save(buffer, "AVIF")
    found = fit_picture(buffer.getvalue())
    assert found.mime_type == "image/jpeg"
    assert f"{kind.upper()} converted" in found.changes
    assert opened(found).size in ((64, 48), (48, 64))
    assert missing_reader(f"image/{kind}") is None


def test_heic_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what to do without it."""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(halves()).save(buffer)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(BadImageError, match=r"nanorecipes\[heic\].*save it as JPEG"):
        fit_picture(buffer.getvalue())


def test_avif_that_pillow_cannot_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds of Pillow come without it."""
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(BadImageError, match="save it as JPEG"):
        fit_picture(b"\x00\x00\x00\x1cftypavif" + bytes(40))


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture that no encoding makes small."""
    return Image.effect_noise(size, 90).convert("RGB")


def test_too_many_bytes_become_jpeg_then_smaller() -> None:
    """The pixels are kept as long as can be."""
    data = saved(noise((600, 500)))
    light = fit_picture(data, max_bytes=300_000)
    assert opened(light).size == (600, 500)
    assert light.mime_type == "image/jpeg"
    assert len(light.data) <= 300_000
    assert light.changes == (f"{len(data)} bytes made fewer",)
    small = fit_picture(data, max_bytes=60_000)
    assert len(small.data) <= 60_000
    assert small.changes[-1].startswith("scaled from 600x500 to ")
    with pytest.raises(BadImageError, match="too small to edit"):
        fit_picture(data, max_bytes=2_000)


def test_a_transparent_picture_is_scaled_and_not_flattened() -> None:
    """JPEG has no transparency."""
    image = noise((600, 500))
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    found = fit_picture(saved(image), max_bytes=500_000)
    assert opened(found).mode == "RGBA"
    assert len(found.data) <= 500_000


def test_too_many_pixels_are_scaled() -> None:
    """No model draws as many."""
    found = fit_picture(saved(halves(size=(400, 300))), max_pixels=30_000)
    assert found.changes == ("scaled from 400x300 to 200x150 pixels",)
    assert opened(found).size == (200, 150)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    """A few bytes that unfold to gigabytes."""
    data = bytearray(saved(halves()))
    for side, words in ((10_000, "10000x10000 pixels"), (60_000, "more than the 89 million")):
        data[16:24] = side.to_bytes(4, "big") * 2
        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
        with pytest.raises(BadImageError, match=words):
            fit_picture(bytes(data))


def test_a_picture_that_takes_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is bad; the run goes on."""

    def full(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(fit, "_upright", full)
    with pytest.raises(BadImageError, match="more memory"):
        fit_picture(saved(halves()))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_half_a_picture_is_refused(kind: str) -> None:
    """A service would take it, charge, and edit a picture with a grey half."""
    data = saved(noise((200, 150)), kind)
    with pytest.raises(BadImageError, match="cut off or damaged"):
        fit_picture(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"no picture", b"%PDF-1.7", b"<svg/>"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    """By the bytes, whatever its name says."""
    with pytest.raises(BadImageError, match="picture of a known type"):
        fit_picture(data)


def test_values_without_an_agreed_range_are_refused() -> None:
    """Scaled by a guess, the tones would be wrong."""
    with pytest.raises(BadImageError, match="no agreed range"):
        fit_picture(saved(halves("F"), "TIFF"))
    with pytest.raises(BadImageError, match="32 bit values"):
        fit_picture(saved(Image.new("I", (8, 8), 70_000), "TIFF"))
    lab = halves("LAB")
    lab.info.clear()
    with pytest.raises(BadImageError, match="Lab colours without a profile"):
        fit_picture(saved(lab, "TIFF"))


SOUND = [
    saved(noise((20, 10)), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
]  # fmt: skip


@given(
    st.sampled_from(SOUND),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=150)
def test_damaged_pictures_pass_whole_or_are_refused(
    data: bytes, flips: list[tuple[int, int]], cut: int
) -> None:
    """Pictures come from strangers: no decoder's error may get past ours."""
    broken = bytearray(data)
    for place, value in flips:
        broken[place % len(broken)] = value
    given_bytes = bytes(broken[: len(broken) - cut % 40])
    try:
        found = fit_picture(given_bytes)
    except BadImageError:
        return
    assert opened(found).size
    assert (found.data is given_bytes) == (not found.changes)


@pytest.mark.parametrize("make", [lambda: saved(halves()), lambda: saved(halves("P"), "GIF")])
def test_what_was_seen_is_not_decoded_again(
    make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A logo goes with every row of a catalogue."""
    first = fit_once(make())
    monkeypatch.setattr(fit, "fit_picture", lambda data: pytest.fail("decoded again"))
    again = fit_once(make())
    assert (again.data, again.mime_type, again.changes) == (
        first.data, first.mime_type, first.changes,
    )  # fmt: skip


def test_changed_pictures_are_kept_but_a_few() -> None:
    """Each may hold 20 MB; one that was let go is changed again."""
    pictures = [saved(Image.new("P", (8, 8), n), "GIF") for n in range(6)]
    first = [fit_once(data) for data in pictures]
    assert [fit_once(data) for data in pictures] == first
    assert all(found.changes for found in first)
