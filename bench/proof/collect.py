"""Measure seeded pairs once and keep what was measured, so that training can be repeated."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.proof import pairs
from bench.proof.photos import HINT, halves
from nanorecipes.proof import compare, features

SEEDS = {"part": 1, "background": 2, "look": 3}


def jobs(part: int, background: int, look: int) -> list[tuple[pairs.Changes, int]]:
    """(changes, number) of every pair, mixed so that any beginning is a fair sample."""
    listed: list[tuple[pairs.Changes, int]] = [
        *(("part", number) for number in range(part)),
        *(("background", number) for number in range(background)),
        *(("look", number) for number in range(look)),
    ]
    order = np.random.default_rng(0).permutation(len(listed))
    return [listed[int(index)] for index in order]


def seed_of(changes: str, number: int) -> int:
    """The seed of a numbered pair."""
    return number * 7 + SEEDS[changes]


def collect(
    folder: Path, photos: list[Path], wanted: list[tuple[pairs.Changes, int]], seed: int = 0
) -> None:
    """Make and measure the wanted pairs that the folder doesn't hold yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for changes, number in wanted:
        path = folder / f"{changes}-{number}.npz"
        if not path.exists():
            pair = pairs.make_pair(
                photos, seed_of(changes, number) + seed, changes=changes, kept=number % 2 == 0
            )
            # Half of the pairs teach with the region, half without.
            np.savez(path, **measured(pair, given=number % 4 < 2))


def measured(pair: pairs.Pair, *, given: bool) -> dict[str, Any]:
    """Cells, truth and registration of a pair, without the region or with it."""
    loads = compare.load_both(pair.source, pair.output)
    shape = loads.source.pixels.shape[:2]
    rows, columns = features.grid_shape(shape)
    data: dict[str, Any] = {
        "kept": pair.kept, "drift": pair.drift, "edit": pair.edit, "changes": pair.changes,
        "steps": list(pair.steps), "size": shape,
    }  # fmt: skip
    truth = {"edited": pair.edited, "drifted": pair.drifted, "told": pair.told}
    name, ignore = "free", None
    if pair.region is not None and given:
        truth["region"] = pair.region
        name, ignore = "given", _resized(pair.region, shape) > 0.3
    for key, plane in truth.items():
        data[key] = _resized(plane, (rows, columns)).astype(np.float16)
    found = compare.compare(loads, ignore=ignore, edges_only=pair.changes == "look")
    place = found.registered.placement
    data[name] = found.grid.values.astype(np.float16)
    data[f"{name}_valid"] = found.grid.valid
    data[f"{name}_reg"] = np.array(
        [place.agreement, place.inliers, place.structured, place.mirrored]
    )
    return data


def _resized(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    size = (shape[1], shape[0])
    return cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA)


def main() -> None:
    """Collect one share of the tuning pairs; several processes may each take one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", default="0/1", help="0/2 and 1/2 for two processes")
    parser.add_argument("--part", type=int, default=760)
    parser.add_argument("--background", type=int, default=220)
    parser.add_argument("--look", type=int, default=320)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    photos, _ = halves()
    if len(photos) < 12:
        raise SystemExit(f"found {len(photos)} tuning photos, expected at least 12: {HINT}")
    mine, of = (int(number) for number in options.share.split("/"))
    collect(options.folder, photos, jobs(options.part, options.background, options.look)[mine::of])


if __name__ == "__main__":
    main()
