"""The command lint: recipe files and the prompt guide, as text or for machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nanorecipes.cli import view
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from nanorecipes.linting import Report

FORMATS = ("text", "json", "github", "sarif")


@click.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--format", "form", type=click.Choice(FORMATS), default=None,
              help="How to print: text (default), json, github annotations, or sarif.")  # fmt: skip
@click.option("--select", multiple=True, metavar="CODE",
              help="Only these codes, beginnings of codes, or names: NR1, vague-protection.",
)  # fmt: skip
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave these out.")
@click.option("--explain", is_flag=False, flag_value="all", metavar="CODE",
              help="Print the page of a code or name, or the list of all.")  # fmt: skip
@common
def lint_command(
    paths: tuple[Path, ...],
    form: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    explain: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check recipe files, their templates and examples, and the prompt guide.

    PATH is a file or a folder; without one, ./recipes. Leaves with 1 when there are errors or
    warnings. A recipe may break a rule of the guide on purpose with `allow: {rule: "reason"}`.
    """
    from nanorecipes.cli import lint_formats
    from nanorecipes.linting import lint_paths

    form = form or ("json" if as_json else "text")
    if explain is not None:
        lint_formats.print_page(explain, as_json=form == "json")
        return 0
    report = lint_paths(paths, select=select, ignore=ignore)
    lint_formats.print_report(report, form)
    if form == "text":
        _summarise(report, quiet)
    return 0 if report.is_clean else 1


def _summarise(report: Report, quiet: bool) -> None:
    files = _count(len(report.files), "file")
    if not report.diagnostics:
        view.info(f"{files} checked, nothing found", quiet)
        return
    kinds = [
        _count(report.count(severity), noun)
        for severity, noun in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if report.count(severity)
    ]
    where = _count(len({finding.file for finding in report.diagnostics}), "file")
    view.info(f"{files} checked: {', '.join(kinds)} in {where}; --explain CODE tells more", quiet)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
