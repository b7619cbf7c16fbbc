"""Entering a table's rows into the ledger, many by a few statements."""

# ruff: noqa: S608  # names of columns are constants of this package; values are always bound

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nanorecipes.batch.moves import READ, read_json, to_json
from nanorecipes.batch.states import to_micro

if TYPE_CHECKING:
    import sqlite3

    from nanorecipes.batch.records import Plan, Row

_PLAN = (
    "INSERT INTO rows (run_id, key, copy, state, recipe, recipe_hash, model, price_micro, "
    "updated_at) SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), "
    "'planned', json_extract(value, '$[2]'), json_extract(value, '$[3]'), "
    "json_extract(value, '$[4]'), json_extract(value, '$[5]'), ?2 "
    "FROM json_each(?3) WHERE true ON CONFLICT (run_id, key, copy) DO NOTHING"
)
_REQUESTS = (
    "INSERT INTO requests SELECT rows.id, json_extract(value, '$[6]') FROM json_each(?) AS plan "
    "CROSS JOIN rows ON run_id = ? AND rows.key = json_extract(plan.value, '$[0]') "
    "AND copy = json_extract(plan.value, '$[1]') WHERE rows.id > ? ON CONFLICT DO NOTHING"
)
_PLANNED = (
    "INSERT INTO events (row_id, at, before, after, attempt, reserved_micro, spent_micro) "
    "SELECT id, ?, '', 'planned', 0, 0, 0 FROM rows WHERE id > ?"
)
_LINES = (
    "INSERT OR REPLACE INTO lines SELECT ?, json_extract(value, '$[0]'), "
    "json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)"
)


def enter(
    connection: sqlite3.Connection, run_id: str, plans: Sequence[Plan], now: float
) -> list[Row]:
    """Enter rows as planned; gives them in their order, those that are known as they stand."""
    entered = [
        [plan.key, plan.copy, plan.recipe, plan.recipe_hash, plan.model,
         None if plan.price is None else to_micro(plan.price), plan.request]
        for plan in plans
    ]  # fmt: skip
    last = connection.execute("SELECT max(id) FROM rows").fetchone()[0] or 0
    connection.execute(_PLAN, (run_id, now, to_json(entered)))
    connection.execute(_PLANNED, (now, last))
    connection.execute(_REQUESTS, (to_json(entered), run_id, last))
    keys = to_json([[plan.key, plan.copy] for plan in plans])
    rows = {(row.key, row.copy): row for row in _read_planned(connection, run_id, keys)}
    found = [rows[plan.key, plan.copy] for plan in plans]
    lines = [
        [plan.number, row.id, None]
        for plan, row in zip(plans, found, strict=True)
        if plan.number is not None
    ]
    enter_lines(connection, run_id, lines)
    return found


def enter_lines(
    connection: sqlite3.Connection, run_id: str, lines: Sequence[Sequence[Any]]
) -> None:
    """Remember what a table's rows have come to: number, row of the ledger, error."""
    connection.execute(_LINES, (run_id, to_json(lines)))


def _read_planned(connection: sqlite3.Connection, run_id: str, keys: str) -> list[Row]:
    """Rows of a run by a JSON list of `[key, copy]`, in any order."""
    sql = (
        f"SELECT json_group_array(json_array({READ})) FROM json_each(?) AS wanted "
        "CROSS JOIN rows ON run_id = ? AND rows.key = json_extract(wanted.value, '$[0]') "
        "AND copy = json_extract(wanted.value, '$[1]')"
    )
    found = connection.execute(sql, (keys, run_id)).fetchone()[0]
    return [read_json(values) for values in json.loads(found)]
