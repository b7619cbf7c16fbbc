"""Original pixels put back outside the region that an edit was allowed to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from nanorecipes.errors import NanorecipesError
from nanorecipes.proof import compare, evidence, judge, model, placing
from nanorecipes.proof.engine import cv, np
from nanorecipes.proof.faults import bad_option
from nanorecipes.proof.pictures import load
from nanorecipes.proof.regions import Region, read_region

if TYPE_CHECKING:
    from nanorecipes.proof.engine import Bytes, Mask, Plane
    from nanorecipes.proof.pictures import ImageLike

MAX_RESTORED = 40_000_000
"""Pixels of an output above which the composite would need too much memory."""


@dataclass(frozen=True)
class Restored:
    """A composite: the edit inside the region, the source's own pixels outside it."""

    image: Image.Image
    """In the output's size."""
    composite: bool
    """True: say so wherever the picture goes."""
    region_share: float
    """Share of the picture that is the output's, feather included."""
    feather_px: float
    """Half width of the seam in output pixels; it lies outside the region."""
    region_found: bool
    """Whether the region was found by comparing rather than given."""
    agreement: float
    """How well the pictures lay over each other, 0 to 1."""

    def to_json(self) -> dict[str, Any]:
        """What the provenance of the picture should say, as plain data."""
        return {
            "composite": self.composite,
            "region_share": self.region_share,
            "feather_px": self.feather_px,
            "region_found": self.region_found,
            "agreement": self.agreement,
        }


def restore(
    source: ImageLike,
    output: ImageLike,
    *,
    region: Region | None = None,
    protect: Region | None = None,
    feather: float = 0.003,
) -> Restored:
    """Put the source's pixels back everywhere but in the region: see `proof.front.restore`."""
    if not 0 <= feather <= 0.1:
        raise bad_option("feather", f"found {feather!r}, expected 0 to 0.1", "leave it out")
    loads = compare.load_both(source, output)
    shape = loads.source.pixels.shape[:2]
    allowed = read_region(region, "region", loads.source.size, shape)
    protected = read_region(protect, "protect", loads.source.size, shape)
    if allowed is not None and protected is not None:
        allowed = allowed & ~protected
    _check_size(loads)
    found = compare.compare(loads, ignore=allowed, edges_only=False)
    _check_framing(found)
    given = allowed is not None
    if allowed is None:
        allowed = _found_part(found)
        if protected is not None:
            allowed &= ~protected
    return _composed(source, output, found, allowed, feather, given=given)


def _check_size(loads: compare.Loads) -> None:
    shapes = (loads.source.pixels.shape[:2], loads.output.pixels.shape[:2])
    if min(min(shape) for shape in shapes) < judge.TINY:
        raise NanorecipesError(
            "the pictures are too small to lay over each other",
            help="restore needs at least 48 pixels on each side",
        )
    width, height = loads.output.size
    if width * height > MAX_RESTORED:
        raise NanorecipesError(
            f"the output has {width}x{height} pixels, more than 40 megapixels",
            help="shrink the output first",
        )


def _check_framing(found: compare.Comparison) -> None:
    place = found.registered.placement
    look = "look at what `prove` says of the framing"
    if place.mirrored:
        raise NanorecipesError("the output is mirrored", help=look)
    if place.agreement < 0.6 and place.inliers < 60:
        raise NanorecipesError(
            "the output can't be laid over the source surely: "
            f"{place.agreement * 100:.0f} % of it agrees",
            help=look + ", or give the region if most of the picture was to change",
        )
    if not found.registered.valid.any():
        raise NanorecipesError("the output shows nothing of the source", help=look)


def _found_part(found: compare.Comparison) -> Mask:
    cells = model.network("pixels").evidence(found.grid.values)
    part = evidence.main_part(cells, found.grid.valid)
    if not part.any():
        raise NanorecipesError(
            "no changed part was found to keep",
            help="give the region, or keep the source as it is",
        )
    if part.mean() > 0.6:
        raise NanorecipesError(
            "most of the picture changed: what the edit was can't be told",
            help="give the region where change was allowed",
        )
    height, width = found.matched.shape[:2]
    grown = evidence.grown(part, 1).astype(np.uint8)
    mask: Mask = cv.resize(grown, (width, height), interpolation=cv.INTER_NEAREST) > 0
    return mask


