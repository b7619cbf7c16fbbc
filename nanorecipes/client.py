"""The clients: what a request meets on its way to a picture, blocking or not."""

from __future__ import annotations

import atexit
import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

from nanorecipes import codes, config, events
from nanorecipes.arrival import make_result, proved_flow
from nanorecipes.config import Backend, Mode
from nanorecipes.errors import InputError
from nanorecipes.preflight import LocalPicture, check_budget, check_request, finding, local_pictures
from nanorecipes.result import now_utc
from nanorecipes.service import replies
from nanorecipes.service.download import Downloader
from nanorecipes.service.flow import Flow, Note, note, work
from nanorecipes.service.guard import DownloadLimits
from nanorecipes.service.qolaba import Outcome, Qolaba
from nanorecipes.service.refusals import Refusals
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import Clock, RealClock, Timing, VirtualClock
from nanorecipes.service.watching import watched

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterator
    from decimal import Decimal
    from types import TracebackType

    from nanorecipes.batch.begin import Rows
    from nanorecipes.batch.booking import Entry
    from nanorecipes.batch.ledger import Ledger
    from nanorecipes.batch.opening import LedgerChoice
    from nanorecipes.batch.outcomes import Outcome as BatchOutcome
    from nanorecipes.book import Recipe
    from nanorecipes.proving.terms import Terms
    from nanorecipes.request import Request
    from nanorecipes.result import Result
    from nanorecipes.sandbox.core import Sandbox
    from nanorecipes.service.replies import OfferedModel
    from nanorecipes.service.transport import AsyncDriver, Driver
    from nanorecipes.uploads import Uploader

T = TypeVar("T")
Proving: TypeAlias = bool | Mapping[str, Any]
Observer: TypeAlias = Callable[[Note], Any]

UPLOAD_PATH = "/sandbox/uploads/"


@dataclass(frozen=True)
class Task:
    """A request that the service has accepted. Its id alone is enough to wait for it elsewhere."""

    task_id: str
    request: Request
    submitted_at: datetime
    outcome: Outcome | None = field(default=None, repr=False)
    """Set where the service answered with the pictures at once."""
    warnings: tuple[str, ...] = ()
    """What was changed in local pictures to make them fit to send."""


@dataclass(frozen=True)
class Wiring:
    """What a client is built of: for tests, and for those who bring their own connections."""

    clock: Clock | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timing: Timing = field(default_factory=Timing)
    limits: DownloadLimits = field(default_factory=DownloadLimits)
    transport: Any = None
    """An httpx transport for everything, in place of guarded connections."""
    resolve: Callable[[str, int], list[str]] | None = None
    """Gives the addresses of a host's name."""


