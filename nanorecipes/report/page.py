"""One HTML page from rows: the template filled in, with everything a stranger wrote as data."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from nanorecipes import codes, files
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError, SaveError
from nanorecipes.report.data import Row, collect
from nanorecipes.report.proofs import composite
from nanorecipes.report.thumbnails import Thumbnails, cache_folder

Pictures = Literal["auto", "inline", "files"]

INLINE_ROWS = 300
"""Above this `auto` puts the small pictures beside the page, which stays quick to open."""
COLUMNS = (
    "state", "recipe", "version", "time", "cost", "perhaps", "model", "settings", "backend", "task",
    "problem", "number", "link", "name", "verdict", "score", "reasons", "composite", "sections",
    "values", "images", "after", "before", "heat",
)  # fmt: skip
"""What the page's script knows of a row. Texts are numbers of strings; `after`, `before` and
`heat` are numbers of pictures, or null."""
_PLAIN_BYTES = 200_000
_MARK = re.compile(r"@@([A-Z]+)@@")


@dataclass(frozen=True)
class Report:
    """A report that was written."""

    path: Path
    rows: int
    states: Mapping[str, int]
    pictures: Path | None
    """The folder of small pictures that belongs to the page; None when they are inside."""
    html_bytes: int
    """The page without pictures."""
    thumbnails_made: int


def write_report(folder: Path, out: Path | None = None, *, pictures: Pictures = "auto") -> Report:
    """Write one HTML page about the pictures of a folder; it works from disk, without a network.

    Args:
        folder: where the pictures and their sidecars lie.
        out: the page, replaced when it exists; without it `report.html` in the folder.
        pictures: whether the small pictures are in the page or in `<page>-files` beside it;
            `auto` is inside up to 300 rows.

    Raises:
        InputError: there is no such folder, or nothing in it tells how it was made.
        SaveError: the page can't be written.
    """
    target = out if out is not None else folder / "report.html"
    rows = collect(folder, _beside(target))
    if not rows:
        raise _nothing(folder)
    return write_page(folder.absolute().name, rows, target, pictures=pictures)


def write_page(
    title: str, rows: Sequence[Row], target: Path, *, pictures: Pictures = "auto"
) -> Report:
    """Write one HTML page about rows, wherever they come from.

    Raises:
        SaveError: the page can't be written.
    """
    beside = _beside(target)
    is_inline = pictures == "inline" or (pictures == "auto" and len(rows) <= INLINE_ROWS)
    thumbnails = Thumbnails(cache_folder() if is_inline else beside)
    table = _Table(target.absolute().parent, thumbnails, is_inline)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        data = [table.row(row) for row in rows]
        page, size = _page(title, data, table)
        files.write_atomic(target, page)
    except OSError as exc:
        message = f"{str(target)!r} can't be written: {exc.strerror or exc}"
        raise SaveError(message, path=target) from exc
    states = dict(Counter(row.state for row in rows))
    where = None if is_inline else beside
    return Report(target, len(rows), states, where, size, thumbnails.made)


def _nothing(folder: Path) -> InputError:
    code = codes.BAD_ARGUMENT
    message = f"nothing in {str(folder)!r} tells how it was made: no picture, sidecar or results"
    advice = "name the folder that `run -o` or `batch -o` wrote, or a run: `nanorecipes runs`"
    return InputError(
        [Diagnostic(code.code, code.name, "error", message, field="dir", help=advice)]
    )


def _beside(target: Path) -> Path:
    """The folder of small pictures that belongs to a page."""
    return target.with_name(f"{target.stem}-files")


@dataclass
class _Table:
    """Rows as short lists; each text stands once, as prompts of a recipe share most of theirs."""

    home: Path
    thumbnails: Thumbnails
    is_inline: bool
    strings: dict[str, int] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)

    def row(self, row: Row) -> list[Any]:
        """One row, in the order of `COLUMNS`."""
        cells = self._cells(row)
        return [cells[name] for name in COLUMNS]

    def _cells(self, row: Row) -> dict[str, Any]:
        made, picture, proof = row.made, row.picture, row.proof
        settings = ", ".join(f"{k} {_plain(v)}" for k, v in made.settings.items() if k != "model")
        sections = made.sections or ((("", made.prompt),) if made.prompt else ())
        values = [*made.values.items(), *made.additions.items()]
        images = [(i.slot, i.source.replace("\\", "/").rpartition("/")[2]) for i in made.images]
        texts = {
            "state": row.state, "recipe": made.recipe, "version": made.version,
            "time": made.finished_at, "model": made.model, "settings": settings,
            "backend": made.backend, "task": made.task_id, "problem": row.problem,
            "number": row.number, "link": "" if picture is None else self._link(picture),
            "name": "" if picture is None else picture.name,
            "verdict": proof.verdict if proof else "", "composite": composite(made),
        }  # fmt: skip
        return {
            **{name: self._text(text or "") for name, text in texts.items()},
            "score": proof.score if proof else None,
            "reasons": [self._text(text) for text in proof.reasons] if proof else [],
            "heat": self._picture(proof.overlay if proof else None, None),
            "cost": _usd(row.cost_usd),
            "perhaps": _usd(row.perhaps_usd),
            "sections": self._pairs(sections),
            "values": self._pairs((n, _plain(v)) for n, v in values if v not in (None, "", [])),
            "images": self._pairs(images),
            "after": self._picture(picture, None),
            "before": self._picture(row.source if row.source_sha256 else None, row.source_sha256),
        }

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> list[list[int]]:
        return [[self._text(name), self._text(text)] for name, text in pairs]

    def _text(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def _link(self, path: Path) -> str:
        try:
            relative = os.path.relpath(path.absolute(), self.home)
        except ValueError:  # another drive
            return path.absolute().as_uri()
        link = quote(relative.replace(os.sep, "/"), safe="/", errors="surrogateescape")
        return f"./{link}"

    def _picture(self, path: Path | None, sha256: str | None) -> int | None:
        small = self.thumbnails.of(path, sha256) if path is not None else None
        if small is None:
            return None
        if self.is_inline:
            data = base64.b64encode(small.read_bytes()).decode("ascii")
            self.pictures.append(f"data:image/webp;base64,{data}")
        else:
            self.pictures.append(self._link(small))
        return len(self.pictures) - 1


def _usd(cost: Decimal | None) -> float | None:
    return None if cost is None else round(float(cost), 6)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)


def _page(title: str, rows: Sequence[list[Any]], table: _Table) -> tuple[bytes, int]:
    """The page, and its size without inline pictures."""
    template = (resources("nanorecipes.report") / "page.html").read_text("utf-8")
    script = (resources("nanorecipes.report") / "page.js").read_text("utf-8")
    style = (resources("nanorecipes.report") / "page.css").read_text("utf-8")
    parts = {
        "TITLE": html.escape(title),
        "DATE": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "STYLE": style,
        "SCRIPT": script,
        # The one script that may run; whatever a prompt brings in stays text.
        "HASH": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        "DATA": _data(
            {
                "strings": [_whole(text) for text in table.strings],
                "columns": COLUMNS,
                "rows": rows,
            }
        ),
    }
    inside = _json(table.pictures)
    pictures = inside if table.is_inline else ""
    links = "" if table.is_inline else _data(table.pictures)
    full = {**parts, "PICTURES": pictures or links}
    page = _MARK.sub(lambda mark: full[mark[1]], template).encode("utf-8")
    return page, len(page) - len(pictures.encode())


def _whole(text: str) -> str:
    """A text that UTF-8 can write; file names may hold bytes that are none."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _json(value: Any) -> str:
    """JSON that no HTML parser takes for markup."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(value: Any) -> str:
    """JSON as it is, or packed where it is large: the page's script tells by the first letter."""
    text = _json(value)
    data = text.encode("utf-8")
    if len(data) <= _PLAIN_BYTES:
        return text
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")
