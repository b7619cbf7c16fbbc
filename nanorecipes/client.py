"""The clients: what a request meets on its way to a picture, blocking or not."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from nanorecipes import codes, config, files
from nanorecipes.config import Backend, Mode
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import BudgetError, DownloadError, InputError
from nanorecipes.images import BadImageError
from nanorecipes.request import Request
from nanorecipes.result import Origin, Result, ResultImage, now_utc
from nanorecipes.service import replies
from nanorecipes.service.download import Downloaded, Downloader
from nanorecipes.service.flow import Flow, Note
from nanorecipes.service.guard import DownloadLimits
from nanorecipes.service.qolaba import Outcome, Qolaba
from nanorecipes.service.refusals import Refusals
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import Clock, RealClock, Timing, VirtualClock

if TYPE_CHECKING:
    from types import TracebackType

    from nanorecipes.request import AttachedImage
    from nanorecipes.sandbox.core import Sandbox
    from nanorecipes.service.replies import OfferedModel
    from nanorecipes.service.transport import AsyncDriver, Driver

Observer: TypeAlias = Callable[[Note], Any]

SIZE_TOLERANCE = 0.03
UPLOAD_PATH = "/sandbox/uploads/"


@dataclass(frozen=True)
class Task:
    """A request that the service has accepted. Its id alone is enough to wait for it elsewhere."""

    task_id: str
    request: Request
    submitted_at: datetime
    outcome: Outcome | None = field(default=None, repr=False)
    """Set where the service answered with the pictures at once."""


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

        Raises:
            ConfigurationError: no backend is chosen, its key is missing, or a value is unfit.
        """
        given = config.given()
        chosen = "sandbox" if backend is None and sandbox is not None else backend
        self._connection = config.connection(chosen, api_key, base_url)
        wait = timeout_s if timeout_s is not None else given.timeout_s
        self._timeout_s = config.DEFAULT_TIMEOUT_S if wait is None else config.check_timeout(wait)
        self._mode = config.check_mode(mode or given.mode or "task")
        self._observer = observer or given.observer
        self._wiring = wiring or Wiring()
        self._sandbox = self._choose_sandbox(sandbox)
        self._clock = self._choose_clock(sandbox)
        self._service = self._make_service()
        self._downloader = Downloader(
            self._wiring.limits, self._wiring.retry, self._clock, self._service.refusals.scrub
        )

    @property
    def backend(self) -> Backend:
        """Where requests go."""
        return self._connection.backend

    @property
    def base_url(self) -> str:
        """The service's scheme and host."""
        return self._connection.base_url

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
        from nanorecipes.service.transport import SandboxTransport

        host = urlsplit(self._sandbox.base_url).hostname or ""
        return SandboxTransport(self._sandbox.handle, host, self._clock)

    def _deadline(self) -> float:
        return self._clock.monotonic() + self._timeout_s

    # flows

    def _run_flow(self, request: Request, max_cost: object) -> Flow[Result]:
        _check_request(request)
        _check_budget(request, max_cost)
        deadline = self._deadline()
        task = yield from self._submit_flow(request, self._check_pictures(request), deadline)
        return (yield from self._wait_flow(task, request, deadline))

    def _task_flow(self, request: Request) -> Flow[Task]:
        _check_request(request)
        pictures = self._check_pictures(request)
        return (yield from self._submit_flow(request, pictures, self._deadline()))

    def _submit_flow(
        self, request: Request, pictures: Mapping[int, _Picture], deadline: float
    ) -> Flow[Task]:
        urls: dict[int, str] = {}
        by_name: dict[str, str] = {}
        for ordinal, picture in pictures.items():
            if picture.name not in by_name:
                path = f"{UPLOAD_PATH}{picture.name}"
                by_name[picture.name] = yield from self._service.put_flow(
                    path, picture.data, deadline
                )
            urls[ordinal] = by_name[picture.name]
        sent = yield from self._service.submit_flow(request, urls, self._mode, deadline)
        now = now_utc(self._clock.time())
        return Task(sent.task_id or "", request, now, sent.outcome)

    def _result_flow(self, task: Task | str, request: Request | None) -> Flow[Result]:
        if isinstance(task, Task):
            return (yield from self._wait_flow(task, request or task.request, self._deadline()))
        if not isinstance(task, str) or not replies.is_task_id(task):
            message = f"{task!r} names no task, expected a Task or the id of one"
            raise InputError([_finding(codes.BAD_ARGUMENT, message, "task")])
        return (yield from self._wait_flow(task, request, self._deadline()))

    def _wait_flow(
        self, task: Task | str, request: Request | None, deadline: float
    ) -> Flow[Result]:
        outcome = task.outcome if isinstance(task, Task) else None
        if outcome is None:
            task_id = task.task_id if isinstance(task, Task) else task
            outcome = yield from self._service.wait_flow(task_id, deadline)
        found = yield from self._downloader.all_flow(outcome.images, outcome.task_id, deadline)
        return self._result(outcome, found, request)

    def _result(
        self, outcome: Outcome, found: list[Downloaded | DownloadError], request: Request | None
    ) -> Result:
        came = [(n, item) for n, item in enumerate(found, 1) if isinstance(item, Downloaded)]
        if not came:
            raise next(item for item in found if isinstance(item, DownloadError))
        cost, source = _cost(outcome, request)
        origin = Origin(
            backend=self.backend,
            task_id=outcome.task_id,
            request=request,
            cost=cost,
            cost_source=source,
            finished_at=now_utc(self._clock.time()),
            text=outcome.text,
            warnings=tuple(_warnings(found, request)),
        )
        images = tuple(
            ResultImage(item.data, item.mime_type, item.size_px, n, item.remote.url, origin)
            for n, item in came
        )
        return Result(images, origin)

    # before anything is sent

    def _check_pictures(self, request: Request) -> dict[int, _Picture]:
        """Local pictures by ordinal, read and checked: all findings before anything is sent."""
        local = [image for image in request.images if image.input.is_local]
        findings: list[Diagnostic] = []
        pictures: dict[int, _Picture] = {}
        for image in local:
            try:
                pictures[image.ordinal] = _read(image)
            except BadImageError as exc:
                findings.append(_finding(codes.BAD_IMAGE, str(exc), image.slot))
        if local and self.backend != "sandbox":
            findings += [_not_visible(image) for image in local]
        if findings:
            raise InputError(findings)
        return pictures


