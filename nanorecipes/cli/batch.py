"""The command that runs a recipe over a table."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import view
from nanorecipes.cli.batch_progress import BatchProgress
from nanorecipes.cli.batch_results import write_results_of
from nanorecipes.cli.inputs import find_recipe, read_inputs
from nanorecipes.cli.money import Money
from nanorecipes.cli.options import (
    call_arguments,
    call_options,
    common,
    inputs_argument,
    recipe_argument,
)
from nanorecipes.cli.proving import Asked, batch_proof_options

if TYPE_CHECKING:
    from nanorecipes.batch.binding import Binding
    from nanorecipes.batch.check import Check
    from nanorecipes.batch.ledger import Run
    from nanorecipes.batch.outcomes import BatchOptions, Tally
    from nanorecipes.batch.redo import ProvedBatch
    from nanorecipes.batch.rows import Row
    from nanorecipes.batch.runner import Runner
    from nanorecipes.book import Recipe
    from nanorecipes.errors import NanorecipesError

INTERRUPTED = 130


@dataclass(frozen=True)
class _Job:
    """What the command line asks for."""

    recipe: Recipe
    table: Path
    out: Path
    binding: Binding
    backend: str | None
    limit: int | None
    sample: int | None
    timeout_s: float
    results: Path
    terms: Mapping[str, Any] | None
    """What takes the place of the recipe's own terms; None where nothing is to be proved."""
    redo: int

    def rows(self) -> Iterator[Row]:
        """The table's rows, as far as they are wanted."""
        from nanorecipes.batch.table import read_rows

        return islice(read_rows(self.table), self.limit)

    @property
    def bad_file(self) -> Path:
        """Where bad rows go that are to be skipped."""
        return self.out / "bad-rows.csv"

    def is_cut(self) -> bool:
        """Whether the table has rows beyond those that are wanted."""
        from nanorecipes.batch.table import read_rows
        from nanorecipes.errors import InputError

        if self.limit is None:
            return False
        try:
            return next(islice(read_rows(self.table), self.limit, None), None) is not None
        except InputError:  # what follows can't be read
            return True


@click.command("batch")
@recipe_argument
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False))
@inputs_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder for pictures, sidecars and results; it stands for the batch.",
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="INPUT=COLUMN",
    help="The column of an input, where the names differ.",
)
@click.option("--check", is_flag=True, help="Check the whole table and stop; nothing is sent.")
@click.option(
    "--skip-bad",
    is_flag=True,
    help="Go on with the good rows; the bad ones go to DIR/bad-rows.csv.",
)
@click.option("--budget", type=Money(), help="USD for the whole batch, over all calls.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Pictures waited for and fetched at a time.",
)
@click.option(
    "--submits",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Purchases open at a time; after a crash only these are unknown.",
)
@click.option("--rate", metavar="N/m", help="Purchases in a time at most: 60/m, 2/s, 900/h.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N rows.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="A paid trial: buy N rows, spread over the table.",
)
@click.option("--retry-failed", is_flag=True, help="Buy again what failed or was refused before.")
@click.option("--no-dedupe", is_flag=True, help="Pay for each of several identical rows.")
@click.option(
    "--results",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    default="csv",
    show_default=True,
    help="The format of DIR/results.",
)
@click.option(
    "--sandbox",
    is_flag=True,
    help="Use the embedded sandbox: no key, no cost, proof pictures only.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for one row.",
)
@call_options
@batch_proof_options
@click.option(
    "--redo-drifted",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="With --prove and --budget: pay for up to N more tries of rows that drifted, and keep "
    "the better one.",
)
@common
def batch_command(
    recipe_name: str, table: Path, inputs: tuple[str, ...], out: Path, mapping: tuple[str, ...],
    check: bool, skip_bad: bool, budget: Decimal | None, concurrency: int, submits: int,
    rate: str | None, limit: int | None, sample: int | None, retry_failed: bool, no_dedupe: bool,
    results: str, sandbox: bool, timeout: float, redo_drifted: int, asked: Asked, as_json: bool,
    quiet: bool, **options: Any,
) -> int:  # fmt: skip
    """Run a recipe over the rows of a table (CSV, TSV, JSONL, Parquet), and pay for each once.

    Columns feed the inputs of their name; NAME=VALUE is the same for every row. The whole table is
    checked before anything is sent. The same command again goes on where the last one stopped, and
    pays for nothing that was paid for. Ctrl-C stops cleanly.

    With --prove each picture is held against its source while others come; verdict, score and
    reasons are columns of the results, and the exit code is 1 when a promise was broken.
    """
    from nanorecipes.batch import table as tables
    from nanorecipes.batch.begin import other_inputs, proof_options
    from nanorecipes.batch.outcomes import BatchOptions
    from nanorecipes.book import recipes

    wishes = BatchOptions.make(
        budget=budget, rate=rate, concurrency=concurrency, submits=submits,
        retry_failed=retry_failed, dedupe=not no_dedupe,
    )  # fmt: skip
    terms = proof_options(asked.argument, redo_drifted, wishes)
    recipe = find_recipe(recipes, recipe_name)
    constants = {**read_inputs(recipe, inputs), **call_arguments(options)}
    binding = tables.bind(
        recipe, tables.columns(table), _pairs(mapping), constants, folder=table.parent
    )
    job = _Job(
        recipe, table, out, binding, "sandbox" if sandbox else None, limit, sample, timeout,
        out / f"results.{results}", terms, redo_drifted,
    )  # fmt: skip
    view.warn(binding.notices)
    changed = other_inputs(out, recipe, binding.constants)
    if changed is not None:
        view.warn([
            f"{str(out)!r}: {changed}; each row counts as new and is bought, and what was bought "
            "before leaves the results: another -o keeps both"
        ])  # fmt: skip
    checked = _check(job, with_file=skip_bad and not check)
    view.warn(checked.warnings)
    if job.is_cut():
        view.info(f"only the first {limit} rows were looked at; bad ones may follow", quiet)
    if check:
        return _show_check(checked, as_json)
    if checked.bad and not skip_bad:
        return _refuse(checked, as_json)
    _check_start(checked, budget)
    return _run(job, checked, wishes, as_json, quiet)


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    if not all(pairs.values()) or len(pairs) < len(texts):
        raise click.BadParameter("expected input=column, each input once", param_hint="--map")
    return pairs


