"""What notebooks show of requests and results: HTML without scripts, links or style sheets.

Notebooks drop style sheets of cells that they don't trust, and come light and dark: so each style
stands in its element, and colours of text and ground are the notebook's own.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from nanorecipes.preview import small_picture

SECTION_COLORS = {"edit": "#3f7fd0", "subject": "#3f9a5f", "details": "#b98217",
                  "protect": "#b0463f"}  # fmt: skip
"""The colours that sections have in reports too."""
EDGE_PX = 360
SHOWN_PICTURES = 24
"""A notebook is saved with all that its cells show; more pictures than these are only counted."""

_FRAME = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:1200px"
_FAINT = "opacity:.72;font-size:13px;overflow-wrap:anywhere"
_ROW = "display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start;margin:8px 0"
_BOX = (
    "display:grid;place-items:center;width:180px;height:135px;border:1px dashed;opacity:.6;"
    "padding:8px;text-align:center;overflow-wrap:anywhere;font-size:13px"
)


class Shown(NamedTuple):
    """A picture to show: what stands below it, and its file or the reason why there is none."""

    caption: str
    data: bytes | None
    absence: str = "can't be shown"


def frame(parts: Iterable[str]) -> str:
    """The whole of what a cell shows."""
    return f'<div style="{_FRAME}">{"".join(parts)}</div>'


def heading(text: str, facts: Sequence[str]) -> str:
    """A title, and facts beside it."""
    line = " · ".join(escape(fact) for fact in facts if fact)
    return f'<div><b>{escape(text)}</b></div><div style="{_FAINT}">{line}</div>'


def pictures(shown: Sequence[Shown]) -> str:
    """Pictures side by side, made small, each within the page itself."""
    figures = [_figure(one) for one in shown[:SHOWN_PICTURES]]
    more = len(shown) - len(figures)
    rest = f'<div style="{_FAINT}">and {more} more</div>' if more > 0 else ""
    return f'<div style="{_ROW}">{"".join(figures)}{rest}</div>' if shown else ""


def sections(parts: Iterable[tuple[str, str]]) -> str:
    """A prompt's sections, each with its name and its colour."""
    return "".join(
        f'<div style="margin:6px 0;padding-left:10px;white-space:pre-wrap;overflow-wrap:anywhere;'
        f'border-left:4px solid {SECTION_COLORS.get(name, "currentColor")}">'
        f'<div style="{_FAINT}">{escape(name)}</div>{escape(text)}</div>'
        for name, text in parts
    )


def notices(texts: Iterable[str]) -> str:
    """Warnings, each in a line of its own."""
    return "".join(
        f'<div style="margin:6px 0;padding-left:10px;border-left:4px solid #d09a1e;'
        f'overflow-wrap:anywhere"><b>warning</b>: {escape(text)}</div>'
        for text in texts
    )


def _figure(shown: Shown) -> str:
    small = small_picture(shown.data, EDGE_PX) if shown.data is not None else None
    if small is None:
        picture = f'<div style="{_BOX}">{escape(shown.absence)}</div>'
    else:
        data = base64.b64encode(small).decode("ascii")
        picture = (
            f'<img alt="{escape(shown.caption)}" style="max-width:{EDGE_PX}px;display:block" '
            f'src="data:image/webp;base64,{data}">'
        )
    caption = f'<figcaption style="{_FAINT};max-width:{EDGE_PX}px">{escape(shown.caption)}'
    return f'<figure style="margin:0">{picture}{caption}</figcaption></figure>'
