"""The results file: the table again, each row with what became of it, in the table's order."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes.batch.parquet import load_pyarrow, open_parquet, parquet_batches
from nanorecipes.batch.table import columns as table_columns
from nanorecipes.batch.table import format_of, read_rows
from nanorecipes.batch.writers import (
    RowWriter,
    free_name,
    new_file,
    parquet_text_writer,
    text_writer,
)
from nanorecipes.errors import SaveError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nanorecipes.batch.rows import Row

COLUMNS = ("row_key", "state", "path", "cost_usd", "task_id", "error")
PROOF_COLUMNS = ("verdict", "score", "reasons", "tries")
"""Besides, where something was proved."""


class RowResult(NamedTuple):
    """What became of one row."""

    state: str
    """verified unknown failed refused bad planned"""
    row_key: str | None = None
    path: str | None = None
    """The picture, as the results file should name it."""
    cost_usd: Decimal | None = None
    task_id: str | None = None
    error: str | None = None
    verdict: str | None = None
    score: float | None = None
    reasons: str | None = None
    tries: int | None = None
    """How many purchases there were; the better one is named, and all are in the cost."""


@dataclass(frozen=True)
class Results:
    """A results file that was written."""

    path: Path
    rows: int
    states: Mapping[str, int]
    """How many rows are in each state."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The table's own columns that had a name of ours, and how they are called in the file."""


def write_results(
    target: str | os.PathLike[str],
    table: str | os.PathLike[str],
    lookup: Callable[[Row], RowResult],
    *,
    format: str | None = None,
    guard_formulas: bool | None = None,
    proved: bool = False,
) -> Results:
    """Write one line for each row of the table: its columns, then `COLUMNS`.

    The table is read again, so memory doesn't grow with its rows; the file appears when it is
    whole. A column of the table that has one of our names becomes `input_NAME`.

    Args:
        target: the file; its name says whether it is CSV, TSV, JSON Lines or Parquet.
        table: the table that was run.
        lookup: what became of a row; called once for each, in order.
        format: the table's format, where its name doesn't say it.
        guard_formulas: in CSV and TSV, put a `'` before texts of the table that a spreadsheet
            would run as formulas. Left out, this is done when the table itself was none that
            spreadsheets open; texts that came from the service are always guarded.
        proved: whether `PROOF_COLUMNS` follow.

    Raises:
        InputError: the table can't be read.
        SaveError: the file can't be written.
        MissingExtraError: Parquet, without `nanorecipes[parquet]`.
    """
    path, source = Path(target), Path(table)
    kind = format_of(source, format)
    names = table_columns(source, format=kind)
    ours = (*COLUMNS, *PROOF_COLUMNS) if proved else COLUMNS
    renamed = _renamed(names, ours)
    states: dict[str, int] = {}
    heads = [renamed.get(name, name) for name in names] + list(ours)
    with new_file(path) as part:
        if format_of(path) == "parquet" and kind == "parquet":
            rows = _extend_parquet(part, source, heads, ours, lookup, states)
        else:
            is_guarded = kind == "jsonl" or kind == "parquet"
            if guard_formulas is not None:
                is_guarded = guard_formulas
            guarded = [is_guarded] * len(names) + [True] * len(ours)
            with ExitStack() as stack:
                writer = stack.enter_context(_writer(part, format_of(path), heads, guarded))
                rows = _copy(writer, names, ours, read_rows(source, format=kind), lookup, states)
    return Results(path, rows, states, renamed)


def _renamed(names: Sequence[str], ours: Sequence[str]) -> dict[str, str]:
    renamed: dict[str, str] = {}
    for name in names:
        if name in ours:
            renamed[name] = free_name(f"input_{name}", [*names, *renamed.values(), *ours])
    return renamed


def _writer(part: Path, format: str, heads: Sequence[str], guarded: Sequence[bool]) -> Any:
    if format == "parquet":
        return parquet_text_writer(part, heads)
    return text_writer(part, heads, format, guarded)


def _copy(
    writer: RowWriter,
    names: Sequence[str],
    ours: Sequence[str],
    rows: Iterator[Row],
    lookup: Callable[[Row], RowResult],
    states: dict[str, int],
) -> int:
    count = 0
    for row in rows:
        result = lookup(row)
        states[result.state] = states.get(result.state, 0) + 1
        writer.write([*(row.values.get(name) for name in names), *_cells(result, ours)])
        count += 1
    return count


def _cells(result: RowResult, ours: Sequence[str]) -> tuple[Any, ...]:
    """The values of our columns, numbers as texts."""
    return tuple(_cell(getattr(result, name)) for name in ours)


def _cell(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return format(value, "f")
    return None if value is None else str(value)


def _extend_parquet(
    part: Path,
    source: Path,
    heads: Sequence[str],
    ours: Sequence[str],
    lookup: Callable[[Row], RowResult],
    states: dict[str, int],
) -> int:
    """Parquet to Parquet: the table's columns keep their types."""
    pa = load_pyarrow()
    with open_parquet(source) as (_, file):
        fields = [
            field.with_name(name) for field, name in zip(file.schema_arrow, heads, strict=False)
        ]
    schema = pa.schema([*fields, *((name, pa.string()) for name in ours)])
    count = 0
    try:
        with pa.parquet.ParquetWriter(part, schema) as writer:
            for batch, rows in parquet_batches(source):
                results = [lookup(row) for row in rows]
                for result in results:
                    states[result.state] = states.get(result.state, 0) + 1
                cells = zip(*(_cells(result, ours) for result in results), strict=True)
                added = [pa.array(column, pa.string()) for column in cells]
                writer.write_batch(pa.record_batch([*batch.columns, *added], schema=schema))
                count += len(rows)
    except pa.ArrowException as exc:
        raise SaveError(f"the results can't be written as Parquet: {exc}", path=part) from exc
    return count


__all__ = ["COLUMNS", "PROOF_COLUMNS", "Results", "RowResult", "write_results"]
