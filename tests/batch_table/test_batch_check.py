"""A table checked without spending."""

from __future__ import annotations

import csv
import gc
import json
import os
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tables import RECIPE, lines, picture, recipe, table

from nanorecipes.batch import check, pictures
from nanorecipes.batch.check import Check, bad_rows, check_rows, pictures_can_be_sent
from nanorecipes.batch.rows import Row
from nanorecipes.batch.table import bind, columns, read_rows
from nanorecipes.errors import InputError, RecipeError, SaveError

URL = "https://a.invalid/1.jpg"


def checked(folder: Path, path: Path, **more: Any) -> Check:
    """The check of a table against the recipe of these tests."""
    made = recipe(folder)
    binding = bind(made, columns(path), more.pop("mapping", None), more.pop("constants", None),
                   folder=path.parent)  # fmt: skip
    return check_rows(made, read_rows(path), binding, **more)


def test_a_sound_table_is_summed_up(tmp_path: Path) -> None:
    """What it will cost is known before anything is spent."""
    path = table(
        tmp_path, f"photo,outfit,m\n{URL},a suit,flash\n{URL},a longer coat,pro\n{URL},a suit,pro\n"
    )
    found = checked(tmp_path, path, mapping={"model": "m"}, constants={"quality": "2K"})
    assert (found.rows, found.good, found.bad) == (3, 3, 0)
    assert found.estimated_cost_usd == Decimal("0.08") + 2 * Decimal("0.161")
    assert {key: tally.rows for key, tally in found.tallies.items()} == {
        ("flash", "2K"): 1, ("pro", "2K"): 2,
    }  # fmt: skip
    assert found.longest_prompt_row == 2
    longest = recipe(tmp_path).render(photo=URL, outfit="a longer coat", model="pro")
    assert found.longest_prompt == len(longest.prompt)
    assert json.dumps(found.to_json(), default=str)


def test_rows_alike_but_for_pictures_are_worth_the_same_as_when_rendered(tmp_path: Path) -> None:
    """What is remembered between rows must not change what they come to."""
    rows = [
        {"photo": URL, "outfit": "a suit", "looks": [URL] * (n % 3), "size": size}
        for n, size in enumerate([1, True, 1, "1", 1.0, False, 2])
    ]
    found = checked(tmp_path, lines(tmp_path, *rows))
    assert [problem.row for problem in found.problems] == [2, 6]
    made = recipe(tmp_path)
    lengths = [len(made.render(**row).prompt) for row in rows if row["size"] not in (False,)
               and row["size"] is not True]  # fmt: skip
    assert found.longest_prompt == max(lengths)


def test_every_bad_row_names_row_line_and_column(tmp_path: Path) -> None:
    """A catalogue is corrected in one pass."""
    path = table(
        tmp_path,
        f"pic,outfit,size,tones\n{URL},a suit,3,\n{URL},,4,\nftp://x/1,{'x' * 61},12,a|b|c|d\n"
        f"{URL},a suit\n{URL},a\x00suit,3,\n",
    )
    found = checked(tmp_path, path, mapping={"photo": "pic"})
    assert (found.good, found.bad, found.problem_count) == (1, 4, 7)
    seen = [(p.row, p.line, p.column) for p in found.problems]
    assert seen == [
        (2, 3, "outfit"), (3, 4, "pic"), (3, 4, "outfit"), (3, 4, "size"), (3, 4, "tones"),
        (4, 5, None), (5, 6, "outfit"),
    ]  # fmt: skip
    assert str(found.problems[0]) == (
        "row 2 (line 3), column 'outfit': the cell is empty, but parameter 'outfit' is missing"
    )


def test_pictures_that_cannot_be_read_are_bad_rows(tmp_path: Path) -> None:
    """Each distinct file is opened once, however many rows name it."""
    picture(tmp_path, "a.png")
    table(tmp_path, b"no picture at all", "b.png")
    (tmp_path / "c.png").mkdir()
    os.mkfifo(tmp_path / "d.png")
    names = ["a.png", "b.png", "c.png", "d.png", "e.png", "a.png", "b.png", URL]
    path = table(tmp_path, "photo,outfit\n" + "".join(f"{name},a suit\n" for name in names))
    found = checked(tmp_path, path)
    assert (found.good, found.bad_picture_rows, found.pictures_looked_at) == (3, 5, 5)
    words = ["known type", "is a folder", "is no file", "there is no file", "known type"]
    for problem, word in zip(found.problems, words, strict=True):
        assert word in problem.message
        assert problem.column == "photo"


