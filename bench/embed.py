"""Writing a record into a large PNG, against decoding and encoding it with Pillow.

Run it with `python -m bench.embed`. The picture is one of the project's samples, scaled to what a
model sends at 2K: 2048x2048.
"""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

from PIL import Image

from bench.timing import call_us, once_ms, row
from nanorecipes import recipes
from nanorecipes.embed import embed, extract

SAMPLE = Path(__file__).parent.parent / "docs" / "samples" / "garden.jpg"
SIZE = (2048, 2048)
BAR = 0.1


def text() -> str:
    """A record of the usual length."""
    request = recipes["edit/change_part"].render(
        photo=str(SAMPLE), part="the bench", change="painted deep blue"
    )
    facts = {
        "tool": {"name": "nanorecipes"}, "prompt": request.prompt,
        "sections": [{"name": s.name, "text": s.text} for s in request.sections],
        "inputs": {"values": dict(request.inputs)},
    }  # fmt: skip
    return json.dumps(facts)


def again(data: bytes) -> bytes:
    """What a tool does that knows no better: decode and encode."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(buffer, "PNG")
    return buffer.getvalue()


def main() -> None:
    """Measure every type, the bar's first, and print the ratios."""
    with Image.open(SAMPLE) as image:
        large = image.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
    record = text()
    print(f"a record of {len(record)} characters into {SIZE[0]}x{SIZE[1]} pixels")
    for kind in ("PNG", "JPEG", "WEBP"):
        buffer = io.BytesIO()
        large.save(buffer, kind, quality=90)
        data, mime_type = buffer.getvalue(), f"image/{kind.lower()}"
        assert extract(embed(data, mime_type, record)) is not None
        written = call_us(partial(embed, data, mime_type, record), number=20) / 1e3
        if kind == "PNG":
            base = once_ms(partial(again, data), rounds=3)
            row("PNG decoded and encoded by Pillow", base, "ms", base)
        bar = f"bar {BAR}x" if kind == "PNG" else ""
        row(f"record written into a {kind} of {len(data) / 1e6:.1f} MB", written, "ms", base, bar)


if __name__ == "__main__":
    main()
