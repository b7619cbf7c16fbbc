"""What the ledger holds, as values: runs, rows, and plans of rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from nanorecipes.batch.states import State, to_usd
from nanorecipes.service.kept import came_along


class Run(NamedTuple):
    """One command or one catalogue: where it sends, where its pictures go, what it has cost."""

    id: str
    kind: str
    place: str | None
    recipe: str
    backend: str
    base_url: str
    is_sandbox: bool
    out: str | None
    cap_micro: int | None
    started_at: float
    reserved_micro: int
    spent_micro: int


class Row(NamedTuple):
    """One picture's purchase, as the ledger knows it."""

    id: int
    run_id: str
    key: str
    copy: int
    state: State
    attempt: int
    owner: str | None
    task_id: str | None
    recipe: str
    recipe_hash: str
    model: str
    price_micro: int | None
    reserved_micro: int
    spent_micro: int
    pictures_text: str | None
    files_text: str | None
    error: str | None
    submitted_at: float | None
    updated_at: float
    request: str | None
    """The request as JSON, kept until the row is verified; None as well where it wasn't read."""

    @property
    def pictures(self) -> tuple[Mapping[str, Any], ...]:
        """Where the service keeps them: the URL of each."""
        return tuple(json.loads(self.pictures_text)) if self.pictures_text else ()

    @property
    def files(self) -> tuple[Mapping[str, Any], ...]:
        """What lies on the disk: path and SHA-256 of each."""
        return tuple(json.loads(self.files_text)) if self.files_text else ()

    @property
    def task(self) -> str | None:
        """The service's id of the task; None for a picture that came with its answer.

        In such a row `task_id` says where the answer is kept until it is saved.
        """
        return None if self.came_along else self.task_id

    @property
    def came_along(self) -> bool:
        """Whether its picture came with the answer."""
        return self.task_id is not None and came_along(self.task_id)

    @property
    def name(self) -> str:
        """The row's key, with its number where the same is bought several times."""
        return self.key if self.copy == 0 else f"{self.key}-{self.copy + 1}"

    @property
    def price(self) -> Decimal | None:
        """The estimated USD of one attempt."""
        return None if self.price_micro is None else to_usd(self.price_micro)

    @property
    def spent(self) -> Decimal:
        """USD charged over all attempts, as far as is known."""
        return to_usd(self.spent_micro)


@dataclass(frozen=True, slots=True)
class Plan:
    """A row about to be bought."""

    key: str
    recipe: str
    recipe_hash: str
    model: str
    price: Decimal | None
    request: str
    copy: int = 0
    number: int | None = None
    """The table's row, from 1."""


ROW_COLUMNS = (
    "id, run_id, key, copy, state, attempt, owner, task_id, recipe, recipe_hash, model, "
    "price_micro, reserved_micro, spent_micro, pictures, files, error, submitted_at, updated_at, "
    "request"
)
RUN_COLUMNS = (
    "id, kind, place, recipe, backend, base_url, is_sandbox, out, cap_micro, started_at, "
    "reserved_micro, spent_micro"
)


def read_row(values: Sequence[Any]) -> Row:
    """A row from its columns in the order of `ROW_COLUMNS`."""
    return Row._make(values)


def read_run(values: Sequence[Any]) -> Run:
    """A run from its columns in the order of `RUN_COLUMNS`."""
    run = Run._make(values)
    return run._replace(is_sandbox=bool(run.is_sandbox))
