"""Small pictures, made once and kept in a folder."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from pathlib import Path

from nanorecipes import files
from nanorecipes.images import MAX_INPUT_BYTES

EDGE_PX = 400
QUALITY = 72
MAX_PIXELS = 40_000_000


class Thumbnails:
    """WebP pictures of at most 400 pixels, named by path, size and time of their originals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0
        """How many had to be made anew."""

    def of(self, path: Path, sha256: str | None = None) -> Path | None:
        """The small picture of a file; None for one that can't be decoded, or is another one.

        Args:
            path: the picture.
            sha256: what its bytes must be; else it isn't shown. A record of a stranger may name
                any file of this machine.
        """
        try:
            facts = path.stat()
        except OSError:
            return None
        key = f"{path.absolute()}|{facts.st_mtime_ns}|{facts.st_size}|{sha256}|{EDGE_PX}"
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        target = self.folder / f"{name}.webp"
        if target.exists():
            return target
        data = _small(path, facts.st_size, sha256)
        if data is None:
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.made += 1
        return files.write_atomic(target, data)


def small_picture(data: bytes, edge_px: int = EDGE_PX) -> bytes | None:
    """A picture at most so large, as WebP; None when it can't be decoded or is too large."""
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
                clear = upright.has_transparency_data
                buffer = io.BytesIO()
                upright.convert("RGBA" if clear else "RGB").save(
                    buffer, "WEBP", quality=QUALITY, method=2
                )
                return buffer.getvalue()
    # Decoders of damaged files raise whatever they come across.
    except Exception:
        return None


def _small(path: Path, size: int, sha256: str | None) -> bytes | None:
    if size > MAX_INPUT_BYTES or not files.is_regular(path):
        return None
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if sha256 is not None and files.sha256(data) != sha256:
        return None
    return small_picture(data)


def cache_folder() -> Path:
    """Where small pictures are kept that travel inside a page."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "nanorecipes" / "thumbnails"
