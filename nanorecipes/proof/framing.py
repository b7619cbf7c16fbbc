"""The placement in words of framing: zoom, stretch, shift, turn and what fell off each edge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanorecipes.proof.engine import np
from nanorecipes.proof.values import Edges, Framing

if TYPE_CHECKING:
    from nanorecipes.proof.compare import Loads
    from nanorecipes.proof.placing import Affine
    from nanorecipes.proof.register import Registered

LIMIT = 0.044
"""Zoom or loss above which the framing counts as changed; 4 % and the error of measuring it."""


def measure_framing(loads: Loads, registered: Registered, *, found: bool, sure: bool) -> Framing:
    """Framing in source pixels, from a placement in analysis pixels."""
    placement = registered.placement
    shape = loads.source.pixels.shape[:2]
    ratio = loads.source.size[0] / shape[1]
    matrix = placement.matrix
    inverse = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))
    middle = matrix @ (shape[1] / 2 - 0.5, shape[0] / 2 - 0.5, 1.0)
    height, width = loads.output.pixels.shape[:2]
    away = (middle - (width / 2 - 0.5, height / 2 - 0.5)) * (shape[1] / width, shape[0] / height)
    bend = float(np.abs(registered.bend).max(initial=0.0)) * ratio
    return Framing(
        found=found,
        sure=sure,
        scale=round(_zoom(loads, matrix), 4),
        stretch=round(_stretch(loads, matrix), 4),
        shift_px=(round(float(away[0]) * ratio, 1), round(float(away[1]) * ratio, 1)),
        rotation_deg=round(math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])), 2),
        mirrored=placement.mirrored,
        cropped=_edges(inverse, shape, (height, width)),
        warp_px=round(bend, 1),
    )


def excess(framing: Framing) -> float:
    """Zoom or crop as a share of the picture, whichever is worse; 0 when nothing was lost."""
    edges = framing.cropped
    pairs = ((edges.left, edges.right), (edges.top, edges.bottom))
    # A shift loses on one side what it gains on the other: a few percent of that is no crop.
    lost = max(a + b if min(a, b) > -0.005 else max(a, b) - 0.02 for a, b in pairs)
    turned = max(0.0, abs(framing.rotation_deg) - 2.0) * 0.02
    return max(abs(framing.scale - 1), lost, turned)


def _lengths(loads: Loads, matrix: Affine) -> tuple[float, float]:
    """Output pixels for a source pixel across and down, both at full size."""
    sized = []
    for axis in (0, 1):
        column = matrix[:, axis]
        across = column[0] * loads.output.size[0] / loads.output.pixels.shape[1]
        down = column[1] * loads.output.size[1] / loads.output.pixels.shape[0]
        share = loads.source.pixels.shape[1 - axis] / loads.source.size[axis]
        sized.append(math.hypot(across, down) * share)
    return sized[0], sized[1]


def _stretch(loads: Loads, matrix: Affine) -> float:
    across, down = _lengths(loads, matrix)
    return across / max(down, 1e-9)


def _zoom(loads: Loads, matrix: Affine) -> float:
    """Against the nearest plain way to make a frame of that ratio: stretch, fit or fill."""
    across, down = _lengths(loads, matrix)
    wide = loads.output.size[0] / loads.source.size[0]
    tall = loads.output.size[1] / loads.source.size[1]
    size = math.sqrt(across * down)
    plain = math.sqrt(wide * tall)
    if abs(across / down - wide / tall) < abs(across / down - 1):
        return size / plain
    low, high = min(wide, tall), max(wide, tall)
    return size / high if size > high else size / low if size < low else 1.0


def _edges(inverse: Affine, shape: tuple[int, int], size: tuple[int, int]) -> Edges:
    height, width = size
    middle_x, middle_y = width / 2 - 0.5, height / 2 - 0.5
    left = (inverse @ (-0.5, middle_y, 1.0))[0] + 0.5
    right = (inverse @ (width - 0.5, middle_y, 1.0))[0] + 0.5
    top = (inverse @ (middle_x, -0.5, 1.0))[1] + 0.5
    bottom = (inverse @ (middle_x, height - 0.5, 1.0))[1] + 0.5
    return Edges(
        _share(left / shape[1]),
        _share(top / shape[0]),
        _share(1 - right / shape[1]),
        _share(1 - bottom / shape[0]),
    )


def _share(lost: float) -> float:
    # Below a thousandth it is the error of measuring.
    return 0.0 if abs(lost) < 0.001 else round(float(lost), 4)
