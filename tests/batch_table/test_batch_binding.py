"""Which column feeds which input, and what a cell becomes."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import RECIPE, picture, recipe

from nanorecipes.batch.rows import Fault, Row
from nanorecipes.batch.table import Binding, bind
from nanorecipes.errors import InputError, NanorecipesError
from nanorecipes.images import ImageInput

_SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def bound(root: Path, *columns: str, **more: Any) -> Binding:
    """A binding to the recipe of these tests."""
    return bind(recipe(root), columns, **more)


def arguments(binding: Binding, **values: Any) -> dict[str, Any]:
    """The arguments of a row of these cells."""
    return binding.arguments(Row(1, values))


def test_columns_feed_inputs_of_their_name(tmp_path: Path) -> None:
    """Most tables need no mapping."""
    binding = bound(tmp_path, "photo", "outfit", "sku")
    assert binding.ignored == ("sku",)
    assert binding.notices == ("columns that feed nothing: 'sku'",)
    assert binding.column_of("photo") == "photo"
    found = arguments(binding, photo="https://a.invalid/1.jpg", outfit="a suit", sku="7")
    assert found == {"photo": "https://a.invalid/1.jpg", "outfit": "a suit"}


def test_column_that_is_nearly_an_input_is_named_apart(tmp_path: Path) -> None:
    """Among columns that are always ignored, nobody sees the one that is misspelled."""
    binding = bound(tmp_path, "photo", "outfit", "sku", "tonse")
    assert binding.notices == (
        "the column 'tonse' feeds nothing; did you mean 'tones'? --map tones=tonse",
        "columns that feed nothing: 'sku'",
    )
    assert bound(tmp_path, "photo", "outfit", "tonse", constants={"tones": ["red"]}).notices == (
        "columns that feed nothing: 'tonse'",
    )


def test_a_mapping_and_constants_feed_the_rest(tmp_path: Path) -> None:
    """A constant wins over a column of its name, and that is said."""
    binding = bound(
        tmp_path, "picture", "outfit", "fit",
        mapping={"photo": "picture"}, constants={"fit": "wide", "model": "pro"},
    )  # fmt: skip
    assert arguments(binding, picture="a.png", outfit="a suit", fit="slim") == {
        "photo": "a.png", "outfit": "a suit", "fit": "wide", "model": "pro",
    }  # fmt: skip
    assert binding.notices == ("the column 'fit' is not used: fit is given for every row",)


@pytest.mark.parametrize("name", ["model", "notes", "quality"])
def test_a_call_option_is_fed_by_a_mapping_alone(tmp_path: Path, name: str) -> None:
    """A catalogue's own `model` or `notes` must not change what is bought."""
    binding = bound(tmp_path, "photo", "outfit", name)
    assert name in binding.ignored
    assert f"--map {name}={name}" in binding.notices[0]
    given = arguments(binding, photo="a", outfit="b", **{name: "pro"})
    assert name not in given
    mapped = bound(tmp_path, "photo", "outfit", name, mapping={name: name})
    assert arguments(mapped, photo="a", outfit="b", **{name: "pro"})[name] == "pro"


def test_everything_wrong_with_a_binding_comes_at_once(tmp_path: Path) -> None:
    """One run of the command must be enough to correct it."""
    with pytest.raises(InputError) as caught:
        bound(
            tmp_path, "Photo", "Outfits",
            mapping={"fitt": "Outfits", "size": "Sizes"}, constants={"frame": "maybe", "x": 1},
        )  # fmt: skip
    found = {item.field: item for item in caught.value.diagnostics}
    assert set(found) == {"fitt", "size", "frame", "x", "photo", "outfit"}
    assert found["fitt"].help == "did you mean 'fit'?"
    assert found["photo"].help is not None
    assert "--map photo=Photo" in found["photo"].help
    assert "the table has 'Photo', 'Outfits'" in found["photo"].help


def test_an_input_is_not_given_twice(tmp_path: Path) -> None:
    """Which of the two was meant is not ours to guess."""
    with pytest.raises(InputError, match="both a column and a constant"):
        bound(tmp_path, "photo", "o", mapping={"outfit": "o"}, constants={"outfit": "a suit"})


def test_a_fixed_parameter_takes_no_column(tmp_path: Path) -> None:
    """The team that fixed it meant it."""
    recipe(tmp_path)
    child = (
        "format: 1\ntitle: Wide\nsummary: The wide fit.\nextends: outfit/dress\n"
        "fixed: {fit: wide}\n"
    )
    path = tmp_path / "library" / "outfit" / "wide.yaml"
    path.write_text(child, "utf-8")
    from nanorecipes import Library

    wide = Library(tmp_path / "library")["outfit/wide"]
    with pytest.raises(InputError, match="fixed by the recipe to 'wide'"):
        bind(wide, ["photo", "outfit", "f"], mapping={"fit": "f"})
    assert bind(wide, ["photo", "outfit", "fit"]).ignored == ("fit",)


