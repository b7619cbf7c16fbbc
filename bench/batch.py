"""The batch runner against bare clients that keep no books: pictures and CPU, as ratios.

Run it with `python -m bench.batch [ROWS [ROUNDS]]`. All sides submit, poll and download from one
emulator over loopback, with the same widths; the emulator runs in a process of its own. There are
three bare clients on aiohttp: one that throws the pictures away; one that writes them; and one that
does the same work as we do, but for the books: it buys on fresh connections, and its files are on
the disk for good before it goes on. A fourth shows what httpx's own pool costs. Of several rounds
in turn, the best of each side counts. First every task has ended when it is first asked for, so
that nothing but the work counts; then tasks take as long as the sandbox's do when nothing is said.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import httpx

from nanorecipes import AsyncClient, recipes
from nanorecipes.client import Wiring
from nanorecipes.service.timing import Timing

RECIPE = "edit/change_part"
SUBMITS, CONCURRENCY = 4, 64
TIMING = Timing(first_poll_s=0.05)
TASK_S = 1.0
"""What a task of the sandbox takes when nothing is said, in seconds."""
THROUGHPUT_BAR, CPU_BAR = 0.6, 2.5

SERVER = """
import sys
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.server import serve
sandbox = Sandbox(task_seconds=float(sys.argv[1]), plain=True)
serve(sandbox, port=0, on_ready=lambda url: print(url, flush=True))
"""


class Took(NamedTuple):
    """What a side needed for one picture."""

    rate: float
    """Pictures a second."""
    cpu_ms: float


def given(count: int) -> Iterator[dict[str, Any]]:
    """Different rows."""
    for n in range(count):
        yield {
            "photo": f"https://pictures.invalid/{n}.jpg", "part": "the mug",
            "change": f"glazed in blue number {n}", "model": "flash", "aspect_ratio": "1:1",
            "quality": "512",
        }  # fmt: skip


Keep = Callable[[Path, bytes], Any]


def durably(path: Path, data: bytes) -> None:
    """Write a file so that it is there as a whole, and after a power cut as well."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


async def bare(
    url: str, folder: Path, count: int, *, keep: Keep | None = None, is_fresh: bool = False
) -> None:
    """Submit, poll, download, with the same widths; with `keep` the file is written in a thread."""
    recipe = recipes[RECIPE]
    submits, width = asyncio.Semaphore(SUBMITS), asyncio.Semaphore(CONCURRENCY)
    headers = {"Authorization": "Bearer any"}

    async def one(number: int, body: dict[str, Any]) -> None:
        async with (
            submits,
            shop.post(f"{url}/api/v1/images/generate", json=body, headers=headers) as reply,
        ):
            task = (await reply.json())["task_id"]
        wait_s = TIMING.first_poll_s
        while True:
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * TIMING.poll_factor, TIMING.longest_poll_s)
            async with session.get(f"{url}/api/v1/tasks/{task}", headers=headers) as reply:
                state = await reply.json()
            if state["status"] == "completed":
                break
        async with session.get(state["result"]["images"][0]["url"]) as reply:
            data = await reply.read()
        if keep is not None:
            await asyncio.to_thread(keep, folder / f"{number}.jpg", data)
        width.release()

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(_session())
        shop = await stack.enter_async_context(_session(is_fresh=True)) if is_fresh else session
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for number, row in enumerate(given(count)):
            await width.acquire()
            group.create_task(one(number, recipe.render(**row).payload()))


async def bare_httpx(url: str, folder: Path, count: int) -> None:
    """The first bare client on httpx and its own pool."""
    recipe = recipes[RECIPE]
    submits, width = asyncio.Semaphore(SUBMITS), asyncio.Semaphore(CONCURRENCY)
    headers = {"Authorization": "Bearer any"}

    async def one(body: dict[str, Any]) -> None:
        async with submits:
            reply = await session.post(f"{url}/api/v1/images/generate", json=body, headers=headers)
        task = reply.json()["task_id"]
        while True:
            await asyncio.sleep(TIMING.first_poll_s)
            state = (await session.get(f"{url}/api/v1/tasks/{task}", headers=headers)).json()
            if state["status"] == "completed":
                break
        await (await session.get(state["result"]["images"][0]["url"])).aread()
        width.release()

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=CONCURRENCY)
    async with (
        httpx.AsyncClient(limits=limits, timeout=60) as session,
        asyncio.TaskGroup() as group,
    ):
        for row in given(count):
            await width.acquire()
            group.create_task(one(recipe.render(**row).payload()))


