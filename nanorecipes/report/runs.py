"""What a run of the ledger holds: its pictures, and as plainly what didn't come of its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes import files
from nanorecipes.batch import queries
from nanorecipes.batch.keys import base_key, file_digest, from_text, row_key, try_number
from nanorecipes.images import BadImageError
from nanorecipes.provenance import Provenance, clean
from nanorecipes.report.data import Row, of_picture

if TYPE_CHECKING:
    from nanorecipes.batch.ledger import Ledger, Run
    from nanorecipes.batch.ledger import Row as Bought

_LAST = 2**62
_STATES = {"done": "unfetched", "submitted": "unfetched", "submitting": "sending"}
"""Words of the ledger that say little to a reader, in ours."""
_NO_MONEY = frozenset({"planned", "bad", "refused"})


def collect_run(ledger: Ledger, run: Run) -> list[Row]:
    """The rows of a run: in the table's order, equal ones once; else in the order of entry."""
    numbers: dict[int, list[int]] = {}
    bought: dict[int, Bought] = {}
    found: list[tuple[int, Row]] = []
    for line in queries.lines(ledger, run.id, _LAST):
        if line.row is None:
            found.append((line.number, _bad(line, run)))
        else:
            bought[line.row.id] = line.row
            numbers.setdefault(line.row.id, []).append(line.number)
    for row, _ in queries.rows_of(ledger, run_id=run.id):
        if not numbers or row.state != "planned":  # else its line changed, and nobody wants it
            bought.setdefault(row.id, row)
    rows_at = {(row.key, row.copy): numbers.get(row.id, []) for row in bought.values()}
    for row in bought.values():
        at = rows_at.get((base_key(row.key), row.copy), [])
        text = ", ".join([*map(str, at), *_try(row)])
        found += ((at[0] if at else _LAST, replace(r, number=text)) for r in _rows(row, run))
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _try(row: Bought) -> list[str]:
    """Which further try of its row a purchase is."""
    number = try_number(row.key)
    return [f"try {number}"] if number > 1 else []


def _bad(line: queries.Line, run: Run) -> Row:
    made = _made({"recipe": run.recipe, "backend": run.backend})
    return Row("bad", made, number=str(line.number), problem=line.error, cost_usd=Decimal(0))


def _rows(row: Bought, run: Run) -> Iterator[Row]:
    """One for each picture, or one that says why there is none."""
    share = None if not row.spent_micro else row.spent / max(1, len(row.files))
    for entry in row.files:
        picture = Path(str(entry.get("path")))
        known = of_picture(picture, picture.parent)
        if known is None:
            is_there = files.is_regular(picture)
            problem = None if is_there else f"the picture {picture.name} is no longer there"
            known = Row(
                "done" if is_there else "missing", _recorded(row, run),
                picture if is_there else None, problem=problem,
            )  # fmt: skip
        yield replace(known, cost_usd=share if share is not None else known.cost_usd)
    if not row.files:
        yield _unmade(row, run)


def _unmade(row: Bought, run: Run) -> Row:
    source, digest = _source(row)
    cost = row.spent if row.spent_micro or row.state in _NO_MONEY else None
    perhaps = row.price if row.state in ("unknown", "planned", "submitting") else None
    state = _STATES.get(row.state, row.state)
    return Row(
        state, _recorded(row, run), None, cost, perhaps, source=source, source_sha256=digest,
        problem=row.error,
    )  # fmt: skip


def _recorded(row: Bought, run: Run) -> Provenance:
    """What the ledger knows of a request, in the words of a sidecar."""
    asked: dict[str, Any] = json.loads(row.request) if row.request else {}
    images = [
        {"slot": slot, "role": role, "source": name}
        for slot, role, _, _, name in asked.get("images", ())
    ]
    return _made(
        {
            "recipe": row.recipe, "version": asked.get("version"), "hash": row.recipe_hash,
            "model": row.model, "settings": asked.get("options", {}),
            "prompt": asked.get("prompt"),
            "sections": [{"name": n, "text": text} for n, text in asked.get("sections", ())],
            "inputs": {
                "images": images, "values": asked.get("inputs", {}),
                "additions": asked.get("additions") or {},
            },
            "backend": run.backend, "task_id": row.task,
            "finished_at": _moment(row.updated_at),
        }
    )  # fmt: skip


def _source(row: Bought) -> tuple[Path | None, str | None]:
    """The picture to edit and its digest, where the row's key proves that it is that very one."""
    request = from_text(row.request) if row.request else None
    if request is None or request.first_source.input.kind != "path":
        return None, None
    path = request.first_source.input.name
    try:
        if row_key(request) == base_key(row.key):
            return Path(path), file_digest(path)
    except BadImageError:
        pass
    return None, None


def _made(facts: dict[str, Any]) -> Provenance:
    return Provenance(clean(facts), "ledger")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
