"""The batch runner against a bare client that keeps no books: pictures and CPU, as ratios.

Run it with `python -m bench.batch [ROWS]`. Both sides submit, poll and download from the same
emulator over loopback, with the same widths; the emulator runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from nanorecipes import AsyncClient, recipes
from nanorecipes.client import Wiring
from nanorecipes.service.timing import Timing

RECIPE = "edit/change_part"
SUBMITS, CONCURRENCY = 4, 64
FIRST_POLL_S = 0.05
THROUGHPUT_BAR, CPU_BAR = 0.6, 2.5

SERVER = """
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.server import serve
serve(Sandbox(task_seconds=0, plain=True), port=0, on_ready=lambda url: print(url, flush=True))
"""


class Took(NamedTuple):
    """What a side needed for its rows."""

    wall_s: float
    cpu_s: float


def given(count: int) -> Iterator[dict[str, Any]]:
    """Different rows."""
    for n in range(count):
        yield {
            "photo": f"https://pictures.invalid/{n}.jpg", "part": "the mug",
            "change": f"glazed in blue number {n}", "model": "flash", "aspect_ratio": "1:1",
            "quality": "512",
        }  # fmt: skip


async def bare(url: str, folder: Path, count: int, *, saves: bool) -> None:
    """Submit, poll, download, with the same widths; with `saves` also write the file."""
    recipe = recipes[RECIPE]
    rows = given(count)
    submits, width = asyncio.Semaphore(SUBMITS), asyncio.Semaphore(CONCURRENCY)
    headers = {"Authorization": "Bearer any"}

    async def one(session: aiohttp.ClientSession, number: int, body: dict[str, Any]) -> None:
        async with (
            submits,
            session.post(f"{url}/api/v1/images/generate", json=body, headers=headers) as reply,
        ):
            task = (await reply.json())["task_id"]
        while True:
            await asyncio.sleep(FIRST_POLL_S)
            async with session.get(f"{url}/api/v1/tasks/{task}", headers=headers) as reply:
                state = await reply.json()
            if state["status"] == "completed":
                break
        async with session.get(state["result"]["images"][0]["url"]) as reply:
            data = await reply.read()
        if saves:
            await asyncio.to_thread((folder / f"{number}.jpg").write_bytes, data)
        width.release()

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for number, row in enumerate(rows):
            await width.acquire()
            group.create_task(one(session, number, recipe.render(**row).payload()))


async def ours(url: str, folder: Path, count: int) -> None:
    """The batch runner, with its ledger."""
    wiring = Wiring(timing=Timing(first_poll_s=FIRST_POLL_S))
    client = AsyncClient(
        backend="qolaba", api_key="any", base_url=url, wiring=wiring,
        ledger=folder / "ledger.sqlite",
    )  # fmt: skip
    async with client:
        options: Any = {"submits": SUBMITS, "concurrency": CONCURRENCY}
        found = [o async for o in client.batch(RECIPE, given(count), out=folder / "o", **options)]
    assert {outcome.state for outcome in found} == {"verified"}


def measured(work: Any) -> Took:
    """Wall time and this process's CPU time of a coroutine."""
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(work)
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def main(count: int = 1000) -> dict[str, Any]:
    """Measure all sides in turn on a fresh emulator each, and print the ratios."""
    took: dict[str, Took] = {}
    for name in ("warm", "bare", "bare with files", "ours"):
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True, env=environment
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder)
                if name == "ours":
                    took[name] = measured(ours(url, place, count))
                else:
                    rows = 50 if name == "warm" else count
                    took[name] = measured(bare(url, place, rows, saves="files" in name))
        finally:
            server.kill()
            server.wait()
    print(f"{count} pictures, {SUBMITS} submits, {CONCURRENCY} in flight")
    for name, side in list(took.items())[1:]:
        print(
            f"{name:16} {count / side.wall_s:7.0f}/s  {1000 * side.cpu_s / count:6.2f} ms CPU each"
        )
    ratios = {
        "throughput": took["bare"].wall_s / took["ours"].wall_s,
        "throughput_with_files": took["bare with files"].wall_s / took["ours"].wall_s,
        "cpu": took["ours"].cpu_s / took["bare"].cpu_s,
        "cpu_with_files": took["ours"].cpu_s / took["bare with files"].cpu_s,
    }
    print(f"throughput {ratios['throughput']:.2f} of bare (bar: at least {THROUGHPUT_BAR})")
    print(f"CPU {ratios['cpu']:.2f} times bare (bar: at most {CPU_BAR})")
    print(json.dumps({name: round(value, 3) for name, value in ratios.items()}))
    return ratios


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
