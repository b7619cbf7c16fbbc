"""One report in the forms that people, scripts and code hosts read."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from lint_desk import PLACED, recipe

from nanorecipes import __version__
from nanorecipes.cli.main import run
from nanorecipes.linting import lint_paths

if TYPE_CHECKING:
    from lint_desk import Desk

HALF = recipe(protect="- keep 50% of the sky, at least")
MESSAGE = "'keep 50% of the sky, at least' is an order, not a thing"
HELP = "name the thing alone: it goes into 'Keep ... exactly as in the image.'"


def test_text_shows_the_line_with_a_caret_and_the_way_out(desk: Desk) -> None:
    """An author mends what the caret stands below."""
    said = desk.lint(HALF)
    assert said.out == (
        f"wall.yaml:12:7: warning NR111 protect-not-noun-phrase: {MESSAGE}\n"
        "  12 |     - keep 50% of the sky, at least\n"
        "     |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        f"  help: {HELP}\n"
    )
    assert said.err == "1 file checked: 1 warning in 1 file; --explain CODE tells more\n"


def test_json_holds_the_keys_that_the_interface_promises(desk: Desk) -> None:
    """Scripts are written against these keys."""
    said = desk.lint(HALF, "--json")
    assert (said.code, said.err) == (1, "")
    assert said.json == {
        "files": ["wall.yaml"],
        "diagnostics": [
            {
                "code": "NR111",
                "name": "protect-not-noun-phrase",
                "severity": "warning",
                "file": "wall.yaml",
                "line": 12,
                "column": 7,
                "end_line": 12,
                "end_column": 36,
                "message": MESSAGE,
                "help": HELP,
            }
        ],
    }
    assert desk.lint(HALF, "--format", "json") == said
    assert lint_paths(["wall.yaml"]).to_json() == said.json


def test_json_of_a_clean_recipe_names_what_was_read(desk: Desk) -> None:
    """An empty list of findings says nothing unless one knows of what."""
    assert desk.lint(recipe(), "--json").json == {"files": ["wall.yaml"], "diagnostics": []}


@pytest.mark.parametrize(
    "options", [("--json",), ("--format", "json"), ("--format=json",)], ids=" ".join
)
def test_json_tells_wrong_use_as_an_error_of_any_command(
    options: tuple[str, ...], desk: Desk
) -> None:
    """A script reads one shape of error, however it has asked for JSON."""
    said = desk.shell("lint", "nothing.yaml", *options)
    assert said.code == 2
    error = said.json["error"]
    assert error["type"] == "InputError"
    assert [finding["code"] for finding in error["diagnostics"]] == ["NR022"]


def test_github_annotations_escape_what_the_command_reads(desk: Desk) -> None:
    """A percent sign or a line break in a prompt must not end the annotation."""
    said = desk.lint(HALF, "--format", "github")
    assert (said.code, said.err) == (1, "")
    assert said.out == (
        "::warning file=wall.yaml,line=12,endLine=12,col=7,endColumn=36,"
        "title=NR111 protect-not-noun-phrase::"
        "'keep 50%25 of the sky, at least' is an order, not a thing%0A"
        "name the thing alone: it goes into 'Keep ... exactly as in the image.'\n"
    )


def test_github_annotations_escape_commas_and_colons_of_a_path(desk: Desk) -> None:
    """They would begin another property, and the annotation would lose its file."""
    desk.put(HALF, "a,b:c 100%/wall.yaml")
    said = desk.shell("lint", "a,b:c 100%/wall.yaml", "--format", "github")
    assert said.out.startswith("::warning file=a%2Cb%3Ac 100%25/wall.yaml,line=12,")


def test_github_annotations_carry_the_severity(desk: Desk) -> None:
    """The code host marks errors in red."""
    said = desk.lint(recipe(capability="style"), "--format", "github")
    assert said.out.startswith("::error file=wall.yaml,line=5,")
    assert "title=NR161 changes-mismatch::" in said.out


def test_a_clean_report_is_no_annotation(desk: Desk) -> None:
    """Each line of stdout is one."""
    said = desk.lint(recipe(), "--format", "github")
    assert (said.code, said.out, said.err) == (0, "", "")


def sarif(desk: Desk, *arguments: str) -> dict[str, Any]:
    """The only run of a SARIF log."""
    log = desk.shell("lint", *arguments, "--format", "sarif").json
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (only,) = log["runs"]
    assert isinstance(only, dict)
    return only


def test_sarif_tells_the_finding_and_its_place(desk: Desk) -> None:
    """Code hosts show it beside the line, and follow it from one push to the next."""
    desk.put(HALF)
    (result,) = sarif(desk, "wall.yaml")["results"]
    assert result == {
        "ruleId": "NR111",
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": f"{MESSAGE}\n{HELP}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "wall.yaml"},
                    "region": {
                        "startLine": 12,
                        "startColumn": 7,
                        "endLine": 12,
                        "endColumn": 36,
                    },
                }
            }
        ],
    }


def test_sarif_describes_each_rule_that_it_speaks_of_once(desk: Desk) -> None:
    """`ruleIndex` points into that list; a host shows the page from there."""
    desk.put(HALF, "one.yaml")
    desk.put(recipe(PLACED, capability="style"), "two.yaml")
    desk.put("format: [", "three.yaml")
    desk.put(HALF, "four.yaml")
    log = sarif(desk, "one.yaml", "two.yaml", "three.yaml", "four.yaml")
    driver = log["tool"]["driver"]
    rules = driver["rules"]
    assert (driver["name"], driver["semanticVersion"]) == ("nanorecipes", __version__)
    assert [rule["id"] for rule in rules] == ["NR001", "NR101", "NR111", "NR161"]
    assert [rule["name"] for rule in rules][1:3] == ["edit-not-leading", "protect-not-noun-phrase"]
    levels = [rule["defaultConfiguration"]["level"] for rule in rules]
    assert levels == ["error", "warning", "warning", "error"]
    for rule in rules:
        assert rule["fullDescription"]["text"].startswith(rule["shortDescription"]["text"])
    results = log["results"]
    assert len(results) == 5
    assert [rules[result["ruleIndex"]]["id"] for result in results] == [
        result["ruleId"] for result in results
    ]
    assert {result["ruleId"]: result["level"] for result in results} == {
        "NR001": "error", "NR101": "warning", "NR111": "warning", "NR161": "error",
    }  # fmt: skip


def test_sarif_writes_paths_as_uris(desk: Desk) -> None:
    """A colon in the first folder would else read as a scheme, and a percent sign as an escape."""
    desk.put(HALF, "a b:c 100%/wall.yaml")
    (result,) = sarif(desk, "a b:c 100%/wall.yaml")["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b%3Ac%20100%25/wall.yaml"


def test_paths_below_the_current_folder_are_told_from_there(desk: Desk) -> None:
    """A code host knows files as the repository has them, not as this machine does."""
    full = str(desk.put(HALF))
    (result,) = sarif(desk, full)["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "wall.yaml"
    assert "file=wall.yaml," in desk.shell("lint", full, "--format", "github").out


def test_sarif_of_a_clean_recipe_has_a_run_without_results(desk: Desk) -> None:
    """A host closes its alerts when a run holds none."""
    desk.put(recipe())
    log = sarif(desk, "wall.yaml")
    assert (log["results"], log["tool"]["driver"]["rules"]) == ([], [])


def test_every_form_tells_the_same_findings(desk: Desk) -> None:
    """What a person sees and what a pipeline stops on must not differ."""
    desk.put(recipe(PLACED, images="photo: {}", protect="- everything else"))
    codes = ["NR160", "NR101", "NR110"]
    text, annotations, data, log = (
        desk.shell("lint", "wall.yaml", "--format", form)
        for form in ("text", "github", "json", "sarif")
    )
    assert [code for code in text.out.split() if code in codes] == codes
    assert [line.split("title=")[1][:5] for line in annotations.out.splitlines()] == codes
    assert [finding["code"] for finding in data.json["diagnostics"]] == codes
    assert [result["ruleId"] for result in log.json["runs"][0]["results"]] == codes
    assert {text.code, annotations.code, data.code, log.code} == {1}


class Terminal(io.StringIO):
    """A stream that says that a person reads it."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What a command prints where a person reads it."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", terminal)
        run(list(arguments))
    return terminal.getvalue()


def test_a_terminal_gets_colours_around_the_severity(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eye finds the errors among the warnings."""
    monkeypatch.delenv("NO_COLOR")
    plain = desk.lint(HALF).out
    shown = on_terminal(monkeypatch, "lint", "wall.yaml")
    assert shown == plain.replace("warning NR111", "\x1b[33m\x1b[1mwarning NR111\x1b[0m")
    assert shown != plain


def test_no_color_and_pipes_get_plain_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape codes in a log or in a mail can't be read."""
    desk.put(HALF)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_terminal(monkeypatch, "lint", "wall.yaml")
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b" not in desk.shell("lint", "wall.yaml").out


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_machines_get_no_colours_on_a_terminal_either(
    form: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at the output before piping it should see what will be piped."""
    desk.put(HALF)
    monkeypatch.delenv("NO_COLOR")
    shown = on_terminal(monkeypatch, "lint", "wall.yaml", "--format", form)
    assert "\x1b" not in shown
    if form != "github":
        json.loads(shown)