@pytest.mark.parametrize("empty", ["", "  ", None, []])
def test_an_empty_cell_is_an_argument_not_given(tmp_path: Path, empty: Any) -> None:
    """The default then holds, and what is required is missed."""
    names = ("photo", "looks", "outfit", "size", "tones")
    assert arguments(bound(tmp_path, *names), **dict.fromkeys(names, empty)) == {}


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("red|blue", ["red", "blue"]),
        (" red | | blue ", ["red", "blue"]),
        ("red", ["red"]),
        ('["a|b", "c"]', ["a|b", "c"]),
        ("[red] | blue", ["[red]", "blue"]),
        (["red", 5], ["red", "5"]),
        (7, ["7"]),
    ],
)
def test_lists_stand_in_one_cell(tmp_path: Path, cell: Any, read: list[str]) -> None:
    """As JSON, or with a bar between the entries."""
    binding = bound(tmp_path, "photo", "outfit", "tones", "looks")
    found = arguments(binding, photo="a", outfit="b", tones=cell, looks=cell)
    assert found["tones"] == read
    assert found["looks"] == read


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("outfit", {"a": 1}, "found an object"),
        ("outfit", ["a"], "found a list"),
        ("outfit", 1.5, "found 1.5"),
        ("outfit", True, "found True"),
        ("size", [1], "found a list"),
        ("photo", b"\x89PNG", "binary data"),
        ("tones", [["a"]], "found a list"),
        ("tones", ["a", None], "found nothing"),
        ("looks", [{"url": "x"}], "found an object"),
    ],
)
def test_a_cell_of_the_wrong_form_names_its_column(
    tmp_path: Path, column: str, cell: Any, said: str
) -> None:
    """Nested values are taken where a list is, and nowhere else."""
    binding = bound(tmp_path, "photo", "outfit", "size", "tones", "looks")
    with pytest.raises(InputError, match=said) as caught:
        arguments(binding, **{"photo": "a", "outfit": "b", column: cell})
    assert caught.value.diagnostics[0].field == column


def test_typed_cells_become_texts_where_texts_are_asked(tmp_path: Path) -> None:
    """Article numbers and days are numbers and days in Parquet."""
    binding = bound(tmp_path, "photo", "outfit", "size")
    for cell, read in [(12, "12"), (Decimal("1.50"), "1.50"), (date(2026, 1, 2), "2026-01-02")]:
        assert arguments(binding, photo="a", outfit=cell)["outfit"] == read
    assert arguments(binding, photo="a", outfit="b", size=Decimal(4))["size"] == "4"
    assert arguments(binding, photo="a", outfit="b", size=4)["size"] == 4


def test_relative_pictures_count_from_the_table(tmp_path: Path) -> None:
    """A table and its pictures move together; URLs and absolute paths stay."""
    picture(tmp_path, "shop/a.png")
    binding = bound(tmp_path, "photo", "looks", "outfit", folder=tmp_path / "shop")
    found = arguments(binding, photo="a.png", looks="https://x.invalid/b.png|/c.png", outfit="b")
    assert found["photo"] == str(tmp_path / "shop" / "a.png")
    assert found["looks"] == ["https://x.invalid/b.png", "/c.png"]
    request = recipe(tmp_path).render(photo=found["photo"], outfit="b")
    assert request.images[0].input.size_px == (40, 30)


def test_a_constant_picture_is_taken_in_once(tmp_path: Path) -> None:
    """An open file could be read for the first row alone."""
    with picture(tmp_path).open("rb") as file:
        binding = bound(
            tmp_path, "outfit", constants={"photo": file, "looks": [b"\x89PNG\r\n\x1a\n"]}
        )
    found = arguments(binding, outfit="b")
    assert isinstance(found["photo"], ImageInput)
    assert found["photo"].size_px == (40, 30)
    assert recipe(tmp_path).render(**found).images[1].slot == "looks"
    with pytest.raises(InputError, match="no picture of a known type"):
        bound(tmp_path, "outfit", constants={"photo": b"nothing"})


def test_a_broken_row_never_becomes_arguments(tmp_path: Path) -> None:
    """Half a row would be paid for like a whole one."""
    row = Row(3, {"photo": "a", "outfit": "b"}, 4, (Fault("outfit", "the text is not UTF-8"),))
    with pytest.raises(InputError, match="not UTF-8") as caught:
        bound(tmp_path, "photo", "outfit").arguments(row)
    assert caught.value.diagnostics[0].field == "outfit"


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["photo", "outfit", "size", "fit", "looks", "tones"]), CELLS)
)
@_SHARED
def test_any_cells_render_or_are_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    """Whatever a cell holds, a caller sees the project's errors alone."""
    made = recipe(tmp_path)
    binding = bind(made, ["photo", "outfit", "size", "fit", "looks", "tones"])
    try:
        request = made.render(**binding.arguments(Row(1, values)))
    except NanorecipesError:
        return
    assert request.prompt


@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"])), max_size=6, unique=True),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
@_SHARED
def test_every_column_is_used_or_listed(
    tmp_path: Path, names: list[str], mapping: dict[str, str], constants: dict[str, str]
) -> None:
    """A column that is passed over in silence is a wrong picture that is paid for."""
    made = recipe(tmp_path)
    try:
        binding = bind(made, [*names, "photo", "outfit"], mapping, constants)
    except InputError:
        return
    used = {feed.column for feed in binding.feeds}
    assert used | set(binding.ignored) == {*names, "photo", "outfit"}
    assert not used & set(binding.ignored)
    assert not set(constants) & {feed.input for feed in binding.feeds}


@given(st.lists(st.text(min_size=1, max_size=10).filter(str.strip), min_size=1, max_size=4))
@_SHARED
def test_a_json_list_in_a_cell_is_the_list(tmp_path: Path, items: list[str]) -> None:
    """Any entry can be written, also one that holds the bar."""
    binding = bound(tmp_path, "photo", "outfit", "tones")
    found = arguments(binding, photo="a", outfit="b", tones=json.dumps(items))
    assert found["tones"] == [item.strip() for item in items]


def test_the_recipe_of_these_tests_is_sound(tmp_path: Path) -> None:
    """What is tested above is the table, not the recipe."""
    assert recipe(tmp_path, RECIPE).check() == []
