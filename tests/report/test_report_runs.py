"""A run of the ledger as one page: what didn't come of it is as plain as what did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nanorecipes import Client
from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger
from nanorecipes.cli.main import run
from nanorecipes.client import Wiring
from nanorecipes.report.data import Row
from nanorecipes.report.runs import collect_run
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.service.timing import VirtualClock

RECIPE = "edit/change_part"
PRICE = Decimal("0.067")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of its own, with a picture in it."""
    (tmp_path / ".nanorecipes").mkdir()
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "mug.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NANORECIPES_LEDGER")


def change(n: int) -> dict[str, Any]:
    """The arguments of a row; a number below 0 makes a bad one."""
    wording = f"glazed in blue number {n}" if n >= 0 else ""
    return {"photo": "mug.png", "part": "the mug", "change": wording, "quality": "1K"}


def bought(numbers: list[int], faults: list[str] | None = None, **options: Any) -> None:
    """A batch of rows whose purchases meet these faults, in order."""
    clock = VirtualClock()
    sandbox = Sandbox(
        faults=Faults.script(faults or []), clock=clock.monotonic, wall=clock.time, plain=True
    )
    with Client(sandbox=sandbox, wiring=Wiring(clock=clock)) as client:
        list(client.batch(RECIPE, map(change, numbers), out="out", submits=1, **options))


@pytest.fixture
def books() -> Iterator[Ledger]:
    """The project's ledger."""
    with Ledger() as ledger:
        yield ledger


def rows_of_last(books: Ledger) -> list[Row]:
    """The rows of the newest run."""
    return collect_run(books, queries.list_runs(books)[0].run)


