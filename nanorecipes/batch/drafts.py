"""Folders that the disk has for good: written under another name, synced, moved, and read again.

As a process of its own it takes groups from its standard input until there are no more. So it needs
little but the standard library, and starts at once.
"""

from __future__ import annotations

import marshal
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

from nanorecipes.durable import sync, sync_path
from nanorecipes.making import Sheet, put_together

Parcel = tuple[str, Sequence[tuple[str, tuple[Any, ...]]]]
"""A folder, and its pictures: the name of each, and the values of its sheet."""
End = tuple[str, str, list[str]]
"""What became of a folder: `kept`, or `error` or `trouble` with the reason; and the SHA-256 of each
picture's file."""

_PART_BYTES = 256 * 1024
_HEAD_BYTES = 8


def keep(parcels: Sequence[Parcel]) -> list[End]:
    """Write several folders of pictures, each with its sidecar, and read them again.

    When this returns, a power cut can't take them. A folder appears whole or not at all, and takes
    the place of one that is there. All files of the group are written before the disk is asked to
    have them for good: it then does so in a few turns for all.

    Returns:
        For each folder `kept`; `error` where it couldn't be written, so that there is none; or
        `trouble` where the disk gives other bytes than it was given.
    """
    drafts = [_Draft(folder, pictures) for folder, pictures in parcels]
    _each(drafts, _Draft.write)
    if len(drafts) > 1:
        _each(drafts, _Draft.hurry)
    for step in (_Draft.sync, _Draft.sync_folder, _Draft.place):
        _each(drafts, step)
    for parent in {draft.parent for draft in drafts if draft.end is None}:
        sync_path(parent)
    _each(drafts, _Draft.compare)
    return [(*(draft.end or ("kept", "")), draft.digests) for draft in drafts]


def _each(drafts: list[_Draft], step: Callable[[_Draft], None]) -> None:
    """Do a step for all that had no error; the others of the group must not suffer from one."""
    for draft in drafts:
        if draft.end is None:
            try:
                step(draft)
            except Exception as exc:
                said = exc.strerror if isinstance(exc, OSError) else None
                draft.end = ("error", said or str(exc) or type(exc).__name__)
                draft.clear()


class _Draft:
    """A folder under another name, until its files are on the disk.

    Each call of the system hands the interpreter to another thread and back, which takes longer
    than the call: so there are as few as can be.
    """

    def __init__(self, folder: str, pictures: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        self.folder = folder
        self.parent, name = os.path.split(folder)
        self.end: tuple[str, str] | None = None
        """What became of it, and why, where that isn't as it should be."""
        self.digests: list[str] = []
        self._pictures = pictures
        # Always the same name: what a killed program left there goes when the row is saved.
        self._place = os.path.join(self.parent, f".{name}.part")
        self._files: list[tuple[int, str, bytes]] = []
        """Open files: handle, name, and what was written."""

    def write(self) -> None:
        """Write the files, all under the other name."""
        try:
            os.mkdir(self._place)
        except FileExistsError:
            shutil.rmtree(self._place)
            os.mkdir(self._place)
        except FileNotFoundError:
            os.makedirs(self._place)
        for name, sheet in self._pictures:
            file = put_together(Sheet(*sheet), name)
            self.digests.append(file.sha256)
            self._write(name, file.picture)
            self._write(f"{name}.json", file.sidecar)

    def _write(self, name: str, data: bytes) -> None:
        path = os.path.join(self._place, name)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        self._files.append((handle, name, data))
        written = 0
        while written < len(data):
            written += os.write(handle, data[written:] if written else data)

    def hurry(self) -> None:
        """Let the disk begin: then the files of a whole group become durable by one commit."""
        if hasattr(os, "posix_fadvise"):
            for handle, _, _ in self._files:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)

    def sync(self) -> None:
        """Wait until the disk has the files."""
        for handle, _, _ in self._files:
            sync(handle)

    def sync_folder(self) -> None:
        """Wait until it has their names: as a rule they came with the files of the group."""
        sync_path(self._place)

    def place(self) -> None:
        """Give the folder its name."""
        try:
            os.rename(self._place, self.folder)
        except OSError:
            if not os.path.lexists(self.folder):
                raise
            old = f"{self._place}.old"
            shutil.rmtree(old, ignore_errors=True)
            os.rename(self.folder, old)
            os.rename(self._place, self.folder)
            shutil.rmtree(old, ignore_errors=True)

    def compare(self) -> None:
        """Read the files again."""
        for handle, name, data in self._files:
            if not _holds(handle, data):
                path = os.path.join(self.folder, name)
                self.end = ("trouble", f"{path!r} is not what was written")
        self._close()

    def clear(self) -> None:
        """Leave nothing behind."""
        self._close()
        shutil.rmtree(self._place, ignore_errors=True)

    def _close(self) -> None:
        while self._files:
            os.close(self._files.pop()[0])


def _holds(handle: int, data: bytes) -> bool:
    """Whether an open file is this, read from its beginning in parts."""
    # To where a file would go on that is too long.
    return all(
        os.pread(handle, _PART_BYTES, at) == data[at : at + _PART_BYTES]
        for at in range(0, len(data) + 1, _PART_BYTES)
    )


def send(stream: IO[bytes], message: Any) -> None:
    """Write a message for another process of the same Python.

    Raises:
        ValueError: there is more in it than plain values; nothing was written.
    """
    body = marshal.dumps(message)
    stream.write(len(body).to_bytes(_HEAD_BYTES, "big") + body)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next message.

    Raises:
        EOFError: there is none, or not the whole of it.
    """
    count = int.from_bytes(_exactly(stream, _HEAD_BYTES), "big")
    return marshal.loads(_exactly(stream, count))  # noqa: S302  # from a process that we began


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("the other process is gone")
    return data


def main() -> None:
    """Keep what comes, and answer, until the asking process ends."""
    try:
        while True:
            send(sys.stdout.buffer, keep(receive(sys.stdin.buffer)))
    except (EOFError, BrokenPipeError):
        return
