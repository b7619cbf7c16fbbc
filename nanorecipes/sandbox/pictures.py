"""Input pictures for the proof: any mode, any orientation, made into plain RGB of a wanted size."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter, ImageOps

from nanorecipes import files

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PIXELS = 100_000_000
LIGHT, DARK = 236, 214

_SHRINKABLE = ("L", "LA", "La", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr")


class UnreadableError(ValueError):
    """A picture that can't be shown; the text says why in a few words."""


def open_rgb(data: bytes, box_px: tuple[int, int]) -> Image.Image:
    """The picture upright in RGB, shrunk to fit a box (it never grows here).

    Raises:
        UnreadableError: the bytes are no picture, are cut short, or hold too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(f"too large: {image.width} x {image.height} px")
            if image.mode in _SHRINKABLE:
                # Shrunk first, a large picture needs little memory. It may still lie on its side,
                # so both sides are given the room of the longer one.
                image.thumbnail((max(box_px),) * 2, Image.Resampling.LANCZOS, reducing_gap=2.0)
            made = _flatten(ImageOps.exif_transpose(image))
    except UnreadableError:
        raise
    except Exception as exc:  # a damaged file makes a decoder raise nearly anything
        kind = files.image_type(data)
        name = kind.partition("/")[2].upper() if kind else "file"
        raise UnreadableError(f"{name} that can't be read") from exc
    made.thumbnail(box_px, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return made


def _flatten(image: Image.Image) -> Image.Image:
    """Eight bits of RGB; what is transparent lies on a pale chequered ground."""
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N"):
        return image.convert("I").point(_scaled(1 / 256)).convert("L").convert("RGB")
    if image.mode in ("I", "F"):
        return _stretch(image)
    if image.has_transparency_data:
        return _on_ground(image.convert("RGBA"))
    return image.convert("RGB")


def _scaled(factor: float) -> Callable[[float], float]:
    # Pillow reads factor and offset off this function; it accepts nothing else for 32 bit.
    return lambda value: value * factor


def _stretch(image: Image.Image) -> Image.Image:
    """Wide integers and floats have no agreed white: darkest to lightest become 0 to 255."""
    made = image.convert("F")
    low, high = (float(edge) for edge in made.getextrema())  # type: ignore[arg-type]  # one band
    span = (high - low) or 1.0
    return made.point(lambda v: v * (255 / span) + (-low * 255 / span)).convert("L").convert("RGB")


def _on_ground(image: Image.Image) -> Image.Image:
    cell = max(4, min(image.size) // 24)
    ground = Image.new("RGB", image.size, (LIGHT,) * 3)
    patch = Image.new("RGB", (cell, cell), (DARK,) * 3)
    for row, top in enumerate(range(0, image.height, cell)):
        for left in range(cell * (row % 2), image.width, 2 * cell):
            ground.paste(patch, (left, top))
    ground.paste(image, (0, 0), image)
    return ground


def fit(data: bytes, size_px: tuple[int, int], tone: str) -> Image.Image:
    """The whole picture in a frame of another shape; the rest is its own blur.

    Args:
        data: the picture's file.
        size_px: width and height of the frame.
        tone: the colour that the fill is drawn towards, so that it steps back.

    Raises:
        UnreadableError: the picture can't be shown.
    """
    picture = open_rgb(data, size_px)
    inner = ImageOps.contain(picture, size_px, Image.Resampling.LANCZOS)
    if inner.size == size_px:
        return inner
    framed = _fill(picture, size_px, tone)
    framed.paste(inner, ((size_px[0] - inner.width) // 2, (size_px[1] - inner.height) // 2))
    return framed


def _fill(picture: Image.Image, size_px: tuple[int, int], tone: str) -> Image.Image:
    """Blurred while it is small, then enlarged: the same look at a fraction of the time."""
    scale = min(1.0, 96 / max(size_px))
    small_size = (max(2, round(size_px[0] * scale)), max(2, round(size_px[1] * scale)))
    small = ImageOps.fit(picture, small_size, Image.Resampling.BOX)
    small = small.filter(ImageFilter.GaussianBlur(6))
    small = Image.blend(small, Image.new("RGB", small.size, tone), 0.35)
    return small.resize(size_px, Image.Resampling.BICUBIC)
