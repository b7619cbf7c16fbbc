"""The results file of a batch: what the ledger says of each row of the table."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanorecipes.batch.outcomes import Outcome
    from nanorecipes.batch.results import RowResult
    from nanorecipes.batch.rows import Row
    from nanorecipes.batch.runner import Runner


def write_results_of(runner: Runner, table: Path, target: Path, last: int) -> None:
    """Write the table again with what became of its first `last` rows, as the ledger says.

    Of identical rows the first one has the cost, so that the column adds up to what was spent.
    """
    from nanorecipes.batch.begin import Copies
    from nanorecipes.batch.proofs import Proofs
    from nanorecipes.batch.results import RowResult, write_results

    proved = Proofs(runner.ledger, runner.run.id).is_open
    told = _ends(runner, last, proved)
    ahead = next(told, None)

    def look(row: Row) -> RowResult:
        nonlocal ahead
        while ahead is not None and ahead.number < row.number:
            ahead = next(told, None)
        if ahead is None or ahead.number != row.number:
            return RowResult("planned")
        result = _result(ahead, runner.out)
        if result.cost_usd and result.row_key and copies(result.row_key):
            return result._replace(cost_usd=Decimal(0))
        return result

    copies = Copies()
    try:
        write_results(target, table, look, proved=proved)
    finally:
        copies.close()


def _ends(runner: Runner, last: int, proved: bool) -> Iterator[Outcome]:
    """What the ledger says of the table's rows, in their order."""
    from nanorecipes.batch import queries
    from nanorecipes.batch.outcomes import Outcome, outcome_of
    from nanorecipes.batch.proofs import Proofs
    from nanorecipes.batch.prover import outcome_over

    if not proved:
        for line in queries.lines(runner.ledger, runner.run.id, last):
            bad = Outcome(line.number, "bad", error=line.error)
            yield (
                bad
                if line.row is None
                else outcome_of(line.number, line.row, runner.ledger.store.owner)
            )
        return
    for number, standing, error in Proofs(runner.ledger, runner.run.id).standings(last):
        bad = Outcome(number, "bad", error=error)
        yield bad if standing is None else outcome_over(number, standing)


def _result(found: Outcome, out: Path) -> RowResult:
    from nanorecipes.batch.results import RowResult

    if found.state == "bad":
        return RowResult("bad", error=found.error)
    return RowResult(
        found.state, found.row_key, None if found.path is None else _short(found.path, out),
        found.cost_usd, found.task_id, found.error, found.verdict, found.score,
        "; ".join(found.reasons) or None, found.tries,
    )  # fmt: skip


def _short(path: Path, folder: Path) -> str:
    """The path as seen from the results file."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
