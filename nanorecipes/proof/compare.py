"""Two pictures brought together: registered, tone-matched and measured cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanorecipes.proof import features, placing, register, tone
from nanorecipes.proof.engine import cv, np
from nanorecipes.proof.pictures import ANALYSIS_PIXELS, ImageLike, Loaded, load

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Bytes, Mask, Plane
    from nanorecipes.proof.features import Grid
    from nanorecipes.proof.register import Registered
    from nanorecipes.proof.values import Tone

SMALLEST = 120_000
"""Analysis pixels below which the source isn't shrunk to suit a small output."""


@dataclass(frozen=True)
class Loads:
    """Both pictures at analysis size."""

    source: Loaded
    output: Loaded


@dataclass(frozen=True)
class Comparison:
    """Everything measured between two pictures, in the source's frame."""

    loads: Loads
    registered: Registered
    matched: Bytes
    """The output in the source's frame and tone."""
    tone: Tone
    grid: Grid


def load_both(source: ImageLike, output: ImageLike) -> Loads:
    """Decode both at a common level of detail.

    Raises:
        InputError: one of them can't be read.
    """
    second = load(output, "output", pixels=ANALYSIS_PIXELS)
    # An output of half the size holds no finer detail to compare.
    detail = max(SMALLEST, min(ANALYSIS_PIXELS, int(second.size[0] * second.size[1] * 1.4)))
    return Loads(load(source, "source", pixels=detail), second)


def compare(loads: Loads, *, ignore: Mask | None, edges_only: bool) -> Comparison:
    """Register, match the tone on what stayed, and measure every cell.

    `ignore` (analysis size) marks where change was allowed; `edges_only` compares outlines.
    """
    source = loads.source.pixels
    found = register.register(source, loads.output.pixels, ignore=ignore, edges_only=edges_only)
    weight = _alike(source, found.output, found.valid, ignore, edges_only=edges_only)
    curve = tone.fit_curve(source, found.output, weight)
    measured = tone.measure_tone(source, curve, weight > 0.05)
    matched = tone.unclip(source, found.output, tone.apply_curve(found.output, curve))
    first, second = source, matched
    if edges_only:
        first, second = (
            cv.cvtColor(placing.outlines(image), cv.COLOR_GRAY2RGB)
            for image in (source, found.output)
        )
    grid = features.measure(first, second, found.local, found.valid, ignore)
    return Comparison(loads, found, matched, measured, grid)


def _alike(
    source: Bytes, output: Bytes, valid: Mask, ignore: Mask | None, *, edges_only: bool
) -> Plane:
    """How far each pixel shows the same thing in both: what the tone may be told from."""
    usable = valid if ignore is None else valid & ~ignore
    if edges_only:
        return usable.astype(np.float32)
    first, second = (
        cv.cvtColor(image, cv.COLOR_RGB2GRAY).astype(np.float32) for image in (source, output)
    )
    correlation, texture = placing.correlate(first, second, 15)
    # Plain areas can't correlate; they count half, for they carry most of the tone.
    plain = texture < 30
    weight = np.where(plain, 0.5, np.clip(correlation - 0.2, 0, 1) * 1.25) * usable
    return weight.astype(np.float32)