@dataclass(frozen=True, slots=True)
class _Picture:
    """A local picture as it goes to the emulator."""

    name: str
    data: bytes = field(repr=False)


class Client(_ClientBase):
    """Sends requests and waits for their pictures.

    Example:
        with Client() as client:
            result = client.run(recipes["edit/change_part"].render(...))
            result.save("out/")
    """

    _driver_made: Driver | None = None

    def run(self, request: Request, *, max_cost: Decimal | float | str | None = None) -> Result:
        """Submit a request, wait for its pictures and download them.

        Args:
            request: what a recipe rendered.
            max_cost: USD; a request that is estimated above it, or can't be, is not sent.

        Raises:
            InputError: it is no request, or its pictures can't be used.
            BudgetError: it would cost more than allowed.
            ApiError: the service refused or failed, or nobody knows (`OutcomeUnknownError`).
        """
        return self._driver.run(self._run_flow(request, max_cost))

    def submit(self, request: Request) -> Task:
        """Buy the pictures and come back with the task, which can be waited for anywhere."""
        return self._driver.run(self._task_flow(request))

    def wait(self, task: Task | str, request: Request | None = None) -> Result:
        """Wait for a task, or for the id of one, and download its pictures.

        Args:
            task: what `submit` gave, or a task's id from another process.
            request: what was asked, for sidecars and checks, where only the id is at hand.

        Raises:
            ApiError: as for `run`; `TaskTimeoutError` when it takes too long.
        """
        return self._driver.run(self._result_flow(task, request))

    def models(self) -> tuple[OfferedModel, ...]:
        """The models as the service lists them now."""
        return self._driver.run(self._service.models_flow(self._deadline()))

    def close(self) -> None:
        """Close every connection; the client opens new ones when it is used again."""
        if self._driver_made is not None:
            self._driver_made.close()
            self._driver_made = None

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
                self._observer,
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
        self, request: Request, *, max_cost: Decimal | float | str | None = None
    ) -> Result:
        """Submit a request, wait for its pictures and download them: see `Client.run`."""
        return await self._driver.run(self._run_flow(request, max_cost))

    async def submit(self, request: Request) -> Task:
        """Buy the pictures and come back with the task: see `Client.submit`."""
        return await self._driver.run(self._task_flow(request))

    async def wait(self, task: Task | str, request: Request | None = None) -> Result:
        """Wait for a task and download its pictures: see `Client.wait`."""
        return await self._driver.run(self._result_flow(task, request))

    async def models(self) -> tuple[OfferedModel, ...]:
        """The models as the service lists them now."""
        return await self._driver.run(self._service.models_flow(self._deadline()))

    async def aclose(self) -> None:
        """Close every connection; the client opens new ones when it is used again."""
        if self._driver_made is not None:
            await self._driver_made.aclose()
            self._driver_made = None

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
                self._observer,
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
        return _sandbox


