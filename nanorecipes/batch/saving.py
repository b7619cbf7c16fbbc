"""Pictures on the disk for good: written, synced, moved into place, and read again."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes import events, files
from nanorecipes.errors import LedgerError, SaveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nanorecipes.batch.ledger import Ledger
    from nanorecipes.result import Result


def save_durably(result: Result, folder: Path) -> list[dict[str, Any]]:
    """Write every picture with its sidecar; when this returns, a power cut can't take them.

    The folder appears whole or not at all. One of an earlier attempt is replaced: it is the same
    purchase.

    Returns:
        Path and SHA-256 of each picture.

    Raises:
        SaveError: the folder can't be written.
    """
    origin = result.origin
    step = events.step("save", origin.backend, origin.request, task_id=origin.task_id)
    if step is None:
        return _save(result, folder)
    with step:
        saved = _save(result, folder)
        step.details["paths"] = tuple(Path(entry["path"]) for entry in saved)
    return saved


def _save(result: Result, folder: Path) -> list[dict[str, Any]]:
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        draft.mkdir(parents=True)
        names = [image.save_quietly(draft / f"{image.number}.jpg").name for image in result.images]
        saved = [
            {"path": str(folder / name), "sha256": files.sha256((draft / name).read_bytes())}
            for name in names
        ]
        for file in draft.iterdir():
            _sync(file)
        _sync(draft)
        if folder.exists():
            folder.replace(draft.with_suffix(".old"))
        draft.replace(folder)
        _sync(folder.parent)
    except OSError as exc:
        message = f"{str(folder)!r} can't be written: {exc.strerror or exc}"
        raise SaveError(message, path=folder) from exc
    finally:
        for leftover in (draft, draft.with_suffix(".old")):
            shutil.rmtree(leftover, ignore_errors=True)
    return saved


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def trouble_with(saved: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the files on the disk are not what was received, or None."""
    for entry in saved:
        path = Path(entry["path"])
        try:
            found = files.sha256(path.read_bytes())
        except OSError as exc:
            return f"{str(path)!r} can't be read: {exc.strerror or exc}"
        if found != entry["sha256"]:
            return f"{str(path)!r} is not what was written"
    return None if saved else "no file was written"


def book_saved(ledger: Ledger, task_id: str | None, paths: Iterable[Path]) -> None:
    """Write down that a single run's pictures were saved, and that they can be read.

    A task that the ledger doesn't know, or that has gone on, is left as it is.
    """
    from nanorecipes.batch.queries import find_task

    found = find_task(ledger, task_id) if task_id else None
    if found is None or found[0].state != "done":
        return
    saved = [{"path": str(p.resolve()), "sha256": files.sha256(p.read_bytes())} for p in paths]
    with contextlib.suppress(LedgerError):
        ledger.downloaded_later(found[0].id, saved).result()
        ledger.verified_later(found[0].id).result()
