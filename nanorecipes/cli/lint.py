"""The command lint: recipe files and the prompt guide, as text or for machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nanorecipes.cli import view
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from nanorecipes.fixing import Fixes
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
@click.option("--fix", is_flag=True,
              help="Mend what can be mended safely, and print what is left to do by hand.",
)  # fmt: skip
@click.option("--diff", "as_diff", is_flag=True,
              help="Print what --fix would change, and write nothing.")  # fmt: skip
@common
def lint_command(
    paths: tuple[Path, ...],
    form: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    explain: str | None,
    fix: bool,
    as_diff: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check recipe files, their templates and examples, and the prompt guide.

    PATH is a file or a folder; without one, ./recipes. Leaves with 1 when there are errors or
    warnings. A recipe may break a rule of the guide on purpose with `allow: {rule: "reason"}`.

    --fix takes quality tags out of lists (", 8k, masterpiece"), writes handles in place of images
    counted by hand ("the second image") where the number surely means one slot, and single blanks
    in place of doubled ones. A file is only written when it still loads and nothing new is found;
    its comments and layout stay. Look first with --diff; run `nanorecipes test` afterwards.
    """
    from nanorecipes.cli import lint_formats
    from nanorecipes.linting import lint_paths

    form = form or ("json" if as_json else "text")
    if explain is not None:
        lint_formats.print_page(explain, as_json=form == "json")
        return 0
    if fix or as_diff:
        if fix and as_diff:
            raise click.UsageError("--fix writes and --diff doesn't: give one of the two")
        if as_diff and form not in ("text", "json"):
            raise click.UsageError(f"--diff prints text or json, not {form}")
        return _mend(paths, form, select, ignore, write=fix, quiet=quiet)
    report = lint_paths(paths, select=select, ignore=ignore)
    lint_formats.print_report(report, form)
    if form == "text":
        _summarise(report, quiet)
    return 0 if report.is_clean else 1


def _mend(
    paths: tuple[Path, ...],
    form: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    *,
    write: bool,
    quiet: bool,
) -> int:
    """Fix, or show what fixing would do; the exit code is that of the findings left."""
    from nanorecipes.cli import lint_formats
    from nanorecipes.fixing import fix_paths

    fixes = fix_paths(paths, select=select, ignore=ignore, write=write)
    if form == "json":
        view.print_json({**fixes.to_json(), **({} if write else {"diff": fixes.diff()})})
    elif write:
        for item in fixes.fixed:
            click.echo(item.headline(), err=form != "text")
        lint_formats.print_report(fixes.report, form)
    else:
        click.echo(fixes.diff(), nl=False)
    view.warn(f"{item.file} is left as it is: {item.reason}" for item in fixes.unmended)
    if form == "text":
        _summarise_fixes(fixes, quiet, write=write)
    return 0 if fixes.report.is_clean else 1


def _summarise_fixes(fixes: Fixes, quiet: bool, *, write: bool) -> None:
    count = f"{_count(len(fixes.fixed), 'place')} in {_count(len(fixes.changes), 'file')}"
    if not fixes.fixed:
        view.info("nothing that can be mended safely", quiet)
    elif write:
        view.info(f"mended {count}", quiet)
    else:
        view.info(f"--fix would mend {count}", quiet)
    if write:
        _summarise(fixes.report, quiet)


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