# --- checks and conversions


def _check_request(request: object) -> None:
    if not isinstance(request, Request):
        message = f"expected a request that a recipe rendered, found {type(request).__name__}"
        help = "build it with recipes[NAME].render(...)"
        raise InputError([_finding(codes.BAD_ARGUMENT, message, "request", help)])


def _check_budget(request: Request, max_cost: object) -> None:
    if max_cost is None:
        return
    limit = None
    with contextlib.suppress(InvalidOperation, ValueError, TypeError):
        limit = None if isinstance(max_cost, bool) else Decimal(str(max_cost))
    if limit is None or not limit.is_finite() or limit < 0:
        message = f"max_cost is {max_cost!r}, expected an amount in USD such as 0.25"
        raise InputError([_finding(codes.BAD_ARGUMENT, message, "max_cost")])
    cost = request.estimated_cost
    if cost is None:
        raise BudgetError(
            f"no price is known for {request.model}, so ${limit} can't be kept; nothing was sent",
            limit_usd=limit,
        )
    if cost > limit:
        raise BudgetError(
            f"the estimated cost is ${cost}, above the ${limit} allowed; nothing was sent",
            cost_usd=cost,
            limit_usd=limit,
        )


def _read(image: AttachedImage) -> _Picture:
    data = image.input.read()
    kind = files.image_type(data)
    if kind is None:
        raise BadImageError(f"{image.source!r} is not a picture of a known type")
    _ = image.input.digest  # fixed now, for the sidecar: the file may change while we wait
    return _Picture(f"{files.sha256(data)}{files.EXTENSIONS[kind]}", data)


def _not_visible(image: AttachedImage) -> Diagnostic:
    uploads = config.uploads()
    if uploads is None:
        help = "give a URL that the service can open, or set NANORECIPES_UPLOADS to an upload place"
    else:
        help = (
            "NANORECIPES_UPLOADS is set, but this version can't upload yet: give a URL that the "
            "service can open"
        )
    message = f"{image.source!r} lies on this machine, and the service takes public URLs only"
    return _finding(codes.BAD_IMAGE, message, image.slot, help)


def _finding(code: codes.Code, message: str, field: str, help: str | None = None) -> Diagnostic:
    return Diagnostic(code.code, code.name, "error", message, field=field, help=help)


def _cost(outcome: Outcome, request: Request | None) -> tuple[Decimal | None, Any]:
    if outcome.cost_usd is not None:
        return outcome.cost_usd, "service"
    if request is not None and request.estimated_cost is not None:
        return request.estimated_cost, "estimate"
    return None, "unknown"


def _warnings(found: list[Downloaded | DownloadError], request: Request | None) -> list[str]:
    """What came otherwise than asked: it was paid for, so it is told and kept."""
    warnings: list[str] = []
    if request is not None and len(found) != request.num_images:
        warnings.append(f"asked for {request.num_images} pictures, the service made {len(found)}")
    for number, item in enumerate(found, 1):
        if isinstance(item, DownloadError):
            warnings.append(f"picture {number}: {item.message}")
        else:
            warnings += [f"picture {number}: {text}" for text in _differences(item, request)]
    return warnings


def _differences(item: Downloaded, request: Request | None) -> list[str]:
    told = item.declared_type or item.remote.content_type
    kind = (told or "").partition(";")[0].strip().lower()
    found = []
    if kind.startswith("image/") and kind.replace("jpg", "jpeg") != item.mime_type:
        found.append(f"called {kind}, but its bytes are {item.mime_type}")
    expected = request.expected_size_px if request is not None else None
    if expected and item.size_px and _is_off(item.size_px, expected):
        came, asked = "x".join(map(str, item.size_px)), "x".join(map(str, expected))
        found.append(f"{came} pixels came, {asked} were asked for")
    return found


def _is_off(size: tuple[int, int], expected: tuple[int, int]) -> bool:
    return any(
        abs(got - asked) > SIZE_TOLERANCE * asked for got, asked in zip(size, expected, strict=True)
    )
