"""Laying the output over the source: scale, shift, turn, mirror and a smooth bend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nanorecipes.proof.engine import SEEDED, cv, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanorecipes.proof.engine import Bytes, Mask, Plane

    Affine = NDArray[np.float64]
    """2x3: from source coordinates (x, y, 1) to output coordinates, both in analysis pixels."""

FEATURE_SIDE = 560
PLAINLY = 0.85
"""Agreement of a plain resize above which matching features can be left out."""
REFINE_SIDE = 560
GLANCE = 192
"""Long side of the small pictures on which candidate placements are compared."""
AGREES = 0.5
"""Block correlation above which a block counts as the same content."""


@dataclass(frozen=True)
class Placement:
    """Where the source lies in the output, and how well that is known."""

    matrix: Affine
    mirrored: bool
    agreement: float
    """Share of structured blocks that correlate, 0 to 1."""
    inliers: int
    """Matched features that follow the placement."""
    structured: float
    """Share of blocks of the source that have any structure."""


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
    placement = Placement(
        matrix, placement.mirrored, placement.agreement, placement.inliers, placement.structured
    )
    return _warp_all(lined_source, lined_output, image, placement, ignore)


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


def place(source: Bytes, output: Bytes, *, ignore: Mask | None, edges_only: bool) -> Placement:
    """The best of the plain placements and the one that matched features give."""
    first = _best(source, output, ignore, edges_only=edges_only, mirrored=False)
    if first.agreement > 0.45 or first.inliers >= 60:
        return first
    second = _best(source, cv.flip(output, 1), ignore, edges_only=edges_only, mirrored=True)
    return second if second.agreement > first.agreement + 0.15 else first


def _best(
    source: Bytes, output: Bytes, ignore: Mask | None, *, edges_only: bool, mirrored: bool
) -> Placement:
    shape, size = source.shape[:2], output.shape[:2]
    small = _glance(source, edges_only=edges_only)
    glanced = _glance(output, edges_only=edges_only)
    held = _held(ignore, small.shape)
    rated = [
        (*_agreement(small, glanced, candidate, shape, size, held), candidate, 0)
        for candidate in plain_placements(shape, size)
    ]
    matrix, inliers = None, 0
    # Features cost more than all the rest together; a resize that fits needs none.
    if max(item[0] for item in rated) < PLAINLY or edges_only:
        matrix, inliers = _match(source, output)
    if edges_only:
        settled = _settle(small, glanced, rated[0][2], shape, size)
        if settled is not None:
            rated.append((*_agreement(small, glanced, settled, shape, size, held), settled, 1))
    if matrix is not None:
        rated.append((*_agreement(small, glanced, matrix, shape, size, held), matrix, inliers))
    # A plain placement wins a near tie: features alone wobble by parts of a pixel.
    best = max(rated, key=lambda item: item[0] + (0.02 if not item[3] else 0.0))
    return Placement(best[2], mirrored, best[0], inliers, best[1])


def plain_placements(shape: tuple[int, int], size: tuple[int, int]) -> list[Affine]:
    """Stretched to the output's frame, fitted into it, and filling it; each once."""
    height, width = shape
    across, down = size[1] / width, size[0] / height
    scales = [(across, down)]
    if abs(across / down - 1) > 0.004:
        scales += [(min(across, down),) * 2, (max(across, down),) * 2]
    return [
        np.array(
            [
                [sx, 0.0, (size[1] - sx * width) / 2 + sx / 2 - 0.5],
                [0.0, sy, (size[0] - sy * height) / 2 + sy / 2 - 0.5],
            ]
        )
        for sx, sy in scales
    ]


def grey(pixels: Bytes) -> Bytes:
    """Brightness with its range stretched, so that dark pictures have structure too."""
    plane: Bytes = cv.cvtColor(pixels, cv.COLOR_RGB2GRAY)
    low, high = np.percentile(plane[::4, ::4], (1, 99))
    if high - low >= 160 or high - low < 8:
        return plane
    gain = min(3.0, 200.0 / (high - low))
    stretched: Bytes = cv.convertScaleAbs(plane, alpha=gain, beta=0)
    return stretched if high * gain <= 255 else cv.convertScaleAbs(plane, alpha=255 / high, beta=0)


