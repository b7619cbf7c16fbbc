"""Which column feeds which input of a recipe, and a row's cells as a call's arguments."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from nanorecipes import codes
from nanorecipes.arguments import OPTIONS, problem, read_arguments
from nanorecipes.errors import InputError
from nanorecipes.images import BadImageError, image_input
from nanorecipes.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from nanorecipes.batch.rows import Row
    from nanorecipes.book import Recipe
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.recipe.params import Param, Slot

SEPARATOR = "|"
"""Between the entries of a list in one cell; a JSON list does as well."""

Kind: TypeAlias = Literal["image", "images", "text", "texts", "value"]


class Feed(NamedTuple):
    """An input and the column that it takes its value from."""

    input: str
    column: str
    kind: Kind


class _CellError(ValueError):
    """A cell whose form doesn't fit the input; the text says what was expected."""


@dataclass(frozen=True)
class Binding:
    """Which columns and constants make up a call's arguments."""

    feeds: tuple[Feed, ...]
    constants: Mapping[str, Any]
    folder: str
    """The table's folder, from which relative paths of pictures count; empty for this folder."""
    ignored: tuple[str, ...] = ()
    """Columns that feed nothing."""
    notices: tuple[str, ...] = ()
    """What the caller should know, such as the columns that are ignored."""
    _columns: Mapping[str, str] = field(default_factory=dict, repr=False)

    def column_of(self, name: str) -> str | None:
        """The column that feeds an input, or None for a constant or an input not given."""
        return self._columns.get(name)

    def arguments(self, row: Row) -> dict[str, Any]:
        """A row as arguments for `recipe.render`; an empty cell is an argument not given.

        Raises:
            InputError: the row is broken, or a cell's form doesn't fit; every one is named, with
                the column in `field` where there is one.
        """
        found = dict(self.constants)
        problems = [
            problem(codes.BAD_ARGUMENT, fault.column or "", fault.message) for fault in row.faults
        ]
        values = row.values
        for feed in self.feeds:
            cell = values.get(feed.column)
            if cell is None or cell == "" or cell == []:
                continue
            try:
                value = self._value(feed, cell)
            except _CellError as exc:
                problems.append(problem(codes.BAD_ARGUMENT, feed.column, f"{feed.input}: {exc}"))
                continue
            if value is not None:
                found[feed.input] = value
        if problems:
            raise InputError(problems)
        return found

    def _value(self, feed: Feed, cell: Any) -> Any:
        kind = feed.kind
        if kind == "image" or kind == "images":
            if kind == "images" or isinstance(cell, list):
                return [self._picture(text) for text in _entries(cell)] or None
            return self._picture(text) if (text := _text(cell).strip()) else None
        if kind == "texts":
            return _entries(cell) or None
        if kind == "text":
            text = _text(cell)
            return text if text and not text.isspace() else None
        return _plain(cell)

    def _picture(self, name: str) -> str:
        return name if "://" in name else os.path.join(self.folder, name)


def bind(
    recipe: Recipe,
    columns: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    *,
    folder: str | os.PathLike[str] = "",
) -> Binding:
    """Decide which column feeds which input.

    A column feeds the image or parameter of its name. A call option (`model`, `notes`, ...) is
    fed only by a mapping: a catalogue's own column of that name means something else.

    Args:
        recipe: whose inputs are fed.
        columns: what the table has.
        mapping: input to column, where the names differ.
        constants: arguments that are the same for every row; they win over a column of the name.
        folder: the table's folder; relative paths of pictures in cells count from it.

    Raises:
        InputError: an unknown input or column, one given twice, a required input that nothing
            feeds; all at once.
    """
    mapping, constants = dict(mapping or {}), dict(constants or {})
    kinds = _kinds(recipe)
    problems: list[Diagnostic] = []
    _check_mapping(recipe, kinds, columns, mapping, constants, problems)
    constants = _open_pictures(recipe, constants)
    _check_constants(recipe, kinds, constants, problems)
    own = {*recipe.images, *recipe.params}
    chosen = {
        name: mapping.get(name, name)
        for name in kinds
        if name not in constants and (name in mapping or (name in own and name in columns))
    }
    used = {*chosen.values()}
    ignored = tuple(name for name in columns if name not in used)
    _check_required(recipe, chosen, constants, columns, ignored, problems)
    if problems:
        raise InputError(problems)
    feeds = tuple(Feed(name, column, kinds[name]) for name, column in chosen.items())
    unfed = [name for name in own if name not in chosen and name not in constants]
    notices = tuple(_notices(ignored, constants, unfed))
    return Binding(feeds, constants, os.fspath(folder), ignored, notices, chosen)


def _kinds(recipe: Recipe) -> dict[str, Kind]:
    """How a cell is read, by the name of each input."""
    kinds: dict[str, Kind] = {}
    for name, slot in recipe.images.items():
        kinds[name] = "images" if slot.is_list else "image"
    for name, param in recipe.params.items():
        if param.type == "array":
            kinds[name] = "texts"
        else:
            kinds[name] = "text" if param.type == "string" and param.enum is None else "value"
    for name in OPTIONS:
        kinds[name] = "value"
    return {**kinds, "protect": "texts", "notes": "text"}