def _check(job: _Job, *, with_file: bool) -> Check:
    from nanorecipes import config
    from nanorecipes.batch.check import bad_rows, check_rows, pictures_can_be_sent
    from nanorecipes.batch.table import columns

    backend = config.likely_backend(job.backend)
    takes_files = pictures_can_be_sent(backend)
    with ExitStack() as stack:
        on_bad = None
        if with_file and job.bad_file.resolve() != job.table.resolve():
            job.out.mkdir(parents=True, exist_ok=True)
            on_bad = stack.enter_context(bad_rows(job.bad_file, columns(job.table)))
        return check_rows(
            job.recipe, job.rows(), job.binding, takes_files=takes_files, backend=backend,
            on_bad=on_bad,
        )  # fmt: skip


def _show_check(checked: Check, as_json: bool) -> int:
    if as_json:
        view.print_json(checked.to_json())
        return 1 if checked.bad else 0
    click.echo(f"{checked.good} of {checked.rows} rows are good, {checked.bad} are bad")
    for problem in checked.problems[:20]:
        click.echo(f"  {problem}")
    if checked.problem_count > 20:
        click.echo(f"  and {checked.problem_count - 20} more")
    unpriced = f", {checked.unpriced} rows without a price" if checked.unpriced else ""
    click.echo(
        f"estimated cost {view.money(checked.estimated_cost_usd)}{unpriced}; "
        "identical rows are counted each, and paid once"
    )
    if checked.longest_prompt_row is not None:
        click.echo(f"longest prompt {checked.longest_prompt} characters"
                   f" (row {checked.longest_prompt_row})")  # fmt: skip
    return 1 if checked.bad else 0


def _refuse(checked: Check, as_json: bool) -> int:
    """Bad rows stop everything before a cent is spent, unless they are to be skipped."""
    message = f"{checked.bad} of {checked.rows} rows are bad; nothing was sent"
    help = "correct them, or go on without them with --skip-bad"
    if as_json:
        error = {"type": "InputError", "message": message, "diagnostics": [], "help": help}
        view.print_json({"error": {**error, "check": checked.to_json()}})
        return 2
    for problem in checked.problems[:20]:
        click.echo(str(problem), err=True)
    click.echo(f"error: {message}\n  help: {help}", err=True)
    return 2


