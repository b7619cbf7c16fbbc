"""The commands that run catalogues and keep books, as a user calls them."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import nanorecipes
from nanorecipes import Client
from nanorecipes.batch.ledger import Ledger
from nanorecipes.cli.main import run
from nanorecipes.client import Wiring
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import RunningServer, running_server
from nanorecipes.service.timing import VirtualClock

RECIPE = "edit/change_part"
FAST = ["--aspect-ratio", "1:1", "--quality", "512"]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table in a project whose ledger is its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NANORECIPES_LEDGER")
    path = tmp_path / "catalogue.csv"
    lines = ["sku,photo,part,change"]
    lines += [f"{n},https://pictures.invalid/{n}.jpg,the mug,blue {n}" for n in range(6)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A service over HTTP whose tasks are ready at once."""
    with running_server(Sandbox(task_seconds=0, plain=True)) as running:
        monkeypatch.setenv("QOLABA_BASE_URL", running.base_url)
        monkeypatch.setenv("QOLABA_API_KEY", "any")
        yield running


def batch(*more: str) -> int:
    """The command."""
    return run(["batch", RECIPE, "catalogue.csv", "-o", "out", *FAST, *more])


def results() -> list[dict[str, str]]:
    """The results file."""
    with Path("out/results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """What was printed as JSON."""
    return json.loads(capsys.readouterr().out)


def test_results_hold_a_line_for_each_row_in_order(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads the results finds the table again, and each picture by its path."""
    assert batch("--sandbox", "--json") == 0
    told = said(capsys)
    assert (told["rows"], told["verified"], told["bought"], told["is_sandbox"]) == (6, 6, 6, True)
    found = results()
    assert [line["sku"] for line in found] == [str(n) for n in range(6)]
    for line in found:
        assert (line["state"], line["cost_usd"]) == ("verified", "0.045")
        assert (Path("out") / line["path"]).is_file()
        assert line["row_key"] in line["path"]


def test_other_inputs_for_the_same_folder_are_said_before_they_are_bought(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All rows then are other purchases; the same inputs again are no news."""
    assert batch("--sandbox", "--limit", "1", "notes=soft light") == 0
    assert batch("--sandbox", "--limit", "1", "notes=soft light") == 0
    assert "not the inputs" not in capsys.readouterr().err
    assert batch("--sandbox", "--limit", "1", "notes=hard light", "--check") == 0
    assert "notes was 'soft light'; each row counts as new and is bought" in (
        capsys.readouterr().err.replace("\n", " ")
    )
    assert batch("--sandbox", "--limit", "1") == 0
    assert "'out': not the inputs of the last call: notes was" in capsys.readouterr().err


def test_recipe_that_reads_otherwise_is_said_before_rows_are_bought_again(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another word in a recipe is another purchase for every row of a catalogue."""
    path = Path("recipes/shop/paint.yaml")
    path.parent.mkdir(parents=True)
    text = (Path(nanorecipes.__file__).parents[1] / "recipes/edit/change_part.yaml").read_text()
    path.write_text(text)
    command = ["batch", str(path), "catalogue.csv", "-o", "out", *FAST, "--sandbox", "--limit"]
    assert run([*command, "1"]) == 0
    assert run([*command, "1"]) == 0
    assert "reads otherwise" not in capsys.readouterr().err
    path.write_text(text.replace("title: ", "title: Almost "))
    assert run([*command, "1", "--check"]) == 0
    told = capsys.readouterr().err.replace("\n", " ")
    assert "paint reads otherwise than in the last call; each row counts as new" in told


def test_reasons_and_ways_on_are_told(
    table: Path, shop: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to open the results to hear why a row has no picture."""
    shop.sandbox.faults.push(["gone"] * 3, route="results")
    shop.sandbox.faults.push(["blocked"])
    assert batch("--submits", "1", "--limit", "2") == 1
    told = capsys.readouterr().err
    assert "answered 404; the same command fetches them again, and pays nothing; after 4" in told
    assert "--retry-failed asks again" in told
    assert batch("--retry-failed", "--limit", "2") == 0
    assert "--retry-failed" not in capsys.readouterr().err


def test_full_output_disk_leaves_no_row_out(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The row that met the error counts as well, and its purchase most of all."""
    write = os.write

    def full(handle: int, data: bytes) -> int:
        if data.startswith(b"\xff\xd8"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data)

    with monkeypatch.context() as faults:
        faults.setattr(os, "write", full)
        assert batch("--sandbox", "--json") == 3
    told = said(capsys)
    states = ("verified", "unknown", "failed", "refused", "bad", "planned", "unfetched")
    assert told["bought"] <= told["rows"] == sum(told[state] for state in states)
    assert told["unfetched"] == told["bought"] > 0
    assert "No space left on device" in told["error"]["message"]


def test_full_ledger_disk_leaves_nothing_out_that_was_sent(
    table: Path, shop: RunningServer
) -> None:
    """What was sent, and couldn't be written down, is unknown: by no means is it planned."""
    path = Path("catalogue.csv")
    lines = [f"{n},https://pictures.invalid/{n}.jpg,the mug,blue {n}" for n in range(300)]
    path.write_text("sku,photo,part,change\n" + "\n".join(lines) + "\n", encoding="utf-8")
    script = f"""
import resource, sys
from nanorecipes.cli.main import run
resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, 800_000))
sys.exit(run(["batch", {RECIPE!r}, "catalogue.csv", "-o", "out", *{FAST!r},
              "--concurrency", "256", "--json"]))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.returncode == 3, ran.stderr
    told = json.loads(ran.stdout)
    assert "make room on the disk" in told["error"]["help"]
    charged = len(shop.sandbox.charges)
    assert 0 < charged < 300
    sent = [row for row in results() if row["state"] not in ("planned", "bad")]
    assert len(sent) == told["rows"] - told["planned"] == charged
    assert batch("--concurrency", "256") == 1
    assert Counter(row["state"] for row in results())["unknown"] <= 4
    assert len(shop.sandbox.charges) <= 300 + 4


def test_check_sends_nothing_and_names_bad_rows(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole table first: a typo in row 900 must not cost 899 pictures."""
    with table.open("a") as file:
        file.write("x,https://pictures.invalid/x.jpg,,blue\n")
    assert batch("--check", "--json") == 1
    told = said(capsys)
    assert (told["rows"], told["bad"], told["problems"][0]["column"]) == (7, 1, "part")
    assert batch("--sandbox") == 2
    assert not Path("out/results.csv").exists()
    assert batch("--sandbox", "--skip-bad") == 0
    assert [line["state"] for line in results()] == ["verified"] * 6 + ["bad"]
    assert "x,https" in Path("out/bad-rows.csv").read_text()


def test_bad_rows_are_those_of_this_call(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list of an earlier call would send its reader after rows that are mended."""
    whole = table.read_text()
    bad = Path("out/bad-rows.csv")
    table.write_text(f"{whole}x,https://pictures.invalid/x.jpg,,blue\n")
    assert batch("--sandbox", "--skip-bad", "--sample", "1") == 0
    told = capsys.readouterr().err
    assert "bad rows: 1 in out/bad-rows.csv; correct them" in told
    assert "only the first" not in told
    assert "x,https" in bad.read_text()

    assert batch("--sandbox", "--skip-bad", "--limit", "2") == 0
    told = capsys.readouterr().err
    assert "only the first 2 rows were looked at; bad ones may follow" in told
    assert "bad rows:" not in told
    assert not bad.exists()

    assert batch("--sandbox", "--skip-bad", "--limit", "7") == 0
    assert "only the first" not in capsys.readouterr().err
    assert bad.exists()
    table.write_text(whole)
    assert batch("--sandbox", "--skip-bad") == 0
    assert not bad.exists()


def test_check_of_the_first_rows_says_so(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`0 are bad` is no word about the rest, even where that can't be read at all."""
    with table.open("a") as file:
        file.write('x,https://pictures.invalid/x.jpg,"the mug,blue\n')
    assert batch("--check", "--limit", "6") == 0
    told = capsys.readouterr()
    assert told.out.startswith("6 of 6 rows are good, 0 are bad")
    assert "only the first 6 rows were looked at; bad ones may follow" in told.err
    assert batch("--check", "--limit", "6", "--quiet") == 0
    assert "only the first" not in capsys.readouterr().err


def test_a_table_is_never_taken_for_the_list_of_bad_rows(table: Path) -> None:
    """Who corrects that list in its place and runs it keeps it."""
    Path("out").mkdir()
    target = Path("out/bad-rows.csv")
    for more in ("", "x,https://pictures.invalid/x.jpg,,blue\n"):
        text = table.read_text() + more
        target.write_text(text)
        argv = ["batch", RECIPE, str(target), "-o", "out", *FAST, "--sandbox", "--skip-bad"]
        assert run(argv) == 0
        assert target.read_text() == text


def test_sample_is_part_of_the_whole(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the trial paid for isn't paid again by the full run."""
    assert batch("--sandbox", "--sample", "2", "--json") == 0
    assert said(capsys)["bought"] == 2
    assert sum(line["state"] == "verified" for line in results()) == 2
    assert batch("--sandbox", "--json") == 0
    assert said(capsys)["bought"] == 4


def test_budget_leaves_rows_undone(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 says that there is more to do; one too small to begin is wrong use."""
    assert batch("--sandbox", "--budget", "0.1", "--json") == 1
    told = said(capsys)
    assert (told["verified"], told["spent_usd"], told["budget_usd"]) == (2, 0.09, 0.1)
    assert "above the $0.1 allowed" in told["stopped"]
    assert batch("--sandbox", "--budget", "0.01") == 2
    capsys.readouterr()
    assert batch("--sandbox", "--budget", "0.1") == 1
    told_people = capsys.readouterr().err
    assert "spent $0.09 of $0.10" in told_people
    assert "the same command with a larger --budget goes on" in told_people


def test_costs_of_the_results_add_up_to_what_was_spent(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Identical rows were paid once: whoever adds up the column must not find more."""
    with table.open("a") as file:
        file.write("again,https://pictures.invalid/0.jpg,the mug,blue 0\n" * 2)
    assert batch("--sandbox", "--json") == 0
    spent = said(capsys)["spent_usd"]
    assert sum(float(line["cost_usd"]) for line in results()) == pytest.approx(spent)
    assert [line["cost_usd"] for line in results()[-2:]] == ["0", "0"]
    assert len({line["path"] for line in results()}) == 6


def test_json_is_one_document_also_when_a_batch_fails(
    table: Path, shop: RunningServer, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A program reads one thing: how the batch stands, and what stopped it."""
    monkeypatch.setenv("QOLABA_API_KEY", "no-credits")
    assert batch("--json") == 3
    told = said(capsys)
    assert (told["planned"], told["verified"]) == (told["rows"], 0)
    assert told["error"]["type"] == "InsufficientCreditsError"


def test_unknown_rows_are_shown_with_dollars_and_decided_by_a_person(
    table: Path, shop: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the crash to the decision: listed, sent again within a cap, or taken as charged."""
    shop.sandbox.faults = Faults.script(["drop_after", "drop_after"])
    assert batch("--json") == 1
    assert said(capsys)["unknown"] == 2
    assert run(["unknown", "--json"]) == 0
    told = said(capsys)
    assert (len(told["rows"]), told["total_usd"]) == (2, 0.09)
    assert run(["unknown", "--resubmit", "--max-cost", "0.05"]) == 2
    assert run(["unknown", "--resubmit"]) == 2
    assert len(shop.sandbox.charges) == 6
    capsys.readouterr()
    assert run(["unknown", "--resubmit", "--max-cost", "0.09"]) == 0
    told = capsys.readouterr().err
    assert "the first requests count as paid from now on: $0.09" in told
    assert "results are written anew by its next call" in told
    assert len(shop.sandbox.charges) == 8
    capsys.readouterr()
    assert batch("--json") == 0
    assert said(capsys)["spent_usd"] == 0.36
    shop.sandbox.faults = Faults.script(["drop_after"])
    assert run(["run", RECIPE, "photo=https://x.invalid/1.jpg", "part=a", "change=b", *FAST]) == 4
    assert run(["unknown", "--assume-charged"]) == 0
    capsys.readouterr()
    assert run(["costs", "--by", "model", "--json"]) == 0
    told = said(capsys)
    assert (told["total_usd"], told["unknown_usd"], len(told["costs"])) == (0.405, 0.0, 1)


def test_single_runs_are_in_the_books(
    table: Path, shop: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every purchase is found again, with its task, its cost and its file."""
    argv = ["run", RECIPE, "photo=https://x.invalid/1.jpg", "part=a", "change=b", *FAST]
    assert run([*argv, "--json"]) == 0
    task_id = said(capsys)["task_id"]
    assert run(["runs", "--json"]) == 0
    (listed,) = said(capsys)
    assert (listed["kind"], listed["states"], listed["spent_usd"]) == (
        "run",
        {"verified": 1},
        0.045,
    )
    assert run(["runs", "show", listed["id"][:18], "--json"]) == 0
    (row,) = said(capsys)["rows"]
    assert row["task_id"] == task_id
    assert Path(row["paths"][0]).is_file()
    assert run(["runs", "show", "nothing"]) == 2


def test_resume_fetches_what_was_paid_for(
    table: Path, shop: RunningServer, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """After a run that could not fetch, nothing is bought again, whichever way one resumes."""
    shop.sandbox.faults.push(["gone"] * 18, route="results")
    assert batch("--json") == 1
    told = said(capsys)
    assert told["unfetched"] == 6
    monkeypatch.delenv("QOLABA_BASE_URL")  # the tasks lie where they were bought
    assert run(["resume", "last", "--json"]) == 0
    assert [item["state"] for item in said(capsys)] == ["verified"] * 6
    assert len(shop.sandbox.charges) == 6
    assert run(["resume", "--json"]) == 0
    assert said(capsys) == []
    for more in ([], [told["run"]]):
        assert run(["resume", *more]) == 0
        assert "nothing to resume" in capsys.readouterr().err


def test_what_the_sandbox_had_is_no_money_and_ended_with_its_program(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is said wherever its rows are counted: else a sum of nothing looks like a fault."""
    clock = VirtualClock()
    shop = Sandbox(faults=Faults.script(["drop_after"]), plain=True, clock=clock.monotonic)
    shop.faults.push(["gone"] * 3, route="results")
    with Client(sandbox=shop, wiring=Wiring(clock=clock)) as client:
        found = list(client.batch(RECIPE, "catalogue.csv", out="out", concurrency=1))
    assert Counter(o.state for o in found) == {"unknown": 1, "done": 1, "verified": 4}
    assert run(["unknown"]) == 0
    assert "1 rows, of which the sandbox's 1 don't count, $0" in capsys.readouterr().err
    assert run(["resume"]) == 0
    told = capsys.readouterr().err
    assert "nothing to resume: 1 rows of the sandbox ended with its program" in told
    assert run(["batch", RECIPE, "catalogue.csv", "-o", "out", "--sandbox"]) == 1
    told = capsys.readouterr().err
    assert "5 verified, 1 unknown" in told
    assert "the sandbox of an earlier call ended with its program, and 1 rows were bought" in told


def test_the_list_of_runs_names_their_folders(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten runs of one recipe are told apart by where their pictures went."""
    assert batch("--sandbox", "--quiet") == 0
    capsys.readouterr()
    assert run(["runs"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("6 verified  $0.27 (sandbox)  out")


@pytest.mark.parametrize("by", ["recipe", "day", "model"])
def test_costs_tell_what_the_sandbox_would_have_cost(
    by: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has only tried the sandbox sees that its runs were noticed, and why they don't count."""
    assert batch("--sandbox", "--quiet") == 0
    capsys.readouterr()
    assert run(["costs", "--by", by]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "the sandbox's runs would have cost $0.27 and don't count" in told.err
    assert run(["costs", "--by", by, "--json"]) == 0
    assert said(capsys) == {
        "by": by, "costs": [], "total_usd": 0.0, "unknown_usd": 0.0, "sandbox_usd": 0.27,
    }  # fmt: skip


def test_damaged_ledger_stops_a_run_before_it_sends(
    table: Path, shop: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told in one line, and never started over."""
    with Ledger() as books:
        path = books.path
    path.write_bytes(b"")
    argv = ["run", RECIPE, "photo=https://x.invalid/1.jpg", "part=a", "change=b", *FAST]
    assert run(argv) == 2
    assert "damaged" in capsys.readouterr().err
    assert batch() == 2
    assert shop.sandbox.charges == []
    assert path.stat().st_size == 0


def test_folder_without_room_for_a_ledger_is_one_warning(
    table: Path, shop: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A single picture from a read-only place is still worth having; a catalogue isn't."""
    Path(".nanorecipes").write_text("a file where the folder should be")
    argv = ["run", RECIPE, "photo=https://x.invalid/1.jpg", "part=a", "change=b", *FAST]
    assert run(argv) == 0
    assert "no ledger is kept" in capsys.readouterr().err
    assert batch() == 2
    assert len(shop.sandbox.charges) == 1


def test_books_of_an_empty_project_are_empty(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asking makes no ledger."""
    for command, empty in (
        (["runs"], []),
        (["unknown"], {"rows": [], "total_usd": 0.0, "unnamed_answers": []}),
        (["costs"], {"by": "recipe", "costs": [], "total_usd": 0.0, "unknown_usd": 0.0,
                     "sandbox_usd": 0.0}),
        (["resume"], []),
    ):  # fmt: skip
        assert run([*command, "--json"]) == 0
        assert said(capsys) == empty
    assert not Path(".nanorecipes").exists()
