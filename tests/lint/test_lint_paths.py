"""What is linted: files, folders, macros and examples, and what becomes of what can't be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from lint_desk import PLACED, WALL, recipe

if TYPE_CHECKING:
    from lint_desk import Desk


def test_without_a_path_the_folder_recipes_is_linted(desk: Desk) -> None:
    """It is where the tutorial puts them."""
    desk.put(recipe(PLACED), "elsewhere.yaml")
    desk.put(recipe(), "recipes/shop/wall.yaml")
    desk.put("{% macro close() %}Soft light.{% endmacro %}\n", "recipes/_macros/light.jinja")
    said = desk.shell("lint", "--json")
    assert said.json == {
        "files": ["recipes/shop/wall.yaml", "recipes/_macros/light.jinja"],
        "diagnostics": [],
    }


def test_findings_are_ordered_by_file_and_place(desk: Desk) -> None:
    """Two runs print the same, and an author walks through a file from the top."""
    bad = recipe(PLACED, images="photo: {}", protect="- everything else")
    desk.put(bad, "recipes/shop/b.yaml")
    desk.put(bad, "recipes/shop/a.yaml")
    found = desk.shell("lint", "recipes/shop/b.yaml", "recipes", "--json").json["diagnostics"]
    places = [(finding["file"], finding["line"]) for finding in found]
    assert places == sorted(places)
    assert len(places) == len(set(places)) == 6


def test_every_wrong_path_is_named(desk: Desk) -> None:
    """Mending them one by one takes a run for each."""
    desk.put("nothing", "notes/read.txt")
    said = desk.shell("lint", "notes", "nowhere")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "notes: error NR022 unreadable-file: holds no recipe: no file below it ends in .yaml\n"
        "nowhere: error NR022 unreadable-file: there is no such file or folder\n"
    )


def test_a_file_of_a_folder_that_is_no_library_is_judged_by_itself(desk: Desk) -> None:
    """A folder's name with a blank can't be part of a recipe's name, but its files can be read."""
    desk.put(recipe(PLACED), "My Recipes/wall.yaml")
    found = desk.shell("lint", ".", "--json").json["diagnostics"]
    assert [(finding["code"], finding["file"]) for finding in found] == [
        ("NR101", "My Recipes/wall.yaml")
    ]


def test_one_broken_file_does_not_hide_the_others(desk: Desk) -> None:
    """A library is mended in any order."""
    desk.put("format: [", "recipes/shop/broken.yaml")
    desk.put(recipe(PLACED), "recipes/shop/wall.yaml")
    found = desk.shell("lint", "--json").json["diagnostics"]
    assert [finding["code"] for finding in found] == ["NR001", "NR101"]


def test_the_guide_is_silent_on_templates_that_do_not_compile(desk: Desk) -> None:
    """What can't be rendered can't be read; guesses about it would be noise."""
    text = recipe("In {{ foto }}, paint the wall red.", protect="- everything else")
    assert desk.codes(text) == ["NR011"]


def test_a_macro_file_is_checked_by_itself(desk: Desk) -> None:
    """It may be broken before any recipe uses it."""
    path = "recipes/_macros/light.jinja"
    desk.put("{% macro close( %}\n", path)
    said = desk.shell("lint", path)
    assert said.code == 1
    assert said.out.startswith(f"{path}:1:1: error NR010 template-syntax: ")
    desk.put("{% macro close() %}Soft light.{% endmacro %}\n", path)
    assert desk.shell("lint", path).code == 0


def test_an_example_that_does_not_render_is_told_at_its_place(desk: Desk) -> None:
    """A library whose examples fail teaches its callers to fail."""
    text = recipe(
        "Paint the wall in {{ photo }} in {{ tone }}.",
        params="tone: {description: The tone.}",
        more="""
            examples:
              - name: right
                inputs: {photo: a.jpg, tone: red}
              - name: without tone
                inputs: {photo: a.jpg}
              - name: wrong tone
                inputs: {photo: a.jpg, tone: [1]}
            """,
    )
    said = [(finding["code"], finding["message"]) for finding in desk.found(text)]
    assert said == [
        ("NR018", "the example 'without tone' does not render: the parameter 'tone' is missing"),
        ("NR018", "the example 'wrong tone' does not render: tone: expected a text, found a list"),
    ]


