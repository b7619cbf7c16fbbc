"""Image inputs as given: path, URL, bytes, open file or PIL image. Nothing is fetched."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from nanorecipes import files
from nanorecipes.headers import displayed_size
from nanorecipes.suggest import did_you_mean_file

if TYPE_CHECKING:
    from PIL.Image import Image

    ImageSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Image
else:
    ImageSource: TypeAlias = Any

MAX_INPUT_BYTES = 64 * 1024 * 1024

Kind = Literal["path", "url", "bytes"]


class BadImageError(ValueError):
    """An image input that can't be used; the text says why and what is accepted."""


def public_name(source: str) -> str:
    """A path as it is; a URL without user, query and fragment, which may hold a signature."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


@dataclass(unsafe_hash=True)  # never changed, but frozen would make each three times as slow
class ImageInput:
    """One picture that a caller passed.

    `size_px` is (width, height) as a viewer shows it: EXIF rotation counted in.
    """

    kind: Kind
    name: str
    """The path or URL as given; for bytes a made-up name from their digest."""
    _data: bytes | None = field(default=None, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the picture lies here, so that a service that takes URLs can't see it."""
        return self.kind != "url"

    @property
    def advice(self) -> str | None:
        """Which file was perhaps meant, where there is none of this name; or None."""
        return did_you_mean_picture(self.name) if self.kind == "path" else None

    def read(self) -> bytes:
        """The picture's bytes.

        Raises:
            BadImageError: no such file, no plain file, too large, or a URL (never fetched).
        """
        if self._data is not None:
            return self._data
        if self.kind == "url":
            raise BadImageError(f"{self.name!r} is a URL; pictures behind URLs are not fetched")
        return _read_file(Path(self.name))

    @cached_property
    def mime_type(self) -> str | None:
        """The type by the first bytes; None for a URL or for bytes of no known picture."""
        if self.kind == "url":
            return None
        head = self._data[:64] if self._data is not None else _read_file(Path(self.name), 64)
        return files.image_type(head)

    @cached_property
    def size_px(self) -> tuple[int, int] | None:
        """Width and height in pixels as displayed, or None for a URL.

        Raises:
            BadImageError: the file is absent or is no picture.
        """
        if self.kind == "url":
            return None
        return _displayed_size(self._data if self._data is not None else Path(self.name), self.name)

    @cached_property
    def digest(self) -> str | None:
        """SHA-256 of the bytes in hex; None for a URL."""
        return None if self.kind == "url" else files.sha256(self.read())

    def check(self) -> None:
        """Make sure that the picture is there and is one.

        Raises:
            BadImageError: it isn't; the text says what was found.
        """
        # HEIC is taken by the service, but can't be decoded without a further package.
        if self.kind != "url" and self.mime_type not in ("image/heic", "image/heif"):
            _ = self.size_px


def did_you_mean_picture(path: str | os.PathLike[str]) -> str | None:
    """`did you mean 'mug.jpg'?`, for a picture's file that isn't there; or None."""
    return None if os.path.exists(path) else did_you_mean_file(path, files.PICTURE_SUFFIXES)


def image_input(value: Any) -> ImageInput:
    """Take what a caller passed for an image; only its form is looked at, no file is opened.

    Raises:
        BadImageError: a value of another type, an empty name, or a URL of another scheme.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, ImageInput):
        return value
    if isinstance(value, os.PathLike):
        return _from_text(os.fspath(value), path=True)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(value))
    if hasattr(value, "read"):
        return _from_file(value)
    if hasattr(value, "save") and hasattr(value, "size"):
        return _from_pil(value)
    raise BadImageError(
        f"expected a path, a URL, bytes, an open binary file or a PIL image, "
        f"found {type(value).__name__}"
    )


def _from_text(text: Any, *, path: bool = False) -> ImageInput:
    if not isinstance(text, str):
        raise BadImageError(f"expected a text path, found {type(text).__name__}")
    if not text.strip() or "\x00" in text:
        raise BadImageError("expected a path or a URL, found an empty or malformed text")
    if path or "://" not in text:
        return ImageInput("path", text)
    if not _is_web_address(text):
        raise BadImageError(f"expected an http or https URL, found {text[:200]!r}")
    return ImageInput("url", text)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:  # brackets that hold no address, a port that is no number
        return False
    plain = text.isprintable() and " " not in text
    return parts.scheme.lower() in ("http", "https") and bool(host) and plain


def _from_bytes(data: bytes) -> ImageInput:
    kind = files.image_type(data[:64])
    if kind is None:
        raise BadImageError(f"{len(data)} bytes that are no picture of a known type")
    if len(data) > MAX_INPUT_BYTES:
        raise BadImageError(f"{len(data)} bytes are more than the {MAX_INPUT_BYTES} allowed")
    return ImageInput("bytes", f"image-{files.sha256(data)[:12]}{files.EXTENSIONS[kind]}", data)


def _from_file(file: Any) -> ImageInput:
    try:
        data = file.read(MAX_INPUT_BYTES + 1)
    except (OSError, ValueError) as exc:  # closed, or text that can't be decoded
        raise BadImageError(f"the open file can't be read: {exc}") from exc
    if not isinstance(data, bytes):
        raise BadImageError("expected a file opened in binary mode ('rb'), found a text file")
    return _from_bytes(data)


def _from_pil(image: Any) -> ImageInput:
    buffer = io.BytesIO()
    try:
        fit = image if image.mode in ("RGB", "RGBA", "L") else image.convert("RGBA")
        fit.save(buffer, "PNG")
    except (OSError, ValueError, SystemError) as exc:  # closed, truncated, or without pixels
        raise BadImageError(f"the PIL image can't be written as PNG: {exc}") from exc
    return _from_bytes(buffer.getvalue())


def _read_file(path: Path, count: int | None = None) -> bytes:
    limit = MAX_INPUT_BYTES if count is None else count
    try:
        if not files.is_regular(path):
            raise BadImageError(_absent(path))
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as exc:
        raise BadImageError(f"{str(path)!r} can't be read: {exc.strerror or exc}") from exc
    if count is None and len(data) > limit:
        raise BadImageError(f"{str(path)!r} is larger than the {limit} bytes allowed")
    return data[:limit]


def _absent(path: Path) -> str:
    if path.is_dir():
        return f"{str(path)!r} is a folder, expected a picture file"
    return f"{str(path)!r} is no file" if path.exists() else f"there is no file {str(path)!r}"


def _displayed_size(source: bytes | Path, name: str) -> tuple[int, int]:
    """Read the header; EXIF orientations 5 to 8 swap width and height."""
    data = source if isinstance(source, bytes) else _read_file(source)
    return displayed_size(data) or _size_by_pillow(data, name)


def _size_by_pillow(data: bytes, name: str) -> tuple[int, int]:
    import warnings

    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                width, height = image.size
                turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as exc:
        raise BadImageError(f"{name!r} is not a picture that can be read") from exc
    return (height, width) if turned else (width, height)