def _session(*, is_fresh: bool = False) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=is_fresh))


async def ours(url: str, folder: Path, count: int) -> None:
    """The batch runner, with its ledger."""
    wiring = Wiring(timing=TIMING)
    client = AsyncClient(
        backend="qolaba", api_key="any", base_url=url, wiring=wiring,
        ledger=folder / "ledger.sqlite",
    )  # fmt: skip
    async with client:
        options: Any = {"submits": SUBMITS, "concurrency": CONCURRENCY}
        found = [o async for o in client.batch(RECIPE, given(count), out=folder / "o", **options)]
    assert {outcome.state for outcome in found} == {"verified"}


Side = Callable[[str, Path, int], Coroutine[Any, Any, None]]
SIDES: dict[str, Side] = {
    "bare": bare,
    "bare, with files": lambda *a: bare(*a, keep=Path.write_bytes),
    "bare, the same work": lambda *a: bare(*a, keep=durably, is_fresh=True),
    "bare, on httpx": bare_httpx,
    "ours": ours,
}


@contextmanager
def emulator(task_s: float = 0.0) -> Iterator[str]:
    """An emulator in a process of its own, whose tasks take so many seconds; gives its address."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(task_s)], stdout=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def measured(side: Side, folder: Path, count: int, task_s: float = 0.0) -> Took:
    """One side on a fresh emulator: wall time, and CPU time with that of its helping processes."""
    folder.mkdir(parents=True)
    with emulator(task_s) as url:
        wall, cpu = time.perf_counter(), _cpu_s()
        asyncio.run(side(url, folder, count))
        return Took(count / (time.perf_counter() - wall), 1000 * (_cpu_s() - cpu) / count)


def _cpu_s() -> float:
    """Of this process, and of those that it began and that have ended; the emulator has not."""
    return sum(os.times()[:4])


def measure(
    sides: Mapping[str, Side], count: int, rounds: int, task_s: float = 0.0
) -> dict[str, Took]:
    """Some sides in turn, the best of each."""
    found: dict[str, list[Took]] = {name: [] for name in sides}
    # One folder for all, taken away at the end: some file systems are slow after deleting.
    place = Path(tempfile.mkdtemp(prefix="nanorecipes-bench-"))
    try:
        for name, side in sides.items():
            measured(side, place / "warm" / name, 50)
        for number in range(rounds):
            for name, side in sides.items():
                found[name].append(measured(side, place / str(number) / name, count, task_s))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {
        name: Took(max(took.rate for took in all_), min(took.cpu_ms for took in all_))
        for name, all_ in found.items()
    }


def table(title: str, best: Mapping[str, Took]) -> dict[str, float]:
    """Print what the sides took, and ours against each; gives the ratios."""
    ours = best["ours"]
    print(title)
    print(f"  {'':22}{'pictures/s':>12}{'CPU ms each':>13}{'ours, rate':>13}{'ours, CPU':>12}")
    ratios: dict[str, float] = {}
    for name, took in best.items():
        rate, cpu = ours.rate / took.rate, ours.cpu_ms / took.cpu_ms
        print(f"  {name:22}{took.rate:12.0f}{took.cpu_ms:13.2f}{rate:12.2f}x{cpu:11.2f}x")
        ratios |= {f"rate against {name}": round(rate, 3), f"cpu against {name}": round(cpu, 3)}
    return ratios


def main(count: int = 1000, rounds: int = 5) -> dict[str, dict[str, float]]:
    """Measure, and print the ratios to each of the bare clients."""
    widths = f"{SUBMITS} submits, {CONCURRENCY} in flight"
    at_once = table(
        f"{count} pictures, {widths}, tasks that have ended at once, best of {rounds}",
        measure(SIDES, count, rounds),
    )
    sides = {name: side for name, side in SIDES.items() if side is not bare_httpx}
    count, rounds = max(2 * CONCURRENCY, count // 3), max(1, rounds // 2)
    slowly = table(
        f"{count} pictures, {widths}, tasks of {TASK_S:g} s, best of {rounds}",
        measure(sides, count, rounds, TASK_S),
    )
    print(f"  bars: rate at least {THROUGHPUT_BAR}x, CPU at most {CPU_BAR}x")
    ratios = {"ended at once": at_once, f"tasks of {TASK_S:g} s": slowly}
    print(json.dumps(ratios))
    return ratios


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
