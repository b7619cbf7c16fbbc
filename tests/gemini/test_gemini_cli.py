"""The command line on Google: run, batch, and what the ledger's commands say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from played_google import answers
from shells import Outcome, Shell

from nanorecipes.client_core import ClientBase
from nanorecipes.sandbox.server import RunningServer
from nanorecipes.service.kept import KeptAnswers

PART = ("edit/change_part", "photo=photo.jpg", "part=the mug", "change=deep blue", "-o", "out")


def interrupted(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """A run that is stopped between the answer and the file."""

    def end(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ClientBase, "_fetch_flow", end)
        return shell("run", *PART)


def test_run_saves_the_picture_and_says_what_google_asks(shell: Shell, tmp_path: Path) -> None:
    """A key, a path, and nothing to upload."""
    said = shell("run", *PART, "--quality", "2K")
    assert said.code == 0
    assert "edit/change_part on gemini-3.1-flash-image (gemini), estimated $0.101" in said.err
    assert "cost $0.101 estimated" in said.err
    assert "kept:" not in said.err
    sidecar = json.loads(Path(said.out.strip() + ".json").read_text())
    assert (sidecar["backend"], sidecar["task_id"]) == ("gemini", None)
    assert (sidecar["cost_usd"], sidecar["cost_source"]) == ("0.101", "estimate")
    assert answers(tmp_path) == []
    assert "none on gemini" in shell("inspect", said.out.strip()).out


def test_run_as_json_has_no_task(shell: Shell) -> None:
    """A program reads what isn't there as null."""
    said = shell("run", *PART, "--json")
    assert (said.json["backend"], said.json["task_id"]) == ("gemini", None)
    assert str(said.json["cost_usd"]) == "0.067"


def test_max_cost_holds_for_googles_price(shell: Shell, google: RunningServer) -> None:
    """Qolaba's would be 8 cents, within the bound."""
    said = shell("run", *PART, "--quality", "2K", "--max-cost", "0.09")
    assert said.code == 2
    assert "$0.101" in said.err
    assert google.sandbox.charges == []


def test_several_pictures_in_one_request_are_wrong_use(shell: Shell, google: RunningServer) -> None:
    """Said before anything is sent, with the way out."""
    said = shell("run", *PART, "--num-images", "3")
    assert said.code == 2
    assert "one picture a request" in said.err
    assert google.sandbox.charges == []


@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [("blocked", 3, "refused"), ("no_image", 3, "failed"), ("drop_after", 4, "unknown")],
)
def test_what_went_wrong_stands_in_the_exit_code_and_in_runs(
    shell: Shell, google: RunningServer, fault: str, code: int, state: str
) -> None:
    """A script needs to know whether it was perhaps charged."""
    google.sandbox.faults.push([fault])
    assert shell("run", *PART).code == code
    assert f"1 {state}" in shell("runs").out
    assert f"  {state}  $" in shell("runs", "last").out


def test_an_unknown_purchase_has_googles_value_and_can_be_sent_again(
    shell: Shell, google: RunningServer
) -> None:
    """By a person's decision, within a bound, and with the picture's path from the ledger."""
    google.sandbox.faults.push(["drop_after"])
    shell("run", *PART, "--quality", "2K")
    assert str(shell("unknown", "--json").json["total_usd"]) == "0.101"
    assert shell("unknown", "--resubmit", "--max-cost", "0.1").code == 2
    assert shell("unknown", "--resubmit", "--max-cost", "0.11").code == 0
    assert len(google.sandbox.charges) == 2
    assert str(shell("costs", "--json").json["total_usd"]) == "0.202"


