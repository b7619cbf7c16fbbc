"""Tables written row by row beside their target, and moved into place when they are whole."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from nanorecipes.batch.parquet import BATCH_ROWS, load_pyarrow
from nanorecipes.durable import sync
from nanorecipes.errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*(e[+-]?[0-9]+)?\Z", re.IGNORECASE)


class RowWriter(Protocol):
    """Takes rows one at a time."""

    def write(self, values: Sequence[Any]) -> None:
        """Write a row, its values in the order of the columns."""


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A name beside the target; what is written there becomes the target when all went well.

    Raises:
        SaveError: it can't be written.
    """
    part = path.with_name(f".nanorecipes-{os.urandom(8).hex()}.part")
    try:
        yield part
        with part.open("rb") as file:
            sync(file.fileno())
        os.replace(part, path)
    except OSError as exc:
        if isinstance(exc, SaveError):
            raise
        raise SaveError(
            f"{str(path)!r} can't be written: {exc.strerror or exc}", path=path
        ) from exc
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


@contextmanager
def text_writer(
    part: Path, columns: Sequence[str], format: str, guarded: Sequence[bool] = ()
) -> Iterator[RowWriter]:
    """A writer for CSV, TSV or JSON Lines.

    Args:
        part: the file, made anew.
        columns: their names, which CSV and TSV begin with.
        format: `csv`, `tsv` or `jsonl`.
        guarded: for each column whether its texts are kept from being read as formulas.
    """
    # Half characters can't be written as UTF-8; what JSON writes for them is what this leaves.
    with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        if format == "jsonl":
            yield _JsonWriter(file, columns)
        else:
            delimiter = "\t" if format == "tsv" else ","
            yield _DelimitedWriter(file, columns, delimiter, guarded or [False] * len(columns))


@contextmanager
def parquet_text_writer(part: Path, columns: Sequence[str]) -> Iterator[RowWriter]:
    """A writer for a Parquet file whose columns are all texts.

    Raises:
        MissingExtraError: pyarrow isn't installed.
    """
    pa = load_pyarrow()
    schema = pa.schema([(name, pa.string()) for name in columns])
    with pa.parquet.ParquetWriter(part, schema) as file:
        writer = _ParquetWriter(pa, file, schema)
        yield writer
        writer.flush()


class _DelimitedWriter:
    def __init__(
        self, file: IO[str], columns: Sequence[str], delimiter: str, guarded: Sequence[bool]
    ) -> None:
        self._writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        # A lone carriage return is a line break to readers, and not quoted by the csv module.
        self._quoting = csv.writer(
            file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        self._guarded = guarded
        self.write(columns)

    def write(self, values: Sequence[Any]) -> None:
        cells = [
            guard(cell_text(value)) if is_guarded else cell_text(value)
            for value, is_guarded in zip(values, self._guarded, strict=True)
        ]
        writer = self._quoting if any("\r" in cell for cell in cells) else self._writer
        writer.writerow(cells)


class _JsonWriter:
    def __init__(self, file: IO[str], columns: Sequence[str]) -> None:
        self._file = file
        self._columns = columns

    def write(self, values: Sequence[Any]) -> None:
        row = dict(zip(self._columns, values, strict=True))
        self._file.write(json_text(row))
        self._file.write("\n")


class _ParquetWriter:
    def __init__(self, pa: Any, file: Any, schema: Any) -> None:
        self._pa, self._file, self._schema = pa, file, schema
        self._rows: list[Sequence[Any]] = []

    def write(self, values: Sequence[Any]) -> None:
        self._rows.append([None if value is None else _storable(value) for value in values])
        if len(self._rows) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [self._pa.array(column, self._pa.string()) for column in columns]
        if arrays:
            self._file.write_batch(self._pa.record_batch(arrays, schema=self._schema))
        self._rows.clear()


def _storable(value: Any) -> str:
    return cell_text(value).encode("utf-8", "backslashreplace").decode()


def guard(text: str) -> str:
    """The text, with a `'` before what a spreadsheet would run as a formula; numbers stay."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.match(text) else text


def cell_text(value: Any) -> str:
    """A value as the text of a cell: nothing is empty, lists and objects are JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, dict)):
        return json_text(value)
    return str(_plain(value))


def json_text(value: Any) -> str:
    """A value as one line of JSON; what JSON has no word for becomes a text, or null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:  # a NaN or an infinity somewhere
        return json.dumps(_finite(value), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, with a number behind it where it is taken."""
    used = set(taken)
    if name not in used:
        return name
    number = 2
    while f"{name}_{number}" in used:
        number += 1
    return f"{name}_{number}"
