"""The commands that ask the ledger: runs, what is unknown, what it cost."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import view
from nanorecipes.cli.money import Money
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from nanorecipes.batch.ledger import Ledger, Row, Run
    from nanorecipes.batch.outcomes import Outcome
    from nanorecipes.batch.queries import RunState


def open_books() -> Ledger | None:
    """This project's ledger, or None when nothing was ever bought here."""
    from nanorecipes.batch.ledger import Ledger
    from nanorecipes.batch.opening import chosen_path
    from nanorecipes.errors import LedgerError

    path = chosen_path()
    if path is None:
        raise LedgerError("the ledger is switched off", help="unset NANORECIPES_LEDGER")
    if not path.exists():
        return None
    ledger = Ledger(path, create=False)
    ledger.recover()
    return ledger


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _run_json(found: RunState) -> dict[str, Any]:
    from nanorecipes.batch.states import to_usd

    run = found.run
    return {
        "id": run.id, "kind": run.kind, "recipe": run.recipe, "backend": run.backend,
        "started_at": _moment(run.started_at), "out": run.out, "states": found.counts,
        "spent_usd": to_usd(run.spent_micro), "unknown_usd": to_usd(run.reserved_micro),
        "budget_usd": None if run.cap_micro is None else to_usd(run.cap_micro),
        "is_sandbox": run.is_sandbox,
    }  # fmt: skip


def _row_json(row: Row, run: Run) -> dict[str, Any]:
    return {
        "run": run.id, "row_key": row.name, "state": row.state, "recipe": row.recipe,
        "model": row.model, "task_id": row.task, "attempt": row.attempt,
        "price_usd": row.price, "spent_usd": row.spent, "error": row.error,
        "paths": [entry["path"] for entry in row.files], "updated_at": _moment(row.updated_at),
        "is_sandbox": run.is_sandbox,
    }  # fmt: skip


