"""Pictures of a proof: the change map, the overlay, and the files of both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from nanorecipes.errors import SaveError
from nanorecipes.proof.engine import np

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Bytes, Mask, Plane
    from nanorecipes.proof.values import Proof

DRIFT, ALLOWED = (225, 45, 35), (40, 120, 230)


@dataclass(frozen=True)
class Canvas:
    """What is needed to draw a proof; kept small, drawn when asked."""

    output: Bytes
    """The output in the source's frame."""
    chance: Plane
    """Probability of change for each pixel."""
    allowed: Mask
    valid: Mask | None = None

    def change_map(self) -> Image.Image:
        """Probability of change as grey."""
        return Image.fromarray((self.chance * 255).astype(np.uint8))

    def overlay(self, proof: Proof) -> Image.Image:
        """Heat over a faded output, with a box around each place."""
        grey = self.output.mean(axis=2, keepdims=True)
        faded = 0.55 * self.output + 0.45 * (0.5 * grey + 110)
        colour = np.where(self.allowed[..., None], ALLOWED, DRIFT)
        heat = (np.clip(self.chance - 0.35, 0, 1) * 0.9)[..., None]
        mixed = faded * (1 - heat) + colour * heat
        if self.valid is not None:
            mixed[~self.valid] *= 0.4
        image = Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
        _draw_boxes(image, proof)
        return image


def _draw_boxes(image: Image.Image, proof: Proof) -> None:
    draw = ImageDraw.Draw(image)
    across = image.width / proof.source_size[0]
    down = image.height / proof.source_size[1]
    line = max(2, round(max(image.size) / 400))
    for change in proof.changed:
        left, top, right, bottom = change.box
        corners = (left * across, top * down, right * across - 1, bottom * down - 1)
        if corners[2] <= corners[0] or corners[3] <= corners[1]:
            continue
        draw.rectangle(corners, outline=ALLOWED if change.expected else DRIFT, width=line)


def save_proof(proof: Proof, directory: str | Path) -> dict[str, Path]:
    """Write the proof's three files.

    Raises:
        SaveError: the directory or a file can't be written.
    """
    folder = Path(directory)
    paths = {
        "json": folder / "proof.json",
        "overlay": folder / "overlay.jpg",
        "change_map": folder / "change-map.png",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(proof.to_json(), indent=2, ensure_ascii=False)
        paths["json"].write_text(text + "\n", encoding="utf-8")
        proof.overlay().save(paths["overlay"], quality=88)
        proof.change_map().save(paths["change_map"])
    except OSError as exc:
        raise SaveError(f"the proof can't be written: {exc}", path=folder) from exc
    return paths
