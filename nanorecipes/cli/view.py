"""All printing: results on stdout as text or JSON, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from nanorecipes import diagnostics

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.errors import NanorecipesError

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


def width() -> int:
    """How many columns to write: the terminal's, at most 100."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return min(100, int(columns))
    try:
        return min(100, os.get_terminal_size(sys.stdout.fileno()).columns or 100)
    except (OSError, ValueError, AttributeError):  # not a terminal
        return 100


def print_json(data: Any) -> None:
    """One JSON value on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=plain))


def plain(value: Any) -> Any:
    """What JSON has no word for: money stays exact as a number in text form, paths are texts."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def info(text: str, quiet: bool = False) -> None:
    """A line for people, beside the result."""
    if not quiet:
        click.echo(text, err=True)


def show_pictures(pictures: Iterable[bytes]) -> None:
    """Small pictures for the person at the terminal; a line in words where it shows none."""
    from nanorecipes.cli import terminal

    protocol = terminal.find_protocol() if sys.stderr.isatty() else None
    if protocol is None:
        info(f"no picture is shown: this is no terminal known to show any ({terminal.VARIABLE}="
             "kitty, iterm2 or sixel says that it can)")  # fmt: skip
        return
    for data in pictures:
        shown = terminal.picture_bytes(data, protocol)
        if shown is None:
            info("no picture is shown: it can't be decoded here")
            continue
        sys.stderr.flush()
        sys.stderr.buffer.write(shown + b"\n")
        sys.stderr.buffer.flush()


def warn(texts: Iterable[str]) -> None:
    """Warnings, each in a line of its own."""
    for text in texts:
        click.echo(f"{click.style('warning', fg='yellow', bold=True)}: {text}", err=True)


def heading(text: str) -> str:
    """A line that begins a block."""
    return click.style(text, bold=True)


def dim(text: str) -> str:
    """What matters less."""
    return click.style(text, dim=True)


def wrap(text: str, indent: str = "  ") -> str:
    """A paragraph within the terminal's width; line breaks of its own are kept."""
    return "\n".join(
        textwrap.fill(
            line, width(), initial_indent=indent, subsequent_indent=indent,
            break_long_words=False, break_on_hyphens=False,
        )
        for line in text.split("\n")
    )  # fmt: skip


def bullet(text: str, indent: str = "  ") -> str:
    """An entry of a list within the terminal's width."""
    return textwrap.fill(
        text, width(), initial_indent=f"{indent}- ", subsequent_indent=f"{indent}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Columns as wide as their longest cell; the last one wraps."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    start = len(indent) + sum(w + 2 for w in widths)
    room = max(30, width() - start)
    lines = []
    for row in rows:
        head = "".join(cell.ljust(w + 2) for cell, w in zip(row, widths, strict=False))
        wrapped = textwrap.wrap(row[-1], room, break_long_words=False) or [""]
        lines.append(f"{indent}{head}{wrapped[0]}".rstrip())
        lines += [f"{' ' * start}{line}" for line in wrapped[1:]]
    return "\n".join(lines)


def short_path(path: str) -> str:
    """A path as seen from this folder, where it lies below it."""
    from pathlib import Path

    here, full = Path.cwd(), Path(path)
    return str(full.relative_to(here)) if full.is_relative_to(here) else path


def money(usd: Decimal | None) -> str:
    """`$0.161`, `$0.20`, `$5`, or a word where no price is known."""
    if usd is None:
        return "unknown"
    whole, _, part = f"{usd:f}".partition(".")
    part = part.rstrip("0")
    return f"${whole}.{part:0<2}" if part else f"${whole}"


def print_diagnostics(found: Iterable[Diagnostic], *, err: bool = False) -> None:
    """Findings with their source lines and carets."""
    for diagnostic in found:
        first, _, rest = diagnostics.render(diagnostic).partition("\n")
        mark = f"{diagnostic.severity} {diagnostic.code}"
        colored = click.style(mark, fg=_COLORS[diagnostic.severity], bold=True)
        click.echo(first.replace(mark, colored, 1), err=err)
        if rest:
            click.echo(rest, err=err)


def print_error(error: NanorecipesError) -> None:
    """An error: its findings, or its message, and the next step."""
    if error.diagnostics:
        print_diagnostics(error.diagnostics, err=True)
    else:
        click.echo(f"{click.style('error', fg='red', bold=True)}: {error.message}", err=True)
    if error.help:
        click.echo(f"  help: {error.help}", err=True)


def error_json(error: NanorecipesError) -> dict[str, Any]:
    """An error as plain data, its facts beside its message."""
    facts = {"help": error.help, **error.facts()} if error.help else error.facts()
    return {
        "error": {
            "type": type(error).__name__,
            "message": error.message,
            "diagnostics": [diagnostic.to_json() for diagnostic in error.diagnostics],
            **facts,
        }
    }
