"""What both clients share: settings, books, and a request's way to a picture as flows."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

from nanorecipes import codes, config, events, files
from nanorecipes.arrival import make_result, proved_flow
from nanorecipes.config import Backend, Mode
from nanorecipes.errors import ConfigurationError, InputError, LedgerError
from nanorecipes.preflight import (
    LocalPicture,
    check_budget,
    check_direct,
    check_request,
    direct_body,
    finding,
    local_pictures,
)
from nanorecipes.result import now_utc
from nanorecipes.service import replies
from nanorecipes.service.base import Outcome, Submitted
from nanorecipes.service.download import Downloaded, Downloader
from nanorecipes.service.flow import Flow, NoPicture, Note, note, work
from nanorecipes.service.gemini import Gemini
from nanorecipes.service.guard import DownloadLimits
from nanorecipes.service.kept import KeptAnswers
from nanorecipes.service.qolaba import Qolaba
from nanorecipes.service.refusals import Refusals
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import Clock, RealClock, Timing, VirtualClock
from nanorecipes.service.watching import watched

if TYPE_CHECKING:
    from nanorecipes.batch.booking import Entry
    from nanorecipes.batch.ledger import Ledger
    from nanorecipes.batch.opening import LedgerChoice
    from nanorecipes.proving.terms import Terms
    from nanorecipes.request import Request
    from nanorecipes.result import Result, ResultImage
    from nanorecipes.sandbox.core import Sandbox
    from nanorecipes.service.replies import OfferedModel
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


class Saved:
    """Tells a client that a task's pictures were saved; a copy or a pickle of it tells nobody.

    Args:
        client: whose books say so then.
        task: the task, or the name under which its answer is kept.
        count: how many pictures have to be saved.
    """

    def __init__(self, client: ClientBase, task: str | None, count: int) -> None:
        self._client = weakref.ref(client)
        self._task = task
        self._count = count
        self._paths: dict[int, Path] = {}

    def __call__(self, image: ResultImage, path: Path) -> None:
        """Take note of a picture that was saved there."""
        client = self._client()
        self._paths[image.number] = path
        if client is not None and self._task and len(self._paths) == self._count:
            client._book_task(self._task, list(self._paths.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(None), ())


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
    needs_key: bool = True
    """False where all that is wanted lies here: a missing key is told when something is sent."""


class ClientBase:
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
            api_key: the backend's key, in place of `QOLABA_API_KEY` or `GEMINI_API_KEY`.
            base_url: scheme and host of the service, in place of `QOLABA_BASE_URL` or
                `GEMINI_BASE_URL`; with the sandbox the address of one that serves over HTTP.
            timeout_s: the longest wait for one result, in seconds; 600 when not given.
            mode: `task` (the default) polls for the result, `sync` waits in one request; Google
                knows only the latter.
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
        self._wiring = wiring or Wiring()
        self._connection = config.connection(
            chosen, api_key, base_url, needs_key=self._wiring.needs_key
        )
        wait = timeout_s if timeout_s is not None else given.timeout_s
        self._timeout_s = config.DEFAULT_TIMEOUT_S if wait is None else config.check_timeout(wait)
        self._mode = config.check_mode(mode or given.mode or "task")
        config.provenance()  # a wrong setting is found before anything is bought
        self._observer = observer or given.observer
        self._sandbox = self._choose_sandbox(sandbox)
        self._clock = self._choose_clock(sandbox)
        self._service = self._make_service()
        self._downloader = Downloader(
            self._wiring.limits, self._wiring.retry, self._clock, self._service.refusals.scrub,
            self._kept_answer if isinstance(self._service, Gemini) else None,
        )  # fmt: skip
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
        return RunEntry(ledger, self._priced(request), self.backend, self.base_url, self._out)

    def _priced(self, request: Request) -> Request:
        """The request with the price of this backend; what is no request is refused later."""
        if self.backend != "gemini" or not hasattr(request, "priced_for"):
            return request
        return request.priced_for(self.backend)

    def _answers(self) -> KeptAnswers | None:
        """Where pictures lie that came with their answer; None where no books are kept."""
        ledger = self.ledger
        return None if ledger is None else KeptAnswers.beside(ledger.path)

    def _keep_answer(self, data: bytes) -> str | None:
        answers = self._answers()
        return None if answers is None else answers.keep(data)

    def _kept_answer(self, name: str) -> bytes | NoPicture:
        answers = self._answers()
        return NoPicture("no ledger is kept here") if answers is None else answers.read(name)

    def _book_saved(self, result: Result, paths: Sequence[Path]) -> None:
        """Write down that a result's pictures were saved."""
        if self.ledger is not None and self.backend != "gemini":
            from nanorecipes.batch.saving import book_saved

            book_saved(self.ledger, result.task_id, paths)

    def _book_task(self, task: str, paths: Sequence[Path]) -> None:
        """Write down that a task's pictures were saved, once they are on the disk for good.

        A kept answer then goes. Whatever fails here leaves it: the pictures are saved by then.
        """
        if self._ledger_made is None:  # closed since: `resume` saves them once more
            return
        from nanorecipes.batch.saving import book_saved

        with contextlib.suppress(OSError, LedgerError):
            for path in paths:
                files.make_durable(path)
            if book_saved(self._ledger_made, task, paths):
                self._drop_answers([task])

    def _drop_answers(self, names: Iterable[str]) -> None:
        """Let go of pictures that lie on the disk for good, and whose row says so."""
        answers = self._answers() if self.backend == "gemini" else None
        if answers is not None:
            for name in names:
                answers.drop(name)

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

    def _make_service(self) -> Qolaba | Gemini:
        connection = self._connection
        base_url = self._sandbox.base_url if self._sandbox is not None else connection.base_url
        is_direct = self.backend == "gemini"
        url_name = "GEMINI_BASE_URL" if is_direct else "QOLABA_BASE_URL"
        refusals = Refusals(
            connection.secret, connection.key_name, url_name, has_tasks=not is_direct
        )
        parts: dict[str, Any] = {
            "base_url": base_url.rstrip("/"),
            "secret": connection.secret,
            "refusals": refusals,
            "clock": self._clock,
            "retry": self._wiring.retry,
            "timing": self._wiring.timing,
        }
        if is_direct:
            return Gemini(**parts, keep=self._keep_answer)
        return Qolaba(**parts)

    def _has_lost(self, task_id: str | None) -> bool:
        """Whether a task was an emulator's that ended with its process: nobody can fetch it."""
        return self._sandbox is not None and not self._sandbox.knows(task_id or "")

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
        request = self._checked(request)
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

    def _checked(self, request: Request) -> Request:
        """The request, found to be one that this backend takes, with its price."""
        check_request(request)
        if self.backend == "gemini":
            check_direct(request)
        return self._priced(request)

    def _models_flow(self) -> Flow[tuple[OfferedModel, ...]]:
        if isinstance(self._service, Gemini):
            raise ConfigurationError(
                "Google's list of models says nothing of sizes and prices, and isn't asked",
                help="`nanorecipes models` shows what is known of them",
            )
        return self._service.models_flow(self._deadline())

    def _task_flow(self, request: Request) -> Flow[Task]:
        request = self._checked(request)
        pictures = yield from self._pictures_flow(request)
        return (yield from self._submit_flow(request, pictures, self._deadline()))

    def _pictures_flow(self, request: Request) -> Flow[dict[int, LocalPicture]]:
        if not any(image.input.is_local for image in request.images):
            return {}
        takes_files = self.backend != "qolaba" or config.uploads() is not None
        return (yield from work(lambda: local_pictures(request, takes_files=takes_files)))

    def _submit_flow(
        self, request: Request, pictures: Mapping[int, LocalPicture], deadline: float
    ) -> Flow[Task]:
        service = self._service
        flow: Flow[Submitted]
        if isinstance(service, Gemini):
            body = yield from work(lambda: direct_body(request, pictures))
            flow = service.submit_flow(request, body, deadline)
        else:
            urls = yield from self._urls_flow(request, pictures, deadline)
            flow = service.submit_flow(request, urls, self._mode, deadline)
        warnings = tuple(text for picture in pictures.values() for text in picture.warnings)
        step = events.step("submit", self.backend, request, cost_usd=request.estimated_cost)
        sent = yield from watched(flow, step)
        now, warnings = now_utc(self._clock.time()), (*warnings, *sent.warnings)
        return Task(sent.task_id or "", request, now, sent.outcome, warnings)

    def _urls_flow(
        self, request: Request, pictures: Mapping[int, LocalPicture], deadline: float
    ) -> Flow[dict[int, str]]:
        """Where each local picture lies, once it has been put there."""
        urls: dict[int, str] = {}
        by_name: dict[str, str] = {}
        for ordinal, picture in pictures.items():
            if picture.name not in by_name:
                step = events.step("upload", self.backend, request)
                by_name[picture.name] = yield from watched(
                    self._upload_flow(picture, deadline), step
                )
            urls[ordinal] = by_name[picture.name]
        return urls

    def _upload_flow(self, picture: LocalPicture, deadline: float) -> Flow[str]:
        """Put a picture where the service sees it, and name it by a URL."""
        if self.backend == "sandbox":
            assert isinstance(self._service, Qolaba)
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
        task = outcome.images[0].url if isinstance(self._service, Gemini) else outcome.task_id
        came = [item for item in found if isinstance(item, Downloaded)]
        saved = Saved(self, task, len(came)) if len(came) == len(found) else None
        return make_result(outcome, found, request, self.backend, finished_at, warnings, saved)


# --- what this process shares

_lock = threading.Lock()
_sandbox: Sandbox | None = None
_SHARED_CLOCK = VirtualClock()


def _shared_sandbox() -> Sandbox:
    """The emulator of this process, so that one client can wait for what another submitted."""
    global _sandbox
    with _lock:
        if _sandbox is None:
            from nanorecipes.sandbox.core import Sandbox

            _sandbox = Sandbox(clock=_SHARED_CLOCK.monotonic, wall=_SHARED_CLOCK.time)
        _sandbox.answer_with(config.sandbox_answers())
        return _sandbox
