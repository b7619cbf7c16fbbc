"""Folders that the disk has for good: written under another name, synced, moved, and read again.

As a process of its own it takes groups from its standard input until it is told to end, or the
process that it works for is gone. So it needs little but the standard library, and starts at once.
"""

from __future__ import annotations

import json
import marshal
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any, Literal, NamedTuple

from nanorecipes.durable import sync, sync_path
from nanorecipes.making import Sheet, put_together

Parcel = tuple[bytes, Sequence[tuple[str, tuple[Any, ...]]]]
"""A folder as the system spells it, and its pictures: the name of each, and its sheet as `plain`
gives it. There are values in it alone that look the same to every process of this Python."""


class End(NamedTuple):
    """What became of a folder."""

    state: Literal["kept", "error", "trouble"]
    """`error` where it couldn't be written, so that there is none; `trouble` where the disk gives
    other bytes than it was given."""
    why: str = ""
    """The error, or the name of the file in trouble."""
    digests: Sequence[str] = ()
    """SHA-256 of each picture's file, in hex."""


_PART_BYTES = 256 * 1024
_HEAD_BYTES = 8


def plain(sheet: Sheet) -> tuple[Any, ...]:
    """A sheet as values that any process can be sent: its facts are JSON."""
    facts = json.dumps(sheet.facts, ensure_ascii=False, default=str)
    return tuple(sheet._replace(facts=facts))  # type: ignore[arg-type]


def keep(parcels: Sequence[Parcel], is_wanted: Callable[[], bool] = lambda: True) -> list[End]:
    """Write several folders of pictures, each with its sidecar, and read them again.

    When this returns, a power cut can't take them. A folder appears whole or not at all, and takes
    the place of one that is there. All files of the group are written before the disk is asked to
    have them for good: it then does so in a few turns for all.

    Args:
        parcels: the folders.
        is_wanted: asked before anything is made or moved. Where it says no, somebody else may work
            at the same folders: nothing more is touched, and the process ends.

    Returns:
        What became of each.
    """
    drafts = [_Draft(folder, pictures, is_wanted) for folder, pictures in parcels]
    try:
        _each(drafts, _Draft.write)
        if len(drafts) > 1:
            _each(drafts, _Draft.hurry)
        for step in (_Draft.sync, _Draft.sync_folder, _Draft.place):
            _each(drafts, step)
        for parent in {draft.parent for draft in drafts if draft.end is None}:
            _each([draft for draft in drafts if draft.parent == parent], _once(parent))
        _each(drafts, _Draft.compare)
    finally:
        for draft in drafts:
            draft.close()
    return [draft.end or End("kept", digests=draft.digests) for draft in drafts]


def _each(drafts: list[_Draft], step: Callable[[_Draft], None]) -> None:
    """Do a step for all that had no error; the others of the group must not suffer from one."""
    for draft in drafts:
        if draft.end is None:
            try:
                step(draft)
            except OSError as exc:
                draft.fail(exc.strerror or str(exc))
            except Exception as exc:
                draft.fail(f"{type(exc).__name__}: {exc}")


def _once(parent: bytes) -> Callable[[_Draft], None]:
    """Wait until the disk has the names in a folder, once for all; an error is each one's."""
    ends: list[OSError | None] = []

    def step(draft: _Draft) -> None:
        if not ends:
            try:
                sync_path(parent)
            except OSError as exc:
                ends.append(exc)
            else:
                ends.append(None)
        if ends[0] is not None:
            raise ends[0]

    return step


