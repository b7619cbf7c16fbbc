"""Laying the output over the source: placement, refinement and a smooth bend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanorecipes.proof.engine import cv, np
from nanorecipes.proof.placing import (
    Placement,
    agreement,
    correlate,
    covered,
    grey,
    is_sane,
    outlines,
    pixel_grid,
    place,
    plain_placements,
    scaled,
)

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Bytes, Mask, Plane
    from nanorecipes.proof.placing import Affine

FAR = 24
"""Grey levels beyond which a difference is a change and tells nothing of the placement."""
REFINE_SIDE = 560
"""Long side of the pictures on which a placement is refined."""


@dataclass(frozen=True)
class Registered:
    """The output brought into the source's frame."""

    placement: Placement
    output: Bytes
    """Output pixels in the source's frame after placement and smooth bend."""
    valid: Mask
    """Where the output has pixels for the source's frame."""
    bend: Plane
    """(height, width, 2) smooth displacement in source pixels, beyond the placement."""
    local: Plane
    """(height, width, 2) displacement left after placement and bend."""


def register(source: Bytes, output: Bytes, *, ignore: Mask | None, edges_only: bool) -> Registered:
    """Find the placement, refine it on what stayed alike, and warp the output onto the source.

    `ignore` marks where change is allowed, so that it doesn't pull; `edges_only` compares
    outlines instead of brightness, for pictures whose colours and textures are all new.
    """
    placement = place(source, output, ignore=ignore, edges_only=edges_only)
    lined_source = outlines(source) if edges_only else grey(source)
    image = cv.flip(output, 1) if placement.mirrored else output
    lined_output = outlines(image) if edges_only else grey(image)
    matrix = _refined(lined_source, lined_output, placement.matrix, ignore)
    # Little support can pull a refinement astray; then the first placement was the better one.
    fits = agreement(source, image, matrix, ignore, edges_only=edges_only)
    if fits < placement.agreement - 0.02:
        matrix = placement.matrix
    placement = Placement(
        matrix, placement.mirrored, placement.agreement, placement.inliers, placement.structured
    )
    found = _warp_all(lined_source, lined_output, image, placement, ignore)
    if edges_only or placement.mirrored:
        return found
    return _plain_if_as_good(source, image, found, ignore)


def _plain_if_as_good(
    source: Bytes, image: Bytes, found: Registered, ignore: Mask | None
) -> Registered:
    """A plain resize without any bend, where that lies on the source at least as well.

    In flat artwork little holds a refinement in its place: it would move what never moved.
    """
    shape, size = source.shape[:2], image.shape[:2]
    matrix = plain_placements(shape, size)[0]
    valid = covered(size, matrix, shape)
    plain = warp(image, matrix, shape)
    held = valid & found.valid if ignore is None else valid & found.valid & ~ignore
    if not held.any() or _misfit(source, plain, held) > _misfit(source, found.output, held):
        return found
    first = found.placement
    placement = Placement(matrix, False, first.agreement, first.inliers, first.structured)
    still = np.zeros_like(found.bend)
    return Registered(placement, plain, valid, still, flow_between(grey(source), grey(plain)))


def _misfit(source: Bytes, output: Bytes, held: Mask) -> float:
    """Mean difference of what is held, in grey levels; what was changed counts no more than so."""
    off = cv.absdiff(source, output).max(axis=2)[held]
    return float(np.minimum(off, FAR).mean())


def _warp_all(
    lined_source: Bytes,
    lined_output: Bytes,
    image: Bytes,
    placement: Placement,
    ignore: Mask | None,
) -> Registered:
    shape = lined_source.shape[:2]
    plain = warp(lined_output, placement.matrix, shape)
    valid = covered(lined_output.shape[:2], placement.matrix, shape)
    flow = flow_between(lined_source, plain)
    weight = _trust(lined_source, plain, flow, valid, ignore)
    bend = _smooth_bend(flow, weight)
    bent = warp(image, placement.matrix, shape, bend)
    lined = warp(lined_output, placement.matrix, shape, bend)
    return Registered(placement, bent, valid, bend, flow_between(lined_source, lined))


def warp(image: Bytes, matrix: Affine, shape: tuple[int, int], bend: Plane | None = None) -> Bytes:
    """Read the output at the places that the source's pixels moved to."""
    height, width = shape
    shrink = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    if shrink > 1.6:  # sampling would alias: blur first
        image = cv.GaussianBlur(image, (0, 0), 0.4 * shrink)
    if bend is None:
        inverse = cv.WARP_INVERSE_MAP
        result: Bytes = cv.warpAffine(
            image,
            matrix,
            (width, height),
            flags=cv.INTER_CUBIC | inverse,
            borderMode=cv.BORDER_REPLICATE,
        )
        return result
    across, down = pixel_grid(shape)
    x, y = across + bend[..., 0], down + bend[..., 1]
    mx = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]).astype(np.float32)
    my = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]).astype(np.float32)
    bent: Bytes = cv.remap(image, mx, my, cv.INTER_CUBIC, borderMode=cv.BORDER_REPLICATE)
    return bent


def flow_between(first: Bytes, second: Bytes) -> Plane:
    """Where each pixel of the first went in the second, as (height, width, 2) pixels."""
    height, width = first.shape[:2]
    if min(height, width) < 24:
        return np.zeros((height, width, 2), np.float32)
    finder = cv.DISOpticalFlow_create(cv.DISOPTICAL_FLOW_PRESET_FAST)
    flow: Plane = finder.calc(first, second, None)
    return flow


