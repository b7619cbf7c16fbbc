"""From a recipe and rows to a run: the books opened, the folder claimed, the runner made."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from nanorecipes import codes, files
from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger, Run
from nanorecipes.batch.opening import chosen_path
from nanorecipes.batch.outcomes import BatchOptions, Outcome
from nanorecipes.batch.preparing import Source
from nanorecipes.batch.runner import Runner
from nanorecipes.batch.states import PAID
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import (
    ConfigurationError,
    InputError,
    LedgerError,
    NanorecipesError,
)

if TYPE_CHECKING:
    from nanorecipes.book import Recipe
    from nanorecipes.client import AsyncClient, Client

Given: TypeAlias = "Mapping[str, Any] | NanorecipesError"
Rows: TypeAlias = "Iterable[Mapping[str, Any]] | str | os.PathLike[str]"

MARK = ".nanorecipes-batch.json"
_MAX_MARK_BYTES = 16 * 1024 * 1024


def find_recipe(recipe: Recipe | str) -> Recipe:
    """A recipe by its name, or as it is."""
    if not isinstance(recipe, str):
        return recipe
    from nanorecipes.book import recipes

    return recipes[recipe]


def numbered(
    recipe: Recipe,
    rows: Rows,
    constants: Mapping[str, Any],
    mapping: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, Given]]:
    """Number and arguments of each row; a table's file is read as its columns say."""
    if not isinstance(rows, (str, os.PathLike)):
        for number, row in enumerate(rows, 1):
            yield number, {**constants, **row}
        return
    from nanorecipes.batch import table

    path = Path(rows)
    binding = table.bind(recipe, table.columns(path), mapping, constants, folder=path.parent)
    for line in table.read_rows(path):
        try:
            yield line.number, binding.arguments(line)
        except InputError as exc:
            yield line.number, exc


def start(
    client: AsyncClient,
    recipe: Recipe,
    out: str | os.PathLike[str],
    options: BatchOptions,
    ledger: Ledger | None = None,
    constants: Mapping[str, Any] | None = None,
) -> Runner:
    """Open the books for a folder and make its runner.

    Raises:
        LedgerError: there is no ledger, or the folder belongs to another one.
        InputError: the folder can't be written.
    """
    if ledger is None:
        check_books(client, out)
    books = ledger or client.ledger
    if books is None:
        raise LedgerError(
            "a batch needs a ledger, and none can be kept here",
            help="name a place that can be written with NANORECIPES_LEDGER",
        )
    folder = Path(out).resolve()
    _check_folder(folder)
    place = _known_place(folder, books, client.backend) or (
        f"{client.backend}:{_relative(folder, books.path)}"
    )
    _check_mark(folder, books, place)
    _check_host(client, books, place)
    run = books.start_run(
        "batch", recipe.name, client.backend, client.base_url, out=str(folder), place=place,
        cap=options.budget,
    )  # fmt: skip
    mark: dict[str, Any] = {"ledger": os.path.relpath(books.path.resolve(), folder), "run": run.id}
    if constants is not None:
        mark |= {"inputs": _told(recipe, constants), "recipe_hash": recipe.hash}
    try:
        files.write_atomic(folder / MARK, f"{json.dumps(mark)}\n".encode(), durable=True)
    except OSError as exc:
        raise _unwritable(folder, exc) from exc
    return Runner(client, books, run, folder, options)


def other_inputs(folder: Path, recipe: Recipe, constants: Mapping[str, Any]) -> str | None:
    """What was the same for every row of this folder the last time, and no longer is; or None."""
    try:
        mark = json.loads((folder / MARK).read_bytes())
        before, text = mark["inputs"], mark.get("recipe_hash", recipe.hash)
        now = _told(recipe, constants)
        changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    told = [f"{name} was {before.get(name, 'not given')!r}" for name in changed]
    if told:
        return f"not the inputs of the last call: {', '.join(told)}"
    return None if text == recipe.hash else f"{recipe.name} reads otherwise than in the last call"


