"""A folder of pictures as one page: complete, safe with strangers' text, small."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from nanorecipes import files
from nanorecipes.errors import InputError
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
