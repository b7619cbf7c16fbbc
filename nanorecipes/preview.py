"""Small pictures of large ones: for pages, notebooks and terminals."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

EDGE_PX = 400
QUALITY = 72
MAX_PIXELS = 40_000_000

PreviewFormat = Literal["WEBP", "PNG"]


def small_picture(
    data: bytes, edge_px: int = EDGE_PX, format: PreviewFormat = "WEBP"
) -> bytes | None:
    """A picture's file, at most `edge_px` pixels wide and high, upright.

    None when it can't be decoded or has more than 40 megapixels.
    """
    image = small_image(data, edge_px)
    if image is None:
        return None
    buffer = io.BytesIO()
    image.save(buffer, format, quality=QUALITY, method=2)
    return buffer.getvalue()


def small_image(data: bytes, edge_px: int = EDGE_PX) -> Image | None:
    """The same as pixels: RGBA where a pixel may be clear, else RGB."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                image.draft("RGB", (edge_px, edge_px))  # JPEG alone: decodes an eighth at best
                if image.width * image.height > MAX_PIXELS:
                    return None
                image.thumbnail((edge_px, edge_px))
                upright = ImageOps.exif_transpose(image)
                return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    # Decoders of damaged files raise whatever they come across.
    except Exception:
        return None
