"""The clients: what a request meets on its way to a picture, blocking or not."""

from __future__ import annotations

import atexit
import inspect
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from nanorecipes import config
from nanorecipes.client_core import ClientBase, Task, Wiring
from nanorecipes.service.flow import Flow, Note

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterator
    from decimal import Decimal
    from types import TracebackType

    from nanorecipes.batch.begin import Rows
    from nanorecipes.batch.booking import Entry
    from nanorecipes.batch.outcomes import Outcome as BatchOutcome
    from nanorecipes.book import Recipe
    from nanorecipes.request import Request
    from nanorecipes.result import Result
    from nanorecipes.service.replies import OfferedModel
    from nanorecipes.service.transport import AsyncDriver, Driver

T = TypeVar("T")
Proving: TypeAlias = bool | Mapping[str, Any]


class Client(ClientBase):
    """Sends requests and waits for their pictures.

    Example:
        with Client() as client:
            result = client.run(recipes["edit/change_part"].render(...))
            result.save("out/")
    """

    _driver_made: Driver | None = None

    def run(
        self,
        request: Request,
        *,
        max_cost: Decimal | float | str | None = None,
        prove: bool | Mapping[str, Any] = False,
    ) -> Result:
        """Submit a request, wait for its pictures and download them.

        Args:
            request: what a recipe rendered.
            max_cost: USD; a request that is estimated above it, or can't be, is not sent.
            prove: hold each picture against its source, as `Result.prove` does, whose options may
                be given in place of True. A source behind a URL is fetched, without the key. What
                came is in each picture's `proof`.

        Raises:
            InputError: it is no request, its pictures or the proof's options can't be used.
            MissingExtraError: a proof is wanted, and `nanorecipes[proof]` isn't installed.
            BudgetError: it would cost more than allowed.
            ApiError: the service refused or failed, or nobody knows (`OutcomeUnknownError`).
        """
        return self._kept(self._run_entry(request), self._run_flow(request, max_cost, prove))

    def submit(self, request: Request) -> Task:
        """Buy the pictures and come back with the task, which can be waited for anywhere."""
        return self._kept(self._run_entry(request), self._task_flow(request))

    def wait(self, task: Task | str, request: Request | None = None) -> Result:
        """Wait for a task, or for the id of one, and download its pictures.

        Args:
            task: what `submit` gave, or a task's id from another process.
            request: what was asked, for sidecars and checks, where only the id is at hand.

        Raises:
            ApiError: as for `run`; `TaskTimeoutError` when it takes too long.
        """
        flow = self._result_flow(task, request)
        return self._kept(self._task_entry(task), flow)

    def batch(
        self,
        recipe: Recipe | str,
        rows: Rows,
        *,
        out: str | os.PathLike[str],
        budget: Decimal | float | str | None = None,
        concurrency: int = 64,
        submits: int = 4,
        rate: str | float | None = None,
        limit: int | None = None,
        map: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        dedupe: bool = True,
        retry_failed: bool = False,
        prove: bool | Mapping[str, Any] = False,
        redo_drifted: int = 0,
    ) -> Iterator[BatchOutcome]:
        """Run a recipe over many rows, and pay for each once: outcomes come as the rows end.

        The same call again goes on where the last one stopped. Leaving the loop stops it: open
        purchases are waited for, and what was bought is fetched by the next call. A row that can't
        be rendered comes as `bad`, and the others are bought: look first with
        `nanorecipes batch --check`, which buys nothing.

        Args:
            recipe: the recipe or its name.
            rows: the arguments of each row, or the path of a table (CSV, TSV, JSONL, Parquet).
            out: the folder for pictures, one folder a row; it stands for the batch.
            budget: USD for the whole batch, over all calls.
            concurrency: pictures waited for and fetched at a time.
            submits: purchases open at a time; when the program is killed, only those are unknown.
            rate: purchases in a time at most: `60/m`, or a number a second.
            limit: how many rows to take.
            map: inputs of the recipe by their column, where the names differ.
            constants: arguments that are the same in every row.
            dedupe: pay once for rows that are the same.
            retry_failed: buy again what failed or was refused in an earlier call.
            prove: hold each row's pictures against its first source image: True, or options of
                `Result.prove` in place of the recipe's. What was bought and not proved is proved
                by the next call, and nothing is proved twice.
            redo_drifted: how many further tries each row may have whose best picture drifted;
                the better one is named, and all are paid for. Needs a budget.

        Raises:
            InputError, LedgerError, ConfigurationError: before anything is sent.
            ApiError: the key or the account is refused, after the outcomes so far.
        """
        from nanorecipes.batch.begin import check_books, run_batch
        from nanorecipes.batch.blocking import iterate
        from nanorecipes.batch.outcomes import BatchOptions

        options = BatchOptions.make(
            budget=budget, concurrency=concurrency, submits=submits, rate=rate, dedupe=dedupe,
            retry_failed=retry_failed,
        )  # fmt: skip
        check_books(self, out)
        return iterate(
            self._twin,
            lambda twin: run_batch(
                twin, recipe, rows, out=out, limit=limit, map=map, constants=constants,
                options=options, prove=prove, redo_drifted=redo_drifted,
            ),
        )  # fmt: skip

    def _twin(self) -> AsyncClient:
        """The same client for an event loop, with the same books."""
        twin = object.__new__(AsyncClient)
        ledger = self.ledger
        twin.__dict__.update({k: v for k, v in self.__dict__.items() if k != "_driver_made"})
        twin._ledger_choice = ledger if ledger is not None else False
        return twin

    def models(self) -> tuple[OfferedModel, ...]:
        """The models as the service lists them now."""
        return self._driver.run(self._models_flow())

    def close(self) -> None:
        """Close every connection; the client opens new ones when it is used again."""
        if self._driver_made is not None:
            self._driver_made.close()
            self._driver_made = None
        self._close_ledger()

    def _kept(self, entry: Entry | None, flow: Flow[T]) -> T:
        """Run a flow with its books: they are written before each next step."""
        from nanorecipes.batch.booking import booked

        try:
            return self._driver.run(booked(flow, entry))
        except BaseException as exc:
            if entry is not None:
                entry.fail(exc)
            raise

    def _watch(self, note: Note) -> None:
        entry: Entry | None = getattr(note, "entry", None)
        if entry is not None:
            entry.take(note)
        if self._observer is not None:
            self._observer(note)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _driver(self) -> Driver:
        if self._driver_made is None:
            from nanorecipes.service.transport import Driver

            self._driver_made = Driver(
                self._service.base_url,
                self._clock,
                self._watch,
                transport=self._transport(),
                resolve=self._wiring.resolve,
            )
        return self._driver_made