def test_what_is_remembered_of_pictures_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is forgotten and looked at again: slower, never wrong."""
    monkeypatch.setattr(pictures, "KEPT_FINE", 4)
    monkeypatch.setattr(pictures, "KEPT_BAD", 2)
    for name in "abcde":
        picture(tmp_path, f"{name}.png")
    names = [*"abaabcdeaxyzx"]
    path = table(tmp_path, "photo,outfit\n" + "".join(f"{name}.png,a\n" for name in names))
    found = checked(tmp_path, path)
    assert (found.good, found.bad, found.pictures_looked_at) == (9, 4, 10)


def test_a_picture_of_too_many_pixels_is_a_bad_row(tmp_path: Path) -> None:
    """It would be refused when it is sent; that is too late for a night's run."""
    data = bytearray(picture(tmp_path).read_bytes())
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    table(tmp_path, bytes(data), "big.png")
    found = checked(tmp_path, table(tmp_path, "photo,outfit\nbig.png,a suit\n"))
    assert "20000x20000 pixels" in found.problems[0].message


def test_unusual_pictures_are_opened_whole(tmp_path: Path) -> None:
    """A GIF has no header that is read here; a telephone's HEIC needs its own reader."""
    import pillow_heif
    from PIL import Image

    image = Image.new("RGB", (40, 30), "teal")
    image.save(tmp_path / "a.gif")
    pillow_heif.from_pillow(image).save(tmp_path / "a.heic")
    image.save(tmp_path / "a.png")
    constants = {"looks": [str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()]}
    path = table(tmp_path, "photo,outfit\na.gif,a\na.heic,a\n")
    assert checked(tmp_path, path, constants=constants).good == 2


def test_local_pictures_are_bad_rows_where_they_cannot_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent, with the setting that helps."""
    picture(tmp_path)
    path = table(tmp_path, f"photo,outfit\na.png,a suit\n{URL},a suit\n")
    found = checked(tmp_path, path, takes_files=False)
    assert [problem.row for problem in found.problems] == [1]
    assert "NANORECIPES_UPLOADS" in found.problems[0].message
    assert "NANORECIPES_BACKEND=gemini" in found.problems[0].message
    assert pictures_can_be_sent("sandbox")
    assert not pictures_can_be_sent("qolaba")
    monkeypatch.setenv("NANORECIPES_UPLOADS", "s3://bucket/prefix")
    assert pictures_can_be_sent("qolaba")


def test_rows_without_a_price_are_counted(tmp_path: Path) -> None:
    """An estimate that leaves them out must say so."""
    path = table(tmp_path, f"photo,outfit\n{URL},a suit\n")
    found = checked(tmp_path, path, constants={"model": "vertex/of-tomorrow"})
    assert (found.good, found.unpriced, found.estimated_cost_usd) == (1, 1, 0)


def test_a_ratio_that_follows_urls_is_told_once(tmp_path: Path) -> None:
    """One warning for 10,000 rows, not one each."""
    path = table(tmp_path, "photo,outfit\n" + f"{URL},a suit\n" * 3)
    found = checked(tmp_path, path, constants={"aspect_ratio": "match"})
    (warning,) = found.warnings
    assert "for 3 rows" in warning


def test_limits_of_the_model_are_held_against_each_row(tmp_path: Path) -> None:
    """A tier that only some models have."""
    path = table(tmp_path, f"photo,outfit,q\n{URL},a suit,512\n{URL},a suit,2K\n")
    found = checked(tmp_path, path, mapping={"quality": "q"}, constants={"model": "pro"})
    (problem,) = found.problems
    assert (problem.row, problem.column) == (1, "q")
    assert "512" in problem.message


def test_a_broken_recipe_stops_the_check(tmp_path: Path) -> None:
    """It is not the rows' fault."""
    made = recipe(tmp_path, RECIPE.replace("{{ outfit }}", "{{ outfit }} {{ nothing }}"))
    path = table(tmp_path, f"photo,outfit\n{URL},a suit\n")
    with pytest.raises(RecipeError, match="nothing"):
        check_rows(made, read_rows(path), bind(made, columns(path)))


