"""A batch that is proved as it goes, and further tries of what drifted, within the same budget."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from nanorecipes.batch.keys import base_key, from_text, to_text, try_key
from nanorecipes.batch.ledger import Plan
from nanorecipes.batch.numbers import Numbers
from nanorecipes.batch.preparing import Bad, Prepared, Source
from nanorecipes.batch.proofs import Proofs, Standing
from nanorecipes.batch.prover import Prover, outcome_over
from nanorecipes.batch.runner import Runner
from nanorecipes.batch.states import PAID
from nanorecipes.errors import NanorecipesError

if TYPE_CHECKING:
    from nanorecipes.batch.outcomes import Outcome
    from nanorecipes.batch.runner import StopKind
    from nanorecipes.request import Request

_OPEN = frozenset({*PAID, "submitting", "verified"})
"""States of a try that is on its way or there: to go on with it costs nothing more."""
_FAILED = ("failed", "refused")


class ProvedBatch:
    """Runs a batch, proves what comes, and buys another try of what drifted.

    Args:
        runner: the batch's runner.
        options: what takes the place of the recipe's own terms.
        redo: how many further tries each row may have, over all calls.
        workers: how many processes prove; as many as there are cores to spare without.
    """

    def __init__(
        self,
        runner: Runner,
        options: Mapping[str, Any],
        *,
        redo: int = 0,
        workers: int | None = None,
    ) -> None:
        self.first = self.current = runner
        self.redo = redo
        self.proofs = Proofs(runner.ledger, runner.run.id)
        self.proofs.open()
        self.prover = Prover(runner.client, self.proofs, options, workers)
        self.verdicts: Counter[str] = Counter()
        """Rows of the table by their verdict, each counted once it is final for this call."""
        self.bought_again = 0
        """Further tries that this call bought."""

    def stop(self, reason: str, kind: StopKind = "leave") -> None:
        """Send nothing more, and prove nothing more."""
        self.current.stop(reason, kind)

    @property
    def reason(self) -> str | None:
        """Why it stopped, where it did."""
        return self.current.reason or self.first.reason

    async def outcomes(self, source: Source) -> AsyncIterator[Outcome]:
        """What each row comes to, each once: drifted ones when no further try is to come.

        Raises:
            NanorecipesError: what stopped the run, once all outcomes have come.
        """
        drifted = Numbers()
        error: NanorecipesError | None = None
        came = self.first.outcomes(self.prover.watch(source))
        proved = self.prover.outcomes(came, self.first)
        try:
            try:
                async for outcome in proved:
                    if self.redo and outcome.verdict == "drifted":
                        drifted.put(outcome.number)
                    else:
                        yield self._counted(outcome)
            except NanorecipesError as exc:
                error = exc
            if error is None and self.first.stopping is None:
                error = await self._tries(drifted)
            while drifted:
                number = drifted.take()
                standing = await self.prover.standing(number)
                if standing is not None:
                    yield self._counted(outcome_over(number, standing))
        finally:
            await proved.aclose()  # type: ignore[attr-defined]  # an async generator
            self.prover.close()
        if error is not None:
            raise error

    def _counted(self, outcome: Outcome) -> Outcome:
        if outcome.verdict is not None:
            self.verdicts[outcome.verdict] += 1
        return outcome

    async def _tries(self, drifted: Numbers) -> NanorecipesError | None:
        """Buy and prove further tries, a turn after the other; what stopped it, or None."""
        first = self.first
        for turn in range(2, self.redo + 2):
            if not drifted or self.current.stopping is not None:
                return None
            runner = Runner(first.client, first.ledger, first.run, first.out, first.options)
            self.current = runner
            retry_failed = first.options.retry_failed
            source = _Tries(self.proofs, drifted.copy(), turn, retry_failed=retry_failed)
            try:
                proved = self.prover.outcomes(runner.outcomes(source), runner, turn)
                async for _ in proved:
                    pass
            except NanorecipesError as exc:
                return exc
            finally:
                self.bought_again += runner.tally.bought
        return None


class _Tries(Source):
    """The next try of each row that needs one, from the ledger; one chunk is in memory."""

    def __init__(self, proofs: Proofs, numbers: Numbers, turn: int, *, retry_failed: bool) -> None:
        self._proofs = proofs
        self._retry_failed = retry_failed
        self._numbers = numbers
        self._turn = turn

    def take(self, count: int) -> list[Prepared | Bad]:
        """The next rows; none when there are no more."""
        found: list[Prepared | Bad] = []
        while self._numbers and len(found) < count:
            number = self._numbers.take()
            standing = self._proofs.standing_later(number).result()
            if standing is None:
                continue
            made = _next_try(number, standing, self._turn, retry_failed=self._retry_failed)
            if made is not None:
                found.append(made)
        return found


def _next_try(number: int, standing: Standing, turn: int, *, retry_failed: bool) -> Prepared | None:
    """The row's purchase of that turn: begun, or to be gone on with; None where none is due."""
    mine = standing.of_turn(turn)
    if mine is not None and mine.row.state != "planned":
        # What failed, was refused, or is unknown isn't gone on with.
        is_due = mine.row.state in (*_OPEN, *(_FAILED if retry_failed else ()))
    else:
        is_due = standing.needs_another
    if not is_due:
        return None
    text = standing.want.request if standing.want is not None else None
    request = from_text(text) if text else None
    if request is None:  # its pictures were given as bytes, or its model has gone
        return None
    request = _varied(request, turn)
    first = standing.tries[0].row
    plan = Plan(
        try_key(base_key(first.key), turn), request.recipe, request.hash, request.model,
        request.estimated_cost, to_text(request), first.copy,
    )  # fmt: skip
    return Prepared(number, plan, request)


def _varied(request: Request, turn: int) -> Request:
    """The same request; with a seed of its own where it has one, or the same picture would come."""
    seed = request.options.get("seed")
    if seed is None:
        return request
    return dataclasses.replace(request, options={**request.options, "seed": seed + turn - 1})
