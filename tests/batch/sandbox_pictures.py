"""Small pictures."""

from __future__ import annotations

import io

from PIL import Image


def png(color: str) -> bytes:
    """A square of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(buffer, "PNG")
    return buffer.getvalue()
