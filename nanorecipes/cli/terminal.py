"""Pictures in a terminal: which one can show them, and in what bytes.

Three protocols are in use: kitty's graphics, iTerm2's inline images, and DEC's sixels. Terminals
say in their environment which they are; none is asked, since one that doesn't answer would hang.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from nanorecipes.preview import small_image, small_picture

if TYPE_CHECKING:
    from PIL.Image import Image

Protocol: TypeAlias = Literal["kitty", "iterm2", "sixel"]

VARIABLE = "NANORECIPES_SHOW"
"""Names the protocol where it can't be told; `none` for none."""
EDGE_PX = 400
SIXEL_COLORS = 192
_KITTY_CHUNK = 4096
"""Bytes of base64 in one escape sequence: the most that the protocol allows."""
_SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft", "sixel")


def find_protocol(environment: Mapping[str, str] = os.environ) -> Protocol | None:
    """How the terminal shows pictures, or None where it surely or perhaps can't."""
    asked = environment.get(VARIABLE, "").strip().lower()
    if asked:
        return cast("Protocol", asked) if asked in get_args(Protocol) else None
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term.startswith(("tmux", "screen")) or environment.get("TMUX"):
        return None  # multiplexers hold back what they don't know
    if term in ("xterm-kitty", "xterm-ghostty") or environment.get("KITTY_WINDOW_ID"):
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    if program == "mintty" or term.startswith(_SIXEL_TERMS) or term.endswith("-sixel"):
        return "sixel"
    return None


def picture_bytes(data: bytes, protocol: Protocol, edge_px: int = EDGE_PX) -> bytes | None:
    """What a terminal must be sent to show a picture, at most `edge_px` pixels wide and high.

    None for a picture that can't be decoded.
    """
    if protocol == "sixel":
        image = small_image(data, edge_px)
        return sixel(image) if image is not None else None
    small = small_picture(data, edge_px, "PNG")
    if small is None:
        return None
    return kitty(small) if protocol == "kitty" else iterm2(small)


def kitty(png: bytes) -> bytes:
    """A PNG by kitty's protocol: transmit and show, in chunks; no answer is asked for."""
    data = base64.b64encode(png)
    chunks = [data[i : i + _KITTY_CHUNK] for i in range(0, len(data), _KITTY_CHUNK)]
    parts = []
    for number, chunk in enumerate(chunks):
        more = b"m=1" if number < len(chunks) - 1 else b"m=0"
        control = b"a=T,f=100,q=2," + more if number == 0 else more
        parts.append(b"\x1b_G" + control + b";" + chunk + b"\x1b\\")
    return b"".join(parts)


def iterm2(png: bytes) -> bytes:
    """A PNG by iTerm2's protocol."""
    size = b"%d" % len(png)
    return b"\x1b]1337;File=inline=1;size=" + size + b":" + base64.b64encode(png) + b"\x07"


def sixel(image: Image) -> bytes:
    """Pixels as sixels: bands of six rows, drawn colour by colour."""
    palettized = _on_white(image).quantize(SIXEL_COLORS)
    width, height = palettized.size
    colors = palettized.getpalette() or []
    pixels = palettized.tobytes()
    parts = [f'\x1bPq"1;1;{width};{height}'.encode()]
    for number in sorted(set(pixels)):
        red, green, blue = (round(part * 100 / 255) for part in colors[number * 3 : number * 3 + 3])
        parts.append(f"#{number};2;{red};{green};{blue}".encode())
    for top in range(0, height, 6):
        rows = [pixels[y * width : (y + 1) * width] for y in range(top, min(top + 6, height))]
        parts.append(b"$".join(_band(rows, width)) + b"-")
    return b"".join([*parts, b"\x1b\\"])


def _on_white(image: Image) -> Image:
    if image.mode != "RGBA":
        return image
    from PIL import Image as Pillow

    paper = Pillow.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    return paper.convert("RGB")


def _band(rows: list[bytes], width: int) -> Iterator[bytes]:
    """Each colour's part of six rows; runs of the same column are counted."""
    masks: dict[int, bytearray] = {}
    for bit, row in enumerate(rows):
        for x, color in enumerate(row):
            masks.setdefault(color, bytearray(width))[x] |= 1 << bit
    for color, mask in masks.items():
        yield b"#%d" % color + _runs(mask)


def _runs(mask: bytearray) -> bytes:
    parts, start = [], 0
    for x in range(1, len(mask) + 1):
        if x == len(mask) or mask[x] != mask[start]:
            count, column = x - start, bytes([63 + mask[start]])
            parts.append(b"!%d" % count + column if count > 3 else column * count)
            start = x
    return b"".join(parts)


__all__ = ["VARIABLE", "Protocol", "find_protocol", "picture_bytes"]
