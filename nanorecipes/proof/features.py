"""What a cell grid measures between two registered pictures."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanorecipes.proof.engine import cv, np

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Bytes, Mask, Plane

CELL = 8
"""Side of a cell in analysis pixels; each cell looks at windows wider than itself."""
FLOOR = 4.0
"""Variance (grey levels squared) below which structure is noise."""


@dataclass(frozen=True)
class Grid:
    """Measurements for each cell of a picture."""

    values: Plane
    """(rows, columns, features)."""
    valid: Mask
    """(rows, columns): where both pictures have pixels."""


def measure(source: Bytes, output: Bytes, local: Plane, valid: Mask, ignore: Mask | None) -> Grid:
    """Compare two registered, tone-matched pictures cell by cell.

    `local` is the displacement left after registration; `ignore` marks what doesn't count
    when the ordinary level of difference of this pair is told.
    """
    rows, columns = grid_shape(source.shape[:2])
    followed = _follow(output, local)
    first, second, third = _channels(source), _channels(output), _channels(followed)
    inside = _cells(valid.astype(np.float32), rows, columns) > 0.75
    ordinary = inside
    if ignore is not None:
        free = _cells(ignore.astype(np.float32), rows, columns) > 0.1
        ordinary = inside & ~free if (inside & ~free).sum() >= 12 else inside
    collected = _Collector(rows, columns, ordinary)
    _structure(collected, first, second, third)
    _colour(collected, first, second, third)
    _edges(collected, first[0], second[0], third[0])
    _motion(collected, local, first[0])
    return Grid(collected.stack(), inside)


def grid_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of cells over a picture of (height, width)."""
    return max(1, round(shape[0] / CELL)), max(1, round(shape[1] / CELL))


class _Collector:
    """Gathers planes into cells, some also relative to what is ordinary in this pair."""

    def __init__(self, rows: int, columns: int, ordinary: Mask) -> None:
        self.rows, self.columns, self.ordinary = rows, columns, ordinary
        self.planes: list[Plane] = []

    def cells(self, plane: Plane) -> Plane:
        return _cells(plane, self.rows, self.columns)

    def add(self, plane: Plane) -> None:
        self.planes.append(plane)

    def add_relative(self, plane: Plane, texture: Plane | None = None) -> None:
        """The plane against the level that cells of like texture have in this pair."""
        usual = self._usual(plane, texture)
        off = plane - usual
        chosen = np.abs(off[self.ordinary])
        spread = float(np.median(chosen)) if chosen.size else 1.0
        relative = off / (1.5 * spread + 0.15)
        near = cv.blur(relative, (3, 3), borderType=cv.BORDER_REPLICATE)
        self.planes += [np.clip(relative, -8, 16), np.clip(near, -8, 16)]

    def _usual(self, plane: Plane, texture: Plane | None) -> Plane:
        chosen = plane[self.ordinary]
        if chosen.size < 60 or texture is None:
            return np.full_like(plane, np.median(chosen) if chosen.size else 0.0)
        like = texture[self.ordinary]
        edges = np.quantile(like, np.linspace(0, 1, 7))
        places, levels = [], []
        for low, high in itertools.pairwise(edges):
            band = chosen[(like >= low) & (like <= high)]
            if band.size >= 8:
                places.append(0.5 * (low + high))
                levels.append(np.median(band))
        usual = np.interp(texture, places, levels) if places else np.median(chosen)
        result: Plane = np.broadcast_to(usual, plane.shape).astype(np.float32)
        return result

    def stack(self) -> Plane:
        stacked: Plane = np.stack(self.planes, axis=-1).astype(np.float32)
        return np.asarray(np.nan_to_num(stacked), dtype=np.float32)


def _cells(plane: Plane, rows: int, columns: int) -> Plane:
    small: Plane = cv.resize(plane, (columns, rows), interpolation=cv.INTER_AREA)
    return small


def _channels(pixels: Bytes) -> tuple[Plane, Plane, Plane]:
    """Brightness and two colour differences, lightly smoothed against grain."""
    soft = cv.GaussianBlur(pixels, (0, 0), 0.8)
    parts = cv.split(cv.cvtColor(soft, cv.COLOR_RGB2YCrCb))
    return tuple(part.astype(np.float32) for part in parts)


