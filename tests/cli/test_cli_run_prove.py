"""`run --prove` and `--restore`: verdict, files and exit code, before and after paying."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from proof_pictures import EDIT, ELSEWHERE, patched, resynthesised, scene

from nanorecipes import provenance
from nanorecipes.sandbox.core import Sandbox

if TYPE_CHECKING:
    from shells import Shell

REGION = ("--region", ",".join(map(str, EDIT)))
PART = ("edit/change_part", "photo=source.png", "part=the mug", "change=deep blue", "--sandbox")


@pytest.fixture(autouse=True)
def _answers(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox answers with an edit that drifted."""
    scene().save("source.png")
    Path("answers").mkdir()
    drifted = patched(patched(scene(), EDIT), ELSEWHERE)
    Path("answers/source.jpg").write_bytes(resynthesised(drifted))
    monkeypatch.setenv("NANORECIPES_SANDBOX_ANSWERS", "answers")


def keep_the_promise() -> None:
    """From now on the edit is where it was asked for."""
    Path("answers/source.jpg").write_bytes(resynthesised(patched(scene(), EDIT)))


def test_a_broken_promise_leaves_with_1_and_keeps_the_picture(shell: Shell) -> None:
    """It is paid for, drawn and told."""
    said = shell("run", *PART, "--prove", *REGION, "-o", "out")
    assert said.code == 1
    path = Path(said.out.strip())
    assert path.is_file()
    assert "drifted  score" in said.err
    assert "1 place changed outside the region" in said.err
    assert "the picture is kept" in said.err
    assert path.with_name(f"{path.name}.overlay.jpg").is_file()
    assert path.with_name(f"{path.name}.change-map.png").is_file()
    sidecar = json.loads(path.with_name(f"{path.name}.json").read_text())
    assert sidecar["proof"]["verdict"] == "drifted"


def test_a_kept_promise_leaves_with_0(shell: Shell) -> None:
    """And `$(nanorecipes run ...)` is a file name still."""
    keep_the_promise()
    said = shell("run", *PART, "--prove", *REGION)
    assert said.code == 0
    assert Path(said.out.strip()).is_file()
    assert "kept  score" in said.err
    assert "broken" not in said.err


def test_json_tells_the_whole_proof(shell: Shell) -> None:
    """For programs."""
    (image,) = shell("run", *PART, "--prove", *REGION, "--json").json["images"]
    assert image["proof"]["verdict"] == "drifted"
    assert Path(image["overlay"]).is_file()
    assert Path(image["change_map"]).is_file()
    assert "proof" not in shell("run", *PART, "--json").json["images"][0]


def test_restore_saves_a_further_picture_that_says_it_is_a_composite(shell: Shell) -> None:
    """The service's own stays as it is."""
    told = shell("run", *PART, "--restore", *REGION, "-o", "out", "--json")
    assert told.code == 1
    (image,) = told.json["images"]
    restored = Path(image["restored"]["path"])
    assert image["restored"]["proof"]["verdict"] == "kept"
    assert restored != Path(image["path"])
    assert Path(image["path"]).is_file()
    made = provenance.read(restored)
    assert made is not None
    assert made.recipe == "edit/change_part"
    assert made.facts["composite"]["region_found"] is False
    assert made.images[0].source == "source.png"
    original = provenance.read(Path(image["path"]))
    assert original is not None
    assert "composite" not in original.facts
    with Image.open(restored) as picture:
        assert picture.format == "PNG"
    again = shell("prove", str(restored), *REGION)
    assert again.code == 0


def test_a_later_proof_looks_where_the_first_one_did(shell: Shell) -> None:
    """The sidecar tells the region, so that the same question has the same answer."""
    said = shell("run", *PART, "--restore", *REGION, "--protect-region", "0.9,0.9,1,1", "-o", "out")
    path, restored = said.out.split()
    again = shell("prove", path, "--json").json
    assert (again["region"], again["protect"]) == ([[*EDIT]], [[0.9, 0.9, 1, 1]])
    assert (again["verdict"], shell("prove", restored).code) == ("drifted", 0)
    assert shell("prove", path, "--region", "0,0,1,1", "--protect", "0.9,0.9,1,1").code == 0


