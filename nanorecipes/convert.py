"""A picture in another file type, on request: the one place where pixels are encoded anew."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any, Literal

from nanorecipes.images import BadImageError

if TYPE_CHECKING:
    from PIL.Image import Image

Format = Literal["png", "jpeg", "webp"]
TYPES: dict[str, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
QUALITY = 95
_EXIF = b"Exif\0\0"
_MODES = {"png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "webp": ("RGB", "RGBA")}


def convert(data: bytes, to: Format) -> bytes:
    """The picture encoded anew, with its colour profile, EXIF and XMP; PNG keeps every pixel.

    JPEG and WebP are written at quality 95; JPEG has no transparency and gets white behind it.

    Raises:
        BadImageError: the picture can't be decoded here.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                return _encode(image, to)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise BadImageError(f"the picture can't be converted to {to}: {exc}") from exc


def _encode(image: Image, to: Format) -> bytes:
    kept: dict[str, Any] = {
        key: image.info[key] for key in ("exif", "icc_profile", "xmp") if image.info.get(key)
    }
    if "exif" in kept and not kept["exif"].startswith(_EXIF):
        kept["exif"] = _EXIF + kept["exif"]  # WebP and PNG hold it without, and JPEG needs it
    if to == "png":
        xmp = kept.pop("xmp", None)
        if xmp:
            kept["pnginfo"] = _xmp_chunk(xmp)
        options: dict[str, Any] = {}
    else:
        options = {"quality": QUALITY, **({"subsampling": 0} if to == "jpeg" else {})}
    buffer = io.BytesIO()
    _fit(image, to).save(buffer, to.upper(), **options, **kept)
    return buffer.getvalue()


def _xmp_chunk(xmp: Any) -> Any:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    text = xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else str(xmp)
    info.add_itxt("XML:com.adobe.xmp", text)
    return info


def _fit(image: Image, to: Format) -> Image:
    from PIL import Image as Images

    if to != "jpeg":
        fits = image.mode in _MODES[to]
        return image if fits else image.convert("RGBA" if image.has_transparency_data else "RGB")
    if not image.has_transparency_data:
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    clear = image.convert("RGBA")
    white = Images.new("RGBA", clear.size, "white")
    return Images.alpha_composite(white, clear).convert("RGB")
