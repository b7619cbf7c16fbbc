"""The command test: the examples of recipe files against their snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nanorecipes.cli import view
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from nanorecipes.testing.findings import Problem, Report

_COLORS = {"-": "red", "+": "green", "@": "cyan"}


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--update", is_flag=True,
              help="Write snapshots that are missing or differ; remove those of no example.",
)  # fmt: skip
@click.option("-k", "text", metavar="TEXT",
              help="Only examples whose `recipe: name` holds this text.")  # fmt: skip
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Also write the result as JUnit XML.")  # fmt: skip
@common
def test_command(
    paths: tuple[Path, ...],
    update: bool,
    text: str | None,
    junit: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Render the examples of recipes and compare them with the snapshots beside the recipes.

    PATH is a file or a folder; without one, ./recipes. A snapshot holds the call, the images, the
    prompt, the settings and the cost, and is made to be read in a review. What `expect` says of an
    example is checked as well. Nothing is sent. Leaves with 1 when an example fails.
    """
    from nanorecipes.testing.runner import run_examples

    report = run_examples(paths, update=update, text=text)
    if junit is not None:
        _write_junit(junit, report)
    if as_json:
        view.print_json(report.to_json())
    else:
        _print_report(report)
        view.info(_summary(report), quiet)
    return 0 if report.is_fine else 1


def _write_junit(path: Path, report: Report) -> None:
    from nanorecipes.errors import SaveError
    from nanorecipes.files import write_atomic
    from nanorecipes.testing.junit import junit_xml

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, junit_xml(report))
    except OSError as exc:
        message = f"the report {path} can't be written: {exc.strerror or exc}"
        raise SaveError(message, path=path) from exc


def _print_report(report: Report) -> None:
    for change in report.changes:
        click.echo(f"{change.action} {change.path}: {', '.join(change.examples) or 'layout'}")
    for outcome in report.failed:
        for problem in outcome.problems:
            _print_problem(problem)


def _print_problem(problem: Problem) -> None:
    view.print_diagnostics([problem.finding._replace(help=None)])
    for line in problem.diff:
        color = _COLORS.get(line[:1])
        click.echo(f"  {click.style(line, fg=color) if color else line}".rstrip())
    if problem.finding.help:
        click.echo(f"  help: {problem.finding.help}")


def _summary(report: Report) -> str:
    files = _count(len(report.files), "file")
    failed = sum(outcome.example is not None for outcome in report.failed)
    whole = len(report.failed) - failed
    if report.examples:
        parts = [f"{report.examples - failed} of {_count(report.examples, 'example')} fine"]
    else:
        parts = ["no examples to test"]
    if failed:
        parts.append(f"{failed} failed")
    if whole:
        parts.append(f"{_count(whole, 'file')} not as it should be")
    written = _count(len(report.changes), "snapshot file")
    told = f"; {written} changed" if report.changes else ""
    return f"{files}: {', '.join(parts)}{told}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
