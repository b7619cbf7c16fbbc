"""Start-up as whole processes, against an empty Python in the same run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from bench.timing import process_ms, row

CASES = (
    ("nanorecipes --help", ["-m", "nanorecipes", "--help"], "bar: at most 6x"),
    ("nanorecipes list -q", ["-m", "nanorecipes", "list", "-q"], ""),
    ("nanorecipes render (a local picture)",
     ["-m", "nanorecipes", "render", "edit/change_part", "photo=photo.jpg", "part=the mug",
      "change=blue"], "bar: at most 18x"),
    ("nanorecipes render (macros, a picture by URL)",
     ["-m", "nanorecipes", "render", "outfit/change_outfit", "person=https://example.com/a.jpg",
      "outfit=a navy suit"], "bar: at most 18x"),
    ("import click", ["-c", "import click"], ""),
    ("import yaml, jinja2, pydantic_core", ["-c", "import yaml, jinja2, pydantic_core"], ""),
    ("import yaml, jinja2, pydantic", ["-c", "import yaml, jinja2; from pydantic import BaseModel"],
     ""),
    ("import httpx", ["-c", "import httpx"], ""),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    print("start-up: processor time of whole processes")
    with tempfile.TemporaryDirectory() as folder:
        Image.new("RGB", (400, 300), "teal").save(Path(folder, "photo.jpg"))
        base = process_ms(["-c", "pass"], cwd=folder, rounds=25)
        row("python -c pass", base, "ms", base)
        for name, args, bar in CASES:
            row(name, process_ms(args, cwd=folder), "ms", base, bar)


if __name__ == "__main__":
    main()
