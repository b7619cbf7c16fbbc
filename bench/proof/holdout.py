"""Leave kinds out: how well drifts and re-syntheses are told that the cells never learned."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from bench.proof.photos import halves
from bench.proof.train import Measured, auc, judge_name, load_all, pair_numbers, train_cells
from nanorecipes.proof import model

GROUPS = {
    "bent, moved, turned": ("bulge", "moved", "turned"),
    "recoloured, relit": ("recolour", "relight"),
    "redrawn, lettering": ("detail", "lettering"),
    "texture, blur, flat": ("texture", "blur", "flat"),
    "pasted, cloned, gone": ("clone", "paste", "blended", "inpaint", "gone"),
    "kept by patches": ("patches",),
    "kept by smoothing": ("smooth",),
}


def touched(item: Measured, kinds: tuple[str, ...]) -> bool:
    """Whether one of the kinds is in the pair, as drift, as edit or as step."""
    return bool({item.drift, item.edit, *item.steps} & set(kinds))


def evidence(items: list[Measured], network: model.Network) -> list[tuple[Measured, float]]:
    """Each pair with the odds that the shipped pair classifier gives it."""
    rated = []
    for item in items:
        for way in item.ways():
            if item.usable(way) and item.plain(way):
                numbers = pair_numbers(item, way, network)
                if numbers is not None:
                    rated.append((item, model.judge(judge_name(item, way)).evidence(numbers)))
    return rated


def compare(found: list[Measured], kinds: tuple[str, ...], photos: int) -> tuple[float, float, int]:
    """AUC of the pairs with these kinds: learned with them, and without; photos always new."""
    results: list[list[tuple[Measured, float]]] = [[], []]
    for fold in range(2):
        here = [item for item in found if item.photo(photos) % 2 == fold]
        there = [item for item in found if item.photo(photos) % 2 != fold]
        for index, learned in enumerate(
            (there, [item for item in there if not touched(item, kinds)])
        ):
            network = train_cells(learned, {"part", "background"})
            results[index] += evidence(here, network)
    return (
        *(_auc(result, kinds) for result in results),
        sum(touched(item, kinds) for item, _ in results[0]),
    )  # type: ignore[return-value]  # two numbers and a count


def _auc(rated: list[tuple[Measured, float]], kinds: tuple[str, ...]) -> float:
    """Drifts of these kinds against all kept pairs, or for steps the pairs with them."""
    steps = set(kinds) <= {"patches", "smooth"}
    chosen = [
        (item, odds)
        for item, odds in rated
        if (touched(item, kinds) if steps else item.kept or item.drift in kinds)
    ]
    drifted = np.array([not item.kept for item, _ in chosen])
    return auc(np.array([odds for _, odds in chosen]), drifted)


def main() -> None:
    """Print a row for each group of kinds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path, help="folder of collected tuning pairs")
    options = parser.parse_args()
    found = [item for item in load_all(options.cache) if item.changes != "look"]
    photos = len(halves()[0])
    for name, kinds in GROUPS.items():
        with_them, without, count = compare(found, kinds, photos)
        print(f"{name:<28} {count:>5} pairs  learned {with_them:.3f}  left out {without:.3f}")


if __name__ == "__main__":
    main()