def test_no_path_of_a_mask_travels_in_the_picture(shell: Shell) -> None:
    """Pictures are published; the paths of a machine are not."""
    mask = Image.new("L", scene().size)
    mask.paste(255, EDIT)
    mask.save("secret-mask.png")
    path = Path(shell("run", *PART, "--prove", "--region", "secret-mask.png").out.strip())
    assert b"secret-mask" not in path.read_bytes()
    told = json.loads(path.with_name(f"{path.name}.json").read_text())
    assert told["proof"]["region"] == "secret-mask.png"


def test_restoring_that_is_not_sure_is_refused_with_the_reason(shell: Shell) -> None:
    """Another picture can't be laid over the source."""
    scene(77).save("answers/source.jpg")
    said = shell("run", *PART, "--restore", *REGION, "-o", "out")
    assert said.code == 1
    assert "can't be restored: the output can't be laid over" in said.err
    assert not list(Path("out").glob("*restored*"))


def test_json_says_why_nothing_was_restored(shell: Shell) -> None:
    """A program reads no warnings."""
    scene(77).save("answers/source.jpg")
    (image,) = shell("run", *PART, "--restore", *REGION, "--json").json["images"]
    assert image["restored"]["path"] is None
    assert "can't be laid over" in image["restored"]["why"]


def test_provenance_none_leaves_the_drawings_and_no_word(shell: Shell) -> None:
    """Who wants bare pictures gets them."""
    shell("run", *PART, "--restore", *REGION, "-o", "out", "--no-provenance")
    assert not list(Path("out").glob("*.json"))
    (restored,) = Path("out").glob("*-restored.png")
    assert provenance.read(restored) is None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*PART, "--region", "0,0,1,1"), "add --prove"),
        ((*PART, "--min-score", "0.9"), "add --prove"),
        ((*PART, "--prove", "--region", "900,0,990,5"), "covers nothing"),
        ((*PART, "--prove", "--protect-region", "nothing.png"), "no file 'nothing.png'"),
        (("background/replace", "photo=source.png", "background=a beach", "--sandbox",
          "--restore"), "only an edit of a part"),
    ],
    ids=["no proof", "no proof, score", "empty box", "no mask", "background"],
)  # fmt: skip
def test_wrong_use_is_found_before_anything_is_paid_for(
    shell: Shell, args: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof that can't be done must not cost the picture first."""
    sent: list[object] = []
    monkeypatch.setattr(Sandbox, "handle", lambda self, call: sent.append(call))
    told = shell("run", *args)
    assert (told.code, sent) == (2, [])
    assert said in told.err


def test_a_missing_extra_is_found_before_anything_is_paid_for(tmp_path: Path) -> None:
    """It names what to install."""
    code = (
        "import sys; sys.modules['cv2'] = None\n"
        "from nanorecipes.cli.main import main\n"
        f"main({['run', *PART, '--prove']!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nanorecipes[proof]" in done.stderr
    assert "accepted" not in done.stderr


def test_without_pictures_of_ones_own_the_sandbox_proves_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run isn't a broken promise, and it says what was compared: nothing."""
    monkeypatch.delenv("NANORECIPES_SANDBOX_ANSWERS")
    said = shell("run", *PART, "--prove", *REGION, "--restore")
    assert said.code == 0
    assert "not provable" in said.err
    assert "drew this picture as a card" in said.err


def test_rerun_proves_as_well(shell: Shell) -> None:
    """Another try is held to the same."""
    first = shell("run", *PART, "-o", "out").out.strip()
    again = shell("rerun", first, "--sandbox", "--prove", *REGION, "-o", "out")
    assert again.code == 1
    assert "drifted" in again.err