class _Draft:
    """A folder under another name, until its files are on the disk.

    Each call of the system hands the interpreter to another thread and back, which takes longer
    than the call: so there are as few as can be.
    """

    def __init__(
        self,
        folder: bytes,
        pictures: Sequence[tuple[str, tuple[Any, ...]]],
        is_wanted: Callable[[], bool],
    ) -> None:
        self.folder = folder
        self.parent, name = os.path.split(folder)
        self.end: End | None = None
        """What became of it, where that isn't as it should be."""
        self.digests: list[str] = []
        self._pictures = pictures
        self._is_wanted = is_wanted
        # Always the same name: what a killed program left there goes when the row is saved.
        self._place = os.path.join(self.parent, b"." + name + b".part")
        self._handle: int | None = None
        """The folder, once it is made: its files are named from there, whatever its path leads to
        later."""
        self._files: list[tuple[int, str, bytes]] = []
        """Open files: handle, name, and what was written."""

    def write(self) -> None:
        """Write the files, all under the other name."""
        self._go_on()
        try:
            os.mkdir(self._place)
        except FileExistsError:
            shutil.rmtree(self._place)
            os.mkdir(self._place)
        except FileNotFoundError:
            os.makedirs(self._place)
        self._handle = os.open(self._place, os.O_RDONLY | os.O_CLOEXEC)
        for name, values in self._pictures:
            sheet = Sheet(*values)
            file = put_together(sheet._replace(facts=json.loads(values[2])), name)
            self.digests.append(file.sha256)
            self._write(name, file.picture)
            self._write(f"{name}.json", file.sidecar)

    def _write(self, name: str, data: bytes) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        handle = os.open(name, flags, 0o666, dir_fd=self._handle)
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
        assert self._handle is not None
        sync(self._handle)

    def place(self) -> None:
        """Give the folder its name."""
        self._go_on()
        try:
            os.rename(self._place, self.folder)
        except OSError:
            if not os.path.lexists(self.folder):
                raise
            old = self._place + b".old"
            shutil.rmtree(old, ignore_errors=True)
            os.rename(self.folder, old)
            os.rename(self._place, self.folder)
            shutil.rmtree(old, ignore_errors=True)

    def compare(self) -> None:
        """Read the files again."""
        for handle, name, data in self._files:
            if not _holds(handle, data):
                self.end = End("trouble", name, self.digests)

    def fail(self, why: str) -> None:
        """Leave nothing behind."""
        self.end = End("error", why)
        self.close()
        self._go_on()
        shutil.rmtree(self._place, ignore_errors=True)

    def close(self) -> None:
        """Let go of the open files."""
        while self._files:
            os.close(self._files.pop()[0])
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _go_on(self) -> None:
        if not self._is_wanted():
            raise SystemExit


def _holds(handle: int, data: bytes) -> bool:
    """Whether an open file is this, read from its beginning in parts."""
    # To where a file would go on that is too long.
    return all(
        os.pread(handle, _PART_BYTES, at) == data[at : at + _PART_BYTES]
        for at in range(0, len(data) + 1, _PART_BYTES)
    )


def send(stream: IO[bytes], message: Any) -> None:
    """Write a message of plain values for another process of the same Python."""
    body = marshal.dumps(message)
    stream.write(len(body).to_bytes(_HEAD_BYTES, "big") + body)
    stream.flush()


def receive(stream: IO[bytes], max_bytes: int) -> Any:
    """The next message.

    Raises:
        EOFError: there is none, or not the whole of it.
        ValueError: what comes is no message, or a larger one.
    """
    count = int.from_bytes(_exactly(stream, _HEAD_BYTES), "big")
    if count > max_bytes:
        raise ValueError(f"a message of {count} bytes")
    return marshal.loads(_exactly(stream, count))  # noqa: S302  # from a process that we began


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("the other process is gone")
    return data


def main() -> None:
    """Keep what comes, `(number, parcels)`, and answer `(number, ends)`; None is the end."""
    parent = int(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints in this process is no answer
    try:
        while (asked := receive(sys.stdin.buffer, sys.maxsize)) is not None:
            number, parcels = asked
            ends = keep(parcels, lambda: os.getppid() == parent)
            send(answers, (number, [tuple(end) for end in ends]))
    except (EOFError, BrokenPipeError):
        return