def test_what_did_not_come_is_a_row_with_state_and_error(books: Ledger) -> None:
    """Who pays for forty rows wants to know about the three that are gone."""
    faults = ["ok", "drop_after", "failed_task", "blocked"]
    bought([0, -1, 1, 2, 3, 4], faults, budget=4 * PRICE)
    rows = rows_of_last(books)
    assert [row.number for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [row.state for row in rows] == ["done", "bad", "unknown", "failed", "refused", "planned"]
    assert all(row.problem for row in rows[1:5])
    assert [row.cost_usd for row in rows] == [PRICE, 0, None, PRICE, PRICE, 0]
    assert [row.perhaps_usd for row in rows] == [None, None, PRICE, None, None, PRICE]
    for row in rows:
        is_read = row.state != "bad"
        assert (row.made.values.get("part") == "the mug") is is_read
        assert bool(row.made.sections) is is_read


def test_source_is_shown_only_where_it_is_the_one_that_was_sent(books: Ledger) -> None:
    """A ledger of a stranger's checkout may name any file of this machine."""
    bought([0], ["failed_task"])
    assert rows_of_last(books)[0].source == Path("mug.png").resolve()
    Image.new("RGB", (9, 9), "red").save("mug.png")
    assert rows_of_last(books)[0].source is None


def test_equal_rows_are_shown_once_with_all_their_numbers(books: Ledger) -> None:
    """They are one purchase: shown twice, the sum would be wrong."""
    bought([5, 6, 5])
    assert [(row.number, row.cost_usd) for row in rows_of_last(books)] == [
        ("1, 3", PRICE),
        ("2", PRICE),
    ]


def test_pictures_of_one_request_share_its_cost(books: Ledger) -> None:
    """Otherwise the page's total would be a multiple of the bill."""
    bought([0], constants={"num_images": 2})
    rows = rows_of_last(books)
    assert [row.cost_usd for row in rows] == [PRICE, PRICE]
    assert sum(row.cost_usd or 0 for row in rows) == queries.list_runs(books)[0].run.spent_micro / (
        Decimal(1_000_000)
    )


def test_picture_that_is_gone_is_said(books: Ledger) -> None:
    """The ledger still knows what it was and what it cost."""
    bought([0])
    for path in Path("out").rglob("1.jpg*"):
        path.unlink()
    (row,) = rows_of_last(books)
    assert (row.state, row.cost_usd, row.made.recipe) == ("missing", PRICE, RECIPE)
    assert "no longer there" in str(row.problem)


def test_pictures_without_a_record_are_rows_too(capsys: pytest.CaptureFixture[str]) -> None:
    """`--no-provenance` keeps facts out of the files, not out of the owner's books."""
    line = ["run", RECIPE, "photo=mug.png", "part=the mug", "change=blue", "--sandbox", "-q"]
    assert run([*line, "--no-provenance"]) == 0
    with Ledger() as books:
        (row,) = rows_of_last(books)
    assert (row.state, row.made.recipe, row.made.place) == ("done", RECIPE, "ledger")
    assert capsys.readouterr().out.strip() == str(row.picture and row.picture.name)


def test_run_is_named_by_the_beginning_of_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    """Ids are long, and `runs` prints them."""
    bought([0, -1])
    with Ledger() as books:
        name = queries.list_runs(books)[0].run.id
    assert run(["report", name[:-2], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["path"], told["rows"]) == (f"report-{name}.html", 2)
    assert Counter(told["states"]) == {"done": 1, "bad": 1}
    assert name in Path(told["path"]).read_text("utf-8")


def test_last_is_the_newest_run(capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody wants to see after a batch is that batch."""
    bought([0, 1])
    bought([0, -1, 2], constants={"quality": "512"})
    line = ["run", RECIPE, "photo=mug.png", "part=the mug", "change=blue", "--sandbox", "-q"]
    assert run(line) == 0
    assert run(["report", "last", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n")[2])["rows"] == 1


@pytest.mark.parametrize("ledger", ["off", "absent"])
def test_name_of_nothing_is_said(
    ledger: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been meant as a folder or as a run."""
    monkeypatch.setenv("NANORECIPES_LEDGER", ledger)
    assert run(["report", "nothing"]) == 2
    assert "no folder 'nothing', and the ledger knows no such run" in capsys.readouterr().err


def test_beginning_of_several_runs_names_them(
    books: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs of one day begin alike."""
    bought([0])
    line = ["run", RECIPE, "photo=mug.png", "part=the mug", "change=blue", "--sandbox", "-q"]
    assert run(line) == 0
    capsys.readouterr()
    assert run(["report", "20"]) == 2
    said = capsys.readouterr().err
    assert "'20' is the beginning of 2 runs: 20" in said


def test_row_that_left_the_table_is_not_shown_as_waiting(books: Ledger) -> None:
    """Only what was bought stays; a row that nobody asks for any more waits for nothing."""
    bought([0, 1], budget=PRICE)
    bought([0, 2], budget=PRICE)
    assert [row.state for row in rows_of_last(books)] == ["done", "planned"]
    assert rows_of_last(books)[1].made.values["change"] == "glazed in blue number 2"


def batched(*rows: str) -> None:
    """A batch from the command line over these rows, the bad ones skipped."""
    Path("table.csv").write_text("\n".join(["photo,part,change", *rows]) + "\n")
    argv = ["batch", RECIPE, "table.csv", "-o", "out", "--sandbox", "--skip-bad", "--quiet"]
    assert run(argv) == 0


def recipes_shown(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str | None]]:
    """The state and the recipe of each row on the page of the folder."""
    capsys.readouterr()
    assert run(["report", "out", "-q"]) == 0
    page = Path(capsys.readouterr().out.strip()).read_text("utf-8")
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    names = data["columns"]
    rows = [dict(zip(names, row, strict=True)) for row in data["rows"]]
    texts = data["strings"]
    return [(texts[row["state"]], texts[row["recipe"]] or None) for row in rows]


def test_rows_of_a_folder_without_a_picture_name_their_recipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The page filters by recipe, and what failed is what one looks for."""
    batched("mug.png,,blue", "mug.png,the mug,blue")
    assert recipes_shown(capsys) == [("bad", RECIPE), ("done", RECIPE)]


@pytest.mark.parametrize("mark", [None, "", "[]", "[" * 100_000, '{"inputs": {"recipe": 7}}'])
def test_another_rows_picture_tells_the_recipe_where_the_folder_does_not(
    mark: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that was handed on may have lost the file that says whose it is."""
    batched("mug.png,,blue", "mug.png,the mug,blue")
    told = Path("out/.nanorecipes-batch.json")
    if mark is None:
        told.unlink()
    else:
        told.write_text(mark)
    assert recipes_shown(capsys) == [("bad", RECIPE), ("done", RECIPE)]
    for sidecar in Path("out").glob("*/*.json"):
        sidecar.unlink()
    assert ("bad", None) in recipes_shown(capsys)


def test_the_folder_tells_the_recipe_where_no_row_has_a_picture(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All rows failed: then the page is needed most."""
    batched("mug.png,,blue", "mug.png,the mug,")
    assert recipes_shown(capsys) == [("bad", RECIPE)] * 2


def test_no_file_outside_the_folder_tells_the_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    """A table of a stranger may name any path."""
    batched("mug.png,the mug,blue")
    (made,) = Path("out").glob("*/*.jpg")
    for path in (f"../out/{made.relative_to('out')}", str(made.resolve())):
        Path("strange").mkdir(exist_ok=True)
        Path("strange/results.csv").write_text(
            f"row_key,state,path,error\nk1,verified,{path},\nk2,failed,,no\n"
        )
        assert run(["report", "strange", "-q"]) == 0
        assert RECIPE not in Path("strange/report.html").read_text("utf-8")
