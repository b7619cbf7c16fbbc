"""A table's rows, whatever its format, one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from nanorecipes import codes, files
from nanorecipes.batch.binding import Binding, bind
from nanorecipes.batch.delimited import delimited_columns, delimited_rows
from nanorecipes.batch.jsonlines import json_columns, json_rows
from nanorecipes.batch.parquet import parquet_columns, parquet_rows
from nanorecipes.batch.rows import Fault, Row, unreadable
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError
from nanorecipes.suggest import did_you_mean_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

Format: TypeAlias = Literal["csv", "tsv", "jsonl", "parquet"]

_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip


def format_of(path: str | os.PathLike[str], format: str | None = None) -> Format:
    """The format of a table: as given, else by the file's name.

    Raises:
        InputError: neither names one.
    """
    known = ", ".join(get_args(Format))
    if format is not None:
        if format in get_args(Format):
            return cast("Format", format)
        raise _bad_format(f"the format {format!r} is unknown, expected one of {known}")
    found = _BY_SUFFIX.get(Path(path).suffix.lower())
    if found is None:
        name = Path(path).name
        raise _bad_format(f"{name!r} doesn't tell its format, expected one of {known}")
    return found


def columns(path: str | os.PathLike[str], *, format: str | None = None) -> tuple[str, ...]:
    """The names of a table's columns, in order.

    JSON Lines have no header, so their whole file is read.

    Raises:
        InputError: the table can't be read.
        MissingExtraError: Parquet, without `nanorecipes[parquet]`.
    """
    kind = format_of(path, format)
    file = _regular(Path(path))
    if kind == "jsonl":
        return json_columns(file)
    if kind == "parquet":
        return parquet_columns(file)
    return delimited_columns(file, _DELIMITERS[kind])


def read_rows(path: str | os.PathLike[str], *, format: str | None = None) -> Iterator[Row]:
    """The rows of a table, in order; memory doesn't grow with their number.

    A row that is broken in itself comes with its `faults`, so that every row is accounted for.

    Args:
        path: a CSV, TSV, JSON Lines or Parquet file; text is UTF-8.
        format: `csv`, `tsv`, `jsonl` or `parquet`, where the name doesn't say it.

    Raises:
        InputError: the table can't be read, at once or from some row on.
        MissingExtraError: Parquet, without `nanorecipes[parquet]`.
    """
    kind = format_of(path, format)
    file = _regular(Path(path))
    if kind == "jsonl":
        return json_rows(file)
    if kind == "parquet":
        return parquet_rows(file)
    return delimited_rows(file, _DELIMITERS[kind])


_DELIMITERS = {"csv": ",", "tsv": "\t"}


def _regular(path: Path) -> Path:
    """The path, if it is a plain file that can be opened: a table is read more than once."""
    if not files.is_regular(path):
        if path.is_dir():
            raise unreadable(path, "it is a folder, expected a table's file")
        if not path.exists():
            raise unreadable(
                path, "there is no such file", help=did_you_mean_file(path, _BY_SUFFIX)
            )
        help = "a table is read more than once, so it can't be a pipe"
        raise unreadable(path, "it is no plain file", help=help)
    try:
        path.open("rb").close()
    except OSError as exc:
        raise unreadable(path, f"it can't be opened: {exc.strerror or exc}") from exc
    return path


def _bad_format(message: str) -> InputError:
    code = codes.BAD_OPTION
    help = "give the file an extension such as .csv, or name the format (in Python: format=)"
    return InputError(
        [Diagnostic(code.code, code.name, "error", message, help=help, field="format")]
    )


__all__ = [
    "Binding", "Fault", "Format", "Row", "bind", "columns", "format_of", "read_rows",
]  # fmt: skip
