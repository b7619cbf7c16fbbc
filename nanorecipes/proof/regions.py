"""Where change was allowed or forbidden, as masks: from pictures or boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from nanorecipes.proof.engine import cv, np
from nanorecipes.proof.faults import bad_option
from nanorecipes.proof.pictures import ImageLike, load

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Mask

Box = tuple[float, float, float, float]
Region = ImageLike | Box | Sequence[Box]
"""A mask picture (white is the region), one box, or several: left, top, right, bottom."""

_HELP = (
    "give a mask picture (white is the region), or boxes as left, top, right, bottom: "
    "in pixels of the source, or as fractions between 0 and 1"
)


def read_region(
    region: Region | None, field: str, size_px: tuple[int, int], shape: tuple[int, int]
) -> Mask | None:
    """The region as a mask of `shape` (height, width) over a source of `size_px`.

    Raises:
        InputError: it is neither a picture nor boxes, or a box is empty or outside.
    """
    if region is None:
        return None
    if isinstance(region, str | Path | bytes | bytearray | Image.Image) or hasattr(region, "read"):
        return _from_picture(region, field, shape)
    boxes = _boxes(region, field)
    mask = np.zeros(shape, dtype=bool)
    for box in boxes:
        left, top, right, bottom = _fractions(box, field, size_px)
        height, width = shape
        mask[
            math.floor(top * height) : math.ceil(bottom * height),
            math.floor(left * width) : math.ceil(right * width),
        ] = True
    return mask


def _from_picture(region: object, field: str, shape: tuple[int, int]) -> Mask:
    pixels = load(region, field).pixels  # type: ignore[arg-type]  # told apart by the caller
    grey = pixels.max(axis=2)
    height, width = shape
    mask: Mask = cv.resize(grey, (width, height), interpolation=cv.INTER_AREA) > 127
    return mask


def _boxes(region: object, field: str) -> list[Box]:
    try:
        items = list(region)  # type: ignore[call-overload]  # anything else is the error below
        if len(items) == 4 and all(_is_number(item) for item in items):
            items = [items]
        boxes = [tuple(float(number) for number in item) for item in items]
    except (TypeError, ValueError) as exc:
        raise bad_option(field, f"found {region!r:.80}, expected a mask or boxes", _HELP) from exc
    for box in boxes:
        if len(box) != 4 or not all(math.isfinite(number) for number in box):
            raise bad_option(field, f"a box has four numbers, found {box!r:.80}", _HELP)
    return [(box[0], box[1], box[2], box[3]) for box in boxes]


def _is_number(item: object) -> bool:
    return isinstance(item, int | float | np.number) and not isinstance(item, bool)


def _fractions(box: Box, field: str, size_px: tuple[int, int]) -> Box:
    left, top, right, bottom = box
    if max(box) > 1:
        width, height = size_px
        left, top, right, bottom = left / width, top / height, right / width, bottom / height
    clipped = tuple(min(1.0, max(0.0, number)) for number in (left, top, right, bottom))
    if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
        message = f"the box {box!r} covers nothing of a source of {size_px[0]}x{size_px[1]} pixels"
        raise bad_option(field, message, _HELP)
    return clipped[0], clipped[1], clipped[2], clipped[3]
