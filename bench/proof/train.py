"""Train the cell and pair classifiers on the tuning photos and write the weights file."""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from bench.proof import pairs
from bench.proof.collect import collect, jobs, seed_of
from bench.proof.photos import halves
from nanorecipes.proof import evidence as ev
from nanorecipes.proof import judge, model

HIDDEN = (16, 8)
ACCUSED = 0.03
"""Share of kept tuning pairs that may be called drifted: some way below the 5 % allowed."""
FOLDS = 4
"""Parts of the photos; pair classifiers are fitted on photos that their cells did not learn."""
FRAMES = pairs.FRAMES


class Measured:
    """One collected pair."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as data:
            self.data: dict[str, Any] = {name: data[name] for name in data.files}
        self.kept = bool(self.data["kept"])
        self.drift, self.edit = str(self.data["drift"]), str(self.data["edit"])
        self.changes = str(self.data["changes"])
        self.number = int(path.stem.split("-")[1])
        self.steps = [str(step) for step in self.data["steps"]]

    def photo(self, count: int) -> int:
        """The number of its photo."""
        changes: pairs.Changes = self.changes  # type: ignore[assignment]  # written by collect
        seed = seed_of(changes, self.number)
        return pairs.photo_index(count, seed, changes=changes, kept=self.kept)

    def ways(self) -> list[str]:
        return [way for way in ("free", "given") if way in self.data]

    def values(self, way: str) -> np.ndarray:
        return self.data[way].astype(np.float32)

    def valid(self, way: str) -> np.ndarray:
        return self.data[f"{way}_valid"]

    def labels(self) -> np.ndarray:
        """1 for cells that visibly changed, 0 for those that didn't, -1 for neither."""
        told = self.data["told"].astype(np.float32)
        area = self.data["drifted"].astype(np.float32)
        if self.changes != "look":
            area = np.maximum(area, self.data["edited"].astype(np.float32))
        near = cv2.dilate((area > 0.02).astype(np.uint8), np.ones((3, 3))) > 0
        labels = np.where(near | (told > 4), -1, 0)
        labels[(area > 0.45) & (told > 8)] = 1
        return labels

    def plain(self, way: str) -> bool:
        """Whether the pair teaches what it should: a visible edit where it must not pass for one,
        and no change beyond what is marked."""
        told = self.data["told"].astype(np.float32)
        marked = (self.data["edited"] > 0.02) | (self.data["drifted"] > 0.02)
        if way == "given":
            marked |= self.data["region"] > 0.1
        near = cv2.dilate(marked.astype(np.uint8), np.ones((5, 5))) > 0
        return not (self.changes != "look" and ((told > 6) & ~near).sum() > 8)

    def usable(self, way: str) -> bool:
        """Whether cells of it can teach: registered, and the frame wasn't the drift."""
        agreement, inliers = self.data[f"{way}_reg"][:2]
        return self.drift not in FRAMES and (agreement > 0.3 or inliers >= 30)


def load_all(folder: Path) -> list[Measured]:
    """Every collected pair of the folder."""
    return [Measured(path) for path in sorted(folder.glob("*.npz"))]


def train_cells(found: list[Measured], changes: set[str], seed: int = 0) -> model.Network:
    """The cell classifier: a first round on a fair sample, a second on what it got wrong too."""
    chosen = [item for item in found if item.changes in changes]
    network: model.Network | None = None
    for turn in range(2):
        rows, labels = _sample(chosen, network, np.random.default_rng(seed + turn))
        mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
        scaled = np.clip((rows - mean) / scale, -6, 6)
        fitter = MLPClassifier(
            HIDDEN,
            alpha=5e-3,
            batch_size=2048,
            learning_rate_init=3e-3,
            max_iter=14,
            random_state=seed,
        )
        with warnings.catch_warnings():
            # A fixed number of rounds is meant: more of them only learn the photos by heart.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitter.fit(scaled, labels)
        network = _network(fitter, mean, scale)
        print(f"  {sorted(changes)} round {turn}: {len(rows)} cells, loss {fitter.loss_:.4f}")
    assert network is not None
    return network


