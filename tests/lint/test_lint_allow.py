"""What a recipe allows itself, in which language it is judged, and what the exit code tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lint_desk import PLACED, WALL, recipe

if TYPE_CHECKING:
    from lint_desk import Desk


def allowing(entry: str, edit: str = PLACED) -> str:
    """A recipe that allows itself something."""
    return recipe(edit, more=f"allow: {{{entry}}}")


def test_a_reason_silences_one_rule_and_no_other(desk: Desk) -> None:
    """A breach on purpose stands in the file, with its reason, for the next author."""
    text = allowing('edit-not-leading: "The brand book begins with the place."')
    assert desk.lint(text).code == 0
    worse = text.replace("- the sky", "- everything else")
    assert desk.codes(worse) == ["NR110"]


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ('""', "edit-not-leading must be at least 1 character, found 0"),
        ('"  "', "the reason for allowing 'edit-not-leading' is blank"),
    ],
    ids=["empty", "blank"],
)
def test_a_reason_that_says_nothing_is_an_error(reason: str, message: str, desk: Desk) -> None:
    """An exception that nobody can judge stays for ever."""
    found = desk.found(allowing(f"edit-not-leading: {reason}"))
    error = found[-1]
    assert (error["code"], error["severity"]) == ("NR006", "error")
    assert (error["message"], error["line"], error["column"]) == (message, 13, 27)


def test_a_blank_reason_silences_nothing(desk: Desk) -> None:
    """Else a space would do for a reason wherever NR0 is not selected."""
    assert desk.codes(allowing('edit-not-leading: " "'), "--select", "NR1") == ["NR101"]


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("edit-not-leadin", "did you mean 'edit-not-leading'?"),
        ("NR101", "write its name: edit-not-leading"),
        ("qqqq", "`nanorecipes lint --explain` lists the rules"),
    ],
)
def test_allowing_an_unknown_rule_is_an_error(name: str, help: str, desk: Desk) -> None:
    """A misspelt exception lets nothing through, and its author should know why."""
    found = {finding["code"]: finding for finding in desk.found(allowing(f"{name}: House style."))}
    assert set(found) == {"NR101", "NR025"}
    unknown = found["NR025"]
    assert (unknown["severity"], unknown["line"], unknown["column"]) == ("error", 13, 9)
    assert (unknown["message"], unknown["help"]) == (f"the guide has no rule {name!r}", help)


def test_an_allowance_that_nothing_needs_is_a_warning(desk: Desk) -> None:
    """It would hide the next breach, which nobody has decided on."""
    said = desk.lint(allowing("edit-not-leading: House style.", WALL))
    assert said.code == 1
    assert said.out == (
        "wall.yaml:13:9: warning NR026 unused-allow: nothing here breaks 'edit-not-leading': "
        "it need not be allowed\n"
        "  13 | allow: {edit-not-leading: House style.}\n"
        "     |         ^^^^^^^^^^^^^^^^\n"
        "  help: remove it\n"
    )


@pytest.mark.parametrize(
    "options", [("--select", "unused-allow"), ("--ignore", "NR101")], ids=" ".join
)
def test_an_allowance_is_judged_though_its_rule_is_not_chosen(
    options: tuple[str, ...], desk: Desk
) -> None:
    """Whether it is needed depends on the recipe, not on what is looked for today."""
    needless = allowing("edit-not-leading: House style.", WALL)
    assert desk.codes(needless, *options) == ["NR026"]
    assert desk.codes(allowing("edit-not-leading: House style."), *options) == []


def test_a_parents_allowance_holds_for_its_children_and_is_its_own_to_answer_for(
    desk: Desk,
) -> None:
    """A child that happens to keep the rule can't remove what its parent needs."""
    desk.put(allowing("edit-not-leading: House style."), "recipes/shop/parent.yaml")
    own = "title: Child\nsummary: A child.\nextends: shop/parent\n"
    desk.put(f"format: 1\n{own}", "recipes/shop/breaks.yaml")
    desk.put(f"format: 1\n{own}prompt: {{edit: '{WALL}'}}\n", "recipes/shop/keeps.yaml")
    said = desk.shell("lint")
    assert (said.code, said.out) == (0, "")


GERMAN = "In {{ photo }} die Wand rot streichen, 8k, masterpiece, no cars."


def test_another_language_is_spared_the_rules_that_read_english(desk: Desk) -> None:
    """Their verbs and phrases are English; on other words they would only guess."""
    assert desk.codes(recipe(GERMAN)) == ["NR102", "NR121", "NR120"]
    assert desk.codes(recipe(GERMAN, more="language: de")) == []
    assert desk.codes(recipe(GERMAN, more="language: de-AT")) == []
    assert desk.codes(recipe(GERMAN, more="language: en-GB")) == ["NR102", "NR121", "NR120"]


def test_another_language_keeps_the_rules_about_numbers_and_form(desk: Desk) -> None:
    """A prompt is too long in any language."""
    text = recipe(
        "Die Wand in {{ photo }} streichen: {{ one }}, {{ two }}, {{ three }}.",
        images="photo: {}",
        params="""
            one: {format: multiline, description: Eins.}
            two: {format: multiline, description: Zwei.}
            three: {format: multiline, description: Drei.}
            """,
        capability="style",
        more="language: de",
    )
    assert sorted(desk.codes(text)) == ["NR151", "NR160", "NR161"]


def test_an_allowance_of_a_rule_that_cannot_judge_the_language_stands(desk: Desk) -> None:
    """Nobody can say that it isn't needed."""
    text = recipe("Die Wand in {{ photo }} rot streichen.",
                  more="language: de\nallow: {edit-not-leading: Hausstil.}")  # fmt: skip
    assert desk.codes(text) == []


@pytest.mark.parametrize(
    ("text", "severities", "code", "summary"),
    [
        (recipe(), [], 0, "1 file checked, nothing found"),
        (recipe(PLACED), ["warning"], 1,
         "1 file checked: 1 warning in 1 file; --explain CODE tells more"),
        (recipe(PLACED, capability="style"), ["error", "warning"], 1,
         "1 file checked: 1 error, 1 warning in 1 file; --explain CODE tells more"),
    ],
    ids=["clean", "warning", "error"],
)  # fmt: skip
def test_the_exit_code_tells_findings_from_none(
    text: str, severities: list[str], code: int, summary: str, desk: Desk
) -> None:
    """A pipeline stops on the number alone."""
    assert [finding["severity"] for finding in desk.found(text)] == severities
    said = desk.lint(text)
    assert (said.code, said.err) == (code, f"{summary}\n")
    assert desk.lint(text, "--quiet").err == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing.yaml",), "nothing.yaml: error NR022 unreadable-file: there is no such file"),
        ((), "recipes: error NR022 unreadable-file: there is no such file or folder\n"
             "  help: give the files or folders to lint\n"),
        (("wall.yaml", "--format", "xml"), "'xml' is not one of 'text', 'json', 'github', 'sarif'"),
    ],
    ids=["path", "no recipes here", "format"],
)  # fmt: skip
def test_wrong_use_is_told_apart_from_findings(
    arguments: tuple[str, ...], told: str, desk: Desk
) -> None:
    """A misspelt path must not look like a library with faults, nor like one without."""
    desk.put(recipe())
    said = desk.shell("lint", *arguments)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