class _Runs(click.Group):
    """`runs ID` is `runs show ID`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


@click.group("runs", cls=_Runs, invoke_without_command=True)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True,
              help="How many runs to list.")  # fmt: skip
@common
@click.pass_context
def runs_command(ctx: click.Context, limit: int, as_json: bool, quiet: bool) -> None:
    """List what was run here, the newest first; `runs ID` and `runs last` show one run."""
    if ctx.invoked_subcommand is not None:
        return
    from nanorecipes.batch import queries

    books = open_books()
    found: list[RunState] = []
    if books is not None:
        with books:
            found = queries.list_runs(books, limit)
    if as_json:
        view.print_json([_run_json(item) for item in found])
        return
    if not found:
        view.info("nothing was run here yet", quiet)
    for item in found:
        click.echo(_run_line(item))


def _run_line(item: RunState) -> str:
    told = _run_json(item)
    shown = ", ".join(f"{count} {state}" for state, count in item.counts.items())
    fake = " (sandbox)" if item.run.is_sandbox else ""
    where = f"  {view.short_path(item.run.out)}" if item.run.out else ""
    return f"{told['id']}  {told['recipe']}  {shown}  ${told['spent_usd']}{fake}{where}"


@runs_command.command("show")
@click.argument("run_id", metavar="ID")
@common
def show_command(run_id: str, as_json: bool, quiet: bool) -> None:
    """Show a run and its rows: by its ID, the beginning of one, or `last`."""
    from nanorecipes.batch import queries
    from nanorecipes.errors import LedgerError

    books = open_books()
    if books is None:
        raise LedgerError(f"there is no run {run_id!r}: nothing was run here yet")
    with books:
        found = queries.find_run(books, run_id)
        if found is None:
            raise LedgerError(
                f"there is no run {run_id!r}, or several begin so",
                help="`nanorecipes runs` lists them",
            )
        if as_json:
            rows = [_row_json(*pair) for pair in queries.rows_of(books, run_id=found.run.id)]
            view.print_json({**_run_json(found), "rows": rows})
            return
        click.echo(_run_line(found))
        for row, _ in queries.rows_of(books, run_id=found.run.id):
            path = row.files[0]["path"] if row.files else ""
            said = row.error or path
            click.echo(f"  {row.name}  {row.state}  ${row.spent}  {row.task or '-'}  {said}")


@click.command("unknown")
@click.option("--assume-charged", is_flag=True, help="Take them all as charged and be done.")
@click.option("--resubmit", is_flag=True, help="Send them again: perhaps they are paid twice.")
@click.option("--max-cost", type=Money(), help="With --resubmit: USD that it may cost at most.")
@click.option("--run", "run_id", metavar="ID", help="Only those of one run.")
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(),
              help="The folder for pictures of runs that named none.")  # fmt: skip
@common
def unknown_command(
    assume_charged: bool, resubmit: bool, max_cost: Decimal | None, run_id: str | None, out: Path,
    as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """List requests that were sent and never answered: perhaps charged, with their dollars.

    They are never sent again by themselves. Look at the account's history, then decide.
    """
    from nanorecipes.batch import queries

    if assume_charged and resubmit:
        raise click.UsageError("--assume-charged and --resubmit exclude each other")
    if resubmit and max_cost is None:
        raise click.UsageError("--resubmit needs --max-cost USD: it may pay a second time")
    books = open_books()
    if books is None:
        _tell_unknown([], [], as_json, quiet)
        return 0
    with books:
        pairs = [
            pair
            for pair in queries.rows_of(books, states=("unknown",))
            if run_id is None or pair[1].id.startswith(run_id)
        ]
        if assume_charged:
            rows = [books.assume_charged_later(row.id).result() for row, _ in pairs]
            pairs = [(row, run) for row, (_, run) in zip(rows, pairs, strict=True)]
        if resubmit and max_cost is not None:
            return _resubmit(books, pairs, max_cost, out, as_json, quiet)
        # With nothing unknown there is nothing that a picture without a row could belong to.
        answers = queries.unnamed_answers(books) if pairs else []
    _tell_unknown(pairs, answers, as_json, quiet)
    return 0


def _tell_unknown(
    pairs: list[tuple[Row, Run]], answers: list[Path], as_json: bool, quiet: bool
) -> None:
    total = sum((row.price or Decimal(0) for row, run in pairs if not run.is_sandbox), Decimal(0))
    if as_json:
        rows = [_row_json(row, run) for row, run in pairs]
        told = [str(path) for path in answers]
        view.print_json({"rows": rows, "total_usd": total, "unnamed_answers": told})
        return
    for row, run in pairs:
        fake = " (sandbox)" if run.is_sandbox else ""
        click.echo(
            f"{run.id}  {row.name}  {view.money(row.price)}{fake}  {row.recipe}  {row.error}"
        )
    played = sum(run.is_sandbox for _, run in pairs)
    fake = f", of which the sandbox's {played} don't count" if played else ""
    view.info(f"{len(pairs)} rows{fake}, {view.money(total)}", quiet)
    for path in answers:
        view.info(f"perhaps the picture of one of them: {view.short_path(str(path))}", quiet)


def _resubmit(
    books: Ledger, pairs: list[tuple[Row, Run]], cap: Decimal, out: Path, as_json: bool, quiet: bool
) -> int:
    from nanorecipes.batch.keys import from_text
    from nanorecipes.errors import BudgetError

    fit = [pair for pair in pairs if pair[0].request and from_text(pair[0].request) is not None]
    if len(fit) < len(pairs):
        lost = len(pairs) - len(fit)
        view.warn([f"{lost} rows were given as bytes and can't be sent again from here"])
    unpriced = any(row.price is None for row, _ in fit)
    total = sum((row.price or Decimal(0) for row, _ in fit), Decimal(0))
    if total > cap or unpriced:
        raise BudgetError(
            f"sending {len(fit)} rows again costs "
            f"{'an unknown amount' if unpriced else view.money(total)}, above the ${cap} allowed; "
            "nothing was sent",
            cost_usd=total, limit_usd=cap,
        )  # fmt: skip
    for row, _ in fit:
        books.replan_later(row.id).result()
    found = work_through(books, fit, out)
    code = tell_outcomes(found, as_json, quiet)
    if fit and not as_json:
        from nanorecipes.batch.states import to_usd

        before = view.money(to_usd(sum(row.reserved_micro for row, _ in fit)))
        view.info(f"the first requests count as paid from now on: {before}", quiet)
        if any(run.kind == "batch" for _, run in fit):
            view.info("a batch's results are written anew by its next call, which is free", quiet)
    return code


def work_through(
    books: Ledger, pairs: list[tuple[Row, Run]], out: Path, timeout_s: float = 600.0
) -> list[Outcome]:
    """Go on with rows of the ledger, whatever run they belong to."""
    by_run: dict[str, list[tuple[Row, Run]]] = {}
    for pair in pairs:
        by_run.setdefault(pair[1].id, []).append(pair)

    async def work() -> list[Outcome]:
        found: list[Outcome] = []
        for mine in by_run.values():
            found += await _one_run(books, mine, out, timeout_s)
        return found

    return asyncio.run(work())


async def _one_run(
    books: Ledger, pairs: list[tuple[Row, Run]], out: Path, timeout_s: float
) -> list[Outcome]:
    from nanorecipes.batch.outcomes import BatchOptions
    from nanorecipes.batch.preparing import Again
    from nanorecipes.batch.runner import Runner
    from nanorecipes.client import AsyncClient, Wiring

    run = pairs[0][1]
    folder = Path(run.out) if run.out else out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    backend: Any = run.backend
    # What came with its answer lies here: nothing is asked for, and no key is needed.
    wiring = Wiring(needs_key=not all(row.came_along for row, _ in pairs))
    # A task lives where it was bought, whatever the settings say by now.
    async with AsyncClient(
        backend=backend, base_url=run.base_url, ledger=books, timeout_s=timeout_s, wiring=wiring
    ) as client:
        runner = Runner(client, books, run, folder, BatchOptions())
        return [o async for o in runner.outcomes(Again(row for row, _ in pairs))]


def tell_outcomes(found: list[Outcome], as_json: bool, quiet: bool) -> int:
    """Print what rows came to; the exit code."""
    if as_json:
        view.print_json([
            {"row_key": o.row_key, "state": o.state, "paths": [str(p) for p in o.paths],
             "cost_usd": o.cost_usd, "task_id": o.task_id, "error": o.error}
            for o in found
        ])  # fmt: skip
    else:
        for outcome in found:
            click.echo(f"{outcome.row_key}  {outcome.state}  {outcome.path or outcome.error or ''}")
    return 0 if all(outcome.state == "verified" for outcome in found) else 1


@click.command("costs")
@click.option("--by", type=click.Choice(["recipe", "day", "model"]), default="recipe",
              show_default=True, help="What to add up by; days are UTC.")  # fmt: skip
@common
def costs_command(by: Any, as_json: bool, quiet: bool) -> None:
    """Show what was spent here, and what is perhaps charged. The sandbox's costs don't count."""
    from nanorecipes.batch import queries

    books = open_books()
    found: list[queries.Cost] = []
    unknown = played = Decimal(0)
    if books is not None:
        with books:
            found = queries.costs(books, by)
            played = sum((c.usd for c in queries.costs(books, by, sandbox=True)), Decimal(0))
            unknown = sum(
                (row.price or Decimal(0)
                 for row, run in queries.rows_of(books, states=("unknown",)) if not run.is_sandbox),
                Decimal(0),
            )  # fmt: skip
    total = sum((cost.usd for cost in found), Decimal(0))
    if as_json:
        rows = [{by: cost.name, "usd": cost.usd, "rows": cost.pictures} for cost in found]
        view.print_json({"by": by, "costs": rows, "total_usd": total, "unknown_usd": unknown,
                         "sandbox_usd": played})  # fmt: skip
        return
    for cost in found:
        click.echo(f"${cost.usd}  {cost.name}  ({cost.pictures} rows)")
    fake = f" (the sandbox's runs would have cost ${played} and don't count)" if played else ""
    view.info(f"total ${total}, perhaps charged ${unknown}{fake}", quiet)


__all__ = ["costs_command", "open_books", "runs_command", "unknown_command"]
