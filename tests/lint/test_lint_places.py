"""Where a finding stands: in the words of whoever wrote them, however they reach the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lint_desk import WALL, recipe

if TYPE_CHECKING:
    from lint_desk import Desk

LIGHT = "{% macro close() %}\nSoft light, 8k, masterpiece.\n{% endmacro %}\n"
LIT = "{% from '_macros/light.jinja' import close %}\n"


def marked(desk: Desk, text: str) -> str:
    """The words above the caret of a recipe's only finding."""
    (found,) = desk.found(text)
    line = text.split("\n")[found["line"] - 1]
    assert found["line"] == found["end_line"]
    return line[found["column"] - 1 : found["end_column"] - 1]


def test_words_of_a_branch_are_pointed_at_where_they_stand(desk: Desk) -> None:
    """No example runs the branch, but some caller will."""
    text = recipe(
        f"{WALL}\n{{% if fence %}}\nKeep the fence, without cars.\n{{% endif %}}",
        params="fence: {type: boolean, default: false, description: Whether there is one.}",
    )
    assert marked(desk, text) == "without cars"


def test_words_of_a_loop_are_told_once(desk: Desk) -> None:
    """Three colours are one fault of the author's."""
    text = recipe(
        "Paint the wall in {{ photo }} in "
        "{% for one in tones %}{{ one }} without stripes{% endfor %}.",
        params="tones: {type: array, maxItems: 3, description: The colours.}",
    )
    assert marked(desk, text) == "without stripes"


def test_the_words_of_a_choice_are_pointed_at_where_they_are_worded(desk: Desk) -> None:
    """The template holds only the parameter's name."""
    text = recipe(
        "Paint the wall in {{ photo }} in {{ tone }}.",
        params="""
            tone:
              description: The tone.
              enum: [warm, worn]
              wording:
                warm: a warm red
                worn: red, 8k, masterpiece
            """,
    )
    assert marked(desk, text) == "red, 8k, masterpiece"


def test_the_words_of_a_default_are_pointed_at_where_it_is_declared(desk: Desk) -> None:
    """A caller who gives nothing gets these words."""
    text = recipe(
        "Paint the wall in {{ photo }} in {{ tone }}.",
        params='tone: {description: The tone., default: "red, 8k, masterpiece"}',
    )
    assert marked(desk, text) == '"red, 8k, masterpiece"'


def test_a_breach_that_runs_over_a_line_break_ends_with_its_first_line(desk: Desk) -> None:
    """A caret stands below one line."""
    text = recipe("Paint the wall in {{ photo }} red,\nas far as a corner without\ncars.")
    assert marked(desk, text) == "without"


def test_columns_count_characters(desk: Desk) -> None:
    """An editor jumps to the character, whatever it takes in bytes."""
    text = recipe("Paint the wall of “Zum Löwen” in {{ photo }} red, without cars.")
    assert marked(desk, text) == "without cars"


def test_a_macros_words_are_told_in_its_file_and_once(desk: Desk) -> None:
    """Every recipe that uses it would else repeat the same line."""
    desk.put(LIGHT, "recipes/_macros/light.jinja")
    for name in ("wall", "door"):
        text = recipe(f"{LIT}Paint the {name} in {{{{ photo }}}} red. {{{{ close() }}}}")
        desk.put(text, f"recipes/shop/{name}.yaml")
    said = desk.shell("lint")
    assert said.out == (
        "recipes/_macros/light.jinja:2:13: warning NR121 keyword-soup: "
        "'8k' is a tag, which orders nothing\n"
        "  2 | Soft light, 8k, masterpiece.\n"
        "    |             ^^\n"
        "  help: say in a sentence what shall be seen: material, light, edge, texture\n"
    )


def test_a_parents_words_are_told_in_its_file_and_once(desk: Desk) -> None:
    """A child can't mend them."""
    desk.put(recipe(f"{WALL} Keep it without cars."), "recipes/shop/parent.yaml")
    for name in ("one", "two"):
        child = f"format: 1\ntitle: Child\nsummary: Child {name}.\nextends: shop/parent\n"
        desk.put(child, f"recipes/shop/{name}.yaml")
    (found,) = desk.shell("lint", "--json").json["diagnostics"]
    assert (found["code"], found["file"]) == ("NR120", "recipes/shop/parent.yaml")
