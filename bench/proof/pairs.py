"""Seeded pairs of pictures: promises kept and promises broken, every pixel new in both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from bench.proof import fills, resynthesis, styles

Rng = np.random.Generator
Changes = Literal["part", "background", "look"]
FRAMES = ("crop", "mirror", "different")
DRIFTS = (*fills.FILLS, "lettering", "gone", *FRAMES)
FREE_IN_LOOK = ("texture", "blur", "recolour", "relight")
"""Where only the composition is held these aren't drifts."""


@dataclass(frozen=True)
class Pair:
    """A source, an output, and the truth about them."""

    source: Image.Image
    output: Image.Image
    changes: Changes
    kept: bool
    drift: str
    """The kind of drift, or nothing."""
    edit: str
    region: np.ndarray | None
    """Mask in source pixels where change was allowed, for judging with the region."""
    edited: np.ndarray
    """What was in truth changed with leave, in source pixels."""
    drifted: np.ndarray
    """What was changed without leave, in source pixels; all for a drift of the frame."""
    told: np.ndarray
    """How visibly each source pixel changed before the re-synthesis, in grey levels."""
    steps: tuple[str, ...]


@lru_cache(maxsize=80)
def read_photo(path: Path, side: int) -> np.ndarray:
    """A photo in RGB with the given long side."""
    with Image.open(path) as image:
        image.draft("RGB", (side * 2, side * 2))
        image = image.convert("RGB")
    scale = min(1.0, side / max(image.size))
    size = (round(image.width * scale), round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def make_pair(
    photos: list[Path],
    seed: int,
    *,
    changes: Changes,
    kept: bool,
    drift: str = "",
    without: frozenset[str] = frozenset(),
) -> Pair:
    """One pair from the seed; `without` leaves kinds of drift, step or look out."""
    rng = np.random.default_rng([seed, int(kept), len(changes)])
    cv2.setRNGSeed(seed % 2**31)
    path = photos[photo_index(len(photos), seed, changes=changes, kept=kept)]
    rng.integers(len(photos))
    others = [photo for photo in photos if photo != path]
    other = read_photo(others[int(rng.integers(len(others)))], 900).astype(np.float32)
    side = int(rng.choice([640, 800, 1024, 1280]))
    source = read_photo(path, side).astype(np.float32)
    if not kept and not drift:
        drift = _drift_kind(rng, without | set(FREE_IN_LOOK if changes == "look" else ()))
    edited_kinds = [kind for kind in fills.FILLS if kind not in without]
    edit = str(rng.choice(edited_kinds))
    scene = _Scene(source, other, rng)
    output = scene.edit(changes, edit, needed=not kept)
    lettered = drift == "lettering" or (kept and rng.random() < 0.3)
    output = scene.letter(output, change=drift == "lettering") if lettered else output
    if drift and drift not in (*FRAMES, "lettering"):
        output = scene.drift(output, drift)
    told = scene.told(output)
    new, steps = scene.render(output, changes, drift, without)
    region = scene.region() if changes != "look" else None
    return Pair(
        Image.fromarray(scene.source.clip(0, 255).astype(np.uint8)),
        new, changes, kept, drift, edit if changes == "part" else changes, region,
        scene.edited > 0.3, scene.drifted > 0.3, told, tuple(steps),
    )  # fmt: skip


def photo_index(count: int, seed: int, *, changes: Changes, kept: bool) -> int:
    """Which of `count` photos the pair of that seed is made from."""
    return int(np.random.default_rng([seed, int(kept), len(changes)]).integers(count))


def _drift_kind(rng: Rng, without: set[str] | frozenset[str]) -> str:
    kinds = [kind for kind in DRIFTS if kind not in without]
    weights = np.array([2.5 if kind in ("lettering", "bulge", "detail") else 1.0 for kind in kinds])
    return str(rng.choice(kinds, p=weights / weights.sum()))


class _Scene:
    """One pair in the making."""

    def __init__(self, source: np.ndarray, other: np.ndarray, rng: Rng) -> None:
        self.source, self.other, self.rng = source, other, rng
        self.shape = source.shape[:2]
        self.edited = np.zeros(self.shape, np.float32)
        self.drifted = np.zeros(self.shape, np.float32)

    def edit(self, changes: Changes, kind: str, *, needed: bool) -> np.ndarray:
        """The change that was asked for; `needed` where without it the drift would pass for it."""
        rng = self.rng
        if changes == "look":
            return self.source
        if changes == "background":
            subject = self._subject()
            self.edited = 1 - subject
            behind = fills._window(self.other, self.source.shape, rng)
            if rng.random() < 0.25:
                behind = cv2.GaussianBlur(behind, (0, 0), float(rng.uniform(2, 9)))
            soft = cv2.GaussianBlur(1 - subject, (0, 0), float(rng.uniform(0.7, 2)))
            return fills.mix(self.source, behind, soft)
        if rng.random() < 0.04 and not needed:
            return self.source
        for _ in range(8 if needed else 1):
            share = float(np.exp(rng.uniform(np.log(0.02), np.log(0.3))))
            self.edited = fills.blob(self.shape, share, rng)
            soft = fills.soften(self.edited, rng)
            output = fills.FILLS[kind](self.source, soft, self.other, rng)
            if difference(self.source, output, self.edited) > 12:
                return output
        return output if not needed else fills.paste(self.source, soft, self.other, rng)

    def _subject(self) -> np.ndarray:
        """A compact thing near the middle: what the background changes around."""
        rng = self.rng
        for _ in range(20):
            area = fills.blob(self.shape, float(rng.uniform(0.12, 0.4)), rng)
            left, top, wide, tall = fills.bounds(area)
            x, y = (left + wide / 2) / self.shape[1], (top + tall / 2) / self.shape[0]
            texture = cv2.Laplacian(self.source.mean(axis=2), cv2.CV_32F)[area > 0.5]
            if abs(x - 0.5) < 0.22 and abs(y - 0.55) < 0.3 and texture.std() > 3:
                return area
        return area

    def letter(self, output: np.ndarray, *, change: bool) -> np.ndarray:
        """A sign in the source; the output has the same letters or others."""
        rng = self.rng
        size = int(rng.uniform(0.03, 0.1) * min(self.shape))
        size = max(14, size)
        text = fills.word(rng)
        wide, tall = int(0.68 * size * len(text)) + 8, int(size * 1.5)
        place = self._free_box(wide, tall)
        if place is None:
            return output if not change else self.drift(output, "detail")
        left, top = place
        box = (left, top, wide, tall)
        inside = (slice(top, top + tall), slice(left, left + wide))
        if rng.random() < 0.6:
            plate = rng.uniform(20, 240, 3)
        else:
            plate = self.source[inside].mean(axis=(0, 1))
        ink = np.where(plate.mean() > 120, rng.uniform(0, 60, 3), rng.uniform(190, 255, 3))
        if rng.random() < 0.6:
            self.source = self.source.copy()
            output = output.copy()
            self.source[inside] = plate
            output[inside] = plate
        drawn = fills.write(self.source, box, text, ink, size)
        new = text
        if change:
            while new == text:
                new = self._other_word(text)
            written = cv2.absdiff(drawn, fills.write(self.source, box, new, ink, size))
            ink_mask = (written.max(axis=2) > 20).astype(np.uint8)
            spread = cv2.dilate(ink_mask, np.ones((max(3, size // 3),) * 2, np.uint8))
            self.drifted = spread.astype(np.float32)
        output = fills.write(output, box, new, ink, size)
        self.source = drawn
        return output

    def _other_word(self, text: str) -> str:
        rng = self.rng
        if rng.random() < 0.5:
            return fills.word(rng, len(text))
        letters = list(text)
        for place in rng.choice(len(letters), max(2, len(letters) // 2), replace=False):
            letters[int(place)] = str(rng.choice(fills.LETTERS))
        return "".join(letters)

    def _free_box(self, wide: int, tall: int) -> tuple[int, int] | None:
        height, width = self.shape
        near = self._near_edit()
        if wide + 8 >= width or tall + 8 >= height:
            return None
        for _ in range(60):
            left = int(self.rng.integers(4, width - wide - 4))
            top = int(self.rng.integers(4, height - tall - 4))
            if not near[top : top + tall, left : left + wide].any():
                return left, top
        return None

    def _near_edit(self) -> np.ndarray:
        reach = max(9, int(0.09 * max(self.shape)))
        return cv2.dilate((self.edited > 0.05).astype(np.uint8), np.ones((reach, reach))) > 0

    def drift(self, output: np.ndarray, kind: str) -> np.ndarray:
        """A change that nobody asked for, away from the edit and strong enough to be one."""
        rng = self.rng
        filled = kind if kind != "gone" else "inpaint"
        near = self._near_edit()
        best: tuple[float, np.ndarray, np.ndarray] | None = None
        for _ in range(24):
            share = float(np.exp(rng.uniform(np.log(0.004), np.log(0.06))))
            area = fills.blob(self.shape, share, rng)
            if (area * near).sum() > 0 or area.sum() < 300:
                continue
            new = fills.FILLS[filled](output, fills.soften(area, rng), self.other, rng)
            told = difference(output, new, area)
            if best is None or told > best[0]:
                best = (told, new, area)
            if told > 9:
                break
        if best is None or best[0] < 5:
            return self._patch(output, near)
        self.drifted = best[2]
        return best[1]

    def _patch(self, output: np.ndarray, near: np.ndarray) -> np.ndarray:
        """A last resort where the picture is too plain for the kind: something pasted."""
        rng = self.rng
        allowed = np.argwhere(~near)
        side = int(0.09 * min(self.shape))
        area = np.zeros(self.shape, np.float32)
        y, x = allowed[int(rng.integers(len(allowed)))] if len(allowed) else (side, side)
        cv2.circle(area, (int(x), int(y)), side, 1.0, -1)
        area *= ~near if len(allowed) else 1
        self.drifted = area
        return fills.paste(output, area, self.other, rng)

    def told(self, output: np.ndarray) -> np.ndarray:
        """The visible difference so far."""
        return np.abs(cv2.GaussianBlur(output - self.source, (0, 0), 1.5)).max(axis=2)

    def render(
        self, output: np.ndarray, changes: Changes, drift: str, without: frozenset[str]
    ) -> tuple[Image.Image, list[str]]:
        """Every pixel anew, framed and saved."""
        rng = self.rng
        if drift in FRAMES:
            output = self._reframe(output, drift)
        steps: list[str] = []
        skipped = next(iter(without), "")
        if changes == "look":
            output, look = styles.restyle(output, rng, skipped)
            steps.append(look)
        else:
            output = resynthesis.tone(output, rng) if rng.random() < 0.7 else output
        output, more = resynthesis.resynthesise(output, rng, skipped)
        if rng.random() < 0.5:
            output = resynthesis.jitter(output, rng)
            steps.append("jitter")
        if rng.random() < 0.5 and drift != "crop":
            output = resynthesis.frame(output, rng)
            steps.append("frame")
        if rng.random() < 0.6:
            output = resynthesis.resize(output, rng)
            steps.append("resize")
        return resynthesis.save(output, rng), steps + more

    def _reframe(self, output: np.ndarray, drift: str) -> np.ndarray:
        rng = self.rng
        height, width = self.shape
        self.drifted = np.ones(self.shape, np.float32)
        if drift == "mirror":
            return np.ascontiguousarray(output[:, ::-1])
        if drift == "different":
            return fills._window(self.other, self.source.shape, rng)
        share = rng.uniform(0.06, 0.3)
        left, top = rng.uniform(0, share, 2)
        part = output[
            int(top * height) : int((top + 1 - share) * height),
            int(left * width) : int((left + 1 - share) * width),
        ]
        return cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)

    def region(self) -> np.ndarray:
        """The area that the caller would mark: the edit with some air, or a box around it."""
        if not (self.edited > 0.3).any():
            return np.zeros(self.shape, bool)
        reach = int(self.rng.uniform(0.004, 0.02) * max(self.shape)) * 2 + 3
        mask = cv2.dilate((self.edited > 0.05).astype(np.uint8), np.ones((reach, reach))) > 0
        if self.rng.random() < 0.3 and not (self.edited > 0.3).mean() > 0.4:
            left, top, wide, tall = cv2.boundingRect(mask.astype(np.uint8))
            box = np.zeros(self.shape, bool)
            box[top : top + tall, left : left + wide] = True
            if (box & (self.drifted > 0.3)).sum() < 0.02 * max(1, (self.drifted > 0.3).sum()):
                return box
        return mask


def difference(before: np.ndarray, after: np.ndarray, area: np.ndarray) -> float:
    """How much an area visibly changed: mean of the smoothed difference over its inside."""
    off = cv2.GaussianBlur(after - before, (0, 0), 1.5)
    inside = area > 0.5
    return float(np.abs(off).max(axis=2)[inside].mean()) if inside.any() else 0.0
