"""CSV and TSV, read row by row: quoted line breaks kept, broken rows told from a broken file."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, BinaryIO

from nanorecipes.batch.rows import (
    MAX_CELL_CHARS,
    MAX_RECORD_BYTES,
    Fault,
    Row,
    check_columns,
    text_faults,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_AS_UTF8 = "save it as CSV in UTF-8 (spreadsheets call it CSV UTF-8)"


def delimited_columns(path: Path, delimiter: str) -> tuple[str, ...]:
    """The names in the first line.

    Raises:
        InputError: the file can't be read as a table.
    """
    with path.open("rb") as file:
        return _Reader(path, file, delimiter).columns


def delimited_rows(path: Path, delimiter: str) -> Iterator[Row]:
    """Every data row.

    Raises:
        InputError: the file can't be read from some row on; a row that is broken in itself is
            given with its faults.
    """
    with path.open("rb") as file:
        yield from _Reader(path, file, delimiter).rows()


class _Lines:
    """Decoded lines for the csv module, which pulls as many as a row has."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._next: bytes | None = self._first()
        self.number = 0
        self.begin()

    def begin(self) -> None:
        """A new row begins: what is noted from here on is about it."""
        self.start = self.number + 1
        self.size = 0
        self.is_decoded = True
        self.has_nul = False

    @property
    def is_one_line(self) -> bool:
        """Whether the row so far has a single line, so that the next line begins another row."""
        return self.number <= self.start

    def first_line(self) -> bytes:
        """The line that comes next; it is still to be read."""
        if self._next is None:
            self._next = self._file.readline(MAX_RECORD_BYTES + 1)
        return self._next

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._next if self._next is not None else self._read()
        self._next = None
        if not raw:
            raise StopIteration
        self.number += 1
        self.size += len(raw)
        if self.size > MAX_RECORD_BYTES:
            message = f"the row that begins here has more than {MAX_RECORD_BYTES} bytes"
            help = "a quote that is never closed runs on like this"
            raise unreadable(self._path, message, line=self.start, help=help)
        if b"\x00" in raw:
            self.has_nul = True
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.is_decoded = False
            return raw.decode("utf-8", "replace")

    def _read(self) -> bytes:
        return self._file.readline(MAX_RECORD_BYTES + 1)

    def _first(self) -> bytes:
        raw = self._read()
        if raw.startswith(_UTF16_MARKS):
            raise unreadable(self._path, "the table is in UTF-16, expected UTF-8", help=_AS_UTF8)
        return raw.removeprefix(_UTF8_MARK)


class _Reader:
    def __init__(self, path: Path, file: BinaryIO, delimiter: str) -> None:
        self._path = path
        self._lines = _Lines(path, file)
        first = self._lines.first_line()
        # Spreadsheets write semicolons where the comma is the decimal mark.
        if delimiter == "," and b"," not in first and b";" in first:
            delimiter = ";"
        # Strict: a stray quote is reported, not guessed around, since a guess would be paid for.
        self._records = csv.reader(self._lines, delimiter=delimiter, strict=True)
        self.columns = self._header()

    def _header(self) -> tuple[str, ...]:
        cells: list[str] | None = []
        while cells == []:
            cells, reason = self._record()
            if reason is not None:
                raise unreadable(self._path, reason, line=self._lines.start)
        if cells is None:
            message = "the table is empty, expected a first line with the names of the columns"
            raise unreadable(self._path, message)
        line = self._lines.start
        if not self._lines.is_decoded:
            raise unreadable(self._path, "the text is not UTF-8", line=line, help=_AS_UTF8)
        names = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
        faults = text_faults(zip(names, names, strict=True))
        if faults:
            raise unreadable(self._path, f"the header: {faults[0].message}", line=line)
        return check_columns(self._path, names, line)

    def rows(self) -> Iterator[Row]:
        number = 0
        columns, lines, wanted = self.columns, self._lines, len(self.columns)
        while True:
            cells, reason = self._record()
            if cells is None:
                return
            if not cells and reason is None:  # a blank line
                continue
            number += 1
            values = dict(zip(columns, cells, strict=False))
            faults: tuple[Fault, ...] = ()
            if reason is not None:
                faults = (Fault(None, reason),)
            elif (
                len(cells) != wanted
                or lines.has_nul
                or not lines.is_decoded
                or lines.size > MAX_CELL_CHARS
            ):
                faults = self._faults(cells, values)
            yield Row(number, values, lines.start, faults)

    def _record(self) -> tuple[list[str] | None, str | None]:
        """The next row's cells, None at the end, and why the row can't be read.

        A row on one line can be left out; where a broken one spans several lines, nobody knows
        where the next begins.
        """
        self._lines.begin()
        try:
            return next(self._records), None
        except StopIteration:
            return None, None
        except csv.Error as exc:
            reason = _reason(str(exc))
            if self._lines.is_one_line:
                return [], reason
            message = f"the row that begins here and ends on line {self._lines.number}: {reason}"
            help = "correct the quotes: what follows can't be told apart into rows"
            raise unreadable(self._path, message, line=self._lines.start, help=help) from None

    def _faults(self, cells: list[str], values: dict[str, str]) -> tuple[Fault, ...]:
        found: list[Fault] = []
        if len(cells) != len(self.columns):
            message = f"the row has {len(cells)} cells, the header has {len(self.columns)}"
            found.append(Fault(None, message))
        if not self._lines.is_decoded:
            bad = next((name for name, cell in values.items() if "\ufffd" in cell), None)
            found.append(Fault(bad, f"the text is not UTF-8: {_AS_UTF8}"))
        return tuple(found + text_faults(values.items()))


def _reason(message: str) -> str:
    """The csv module's complaint in words that name the way out."""
    if "field larger" in message:
        return f"a cell is longer than the {MAX_CELL_CHARS} characters allowed"
    if "unexpected end of data" in message:
        return "a quote is opened and never closed"
    if "new-line character" in message:
        return "a line break without line feed (an old Mac's): save the table with usual line ends"
    return "a quoted cell goes on after its closing quote; a quote inside is written twice"
