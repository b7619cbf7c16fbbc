"""Small pictures, made once and kept in a folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from nanorecipes import files
from nanorecipes.images import MAX_INPUT_BYTES
from nanorecipes.preview import EDGE_PX, small_picture


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
