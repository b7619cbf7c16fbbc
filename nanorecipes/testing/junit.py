"""A report as JUnit XML, the form in which pipelines read test results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from nanorecipes.testing.findings import Outcome, Report

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> bytes:
    """The report in UTF-8: a suite for each file, a case for each example."""
    root = ET.Element("testsuites", _counts(report.outcomes))
    root.set("name", "nanorecipes")
    by_file: dict[str, list[Outcome]] = {str(path): [] for path in report.files}
    for outcome in report.outcomes:
        by_file.setdefault(str(outcome.file), []).append(outcome)
    for file, outcomes in by_file.items():
        suite = ET.SubElement(root, "testsuite", _counts(outcomes))
        suite.set("name", _xml(outcomes[0].recipe if outcomes else file))
        suite.set("file", _xml(file))
        for outcome in outcomes:
            _case(suite, outcome)
    ET.indent(root)
    body: str = ET.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'.encode()


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    broken = sum(_is_error(outcome) for outcome in outcomes)
    failed = sum(bool(outcome.problems) for outcome in outcomes)
    return {
        "tests": str(len(outcomes)),
        "failures": str(failed - broken),
        "errors": str(broken),
        "skipped": "0",
        "time": f"{sum(outcome.time_s for outcome in outcomes):.3f}",
    }


def _is_error(outcome: Outcome) -> bool:
    """Whether it could not be tested at all, which JUnit tells from a failure."""
    return any(problem.kind == "broken" for problem in outcome.problems)


def _case(suite: ET.Element, outcome: Outcome) -> None:
    case = ET.SubElement(suite, "testcase", {
        "classname": _xml(outcome.recipe.replace("/", ".")),
        "name": _xml(outcome.example or "the file as a whole"),
        "file": _xml(str(outcome.file)),
        "time": f"{outcome.time_s:.3f}",
    })  # fmt: skip
    if outcome.line is not None:
        case.set("line", str(outcome.line))
    if not outcome.problems:
        return
    first = outcome.problems[0].finding
    tag = "error" if _is_error(outcome) else "failure"
    node = ET.SubElement(case, tag, {"type": first.name, "message": _xml(first.message)})
    node.text = _xml("\n".join(problem.text() for problem in outcome.problems))


def _xml(text: str) -> str:
    """A text without characters that XML can't hold."""
    return _NOT_XML.sub("\ufffd", text)
