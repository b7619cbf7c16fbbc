"""A folder of pictures as one page: complete, safe with strangers' text, small."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from nanorecipes import files
from nanorecipes.errors import InputError, SaveError
from nanorecipes.report.data import collect
from nanorecipes.report.page import write_report


def record(folder: Path, name: str, prompt: str, **more: object) -> Path:
    """A picture of a folder with its sidecar, as `save` writes them."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, "PNG")
    path = folder / name
    path.write_bytes(buffer.getvalue())
    facts = {
        "tool": {"name": "nanorecipes", "version": "0"}, "recipe": "edit/change_part",
        "prompt": prompt, "sections": [{"name": "edit", "text": prompt}], "cost_usd": "0.2",
        "backend": "qolaba", "task_id": name, "warnings": [],
        "inputs": {"values": {}, "images": []},
        "picture": {"sha256": files.sha256(buffer.getvalue())}, **more,
    }  # fmt: skip
    path.with_name(f"{name}.json").write_text(json.dumps(facts), "utf-8")
    return path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_strangers_text_stays_text(tmp_path: Path) -> None:
    """Prompts and file names come from anybody, and the page runs a script."""
    record(tmp_path, "a.png", "</script><script>alert(1)</script><!--")
    page = write_report(tmp_path).path.read_text("utf-8")
    assert "alert(1)\\u003c" in page
    assert "<script>alert" not in page
    assert page.count("</script>") == 3


def test_failures_and_missing_pictures_are_rows(tmp_path: Path) -> None:
    """An error is as plain as a result."""
    record(tmp_path, "a.png", "one")
    record(tmp_path, "b.png", "two").unlink()
    rows = [{"row_key": "1", "state": "failed", "error": "refused"}]
    (tmp_path / "results.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\nnot json")
    (tmp_path / "other.json").write_text("[1]")
    report = write_report(tmp_path)
    assert dict(report.states) == {"done": 1, "missing": 1, "failed": 1}


def test_results_tables_tell_of_rows_without_a_picture(tmp_path: Path) -> None:
    """As CSV, too, which is what a batch writes; what was bought is said to be fetched."""
    text = (
        "photo,part,row_key,state,path,cost_usd,task_id,error\n"
        'a.jpg,"the lid, closed",k1,verified,k1/1.jpg,0.067,t-1,\n'
        "b.jpg,the lid,k2,refused,,,,not today\n"
        "c.jpg,the lid,k3,done,,0.067,t-3,\n"
        "d.jpg,the lid,,bad,,,,the cell is empty\n"
    )
    (tmp_path / "results.csv").write_text(text, "utf-8")
    (tmp_path / "other.csv").write_text("name,state\nx,failed\n", "utf-8")
    rows = collect(tmp_path)
    assert [(row.number, row.state, row.problem) for row in rows] == [
        ("2", "refused", "not today"),
        ("3", "unfetched", None),
        ("4", "bad", "the cell is empty"),
    ]
    assert rows[0].made.values == {"photo": "b.jpg", "part": "the lid"}
    assert rows[1].cost_usd == Decimal("0.067")


def test_a_row_with_a_sidecar_is_told_once(tmp_path: Path) -> None:
    """A picture that was deleted, or bought after the table was written, is one purchase."""
    (tmp_path / "k1").mkdir()
    record(tmp_path / "k1", "1.png", "p").unlink()
    text = (
        "photo,row_key,state,path,cost_usd,task_id,error\n"
        "a.jpg,k1,failed,,0.2,t-1,it is gone\nb.jpg,k2,unknown,,0.2,,no answer\n"
    )
    (tmp_path / "results.csv").write_text(text, "utf-8")
    assert [(row.state, row.cost_usd) for row in collect(tmp_path)] == [
        ("unknown", Decimal("0.2")),
        ("missing", Decimal("0.2")),
    ]


def test_a_source_behind_a_url_is_named_and_not_fetched(tmp_path: Path) -> None:
    """A page asks no network, neither when it is made nor when it is read."""
    image = {"slot": "photo", "role": "source", "source": "https://x.invalid/mug.jpg?sig=1"}
    record(tmp_path, "a.png", "one", inputs={"values": {}, "images": [image]})
    (row,) = collect(tmp_path)
    assert row.source is None
    page = write_report(tmp_path).path.read_text("utf-8")
    assert "https://" not in page.split('id="pictures"')[1]


def test_a_page_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    """With its path, and nothing half written is left."""
    record(tmp_path, "a.png", "one")
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="can't be written"):
        write_report(tmp_path, tmp_path / "file" / "page.html")
    assert not list(tmp_path.glob("*.part"))


def test_values_are_shown_in_words(tmp_path: Path) -> None:
    """Lists and yes-or-no as a person writes them."""
    values = {"colors": ["red", "blue"], "glossy": True, "count": 3, "left_out": ""}
    record(tmp_path, "a.png", "one", inputs={"values": values, "images": []})
    page = write_report(tmp_path).path.read_text("utf-8")
    for text in ("red, blue", "true", "3"):
        assert f'"{text}"' in page
    assert "left_out" not in page


