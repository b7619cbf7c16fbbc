"""The contact sheet on 5,000 rows: rows a second, the page's size, and when a browser paints it.

Run it with `python -m bench.report [ROWS]`. Pictures are copies of the project's own samples, and
their records those of a real run on the emulator, with the texts that differ from row to row.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.timing import once_ms, row
from nanorecipes import Client, files, recipes
from nanorecipes.batch import queries
from nanorecipes.batch.ledger import Ledger
from nanorecipes.client import Wiring
from nanorecipes.report.page import Report, write_page, write_report
from nanorecipes.report.runs import collect_run
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.service.timing import VirtualClock

ROOT = Path(__file__).parent.parent
SAMPLES = sorted((ROOT / "docs" / "samples").glob("*.jpg"))
RECIPE = "edit/change_part"
RATE_BAR, BYTES_BAR, PAINT_BAR_MS = 200, 3_000_000, 1000
COLORS = ("deep blue", "moss green", "warm white", "brick red", "lemon yellow", "slate grey")


def arguments(n: int) -> dict[str, Any]:
    """The arguments of a row: texts as a catalogue has them, most words shared, some its own."""
    sample = SAMPLES[n % len(SAMPLES)]
    color = COLORS[n % len(COLORS)]
    return {
        "photo": sample, "part": f"the {sample.stem} on the left", "quality": "1K",
        "change": f"glazed {color}, as article {n * 7919 % 100_003} of the spring collection",
    }  # fmt: skip


def fill_folder(folder: Path, count: int) -> None:
    """Pictures with the sidecars that `save` writes, each with texts of its own."""
    with Client(backend="sandbox", ledger=False) as client:
        result = client.run(recipes[RECIPE].render(**arguments(0)))
    first = result.images[0].save(folder)
    facts = json.loads(first.with_name(f"{first.name}.json").read_bytes())
    data = first.read_bytes()
    for n in range(1, count):
        request = recipes[RECIPE].render(**arguments(n))
        path = folder / f"picture-{n:05d}.jpg"
        path.write_bytes(data)
        told = {
            **facts, "prompt": request.prompt, "task_id": f"task-{n * 7919 % 100_003:06d}",
            "sections": [{"name": s.name, "text": s.text} for s in request.sections],
            "inputs": {
                "images": [{
                    "slot": "photo", "role": "source", "ordinal": 1,
                    "source": str(request.first_source.source),
                    "sha256": files.sha256(Path(request.first_source.source).read_bytes()),
                }],
                "values": dict(request.inputs), "additions": {},
            },
            "cost_usd": str(Decimal("0.045") + n % 5 * Decimal("0.02")),
            "finished_at": f"2026-11-{1 + n % 27:02d}T{n % 24:02d}:{n % 60:02d}:00+00:00",
        }  # fmt: skip
        path.with_name(f"{path.name}.json").write_text(json.dumps(told, indent=1), "utf-8")


def fill_ledger(folder: Path, count: int) -> None:
    """A batch in which one row of ten comes to nothing."""
    clock = VirtualClock()
    faults = Faults({"drop_after": 0.02, "failed_task": 0.03, "blocked": 0.03, "no_image": 0.02})
    sandbox = Sandbox(faults=faults, clock=clock.monotonic, wall=clock.time, plain=True)
    wiring = Wiring(clock=clock)
    with Client(sandbox=sandbox, wiring=wiring, ledger=folder / "ledger.sqlite") as client:
        for _ in client.batch(RECIPE, map(arguments, range(count)), out=folder / "out"):
            pass


def run_report(folder: Path) -> Report:
    """The report on the ledger's only run."""
    with Ledger(folder / "ledger.sqlite") as books:
        rows = collect_run(books, queries.list_runs(books)[0].run)
    return write_page("run", rows, folder / "report.html")


def measure(name: str, write: Callable[[], Report], count: int) -> Report:
    """Print rows a second with and without thumbnails, and the page's size."""
    cold = once_ms(write, rounds=1)
    report = write()
    assert report.thumbnails_made == 0
    assert report.rows == count
    warm = once_ms(write, rounds=3)
    row(f"{name}: rows a second, thumbnails made", count / cold * 1e3, "/s")
    rate, size = count / warm * 1e3, report.html_bytes
    row(f"{name}: rows a second, thumbnails cached", rate, "/s", None, f"bar {RATE_BAR}/s")
    row(f"{name}: HTML without pictures", size / 1e6, "MB", None, f"bar {BYTES_BAR / 1e6:.0f} MB")
    return report


def paint_ms(page: Path, home: Path) -> float | None:
    """Milliseconds until a browser paints the page's first content; None without a browser."""
    if not (shutil.which("chromedriver") and shutil.which("chromium")):
        return None
    sys.path.insert(0, str(ROOT / "tests" / "report"))
    from browser import Browser

    with Browser(home) as browser:
        browser.open(page)  # the first page of a browser also loads the browser
        times = []
        for _ in range(5):
            browser.open(page)
            times.append(browser.run(
                "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
            ))  # fmt: skip
    return float(min(times))


def main(count: int = 5000) -> None:
    """Measure a folder and a run of the ledger, and print what was found."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        os.environ["XDG_CACHE_HOME"] = str(home / "cache")
        shown = home / "shown"
        shown.mkdir()
        fill_folder(shown, count)
        print(f"report, {count} rows")
        report = measure("DIR", lambda: write_report(shown), count)
        paint = paint_ms(report.path, home / "profile")
        if paint is not None:
            row("DIR: first paint", paint, "ms", None, f"bar {PAINT_BAR_MS} ms")
        bought = home / "bought"
        bought.mkdir()
        fill_ledger(bought, count)
        measure("RUN", lambda: run_report(bought), count)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
