"""Reading tables: what a row is in each format, and what a broken one says."""

from __future__ import annotations

import csv
import io
import json
import sys
import tracemalloc
from collections import deque
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import lines, table

from nanorecipes.batch.rows import MAX_CELL_CHARS, MAX_RECORD_BYTES, Row
from nanorecipes.batch.table import columns, format_of, read_rows
from nanorecipes.errors import InputError, MissingExtraError, NanorecipesError

_SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"))


def test_csv_rows_know_their_number_and_line(tmp_path: Path) -> None:
    """A message that names the wrong line sends people to the wrong row."""
    path = table(tmp_path, '\ufeffa,b\r\n1,"two\r\nlines"\r\n\r\n3,4\r\n')
    assert columns(path) == ("a", "b")
    rows = list(read_rows(path))
    assert [(row.number, row.line) for row in rows] == [(1, 2), (2, 5)]
    assert rows[0].values == {"a": "1", "b": "two\r\nlines"}
    assert rows[1].place == "row 2 (line 5)"
    assert not any(row.faults for row in rows)


def test_tsv_keeps_commas_and_inner_quotes(tmp_path: Path) -> None:
    """Inches and lists of words stand in such tables."""
    path = table(tmp_path, 'a\tb\n5" pipe\tred, blue\n', "t.tsv")
    assert next(read_rows(path)).values == {"a": '5" pipe', "b": "red, blue"}


def test_semicolons_are_taken_where_no_comma_is(tmp_path: Path) -> None:
    """Spreadsheets of half of Europe write them and call it CSV."""
    path = table(tmp_path, "a;b\n1,5;2\n")
    assert next(read_rows(path)).values == {"a": "1,5", "b": "2"}


def test_nameless_columns_get_their_number(tmp_path: Path) -> None:
    """Spreadsheets leave empty columns behind."""
    assert columns(table(tmp_path, "a,,\n1,2,3\n")) == ("a", "column 2", "column 3")