class AsyncClient(ClientBase):
    """The same as `Client` on an event loop; use one per loop.

    An observer may be a coroutine function here.
    """

    _driver_made: AsyncDriver | None = None

    async def run(
        self,
        request: Request,
        *,
        max_cost: Decimal | float | str | None = None,
        prove: bool | Mapping[str, Any] = False,
    ) -> Result:
        """Submit a request, wait for its pictures and download them: see `Client.run`."""
        flow = self._run_flow(request, max_cost, prove)
        return await self._kept(self._run_entry(request), flow)

    async def submit(self, request: Request) -> Task:
        """Buy the pictures and come back with the task: see `Client.submit`."""
        return await self._kept(self._run_entry(request), self._task_flow(request))

    async def wait(self, task: Task | str, request: Request | None = None) -> Result:
        """Wait for a task and download its pictures: see `Client.wait`."""
        flow = self._result_flow(task, request)
        return await self._kept(self._task_entry(task), flow)

    def batch(
        self,
        recipe: Recipe | str,
        rows: Rows,
        *,
        out: str | os.PathLike[str],
        budget: Decimal | float | str | None = None,
        concurrency: int = 64,
        submits: int = 4,
        rate: str | float | None = None,
        limit: int | None = None,
        map: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        dedupe: bool = True,
        retry_failed: bool = False,
        prove: bool | Mapping[str, Any] = False,
        redo_drifted: int = 0,
    ) -> AsyncIterator[BatchOutcome]:
        """Run a recipe over many rows, and pay for each once: see `Client.batch`."""
        from nanorecipes.batch.begin import run_batch
        from nanorecipes.batch.outcomes import BatchOptions

        options = BatchOptions.make(
            budget=budget, concurrency=concurrency, submits=submits, rate=rate, dedupe=dedupe,
            retry_failed=retry_failed,
        )  # fmt: skip
        return run_batch(
            self, recipe, rows, out=out, limit=limit, map=map, constants=constants,
            options=options, prove=prove, redo_drifted=redo_drifted,
        )  # fmt: skip

    async def models(self) -> tuple[OfferedModel, ...]:
        """The models as the service lists them now."""
        return await self._driver.run(self._models_flow())

    async def aclose(self) -> None:
        """Close every connection; the client opens new ones when it is used again."""
        if self._driver_made is not None:
            await self._driver_made.aclose()
            self._driver_made = None
        self._close_ledger()

    async def _kept(self, entry: Entry | None, flow: Flow[T]) -> T:
        """Run a flow with its books: they are written before each next step."""
        from nanorecipes.batch.booking import booked

        try:
            return await self._driver.run(booked(flow, entry))
        except BaseException as exc:
            if entry is not None:
                await entry.fail_async(exc)
            raise

    def _watch(self, note: Note) -> Any:
        entry: Entry | None = getattr(note, "entry", None)
        if entry is not None and not entry.skips(note):
            return self._watch_written(entry, note)
        return self._observer(note) if self._observer is not None else None

    async def _watch_written(self, entry: Entry, note: Note) -> None:
        await entry.take_async(note)
        told = self._observer(note) if self._observer is not None else None
        if inspect.isawaitable(told):
            await told

    async def close(self) -> None:
        """The same as `aclose`, under the name that `Client` has."""
        await self.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def _driver(self) -> AsyncDriver:
        if self._driver_made is None:
            from nanorecipes.service.transport import AsyncDriver

            self._driver_made = AsyncDriver(
                self._service.base_url,
                self._clock,
                self._watch,
                transport=self._transport(),
                resolve=self._wiring.resolve,
            )
        return self._driver_made


_lock = threading.Lock()
_default: Client | None = None


def default_client() -> Client:
    """The client that `recipe(...)` uses: by `configure`, else by the environment.

    It is made when first asked for, and made again after `configure`.

    Raises:
        ConfigurationError: no backend is chosen, or its key is missing.
    """
    global _default
    with _lock:
        if _default is None:
            _default = Client()
        return _default


def _forget_default() -> None:
    global _default
    with _lock:
        old, _default = _default, None
    if old is not None:
        old.close()


config.on_change(_forget_default)
atexit.register(_forget_default)


__all__ = ["AsyncClient", "Client", "Task", "Wiring", "default_client"]
