"""Pictures on the disk for good: written, synced, moved into place, and read again."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nanorecipes import events, files
from nanorecipes.errors import LedgerError, SaveError
from nanorecipes.result import File, filed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nanorecipes.batch.groups import Groups
    from nanorecipes.batch.ledger import Ledger
    from nanorecipes.result import Result, ResultImage

T = TypeVar("T")

_PART_BYTES = 256 * 1024


SMALL_BYTES = 256 * 1024
"""Up to this size a picture's file is put together in less time than a thread takes to be asked."""


class Filing(NamedTuple):
    """Pictures of one row, and the folder that they get."""

    result: Result
    folder: str
    files: tuple[File, ...] | None = None
    """What is written for each picture, where it was put together already."""


class Filed(NamedTuple):
    """Where pictures lie now."""

    saved: list[dict[str, Any]]
    """Path and SHA-256 of each."""
    trouble: str | None
    """What was found when they were read again, if they are not what was received."""


def save_durably(filings: Sequence[Filing]) -> list[Filed | Exception]:
    """Write the pictures of several rows, each with its sidecar, and read them again.

    When this returns, a power cut can't take them. A folder appears whole or not at all. One of an
    earlier attempt is replaced: it is the same purchase. All files of the group are written before
    the disk is asked to have them for good: it then does so in a few turns for all.

    Returns:
        For each row where its pictures lie, or a `SaveError`.
    """
    drafts: list[_Draft | Exception] = [_attempt(_Draft, filing) for filing in filings]
    if len(drafts) > 1:
        drafts = [_after(draft, _Draft.hurry) for draft in drafts]
    for step in (_Draft.sync, _Draft.sync_folder, _Draft.place):
        drafts = [_after(draft, step) for draft in drafts]
    for parent in {draft.parent for draft in drafts if isinstance(draft, _Draft)}:
        _sync(parent)
    return [_after(draft, _Draft.filed) for draft in drafts]


async def save_watched(groups: Groups[Filing, Filed], filing: Filing) -> Filed:
    """One row's pictures written with those of others, and told as one step."""
    origin, images = filing.result.origin, filing.result.images
    if sum(len(image.data) for image in images) <= SMALL_BYTES:
        filing = filing._replace(files=tuple(map(_file, images)))
    step = events.step("save", origin.backend, origin.request, task_id=origin.task_id)
    if step is None:
        return await groups.do(filing)
    with step:
        filed = await groups.do(filing)
        step.details["paths"] = tuple(Path(entry["path"]) for entry in filed.saved)
    return filed


def _attempt(work: Callable[[Filing], T], filing: Filing) -> T | Exception:
    try:
        return work(filing)
    except SaveError as exc:
        return exc
    except OSError as exc:
        message = f"{filing.folder!r} can't be written: {exc.strerror or exc}"
        error = SaveError(message, path=filing.folder)
        error.__cause__ = exc
        return error
    except Exception as exc:  # the others of the group must not suffer from it
        return exc


def _after(draft: _Draft | Exception, work: Callable[[_Draft], T]) -> T | Exception:
    if isinstance(draft, Exception):
        return draft
    made = _attempt(lambda _: work(draft), draft.filing)
    if isinstance(made, Exception):
        draft.clear()
    return made


def _file(image: ResultImage) -> File:
    return filed(image, f"{image.number}{image.extension}")


