"""Pictures made fit to send: upright, in sRGB, 8 bit, of a type and size that services take."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nanorecipes import files
from nanorecipes.images import BadImageError
from nanorecipes.recent import Recent

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SENT_BYTES = 20 * 1024 * 1024
"""No limit is published; this is what Google takes for a whole request."""
MAX_SENT_PIXELS = 50_000_000
"""About what a telephone's camera makes, and more than any model draws."""
MAX_DECODED_PIXELS = 89_000_000
"""Above it a picture is not decoded: it would take more than 350 MB, and Pillow warns as well."""
MIN_SIDE_PX = 256
"""A picture isn't scaled below it: too little would be left to edit."""
QUALITIES = (95, 88, 80)
"""JPEG qualities tried in turn until the bytes are few enough."""
STEP = 0.8
"""How much smaller the sides get with each try after that."""

BY_EXTRA = {"image/heic": "heic", "image/heif": "heic"}
"""Types that another package decodes, and the extra that brings it."""

_SENT_AS_THEY_ARE = ("image/png", "image/jpeg", "image/webp")
_LOSSY = ("image/jpeg", "image/webp", "image/heic", "image/heif", "image/avif")
_FORMATS = {
    "image/png": ["PNG"], "image/jpeg": ["JPEG", "MPO"], "image/webp": ["WEBP"],
    "image/gif": ["GIF"], "image/tiff": ["TIFF"], "image/bmp": ["BMP"], "image/avif": ["AVIF"],
}  # fmt: skip
_NAMES = {mime: mime.removeprefix("image/").upper() for mime in files.EXTENSIONS}
_ANIMATED = ("image/png", "image/webp", "image/gif", "image/tiff", "image/avif")
_ORIENTATION = 0x0112

# Pillow warns through the process's warning filters, which threads share.
_lock = threading.Lock()


@dataclass(frozen=True)
class Fitted:
    """A picture that is fit to send."""

    data: bytes = field(repr=False)
    mime_type: str
    """By the bytes."""
    changes: tuple[str, ...] = ()
    """What was done to it, in words; empty when the bytes are those that were given."""


_seen: Recent[str, str] = Recent(16_384)
"""By digest the type of a picture that passed as it was, empty for one that was changed."""
_changed: Recent[str, Fitted] = Recent(4)
"""A few of the changed ones: each may hold 20 MB."""


def fit_picture(
    data: bytes,
    *,
    max_bytes: int = MAX_SENT_BYTES,
    max_pixels: int = MAX_SENT_PIXELS,
) -> Fitted:
    """Make a picture fit to send; one that is so already passes byte for byte.

    A rotation in its EXIF is applied, other colour spaces become sRGB, 16 bit and palettes become
    8 bit, of several frames the first is taken, and what is too large is scaled down.

    Args:
        data: a picture's file.
        max_bytes: the most that may be sent.
        max_pixels: the most pixels that may be sent.

    Raises:
        BadImageError: it is no picture, is cut off, would take too much memory to decode, or can't
            be made small enough; the text says which.
    """
    kind = files.image_type(data)
    if kind is None:
        raise BadImageError("is not a picture of a known type")
    missing = missing_reader(kind)
    if missing is not None:
        raise BadImageError(missing)
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _fit(data, kind, max_bytes, max_pixels)


def fit_once(data: bytes) -> Fitted:
    """The same as `fit_picture`, which remembers what it found of late.

    A logo that goes with every row of a catalogue is decoded once.

    Raises:
        BadImageError: as for `fit_picture`.
    """
    digest = files.sha256(data)
    found = _seen.get(digest)
    if found is None:
        fitted = fit_picture(data)
        _seen.put(digest, fitted.mime_type if fitted.data is data else "")
        if fitted.data is not data:
            _changed.put(digest, fitted)
        return fitted
    if found:
        return Fitted(data, found)
    changed = _changed.get(digest)
    if changed is None:
        changed = fit_picture(data)
        _changed.put(digest, changed)
    return changed


