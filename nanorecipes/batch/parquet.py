"""Parquet, read in small batches; needs the extra `nanorecipes[parquet]`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nanorecipes.batch.rows import (
    MAX_CELL_CHARS,
    Fault,
    Row,
    check_columns,
    text_faults,
    unreadable,
)
from nanorecipes.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATCH_ROWS = 1024


def load_pyarrow() -> Any:
    """The pyarrow package with its Parquet part.

    Raises:
        MissingExtraError: it isn't installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as exc:
        raise MissingExtraError("a Parquet table", "parquet") from exc
    return pyarrow


def parquet_columns(path: Path) -> tuple[str, ...]:
    """The names in the file's schema.

    Raises:
        InputError: the file can't be read, or two columns have the same name.
        MissingExtraError: pyarrow isn't installed.
    """
    with open_parquet(path) as (_, file):
        return check_columns(path, file.schema_arrow.names)


def parquet_rows(path: Path) -> Iterator[Row]:
    """Every row, a batch at a time.

    Raises:
        InputError: the file can't be read from some batch on.
        MissingExtraError: pyarrow isn't installed.
    """
    for _, rows in parquet_batches(path):
        yield from rows


def parquet_batches(path: Path) -> Iterator[tuple[Any, list[Row]]]:
    """The file's batches as they are, each with its rows.

    Raises:
        InputError, MissingExtraError: as for `parquet_rows`.
    """
    number = 0
    with open_parquet(path) as (pa, file):
        check_columns(path, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
            rows = []
            for values in _plain(pa, batch).to_pylist():
                number += 1
                rows.append(Row(number, values, None, _faults(values)))
            yield batch, rows


def _plain(pa: Any, batch: Any) -> Any:
    """The batch without nanoseconds, which Python's own times don't have."""
    fields = [
        pa.field(field.name, pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns"
        else field
        for field in batch.schema
    ]
    columns = [
        column if column.type == field.type else column.cast(field.type, safe=False)
        for column, field in zip(batch.columns, fields, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=[field.name for field in fields])


@contextmanager
def open_parquet(path: Path) -> Iterator[tuple[Any, Any]]:
    """pyarrow and an open file; what goes wrong inside is told as an unreadable table."""
    pa = load_pyarrow()
    try:
        # Without these two, a row group is held whole, and there may be only one.
        with pa.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            yield pa, file
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as exc:
        first = str(exc).strip().partition("\n")[0][:300]
        raise unreadable(path, f"the Parquet file can't be read: {first}") from exc


def _faults(values: dict[str, Any]) -> tuple[Fault, ...]:
    for value in values.values():
        if isinstance(value, str) and (len(value) > MAX_CELL_CHARS or "\x00" in value):
            return tuple(text_faults(values.items()))
    return ()
