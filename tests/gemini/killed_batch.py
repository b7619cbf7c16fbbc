"""A batch on Google in a process of its own: `killed_batch.py URL FOLDER ROWS`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from nanorecipes import AsyncClient
from nanorecipes.service import door

if __name__ == "__main__":
    door.allow_network(False)
    url, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    rows = [
        {
            "photo": f"https://pictures.invalid/{n}.jpg", "part": "the mug",
            "change": f"glazed in blue number {n}", "aspect_ratio": "1:1", "quality": "512",
        }
        for n in range(count)
    ]  # fmt: skip

    async def main() -> None:
        """Run it to the end."""
        async with AsyncClient(
            "gemini", api_key="any", base_url=url, ledger=folder / "ledger.sqlite"
        ) as client:
            async for _ in client.batch("edit/change_part", rows, out=folder / "out"):
                pass

    asyncio.run(main())