def size_problem(width: int, height: int) -> str | None:
    """Why a picture of this many pixels is not decoded, or None."""
    if width * height <= MAX_DECODED_PIXELS:
        return None
    return (
        f"has {width}x{height} pixels, more than the {MAX_DECODED_PIXELS // 1_000_000} million "
        "that are decoded; scale it down"
    )


def missing_reader(mime_type: str) -> str | None:
    """Why a type can't be decoded on this machine, or None."""
    if mime_type in BY_EXTRA:
        try:
            import pillow_heif  # noqa: F401
        except ImportError:
            extra = BY_EXTRA[mime_type]
            return (
                f"is {_NAMES[mime_type]}, which needs another package: "
                f"pip install 'nanorecipes[{extra}]', or save it as JPEG"
            )
    if mime_type == "image/avif":
        from PIL import features

        if not features.check("avif"):
            return "is AVIF, which this Pillow can't decode; save it as JPEG"
    return None


def _fit(data: bytes, kind: str, max_bytes: int, max_pixels: int) -> Fitted:
    try:
        image = _open(data, kind)
        reason = size_problem(*image.size)
        if reason is not None:
            raise BadImageError(reason)
        image.load()
        changes: list[str] = []
        if kind not in _SENT_AS_THEY_ARE:
            changes.append(f"{_NAMES[kind]} converted")
        if kind in _ANIMATED and _has_more_frames(data, kind):
            changes.append("the first of several frames taken")
        image = _upright(image, changes)
        image = _in_srgb(image, changes)
        image = _eight_bit(image, data, kind, changes)
        image = _within_pixels(image, max_pixels, changes)
        if not changes and len(data) <= max_bytes:
            return Fitted(data, kind)
        return _encode(image, kind, max_bytes, changes, len(data))
    except BadImageError:
        raise
    except MemoryError as exc:
        raise BadImageError("takes more memory to decode than there is") from exc
    except Exception as exc:  # decoders raise whatever a broken file leads them to
        raise BadImageError(f"is cut off or damaged: {_short(exc)}") from exc


def _open(data: bytes, kind: str) -> Image:
    if kind in BY_EXTRA:
        import pillow_heif

        found = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        reason = size_problem(*found.size)
        if reason is not None:
            raise BadImageError(reason)
        decoded: Image = found.to_pillow()
        return decoded
    from PIL import Image as Pillow

    try:
        return Pillow.open(io.BytesIO(data), formats=_FORMATS[kind])
    except Pillow.DecompressionBombError as exc:
        million = MAX_DECODED_PIXELS // 1_000_000
        message = f"has more than the {million} million pixels that are decoded; scale it down"
        raise BadImageError(message) from exc


def _has_more_frames(data: bytes, kind: str) -> bool:
    probe = _open(data, kind)
    try:
        probe.seek(1)
    except EOFError:
        return False
    return True


def _upright(image: Image, changes: list[str]) -> Image:
    from PIL import ImageOps

    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a broken EXIF block says nothing, and no viewer would turn the picture
        return image
    if turn not in range(2, 9):
        return image
    changes.append("rotated as its EXIF says")
    return ImageOps.exif_transpose(image)


def _in_srgb(image: Image, changes: list[str]) -> Image:
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            name = ImageCms.getProfileDescription(source).strip()
            if image.mode in ("RGB", "RGBA", "P") and "sRGB" in name:
                return image
            if image.mode in ("RGB", "RGBA", "L", "CMYK", "LAB"):
                converted = _by_profile(image, source)
                changes.append(f"colours converted from {_printable(name)} to sRGB")
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that can't be read changes no colour in any viewer
    if image.mode in ("CMYK", "YCbCr", "HSV", "RGBX"):
        changes.append(f"{image.mode} converted to RGB")
        return image.convert("RGB")
    if image.mode == "LAB":
        raise BadImageError("is in Lab colours without a profile; save it in sRGB")
    return image


