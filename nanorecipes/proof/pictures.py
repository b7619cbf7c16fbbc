"""Pictures from paths, bytes, files or PIL images, decoded no larger than needed."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, UnidentifiedImageError

from nanorecipes.proof.engine import np
from nanorecipes.proof.faults import bad_image

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Bytes, Plane

ImageLike = str | Path | bytes | bytearray | BinaryIO | Image.Image

ANALYSIS_PIXELS = 560_000
"""Enough to see lettering of 2 % of the height, small enough for a second and a half."""
ANALYSIS_SIDE = 2048
MAX_PIXELS = 300_000_000
"""Above this a picture that can't be shrunk while it is read would fill the memory."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A picture in RGB, perhaps smaller than it was."""

    pixels: Bytes
    size: tuple[int, int]
    """Width and height before shrinking, upright, in pixels."""


def load(picture: ImageLike, field: str, *, pixels: int | None = ANALYSIS_PIXELS) -> Loaded:
    """Decode a picture upright in 8-bit RGB, shrunk to about `pixels` (None: as it is).

    Raises:
        InputError: it isn't a picture, is damaged, can't be read or is too large.
    """
    image = open_picture(picture, field)
    try:
        with warnings.catch_warnings():
            # Size is bounded below; a warning about it would reach callers who can do nothing.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _decode(image, field, pixels)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError) as exc:
        raise bad_image(field, f"the picture can't be decoded: {exc}", _REPAIR) from exc
    finally:
        if image is not picture:
            image.close()


_REPAIR = "open it in an image viewer; if that fails, download or export it again"


def open_picture(picture: ImageLike, field: str) -> Image.Image:
    """Open without decoding.

    Raises:
        InputError: there is nothing there that reads as a picture.
    """
    if isinstance(picture, Image.Image):
        return picture
    file = _as_file(picture, field)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(file)
    except UnidentifiedImageError as exc:
        raise bad_image(field, "not a picture that can be read", _REPAIR) from exc
    except Image.DecompressionBombError as exc:
        raise bad_image(field, f"not a picture that can be read ({exc})", _REPAIR) from exc
    except (OSError, ValueError, SyntaxError) as exc:
        raise bad_image(field, f"{exc}", "check the path and that it is a picture") from exc


def _as_file(picture: object, field: str) -> str | Path | BinaryIO:
    if isinstance(picture, bytes | bytearray):
        return io.BytesIO(bytes(picture))
    if isinstance(picture, str | Path):
        return picture
    if hasattr(picture, "read"):
        file: BinaryIO = picture  # type: ignore[assignment]  # it can be read
        if hasattr(file, "seekable") and file.seekable():
            return file
        return io.BytesIO(file.read())
    raise bad_image(
        field,
        f"found a {type(picture).__name__}, expected a picture",
        "give a path, bytes, an open binary file or a PIL image",
    )


def _decode(image: Image.Image, field: str, pixels: int | None) -> Loaded:
    full = image.size
    if min(full) < 1:
        raise bad_image(field, f"the picture has no pixels ({full[0]}x{full[1]})", _REPAIR)
    goal = shrunk(full, pixels)
    if pixels is not None and image.format in ("JPEG", "MPO"):
        # Twice the goal keeps the final shrink a clean one.
        image.draft("RGB", (goal[0] * 2, goal[1] * 2))
    if image.size[0] * image.size[1] > MAX_PIXELS:
        raise bad_image(
            field,
            f"the picture has {full[0] * full[1] // 1_000_000} megapixels, more than 300",
            "shrink it first",
        )
    turned = _turned(image)
    small = _shrink(_flat(image), goal)
    if turned is not None:
        small, full = small.transpose(turned), _swapped(full, turned)
    return Loaded(np.asarray(_rgb(small), dtype=np.uint8), full)


def _swapped(size: tuple[int, int], turned: Image.Transpose) -> tuple[int, int]:
    sideways = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)
    mirrored = (Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE)
    return (size[1], size[0]) if turned in (*sideways, *mirrored) else size


def shrunk(size: tuple[int, int], pixels: int | None) -> tuple[int, int]:
    """The size within `pixels` and `ANALYSIS_SIDE` that keeps the ratio."""
    if pixels is None:
        return size
    width, height = size
    factor = min(1.0, math.sqrt(pixels / (width * height)), ANALYSIS_SIDE / max(size))
    return max(1, round(width * factor)), max(1, round(height * factor))


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turned(image: Image.Image) -> Image.Transpose | None:
    try:
        orientation = image.getexif().get(0x0112)
    except (OSError, ValueError, SyntaxError, TypeError, KeyError):
        return None  # damaged metadata must not hide an intact picture
    return _TURNS.get(orientation) if isinstance(orientation, int) else None


def _flat(image: Image.Image) -> Image.Image:
    """Modes that can't be resized become ones that can; 16 bit becomes 8 by its own range."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float32)
        return Image.fromarray(_to_bytes(values, 65535.0 if ";16" in image.mode else 0.0))
    if image.mode in ("1", "P", "PA", "LA", "La", "RGBa"):
        clear = "transparency" in image.info or image.mode in ("PA", "LA", "La", "RGBa")
        return image.convert("RGBA" if clear else "RGB")
    return image


def _to_bytes(values: Plane, top: float) -> Bytes:
    """8 bits from more; without a known `top` the range is told from the values."""
    plane = np.nan_to_num(values)
    found = float(plane.max(initial=0.0))
    if not top:
        # Floating point pictures commonly run from 0 to 1.
        fractional = 0.0 < found <= 1.0 and bool((np.mod(plane, 1) != 0).any())
        top = 1.0 if fractional else 255.0 if found <= 255 else max(found, 65535.0)
    scaled: Plane = np.clip(plane * (255.0 / top) + 0.5, 0, 255)
    return scaled.astype(np.uint8)


def _shrink(image: Image.Image, goal: tuple[int, int]) -> Image.Image:
    if image.size == goal:
        return image
    return image.resize(goal, Image.Resampling.BOX if _halves(image, goal) else _SMOOTH, None, 3.0)


# As sharp as needed at half the cost of the sharpest.
_SMOOTH = Image.Resampling.HAMMING


def _halves(image: Image.Image, goal: tuple[int, int]) -> bool:
    return image.size[0] % goal[0] == 0 and image.size[1] % goal[1] == 0


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, (255, 255, 255))
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    return image if image.mode == "RGB" else image.convert("RGB")


__all__ = ["ANALYSIS_PIXELS", "ImageLike", "Loaded", "load", "open_picture", "shrunk"]
