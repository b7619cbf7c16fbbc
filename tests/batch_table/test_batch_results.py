"""The results file: the table again, with what became of each row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import lines, table

from nanorecipes.batch.results import COLUMNS, RowResult, write_results
from nanorecipes.batch.rows import Row
from nanorecipes.batch.table import columns, read_rows
from nanorecipes.errors import InputError, SaveError

_SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def fine(row: Row) -> RowResult:
    """A row that was bought; a broken one that was not."""
    if row.faults:
        return RowResult("bad", error=row.faults[0].message)
    return RowResult(
        "verified", f"k{row.number}", f"k{row.number}/a.png", Decimal("0.0450"), f"t-{row.number}"
    )


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a results file, whatever its format."""
    rows = list(read_rows(path))
    assert not any(row.faults for row in rows)
    return [row.values for row in rows]


def test_each_row_has_a_line_in_its_order(tmp_path: Path) -> None:
    """Also the one that could not be read, and the one that was said to be too short."""
    source = table(tmp_path, 'sku,photo\n7,"a\nb"\n8\n9,x"y\n')
    found = write_results(tmp_path / "results.csv", source, fine)
    assert (found.rows, found.states, found.renamed) == (3, {"verified": 2, "bad": 1}, {})
    rows = read(found.path)
    assert list(rows[0]) == ["sku", "photo", *COLUMNS]
    assert [row["sku"] for row in rows] == ["7", "8", "9"]
    assert rows[0] == {
        "sku": "7", "photo": "a\nb", "row_key": "k1", "state": "verified", "path": "k1/a.png",
        "cost_usd": "0.0450", "task_id": "t-1", "error": "",
    }  # fmt: skip
    assert rows[1]["error"] == "the row has 1 cells, the header has 2"
    assert rows[2]["photo"] == 'x"y'


def test_columns_with_our_names_are_kept_under_others(tmp_path: Path) -> None:
    """A table of customers has a `state` of its own; results run again have them all."""
    source = table(tmp_path, "state,input_state,path\nOhio,x,p\n")
    found = write_results(tmp_path / "r.csv", source, fine)
    assert found.renamed == {"state": "input_state_2", "path": "input_path"}
    (row,) = read(found.path)
    assert (row["input_state_2"], row["input_state"], row["input_path"]) == ("Ohio", "x", "p")
    assert (row["state"], row["path"]) == ("verified", "k1/a.png")
    again = write_results(tmp_path / "again.csv", found.path, fine)
    assert len(set(columns(again.path))) == len(columns(again.path)) == 3 + 6 + 6


