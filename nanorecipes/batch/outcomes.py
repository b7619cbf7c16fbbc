"""What a batch is asked for, and what each of its rows comes to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nanorecipes.batch.pace import parse_rate
from nanorecipes.errors import ConfigurationError

if TYPE_CHECKING:
    from nanorecipes.batch.ledger import Row

OutcomeState: TypeAlias = Literal[
    "verified", "unknown", "failed", "refused", "bad", "planned", "submitted", "done"
]
"""`submitted` and `done` are only left by a run that was stopped: paid, fetched by the next."""

DEFAULT_SUBMITS = 4
DEFAULT_CONCURRENCY = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table and what became of it."""

    number: int
    """The row's number, from 1."""
    state: OutcomeState
    row_key: str | None = None
    paths: tuple[Path, ...] = ()
    cost_usd: Decimal | None = None
    """What was spent on the row over all attempts; None where nothing was."""
    task_id: str | None = None
    error: str | None = None
    verdict: str | None = None
    """kept, drifted, unclear or not provable; None where nothing was to be proved, or not yet."""
    score: float | None = None
    reasons: tuple[str, ...] = ()
    """Why, in plain sentences."""
    tries: int = 1
    """How many purchases there were; of several the better picture is named."""

    @property
    def path(self) -> Path | None:
        """The first picture."""
        return self.paths[0] if self.paths else None


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How a batch goes about its rows.

    Raises:
        ConfigurationError: a number that makes no sense.
    """

    budget: Decimal | None = None
    """USD for the whole batch, over all its calls."""
    concurrency: int = DEFAULT_CONCURRENCY
    """Pictures that are waited for and fetched at the same time."""
    submits: int = DEFAULT_SUBMITS
    """Open purchases: only these can become unknown when the program is killed."""
    rate: float | None = None
    """Purchases a second at most."""
    retry_failed: bool = False
    """Buy again what failed or was refused."""
    dedupe: bool = True
    """Pay once for rows that are the same."""

    @classmethod
    def make(
        cls,
        *,
        budget: Decimal | float | str | None = None,
        rate: str | float | None = None,
        **more: Any,
    ) -> BatchOptions:
        """The options from what callers write: amounts and rates as texts or numbers."""
        amount = None if budget is None else Decimal(str(budget))
        per_s = parse_rate(rate) if isinstance(rate, str) else rate
        return cls(budget=amount, rate=per_s, **more)

    def __post_init__(self) -> None:
        for name in ("concurrency", "submits"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConfigurationError(f"{name} is {value!r}, expected a whole number above 0")
        if self.budget is not None and not (self.budget.is_finite() and self.budget >= 0):
            raise ConfigurationError(f"budget is {self.budget}, expected USD of 0 or more")
        if self.rate is not None and self.rate <= 0:
            raise ConfigurationError(f"rate is {self.rate}, expected purchases a second above 0")


@dataclass
class Tally:
    """How a batch stands while it runs."""

    counts: Counter[str] = field(default_factory=Counter)
    """Rows of the table by what they came to."""
    in_flight: int = 0
    bought: int = 0
    """Purchases of this call."""
    trouble: str | None = None
    """Why purchases wait at the moment, where they do."""
    forgotten: int = 0
    """Rows that the embedded sandbox had sold, and forgot with its process."""
    first: dict[str, Outcome] = field(default_factory=dict)
    """By state the first row that came to it, where it says why."""

    def count(self, outcome: Outcome) -> None:
        """One more row has come to an end."""
        self.counts[outcome.state] += 1
        if outcome.error:
            self.first.setdefault(outcome.state, outcome)

    @property
    def rows(self) -> int:
        """Rows that came to an end."""
        return self.counts.total()

    @property
    def is_complete(self) -> bool:
        """Whether every row has its picture."""
        return self.counts.total() == self.counts["verified"]


def outcome_of(number: int, row: Row, owner: str | None = None) -> Outcome:
    """What the ledger says of a row, for one row of the table.

    Args:
        number: that of the table's row.
        row: as the ledger has it.
        owner: this process, where it has no purchase of this row open any more.
    """
    state: OutcomeState
    if row.state == "submitting":  # another process is at it, or we couldn't write what came of it
        state = "unknown" if row.owner == owner else "planned"
    elif row.state == "downloaded":
        state = "done"
    else:
        state = row.state
    return Outcome(
        number=number,
        state=state,
        row_key=row.name,
        paths=tuple(Path(entry["path"]) for entry in row.files),
        cost_usd=row.spent if row.spent_micro else None,
        task_id=row.task,
        error=row.error,
    )
