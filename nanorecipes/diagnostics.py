"""One finding about a file, a template, a call or a limit, and the one way to print it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Severity = Literal["error", "warning", "info"]

TAB = "    "


class Diagnostic(NamedTuple):
    """A finding: what was found, where, and what to do next.

    Lines and columns count from 1; a finding about a call has none, but a `field`.
    """

    code: str
    name: str
    severity: Severity
    message: str
    file: Path | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    excerpt: str | None = None
    """The source line that the finding points at, without its line break."""
    help: str | None = None
    field: str | None = None

    @property
    def location(self) -> str:
        """`file:line:column` as far as it is known, or the field."""
        parts = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        return ":".join(parts) or (self.field or "")

    def headline(self) -> str:
        """The finding in one line, as compilers print it."""
        where = f"{self.location}: " if self.file is not None else ""
        return f"{where}{self.severity} {self.code} {self.name}: {self.message}"

    def to_json(self) -> dict[str, object]:
        """The finding as plain data, with the keys that `lint --json` promises."""
        data: dict[str, object] = {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "file": str(self.file) if self.file is not None else None,
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
            "message": self.message,
            "help": self.help,
        }
        if self.field is not None:
            data["field"] = self.field
        return data


def render(diagnostic: Diagnostic) -> str:
    """Print one finding: headline, source line with a caret, and the way out."""
    lines = [diagnostic.headline()]
    if diagnostic.excerpt is not None and diagnostic.line is not None:
        lines += _excerpt(diagnostic)
    if diagnostic.help:
        lines.append(f"  help: {diagnostic.help}")
    return "\n".join(lines)


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """Print findings one below the other, in the order given."""
    return "\n".join(render(diagnostic) for diagnostic in diagnostics)


def sort(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Order findings by file, then by place, then by code."""
    return sorted(diagnostics, key=_place)


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    file = str(diagnostic.file) if diagnostic.file is not None else ""
    return (file, diagnostic.line or 0, diagnostic.column or 0, diagnostic.code)


def _excerpt(diagnostic: Diagnostic) -> list[str]:
    number = str(diagnostic.line)
    text = _printable(diagnostic.excerpt or "")
    column = diagnostic.column or 1
    width = 1
    if diagnostic.end_column is not None and diagnostic.end_line in (None, diagnostic.line):
        width = max(1, min(diagnostic.end_column, len(text) + 1) - column)
    start = max(0, column - 80)
    shown = text[start : start + 120]
    caret = " " * (column - 1 - start) + "^" * min(width, 120)
    gutter = " " * len(number)
    return [f"  {number} | {shown}", f"  {gutter} | {caret}"]


def _printable(text: str) -> str:
    """One column for each character: what doesn't print would bend the line or the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