def _by_profile(image: Image, source: Any) -> Image:
    from PIL import ImageCms

    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    base = image.convert("RGB") if alpha is not None else image
    found = ImageCms.profileToProfile(
        base, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    if found is None:  # it only changes a picture in place when asked to
        raise ValueError("the colours can't be converted")
    if alpha is not None:
        found.putalpha(alpha)
    found.info.pop("icc_profile", None)
    return found


def _eight_bit(image: Image, data: bytes, kind: str, changes: list[str]) -> Image:
    mode = image.mode
    # Pillow reduces 16 bit colour to 8 while it decodes; only the header tells.
    if kind == "image/png" and data[24:25] == b"\x10" and not mode.startswith("I"):
        changes.append("16 bit converted to 8")
    if mode in ("RGB", "RGBA", "L"):
        return image
    if mode == "P":
        changes.append("palette converted")
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if mode in ("LA", "PA", "La", "RGBa"):
        changes.append(f"{mode} converted to RGBA")
        # Premultiplied grey has no way to RGBA of its own.
        return (image.convert("LA") if mode == "La" else image).convert("RGBA")
    if mode == "1":
        changes.append("1 bit converted to 8")
        return image.convert("L")
    if mode.startswith("I"):
        changes.append("16 bit converted to 8")
        return _from_16_bit(image)
    raise BadImageError(f"has pixels of the kind {mode}, which have no agreed range; save as PNG")


def _from_16_bit(image: Image) -> Image:
    """The upper half of each value: Pillow's own conversion cuts off everything above 255."""
    from PIL import Image as Pillow

    if image.mode == "I":
        low, high = image.getextrema()
        if not (isinstance(low, (int, float)) and isinstance(high, (int, float))):
            raise BadImageError("has several bands of 32 bit; save as PNG")
        if low < 0 or high > 65535:
            raise BadImageError("has 32 bit values, which have no agreed range; save as PNG")
        return image.point(lambda value: value * (1 / 257)).convert("L")
    start = 0 if image.mode == "I;16B" else 1
    return Pillow.frombytes("L", image.size, image.tobytes()[start::2])


def _within_pixels(image: Image, max_pixels: int, changes: list[str]) -> Image:
    width, height = image.size
    if width * height <= max_pixels:
        return image
    small = _scaled(image, (max_pixels / (width * height)) ** 0.5)
    changes.append(f"scaled from {width}x{height} to {small.width}x{small.height} pixels")
    return small


def _scaled(image: Image, factor: float) -> Image:
    from PIL.Image import Resampling

    size = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
    return image.resize(size, Resampling.LANCZOS)


def _encode(image: Image, kind: str, max_bytes: int, changes: list[str], before: int) -> Fitted:
    """As few losses as fit into the bytes: lossless, then JPEG, then smaller."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    has_alpha = image.mode == "RGBA"
    if before > max_bytes and not changes:
        changes.append(f"{before} bytes made fewer")
    start = image.size
    while True:
        for mime_type, data in _tries(image, kind, has_alpha):
            if len(data) <= max_bytes:
                if image.size != start:
                    now = f"{image.width}x{image.height}"
                    changes.append(f"scaled from {start[0]}x{start[1]} to {now} pixels")
                return Fitted(data, mime_type, tuple(changes))
        if min(image.size) * STEP < MIN_SIDE_PX:
            raise BadImageError(
                f"can't be brought below {max_bytes} bytes without becoming too small to edit"
            )
        image = _scaled(image, STEP)


def _tries(image: Image, kind: str, has_alpha: bool) -> Any:
    """Encodings, the best first."""
    if has_alpha or kind not in _LOSSY:
        yield "image/png", _saved(image, "PNG", compress_level=6)
    if not has_alpha:
        for quality in QUALITIES:
            # The first try keeps the colour of every pixel, the later ones save on it.
            subsampling = 0 if quality == QUALITIES[0] else 2
            yield "image/jpeg", _saved(image, "JPEG", quality=quality, subsampling=subsampling)


def _saved(image: Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    plain = image.copy()
    plain.info = {}  # a rotation or a profile that was applied must not be applied again
    plain.save(buffer, format, **options)
    return buffer.getvalue()


def _short(exc: BaseException) -> str:
    return _printable(str(exc).partition("\n")[0][:120] or type(exc).__name__)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:80]


__all__ = ["BY_EXTRA", "Fitted", "fit_once", "fit_picture", "missing_reader", "size_problem"]