def outlines(pixels: Bytes) -> Bytes:
    """Strength of edges at a coarse scale, independent of which side is brighter."""
    plane = cv.GaussianBlur(pixels, (0, 0), max(1.5, max(pixels.shape) / 500)).astype(np.float32)
    strength = np.zeros(plane.shape[:2], np.float32)
    for channel in range(3):
        part = np.ascontiguousarray(plane[..., channel])
        across, down = cv.Sobel(part, cv.CV_32F, 1, 0), cv.Sobel(part, cv.CV_32F, 0, 1)
        strength = np.maximum(strength, cv.magnitude(across, down))
    wide = cv.GaussianBlur(strength, (0, 0), max(pixels.shape) / 25)
    normal = strength / (wide + 0.15 * float(wide.mean()) + 1.0)
    clipped: Plane = np.clip(normal * 80, 0, 255)
    return clipped.astype(np.uint8)


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
    across, down = _grid(shape)
    x, y = across + bend[..., 0], down + bend[..., 1]
    mx = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]).astype(np.float32)
    my = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]).astype(np.float32)
    bent: Bytes = cv.remap(image, mx, my, cv.INTER_CUBIC, borderMode=cv.BORDER_REPLICATE)
    return bent


def covered(size: tuple[int, int], matrix: Affine, shape: tuple[int, int]) -> Mask:
    """Where the source's frame has output pixels under it."""
    across, down = _grid(shape)
    x = matrix[0, 0] * across + matrix[0, 1] * down + matrix[0, 2]
    y = matrix[1, 0] * across + matrix[1, 1] * down + matrix[1, 2]
    inside: Mask = (x >= -0.5) & (y >= -0.5) & (x <= size[1] - 0.5) & (y <= size[0] - 0.5)
    return inside


def flow_between(first: Bytes, second: Bytes) -> Plane:
    """Where each pixel of the first went in the second, as (height, width, 2) pixels."""
    height, width = first.shape[:2]
    if min(height, width) < 24:
        return np.zeros((height, width, 2), np.float32)
    finder = cv.DISOpticalFlow_create(cv.DISOPTICAL_FLOW_PRESET_FAST)
    flow: Plane = finder.calc(first, second, None)
    return flow


def _grid(shape: tuple[int, int]) -> tuple[Plane, Plane]:
    height, width = shape
    across = np.arange(width, dtype=np.float32)[None, :]
    down = np.arange(height, dtype=np.float32)[:, None]
    return across, down


def _glance(pixels: Bytes, *, edges_only: bool) -> Plane:
    height, width = pixels.shape[:2]
    scale = min(1.0, GLANCE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    if edges_only:
        small = cv.resize(outlines(pixels), size, interpolation=cv.INTER_AREA)
        small = cv.GaussianBlur(small, (0, 0), 1.2)
    else:
        small = cv.resize(grey(pixels), size, interpolation=cv.INTER_AREA)
    result: Plane = small.astype(np.float32)
    return result


def _held(ignore: Mask | None, shape: tuple[int, ...]) -> Mask | None:
    """Where agreement counts; everywhere when hardly anything is left."""
    if ignore is None:
        return None
    small = cv.resize(ignore.astype(np.float32), shape[::-1], interpolation=cv.INTER_AREA)
    held: Mask = small < 0.2
    return held if held.mean() > 0.05 else None


def _agreement(
    source: Plane,
    output: Plane,
    matrix: Affine,
    shape: tuple[int, int],
    size: tuple[int, int],
    counted: Mask | None,
) -> tuple[float, float]:
    """Share of structured blocks that correlate when laid over each other."""
    small = scaled(matrix, shape, size, source.shape, output.shape)
    moved = cv.warpAffine(
        output, small, source.shape[::-1], flags=cv.INTER_LINEAR | cv.WARP_INVERSE_MAP
    )
    inside = covered(output.shape, small, source.shape)
    correlation, texture = correlate(source, moved, 11)
    everywhere = counted if counted is not None else np.ones(source.shape, dtype=bool)
    structured = (texture > 9.0) & everywhere
    share = float(structured.sum() / everywhere.sum())
    if share < 0.01:
        alike = (np.abs(source - moved) < 12) & inside
        return float(alike[everywhere].mean()) * 0.4, share
    held = (correlation > AGREES) & inside & structured
    return float(held.sum() / structured.sum()), share


def scaled(
    matrix: Affine,
    shape: tuple[int, ...],
    size: tuple[int, ...],
    new_shape: tuple[int, ...],
    new_size: tuple[int, ...],
) -> Affine:
    """The same placement between pictures of other sizes; pixel centres stay centres."""
    up = _resizing(new_shape, shape)
    down = _resizing(size, new_size)
    whole = down @ np.vstack([matrix, (0, 0, 1)]) @ up
    return np.asarray(whole[:2])


def _resizing(before: tuple[int, ...], after: tuple[int, ...]) -> Affine:
    across, down = after[1] / before[1], after[0] / before[0]
    return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1.0]])


