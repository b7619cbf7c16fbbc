"""Small pictures of large ones: for pages, notebooks and terminals."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Literal

from nanorecipes.decoding import MAX_BYTES, decoding_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

EDGE_PX = 400
QUALITY = 72

PreviewFormat = Literal["WEBP", "PNG"]


def small_picture(
    data: bytes, edge_px: int = EDGE_PX, format: PreviewFormat = "WEBP"
) -> bytes | None:
    """A picture's file, at most `edge_px` pixels wide and high, upright.

    None when it can't be decoded, or not within the memory that there is for one.
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
                if _bytes_for(image, edge_px) > MAX_BYTES:
                    return None
                image.thumbnail((edge_px, edge_px))
                upright = ImageOps.exif_transpose(image)
                return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    # Decoders of damaged files raise whatever they come across.
    except Exception:
        return None


def _bytes_for(image: Image, edge_px: int) -> int:
    """Bytes of memory that making a picture small takes; a JPEG is decoded at a smaller scale."""
    is_progressive = bool(image.info.get("progressive"))
    whole = decoding_bytes(image)
    image.draft("RGB", (edge_px, edge_px))  # JPEG alone: decodes an eighth at best
    if image.format == "JPEG" and not is_progressive:
        return decoding_bytes(image)
    return whole * 2 if image.mode in ("RGBA", "LA") else whole  # scaled without its clear pixels