def _check_mapping(
    recipe: Recipe,
    kinds: Mapping[str, Kind],
    columns: Sequence[str],
    mapping: Mapping[str, str],
    constants: Mapping[str, Any],
    problems: list[Diagnostic],
) -> None:
    for name, column in mapping.items():
        if name not in kinds:
            problems.append(_unknown_input(recipe, kinds, name))
        elif name in constants:
            message = f"{name!r} is given both a column and a constant"
            problems.append(problem(codes.BAD_ARGUMENT, name, message, "leave one of them out"))
        if column not in columns:
            message = f"the table has no column {column!r} (mapped to {name!r})"
            advice = did_you_mean(column, columns)
            listed = _listed(columns)
            problems.append(
                problem(
                    codes.BAD_ARGUMENT, name, message, f"{advice} {listed}" if advice else listed
                )
            )


def _check_constants(
    recipe: Recipe,
    kinds: Mapping[str, Kind],
    constants: Mapping[str, Any],
    problems: list[Diagnostic],
) -> None:
    known = {name: value for name, value in constants.items() if name in kinds}
    problems += [_unknown_input(recipe, kinds, name) for name in constants if name not in known]
    try:
        read_arguments(recipe.definition, known)
    except InputError as exc:  # what is missing, the columns may give
        missing = codes.MISSING_ARGUMENT.code
        problems += [item for item in exc.diagnostics if item.code != missing]


def _open_pictures(recipe: Recipe, constants: Mapping[str, Any]) -> dict[str, Any]:
    """The constants with pictures taken in once: an open file can't be read for every row."""
    found = dict(constants)
    for name in recipe.images:
        value = found.get(name)
        if value is None:
            found.pop(name, None)
            continue
        # What can't be taken stays as it is, and is reported with the other arguments.
        with contextlib.suppress(BadImageError):
            is_list = isinstance(value, (list, tuple))
            found[name] = [image_input(item) for item in value] if is_list else image_input(value)
    return found


def _unknown_input(recipe: Recipe, kinds: Mapping[str, Kind], name: str) -> Diagnostic:
    fixed = recipe.definition.fixed
    if name in fixed:
        message = f"{name!r} is fixed by the recipe to {fixed[name]!r}"
        return problem(codes.UNKNOWN_ARGUMENT, name, message)
    advice = did_you_mean(name, kinds) or f"it takes {', '.join(kinds)}"
    return problem(codes.UNKNOWN_ARGUMENT, name, f"{recipe.name} has no input {name!r}", advice)


def _check_required(
    recipe: Recipe,
    chosen: Mapping[str, str],
    constants: Mapping[str, Any],
    columns: Sequence[str],
    ignored: Sequence[str],
    problems: list[Diagnostic],
) -> None:
    inputs: dict[str, Slot | Param] = {**recipe.images, **recipe.params}
    for name, spec in inputs.items():
        if not spec.is_required or name in chosen or name in constants:
            continue
        if any(item.field == name for item in problems):  # it was meant, and said to be wrong
            continue
        near = nearest(name, ignored)
        way = f"--map {name}={near[0] if near else 'COLUMN'}"
        advice = f"did you mean {way}? " if near else f"name its column with {way}; "
        message = f"no column feeds {name!r}, which is required"
        problems.append(
            problem(codes.MISSING_ARGUMENT, name, message, f"{advice}{_listed(columns)}")
        )


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in columns[:30])
    more = f" and {len(columns) - 30} more" if len(columns) > 30 else ""
    return f"the table has {shown}{more}"


def _notices(
    ignored: Sequence[str], constants: Mapping[str, Any], unfed: Sequence[str]
) -> list[str]:
    plain = [name for name in ignored if name not in OPTIONS and name not in constants]
    notices = [
        f"the column {name!r} feeds nothing; did you mean {near[0]!r}? --map {near[0]}={name}"
        for name in plain
        if (near := nearest(name, unfed, likeness=0.75))
    ]
    plain = [name for name in plain if not nearest(name, unfed, likeness=0.75)]
    if plain:
        shown = ", ".join(repr(name) for name in plain[:10])
        more = f" and {len(plain) - 10} more" if len(plain) > 10 else ""
        notices.append(f"columns that feed nothing: {shown}{more}")
    for name in ignored:
        if name in constants:
            notices.append(f"the column {name!r} is not used: {name} is given for every row")
        elif name in OPTIONS:
            notices.append(
                f"the column {name!r} is not used: --map {name}={name} makes it the call option"
            )
    return notices


# --- cells


def _entries(cell: Any) -> list[str]:
    """A list from a list, a JSON list or texts with a separator between them."""
    items: Any = cell
    if isinstance(cell, str):
        items = _json_list(cell)
        if items is None:
            items = cell.split(SEPARATOR)
    elif not isinstance(cell, (list, tuple)):
        items = [cell]
    return [text for item in items if (text := _text(item).strip())]


def _json_list(cell: str) -> list[Any] | None:
    if not cell.lstrip().startswith("["):
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _text(value: Any) -> str:
    """A cell as text; typed tables hold article numbers as numbers and days as dates."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, float):
        raise _CellError(f"expected a text, found {_shown(value)}")
    if isinstance(value, (int, Decimal)):
        return _number(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    raise _CellError(f"expected a text, found {_shown(value)}")


def _plain(value: Any) -> Any:
    """A cell for a number, a truth value or one of a set, whose validator reads texts too."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Decimal):
        return _number(value)
    raise _CellError(f"expected a single value, found {_shown(value)}")


def _number(value: int | Decimal) -> str:
    try:
        return str(value) if isinstance(value, int) else format(value, "f")
    except ValueError:  # more digits than Python prints
        raise _CellError("expected a text, found a number with thousands of digits") from None


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (bytes, bytearray)):
        return "binary data (a picture is given by its path or URL)"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return f"{str(value)[:40]}"