def test_a_name_that_two_libraries_hold_is_an_error(desk: Desk) -> None:
    """Which of the two is run would depend on the search path."""
    own = recipe(WALL)
    desk.put(own, "recipes/edit/change_part.yaml")
    (found,) = desk.shell("lint", "--json").json["diagnostics"]
    assert (found["code"], found["file"]) == ("NR021", "recipes/edit/change_part.yaml")
    desk.put(own + "overrides: true\n", "recipes/edit/change_part.yaml")
    assert desk.shell("lint").code == 0


OTHER = "recipes/shop/other.yml"
RENAMED = "rename it: mv recipes/shop/other.yml recipes/shop/other.yaml"


@pytest.mark.parametrize("target", [(), ("recipes/shop",), (OTHER,), ("recipes", OTHER)])
def test_a_recipe_that_ends_in_yml_is_told_once(desk: Desk, target: tuple[str, ...]) -> None:
    """No name leads to it, so a library that passes over it in silence looks whole."""
    desk.put(recipe(), "recipes/shop/wall.yaml")
    desk.put(recipe(), OTHER)
    said = desk.shell("lint", *target, "--json")
    assert said.code == 1
    [finding] = said.json["diagnostics"]
    assert (finding["code"], finding["file"], finding["help"]) == ("NR007", OTHER, RENAMED)
    assert "recipe files end in .yaml" in finding["message"]
    assert desk.shell("lint", *target, "--ignore", "bad-name").code == 0


def test_other_files_that_end_in_yml_are_none_of_lints_business(desk: Desk) -> None:
    """Settings of other tools lie everywhere; a pipe isn't waited for, and some can't be read."""
    desk.put(recipe(), "recipes/shop/wall.yaml")
    desk.put("services:\n  format: none\n", "recipes/compose.yml")
    desk.put(recipe(), "recipes/_drafts/wall.yml")
    os.mkfifo(desk.folder / "recipes/pipe.yml")
    (desk.folder / "recipes/memory.yml").symlink_to("/proc/self/mem")
    said = desk.shell("lint")
    assert (said.code, said.err) == (0, "1 file checked, nothing found\n")


def test_a_folder_of_files_that_end_in_yml_comes_with_the_way_out(desk: Desk) -> None:
    """`holds no recipe` is no answer to who sees one there."""
    desk.put(recipe(), OTHER)
    desk.put("nothing", "notes/read.txt")
    for command in ("lint", "test"):
        said = desk.shell(command, "recipes", "notes")
        assert said.code == 2
        assert said.err.count("help:") == 1
        assert f"no file below it ends in .yaml\n  help: {RENAMED}\n" in said.err


def test_a_name_whose_file_ends_in_yml_is_unknown_for_that_reason(desk: Desk) -> None:
    """By its path the very same file renders."""
    desk.put(recipe(), OTHER)
    said = desk.shell("render", "shop/other", "photo=https://x.invalid/a.jpg")
    assert said.code == 2
    assert f"Recipe files end in .yaml, and there is {OTHER!r}" in said.err
    assert RENAMED in said.err
    assert desk.shell("show", "shop/other", "--json").json["error"]["path"] == OTHER
    assert desk.shell("render", OTHER, "photo=https://x.invalid/a.jpg", "-q").code == 0


def test_renaming_is_not_advised_over_another_file(desk: Desk) -> None:
    """`mv` would replace it without a word."""
    desk.put(recipe(), OTHER)
    desk.put(recipe(), "recipes/shop/other.yaml")
    [finding] = desk.shell("lint", "--json").json["diagnostics"]
    assert finding["help"] == "keep one of the two: recipes/shop/other.yaml is there as well"
