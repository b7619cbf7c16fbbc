"""Checking a whole table: rows a second and memory, where every row differs.

Run it with `python -m bench.check [ROWS]`. Each table is checked by the command itself, in a
process of its own; what a process takes for a table of ten rows is taken off the time.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.timing import row

RECIPE = "edit/change_part"
SAMPLE = Path(__file__).parent.parent / "docs" / "samples" / "mug.jpg"
RATE_BAR, MEMORY_BAR = 5_000, 1.5
FEW = 2_000
FILES = 20_000
"""Different picture files at most; a table of more rows names them again."""

# A child begins as a copy of this process and counts that as its own: a small one stands between.
SMALL = """
import os, resource, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
status = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status[1]), status[2].ru_utime + status[2].ru_stime,
      status[2].ru_maxrss)
"""


class Took(NamedTuple):
    """What one process needed."""

    cpu_s: float
    peak_mib: float


def process(*args: str, cwd: Path) -> Took:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-c", SMALL, sys.executable, "-m", "nanorecipes", *args]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )
    code, cpu_s, peak_kib = done.stdout.split()[-3:]
    if code != "0":
        raise RuntimeError(f"{args}: exit {code}: {done.stderr[-800:]}")
    return Took(float(cpu_s), int(peak_kib) / 1024)


def urls(number: int) -> dict[str, str]:
    """A row with texts and a picture of its own, behind a URL."""
    return {
        "photo": f"https://pictures.invalid/{number}.jpg", "part": f"the mug number {number}",
        "change": f"glazed in the blue of article {number * 7919 % 1_000_003}",
    }  # fmt: skip


def same_texts(number: int) -> dict[str, str]:
    """A row that differs from the others by its picture alone, as most of a catalogue does."""
    return {
        "photo": f"https://pictures.invalid/{number}.jpg", "part": "the mug",
        "change": "glazed deep blue",
    }  # fmt: skip


def files(number: int) -> dict[str, str]:
    """A row with texts of its own and a picture on the disk."""
    return {**urls(number), "photo": f"photos/{number % FILES}.jpg"}


KINDS: dict[str, Callable[[int], dict[str, str]]] = {
    "texts and URLs differ": urls, "only URLs differ": same_texts, "texts and files differ": files,
}  # fmt: skip


def table(folder: Path, name: str, make: Callable[[int], dict[str, str]], count: int) -> Path:
    """A CSV file of so many rows."""
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(make(0)))
        writer.writeheader()
        writer.writerows(map(make, range(count)))
    return path


def photos(folder: Path, count: int) -> None:
    """Different files: links would be one file, and one look."""
    place = folder / "photos"
    place.mkdir()
    head = SAMPLE.read_bytes()[:20_000]
    for number in range(min(count, FILES)):
        (place / f"{number}.jpg").write_bytes(head + number.to_bytes(4))


def check(folder: Path, path: Path) -> Took:
    """`nanorecipes batch --check` on a table."""
    constants = ("--model", "flash", "--aspect-ratio", "1:1")
    return process(
        "batch", RECIPE, path.name, *constants, "-o", "out", "--sandbox", "--check", "--quiet",
        cwd=folder,
    )  # fmt: skip


def main(count: int = 200_000) -> dict[str, float]:
    """Check tables of all kinds, and print rows a second and the memory's growth."""
    ratios: dict[str, float] = {}
    print(f"Checking {count:,} rows (the command's own time; the start taken off)")
    folder = Path(tempfile.mkdtemp(prefix="nanorecipes-bench-"))
    try:
        photos(folder, count)
        for name, make in KINDS.items():
            start = min(check(folder, table(folder, "start", make, 10)).cpu_s for _ in range(3))
            few = check(folder, table(folder, "few", make, FEW))
            many = check(folder, table(folder, "many", make, count))
            rate = count / (many.cpu_s - start)
            ratios[f"rate, {name}"] = rate
            ratios[f"memory, {name}"] = many.peak_mib / few.peak_mib
            row(name, rate, "/s", RATE_BAR, f"at least {RATE_BAR:,} rows/s")
            row(f"  memory against {FEW:,} rows", many.peak_mib, "MiB", few.peak_mib,
                f"at most {MEMORY_BAR}x")  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ratios


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