def _check_start(checked: Check, budget: Decimal | None) -> None:
    from nanorecipes.errors import BudgetError

    prices = [tally.cost_usd / tally.rows for tally in checked.tallies.values() if tally.rows]
    if budget is not None and prices and min(prices) > budget:
        raise BudgetError(
            f"one row costs about {view.money(min(prices))}, above the ${budget} allowed; "
            "nothing was sent",
            cost_usd=min(prices), limit_usd=budget,
        )  # fmt: skip


def _run(job: _Job, checked: Check, wishes: BatchOptions, as_json: bool, quiet: bool) -> int:
    from nanorecipes.batch.queries import run_later

    wanted = _sampled(job, checked)
    ended = asyncio.run(_work(job, wishes, wanted, quiet or as_json, checked.rows))
    runner, books = ended.runner, ended.runner.ledger
    try:
        run = run_later(books, runner.run.id).result()
        write_results_of(runner, job.table, job.results, checked.rows)
    finally:
        books.close()
    _tell(job, ended, run, checked.bad, as_json, quiet)
    if ended.error is not None and as_json:  # it is told with the rest
        return _code(ended)
    if ended.error is not None:
        if ended.runner.tally.bought:  # "wrong use" means that nothing was sent
            view.print_error(ended.error)
            return _code(ended)
        raise ended.error
    if ended.was_stopped:
        return INTERRUPTED
    counts = runner.tally.counts
    broken = ended.proved is not None and ended.proved.verdicts["drifted"]
    # A row that was never reached has no outcome; those that are bad were skipped on request.
    missing = (len(wanted) if wanted is not None else checked.rows) - counts.total()
    return 1 if missing or broken or counts.total() - counts["verified"] - counts["bad"] else 0


def _code(ended: _Ended) -> int:
    """The exit code of a batch that an error ended."""
    from nanorecipes.cli.main import SERVICE, WRONG_USE, exit_code

    assert ended.error is not None
    code = exit_code(ended.error)
    return SERVICE if code == WRONG_USE and ended.runner.tally.bought else code