def recipe_of(folder: Path) -> str | None:
    """The name of the recipe that this folder's last call ran; None where it doesn't tell."""
    try:
        if not files.is_regular(folder / MARK):
            return None
        with (folder / MARK).open("rb") as file:
            name = json.loads(file.read(_MAX_MARK_BYTES))["inputs"]["recipe"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _told(recipe: Recipe, constants: Mapping[str, Any]) -> dict[str, str]:
    return {"recipe": recipe.name, **{name: str(value) for name, value in constants.items()}}


def _check_host(client: AsyncClient, ledger: Ledger, place: str) -> None:
    """A task lives where it was bought: another host would say that it knows nothing of it."""
    if client.backend == "gemini":  # what came from there is kept here
        return
    run = queries.find_place(ledger, place)
    if run is None or run.base_url == client.base_url:
        return
    open_rows = queries.rows_of(ledger, run_id=run.id, states=sorted({*PAID, "submitting"}))
    if next(open_rows, None) is not None:
        raise LedgerError(
            f"this batch has paid rows that wait at {run.base_url}, and the client asks "
            f"{client.base_url}",
            path=ledger.path,
            help=f"set QOLABA_BASE_URL to {run.base_url} and run it again to fetch them, "
            "or choose another folder",
        )


def _relative(folder: Path, ledger: Path) -> str:
    """The folder as the project names it, so that a project that moves keeps its books."""
    home = ledger.resolve().parent
    with contextlib.suppress(ValueError):
        return folder.relative_to(home.parent).as_posix()
    return folder.as_posix()


def _check_folder(folder: Path) -> None:
    try:
        files.check_writable(folder)
    except OSError as exc:
        raise _unwritable(folder, exc) from exc


def _unwritable(folder: Path, exc: OSError) -> InputError:
    code = codes.BAD_OPTION
    message = f"the folder {str(folder)!r} can't be written: {exc.strerror or exc}"
    return InputError([Diagnostic(code.code, code.name, "error", message, field="out")])


def check_books(client: AsyncClient | Client, out: str | os.PathLike[str]) -> None:
    """The same for a client that hasn't opened its ledger yet.

    Raises:
        LedgerError: as for `check_ledger_is_there`.
    """
    choice = client._ledger_choice
    if not client._is_ledger_open and not isinstance(choice, Ledger):
        check_ledger_is_there(out, chosen_path(choice))


def check_ledger_is_there(out: str | os.PathLike[str], chosen: Path | None) -> None:
    """Make sure that the ledger of a folder hasn't gone; called before a new one can be begun.

    Args:
        out: the folder.
        chosen: the ledger that is about to be opened.

    Raises:
        LedgerError: the folder's ledger isn't there, and the chosen one would be a new one.
    """
    folder = Path(out).resolve()
    mark = _read_mark(folder)
    if mark is not None and not mark.ledger.exists() and not (chosen and chosen.exists()):
        raise _foreign(folder, mark.ledger, "which isn't there")


class _Mark(NamedTuple):
    ledger: Path
    run: str


def _read_mark(folder: Path) -> _Mark | None:
    """Whose folder it is, as it says itself; None for a new one."""
    try:
        mark = json.loads((folder / MARK).read_bytes())
        return _Mark((folder / mark["ledger"]).resolve(), mark["run"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise LedgerError(
            f"{str(folder / MARK)!r} can't be read: {exc}", path=folder / MARK,
            help="it names the ledger of this folder; put it back, or choose another folder",
        ) from exc  # fmt: skip


def _known_place(folder: Path, ledger: Ledger, backend: str) -> str | None:
    """Where the books have the folder's purchases, also when folder or project have moved since."""
    mark = _read_mark(folder)
    found = queries.find_run(ledger, mark.run) if mark is not None else None
    return found.run.place if found is not None and found.run.backend == backend else None


def _check_mark(folder: Path, ledger: Ledger, place: str) -> None:
    """A folder that another ledger filled would be paid for again: say so instead."""
    mark = _read_mark(folder)
    if mark is None:
        return
    if queries.find_run(ledger, mark.run) is not None:  # also where the ledger has moved
        return
    if mark.ledger != ledger.path.resolve():
        gone = "isn't there" if not mark.ledger.exists() else "is not the one in use"
        raise _foreign(folder, mark.ledger, f"which {gone}")
    if not queries.find_place(ledger, place):
        raise _foreign(folder, mark.ledger, "which knows nothing of it any more")


def _foreign(folder: Path, ledger: Path, what: str) -> LedgerError:
    return LedgerError(
        f"the purchases of {str(folder)!r} stand in the ledger {str(ledger)!r}, {what}",
        path=ledger,
        help="put that ledger back or name it with NANORECIPES_LEDGER; without it, everything "
        "would be paid for again. Choose another folder for a new start",
    )


class Copies:
    """Numbers equal rows, for batches that buy each of them; on the disk, so memory stays flat."""

    def __init__(self) -> None:
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID")

    def __call__(self, key: str) -> int:
        """How many of this key came before."""
        sql = (
            "INSERT INTO seen VALUES (?, 0) ON CONFLICT (key) DO UPDATE SET count = count + 1 "
            "RETURNING count"
        )
        return int(self._seen.execute(sql, (key,)).fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._seen.close()


def proof_options(
    prove: bool | Mapping[str, Any], redo: int, options: BatchOptions
) -> Mapping[str, Any] | None:
    """What takes the place of the recipes' own terms; None where nothing is to be proved.

    Raises:
        ConfigurationError: further tries are wanted without a proof, or without a budget.
        InputError: an option is none, or a region can't be read.
        MissingExtraError: `nanorecipes[proof]` isn't installed.
    """
    if not isinstance(redo, int) or isinstance(redo, bool) or redo < 0:
        raise ConfigurationError(f"redo_drifted is {redo!r}, expected a whole number of 0 or more")
    if prove is False:
        if redo:
            raise ConfigurationError(
                "further tries of what drifted need a proof", help="add --prove, or prove=True"
            )
        return None
    if redo and options.budget is None:
        raise ConfigurationError(
            f"up to {redo} further tries of each row would be paid for without a bound",
            help="name a budget, in USD for the whole batch",
        )
    from nanorecipes.proving.terms import Terms

    chosen: Mapping[str, Any] = prove if isinstance(prove, Mapping) else {}
    terms = Terms().given(**chosen)
    terms.check(None)
    terms.to_json()  # what is kept must be told in words
    return chosen


async def run_batch(
    client: AsyncClient,
    recipe: Recipe | str,
    rows: Rows,
    *,
    out: str | os.PathLike[str],
    limit: int | None = None,
    map: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    options: BatchOptions,
    prove: bool | Mapping[str, Any] = False,
    redo_drifted: int = 0,
) -> AsyncIterator[Outcome]:
    """Outcomes of a batch, as its rows end."""
    found = find_recipe(recipe)
    terms = proof_options(prove, redo_drifted, options)
    runner = start(client, found, out, options)
    copies = None if options.dedupe else Copies()
    source = Source(
        islice(numbered(found, rows, constants or {}, map), limit),
        lambda given: client._priced(found.render(**given)),
        copies=copies,
    )
    if terms is None:
        outcomes = runner.outcomes(source)
    else:
        from nanorecipes.batch.redo import ProvedBatch

        outcomes = ProvedBatch(runner, terms, redo=redo_drifted).outcomes(source)
    try:
        async for outcome in outcomes:
            yield outcome
    finally:
        await outcomes.aclose()  # type: ignore[attr-defined]  # an async generator
        if copies is not None:
            copies.close()


def summary(counts: Mapping[str, int], run: Run, *, reason: str | None) -> dict[str, Any]:
    """How a batch stands, as plain data."""
    from nanorecipes.batch.states import to_usd

    told = Counter(counts)
    return {
        "run": run.id,
        "rows": told.total(),
        **{
            state: told[state]
            for state in ("verified", "unknown", "failed", "refused", "bad", "planned")
        },
        "unfetched": told["submitted"] + told["done"],
        "spent_usd": to_usd(run.spent_micro),
        "unknown_usd": to_usd(run.reserved_micro),
        "budget_usd": None if run.cap_micro is None else to_usd(run.cap_micro),
        "is_sandbox": run.is_sandbox,
        "stopped": reason,
    }
