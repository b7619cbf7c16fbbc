"""A table's rows made ready: rendered, keyed, and found good or bad, a chunk at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from nanorecipes.batch.keys import from_text, row_key, to_text
from nanorecipes.batch.ledger import Plan, Row
from nanorecipes.errors import NanorecipesError
from nanorecipes.images import BadImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nanorecipes.request import Request


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that can be bought."""

    number: int
    plan: Plan
    request: Request | None

    @classmethod
    def again(
        cls, number: int, row: Row, request: Request | None, *, line: bool = True
    ) -> Prepared:
        """A row of the ledger, to be looked at once more.

        Args:
            number: the table's row, or any number where there is no table.
            row: as the ledger knows it.
            request: what it asks for.
            line: whether the number is that of a table's row.
        """
        plan = Plan(
            row.key, row.recipe, row.recipe_hash, row.model, row.price, row.request or "",
            row.copy, number if line else None,
        )  # fmt: skip
        return cls(number, plan, request)


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that can't be bought, with the reason."""

    number: int
    error: str


def said(error: NanorecipesError) -> str:
    """An error in one line, without places and advice."""
    return "; ".join(item.message for item in error.diagnostics) or error.message


class Source:
    """Gives prepared rows in chunks; only one chunk is in memory.

    Args:
        rows: number and arguments of each row, or the error that came instead.
        render: makes a request of arguments.
        copies: gives the number of a row among its equals, where equals are bought each; else 0.
    """

    def __init__(
        self,
        rows: Iterable[tuple[int, Mapping[str, Any] | NanorecipesError]],
        render: Callable[[Mapping[str, Any]], Request],
        *,
        copies: Callable[[str], int] | None = None,
    ) -> None:
        self._rows: Iterator[tuple[int, Mapping[str, Any] | NanorecipesError]] = iter(rows)
        self._render = render
        self._copies = copies
        self._lock = threading.Lock()

    def take(self, count: int) -> list[Prepared | Bad]:
        """The next rows; none when there are no more."""
        with self._lock:
            return [self._prepare(number, given) for number, given in islice(self._rows, count)]

    def _prepare(self, number: int, given: Mapping[str, Any] | NanorecipesError) -> Prepared | Bad:
        if isinstance(given, NanorecipesError):
            return Bad(number, said(given))
        try:
            request = self._render(given)
            key = row_key(request)
        except NanorecipesError as exc:
            return Bad(number, said(exc))
        except BadImageError as exc:
            return Bad(number, str(exc))
        copy = self._copies(key) if self._copies is not None else 0
        plan = Plan(
            key, request.recipe, request.hash, request.model, request.estimated_cost,
            to_text(request), copy, number,
        )  # fmt: skip
        return Prepared(number, plan, request)


class Again(Source):
    """Rows of the ledger instead of a table's: what was left open, or is to be bought again."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._found = iter(rows)

    def take(self, count: int) -> list[Prepared | Bad]:
        """The next rows; none when there are no more."""
        return [
            Prepared.again(row.id, row, from_text(row.request) if row.request else None, line=False)
            for row in islice(self._found, count)
        ]
