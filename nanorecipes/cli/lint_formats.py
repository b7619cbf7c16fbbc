"""Lint reports in the forms that people, pipelines and code hosts read, and the rules' pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from nanorecipes import codes
from nanorecipes.cli import view
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError
from nanorecipes.lint_settings import near, unknown
from nanorecipes.prompt.lint.rules import RULES

if TYPE_CHECKING:
    from nanorecipes.linting import Report
    from nanorecipes.prompt.lint.rule import Rule

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def print_report(report: Report, form: str) -> None:
    """Print a report on stdout as text, json, github or sarif."""
    if form == "json":
        view.print_json(report.to_json())
    elif form == "sarif":
        view.print_json(sarif(report))
    elif form == "github":
        for finding in report.diagnostics:
            click.echo(github(finding))
    else:
        view.print_diagnostics(report.diagnostics)


def github(finding: Diagnostic) -> str:
    """One finding as a workflow command, which the code host shows beside the line."""
    facts = {
        "file": _relative(finding.file), "line": finding.line, "endLine": finding.end_line,
        "col": finding.column, "endColumn": finding.end_column,
        "title": f"{finding.code} {finding.name}",
    }  # fmt: skip
    if finding.end_line != finding.line:  # columns are only read within one line
        facts["col"] = facts["endColumn"] = None
    shown = ",".join(
        f"{key}={_escaped(str(value), property=True)}"
        for key, value in facts.items()
        if value is not None
    )
    return f"::{_GITHUB_LEVELS[finding.severity]} {shown}::{_escaped(_text(finding))}"


def _text(finding: Diagnostic) -> str:
    """What was found, and the way out in a line of its own."""
    return f"{finding.message}\n{finding.help}" if finding.help else finding.message


def _escaped(text: str, *, property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text


def _relative(path: Path | None) -> str | None:
    """A path as seen from here, with slashes."""
    if path is None:
        return None
    full = Path(os.path.abspath(path))
    here = Path.cwd()
    return (full.relative_to(here) if full.is_relative_to(here) else path).as_posix()


def sarif(report: Report) -> dict[str, Any]:
    """A report as SARIF 2.1.0, with the rules that it speaks of."""
    from nanorecipes import __version__

    names = sorted({finding.code for finding in report.diagnostics})
    driver = {
        "name": "nanorecipes",
        "semanticVersion": __version__,
        "rules": [_sarif_rule(code) for code in names],
    }
    results = [_sarif_result(finding, names) for finding in report.diagnostics]
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints",
                  "results": results}],
    }  # fmt: skip


def _sarif_rule(code: str) -> dict[str, Any]:
    rule = next((rule for rule in RULES if rule.code == code), None)
    about = rule.about if rule else next(item for item in codes.ALL if item.code == code)
    level = _SARIF_LEVELS[rule.severity if rule else "error"]
    return {
        "id": code,
        "name": about.name,
        "shortDescription": {"text": about.about},
        "fullDescription": {"text": rule.page() if rule else about.about},
        "defaultConfiguration": {"level": level},
    }


def _sarif_result(finding: Diagnostic, names: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": names.index(finding.code),
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": _text(finding)},
    }
    path = _relative(finding.file)
    if path is not None:
        uri = Path(path).as_uri() if Path(path).is_absolute() else quote(path)
        place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
        if finding.line is not None:
            place["region"] = {
                key: value
                for key, value in (
                    ("startLine", finding.line), ("startColumn", finding.column),
                    ("endLine", finding.end_line), ("endColumn", finding.end_column),
                )
                if value is not None
            }  # fmt: skip
        result["locations"] = [{"physicalLocation": place}]
    return result


def print_page(name: str, *, as_json: bool = False) -> None:
    """Print the page of a code or a name; for `all`, one line for each.

    Raises:
        InputError: there is no such code or name.
    """
    if name == "all":
        pages = [*codes.ALL, *(rule.about for rule in RULES)]
        if as_json:
            view.print_json([{"code": p.code, "name": p.name, "about": p.about} for p in pages])
        else:
            click.echo(view.table([(p.code, p.name, p.about) for p in pages], indent=""))
        return
    rule = next((rule for rule in RULES if name in (rule.code, rule.code.lower(), rule.name)), None)
    code = next((c for c in codes.ALL if name in (c.code, c.code.lower(), c.name)), None)
    if rule is None and code is None:
        problem = Diagnostic(*codes.BAD_OPTION[:2], "error", unknown(name), field="explain",
                             help=near(name))  # fmt: skip
        raise InputError([problem])
    if as_json:
        view.print_json(_page_json(rule, code))
    elif rule is not None:
        click.echo(view.heading(f"{rule.code} {rule.name}") + f" ({rule.severity}, {rule.status})")
        click.echo(f"\n{rule.page()}")
    elif code is not None:
        click.echo(view.heading(f"{code.code} {code.name}"))
        click.echo(f"\n{code.about}")


def _page_json(rule: Rule | None, code: codes.Code | None) -> dict[str, Any]:
    if rule is not None:
        return {"code": rule.code, "name": rule.name, "severity": rule.severity,
                "status": rule.status, "page": rule.page()}  # fmt: skip
    assert code is not None
    return {"code": code.code, "name": code.name, "page": code.about}
