"""The pictures of a proof beside the picture that it is about: heat over it, and the map alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes import files

if TYPE_CHECKING:
    from PIL.Image import Image

    from nanorecipes.proof.values import Proof

SUFFIXES = {"overlay": ".overlay.jpg", "change_map": ".change-map.png"}
"""What stands behind the picture's own name."""


def is_drawing(path: Path) -> bool:
    """Whether a file's name is that of a drawing beside a picture, which is no result itself."""
    return any(
        path.name.endswith(suffix) and path.name != suffix and _picture(path, suffix).suffix != ""
        for suffix in SUFFIXES.values()
    )


def write_drawings(proof: Proof, picture: Path, *, replace: bool = False) -> dict[str, Path]:
    """Draw a proof beside its picture; nothing where no pictures were compared.

    Args:
        proof: what was found.
        picture: the picture that it is about.
        replace: whether those of an earlier proof give way; else they stay, under their names.

    Returns:
        The paths by `overlay` and `change_map`.

    Raises:
        OSError: a file can't be written.
    """
    if not proof.has_pictures:
        return {}
    drawn = {"overlay": proof.overlay(), "change_map": proof.change_map()}
    write = files.write_atomic if replace else files.write_new
    return {
        name: write(picture.with_name(f"{picture.name}{SUFFIXES[name]}"), _bytes(image))
        for name, image in drawn.items()
    }


def _picture(path: Path, suffix: str) -> Path:
    return path.with_name(path.name.removesuffix(suffix))


def _bytes(image: Image) -> bytes:
    buffer = io.BytesIO()
    if image.mode == "L":
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
