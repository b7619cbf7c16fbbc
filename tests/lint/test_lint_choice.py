"""Choosing findings: on the command line, in pyproject.toml, and in the recipe itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lint_desk import PLACED, recipe

from nanorecipes.errors import ConfigurationError, InputError
from nanorecipes.linting import lint_paths

if TYPE_CHECKING:
    from lint_desk import Desk

THREE = recipe(PLACED, images="photo: {}", protect="- everything else")
"""Breaks NR101 edit-not-leading, NR110 vague-protection and NR160 missing-description."""


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ((), ["NR160", "NR101", "NR110"]),
        (("--select", "NR101"), ["NR101"]),
        (("--select", "nr101"), ["NR101"]),
        (("--select", "vague-protection"), ["NR110"]),
        (("--select", "NR11"), ["NR110"]),
        (("--select", "NR1"), ["NR160", "NR101", "NR110"]),
        (("--select", "NR0"), []),
        (("--select", "NR101,vague-protection"), ["NR101", "NR110"]),
        (("--select", "NR101", "--select", "NR16"), ["NR160", "NR101"]),
        (("--ignore", "NR101"), ["NR160", "NR110"]),
        (("--ignore", "missing-description"), ["NR101", "NR110"]),
        (("--ignore", "NR1"), []),
        (("--select", "NR1", "--ignore", "NR10"), ["NR160", "NR110"]),
        (("--select", "NR101", "--ignore", "edit-not-leading"), []),
    ],
    ids=lambda value: " ".join(value) or "none",
)
def test_findings_are_chosen_by_code_beginning_or_name(
    options: tuple[str, ...], codes: list[str], desk: Desk
) -> None:
    """A team takes the guide up rule by rule."""
    assert desk.codes(THREE, *options) == codes


def test_python_chooses_as_the_command_line_does(desk: Desk) -> None:
    """A build script must not need a subprocess."""
    path = desk.put(THREE)
    report = lint_paths([path], select=["NR1"], ignore=["NR101", "NR160"])
    assert [finding.name for finding in report.diagnostics] == ["vague-protection"]
    with pytest.raises(InputError) as caught:
        lint_paths([path], select=["NR1", "vage-protection"], ignore=["NR9"])
    assert [finding.field for finding in caught.value.diagnostics] == ["select", "ignore"]


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_choice_is_refused_with_the_nearest_name(option: str, desk: Desk) -> None:
    """A misspelt name that chose nothing would pass for a clean library."""
    said = desk.lint(THREE, option, "NR101,vage-protection")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "error NR034 bad-option: 'vage-protection' is no code and no name of a rule\n"
        "  help: did you mean 'vague-protection'?\n"
    )


def test_an_unknown_choice_that_is_near_to_nothing_leads_to_the_list(desk: Desk) -> None:
    """Whoever guesses a name needs the names."""
    said = desk.lint(THREE, "--select", "qqqq")
    assert said.code == 2
    assert said.err.endswith("  help: `nanorecipes lint --explain` lists them all\n")


def test_a_file_that_does_not_load_is_told_whatever_is_chosen(desk: Desk) -> None:
    """Nothing else is known of it, so silence would mean that it is fine."""
    assert desk.codes("format: [", "--select", "NR101") == ["NR001"]


def test_a_project_chooses_in_its_pyproject(desk: Desk) -> None:
    """What a team has agreed on holds for everybody who types `lint`."""
    desk.put('[tool.nanorecipes.lint]\nselect = ["NR1"]\nignore = "NR16"\n', "pyproject.toml")
    assert desk.codes(THREE) == ["NR101", "NR110"]


def test_the_command_line_replaces_a_selection_and_adds_to_what_is_ignored(desk: Desk) -> None:
    """One look at something else must not lift what the team left out."""
    table = '[tool.nanorecipes.lint]\nselect = ["NR110"]\nignore = ["NR160"]\n'
    desk.put(table, "pyproject.toml")
    assert desk.codes(THREE) == ["NR110"]
    assert desk.codes(THREE, "--select", "NR1") == ["NR101", "NR110"]
    assert desk.codes(THREE, "--select", "NR1", "--ignore", "NR101") == ["NR110"]


def test_the_nearest_pyproject_above_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """People lint from within their recipes' folder too."""
    desk.put('[tool.nanorecipes.lint]\nignore = ["NR1"]\n', "pyproject.toml")
    desk.put(THREE, "recipes/wall.yaml")
    monkeypatch.chdir(desk.folder / "recipes")
    assert desk.shell("lint", "wall.yaml").code == 0
    desk.put("[project]\nname = 'own'\n", "recipes/pyproject.toml")
    assert desk.shell("lint", "wall.yaml").code == 1


@pytest.mark.parametrize(
    ("table", "message", "help"),
    [
        ('selct = ["NR1"]', "has no setting 'selct'", "did you mean 'select'?"),
        ("zzz = 1", "has no setting 'zzz'", "there are select and ignore"),
        ("select = 1", ": select is 1, expected a list of codes or names", None),
        ("ignore = [1]", ": ignore is [1], expected a list of codes or names", None),
        (
            'ignore = ["vage-protection"]',
            ": ignore: 'vage-protection' is no code and no name of a rule",
            "did you mean 'vague-protection'?",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_its_file(
    table: str, message: str, help: str | None, desk: Desk
) -> None:
    """A setting that is silently dropped is one that everybody believes in."""
    file = desk.put(f"[tool.nanorecipes.lint]\n{table}\n", "pyproject.toml")
    with pytest.raises(ConfigurationError) as caught:
        lint_paths([desk.put(THREE)])
    separator = "" if message.startswith(":") else " "
    expected = f"{file}: [tool.nanorecipes.lint]{separator}{message}"
    assert (caught.value.message, caught.value.help) == (expected, help)
    assert desk.lint(THREE).code == 2


def test_a_pyproject_that_is_no_toml_is_refused(desk: Desk) -> None:
    """Nobody knows what it would have chosen."""
    desk.put("[tool", "pyproject.toml")
    said = desk.lint(THREE)
    assert (said.code, said.out) == (2, "")
    assert "pyproject.toml can't be read: " in said.err


def test_a_settings_table_that_is_none_is_refused(desk: Desk) -> None:
    """`lint = true` reads as if it switched something on."""
    desk.put("[tool.nanorecipes]\nlint = true\n", "pyproject.toml")
    said = desk.lint(THREE)
    assert said.code == 2
    assert "[tool.nanorecipes.lint] is True, expected a table" in said.err