def test_bad_rows_are_kept_for_correcting(tmp_path: Path) -> None:
    """The file is a table itself: corrected, it can be run."""
    path = table(tmp_path, f"error,photo,outfit\n=1,{URL},\n2,{URL},a suit\n")
    with bad_rows(tmp_path / "bad.csv", columns(path)) as file:
        checked(tmp_path, path, on_bad=file)
        assert not (tmp_path / "bad.csv").exists()
    assert file.count == 1
    (row,) = csv.DictReader((tmp_path / "bad.csv").read_text("utf-8").splitlines())
    assert (row["error"], row["photo"], row["outfit"]) == ("=1", URL, "")
    assert row["error_2"].startswith("outfit: the cell is empty")


@pytest.mark.parametrize("name", ["bad.jsonl", "bad.tsv", "bad.parquet"])
def test_bad_rows_keep_the_format_asked(tmp_path: Path, name: str) -> None:
    """Whoever works with JSON Lines wants them back."""
    path = lines(tmp_path, {"photo": URL, "outfit": ["x"]})
    with bad_rows(tmp_path / name, columns(path)) as file:
        checked(tmp_path, path, on_bad=file)
    (row,) = read_rows(tmp_path / name)
    assert "expected a text, found a list" in row.values["error"]
    assert row.values["outfit"] in (["x"], '["x"]')


def test_no_bad_row_leaves_no_file(tmp_path: Path) -> None:
    """An empty file would look like a fault."""
    path = table(tmp_path, f"photo,outfit\n{URL},a suit\n")
    with bad_rows(tmp_path / "bad.csv", columns(path)) as file:
        assert checked(tmp_path, path, on_bad=file).bad == 0
    assert sorted(item.name for item in tmp_path.iterdir()) == ["library", "t.csv"]


def test_no_bad_row_takes_the_file_of_an_earlier_check_away(tmp_path: Path) -> None:
    """It would tell of rows that are mended; where it can't go, that is said."""
    target = tmp_path / "bad.csv"
    target.write_text("old")
    with bad_rows(target, ["a"]):
        assert target.exists()
    assert not target.exists()
    target.mkdir()
    with pytest.raises(SaveError, match="can't be removed"), bad_rows(target, ["a"]):
        pass


def test_a_check_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    """Half a list of bad rows would be taken for the whole."""
    path = table(tmp_path, f'photo,outfit\n{URL},\n{URL},"x\ny\n')
    with (
        pytest.raises(InputError, match="never closed"),
        bad_rows(tmp_path / "bad.csv", columns(path)) as file,
    ):
        checked(tmp_path, path, on_bad=file)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["library", "t.csv"]
    with (
        pytest.raises(SaveError, match="can't be written"),
        bad_rows(tmp_path / "absent" / "bad.csv", ["a"]) as file,
    ):
        file(Row(1, {}), ())


def test_memory_does_not_grow_with_bad_rows_or_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst table is all different and all wrong."""
    monkeypatch.setattr(pictures, "KEPT_BAD", 100)
    monkeypatch.setattr(check, "KEPT_PROMPTS", 100)
    made = recipe(tmp_path)
    binding = bind(made, ["photo", "outfit", "size"])

    def rows(count: int) -> Iterator[Row]:
        for number in range(1, count + 1):
            size = 3 if number % 2 else 77
            if number % 200 == 0:
                gc.collect()
            outfit = f"a suit number {number}"
            values = {"photo": f"/absent/{number}.png", "outfit": outfit, "size": size}
            yield Row(number, values)

    def peak(count: int) -> int:
        # When the collector runs by itself depends on what else the process holds.
        gc.freeze()
        tracemalloc.start()
        found = check_rows(made, rows(count), binding)
        assert found.bad == count
        assert len(found.problems) == 100
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        gc.unfreeze()
        return size

    check_rows(made, rows(10), binding)
    few = peak(600)  # as many pictures are remembered as ever will be
    assert peak(3_600) < few + 50_000
