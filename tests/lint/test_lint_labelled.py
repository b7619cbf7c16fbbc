"""The guide's rules on recipes that people labelled good or bad."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from nanorecipes.linting import lint_paths
from nanorecipes.prompt.lint.rules import RULES

LABELLED = Path(__file__).parent / "labelled"
LEAST_RECALL, MOST_ALARMS = 0.9, 0.05


@cache
def found() -> dict[Path, frozenset[str]]:
    """By file below `labelled`, the names of the rules that speak."""
    report = lint_paths([LABELLED], select=["NR1"])
    names: dict[Path, set[str]] = {path.relative_to(LABELLED): set() for path in report.files}
    for finding in report.diagnostics:
        assert finding.file is not None
        names[finding.file.relative_to(LABELLED)].add(finding.name)
    return {path: frozenset(spoken) for path, spoken in names.items()}


def of(kind: str) -> dict[Path, frozenset[str]]:
    """The good files or the bad ones."""
    return {path: spoken for path, spoken in found().items() if path.parts[0] == kind}


def test_faults_are_found() -> None:
    """A rule that misses one of ten is one that nobody relies on."""
    missed = [str(path) for path, spoken in of("bad").items() if path.parts[1] not in spoken]
    assert 1 - len(missed) / len(of("bad")) >= LEAST_RECALL, missed


def test_good_recipes_are_left_alone() -> None:
    """A linter that cries wolf is switched off."""
    accused = {str(path): sorted(spoken) for path, spoken in of("good").items() if spoken}
    assert len(accused) / len(of("good")) <= MOST_ALARMS, accused


def test_every_rule_is_found_more_often_than_missed() -> None:
    """The mean must not hide a rule that never speaks."""
    names = {rule.name for rule in RULES}
    assert {path.parts[1] for path in of("bad")} == names
    for name in sorted(names):
        own = {path: spoken for path, spoken in of("bad").items() if path.parts[1] == name}
        hits = sum(name in spoken for spoken in own.values())
        assert hits / len(own) >= 0.75, (name, [str(p) for p, s in own.items() if name not in s])


def test_labelled_files_load_and_render() -> None:
    """A file that can't be read would count as one without a fault."""
    report = lint_paths([LABELLED], select=["NR0"])
    assert [finding.headline() for finding in report.diagnostics] == []
    assert len(report.files) == len(found()) >= 120


def test_the_page_counts_right() -> None:
    """What is said of the set is true."""
    text = (LABELLED / "README.md").read_text("utf-8")
    told = re.search(r"(\d+) good recipes.* (\d+) bad ones", text)
    assert told is not None
    assert (int(told[1]), int(told[2])) == (len(of("good")), len(of("bad")))


def test_the_page_describes_the_rules_that_there_are() -> None:
    """Each label is judged by the line that the page's table has for its rule."""
    text = (LABELLED / "README.md").read_text("utf-8")
    described = re.findall(r"^\| `([\w-]+)` \|", text, re.M)
    assert sorted(described) == sorted(rule.name for rule in RULES)


def test_each_label_gives_its_reason_first() -> None:
    """A label that can't be argued with can't be mended either."""
    for path in found():
        first = (LABELLED / path).read_text("utf-8").split("\n", 1)[0]
        assert first.startswith(f"# {path.parts[0].capitalize()}: "), f"{path}: {first}"
