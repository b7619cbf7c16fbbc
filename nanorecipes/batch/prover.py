"""Verified rows proved beside the network's work: a few processes, and memory that doesn't grow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes.batch.groups import bridged
from nanorecipes.batch.numbers import Numbers
from nanorecipes.batch.outcomes import Outcome, outcome_of
from nanorecipes.batch.preparing import Bad, Prepared, Source
from nanorecipes.batch.proofs import Found, Proofs, Standing, Try, Want
from nanorecipes.drawings import SUFFIXES
from nanorecipes.errors import NanorecipesError
from nanorecipes.images import public_name
from nanorecipes.proving import pictures, promises
from nanorecipes.proving.terms import Terms

if TYPE_CHECKING:
    from nanorecipes.batch.runner import Runner
    from nanorecipes.client import AsyncClient
    from nanorecipes.request import Request

MOST_WORKERS = 4
PATIENCE_S = 300.0
"""How long one row's proof may take before its process is ended."""
_WAITING = 256
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # where there is none, this ends it as surely
_LINE_BYTES = 4 * 1024 * 1024


def cores() -> int:
    """How many processes prove: as many as there are cores to use, but one for the network."""
    if hasattr(os, "sched_getaffinity"):
        found = len(os.sched_getaffinity(0))
    else:  # pragma: no cover  # where a process can't be bound to cores
        found = os.cpu_count() or 1
    return max(1, min(MOST_WORKERS, found - 1))


class Prover:
    """Proves the rows of a batch as they are verified.

    Args:
        client: who fetches sources that are behind URLs.
        proofs: where it is written down.
        options: what takes the place of the recipe's own terms.
        workers: how many processes compute at a time.
    """

    def __init__(
        self,
        client: AsyncClient,
        proofs: Proofs,
        options: Mapping[str, Any],
        workers: int | None = None,
    ) -> None:
        self.client = client
        self.proofs = proofs
        self.options = options
        self.workers = workers or cores()
        self.done = 0
        """Rows of the table that came out of the proving."""
        self._fetching = asyncio.Semaphore(self.workers)
        self._busy: dict[str, asyncio.Lock] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="nanorecipes-proofs-")

    def close(self) -> None:
        """Take away what was kept for the processes."""
        self._folder.cleanup()

    # what is wanted, noted while rows are prepared

    def watch(self, source: Source) -> Source:
        """The same rows; on the way it is noted what each is held to."""
        return _Watched(source, self)

    def note(self, items: list[Prepared]) -> None:
        """Remember what these rows are held to."""
        wants = [
            (item.plan.key, item.plan.copy, self._want(item.request, item.plan.request))
            for item in items
            if item.request is not None
        ]
        if wants:
            self.proofs.want_later(wants).result()

    def _want(self, request: Request, text: str) -> Want:
        try:
            terms = promises.terms_of(request).given(**self.options).to_json()
            source = self._source(request)
        except NanorecipesError as exc:
            terms = Terms().given(changes=request.changes).to_json()
            source = {"why": exc.message}
        has_bytes = any(image.input.kind == "bytes" for image in request.images)
        return Want(source, terms, None if has_bytes else text)

    def _source(self, request: Request) -> dict[str, str]:
        given = request.first_source.input
        if given.kind == "url":
            return {"url": given.name}
        if given.kind == "path":
            return {"path": os.path.abspath(given.name)}
        path = Path(self._folder.name) / given.name  # named by its digest
        if not path.exists():
            path.write_bytes(given.read())
        return {"path": str(path)}

    # proving, while outcomes come

    async def outcomes(
        self, came: AsyncIterator[Outcome], runner: Runner, turn: int = 1
    ) -> AsyncIterator[Outcome]:
        """The same outcomes, those of verified rows once they are proved.

        Args:
            came: what the runner says.
            runner: whose end ends the proving too.
            turn: which try of each row is bought: the first, or a further one.
        """
        stage = _Stage(self, runner, turn)
        work = asyncio.create_task(stage.work(came))
        try:
            while (outcome := await stage.out.get()) is not None:
                yield outcome
        finally:
            if not work.done():
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
        await work

    async def prove(self, number: int, turn: int, worker: Worker | None) -> Outcome | None:
        """A row of the table as it stands, once its purchase of that turn is proved.

        Without a worker it is told as it stands. None where it has no purchase.
        """
        standing = await self.standing(number)
        if standing is None:
            return None
        mine = standing.of_turn(turn)
        if worker is not None and mine is not None and standing.want is not None:
            lock = self._busy.setdefault(mine.row.name, asyncio.Lock())
            async with lock:  # equal rows are proved once
                await self._prove_once(number, turn, worker)
            self._busy.pop(mine.row.name, None)
            standing = await self.standing(number) or standing
        self.done += 1
        return outcome_over(number, standing)

    async def _prove_once(self, number: int, turn: int, worker: Worker) -> None:
        standing = await self.standing(number)
        mine = standing.of_turn(turn) if standing is not None else None
        want = standing.want if standing is not None else None
        if mine is None or want is None:
            return
        outputs = [str(entry["path"]) for entry in mine.row.files]
        if await asyncio.to_thread(_is_proved, mine, want, outputs):
            return
        async with self._at_hand(want) as source:
            told = await worker.run({**source, "outputs": outputs, "terms": dict(want.terms)})
        # What failed for the moment is told, and tried again by the next run.
        asked = want.asked if told.get("is_final") else ""
        found = Found(told["verdict"], told["score"], tuple(told["reasons"]), asked)
        await bridged(self.proofs.keep_later(mine.row.id, found))

    async def standing(self, number: int) -> Standing | None:
        """A row of the table with all its tries."""
        return await bridged(self.proofs.standing_later(number))

    @contextlib.asynccontextmanager
    async def _at_hand(self, want: Want) -> AsyncIterator[dict[str, str]]:
        """The source as a file; what is behind a URL is fetched, and gone again after."""
        if "url" not in want.source:
            yield {"why": want.source.get("why", ""), "source": want.source.get("path", "")}
            return
        async with self._fetching:
            url = want.source["url"]
            try:
                data = await self._fetched(url)
            except NanorecipesError as exc:
                yield {"why": exc.message, "source": ""}
                return
            handle, name = tempfile.mkstemp(dir=self._folder.name)
            os.close(handle)
            path = Path(name)
            try:
                await asyncio.to_thread(path.write_bytes, data)
                del data
                yield {"why": "", "source": name}
            finally:
                path.unlink(missing_ok=True)

    async def _fetched(self, url: str) -> bytes:
        client = self.client
        if client._sandbox is not None:
            raise NanorecipesError(
                f"{public_name(url)} is a URL, and the embedded sandbox fetches none"
            )
        flow = pictures.fetch_flow(url, client._clock, client._deadline())
        return await client._driver.run(flow)


