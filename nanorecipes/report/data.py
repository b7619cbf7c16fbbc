"""What a folder of pictures holds: one row a picture, and one for each that wasn't made."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from nanorecipes import files
from nanorecipes.drawings import is_drawing
from nanorecipes.errors import InputError, NanorecipesError
from nanorecipes.provenance import Provenance, clean, read, read_sidecar, sidecar_path
from nanorecipes.report.proofs import Proved, composite, proved

_MADE = ("verified", "downloaded")
_PAID = ("submitted", "done")
"""Bought, and left to the next call to fetch."""
_MAX_TABLE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One picture, or one that should have been made."""

    state: str
    """done, warned, missing (its file is gone), or the state of a row that made none."""
    made: Provenance
    picture: Path | None = None
    cost_usd: Decimal | None = None
    """Its part of what the request cost; None where nobody can say."""
    perhaps_usd: Decimal | None = None
    """What an unknown row has perhaps cost, and a planned one would cost."""
    number: str = ""
    """The table's rows that it stands for, from 1: `3`, or `3, 17` where they are the same."""
    source: Path | None = None
    """The picture that was edited, where it may still lie."""
    source_sha256: str | None = None
    problem: str | None = None
    proof: Proved | None = None
    """What was found when it was held against its source."""


def collect(folder: Path, skip: Path | None = None) -> list[Row]:
    """The rows of a folder and those below it, in the order of their names.

    Sidecars come first, then pictures that carry their record in themselves, then the rows of a
    results table (CSV or JSON Lines) that made no picture. Files of another kind are passed over;
    links to folders are not followed.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        from nanorecipes import codes
        from nanorecipes.diagnostics import Diagnostic

        code = codes.BAD_ARGUMENT
        message = f"there is no folder {str(folder)!r}"
        raise InputError([Diagnostic(code.code, code.name, "error", message, field="dir")])
    paths = list(_files(folder, skip))
    # A row of a batch whose folder has a sidecar is told by that.
    told = {path.parent.name for path in paths if _is_sidecar(path)}
    return _shared([row for path in paths for row in _rows(path, folder, told)])


def _is_sidecar(path: Path) -> bool:
    return path.suffix == ".json" and path.with_suffix("").suffix.lower() in files.PICTURE_SUFFIXES


def of_picture(picture: Path, folder: Path) -> Row | None:
    """The row of one picture, there or gone; None where neither it nor a sidecar tells."""
    facts = read_sidecar(sidecar_path(picture))
    if facts is not None:
        return _row(Provenance(facts, "sidecar"), picture, folder)
    try:
        made = read(picture)
    except NanorecipesError:
        return None
    return _row(made, picture, folder) if made is not None else None


def _files(folder: Path, skip: Path | None) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if name[0] != "." and here / name != skip)
        yield from (here / name for name in sorted(names))


def _rows(path: Path, folder: Path, told: Collection[str]) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if suffix == ".json":
        facts = read_sidecar(path)
        if facts is not None:
            yield _row(Provenance(facts, "sidecar"), path.with_suffix(""), folder)
    elif suffix in files.PICTURE_SUFFIXES and not is_drawing(path):
        if not path.with_name(f"{path.name}.json").exists():
            row = of_picture(path, folder)
            if row is not None:
                yield row
    elif suffix in (".jsonl", ".csv"):
        yield from _unmade(path, told)


def _row(made: Provenance, picture: Path, folder: Path) -> Row:
    is_there = files.is_regular(picture)
    state = "missing" if not is_there else "warned" if made.warnings else "done"
    problem = "\n".join(made.warnings) or None
    if not is_there:
        problem = f"the picture {picture.name} is no longer there"
    edited = next((image for image in made.images if image.role == "source"), None)
    return Row(
        state, made, picture if is_there else None,
        # A restored picture tells of the purchase of the one that it was made from.
        Decimal(0) if composite(made) is not None else made.cost_usd,
        source=_find(edited.source, picture.parent, folder) if edited else None,
        source_sha256=edited.sha256 if edited else None, problem=problem,
        proof=proved(made, picture),
    )  # fmt: skip


def _find(source: str, *folders: Path) -> Path | None:
    """Where a source may lie; whether it is that very picture, its digest tells later."""
    if not source or "://" in source or "\0" in source:
        return None
    name = source.replace("\\", "/").rpartition("/")[2]
    for place in (Path(source), *(folder / name for folder in folders)):
        if files.is_regular(place):
            return place
    return None


def _shared(rows: list[Row]) -> list[Row]:
    """A request's cost, shared by its pictures: otherwise the sum would count it several times."""

    def key(row: Row) -> tuple[Any, ...] | None:
        is_bought = row.made.task_id and composite(row.made) is None
        # Each process's own emulator counts its tasks from the beginning.
        when = row.made.facts.get("finished_at")
        return (row.made.backend, row.made.task_id, when) if is_bought else None

    counts = Counter(key(row) for row in rows)
    return [
        replace(row, cost_usd=row.cost_usd / counts[key(row)])
        if row.cost_usd is not None and key(row) is not None
        else row
        for row in rows
    ]


def _unmade(path: Path, told: Collection[str]) -> Iterator[Row]:
    """The rows of a results table that came to nothing; `told` are keys of others."""
    recipe = cache(lambda: _recipe_of(path))
    for number, row in enumerate(_table(path), 1):
        state = row.get("state")
        if not isinstance(state, str) or "row_key" not in row or state in _MADE:
            continue
        if row["row_key"] in told:
            continue
        facts = clean({
            "tool": {"name": "nanorecipes"},
            "recipe": row.get("recipe") or recipe(),
            **{key: row.get(key) for key in ("model", "task_id", "cost_usd")},
            "inputs": {"values": _own(row)},
        })  # fmt: skip
        made = Provenance(facts, "sidecar")
        error = row.get("error")
        state = "unfetched" if state in _PAID else state
        yield Row(
            state,
            made,
            None,
            made.cost_usd,
            number=str(number),
            problem=str(error) if error else None,
        )


def _recipe_of(table: Path) -> str | None:
    """The recipe that a table was run with: by one of its pictures, else by the batch's folder."""
    from nanorecipes.batch.begin import recipe_of

    for row in _table(table):
        if row.get("state") in _MADE and isinstance(row.get("path"), str):
            try:
                picture = files.join_under(table.parent, row["path"])
            except (InputError, OSError, RuntimeError):  # it lies elsewhere
                continue
            facts = read_sidecar(sidecar_path(picture))
            if facts is not None and isinstance(facts.get("recipe"), str):
                return str(facts["recipe"])
    return recipe_of(table.parent)


def _own(row: Mapping[str, Any]) -> dict[str, Any]:
    """The table's own columns."""
    ours: tuple[str, ...] = ("row_key", "state", "path", "cost_usd", "task_id", "error")
    proofs = ("verdict", "score", "reasons", "tries")
    if all(name in row for name in proofs):
        ours = (*ours, *proofs)
    return {str(key): value for key, value in row.items() if key not in ours}


def _table(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        if path.stat().st_size > _MAX_TABLE_BYTES:
            return
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError:
        return
    if path.suffix.lower() == ".csv":
        try:
            yield from csv.DictReader(io.StringIO(text, newline=""))
        except csv.Error:
            return
        return
    for line in text.split("\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row
