"""Pictures on the disk for good: written, synced, moved into place, and read again."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes import events, files
from nanorecipes.batch import drafts
from nanorecipes.errors import LedgerError, SaveError
from nanorecipes.result import sheet_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nanorecipes.batch.drafts import End, Parcel
    from nanorecipes.batch.groups import Groups
    from nanorecipes.batch.ledger import Ledger
    from nanorecipes.result import Result, ResultImage

_PART_BYTES = 256 * 1024


class Filing(NamedTuple):
    """Pictures of one row, and the folder that they get."""

    result: Result
    folder: str


class Filed(NamedTuple):
    """Where pictures lie now."""

    saved: list[dict[str, Any]]
    """Path and SHA-256 of each."""
    trouble: str | None
    """What was found when they were read again, if they are not what was received."""


def save_durably(
    filings: Sequence[Filing], keep: Callable[[Sequence[Parcel]], list[End]] = drafts.keep
) -> list[Filed | Exception]:
    """Write the pictures of several rows, each with its sidecar, and read them again.

    When this returns, a power cut can't take them. Those of an earlier attempt are replaced: it is
    the same purchase.

    Args:
        filings: the rows' pictures.
        keep: writes their files.

    Returns:
        For each row where its pictures lie, or a `SaveError`.
    """
    ends = keep([_parcel(filing) for filing in filings])
    return [_filed(filing, end) for filing, end in zip(filings, ends, strict=True)]


async def save_watched(groups: Groups[Filing, Filed], filing: Filing) -> Filed:
    """One row's pictures written with those of others, and told as one step."""
    origin = filing.result.origin
    step = events.step("save", origin.backend, origin.request, task_id=origin.task_id)
    if step is None:
        return await groups.do(filing)
    with step:
        filed = await groups.do(filing)
        step.details["paths"] = tuple(Path(entry["path"]) for entry in filed.saved)
    return filed


def _parcel(filing: Filing) -> Parcel:
    images = filing.result.images
    assert all(image.proof is None for image in images)  # a batch proves what lies on the disk
    folder = os.fsencode(filing.folder)
    return folder, [(_name(image), drafts.plain(sheet_of(image))) for image in images]


def _name(image: ResultImage) -> str:
    return f"{image.number}{image.extension}"


def _filed(filing: Filing, end: End) -> Filed | SaveError:
    folder = filing.folder
    if end.state == "error":
        return SaveError(f"{folder!r} can't be written: {end.why}", path=folder)
    saved = [
        {"path": os.path.join(folder, _name(image)), "sha256": digest}
        for image, digest in zip(filing.result.images, end.digests, strict=True)
    ]
    if end.state == "kept":
        return Filed(saved, None)
    return Filed(saved, f"{os.path.join(folder, end.why)!r} is not what was written")


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
