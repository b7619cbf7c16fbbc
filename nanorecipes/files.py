"""Files: written whole or not at all, kept inside their root, known by their bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from typing import TYPE_CHECKING

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.durable import sync, sync_path
from nanorecipes.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/avif": ".avif",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
}
PICTURE_SUFFIXES = frozenset({*EXTENSIONS.values(), ".jpeg", ".tiff"})
"""What the names of pictures end in, in lower case."""

_FTYP_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"avis": "image/avif",
}


def image_type(data: bytes) -> str | None:
    """The MIME type of a picture by its first bytes, or None when it is no known picture.

    A name or a header that says something else is never believed: services mislabel pictures.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if data[4:8] == b"ftyp":
        return _FTYP_BRANDS.get(data[8:12])
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return "image/tiff"
    return "image/bmp" if data[:2] == b"BM" and len(data) > 26 else None


def sha256(data: bytes) -> str:
    """Hex digest of some bytes."""
    return hashlib.sha256(data).hexdigest()


def join_under(root: Path, name: str) -> Path:
    """Join a name from a recipe or a row to a folder, and keep it inside.

    A symbolic link is followed only as long as it stays inside the folder.

    Raises:
        InputError: the name is absolute, climbs out, or a link leads out.
    """
    path = root / name
    sound = name and not os.path.isabs(name) and "\x00" not in name and ".." not in path.parts
    if not sound or not path.resolve().is_relative_to(root.resolve()):
        finding = Diagnostic(
            *codes.OUTSIDE[:2], "error", f"{name!r} leads out of {root}", field="path"
        )
        raise InputError([finding])
    return path


def write_atomic(path: Path, data: bytes, *, durable: bool = False) -> Path:
    """Write beside the target, then move into place: a reader sees all of it or nothing.

    Args:
        path: the target, replaced when it exists; its folder must exist.
        data: what it shall hold.
        durable: also wait until the disk has it, and its name.
    """
    name, handle = _temporary(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                sync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    if durable:
        sync_path(path.parent)
    return path


def make_durable(path: Path) -> None:
    """Wait until the disk has a file that lies there already, and its name.

    Raises:
        OSError: it can't be opened, or the disk failed.
    """
    sync_path(path)
    sync_path(path.parent)


def write_new(path: Path, data: bytes, *, beside: str = "") -> Path:
    """Write atomically, never over an existing file: `a.png`, `a-2.png`, `a-3.png`, ...

    The name is claimed with an exclusive link, so two processes never take the same one.

    Args:
        path: the target; its folder must exist.
        data: what it shall hold.
        beside: an ending; a name is taken as well where a file of that name and ending lies.
    """
    temporary, handle = _temporary(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return _claim(temporary, path, beside)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _claim(temporary: Path, path: Path, beside: str) -> Path:
    number = 1
    while True:
        target = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        if beside and os.path.lexists(f"{target}{beside}"):
            number += 1
            continue
        try:
            os.link(temporary, target)
        except FileExistsError:
            number += 1
        except OSError:  # a file system without hard links: claim the name, then move over it
            try:
                os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                number += 1
                continue
            os.replace(temporary, target)
            return target
        else:
            return target


def check_writable(folder: Path) -> None:
    """Make the folder and prove that a file can be written there.

    Raises:
        OSError: it can't be made or written; found out before any money is spent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name, handle = _temporary(folder)
    try:
        os.write(handle, b"probe")
    finally:
        os.close(handle)
        os.unlink(name)


def is_regular(path: Path) -> bool:
    """Whether the path is a plain file: pipes and devices never end or change while read."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _temporary(folder: Path) -> tuple[Path, int]:
    """A new file with a name that nobody else has, and the rights that the user's mask gives."""
    name = folder / f".nanorecipes-{os.urandom(8).hex()}.part"
    return name, os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
