"""Pictures that came with their answer, kept on the disk until they are where they belong."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from nanorecipes import files
from nanorecipes.durable import sync_path
from nanorecipes.service.flow import NoPicture

KEPT = "kept:"
"""How the name of a picture begins that lies here."""

INLINE = "inline:"
"""How the name of a picture begins that came with its answer and lies nowhere."""

FOLDER = "answers"
"""The folder beside a ledger."""

_NAME = re.compile(r"kept:(([0-9a-f]{64})-[0-9a-f]{8})")


def came_along(name: str) -> bool:
    """Whether it names a picture that came with its answer: there is nothing to ask a service."""
    return name.startswith((KEPT, INLINE))


class KeptAnswers:
    """A folder of answers beside the ledger: each was paid for, and is nowhere else.

    A name holds the picture's SHA-256, and a number of its own: the same picture that was bought
    twice is kept twice, so that one purchase never takes away what the other still needs.

    Args:
        folder: made when the first picture comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def beside(cls, ledger: Path) -> KeptAnswers:
        """The answers of a ledger's file."""
        return cls(ledger.parent / FOLDER)

    def names(self) -> list[str]:
        """The name of each picture that lies here."""
        try:
            found = sorted(path.name for path in self.folder.iterdir())
        except OSError:
            return []
        return [name for name in (f"{KEPT}{file}" for file in found) if _NAME.fullmatch(name)]

    def path(self, name: str) -> Path:
        """Where a picture lies that is kept under this name."""
        return self.folder / name.removeprefix(KEPT)

    def keep(self, data: bytes) -> str:
        """Keep a picture for good; when this returns, a power cut can't take it.

        Raises:
            OSError: it can't be written.
        """
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_path(self.folder.parent)
        name = f"{files.sha256(data)}-{os.urandom(4).hex()}"
        files.write_atomic(self.folder / name, data, durable=True)
        return f"{KEPT}{name}"

    def read(self, name: str) -> bytes | NoPicture:
        """The picture of that name, or why there is none."""
        if name.startswith(INLINE):
            return NoPicture("it was in memory alone, and ended with its program", is_final=True)
        found = _NAME.fullmatch(name)
        if found is None:
            return NoPicture("it names no kept answer", is_final=True)
        path = self.folder / found[1]
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return NoPicture(f"{str(path)!r} is gone, and Google keeps no copy", is_final=True)
        except OSError as exc:
            return NoPicture(f"{str(path)!r} can't be read: {exc.strerror or exc}")
        if files.sha256(data) != found[2]:
            return NoPicture(f"{str(path)!r} is damaged", is_final=True)
        return data

    def drop(self, name: str) -> None:
        """Let go of a picture that lies where it belongs."""
        found = _NAME.fullmatch(name)
        if found is not None:
            with contextlib.suppress(OSError):
                (self.folder / found[1]).unlink()
