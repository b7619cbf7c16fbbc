"""The changed places of a pair as boxes and areas in source pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanorecipes.proof.engine import cv, np
from nanorecipes.proof.evidence import changed_cells, filled
from nanorecipes.proof.values import Change

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Bytes, Mask, Plane

SPECK = 48
"""Analysis pixels below which a place isn't worth a box."""


@dataclass(frozen=True)
class Found:
    """Changed pixels, at analysis size."""

    changed: Mask
    chance: Plane
    """Probability of change for each pixel."""


def locate(evidence: Plane, valid: Mask, source: Bytes, matched: Bytes) -> Found:
    """Cells that changed, cut down to the pixels that differ more than the pair's usual."""
    height, width = source.shape[:2]
    counted = np.where(valid, np.clip(evidence, -8, 8), -8).astype(np.float32)
    cells = changed_cells(evidence, valid)
    smooth = cv.resize(counted, (width, height), interpolation=cv.INTER_LINEAR)
    chance = 1 / (1 + np.exp(-smooth))
    rough = cv.resize(cells.astype(np.float32), (width, height), interpolation=cv.INTER_LINEAR)
    near = rough > 0.25
    changed = near & (smooth > 0)
    tight = _tightened(changed, source, matched)
    # The map and the boxes say the same: above a half is changed.
    chance = np.where(tight, np.maximum(chance, 0.51), np.minimum(chance, 0.49))
    return Found(tight, chance.astype(np.float32))


def _tightened(changed: Mask, source: Bytes, matched: Bytes) -> Mask:
    """Without the rim that windows add around a change that pixels can place more closely."""
    if not changed.any() or changed.mean() > 0.5:
        return changed
    off = cv.absdiff(cv.GaussianBlur(source, (0, 0), 1.5), cv.GaussianBlur(matched, (0, 0), 1.5))
    strength = off.max(axis=2)
    usual = float(np.percentile(strength[~changed], 90))
    # The seen change, its gaps closed, within what the cells found.
    seen = ((strength > usual + 4) & changed).astype(np.uint8)
    seen = cv.morphologyEx(seen, cv.MORPH_OPEN, np.ones((2, 2), np.uint8))
    side = 2 * max(10, max(changed.shape) // 40) + 1
    kernel = cv.getStructuringElement(cv.MORPH_ELLIPSE, (side, side))
    tight = filled(cv.morphologyEx(seen, cv.MORPH_CLOSE, kernel) > 0) & filled(changed)
    count, labels, stats, _ = cv.connectedComponentsWithStats(changed.astype(np.uint8))
    amount = np.bincount(labels.ravel(), weights=tight.ravel(), minlength=count)
    # Where too little is left (a recoloured or moved plain thing) the cells know better.
    weak = amount < 0.3 * stats[:, cv.CC_STAT_AREA]
    weak[0] = False
    return np.asarray(tight | weak[labels])


def list_changes(
    found: Found, allowed: Mask, size_px: tuple[int, int], most: int = 50
) -> tuple[Change, ...]:
    """Connected changed places, biggest first, cut where the allowed region ends."""
    changes = [
        *_connected(found, found.changed & allowed, size_px, expected=True),
        *_connected(found, found.changed & ~allowed, size_px, expected=False),
    ]
    return tuple(sorted(changes, key=lambda change: -change.area_px)[:most])


def _connected(
    found: Found, mask: Mask, size_px: tuple[int, int], *, expected: bool
) -> list[Change]:
    count, labels, stats, _ = cv.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    across, down = size_px[0] / mask.shape[1], size_px[1] / mask.shape[0]
    chance = np.bincount(labels.ravel(), weights=found.chance.ravel(), minlength=count)
    changes = []
    for index in range(1, count):
        left, top, wide, tall, area = (int(value) for value in stats[index])
        if area < SPECK or min(wide, tall) < 4:
            continue
        corners = (left * across, top * down, (left + wide) * across, (top + tall) * down)
        changes.append(
            Change(
                box=tuple(round(value) for value in corners),
                area_px=round(area * across * down),
                share=round(area / labels.size, 5),
                strength=round(float(chance[index] / area), 3),
                expected=expected,
            )
        )
    return changes


def whole(size_px: tuple[int, int]) -> tuple[Change, ...]:
    """The whole picture as one change that nobody allowed."""
    return (Change((0, 0, *size_px), size_px[0] * size_px[1], 1.0, 1.0, False),)