def _settle(
    source: Plane, output: Plane, matrix: Affine, shape: tuple[int, int], size: tuple[int, int]
) -> Affine | None:
    """Turn and shift a placement until the small pictures correlate most."""
    start = scaled(matrix, shape, size, source.shape, output.shape).astype(np.float32)
    stop = (cv.TERM_CRITERIA_EPS | cv.TERM_CRITERIA_COUNT, 50, 1e-4)
    try:
        _, found = cv.findTransformECC(source, output, start, cv.MOTION_AFFINE, stop, None, 5)
    except cv.error:  # it raises where nothing correlates
        return None
    settled = scaled(found.astype(np.float64), source.shape, output.shape, shape, size)
    return settled if _sane(settled, shape, size) else None


def correlate(first: Plane, second: Plane, side: int) -> tuple[Plane, Plane]:
    window = (side, side)
    mean1, mean2 = cv.boxFilter(first, -1, window), cv.boxFilter(second, -1, window)
    var1 = cv.boxFilter(first * first, -1, window) - mean1 * mean1
    var2 = cv.boxFilter(second * second, -1, window) - mean2 * mean2
    both = cv.boxFilter(first * second, -1, window) - mean1 * mean2
    return both / np.sqrt(np.maximum(var1, 1) * np.maximum(var2, 1)), var1


def _match(source: Bytes, output: Bytes) -> tuple[Affine | None, int]:
    """An affine placement from matched features, with the number that follow it."""
    first, first_scale = _features(source)
    second, second_scale = _features(output)
    if min(len(first[0]), len(second[0])) < 8:
        return None, 0
    pairs = cv.BFMatcher(cv.NORM_L2).knnMatch(first[1], second[1], k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.8 * p[1].distance]
    if len(good) < 8:
        return None, 0
    here = np.array([first[0][m.queryIdx].pt for m in good], np.float32) / first_scale
    there = np.array([second[0][m.trainIdx].pt for m in good], np.float32) / second_scale
    reach = 3.0 * max(output.shape[:2]) / FEATURE_SIDE
    with SEEDED:
        cv.setRNGSeed(7)
        matrix, kept = cv.estimateAffine2D(
            here, there, method=cv.RANSAC, ransacReprojThreshold=max(1.5, reach), maxIters=3000
        )
    count = 0 if kept is None else int(kept.sum())
    if matrix is None or count < 8 or not _sane(matrix, source.shape[:2], output.shape[:2]):
        return None, 0
    return matrix, count


def _features(pixels: Bytes) -> tuple[Any, float]:
    height, width = pixels.shape[:2]
    scale = min(1.0, FEATURE_SIDE / max(height, width))
    plane = grey(pixels)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        plane = cv.resize(plane, size, interpolation=cv.INTER_AREA)
    finder = cv.SIFT_create(nfeatures=900, contrastThreshold=0.025)
    return finder.detectAndCompute(plane, None), scale


def _sane(matrix: Affine, shape: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a placement is one that an edit could have made: no wild stretch, skew or scale."""
    across = float(np.hypot(matrix[0, 0], matrix[1, 0])) * shape[1] / size[1]
    down = float(np.hypot(matrix[0, 1], matrix[1, 1])) * shape[0] / size[0]
    cosine = float(matrix[:, 0] @ matrix[:, 1]) / (
        float(np.linalg.norm(matrix[:, 0]) * np.linalg.norm(matrix[:, 1])) + 1e-9
    )
    upright = float(np.linalg.det(matrix[:, :2])) > 0
    return upright and abs(cosine) < 0.15 and 0.2 < across < 6 and 0.2 < down < 6


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
        if not _sane(changed, source.shape[:2], output.shape[:2]):
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
