"""The proof picture: what was asked for, set as a proof sheet of exactly the asked size."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw, ImageFont


@dataclass(frozen=True, slots=True)
class Tile:
    """One input image; `data` is None where it isn't held, as behind a URL elsewhere."""

    ordinal: int
    role: Literal["source", "reference"]
    data: bytes | None
    host: str
    name: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that a proof picture shows."""

    model: str
    tier: str
    ratio: str
    size_px: tuple[int, int]
    prompt: str
    seed: int | None
    request: str
    """The part of the task id that is the same for the same request."""
    number: int
    count: int
    tiles: tuple[Tile, ...]


def paint(sheet: Sheet) -> bytes:
    """Draw a proof picture as JPEG; the same sheet gives the same bytes."""
    image = Image.new("RGB", sheet.size_px, "#f6f3ec")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(8, image.width // 40))
    draw.text((10, 10), "SANDBOX PROOF, NOT A MODEL'S PICTURE", "#24272b", font)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, subsampling=0)
    return buffer.getvalue()
