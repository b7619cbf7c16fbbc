"""From the evidence of cells to that of a pair: where to look, and the strongest of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanorecipes.proof.engine import cv, np

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Mask, Plane

NOTHING = -6.0
"""Evidence of a cell that doesn't count."""
POOLS = (3, 5, 9)


def pooled(evidence: Plane, held: Mask) -> Plane:
    """Strongest evidence in windows of three sizes, and how much of it there is.

    Each number only grows when the evidence of a held cell grows.
    """
    counted = np.where(held, np.clip(evidence, NOTHING, 8), NOTHING).astype(np.float32)
    numbers = []
    for side in POOLS:
        if min(counted.shape) < side:
            numbers.append(float(counted.mean()))
            continue
        near = cv.blur(counted, (side, side), borderType=cv.BORDER_CONSTANT)
        inner = side // 2
        numbers.append(float(near[inner : -inner or None, inner : -inner or None].max()))
    amount = (1 / (1 + np.exp(-counted)) * (counted > 0)).sum()
    return np.array([*numbers, np.log1p(float(amount))], dtype=np.float32)


def shrunk(mask: Mask, cells: int) -> Mask:
    """The mask without a rim of that many cells."""
    return ~grown(~mask, cells)


def grown(mask: Mask, cells: int) -> Mask:
    """The mask with a rim of that many cells."""
    if cells < 1:
        return mask
    kernel = cv.getStructuringElement(cv.MORPH_ELLIPSE, (2 * cells + 1, 2 * cells + 1))
    return np.asarray(cv.dilate(mask.astype(np.uint8), kernel) > 0)


def closed(mask: Mask, cells: int) -> Mask:
    """The mask with gaps up to twice that many cells filled, and its holes."""
    kernel = cv.getStructuringElement(cv.MORPH_ELLIPSE, (2 * cells + 1, 2 * cells + 1))
    wide = cv.copyMakeBorder(
        mask.astype(np.uint8), cells, cells, cells, cells, cv.BORDER_CONSTANT, value=0
    )
    shut = cv.morphologyEx(wide, cv.MORPH_CLOSE, kernel)
    shut = shut[cells : shut.shape[0] - cells, cells : shut.shape[1] - cells]
    return filled(shut > 0)


def filled(mask: Mask) -> Mask:
    """The mask with what it encloses."""
    contours, _ = cv.findContours(mask.astype(np.uint8), cv.RETR_EXTERNAL, cv.CHAIN_APPROX_NONE)
    canvas = mask.astype(np.uint8)
    cv.drawContours(canvas, contours, -1, 1, -1)
    return canvas > 0


def changed_cells(evidence: Plane, valid: Mask) -> Mask:
    """Cells that changed: the smoothed evidence says so, and somewhere near it says so clearly."""
    counted = np.where(valid, np.clip(evidence, NOTHING, 8), NOTHING).astype(np.float32)
    near = cv.blur(counted, (3, 3), borderType=cv.BORDER_REPLICATE)
    weak = (0.5 * (near + counted) > 0).astype(np.uint8)
    count, labels, _, _ = cv.connectedComponentsWithStats(weak, connectivity=8)
    if count <= 1:
        return np.zeros(evidence.shape, dtype=bool)
    strongest = np.full(count, NOTHING)
    np.maximum.at(strongest, labels.ravel(), near.ravel())
    amount = np.bincount(labels.ravel(), minlength=count)
    keep = (strongest > 0.7) & (amount >= 4)
    keep[0] = False
    return np.asarray(keep[labels])


def main_part(evidence: Plane, valid: Mask) -> Mask:
    """The one region that an edit of a part is taken to have changed: the largest and its kin.

    A large edit leaves islands of what happened to stay alike, so its reach grows with it.
    """
    changed = changed_cells(evidence, valid)
    weight = np.clip(evidence, 0, 4) * changed
    core = _heaviest(grown(changed, 1), weight) & changed
    reach = 1 + round(0.06 * float(np.sqrt(core.sum())))
    near = grown(core, 2 * reach)
    part = _touching(changed, near)
    return closed(part, reach) if part.any() else part


def _heaviest(mask: Mask, weight: Plane) -> Mask:
    """The connected piece that carries most weight."""
    count, labels = cv.connectedComponents(mask.astype(np.uint8), connectivity=8)
    amount = np.bincount(labels.ravel(), weights=weight.ravel(), minlength=count)
    amount[0] = 0
    return np.asarray(labels == int(amount.argmax())) & mask


def _touching(mask: Mask, near: Mask) -> Mask:
    """The connected pieces of a mask that reach into another."""
    count, labels = cv.connectedComponents(mask.astype(np.uint8), connectivity=8)
    touched = np.zeros(count, dtype=bool)
    touched[np.unique(labels[near & mask])] = True
    touched[0] = False
    return np.asarray(touched[labels])


def subject(evidence: Plane, structured: Mask, valid: Mask) -> Mask | None:
    """What stays alike, is in front and holds together; None when nothing stands out as that."""
    alike = (cv.blur(evidence, (3, 3), borderType=cv.BORDER_REPLICATE) < -0.7) & valid
    seen = alike & (structured | (cv.blur(structured.astype(np.float32), (7, 7)) > 0.25))
    opened = shrunk(grown(seen, 1), 2)
    reach = max(1, round(0.03 * max(evidence.shape)))
    joined = grown(opened, reach).astype(np.uint8)
    count, labels, _, _ = cv.connectedComponentsWithStats(joined, connectivity=8)
    if count <= 1:
        return None
    amount = np.bincount(labels.ravel(), weights=opened.ravel(), minlength=count)
    amount[0] = 0
    body = (labels == int(amount.argmax())) & grown(opened, 1) & alike
    share = float(body.mean())
    if not 0.02 <= share <= 0.85 or amount.max() < 0.6 * amount.sum():
        return None
    return closed(body, 3 * reach)
