"""What is linted: files, folders, macros and examples, and what becomes of what can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