def test_unknown_shows_an_answer_that_no_row_heard_of(
    shell: Shell, google: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program ended between keeping it and writing so: it was paid for, and it is there."""
    keep = KeptAnswers.keep

    def keep_and_end(self: KeptAnswers, data: bytes) -> str:
        keep(self, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(KeptAnswers, "keep", keep_and_end)
        shell("run", *PART)
    (kept,) = answers(tmp_path)
    shell("run", *PART)  # one that is saved has no part in it
    said = shell("unknown", "--json").json
    assert [row["state"] for row in said["rows"]] == ["unknown"]
    assert said["unnamed_answers"] == [str(kept)]
    assert f"perhaps the picture of one of them: answers/{kept.name}" in shell("unknown").err
    assert shell("unknown", "--assume-charged").code == 0
    assert shell("unknown", "--json").json["unnamed_answers"] == []


def test_resume_saves_a_kept_answer_without_paying(
    shell: Shell, google: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program ended between the answer and the file."""
    said = interrupted(shell, monkeypatch)
    assert "the picture is kept; save it with: nanorecipes resume kept:" in said.err
    (kept,) = answers(tmp_path)
    again = shell("resume")
    assert (again.code, len(google.sandbox.charges)) == (0, 1)
    saved = Path(again.out.split("  ")[-1].strip())
    assert saved.is_file()
    sidecar = json.loads(Path(f"{saved}.json").read_text())
    assert (sidecar["backend"], sidecar["task_id"]) == ("gemini", None)
    assert (sidecar["cost_usd"], sidecar["cost_source"]) == ("0.067", "estimate")
    assert answers(tmp_path) == []
    assert sidecar["picture"]["received_sha256"] == kept.name.partition("-")[0]
    assert shell("resume").err.strip() == "there is nothing to resume"


def test_resume_by_the_kept_name_saves_it_as_well(
    shell: Shell, google: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line that an interrupted run printed can be pasted."""
    said = interrupted(shell, monkeypatch)
    line = said.err.split("nanorecipes resume ")[1].split("\n")[0]
    said = shell("resume", *line.split())
    assert said.code == 0, said.err
    assert Path(said.out.strip()).is_file()
    assert answers(tmp_path) == []
    assert "1 verified" in shell("runs").out
    assert len(google.sandbox.charges) == 1


@pytest.mark.parametrize("named", [False, True], ids=["ledger", "name"])
def test_resume_of_a_kept_answer_needs_no_key(
    shell: Shell,
    google: RunningServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: bool,
) -> None:
    """It lies here: nothing is sent to anyone, also where another service's key is set by now."""
    interrupted(shell, monkeypatch)
    (kept,) = answers(tmp_path)
    monkeypatch.delenv("GEMINI_API_KEY")
    monkeypatch.setenv("QOLABA_API_KEY", "qk-for-another-service")
    monkeypatch.setenv("QOLABA_BASE_URL", "http://qolaba.invalid")
    said = shell("resume", *([f"kept:{kept.name}"] if named else []))
    assert said.code == 0, said.err
    assert answers(tmp_path) == []
    assert "1 verified" in shell("runs").out
    assert len(google.sandbox.charges) == 1


def test_a_run_whose_answer_cannot_be_kept_is_saved_and_booked(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a warning, and without a name that would lead nowhere."""

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(KeptAnswers, "keep", full)
    said = shell("run", *PART)
    assert said.code == 0
    assert Path(said.out.strip()).is_file()
    assert "could not be kept beside the ledger" in said.err
    assert "inline:" not in said.err + shell("runs", "last").out
    assert "1 verified" in shell("runs").out
    assert "resume" not in interrupted(shell, monkeypatch).err


def test_sending_again_still_needs_the_key(
    shell: Shell, google: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A purchase without a key is told to be one before anything leaves."""
    google.sandbox.faults.push(["drop_after"])
    shell("run", *PART)
    monkeypatch.delenv("GEMINI_API_KEY")
    said = shell("unknown", "--resubmit", "--max-cost", "1")
    assert said.code == 2
    assert "GEMINI_API_KEY is not set" in said.err
    assert len(google.sandbox.charges) == 1


def test_a_task_that_google_never_had_is_said_to_be_none(shell: Shell) -> None:
    """A task's id of Qolaba's leads nowhere here."""
    said = shell("resume", "t-77")
    assert said.code == 3
    assert "answers a request with its picture" in said.err


def test_batch_checks_and_runs_a_table_of_local_pictures(shell: Shell, tmp_path: Path) -> None:
    """With Google's prices, and bad rows named before a cent is spent."""
    Path("t.csv").write_text(
        "photo,part,change\nphoto.jpg,the mug,red\nphoto.jpg,the cup,green\n", encoding="utf-8"
    )
    checked = shell("batch", "edit/change_part", "t.csv", "-o", "out", "--check", "--json")
    assert str(checked.json["estimated_cost_usd"]) == "0.134"
    said = shell("batch", "edit/change_part", "t.csv", "-o", "out", "--json")
    assert (said.code, said.json["verified"]) == (0, 2)
    assert str(said.json["spent_usd"]) == "0.134"
    assert answers(tmp_path) == []


def test_batch_names_rows_that_google_does_not_take(shell: Shell, google: RunningServer) -> None:
    """Here, not by the service in the middle of the night."""
    Path("t.csv").write_text(
        "photo,part,change,num_images\nphoto.jpg,the mug,red,2\n", encoding="utf-8"
    )
    said = shell(
        "batch", "edit/change_part", "t.csv", "-o", "out", "--map", "num_images=num_images"
    )
    assert said.code == 2
    assert "one picture a request" in said.err
    assert google.sandbox.charges == []


def test_the_key_goes_where_a_setting_says_and_that_is_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's checkout may name any host."""
    monkeypatch.setenv("GEMINI_BASE_URL", "http://elsewhere.invalid")
    said = shell("run", *PART, "--timeout", "0.2")
    assert "the request and the key go to http://elsewhere.invalid" in said.err


def test_refresh_says_that_google_lists_no_prices(shell: Shell) -> None:
    """The catalogue has them."""
    said = shell("models", "--refresh")
    assert said.code == 2
    assert "nothing of sizes and prices" in said.err
