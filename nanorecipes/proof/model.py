"""The small learned classifier: a few kilobytes of weights, run with plain arrays."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nanorecipes.proof.engine import np

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Plane

Kind = Literal["pixels", "layout"]
"""What is held: the pixels themselves, or only edges and layout."""
WEIGHTS = Path(__file__).with_name("weights.json")


@dataclass(frozen=True)
class Network:
    """Two small layers over standardised measurements."""

    mean: Plane
    scale: Plane
    layers: tuple[tuple[Plane, Plane], ...]

    def evidence(self, values: Plane) -> Plane:
        """Log-odds that a cell changed, for each row of measurements."""
        signal = np.clip((values - self.mean) / self.scale, -6, 6)
        for index, (weights, bias) in enumerate(self.layers):
            signal = signal @ weights + bias
            if index + 1 < len(self.layers):
                signal = np.maximum(signal, 0)
        result: Plane = signal[..., 0]
        return result


@dataclass(frozen=True)
class Judge:
    """The last step: from a few numbers about a pair, the log-odds that it drifted."""

    weights: Plane
    bias: float

    def evidence(self, numbers: Plane) -> float:
        """Log-odds of drift."""
        return float(numbers @ self.weights + self.bias)


@lru_cache(maxsize=2)
def network(kind: Kind) -> Network:
    """The cell classifier for what is held."""
    data = _read()["cells"][kind]
    layers = tuple((unpacked(part["weights"]), unpacked(part["bias"])) for part in data["layers"])
    return Network(unpacked(data["mean"]), unpacked(data["scale"]), layers)


@lru_cache(maxsize=8)
def judge(name: str) -> Judge:
    """The pair classifier of a way of judging."""
    data = _read()["pairs"][name]
    return Judge(_plane(data["weights"]), float(data["bias"]))


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return data


def packed(plane: Plane) -> dict[str, Any]:
    """An array as text: its shape, and its numbers in half precision."""
    numbers = base64.b64encode(plane.astype("<f2").tobytes()).decode("ascii")
    return {"shape": list(plane.shape), "f16": numbers}


def unpacked(data: dict[str, Any]) -> Plane:
    """The array that `packed` wrote."""
    numbers = np.frombuffer(base64.b64decode(data["f16"]), dtype="<f2")
    return numbers.reshape(data["shape"]).astype(np.float32)


def _plane(numbers: object) -> Plane:
    return np.asarray(numbers, dtype=np.float32)