def _trust(source: Bytes, output: Bytes, flow: Plane, valid: Mask, ignore: Mask | None) -> Plane:
    """How far each pixel's flow says something about the whole: structured, alike, not ignored."""
    correlation, texture = correlate(source.astype(np.float32), output.astype(np.float32), 15)
    weight = np.clip(correlation - 0.3, 0, 1) * np.minimum(texture / 60.0, 1.0) * valid
    if ignore is not None:
        weight = weight * ~ignore
    result: Plane = weight.astype(np.float32)
    return result


def _refined(source: Bytes, output: Bytes, matrix: Affine, ignore: Mask | None) -> Affine:
    """The placement corrected on smaller pictures: its six numbers need no more detail."""
    halves = [_smaller(source), _smaller(output)]
    shape, size = source.shape[:2], output.shape[:2]
    small_shape, small_size = (half.shape[:2] for half in halves)
    if ignore is not None:
        lowered = cv.resize(ignore.astype(np.uint8), small_shape[::-1]) > 0
        ignore = np.asarray(lowered)
    small = scaled(matrix, shape, size, small_shape, small_size)
    small = _refine(halves[0], halves[1], small, ignore)
    return scaled(small, small_shape, small_size, shape, size)


def _smaller(plane: Bytes) -> Bytes:
    scale = REFINE_SIDE / max(plane.shape)
    if scale >= 0.95:
        return plane
    size = (max(24, round(plane.shape[1] * scale)), max(24, round(plane.shape[0] * scale)))
    small: Bytes = cv.resize(plane, size, interpolation=cv.INTER_AREA)
    return small


def _refine(source: Bytes, output: Bytes, matrix: Affine, ignore: Mask | None) -> Affine:
    """Correct the placement by the flow that is left, weighted to what most of the picture does."""
    for _ in range(2):
        moved = warp(output, matrix, source.shape[:2])
        valid = covered(output.shape[:2], matrix, source.shape[:2])
        flow = flow_between(source, moved)
        weight = _trust(source, moved, flow, valid, ignore)
        step = _fit(flow, weight, degree=1)
        if step is None:
            return matrix
        coefficients, _ = step
        residual = np.eye(3)
        residual[:2, :] += coefficients.T[:, [1, 2, 0]]
        changed = matrix @ residual
        if not is_sane(changed, source.shape[:2], output.shape[:2]):
            return matrix
        matrix = changed
    return matrix


def _smooth_bend(flow: Plane, weight: Plane) -> Plane:
    """The part of the flow that a low polynomial over the whole picture explains."""
    step = _fit(flow, weight, degree=3)
    height, width = flow.shape[:2]
    if step is None:
        return np.zeros_like(flow)
    coefficients, scale = step
    rows = np.linspace(0, height - 1, 24)
    columns = np.linspace(0, width - 1, 24)
    x, y = np.meshgrid(columns, rows)
    terms = _terms(x.ravel() * scale, y.ravel() * scale, 3)
    coarse = (terms @ coefficients).reshape(24, 24, 2).astype(np.float32)
    limit = 0.005 * max(height, width)
    fine: Plane = cv.resize(np.clip(coarse, -limit, limit), (width, height))
    return fine


def _fit(flow: Plane, weight: Plane, degree: int) -> tuple[Affine, float] | None:
    """Polynomial of the flow by repeated reweighting; degree 1 in pixels, higher in unit scale."""
    step = max(4, round(math.sqrt(flow.shape[0] * flow.shape[1] / 6000)))
    sample = flow[step // 2 :: step, step // 2 :: step].reshape(-1, 2).astype(np.float64)
    base = weight[step // 2 :: step, step // 2 :: step].ravel().astype(np.float64)
    rows, columns = np.mgrid[step // 2 : flow.shape[0] : step, step // 2 : flow.shape[1] : step]
    used = base > 0.05
    if used.sum() < 30 * degree:
        return None
    scale = 1.0 if degree == 1 else 1.0 / max(flow.shape[:2])
    terms = _terms(columns.ravel()[used] * scale, rows.ravel()[used] * scale, degree)
    sample, base = sample[used], base[used]
    if not _spread(columns.ravel()[used], rows.ravel()[used], flow.shape[:2]):
        terms = terms.copy()
        terms[:, 1:] = 0.0
    robust = base.copy()
    centre = np.median(sample, axis=0)
    off = np.linalg.norm(sample - centre, axis=1)
    robust = base / (1 + (off / (2 * np.median(off) + 0.5)) ** 2)
    # Bends are small: without support across the whole picture a polynomial would run away.
    stiff = np.array([0.0 if order <= 1 else 0.05 for order in _orders(degree)])
    ridge = np.diag((stiff + 1e-6) * (terms**2).mean(axis=0) + 1e-9) * len(base) * base.max()
    coefficients = np.zeros((terms.shape[1], 2))
    for _ in range(6):
        weighted = terms * robust[:, None]
        coefficients = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ sample)
        off = np.linalg.norm(sample - terms @ coefficients, axis=1)
        width = max(0.25, 1.5 * float(np.median(off)))
        robust = base / (1 + (off / width) ** 2)
    return coefficients, scale


def _spread(x: Affine, y: Affine, shape: tuple[int, int]) -> bool:
    """Whether the points span enough of the picture to tell more than a shift."""
    wide = float(np.ptp(x)) > 0.4 * shape[1] if len(x) else False
    return wide and float(np.ptp(y)) > 0.4 * shape[0]


def _terms(x: Affine, y: Affine, degree: int) -> Affine:
    powers = [(i, total - i) for total in range(degree + 1) for i in range(total, -1, -1)]
    return np.stack([x**i * y**j for i, j in powers], axis=1)


def _orders(degree: int) -> list[int]:
    return [total for total in range(degree + 1) for _ in range(total + 1)]