def test_a_sidecar_of_another_picture_speaks_for_its_own(tmp_path: Path) -> None:
    """A picture beside it without a record, and files that only look like records, are no rows."""
    record(tmp_path, "a.png", "one")
    Image.new("RGB", (9, 9)).save(tmp_path / "plain.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "a.json").write_text("{}")
    assert [row.picture and row.picture.name for row in collect(tmp_path)] == ["a.png"]


def test_small_pictures_are_made_once(tmp_path: Path) -> None:
    """A second report is quick."""
    record(tmp_path, "a.png", "one")
    assert write_report(tmp_path, pictures="files").thumbnails_made == 1
    assert write_report(tmp_path, pictures="files").thumbnails_made == 0
    assert len(list((tmp_path / "report-files").iterdir())) == 1


def test_a_source_with_other_bytes_is_not_shown(tmp_path: Path) -> None:
    """A stranger's record may name any file of this machine."""
    private = tmp_path / "private.png"
    Image.new("RGB", (9, 9), "red").save(private)
    image = {"slot": "photo", "role": "source", "source": str(private), "sha256": "0" * 64}
    shown = tmp_path / "shown"
    shown.mkdir()
    record(shown, "a.png", "one", inputs={"values": {}, "images": [image]})
    assert write_report(shown).thumbnails_made == 1


def test_five_hundred_rows_are_small_without_their_pictures(tmp_path: Path) -> None:
    """Texts that rows share stand in the page once, and packed."""
    for number in range(500):
        record(tmp_path, f"{number}.png", f"Change mug {number}. " + "Keep the light. " * 60)
    report = write_report(tmp_path)
    assert report.pictures is not None
    assert report.html_bytes < 300_000


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """As a wrong argument."""
    with pytest.raises(InputError, match="there is no folder"):
        write_report(tmp_path / "gone")


PROOF = {"verdict": "drifted", "score": 0.02, "reasons": ["1 place changed"], "overlay": "x"}


def test_a_folder_that_tells_nothing_gets_no_page(tmp_path: Path) -> None:
    """An empty page in somebody's source folder is no answer to a wrong path."""
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="tells how it was made") as raised:
        write_report(tmp_path)
    assert "batch -o" in str(raised.value.diagnostics[0].help)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_proof_of_the_sidecar_is_shown(tmp_path: Path) -> None:
    """Verdict, score, reasons, and the drawing beside the picture, which is no row of its own."""
    path = record(tmp_path, "a.png", "one", proof=PROOF)
    Image.new("RGB", (64, 48), "red").save(tmp_path / "a.png.overlay.jpg")
    Image.new("L", (64, 48)).save(tmp_path / "a.png.change-map.png")
    (row,) = collect(tmp_path)
    assert row.picture == path
    assert row.proof is not None
    assert (row.proof.verdict, row.proof.score) == ("drifted", 0.02)
    assert row.proof.overlay == tmp_path / "a.png.overlay.jpg"
    page = write_report(tmp_path).path.read_text("utf-8")
    assert '"1 place changed"' in page
    assert page.split('id="pictures"')[1].count("data:image/webp") == 2


@pytest.mark.parametrize(
    "proof",
    [
        "kept", {"verdict": "splendid"}, {"score": 1}, [],
        {"verdict": "kept", "score": float("nan"), "reasons": {"a": 1}, "overlay": "../../x.jpg"},
        {"verdict": "kept", "score": True, "reasons": [1, ["x"]] * 99},
    ],
    ids=str,
)  # fmt: skip
def test_a_strangers_proof_breaks_nothing(tmp_path: Path, proof: object) -> None:
    """Sidecars come from anywhere, and name no other file of this machine."""
    record(tmp_path, "a.png", "one", proof=proof)
    (row,) = collect(tmp_path)
    if row.proof is not None:
        assert (row.proof.verdict, row.proof.score, row.proof.reasons) == ("kept", None, ())
        assert row.proof.overlay is None
    write_report(tmp_path)


def test_a_restored_picture_costs_nothing_more(tmp_path: Path) -> None:
    """It tells how the edit was bought; the sum counts that once."""
    record(tmp_path, "a.png", "one", task_id="t-1")
    record(tmp_path, "a-restored.png", "one", task_id="t-1", composite={"what": "pixels put back"})
    rows = {row.picture.name: row for row in collect(tmp_path) if row.picture}
    assert rows["a.png"].cost_usd == Decimal("0.2")
    assert rows["a-restored.png"].cost_usd == 0
    assert '"pixels put back"' in write_report(tmp_path).path.read_text("utf-8")


def test_columns_of_a_proof_are_none_of_the_tables_own(tmp_path: Path) -> None:
    """What the batch wrote isn't what the author asked for; a score of theirs is."""
    head = "part,row_key,state,path,cost_usd,task_id,error"
    (tmp_path / "a.csv").write_text(
        f"{head},verdict,score,reasons,tries\nlid,k,failed,,,,no,,,,2\n"
    )
    (tmp_path / "b.csv").write_text(f"{head},score\nlid,k,failed,,,,no,7\n")
    values = [row.made.values for row in collect(tmp_path)]
    assert values == [{"part": "lid"}, {"part": "lid", "score": "7"}]
