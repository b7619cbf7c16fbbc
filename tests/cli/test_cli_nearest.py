"""Paths that aren't there and searches without a hit: what was perhaps meant."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nanorecipes import Client, InputError, recipes, suggest

if TYPE_CHECKING:
    from shells import Shell

PART = "edit/change_part part=mug change=blue"


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """With a recipe, a table and a folder of results beside the picture."""
    assert shell("new", "home/paint_wall").code == 0
    Path("rows.csv").write_text("part,change\nthe mug,blue\n")
    Path("results").mkdir()
    Path("photo.jpg.json").write_text("{}")
    return shell


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("show recipes/home/paintwall.yaml", "recipes/home/paint_wall.yaml"),
        ("render recipes/home/paint_wall.yml", "recipes/home/paint_wall.yaml"),
        ("run recipes/home/pant_wall.yaml --sandbox", "recipes/home/paint_wall.yaml"),
        ("lint recipes/home/paint_wal.yaml", "recipes/home/paint_wall.yaml"),
        ("test recipe", "recipes"),
        ("batch edit/change_part row.csv photo=photo.jpg -o out", "rows.csv"),
        ("batch edit/change_part rows.tsv photo=photo.jpg -o out", "rows.csv"),
        (f"run {PART} photo=phto.jpg --sandbox", "photo.jpg"),
        (f"run {PART} photo=./Photo.jpeg --sandbox", "./photo.jpg"),
        ("inspect photo.png", "photo.jpg"),
        ("rerun poto.jpg", "photo.jpg"),
        ("diff photo.jpg foto.jpg", "photo.jpg"),
        ("prove pohto.jpg photo.jpg", "photo.jpg"),
        ("prove photo.jpg photos.jpg", "photo.jpg"),
        ("report result", "results"),
    ],
)
def test_a_path_that_is_not_there_comes_with_the_nearest_one(
    shell: Shell, line: str, near: str
) -> None:
    """A slip of the finger is mended without looking the folder up."""
    said = shell(*shlex.split(line))
    assert said.code == 2
    assert f"help: did you mean {near!r}?" in said.err


def test_render_names_the_nearest_picture_beside_its_warning(shell: Shell) -> None:
    """Nothing is sent, so a missing picture is no error there."""
    said = shell(*shlex.split(f"render {PART} photo=phto.jpg"))
    assert said.code == 0
    assert "help: photo: did you mean 'photo.jpg'?" in said.err
    assert "did you mean" not in shell(*shlex.split(f"render {PART} photo=photo.jpg")).err


def test_from_python_a_missing_picture_comes_with_the_nearest_one(shell: Shell) -> None:
    """The clients find it out by themselves, before anything is sent."""
    request = recipes["edit/change_part"].render(photo="phto.jpg", part="the mug", change="blue")
    with Client(backend="sandbox") as client, pytest.raises(InputError) as caught:
        client.run(request)
    (finding,) = caught.value.diagnostics
    assert (finding.field, finding.help) == ("photo", "did you mean 'photo.jpg'?")


@pytest.mark.parametrize("name", ["x.jpg", "elsewhere/photo.jpg", "photo.jpg/photo.jpg", "p\0.jpg"])
def test_a_path_without_a_near_one_has_no_advice(shell: Shell, name: str) -> None:
    """A common suffix alone is no likeness, and no other folder is looked into."""
    said = shell("inspect", name)
    assert said.code == 2
    assert "did you mean" not in said.err


def test_a_large_folder_is_not_read_to_its_end(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error is told at once, wherever it happens."""
    assert "did you mean 'photo.jpg'?" in shell("inspect", "phto.jpg").err
    monkeypatch.setattr(suggest, "MAX_ENTRIES", 0)
    assert "did you mean" not in shell("inspect", "phto.jpg").err


@pytest.mark.parametrize(
    ("words", "near"),
    [
        ("bakcground", "background"),
        ("edit/chnge_part", "edit/change_part"),
        ("Paint wal", None),
        ("paintt wall", "paint wall"),
    ],
)
def test_a_search_without_a_hit_names_the_nearest(
    shell: Shell, words: str, near: str | None
) -> None:
    """Only what would find something is named."""
    said = shell("list", *words.split())
    assert said.code == 0
    if near is None:  # a part of a word is enough
        assert "home/paint_wall" in said.out
        return
    assert f"no recipe matches; did you mean {near!r}?" in said.err
    assert shell("list", *near.split(), "-q").out.strip()


@pytest.mark.parametrize(
    "words", ["xyzzyx", "shoes", "paint_wall colorize", "--capability nothing paint"]
)
def test_a_search_that_nothing_resembles_has_no_advice(shell: Shell, words: str) -> None:
    """Words that are known, and that no recipe holds together, aren't bent."""
    said = shell("list", *words.split())
    assert "no recipe matches; `nanorecipes list` shows all of them" in said.err
