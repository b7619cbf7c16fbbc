"""The table: verdicts on the test half against the bars and against plain measures."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bench.proof import baselines, pairs
from bench.proof.collect import jobs, seed_of
from bench.proof.photos import HINT, find_photos, halves, read_large
from bench.proof.train import auc
from nanorecipes.proof import Proof, prove, restore

TEST_SEED = 5_000_000
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
TIME_LIMIT_S, MEMORY_LIMIT_MB = 1.5, 600


def judge(job: tuple[pairs.Changes, int]) -> dict[str, Any]:
    """One pair of the test half, judged by everything in the table."""
    changes, number = job
    cv2.setNumThreads(1)
    pair = pairs.make_pair(
        halves()[1], TEST_SEED + seed_of(changes, number), changes=changes, kept=number % 2 == 0
    )
    row: dict[str, Any] = {
        "changes": changes, "number": number, "kept": pair.kept, "drift": pair.drift,
        "edit": pair.edit, "steps": pair.steps,
    }  # fmt: skip
    row["free"] = _outcome(prove(pair.source, pair.output, changes=changes))
    if pair.region is not None:
        mask = Image.fromarray((pair.region * 255).astype(np.uint8))
        proof = prove(pair.source, pair.output, changes=changes, region=mask)
        row["given"] = _outcome(proof)
        if not pair.kept and pair.drift not in pairs.FRAMES:
            row["overlap"] = _overlaps(proof, pair)
        row["plain"] = baselines.measure(pair.source, pair.output, pair.region)
    if changes == "part" and pair.kept and number % 8 == 0:
        row["restore"] = _restored(pair)
    return row


def _outcome(proof: Proof) -> dict[str, Any]:
    return {"verdict": proof.verdict, "score": proof.score, "time_s": proof.duration_s}


def _overlaps(proof: Proof, pair: pairs.Pair) -> dict[str, float]:
    """Intersection over union of found and true drift: of the changed pixels, and of boxes."""
    assert pair.region is not None
    shape = pair.drifted.shape
    chance = np.asarray(proof.change_map().resize(shape[::-1], Image.Resampling.BILINEAR))
    found = (chance > 127) & ~pair.region
    boxes = np.zeros(shape, bool)
    for change in proof.drift:
        left, top, right, bottom = change.box
        boxes[top:bottom, left:right] = True
    left, top, wide, tall = cv2.boundingRect(pair.drifted.astype(np.uint8))
    box = np.zeros(shape, bool)
    box[top : top + tall, left : left + wide] = True
    return {"pixels": _overlap(found, pair.drifted), "boxes": _overlap(boxes & ~pair.region, box)}


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / max(1, (first | second).sum()))


def _restored(pair: pairs.Pair) -> dict[str, float] | None:
    """Difference to the source outside the region, before and after restoring."""
    assert pair.region is not None
    mask = Image.fromarray((pair.region * 255).astype(np.uint8))
    try:
        done = restore(pair.source, pair.output, region=mask)
    except Exception as exc:  # a refusal is an outcome to count
        return {"refused": 1.0} if "laid over" in str(exc) else {"failed": 1.0}
    same = pair.output.size == pair.source.size
    away = cv2.erode((~pair.region).astype(np.uint8), np.ones((25, 25))) > 0
    if "frame" in pair.steps or not same or not away.any():
        proof = prove(pair.source, done.image, region=mask)
        return {"score": proof.score or 0.0}
    planes = [
        np.asarray(image.convert("RGB"), np.float32)
        for image in (pair.source, pair.output, done.image)
    ]
    before, after = (float(np.abs(plane - planes[0])[away].mean()) for plane in planes[1:])
    inside = cv2.erode(pair.region.astype(np.uint8), np.ones((7, 7))) > 0
    touched = float(np.abs(planes[2] - planes[1])[inside].max()) if inside.any() else 0.0
    proof = prove(pair.source, done.image, region=mask)
    return {"before": before, "after": after, "touched": touched, "score": proof.score or 0.0}


def table(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(measure, value, bar) for everything that was asked."""
    given = [row for row in rows if "given" in row]
    lines = [
        ("AUC with the region", _auc(given, "given"), ">= 0.970"),
        (
            "AUC without, part",
            _auc([r for r in rows if r["changes"] == "part"], "free"),
            ">= 0.950",
        ),
        (
            "AUC without, background",
            _auc([r for r in rows if r["changes"] == "background"], "free"),
            "",
        ),
        ("AUC without, look", _auc([r for r in rows if r["changes"] == "look"], "free"), ""),
        ("AUC without, all", _auc(rows, "free"), ">= 0.900"),
    ]
    for name, chosen, way in (
        ("with the region", given, "given"),
        ("without, part", [r for r in rows if r["changes"] == "part"], "free"),
    ):
        bar = ("<= 5.0 %", ">= 93.0 %") if way == "given" else ("", "")
        lines += [
            (f"kept called drifted, {name}", _share(chosen, way, kept=True), bar[0]),
            (f"drifted caught, {name}", _share(chosen, way, kept=False), bar[1]),
        ]
    overlaps = [row["overlap"] for row in given if "overlap" in row]
    for key in ("pixels", "boxes"):
        mean = float(np.mean([overlap[key] for overlap in overlaps]))
        lines.append((f"IoU of drift, {key}", f"{mean:.3f}", ">= 0.600"))
    for name in baselines.NAMES:
        kept = np.array([not row["kept"] for row in given])
        odds = -np.array([row["plain"][name] for row in given])
        lines.append((f"AUC of {name}", f"{auc(odds, kept):.3f}", ""))
    return lines