class _ClientBase:
    """What both clients share: everything but the doing."""

    def __init__(
        self,
        backend: Backend | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout_s: float | None = None,
        mode: Mode | None = None,
        observer: Observer | None = None,
        sandbox: Sandbox | None = None,
        wiring: Wiring | None = None,
        ledger: LedgerChoice = None,
    ) -> None:
        """Choose where requests go; nothing is sent, and nothing heavy loaded, before the first.

        Args:
            backend: `qolaba`, `gemini` or `sandbox`; else `NANORECIPES_BACKEND`, else the one
                whose key is set.
            api_key: the backend's key, in place of `QOLABA_API_KEY`.
            base_url: scheme and host of the service, in place of `QOLABA_BASE_URL`; with the
                sandbox the address of one that serves over HTTP.
            timeout_s: the longest wait for one result, in seconds; 600 when not given.
            mode: `task` (the default) polls for the result, `sync` waits in one request.
            observer: called with a `Note` before and after each step; when it raises, nothing
                more is sent.
            sandbox: an emulator of your own, in place of the one that this process shares.
            wiring: clock, time-outs, retries and connections, where the usual ones don't fit.
            ledger: the file in which purchases are written down, or an open `Ledger`; False for
                none, else `NANORECIPES_LEDGER` or the project's `.nanorecipes/ledger.sqlite`.

        Raises:
            ConfigurationError: no backend is chosen, its key is missing, or a value is unfit.
        """
        given = config.given()
        chosen = "sandbox" if backend is None and sandbox is not None else backend
        self._connection = config.connection(chosen, api_key, base_url)
        wait = timeout_s if timeout_s is not None else given.timeout_s
        self._timeout_s = config.DEFAULT_TIMEOUT_S if wait is None else config.check_timeout(wait)
        self._mode = config.check_mode(mode or given.mode or "task")
        config.provenance()  # a wrong setting is found before anything is bought
        self._observer = observer or given.observer
        self._wiring = wiring or Wiring()
        self._sandbox = self._choose_sandbox(sandbox)
        self._clock = self._choose_clock(sandbox)
        self._service = self._make_service()
        self._downloader = Downloader(
            self._wiring.limits, self._wiring.retry, self._clock, self._service.refusals.scrub
        )
        self._uploader: Uploader | None = None
        self._ledger_choice = ledger
        self._ledger_made: Ledger | None = None
        self._is_ledger_open = False
        self._out: str | None = None  # the folder that a single run's pictures will be saved in

    @property
    def backend(self) -> Backend:
        """Where requests go."""
        return self._connection.backend

    @property
    def base_url(self) -> str:
        """The service's scheme and host."""
        return self._connection.base_url

    @property
    def ledger(self) -> Ledger | None:
        """The books of what is bought, opened when first asked for; None when they are off.

        Raises:
            LedgerError: the ledger is damaged.
        """
        if not self._is_ledger_open:
            from nanorecipes.batch.opening import open_ledger

            self._ledger_made = open_ledger(self._ledger_choice)
            self._is_ledger_open = True
        return self._ledger_made

    def _close_ledger(self) -> None:
        """Close the ledger, unless it was handed in open."""
        if self._ledger_made is not None and self._ledger_made is not self._ledger_choice:
            self._ledger_made.close()
        self._ledger_made, self._is_ledger_open = None, False

    def _run_entry(self, request: Request) -> Entry | None:
        from nanorecipes.batch.booking import RunEntry

        ledger = self.ledger
        if ledger is None:
            return None
        return RunEntry(ledger, request, self.backend, self.base_url, self._out)

    def _task_entry(self, task: Task | str) -> Entry | None:
        from nanorecipes.batch.booking import TaskEntry

        task_id = task.task_id if isinstance(task, Task) else task
        ledger = self.ledger if task_id else None
        return TaskEntry.of(ledger, task_id) if ledger else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(backend={self.backend!r}, base_url={self.base_url!r})"

    def _choose_sandbox(self, sandbox: Sandbox | None) -> Sandbox | None:
        if self.backend != "sandbox" or self._wiring.transport is not None:
            return None
        if sandbox is not None:
            return sandbox
        return _shared_sandbox() if self.base_url == config.SANDBOX_HOST else None

    def _choose_clock(self, sandbox: Sandbox | None) -> Clock:
        if self._wiring.clock is not None:
            return self._wiring.clock
        # The emulator that this process shares runs on a clock that nobody has to wait for.
        is_shared = self._sandbox is not None and sandbox is None
        return _SHARED_CLOCK if is_shared else RealClock()

    def _make_service(self) -> Qolaba:
        connection = self._connection
        base_url = self._sandbox.base_url if self._sandbox is not None else connection.base_url
        return Qolaba(
            base_url=base_url.rstrip("/"),
            secret=connection.secret,
            refusals=Refusals(connection.secret, connection.key_name),
            clock=self._clock,
            retry=self._wiring.retry,
            timing=self._wiring.timing,
        )

    def _transport(self) -> Any:
        if self._sandbox is None:
            return self._wiring.transport
        from nanorecipes.service.embedded import SandboxTransport

        host = urlsplit(self._sandbox.base_url).hostname or ""
        return SandboxTransport(self._sandbox.handle, host, self._clock)

    def _deadline(self) -> float:
        return self._clock.monotonic() + self._timeout_s

    # flows

    def _run_flow(self, request: Request, max_cost: object, prove: Proving) -> Flow[Result]:
        check_request(request)
        check_budget(request, max_cost)
        step = events.step("run", self.backend, request)
        return (yield from watched(self._whole_flow(request, prove), step))

    def _whole_flow(self, request: Request, prove: Proving) -> Flow[Result]:
        terms = None if prove is False else self._terms(request, prove)
        deadline = self._deadline()
        pictures = yield from self._pictures_flow(request)
        task = yield from self._submit_flow(request, pictures, deadline)
        result = yield from self._wait_flow(task, request, deadline)
        if terms is None:
            return result
        fetches = self._sandbox is None
        deadline = self._deadline()
        return (yield from proved_flow(result, terms, self._clock, deadline, fetches=fetches))

    @staticmethod
    def _terms(request: Request, prove: Proving) -> Terms:
        from nanorecipes.proving import promises

        return promises.agreed(request, prove if isinstance(prove, Mapping) else {})

    def _task_flow(self, request: Request) -> Flow[Task]:
        check_request(request)
        pictures = yield from self._pictures_flow(request)
        return (yield from self._submit_flow(request, pictures, self._deadline()))

    def _pictures_flow(self, request: Request) -> Flow[dict[int, LocalPicture]]:
        if not any(image.input.is_local for image in request.images):
            return {}
        takes_files = self.backend == "sandbox" or config.uploads() is not None
        return (yield from work(lambda: local_pictures(request, takes_files=takes_files)))

    def _submit_flow(
        self, request: Request, pictures: Mapping[int, LocalPicture], deadline: float
    ) -> Flow[Task]:
        urls: dict[int, str] = {}
        by_name: dict[str, str] = {}
        for ordinal, picture in pictures.items():
            if picture.name not in by_name:
                step = events.step("upload", self.backend, request)
                by_name[picture.name] = yield from watched(
                    self._upload_flow(picture, deadline), step
                )
            urls[ordinal] = by_name[picture.name]
        warnings = tuple(text for picture in pictures.values() for text in picture.warnings)
        step = events.step("submit", self.backend, request, cost_usd=request.estimated_cost)
        sent = yield from watched(
            self._service.submit_flow(request, urls, self._mode, deadline), step
        )
        now = now_utc(self._clock.time())
        return Task(sent.task_id or "", request, now, sent.outcome, warnings)

    def _upload_flow(self, picture: LocalPicture, deadline: float) -> Flow[str]:
        """Put a picture where the service sees it, and name it by a URL."""
        if self.backend == "sandbox":
            name = quote(PurePath(picture.source).name)  # what a folder of answers goes by
            path = f"{UPLOAD_PATH}{picture.name}?name={name}"
            url = yield from self._service.put_flow(path, picture.data, deadline)
            return url.partition("?")[0]
        if self._uploader is None:
            from nanorecipes.uploads import Uploader

            self._uploader = Uploader.from_settings()
        uploader = self._uploader
        assert uploader is not None  # without the setting the picture was refused before
        url = yield from work(lambda: uploader.url_of(picture.data))
        # The URL is signed: it is shown to nobody.
        yield from note("uploaded", name=picture.name, size_bytes=len(picture.data))
        return url

    def _result_flow(self, task: Task | str, request: Request | None) -> Flow[Result]:
        if isinstance(task, Task):
            return (yield from self._wait_flow(task, request or task.request, self._deadline()))
        if not isinstance(task, str) or not replies.is_task_id(task):
            message = f"{task!r} names no task, expected a Task or the id of one"
            raise InputError([finding(codes.BAD_ARGUMENT, message, "task")])
        return (yield from self._wait_flow(task, request, self._deadline()))

    def _wait_flow(
        self, task: Task | str, request: Request | None, deadline: float
    ) -> Flow[Result]:
        outcome = task.outcome if isinstance(task, Task) else None
        if outcome is None:
            task_id = task.task_id if isinstance(task, Task) else task
            outcome = yield from watched(
                self._service.wait_flow(task_id, deadline),
                events.step("poll", self.backend, request, task_id=task_id),
            )
        warnings = task.warnings if isinstance(task, Task) else ()
        return (yield from self._fetch_flow(outcome, request, deadline, warnings))

    def _fetch_flow(
        self,
        outcome: Outcome,
        request: Request | None,
        deadline: float,
        warnings: tuple[str, ...] = (),
    ) -> Flow[Result]:
        found = yield from self._downloader.all_flow(
            outcome.images, outcome.task_id, deadline,
            lambda: events.step("download", self.backend, request, task_id=outcome.task_id),
        )  # fmt: skip
        finished_at = now_utc(self._clock.time())
        return make_result(outcome, found, request, self.backend, finished_at, warnings)


class Client(_ClientBase):
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
        purchases are waited for, and what was bought is fetched by the next call.

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
        return self._driver.run(self._service.models_flow(self._deadline()))

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


class AsyncClient(_ClientBase):
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
        return await self._driver.run(self._service.models_flow(self._deadline()))

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


# --- what this process shares

_lock = threading.RLock()  # making the default client may make the shared emulator
_default: Client | None = None
_sandbox: Sandbox | None = None
_SHARED_CLOCK = VirtualClock()


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


def _shared_sandbox() -> Sandbox:
    """The emulator of this process, so that one client can wait for what another submitted."""
    global _sandbox
    with _lock:
        if _sandbox is None:
            from nanorecipes.sandbox.core import Sandbox

            _sandbox = Sandbox(clock=_SHARED_CLOCK.monotonic, wall=_SHARED_CLOCK.time)
        _sandbox.answer_with(config.sandbox_answers())
        return _sandbox
