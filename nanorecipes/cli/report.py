"""The command that shows a folder of pictures, or a run, as one page: report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nanorecipes.cli import view
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanorecipes.batch.queries import RunState
    from nanorecipes.report.page import Pictures, Report


@click.command("report")
@click.argument("target", metavar="DIR|RUN", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    show_default="DIR/report.html, or report-RUN.html here",
    help="The page to write; replaced when it exists.",
)
@click.option(
    "--pictures",
    type=click.Choice(["auto", "inline", "files"]),
    default="auto",
    show_default=True,
    help="Small pictures in the page, or in a folder beside it.",
)
@common
def report_command(
    target: Path, out: Path | None, pictures: Pictures, as_json: bool, quiet: bool
) -> None:
    """Write one HTML page about a folder of pictures, or about a run: before and after, prompts,
    costs, and what failed as plainly as what came.

    RUN is the id of a run, as `nanorecipes runs` lists them, the beginning of one, or `last`. The
    page opens from disk without a network. Up to 300 rows the small pictures are inside the page;
    above, they lie in a folder beside it.
    """
    report = _write(target, out, pictures)
    if as_json:
        view.print_json(
            {
                "path": str(report.path),
                "rows": report.rows,
                "states": dict(report.states),
                "pictures": None if report.pictures is None else str(report.pictures),
            }
        )
        return
    click.echo(str(report.path))
    states = ", ".join(f"{count} {state}" for state, count in sorted(report.states.items()))
    view.info(f"  {report.rows} rows: {states}", quiet)
    if report.pictures is not None:
        view.info(f"  its small pictures: {report.pictures}; keep them beside the page", quiet)


def _write(target: Path, out: Path | None, pictures: Pictures) -> Report:
    if target.is_dir():
        from nanorecipes.report.page import write_report

        return write_report(target, out, pictures=pictures)
    from nanorecipes.batch import opening, queries
    from nanorecipes.cli.ledger import open_books
    from nanorecipes.report.page import write_page
    from nanorecipes.report.runs import collect_run

    books = open_books() if opening.chosen_path() is not None else None
    if books is None:
        raise _unknown(target, ())
    with books:
        found = queries.find_run(books, str(target))
        if found is None:
            raise _unknown(target, queries.list_runs(books))
        run = found.run
        rows = collect_run(books, run)
    page = out if out is not None else Path(f"report-{run.id}.html")
    return write_page(f"{run.recipe}, run {run.id}", rows, page, pictures=pictures)


def _unknown(target: Path, runs: Sequence[RunState]) -> Exception:
    from nanorecipes import codes
    from nanorecipes.arguments import problem
    from nanorecipes.errors import InputError
    from nanorecipes.suggest import did_you_mean_file

    message = f"there is no folder {str(target)!r}, and the ledger knows no such run"
    fitting = [state.run.id for state in runs if state.run.id.startswith(str(target))]
    if fitting:
        message = f"{str(target)!r} is the beginning of {len(fitting)} runs: {', '.join(fitting)}"
    near = did_you_mean_file(target, folders=True)
    help = "`nanorecipes runs` lists the runs; the beginning of an id is enough where only one fits"
    advice = f"{near} {help}" if near else help
    return InputError([problem(codes.BAD_ARGUMENT, "target", message, advice)])


__all__ = ["report_command"]