def _sampled(job: _Job, checked: Check) -> frozenset[int] | None:
    """Rows spread evenly: a catalogue is often sorted, and its beginning alike."""
    if job.sample is None or job.sample >= checked.rows:
        return None
    return frozenset(1 + i * checked.rows // job.sample for i in range(job.sample))


@dataclass
class _Ended:
    runner: Runner
    proved: ProvedBatch | None = None
    error: NanorecipesError | None = None
    was_stopped: bool = False

    def stop(self, reason: str) -> None:
        """Send nothing more."""
        (self.proved or self.runner).stop(reason)

    @property
    def reason(self) -> str | None:
        """Why it stopped, where it did."""
        return (self.proved or self.runner).reason

    @property
    def is_out_of_money(self) -> bool:
        """Whether it stopped because the next purchase would be above the budget."""
        return any(
            runner.is_out_of_money
            for runner in (self.runner, self.proved.current if self.proved else self.runner)
        )


async def _work(
    job: _Job, wishes: BatchOptions, wanted: frozenset[int] | None, quiet: bool, rows: int
) -> _Ended:
    from nanorecipes.batch import begin
    from nanorecipes.batch.opening import chosen_path, open_ledger
    from nanorecipes.batch.preparing import Source
    from nanorecipes.batch.redo import ProvedBatch
    from nanorecipes.client import AsyncClient
    from nanorecipes.errors import InputError, NanorecipesError

    def given() -> Iterator[tuple[int, Any]]:
        for row in job.rows():
            if wanted is not None and row.number not in wanted:
                continue
            try:
                yield row.number, job.binding.arguments(row)
            except InputError as exc:
                yield row.number, exc

    copies = None if wishes.dedupe else begin.Copies()
    begin.check_ledger_is_there(job.out, chosen_path())
    ledger = open_ledger()
    client = AsyncClient(
        backend=job.backend, timeout_s=job.timeout_s,  # type: ignore[arg-type]  # a backend's name
        ledger=ledger if ledger is not None else False,
    )  # fmt: skip
    source = Source(given(), lambda args: client._priced(job.recipe.render(**args)), copies=copies)
    async with client:
        constants = job.binding.constants
        runner = begin.start(client, job.recipe, job.out, wishes, constants=constants)
        ended = _Ended(runner)
        outcomes = runner.outcomes(source)
        if job.terms is not None:
            ended.proved = ProvedBatch(runner, job.terms, redo=job.redo)
            outcomes = ended.proved.outcomes(source)
        count = len(wanted) if wanted is not None else rows
        progress = BatchProgress(runner, count, quiet, ended.proved)
        with _signals(ended), progress.shown():
            try:
                async for _ in outcomes:
                    pass
            except NanorecipesError as exc:
                ended.error = exc
    if copies is not None:
        copies.close()
    return ended


@contextlib.contextmanager
def _signals(ended: _Ended) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM stops cleanly; a second one at once."""
    loop = asyncio.get_running_loop()
    names = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        for name in names:
            loop.remove_signal_handler(name)
        ended.was_stopped = True
        click.echo("stopping: waiting for open purchases", err=True)
        ended.stop("interrupted")

    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
        for name in names:  # where an event loop can't, Ctrl-C ends the program at once
            loop.add_signal_handler(name, stop)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            for name in names:
                loop.remove_signal_handler(name)


def _tell(job: _Job, ended: _Ended, run: Run, bad: int, as_json: bool, quiet: bool) -> None:
    from nanorecipes.batch.begin import summary

    runner, proved = ended.runner, ended.proved
    told = summary(runner.tally.counts, run, reason=ended.reason)
    told |= {"out": str(job.out), "results": str(job.results), "bought": runner.tally.bought}
    if proved is not None:
        told |= {"verdicts": dict(proved.verdicts), "bought_again": proved.bought_again}
    if as_json:
        view.print_json(told | (view.error_json(ended.error) if ended.error else {}))
        return
    click.echo(str(job.results))
    shown = [f"{told[state]} {state}" for state in (
        "verified", "unknown", "failed", "refused", "bad", "planned", "unfetched",
    ) if told[state]]  # fmt: skip
    fake = " (sandbox: nothing was charged)" if run.is_sandbox else ""
    cap = f" of {view.money(told['budget_usd'])}" if told["budget_usd"] is not None else ""
    spent = f"spent {view.money(told['spent_usd'])}{cap}{fake}"
    view.info(f"{', '.join(shown) or 'no rows'}; {spent}", quiet)
    if told["unknown"]:
        perhaps = view.money(told["unknown_usd"])
        view.info(f"perhaps charged: {perhaps}; see `nanorecipes unknown`", quiet)
    for reason in _reasons(runner.tally):
        view.info(reason, quiet)
    if runner.tally.forgotten:
        view.info(
            f"the sandbox of an earlier call ended with its program, and {runner.tally.forgotten} "
            "rows were bought there again; a service keeps them", quiet,
        )  # fmt: skip
    if proved is not None:
        view.info(_verdicts(proved), quiet)
    if bad:
        view.info(
            f"bad rows: {bad} in {job.bad_file}; correct them, and run that file from beside "
            f"{job.table}", quiet,
        )  # fmt: skip
    if ended.reason:
        way = " with a larger --budget" if ended.is_out_of_money else ""
        view.info(f"stopped: {ended.reason}; the same command{way} goes on", quiet)


_WAYS_ON = {
    "failed": "--retry-failed buys what failed again",
    "refused": "--retry-failed asks again",
    "submitted": "the same command asks for them again, and pays nothing",
    "done": "the same command fetches them again, and pays nothing; after 4 hours they have failed",
}


def _reasons(tally: Tally) -> Iterator[str]:
    """Why rows have no picture: the first of each kind, and how to go on."""
    for state, way in _WAYS_ON.items():
        first = tally.first.get(state)
        if first is not None:
            word = "unfetched" if state in ("submitted", "done") else state
            why = (first.error or "").removesuffix(".")
            yield f"{word}, as row {first.number}: {why}; {way}"


def _verdicts(proved: ProvedBatch) -> str:
    shown = [f"{proved.verdicts[verdict]} {verdict}" for verdict in (
        "kept", "drifted", "unclear", "not provable",
    ) if proved.verdicts[verdict]]  # fmt: skip
    again = f"; {proved.bought_again} tried again" if proved.bought_again else ""
    return f"proved: {', '.join(shown) or 'nothing'}{again}"


__all__ = ["batch_command"]
