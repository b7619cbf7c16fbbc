"""The pytest plugin: a team's `pytest --nanorecipes recipes/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testing_projects import EXAMPLES, painted

# What is imported here stays; what only an inner run imports is forgotten after each of them.
from nanorecipes import linting
from nanorecipes.cli.main import run as run_command
from nanorecipes.testing import runner

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]
assert runner


@pytest.fixture
def team(pytester: pytest.Pytester) -> pytest.Pytester:
    """A team's project with one recipe, whose snapshot is as it should be."""
    write(pytester, painted())
    assert run_command(["test", "--update", "--quiet"]) == 0
    return pytester


def write(pytester: pytest.Pytester, text: str, name: str = "recipes/house/wall.yaml") -> Path:
    """Write a file of the project."""
    path = pytester.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """Run pytest in this process, with this project's configuration."""
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", *args)


def test_recipes_are_left_alone_without_the_switch(team: pytest.Pytester) -> None:
    """Whoever installs nanorecipes must not find new tests in a suite."""
    assert run(team, "recipes").ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize("way", ["option", "setting"])
def test_each_example_and_each_file_is_a_test(team: pytest.Pytester, way: str) -> None:
    """A report names the example that failed, not only the file."""
    if way == "setting":
        team.makeini("[pytest]\nnanorecipes_recipes = true\n")
    args = ["--nanorecipes"] if way == "option" else []
    result = run(team, *args, "-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([
        "recipes/house/wall.yaml::file PASSED*",
        "recipes/house/wall.yaml::red wall PASSED*",
        "recipes/house/wall.yaml::on pro PASSED*",
    ])  # fmt: skip


def test_one_example_can_be_run_alone(team: pytest.Pytester) -> None:
    """`-k` and node ids work as for any other test."""
    run(team, "--nanorecipes", "-k", "red").assert_outcomes(passed=1, deselected=2)
    run(team, "--nanorecipes", "recipes/house/wall.yaml::on pro").assert_outcomes(passed=1)


def test_failure_prints_the_diff_and_no_traceback(team: pytest.Pytester) -> None:
    """The reader is the recipe's author, who wants to see the words."""
    write(team, painted(more=EXAMPLES.replace("sky blue", "grey")))
    result = run(team, "--nanorecipes")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([
        "*recipes/house/wall.yaml: on pro*",
        "recipes/house/wall.yaml:19:11: error NR051 changed-snapshot: *",
        "  - Paint the wall in the image [[]-sky blue.-]",
        "  + Paint the wall in the image {+grey.+}",
        "  help: if it is meant so: nanorecipes test recipes/house/wall.yaml --update",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_lint_findings_fail_the_file(team: pytest.Pytester) -> None:
    """The guide is held in the same run."""
    write(team, painted(more=EXAMPLES.replace("[red]}", "[red]}\n  spare: {description: None.}")))
    result = run(team, "--nanorecipes", "-k", "file")
    result.assert_outcomes(failed=1, deselected=2)
    result.stdout.fnmatch_lines(["recipes/house/wall.yaml:*unused-parameter*"])


def test_broken_file_fails_once_with_its_line(team: pytest.Pytester) -> None:
    """A file that can't be loaded has no examples to name."""
    write(team, painted().replace("format: 1", "formt: 1"))
    result = run(team, "--nanorecipes")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["recipes/house/wall.yaml:1:1: error NR004 unknown-key: *"])


def test_section_without_example_fails_the_file(team: pytest.Pytester) -> None:
    """It belongs to no example, so the file answers for it."""
    write(team, painted(more=EXAMPLES.partition("  - name: on pro")[0]))
    result = run(team, "--nanorecipes")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*wall.md:33: error NR052 orphaned-snapshot: *"])


def test_other_yaml_files_are_no_recipes(team: pytest.Pytester) -> None:
    """A project has many of them, and a library has templates in folders of its own."""
    for name in ("compose.yaml", "ci/jobs.yaml", "recipes/_drafts/x.yaml", "recipes/house/_x.yaml"):
        write(team, "a: 1\n", name)
    write(team, "{% macro m() %}x{% endmacro %}", "looks/_macros/m.jinja")
    write(team, painted("Paint the wall in {{ photo }}.", more=""), "looks/house/plain.yaml")
    result = run(team, "--nanorecipes", "-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["looks/house/plain.yaml::file PASSED*"])


def test_fault_of_our_own_shows_its_traceback(
    team: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What isn't about the recipe has to be found in the code."""

    def fail(*args: object, **options: object) -> None:
        raise ZeroDivisionError("a fault of the linter")

    monkeypatch.setattr(linting, "lint_paths", fail)
    result = run(team, "--nanorecipes", "-k", "file")
    result.assert_outcomes(failed=1, deselected=2)
    result.stdout.fnmatch_lines(["*pytest_plugin.py*", "*ZeroDivisionError: a fault of the linter"])
