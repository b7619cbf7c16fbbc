"""Draws `docs/images/report.jpg`: the contact sheet of a small catalogue, as a browser shows it.

`python -m docs.draw_report` needs Chromium and its chromedriver. The pictures are the project's own
samples; nothing is sent, and what goes wrong is scripted.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "report.jpg"
SIZE = (1180, 860)
ROWS = (
    ("mug.jpg", "the mug", "glazed deep blue"), ("coat.jpg", "the coat", "moss green wool"),
    ("bottle.jpg", "the bottle", "clear glass"), ("room.jpg", "the sofa", ""),
    ("mug.jpg", "the towel", "striped in blue"), ("room.jpg", "the sofa", "rust red velvet"),
)  # fmt: skip
FAULTS = ("ok", "blocked", "drop_after", "ok", "ok")


def page(folder: Path) -> Path:
    """The report on a batch in which some rows come to nothing."""
    from nanorecipes import Client
    from nanorecipes.batch import queries
    from nanorecipes.batch.ledger import Ledger
    from nanorecipes.client import Wiring
    from nanorecipes.report.page import write_page
    from nanorecipes.report.runs import collect_run
    from nanorecipes.sandbox.core import Sandbox
    from nanorecipes.sandbox.faults import Faults
    from nanorecipes.service.timing import VirtualClock

    clock = VirtualClock()
    faults = Faults.script(FAULTS)
    sandbox = Sandbox(faults=faults, clock=clock.monotonic, wall=clock.time)
    samples = ROOT / "docs" / "samples"
    rows = [{"photo": samples / p, "part": part, "change": change, "quality": "1K"}
            for p, part, change in ROWS]  # fmt: skip
    with Ledger(folder / "ledger.sqlite") as books:
        with Client(sandbox=sandbox, wiring=Wiring(clock=clock), ledger=books) as client:
            list(client.batch("edit/change_part", rows, out=folder / "spring", submits=1))
        run = queries.list_runs(books)[0].run
        shown = collect_run(books, run)
    return write_page(f"{run.recipe}, run {run.id}", shown, folder / "report.html").path


def main() -> None:
    """Draw the picture anew."""
    sys.path.insert(0, str(ROOT / "tests" / "report"))
    from browser import Browser

    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = place
        made = page(Path(place))
        with Browser(Path(place) / "profile") as browser:
            browser.resize(SIZE[0], SIZE[1] + 143)  # with the window's own frame
            browser.open(made)
            browser.wait("return [...document.images].slice(0, 4).every((i) => i.complete)")
            browser.screenshot(Path(place) / "page.png")
        with Image.open(io.BytesIO((Path(place) / "page.png").read_bytes())) as image:
            image.convert("RGB").save(PICTURE, "JPEG", quality=72, optimize=True, progressive=True)
    print(f"{PICTURE.relative_to(ROOT)}: {image.size}, {PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
