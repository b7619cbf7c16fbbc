"""What a batch takes of memory, at few rows and at many: the peak of a process, as a ratio.

Run it with `python -m bench.memory [ROWS [FEW]]`. Each batch runs in a process of its own against
an emulator in another; rows stream in, outcomes are dropped as they come. With the 200,000 rows of
the bar it takes some seven minutes and 5 GB of disk, which are given back; left out, it is 20,000.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.batch import CONCURRENCY, RECIPE, SUBMITS, TIMING, emulator, given
from nanorecipes import AsyncClient
from nanorecipes.client import Wiring

MANY, FEW = 20_000, 2_000
BAR = 1.5
_KIB = 1024 if sys.platform != "darwin" else 1024 * 1024  # what ru_maxrss counts in a MiB


async def run(url: str, folder: Path, count: int) -> Counter[str]:
    """A batch whose outcomes nobody keeps."""
    client = AsyncClient(
        backend="qolaba", api_key="any", base_url=url, wiring=Wiring(timing=TIMING),
        ledger=folder / "ledger.sqlite",
    )  # fmt: skip
    states: Counter[str] = Counter()
    async with client:
        async for outcome in client.batch(
            RECIPE, given(count), out=folder / "out", submits=SUBMITS, concurrency=CONCURRENCY
        ):
            states[outcome.state] += 1
    return states


def peak_mib(count: int) -> float:
    """The peak of a process that runs so many rows."""
    command = [sys.executable, "-m", "bench.memory", "--one", str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def one(count: int) -> None:
    """Run a batch in this process, and print its peak in MiB."""
    with tempfile.TemporaryDirectory(prefix="nanorecipes-bench-") as place, emulator() as url:
        states = asyncio.run(run(url, Path(place), count))
        assert states == {"verified": count}, states
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB)


def main(many: int = MANY, few: int = FEW) -> float:
    """Measure both, and print the ratio."""
    small, large = peak_mib(few), peak_mib(many)
    ratio = large / small
    print(f"A batch's peak: {small:.1f} MiB at {few:,} rows, {large:.1f} MiB at {many:,}")
    print(f"  {ratio:.2f}x  at most {BAR}x")
    return ratio


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(int(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
