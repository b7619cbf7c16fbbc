"""Pictures of a folder that the emulator answers with, in place of the cards that it draws."""

from __future__ import annotations

import re
from pathlib import Path

from nanorecipes import files
from nanorecipes.errors import ConfigurationError

_NUMBERED = re.compile(r"(.+)-([2-9]|[1-9]\d{1,5})")
_HEAD_BYTES = 64


class Answers:
    """Answers by the name of the picture that is to be edited.

    `mug.png` answers a request for `mug.jpg`, whatever the extensions; asked for again, `mug-2.png`
    does, then `mug-3.png`, and the last one ever after.

    Args:
        folder: where they lie; read when this is made.

    Raises:
        ConfigurationError: there is no such folder, or no picture in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths: dict[str, Path] = {}
        try:
            found = sorted(path for path in folder.iterdir() if _is_picture(path))
        except OSError as exc:
            raise ConfigurationError(
                f"the folder of answers {str(folder)!r} can't be read: {exc.strerror or exc}"
            ) from exc
        for path in found:
            self._paths.setdefault(path.stem, path)
        if not found:
            raise ConfigurationError(
                f"the folder of answers {str(folder)!r} holds no picture",
                help="mug.png in it answers a request that edits mug.jpg",
            )

    def pick(self, name: str, turn: int) -> bytes | None:
        """The picture for a source of that name (without extension), asked for the `turn`th time.

        None where the folder has none for it.
        """
        numbers = sorted(
            (int(match[2]), stem)
            for stem in self._paths
            if (match := _NUMBERED.fullmatch(stem)) and match[1] == name
        )
        stems = [name] * (name in self._paths) + [stem for _, stem in numbers]
        return self._paths[stems[min(turn, len(stems)) - 1]].read_bytes() if stems else None


def _is_picture(path: Path) -> bool:
    if not files.is_regular(path):
        return False
    with path.open("rb") as file:
        return files.image_type(file.read(_HEAD_BYTES)) is not None