@pytest.mark.parametrize("target", ["r.csv", "r.tsv", "r.jsonl", "r.parquet"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_format_becomes_every_other(tmp_path: Path, kind: str, target: str) -> None:
    """Rows and their cells stay the same, typed where the format has types."""
    rows = [{"n": 1, "list": ["a", "b"], "none": None}, {"n": 2, "list": [], "none": None}]
    if kind == "csv":
        source = table(tmp_path, 'n,list,none\n1,"[""a"", ""b""]",\n2,[],\n')
    elif kind == "jsonl":
        source = lines(tmp_path, *rows)
    else:
        source = tmp_path / "t.parquet"
        pq.write_table(pa.Table.from_pylist(rows), source)
    found = read(write_results(tmp_path / target, source, fine).path)
    assert [str(row["n"]) for row in found] == ["1", "2"]
    assert found[0]["list"] in ('["a", "b"]', ["a", "b"])
    assert found[0]["none"] in ("", None)
    assert [row["cost_usd"] for row in found] == ["0.0450", "0.0450"]
    if kind == "parquet" and target == "r.parquet":
        assert found[0]["n"] == 1


def test_formulas_from_strangers_are_defused(tmp_path: Path) -> None:
    """A spreadsheet would run them; what already was a spreadsheet's own cell is left alone."""
    evil = '=HYPERLINK("http://a.invalid";"x")'
    source = lines(tmp_path, {"a": evil, "b": "-5", "c": "@x", "d": -5, "+e": "\tx"})

    def refused(row: Row) -> RowResult:
        return RowResult("refused", error="=cmd|' /C calc'!A0", task_id="+1")

    (row,) = read(write_results(tmp_path / "r.csv", source, refused).path)
    assert row["a"] == f"'{evil}"
    assert (row["b"], row["c"], row["d"], row["'+e"]) == ("-5", "'@x", "-5", "'\tx")
    assert row["error"].startswith("'=cmd")
    assert row["task_id"] == "+1"  # a number is none
    (plain,) = read(write_results(tmp_path / "r.jsonl", source, refused).path)
    assert plain["a"] == evil
    assert plain["error"].startswith("=cmd")
    sheet = table(tmp_path, f'a\n"{evil.replace(chr(34), chr(34) * 2)}"\n')
    assert read(write_results(tmp_path / "s.csv", sheet, refused).path)[0]["a"] == evil
    guarded = write_results(tmp_path / "g.csv", sheet, refused, guard_formulas=True)
    assert read(guarded.path)[0]["a"] == f"'{evil}"


def test_what_no_text_holds_is_written_all_the_same(tmp_path: Path) -> None:
    """A results file that can't be written would hide what was paid for."""
    source = tmp_path / "t.parquet"
    made = pa.table({"blob": [b"\x89PNG"], "x": [float("nan")], "at": pa.array([0], pa.date32())})
    pq.write_table(made, source)
    assert read(write_results(tmp_path / "r.csv", source, fine).path)[0]["blob"] == "<4 bytes>"
    assert read(write_results(tmp_path / "r.jsonl", source, fine).path)[0]["x"] is None
    half = table(tmp_path, '{"a": "\\ud800", "b": true, "c": [NaN]}\n{"a": "\\ud800", "b": true}\n',
                 "t.jsonl")  # fmt: skip
    for name in ("h.csv", "h.jsonl", "h.parquet"):
        found = write_results(tmp_path / name, half, fine)
        assert found.states == {"bad": 2}
    with (tmp_path / "h.csv").open(encoding="utf-8", newline="") as file:
        assert [row["b"] for row in csv.DictReader(file)] == ["", "true"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """Half a results file would be taken for the whole."""
    target = tmp_path / "r.csv"
    target.write_text("before")
    source = table(tmp_path, 'a\n1\n"2\n3\n')
    with pytest.raises(InputError, match="never closed"):
        write_results(target, source, fine)
    assert target.read_text() == "before"

    def breaks(row: Row) -> RowResult:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_results(target, table(tmp_path, "a\n1\n"), breaks)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["r.csv", "t.csv"]
    with pytest.raises(SaveError, match="can't be written") as caught:
        write_results(tmp_path / "absent" / "r.csv", source, fine)
    assert caught.value.path == tmp_path / "absent" / "r.csv"
    with pytest.raises(InputError, match="doesn't tell its format"):
        write_results(tmp_path / "results", source, fine)


def test_rows_are_asked_for_once_and_in_order(tmp_path: Path) -> None:
    """The ledger is read beside the table, line by line."""
    source = lines(tmp_path, *({"a": n} for n in range(3000)))
    numbers: Iterator[int] = iter(range(1, 3001))

    def lookup(row: Row) -> RowResult:
        assert row.number == next(numbers)
        return RowResult("planned")

    found = write_results(tmp_path / "r.parquet", source, lookup)
    assert (found.rows, next(numbers, None)) == (3000, None)
    assert pq.ParquetFile(found.path).metadata.num_rows == 3000


TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"))


@given(
    st.lists(st.tuples(TEXTS, TEXTS), max_size=6), st.sampled_from(["r.csv", "r.tsv", "r.jsonl"])
)
@_SHARED
def test_any_cells_come_back_as_they_were(
    tmp_path: Path, cells: list[tuple[str, str]], name: str
) -> None:
    """The input's columns are the user's: not a character of theirs is lost."""
    source = lines(tmp_path, *({"a": a, "b": b} for a, b in cells), {"a": "", "b": ""})
    found = write_results(tmp_path / name, source, fine, guard_formulas=False)
    rows = read(found.path)
    assert [(row["a"], row["b"]) for row in rows] == [*cells, ("", "")]
    assert json.dumps(found.states)
