"""A table's row as read, and the bounds that keep reading one within flat memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MAX_CELL_CHARS = 65_536
MAX_RECORD_BYTES = 1024 * 1024
"""One row of a text table, line breaks within quotes counted in."""
MAX_COLUMNS = 1_000
MAX_FAULTS = 20
"""Of one row: a message for each of a thousand bad cells helps nobody."""


class Fault(NamedTuple):
    """What is wrong with a row as it stands in the table."""

    column: str | None
    """The column's name; None when the whole row is meant."""
    message: str


class Row(NamedTuple):
    """One data row; a row that can't be used is a row too, so that every one is accounted for."""

    number: int
    """From 1, over data rows: the header and blank lines don't count."""
    values: dict[str, Any]
    """Cells by column, as read: nothing is converted."""
    line: int | None = None
    """The line of the file on which it begins, from 1; None where the format has no lines."""
    faults: tuple[Fault, ...] = ()
    """Why it can't be used, as far as the table's format tells."""

    @property
    def place(self) -> str:
        """`row 7 (line 9)`."""
        return f"row {self.number}" + (f" (line {self.line})" if self.line is not None else "")


def unreadable(
    path: Path, message: str, *, line: int | None = None, help: str | None = None
) -> InputError:
    """The error for a table of which no further row can be read."""
    code = codes.UNREADABLE
    finding = Diagnostic(
        code.code, code.name, "error", message, file=path, line=line, help=help, field="table"
    )
    return InputError([finding])


def check_columns(path: Path, names: Sequence[str], line: int | None = None) -> tuple[str, ...]:
    """The names of a table's columns, each a different one.

    Raises:
        InputError: there are none, too many, or two of the same name.
    """
    if not names:
        raise unreadable(path, "the table has no columns", line=line)
    if len(names) > MAX_COLUMNS:
        message = f"the table has {len(names)} columns, allowed are {MAX_COLUMNS}"
        raise unreadable(path, message, line=line)
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if name in seen:
            message = f"columns {seen[name]} and {number} are both named {name!r}"
            raise unreadable(path, message, line=line, help="give each column a name of its own")
        seen[name] = number
    return tuple(names)


def text_faults(cells: Iterable[tuple[str, Any]]) -> list[Fault]:
    """What is wrong with the texts of a row: too long, a NUL, half a character."""
    found: list[Fault] = []
    for column, value in cells:
        if isinstance(value, str):
            reason = _text_fault(value)
            if reason is not None:
                found.append(Fault(column, reason))
    return found[:MAX_FAULTS]


def _text_fault(text: str) -> str | None:
    if len(text) > MAX_CELL_CHARS:
        return f"the cell has {len(text)} characters, allowed are {MAX_CELL_CHARS}"
    if "\x00" in text:
        return "the cell holds a NUL character, which no text has"
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "the cell holds half a character (a lone surrogate)"
    return None