def _is_proved(item: Try, want: Want, outputs: list[str]) -> bool:
    """Whether this very picture was held to this very thing, and its drawings are still there."""
    found = item.found
    if found is None or found.asked != want.asked:
        return False
    if found.score is None:
        return True
    return all(os.path.exists(f"{path}{SUFFIXES['overlay']}") for path in outputs)


def outcome_over(number: int, standing: Standing) -> Outcome:
    """A row of the table over all its tries: the better one is named, all of them are counted."""
    from nanorecipes.batch.states import to_usd

    best = standing.best
    spent = standing.spent_micro
    made = replace(
        outcome_of(number, best.row),
        cost_usd=to_usd(spent) if spent else None,
        tries=standing.bought,
    )
    if best.found is None or best.row.state != "verified":
        return made
    found = best.found
    return replace(made, verdict=found.verdict, score=found.score, reasons=found.reasons)


class _Watched(Source):
    def __init__(self, source: Source, prover: Prover) -> None:
        self._source = source
        self._prover = prover

    def take(self, count: int) -> list[Prepared | Bad]:
        """The next rows; none when there are no more."""
        found = self._source.take(count)
        self._prover.note([item for item in found if isinstance(item, Prepared)])
        return found


class _Stage:
    """Outcomes in, outcomes out; between them wait numbers alone, so that memory stays flat."""

    def __init__(self, prover: Prover, runner: Runner, turn: int) -> None:
        self.out: asyncio.Queue[Outcome | None] = asyncio.Queue(_WAITING)
        self._prover = prover
        self._runner = runner
        self._turn = turn
        self._numbers = Numbers()
        self._more = asyncio.Condition()
        self._is_last = False

    async def work(self, came: AsyncIterator[Outcome]) -> None:
        """Take each outcome at once, so that the network never waits for a proof.

        Raises:
            NanorecipesError: what ended the run, once what had come before is proved.
        """
        provers = [asyncio.create_task(self._prove()) for _ in range(self._prover.workers)]
        error: NanorecipesError | None = None
        try:
            try:
                async for outcome in came:
                    await self._sort(outcome)
            except NanorecipesError as exc:
                error = exc
            async with self._more:
                self._is_last = True
                self._more.notify_all()
            await asyncio.gather(*provers)
        finally:
            for task in provers:
                task.cancel()
            await asyncio.gather(*provers, return_exceptions=True)
            await came.aclose()  # type: ignore[attr-defined]  # an async generator
        await self.out.put(None)
        if error is not None:
            raise error

    async def _sort(self, outcome: Outcome) -> None:
        if outcome.state != "verified":
            await self.out.put(outcome)
            return
        async with self._more:
            self._numbers.put(outcome.number)
            self._more.notify()

    async def _prove(self) -> None:
        worker = Worker()
        try:
            while (number := await self._take()) is not None:
                ends = self._runner.stopping == "leave"
                outcome = await self._prover.prove(number, self._turn, None if ends else worker)
                if outcome is not None:
                    await self.out.put(outcome)
        finally:
            await worker.close()

    async def _take(self) -> int | None:
        async with self._more:
            while not self._numbers:
                if self._is_last:
                    return None
                await self._more.wait()
            return self._numbers.take()


def _environment() -> dict[str, str]:
    """The same package for the process, wherever this one has it from; nothing of its folder."""
    home = str(Path(__file__).parents[2])
    found = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([home, *([found] if found else [])])}


class Worker:
    """A process that proves one row at a time; begun with the first, and again when it is gone."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """What a proof came to; a process that is gone is no error, but told as not provable."""
        process = self._process or await self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{json.dumps(job)}\n".encode())
            await process.stdin.drain()
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        except (TimeoutError, ConnectionError):
            line = b""
        if line.endswith(b"\n"):
            told: dict[str, Any] = json.loads(line)
            return told
        await self.close()
        why = f"the proof's process ended with {process.returncode}, perhaps for want of memory"
        return {"verdict": "not provable", "score": None, "reasons": [why], "is_final": False}

    async def _begin(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "nanorecipes.batch.prove_worker",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES, env=_environment(),
            start_new_session=True,  # Ctrl-C is for the batch, which ends its processes itself
        )  # fmt: skip
        return self._process

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            # Not `process.kill()`: it asks first how the process is, and takes its exit code away
            # from whoever waits for it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, _KILL)
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # else its pipes stay open
