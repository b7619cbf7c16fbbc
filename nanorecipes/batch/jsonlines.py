"""JSON Lines, read row by row: one object a line, each line bounded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

from nanorecipes.batch.rows import (
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    MAX_RECORD_BYTES,
    Fault,
    Row,
    text_faults,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_DEPTH = 20

_TOO_LONG = f"the line has more than {MAX_RECORD_BYTES} bytes"


def json_columns(path: Path) -> tuple[str, ...]:
    """Every key of any row, in the order in which they come up; the whole file is read.

    Raises:
        InputError: there are too many, or none.
    """
    seen: dict[str, None] = {}
    for row in json_rows(path):
        seen.update(dict.fromkeys(row.values))
        if len(seen) > MAX_COLUMNS:
            message = f"the rows have more than {MAX_COLUMNS} different keys"
            raise unreadable(path, message, line=row.line)
    if not seen:
        raise unreadable(path, "the table is empty, expected one JSON object on each line")
    return tuple(seen)


def json_rows(path: Path) -> Iterator[Row]:
    """Every row; a line that holds no object is a row with faults."""
    with path.open("rb") as file:
        number = 0
        for line, raw in _lines(file):
            if raw is None:
                number += 1
                yield Row(number, {}, line, (Fault(None, _TOO_LONG),))
            elif not raw.isspace():
                number += 1
                values, faults = _row(raw)
                yield Row(number, values, line, faults)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines with their numbers; None for one that is too long, of which no more is kept."""
    line = 0
    while raw := file.readline(MAX_RECORD_BYTES + 1):
        line += 1
        if line == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf") or b"\n"
        if len(raw) <= MAX_RECORD_BYTES:
            yield line, raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(MAX_RECORD_BYTES)
        yield line, None


class _Twice(ValueError):
    """A key that an object holds twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")


_decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant).decode


def _row(raw: bytes) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    try:
        found = _decode(raw.decode())
    except UnicodeDecodeError:
        return {}, (Fault(None, "the text is not UTF-8"),)
    except _Twice as exc:
        return {}, (Fault(None, f"the key {exc.args[0]!r} is there twice"),)
    except json.JSONDecodeError as exc:
        return {}, (Fault(None, f"no JSON: {exc.msg} at character {exc.colno}"),)
    except (ValueError, RecursionError) as exc:
        return {}, (Fault(None, f"no JSON that can be taken: {str(exc)[:200]}"),)
    if not isinstance(found, dict):
        return {}, (Fault(None, f"expected a JSON object, found {_kind(found)}"),)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_deep(found):
        return {}, (Fault(None, f"values stand inside each other more than {MAX_DEPTH} deep"),)
    # Only an escape can write a NUL or half a character into sound UTF-8.
    if len(raw) > MAX_CELL_CHARS or b"\\u" in raw or b"\x00" in raw:
        return _cleaned(found)
    return found, ()


def _cleaned(found: dict[str, Any]) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    if text_faults((name, name) for name in found):
        return {}, (Fault(None, "a key holds a NUL, half a character or too many characters"),)
    flat = [(name, text) for name, value in found.items() for text in _texts(value)]
    return found, tuple(text_faults(flat))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            left += item
        elif isinstance(item, dict):
            left += [*item, *item.values()]


def _is_deep(value: Any) -> bool:
    """Whether lists and objects stand inside each other too deep to be written again."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, (list, dict))
            for inner in (item if isinstance(item, list) else item.values())
        ]
    return bool(level)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    return "a text" if isinstance(value, str) else "true, false or a number"
