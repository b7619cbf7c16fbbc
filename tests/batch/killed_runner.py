"""A batch in a process of its own, made to be killed: `killed_runner.py URL FOLDER ROWS`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nanorecipes import AsyncClient
from nanorecipes.batch import keeper
from nanorecipes.client import Wiring
from nanorecipes.service import door
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import Timing

RECIPE = "edit/change_part"


def given(count: int) -> Iterator[dict[str, Any]]:
    """The rows; every tenth is the same as the one before."""
    for n in range(count):
        number = n - 1 if n % 10 == 9 else n
        yield {
            "photo": f"https://pictures.invalid/{number}.jpg", "part": "the mug",
            "change": f"glazed in blue number {number}", "model": "flash", "aspect_ratio": "1:1",
            "quality": "512",
        }  # fmt: skip


async def main(url: str, folder: Path, count: int) -> None:
    """Run the batch and say what the rows came to."""
    wiring = Wiring(
        retry=RetryPolicy(first_s=0.01, longest_s=0.05),
        timing=Timing(first_poll_s=0.01, longest_poll_s=0.05),
    )
    client = AsyncClient(
        backend="qolaba", api_key="any", base_url=url, wiring=wiring,
        ledger=folder / "ledger.sqlite",
    )  # fmt: skip
    async with client:
        async for outcome in client.batch(RECIPE, given(count), out=folder / "out"):
            print(outcome.number, outcome.state, outcome.task_id or "-", flush=True)


if __name__ == "__main__":
    door.allow_network(False)
    keeper.FEW = 4  # processes write here too, as they do where pictures come faster
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