@pytest.mark.parametrize(
    ("content", "said", "line"),
    [
        (b"", "the table is empty", None),
        (b"\n\n", "the table is empty", None),
        (b"a,a\n1,2\n", "columns 1 and 2 are both named 'a'", 1),
        (b"\xff\xfea\x00\n\x00", "UTF-16", None),
        (b"a,b\xe4\n", "not UTF-8", 1),
        (b"a\x00,b\n", "NUL", 1),
        (b'a,b\n1,"never closed\n2,3\n', "never closed", 2),
        (b'a,b\n1,"x\ny"z\n', "goes on after its closing quote", 2),
        (b"a\rb\rc", "an old Mac", 1),
        (b"a\n" + b"x" * (MAX_RECORD_BYTES + 5), "more than 1048576 bytes", 2),
        (b",".join(b"%d" % n for n in range(1001)), "1001 columns", 1),
    ],
)
def test_a_table_that_cannot_be_read_says_where(
    tmp_path: Path, content: bytes, said: str, line: int | None
) -> None:
    """Nothing that follows could be told apart into rows, so nothing is guessed."""
    with pytest.raises(InputError, match=said) as caught:
        deque(read_rows(table(tmp_path, content)), 0)
    found = caught.value.diagnostics[0]
    assert (found.line, found.file) == (line, tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("bad", "said", "column"),
    [
        (b"1", "1 cells, the header has 2", None),
        (b"1,2,3", "3 cells, the header has 2", None),
        (b"1,x\x00y", "NUL", "b"),
        (b"1,caf\xe9", "not UTF-8", "b"),
        (b'1,"x"y', "closing quote", None),
        (b"1," + b"x" * (MAX_CELL_CHARS + 1), "65537 characters", "b"),
        (b"1," + b"x" * 200_000, "longer than", None),
        (b"1\r2,3", "old Mac", None),
    ],
)
def test_a_broken_row_is_told_and_the_next_is_read(
    tmp_path: Path, bad: bytes, said: str, column: str | None
) -> None:
    """One bad line among thousands must not hide the others."""
    rows = list(read_rows(table(tmp_path, b"a,b\n" + bad + b"\n7,8\n")))
    assert [row.number for row in rows] == [1, 2]
    assert [row.line for row in rows] == [2, 3]
    (fault,) = rows[0].faults
    assert fault.column == column
    assert said in fault.message
    assert rows[1].values == {"a": "7", "b": "8"}
    assert rows[1].faults == ()


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=8), st.sampled_from([",", "\t"]))
@_SHARED
def test_what_the_csv_module_writes_is_read_back(
    tmp_path: Path, rows: list[list[str]], delimiter: str
) -> None:
    """A table must arrive as it left, whatever stands in its cells."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b"], *rows])
    path = table(tmp_path, buffer.getvalue(), "t.csv" if delimiter == "," else "t.tsv")
    read = list(read_rows(path))
    assert [list(row.values.values()) for row in read] == rows
    assert not any(row.faults for row in read)
    text = buffer.getvalue().encode()
    starts = [row.line for row in read]
    assert starts == sorted(set(starts))
    assert all(line is not None and line <= text.count(b"\n") for line in starts)


@given(st.lists(st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | TEXTS)))
@_SHARED
def test_json_lines_are_read_back(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    """Numbers stay numbers, texts stay texts."""
    clean = [{name.replace("\x00", ""): value for name, value in row.items()} for row in rows]
    read = list(read_rows(lines(tmp_path, *clean)))
    assert [row.values for row in read] == clean
    assert [row.number for row in read] == [*range(1, len(rows) + 1)]


@given(st.binary(max_size=300), st.sampled_from(["t.csv", "t.tsv", "t.jsonl", "t.parquet"]))
@_SHARED
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, name: str) -> None:
    """A table comes from strangers: it must not get past the errors that callers expect."""
    path = table(tmp_path, content, name)
    names: tuple[str, ...] = ()
    rows: list[Row] = []
    files = {path}
    try:
        names = columns(path)
        rows = list(read_rows(path))
    except NanorecipesError as exc:
        files = {found.file for found in exc.diagnostics}
    assert files == {path}
    assert [row.number for row in rows] == [*range(1, len(rows) + 1)]
    assert all(set(row.values) <= set(names) for row in rows)


@given(st.text(alphabet='ab",;\n\r\t|[]{}:\\\x00\ufeffé1', max_size=80), st.booleans())
@_SHARED
def test_broken_quotes_and_brackets_never_crash(
    tmp_path: Path, content: str, is_json: bool
) -> None:
    """The characters that tables are made of, in every disorder."""
    path = table(tmp_path, content, "t.jsonl" if is_json else "t.csv")
    try:
        rows = list(read_rows(path))
    except InputError:
        return
    for row in rows:
        assert row.faults or all(isinstance(name, str) for name in row.values)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1]", "found a list"),
        ("null", "found null"),
        ("7", "a number"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ('{"a": {"b": 1, "b": 2}}', "'b' is there twice"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1', "no JSON"),
        ('{"a": ' + "[" * 50 + "]" * 50 + "}", "20 deep"),
        ('{"a": ' + "[" * 100_000, "no JSON"),
        ('{"a": ' + "9" * 9000 + "}", "no JSON"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a": ["x", {"k": "\\u0000"}]}', "NUL"),
        ('{"\\u0000": 1}', "a key holds"),
        ('{"a": "' + "x" * (MAX_CELL_CHARS + 1) + '"}', "65537 characters"),
        ('{"a": "' + "x" * MAX_RECORD_BYTES + '"}', "more than 1048576 bytes"),
    ],
    ids=range(15),
)
def test_a_broken_json_line_is_a_row_with_a_fault(tmp_path: Path, line: str, said: str) -> None:
    """It still is a row: the results have a line for it."""
    path = table(tmp_path, f'{line}\n\n{{"a": "fine"}}\n', "t.jsonl")
    first, second = read_rows(path)
    assert said in first.faults[0].message
    assert (second.number, second.line, second.values) == (2, 3, {"a": "fine"})
    assert columns(path)


def test_columns_of_json_lines_are_those_of_any_row(tmp_path: Path) -> None:
    """A key that comes up late would else be passed over in silence."""
    assert columns(lines(tmp_path, {"a": 1}, {"b": 2, "a": 3})) == ("a", "b")
    many = [{f"k{n}": 1} for n in range(1001)]
    with pytest.raises(InputError, match="1000 different keys"):
        columns(lines(tmp_path, *many))
    with pytest.raises(InputError, match="empty"):
        columns(lines(tmp_path))


def test_parquet_rows_come_typed(tmp_path: Path) -> None:
    """Typed tables need no guessing; times in nanoseconds must not stop the rest."""
    path = tmp_path / "t.parquet"
    made = pa.table(
        {
            "photo": ["a.png", None],
            "looks": [["b.png"], []],
            "size": pa.array([3, 4], pa.int64()),
            "at": pa.array([1_000_000_001, None], pa.timestamp("ns")),
        }
    )
    pq.write_table(made, path)
    assert columns(path) == ("photo", "looks", "size", "at")
    first, second = read_rows(path)
    assert first.values["looks"] == ["b.png"]
    assert first.values["size"] == 3
    assert first.values["at"] == datetime(1970, 1, 1, 0, 0, 1)
    assert (second.number, second.line, second.values["photo"]) == (2, None, None)


def test_parquet_is_refused_with_its_reason(tmp_path: Path) -> None:
    """Half a download, two columns of one name, a text with a NUL."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": ["x\x00", "y"]}), path)
    first, second = read_rows(path)
    assert (first.faults[0].column, second.faults) == ("a", ())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="can't be read"):
        columns(path)
    double = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(double, path)
    with pytest.raises(InputError, match="both named 'a'"):
        columns(path)


def test_a_date_beyond_the_calendar_is_an_input_error(tmp_path: Path) -> None:
    """Other tools know years that Python doesn't."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": pa.array([2**60], pa.timestamp("us"))}), path)
    with pytest.raises(InputError, match="can't be read"):
        list(read_rows(path))


def test_parquet_without_its_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next step is one line long."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError) as caught:
        columns(path)
    assert caught.value.extra == "parquet"


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.csv.gz"])
def test_an_unknown_format_names_the_known_ones(name: str) -> None:
    """A guess by content would read some files as something else."""
    with pytest.raises(InputError, match="csv, tsv, jsonl, parquet"):
        format_of(name)
    assert format_of(name, "csv") == "csv"
    with pytest.raises(InputError, match="'xml' is unknown"):
        format_of(name, "xml")


def test_absent_tables_and_folders_are_told_apart(tmp_path: Path) -> None:
    """At once, not at the first row."""
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "t.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(InputError, match="a folder"):
        columns(tmp_path / "d.csv")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    """A million rows must fit into the same machine as a hundred."""
    cell = "x" * 200
    path = tmp_path / f"t.{kind}"

    def peak(count: int) -> int:
        if kind == "csv":
            table(tmp_path, "a\n" + f"{cell}\n" * count)
        elif kind == "jsonl":
            table(tmp_path, (json.dumps({"a": cell}) + "\n") * count, "t.jsonl")
        else:
            pq.write_table(pa.table({"a": [cell] * count}), path)
        deque(read_rows(path), 0)  # what is loaded once is loaded now
        tracemalloc.start()
        deque(read_rows(path), 0)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(20_000) < 1.5 * peak(2_000) + 100_000