def _sample(
    found: list[Measured], network: model.Network | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    rows, labels = [], []
    for item in found:
        truth = item.labels()
        for way in item.ways():
            if not item.usable(way):
                continue
            values, valid = item.values(way), item.valid(way)
            drifted = item.data["drifted"] > 0.45
            some = [
                _pick(rng, (truth == 1) & valid & drifted, 160),
                _pick(rng, (truth == 1) & valid & ~drifted, 120),
                _pick(rng, (truth == 0) & valid, 220),
            ]
            if network is not None:
                evidence = network.evidence(values)
                some.append(_pick(rng, (truth == 0) & valid & (evidence > -1.0), 160))
                some.append(_pick(rng, (truth == 1) & valid & (evidence < 0.5), 80))
            places = np.concatenate(some)
            rows.append(values.reshape(-1, values.shape[-1])[places])
            labels.append(truth.ravel()[places])
    return np.concatenate(rows), np.concatenate(labels)


def _pick(rng: np.random.Generator, mask: np.ndarray, count: int) -> np.ndarray:
    places = np.flatnonzero(mask)
    return places if len(places) <= count else rng.choice(places, count, replace=False)


def _network(fitter: MLPClassifier, mean: np.ndarray, scale: np.ndarray) -> model.Network:
    layers = tuple(
        (weights.astype(np.float32), bias.astype(np.float32))
        for weights, bias in zip(fitter.coefs_, fitter.intercepts_, strict=True)
    )
    return model.Network(mean.astype(np.float32), scale.astype(np.float32), layers)


def pair_numbers(item: Measured, way: str, network: model.Network) -> np.ndarray | None:
    """What the pair classifier is fed, found just as at use."""
    evidence = network.evidence(item.values(way))
    valid = item.valid(way)
    if way == "given":
        free = ev.grown(item.data["region"] > 0.1, judge.MARGIN)
        return ev.pooled(evidence, valid & ~free)
    if item.changes == "look":
        return ev.pooled(evidence, valid)
    if item.changes == "part":
        part = ev.main_part(evidence, valid)
        return ev.pooled(evidence, valid & ~judge.part_margin(part))
    body = ev.subject(evidence, judge.structured(item.values(way)), valid)
    return None if body is None else ev.pooled(evidence, ev.shrunk(body, 1) & valid)


def judge_name(item: Measured, way: str) -> str:
    """Which pair classifier judges this."""
    return (
        {"part": "part", "background": "subject", "look": "look"}[item.changes]
        if (way == "free")
        else "given"
    )


def train_pairs(found: list[Measured], photos: int) -> dict[str, model.Judge]:
    """One classifier for each way of judging, fitted on cells judged by networks new to them."""
    rows: dict[str, list[np.ndarray]] = {}
    truth: dict[str, list[bool]] = {}
    for fold in range(FOLDS):
        here = [item for item in found if item.photo(photos) % FOLDS == fold]
        networks = train_networks([item for item in found if item not in here])
        for item in here:
            network = networks["layout" if item.changes == "look" else "pixels"]
            for way in item.ways():
                fit = item.usable(way) and item.plain(way)
                numbers = pair_numbers(item, way, network) if fit else None
                if numbers is not None:
                    rows.setdefault(judge_name(item, way), []).append(numbers)
                    truth.setdefault(judge_name(item, way), []).append(not item.kept)
    return {name: _fit_judge(name, np.stack(rows[name]), np.array(truth[name])) for name in rows}


def train_networks(found: list[Measured]) -> dict[str, model.Network]:
    """Both cell classifiers."""
    return {
        "pixels": train_cells(found, {"part", "background"}),
        "layout": train_cells(found, {"look"}),
    }


def _fit_judge(name: str, rows: np.ndarray, drifted: np.ndarray) -> model.Judge:
    """Logistic regression whose weights can't be negative: more evidence never helps the score."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    scaled = (rows - mean) / scale
    weights, bias = np.full(rows.shape[1], 0.5), 0.0
    share = np.where(drifted, 0.5 / drifted.mean(), 0.5 / (1 - drifted.mean()))
    for _ in range(6000):
        chance = 1 / (1 + np.exp(-(scaled @ weights + bias)))
        off = (chance - drifted) * share
        weights = np.maximum(weights - 0.3 * (scaled.T @ off / len(rows) + 0.002 * weights), 0)
        bias -= 0.3 * off.mean()
    odds = scaled @ weights + bias
    # The score at which a pair is called drifted is fixed; the odds are moved to suit it.
    limit = _limit(odds, drifted)
    bias = bias - limit + float(np.log((1 - judge.DRIFTED) / judge.DRIFTED))
    print(
        f"  {name}: {len(rows)} pairs, AUC {auc(odds, drifted):.4f}, limit {limit:.2f}, "
        f"accused {np.mean(odds[~drifted] > limit):.3f}, "
        f"caught {np.mean(odds[drifted] > limit):.3f}, "
        f"weights {np.round(weights, 2)}"
    )
    raw = weights / scale
    return model.Judge(raw.astype(np.float32), float(bias - raw @ mean))


def _limit(odds: np.ndarray, drifted: np.ndarray) -> float:
    """The odds that no more than `ACCUSED` of the kept pairs exceed.

    The mean of three quantiles around it, so that one pair doesn't decide.
    """
    shares = (1 - 2 * ACCUSED, 1 - ACCUSED, 1 - ACCUSED / 2)
    return float(np.mean(np.quantile(odds[~drifted], shares)))


def auc(odds: np.ndarray, drifted: np.ndarray) -> float:
    """Chance that a drifted pair has higher odds than a kept one."""
    order = np.concatenate([odds[drifted], odds[~drifted]])
    ranks = np.empty(len(order))
    _, inverse, counts = np.unique(order, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    positive = int(drifted.sum())
    negative = len(order) - positive
    return float((ranks[:positive].sum() - positive * (positive + 1) / 2) / (positive * negative))


def weights_data(
    networks: dict[str, model.Network], judges: dict[str, model.Judge]
) -> dict[str, Any]:
    """The weights as plain data, rounded to what matters."""
    return {
        "cells": {name: _network_data(network) for name, network in networks.items()},
        "pairs": {
            name: {
                "weights": [round(float(v), 5) for v in judge_.weights],
                "bias": round(judge_.bias, 4),
            }
            for name, judge_ in judges.items()
        },
    }


def _network_data(network: model.Network) -> dict[str, Any]:
    return {
        "mean": model.packed(network.mean),
        "scale": model.packed(network.scale),
        "layers": [
            {"weights": model.packed(weights), "bias": model.packed(bias)}
            for weights, bias in network.layers
        ],
    }


def main() -> None:
    """Collect what is missing, train, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="folder of collected pairs, filled if needed")
    parser.add_argument("--as-found", action="store_true", help="train on what the cache holds")
    parser.add_argument("--weights", type=Path, default=model.WEIGHTS)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    folder = options.cache or Path(tempfile.mkdtemp(prefix="proof-pairs-"))
    if not options.as_found:
        collect(folder, halves()[0], jobs(760, 220, 320))
    found = load_all(folder)
    print(f"{len(found)} pairs")
    judges = train_pairs(found, len(halves()[0]))
    networks = train_networks(found)
    data = weights_data(networks, judges)
    options.weights.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{options.weights.name}: {options.weights.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