def _auc(rows: list[dict[str, Any]], way: str) -> str:
    drifted = np.array([not row["kept"] for row in rows])
    odds = -np.array([row[way]["score"] for row in rows])
    return f"{auc(odds, drifted):.3f}"


def _share(rows: list[dict[str, Any]], way: str, *, kept: bool) -> str:
    called = [row[way]["verdict"] == "drifted" for row in rows if row["kept"] == kept]
    return f"{100 * float(np.mean(called)):.1f} %"


def by_kind(rows: list[dict[str, Any]]) -> list[tuple[str, int, str, str]]:
    """Kind of drift, pairs, caught with and without the region; then accused, by kept step."""
    lines = []
    for changes in ("part", "background", "look"):
        for kind in pairs.DRIFTS:
            chosen = [r for r in rows if r["drift"] == kind and r["changes"] == changes]
            if chosen:
                lines.append((f"{changes}: {kind}", len(chosen), *_caught(chosen)))
    for step in (*sorted({step for row in rows for step in row["steps"]}),):
        chosen = [row for row in rows if row["kept"] and step in row["steps"]]
        if chosen:
            lines.append((f"kept, {step}: accused", len(chosen), *_caught(chosen)))
    return lines


def _caught(rows: list[dict[str, Any]]) -> tuple[str, str]:
    shares = []
    for way in ("given", "free"):
        called = [row[way]["verdict"] == "drifted" for row in rows if way in row]
        shares.append(f"{100 * float(np.mean(called)):.0f} %" if called else "-")
    return shares[0], shares[1]


def restores(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """What restoring did to kept pairs."""
    done = [row["restore"] for row in rows if row.get("restore")]
    full = [item for item in done if "before" in item]
    scores = [item["score"] for item in done if "score" in item]
    refused = sum("refused" in item for item in done)
    lines = [("restored pairs, refused", f"{len(done) - refused}, {refused}", "")]
    if full:
        lines += [
            (
                "difference outside, before and after",
                ", ".join(f"{np.mean([i[key] for i in full]):.2f}" for key in ("before", "after")),
                "encoder alone",
            ),
            ("most touched inside", f"{max(i['touched'] for i in full):.0f}", "0"),
        ]
    if scores:
        lines.append(
            ("kept after restoring", f"{100 * np.mean(np.array(scores) >= 0.5):.0f} %", "100 %")
        )
    return lines


# VmHWM and not ru_maxrss: the latter keeps what the parent held when it started this process.
MEASURE = """
import sys, time
import cv2
cv2.setNumThreads(1)
from nanorecipes.proof import prove
best = 1e9
for _ in range(int(sys.argv[3])):
    # One thread: the processor's time is the time on an idle core.
    started = time.process_time()
    prove(sys.argv[1], sys.argv[2], region=(0.3, 0.3, 0.6, 0.6))
    best = min(best, time.process_time() - started)
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(best, int(peak) / 1024)
"""


def costs(folder: Path) -> list[tuple[str, str, str]]:
    """Time for 2 megapixels and memory at 4K, each in a process of its own."""
    lines = []
    for name, size, suffix in (
        ("time for 2 MP, JPEG", (1632, 1224), "jpg"), ("time for 2 MP, PNG", (1632, 1224), "png"),
        ("memory at 4K, JPEG", (4096, 4096), "jpg"), ("memory at 4K, PNG", (4096, 4096), "png"),
    ):  # fmt: skip
        image = read_large(size)
        first, second = folder / f"first.{suffix}", folder / f"second.{suffix}"
        image.save(first)
        # Turned and shifted, so that a plain resize doesn't fit and features have to be matched.
        turned = image.rotate(1.2, Image.Resampling.BILINEAR, translate=(size[0] // 50, 9))
        turned.point(lambda value: min(255, value + 6)).save(second)
        times = "5" if "time" in name else "1"
        call = [sys.executable, "-c", MEASURE, str(first), str(second), times]
        seconds, memory = subprocess.run(
            call, check=True, capture_output=True, text=True, env=os.environ | ONE_THREAD
        ).stdout.split()
        if "time" in name:
            lines.append((name, f"{float(seconds):.2f} s", f"<= {TIME_LIMIT_S} s"))
        else:
            lines.append((name, f"{float(memory):.0f} MB", f"<= {MEMORY_LIMIT_MB} MB"))
    return lines


def show(title: str, lines: list[tuple[Any, ...]]) -> None:
    """Print rows in columns."""
    print(f"\n{title}")
    for line in lines:
        print(f"  {line[0]:<44}" + "".join(f"{value!s:>16}" for value in line[1:]))


def main() -> None:
    """Judge the test half and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=int, default=200)
    parser.add_argument("--background", type=int, default=60)
    parser.add_argument("--look", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write every row here")
    options = parser.parse_args()
    photos = find_photos()
    if len(photos) < 24:
        raise SystemExit(f"found {len(photos)} photos, expected at least 24: {HINT}")
    started = time.perf_counter()
    wanted = jobs(options.part, options.background, options.look)
    if options.workers > 1:
        with ProcessPoolExecutor(options.workers) as pool:
            rows = list(pool.map(judge, wanted, chunksize=4))
    else:
        rows = [judge(job) for job in wanted]
    if options.json:
        options.json.write_text(json.dumps(rows, default=str) + "\n", encoding="utf-8")
    tuning, testing = halves()
    print(f"{len(photos)} photos, {len(tuning)} for tuning and {len(testing)} for testing; "
          f"{len(rows)} test pairs in {time.perf_counter() - started:.0f} s")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        spent = costs(Path(folder))
    show("Bars", [*table(rows), *spent, *restores(rows)])
    show("Called drifted, by kind: pairs, with the region, without", by_kind(rows))


if __name__ == "__main__":
    main()