def _follow(output: Bytes, local: Plane) -> Bytes:
    """The output with its small local displacements undone."""
    height, width = output.shape[:2]
    # Smoothed, so that it can move things but not repaint them.
    motion = cv.blur(local, (17, 17))
    across = motion[..., 0] + np.arange(width, dtype=np.float32)[None, :]
    down = motion[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    followed: Bytes = cv.remap(
        output, across, down, cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE
    )
    return followed


@dataclass(frozen=True)
class _Moments:
    shift: Plane
    var1: Plane
    var2: Plane
    both: Plane

    @property
    def residual(self) -> Plane:
        """Variance of the difference once each window's mean is taken out."""
        return np.asarray(np.maximum(self.var1 + self.var2 - 2 * self.both, 0))

    @property
    def correlation(self) -> Plane:
        top = self.both + FLOOR
        bottom = np.sqrt((self.var1 + FLOOR) * (self.var2 + FLOOR))
        return np.asarray(top / bottom, dtype=np.float32)


@dataclass(frozen=True)
class _Own:
    """Mean and variance of one picture's windows; computed once, compared with several."""

    plane: Plane
    mean: Plane
    variance: Plane


def _own(plane: Plane, side: int) -> _Own:
    mean = cv.blur(plane, (side, side))
    square = cv.sqrBoxFilter(plane, cv.CV_32F, (side, side))
    return _Own(plane, mean, np.maximum(cv.subtract(square, cv.multiply(mean, mean)), 0))


def _moments(grid: _Collector, first: _Own, second: _Own, side: int) -> _Moments:
    """Both pictures' windows compared, averaged over cells."""
    both = cv.blur(cv.multiply(first.plane, second.plane), (side, side))
    both = cv.subtract(both, cv.multiply(first.mean, second.mean))
    return _Moments(
        grid.cells(cv.absdiff(first.mean, second.mean)),
        grid.cells(first.variance),
        grid.cells(second.variance),
        grid.cells(both),
    )


_Triple = tuple["Plane", "Plane", "Plane"]


def _structure(grid: _Collector, first: _Triple, second: _Triple, third: _Triple) -> None:
    """Correlation, contrast and leftover of brightness on three scales, before and after motion."""
    source, moved = first[0], (second[0], third[0])
    for level in range(3):
        if level:
            source = _half(source)
            moved = (_half(moved[0]), _half(moved[1]))
        own = _own(source, 9)
        plain = _moments(grid, own, _own(moved[0], 9), 9)
        follow = _moments(grid, own, _own(moved[1], 9), 9)
        texture = np.log(plain.var1 + FLOOR)
        contrast = np.log((plain.var2 + FLOOR) / (plain.var1 + FLOOR))
        grid.add(texture)
        grid.add(plain.correlation)
        grid.add(follow.correlation)
        grid.add(contrast)
        grid.add(np.log1p(plain.shift))
        for part in (plain, follow):
            left = np.log(part.residual + 1.0)
            grid.add(left)
            grid.add_relative(left, texture)
        grid.add_relative(np.log1p(plain.shift))
        grid.add_relative(np.abs(contrast - np.median(contrast[grid.ordinary])), texture)


def _half(plane: Plane) -> Plane:
    if min(plane.shape) < 16:
        return plane
    half: Plane = cv.pyrDown(plane)
    return half


def _colour(grid: _Collector, first: _Triple, second: _Triple, third: _Triple) -> None:
    """Colour moved or rearranged, on a fine and a coarse scale."""
    for side, parts in ((5, third), (15, second)):
        shift = np.zeros((grid.rows, grid.columns), np.float32)
        left, colourful = shift.copy(), shift.copy()
        for channel in (1, 2):
            mine, theirs = _half(first[channel]), _half(parts[channel])
            part = _moments(grid, _own(mine, side), _own(theirs, side), side)
            shift += np.square(part.shift)
            left += part.residual
            colourful += part.var1
        moved = np.log1p(np.sqrt(shift))
        spread = np.log(left + 1.0)
        grid.add(moved)
        grid.add_relative(moved)
        grid.add(spread)
        grid.add_relative(spread, np.log(colourful + 1.0))


def _edges(grid: _Collector, first: Plane, second: Plane, third: Plane) -> None:
    """Edges that vanished or came, and whether those that stay point the same way."""
    sides = [(_slope(plane)) for plane in (first, second, third)]
    strengths = [cv.magnitude(*side) for side in sides]
    wide = [cv.dilate(strength, np.ones((5, 5), np.uint8)) for strength in strengths]
    window = (13, 13)
    base = grid.cells(cv.blur(strengths[0], window))
    for here, there in ((strengths[0], wide[1]), (strengths[1], wide[0])):
        alone = cv.max(cv.subtract(here, cv.multiply(there, 1.15)), 0)
        part = grid.cells(cv.blur(alone, window)) / (base + 2.0)
        grid.add(part)
        grid.add_relative(np.sqrt(part))
    for index in (1, 2):
        along = cv.add(
            cv.multiply(sides[0][0], sides[index][0]), cv.multiply(sides[0][1], sides[index][1])
        )
        product = cv.multiply(strengths[0], strengths[index])
        same = grid.cells(cv.blur(along, window)) / (grid.cells(cv.blur(product, window)) + 4.0)
        grid.add(same)
    power = grid.cells(cv.blur(strengths[2], window))
    grid.add(np.log((power + 1.5) / (base + 1.5)))


def _slope(plane: Plane) -> tuple[Plane, Plane]:
    scale = 0.125
    across = cv.Sobel(plane, cv.CV_32F, 1, 0, scale=scale)
    return across, cv.Sobel(plane, cv.CV_32F, 0, 1, scale=scale)


def _motion(grid: _Collector, local: Plane, source: Plane) -> None:
    """How far and how unevenly things moved, where there is structure to tell."""
    own = _own(source, 15)
    known = np.minimum(grid.cells(own.variance) / 40.0, 1.0)
    moved = cv.blur(local, (9, 9))
    uneven = cv.subtract(moved, cv.blur(local, (61, 61)))
    for plane in (moved, uneven):
        length = grid.cells(cv.magnitude(plane[..., 0], plane[..., 1]))
        cell = np.log1p(length * known)
        grid.add(cell)
        grid.add_relative(cell)