class _Draft:
    """A row's folder under another name, until its files are on the disk.

    Each call of the system hands the interpreter to another thread and back, which takes longer
    than the call: so there are as few as can be.
    """

    def __init__(self, filing: Filing) -> None:
        self.filing = filing
        self.parent, name = os.path.split(filing.folder)
        # Always the same name: what a killed program left there goes when the row is saved.
        self._place = os.path.join(self.parent, f".{name}.part")
        self._handles: dict[int, bytes | None] = {}
        """Open files, with what was written to each; None where that is known by its hash alone."""
        self.saved: list[dict[str, Any]] = []
        self._make()
        try:
            for number, image in enumerate(filing.result.images):
                self._write(image, filing.files[number] if filing.files else _file(image))
        except BaseException:
            self.clear()
            raise

    def _make(self) -> None:
        try:
            os.mkdir(self._place)
        except FileExistsError:
            shutil.rmtree(self._place)
            os.mkdir(self._place)
        except FileNotFoundError:
            os.makedirs(self._place)

    def _write(self, image: ResultImage, file: File) -> None:
        name = f"{image.number}{image.extension}"
        if image.proof is None:
            self._write_file(name, file.picture)
            self._write_file(f"{name}.json", file.sidecar)
        else:  # its drawings as well
            image.save_quietly(os.path.join(self._place, name))
            for entry in os.scandir(self._place):
                self._handles[os.open(entry.path, os.O_RDWR)] = None
        path = os.path.join(self.filing.folder, name)
        self.saved.append({"path": path, "sha256": file.sha256})

    def _write_file(self, name: str, data: bytes) -> None:
        path = os.path.join(self._place, name)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        self._handles[handle] = data
        written = 0
        while written < len(data):
            written += os.write(handle, data[written:] if written else data)

    def hurry(self) -> _Draft:
        """Let the disk begin: then the files of a whole group become durable by one commit."""
        if hasattr(os, "posix_fadvise"):
            for handle in self._handles:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        return self

    def sync(self) -> _Draft:
        """Wait until the disk has the files."""
        for handle in self._handles:
            os.fsync(handle)
        return self

    def sync_folder(self) -> _Draft:
        """Wait until it has their names: as a rule they came with the files of the group."""
        _sync(self._place)
        return self

    def place(self) -> _Draft:
        """Give the folder its name."""
        folder = self.filing.folder
        try:
            os.rename(self._place, folder)
        except OSError:
            if not os.path.lexists(folder):
                raise
            old = f"{self._place}.old"
            shutil.rmtree(old, ignore_errors=True)
            os.rename(folder, old)
            os.rename(self._place, folder)
            shutil.rmtree(old, ignore_errors=True)
        return self

    def filed(self) -> Filed:
        """Read the files again."""
        try:
            written = self._handles.items()
            if all(data is not None and _holds(handle, data) for handle, data in written):
                return Filed(self.saved, None)
        finally:
            self._close()
        return Filed(self.saved, trouble_with(self.saved))

    def clear(self) -> None:
        """Leave nothing behind."""
        self._close()
        shutil.rmtree(self._place, ignore_errors=True)

    def _close(self) -> None:
        while self._handles:
            os.close(self._handles.popitem()[0])


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _holds(handle: int, data: bytes) -> bool:
    """Whether an open file is this, read from its beginning in parts."""
    # To where a file would go on that is too long.
    return all(
        os.pread(handle, _PART_BYTES, at) == data[at : at + _PART_BYTES]
        for at in range(0, len(data) + 1, _PART_BYTES)
    )


def _read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(handle, _PART_BYTES):
            parts.append(part)
            if len(part) < _PART_BYTES:  # a plain file gives less only at its end
                break
        return b"".join(parts)
    finally:
        os.close(handle)


def trouble_with(saved: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the files on the disk are not what was received, or None."""
    for entry in saved:
        path = entry["path"]
        try:
            found = files.sha256(_read(path))
        except OSError as exc:
            return f"{path!r} can't be read: {exc.strerror or exc}"
        if found != entry["sha256"]:
            return f"{path!r} is not what was written"
    return None if saved else "no file was written"


def gone(saved: Sequence[Mapping[str, Any]], folder: str) -> str | None:
    """Why there are no files any more, or None; a folder that moved took its files along.

    Args:
        saved: path and SHA-256 of each.
        folder: where the row's files belong.
    """
    for entry in saved:
        path = entry["path"]
        here = os.path.join(folder, os.path.basename(path))
        if not os.path.exists(path) and not os.path.exists(here):
            return f"{path!r} is gone"
    return None


def book_saved(ledger: Ledger, task_id: str | None, paths: Iterable[Path]) -> bool:
    """Write down that a single run's pictures were saved, and that they can be read.

    A task that the ledger doesn't know, or that has gone on, is left as it is.

    Returns:
        Whether the ledger says from now on that they are there.
    """
    from nanorecipes.batch.queries import find_task

    found = find_task(ledger, task_id) if task_id else None
    if found is None or found[0].state != "done":
        return False
    saved = [{"path": str(p.resolve()), "sha256": files.sha256(p.read_bytes())} for p in paths]
    with contextlib.suppress(LedgerError):
        ledger.downloaded_later(found[0].id, saved).result()
        ledger.verified_later(found[0].id).result()
        return True
    return False