def _composed(
    source: ImageLike,
    output: ImageLike,
    found: compare.Comparison,
    allowed: Mask,
    feather: float,
    *,
    given: bool,
) -> Restored:
    made = load(output, "output", pixels=None).pixels
    original = load(source, "source", pixels=None).pixels
    height, width = made.shape[:2]
    x, y = _reading(found, (height, width))
    inside = _inside(x, y, found.matched.shape[:2])
    keep = cv.remap(
        allowed.astype(np.float32), x, y, cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE
    )
    keep = np.maximum(keep, ~inside)
    seam = max(1.5, feather * max(height, width))
    weight = _feathered(keep > 0.5, seam)
    ratio = (original.shape[1] / allowed.shape[1], original.shape[0] / allowed.shape[0])
    back = _read_original(original, x, y, ratio)
    del original, x, y
    mixed = _blend(made, back, weight, seam)
    return Restored(
        image=Image.fromarray(mixed),
        composite=True,
        region_share=round(float((weight > 0).mean()), 4),
        feather_px=round(seam, 1),
        region_found=not given,
        agreement=round(found.registered.placement.agreement, 3),
    )


def _reading(found: compare.Comparison, size: tuple[int, int]) -> tuple[Plane, Plane]:
    """For each output pixel its place in the source, in analysis pixels."""
    height, width = size
    small = found.loads.output.pixels.shape[:2]
    matrix = placing.scaled(
        found.registered.placement.matrix, (1, 1), small, (1, 1), (height, width)
    )
    inverse = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))[:2].astype(np.float32)
    across = np.arange(width, dtype=np.float32)[None, :]
    down = np.arange(height, dtype=np.float32)[:, None]
    x = inverse[0, 0] * across + inverse[0, 1] * down + inverse[0, 2]
    y = inverse[1, 0] * across + inverse[1, 1] * down + inverse[1, 2]
    bend = found.registered.bend
    # The bend is smooth: undoing it where it was measured is exact to a small part of a pixel.
    moved = cv.remap(bend, x, y, cv.INTER_LINEAR, borderMode=cv.BORDER_REPLICATE)
    return x - moved[..., 0], y - moved[..., 1]


def _inside(x: Plane, y: Plane, shape: tuple[int, int]) -> Mask:
    height, width = shape
    inside: Mask = (x >= -0.6) & (y >= -0.6) & (x <= width - 0.4) & (y <= height - 0.4)
    return inside


def _read_original(original: Bytes, x: Plane, y: Plane, ratio: tuple[float, float]) -> Bytes:
    """The source at the output's places, blurred first where it has more pixels."""
    shrink = original.shape[1] / x.shape[1]
    if shrink > 1.3:
        original = cv.GaussianBlur(original, (0, 0), 0.4 * shrink)
    across = (x + 0.5) * np.float32(ratio[0]) - np.float32(0.5)
    down = (y + 0.5) * np.float32(ratio[1]) - np.float32(0.5)
    back: Bytes = cv.remap(original, across, down, cv.INTER_CUBIC, borderMode=cv.BORDER_REPLICATE)
    return back


def _feathered(keep: Mask, seam: float) -> Plane:
    """1 inside the region, falling to 0 over the seam outside it."""
    away = cv.distanceTransform((~keep).astype(np.uint8), cv.DIST_L2, 3)
    ramp = np.clip(1 - away / (2 * seam), 0, 1)
    weight: Plane = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    return weight


def _blend(made: Bytes, back: Bytes, weight: Plane, seam: float) -> Bytes:
    """Both mixed by weight; in the seam the output takes the source's local tone."""
    part = (weight > 0) & (weight < 1)
    if part.any():
        # Far inside the region the output stays exactly as it came.
        outer = cv.GaussianBlur((weight < 1).astype(np.float32), (0, 0), seam)
        shift = cv.GaussianBlur(
            (back.astype(np.float32) - made) * (weight < 1)[..., None], (0, 0), seam
        )
        toned = made + shift / np.maximum(outer, 0.05)[..., None] * part[..., None]
    else:
        toned = made.astype(np.float32)
    mixed = back + (toned - back) * weight[..., None]
    rounded: Plane = np.clip(mixed + 0.5, 0, 255)
    return rounded.astype(np.uint8)


__all__ = ["Restored", "restore"]
