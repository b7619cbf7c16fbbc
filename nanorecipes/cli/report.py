"""The command that shows a folder of pictures: report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nanorecipes.cli import view
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from nanorecipes.report.page import Pictures


@click.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    show_default="DIR/report.html",
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
    folder: Path, out: Path | None, pictures: Pictures, as_json: bool, quiet: bool
) -> None:
    """Write one HTML page about a folder of pictures: before and after, prompts, costs, errors.

    It opens from disk without a network. Up to 300 rows the small pictures are inside the page;
    above, they lie in a folder beside it.
    """
    from nanorecipes.report.page import write_report

    report = write_report(folder, out, pictures=pictures)
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
    view.info(f"  {report.rows} rows: {states or 'nothing that tells how it was made'}", quiet)
    if report.pictures is not None:
        view.info(f"  its small pictures: {report.pictures}; keep them beside the page", quiet)


__all__ = ["report_command"]
