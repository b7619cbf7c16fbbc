"""Where the source lies in the output: the best of plain placements and matched features."""

from __future__ import annotations

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


def agreement(
    source: Bytes, output: Bytes, matrix: Affine, ignore: Mask | None, *, edges_only: bool
) -> float:
    """Share of the source's structured blocks, outside what is ignored, that fit a placement."""
    small = _glance(source, edges_only=edges_only)
    glanced = _glance(output, edges_only=edges_only)
    held = _held(ignore, small.shape)
    return _agreement(small, glanced, matrix, source.shape[:2], output.shape[:2], held)[0]


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


def covered(size: tuple[int, int], matrix: Affine, shape: tuple[int, int]) -> Mask:
    """Where the source's frame has output pixels under it."""
    across, down = pixel_grid(shape)
    x = matrix[0, 0] * across + matrix[0, 1] * down + matrix[0, 2]
    y = matrix[1, 0] * across + matrix[1, 1] * down + matrix[1, 2]
    inside: Mask = (x >= -0.5) & (y >= -0.5) & (x <= size[1] - 0.5) & (y <= size[0] - 0.5)
    return inside


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
    return settled if is_sane(settled, shape, size) else None


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
    if matrix is None or count < 8 or not is_sane(matrix, source.shape[:2], output.shape[:2]):
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


def is_sane(matrix: Affine, shape: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a placement is one that an edit could have made: no wild stretch, skew or scale."""
    across = float(np.hypot(matrix[0, 0], matrix[1, 0])) * shape[1] / size[1]
    down = float(np.hypot(matrix[0, 1], matrix[1, 1])) * shape[0] / size[0]
    cosine = float(matrix[:, 0] @ matrix[:, 1]) / (
        float(np.linalg.norm(matrix[:, 0]) * np.linalg.norm(matrix[:, 1])) + 1e-9
    )
    upright = float(np.linalg.det(matrix[:, :2])) > 0
    return upright and abs(cosine) < 0.15 and 0.2 < across < 6 and 0.2 < down < 6


def pixel_grid(shape: tuple[int, int]) -> tuple[Plane, Plane]:
    height, width = shape
    across = np.arange(width, dtype=np.float32)[None, :]
    down = np.arange(height, dtype=np.float32)[:, None]
    return across, down
