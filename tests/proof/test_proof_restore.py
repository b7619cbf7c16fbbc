"""Original pixels put back: exact outside, untouched inside, refused when unsure."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from proof_pictures import EDIT, ELSEWHERE, patched, resynthesised, scene

from nanorecipes.errors import NanorecipesError
from nanorecipes.proof import prove, restore


def opened(data: bytes) -> Image.Image:
    """A picture from its bytes."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def off(first: Image.Image, second: Image.Image, mask: np.ndarray) -> float:
    """Mean difference of two pictures where the mask says."""
    planes = [np.asarray(image.convert("RGB"), np.float32) for image in (first, second)]
    return float(np.abs(planes[0] - planes[1]).mean(axis=2)[mask].mean())


def outside(size: tuple[int, int], margin: int) -> np.ndarray:
    """What lies further than a margin from the edit."""
    mask = np.ones((size[1], size[0]), bool)
    left, top, right, bottom = EDIT
    mask[top - margin : bottom + margin, left - margin : right + margin] = False
    return mask


def test_outside_the_region_the_source_comes_back(picture: Image.Image) -> None:
    """The promise of restoring: nothing left of the drift, nor of the re-drawing."""
    output = opened(resynthesised(patched(patched(picture, EDIT), ELSEWHERE)))
    restored = restore(picture, output, region=EDIT)
    away = outside(picture.size, 6)
    assert off(restored.image, picture, away) < 0.1 * off(output, picture, away)
    assert off(restored.image, picture, away) < 1.0
    assert restored.composite


def test_inside_the_region_nothing_is_touched(picture: Image.Image) -> None:
    """The edit was paid for; it stays to the last bit."""
    output = opened(resynthesised(patched(picture, EDIT)))
    restored = restore(picture, output, region=EDIT)
    left, top, right, bottom = EDIT
    inner = (left + 1, top + 1, right - 1, bottom - 1)
    assert restored.image.crop(inner).tobytes() == output.crop(inner).tobytes()


def test_a_restored_picture_is_kept(picture: Image.Image) -> None:
    """After restoring the proof must agree."""
    output = resynthesised(patched(patched(picture, EDIT), ELSEWHERE))
    assert prove(picture, output, region=EDIT).verdict == "drifted"
    restored = restore(picture, output, region=EDIT)
    assert prove(picture, restored.image, region=EDIT).verdict == "kept"


def test_without_a_region_the_found_part_is_kept(picture: Image.Image) -> None:
    """Callers without a mask can restore too, and learn that the region was found."""
    output = resynthesised(patched(picture, EDIT))
    restored = restore(picture, output)
    assert restored.region_found
    assert off(restored.image, picture, outside(picture.size, 24)) < 1.5
    assert 0 < restored.to_json()["region_share"] < 0.3


def test_a_larger_output_keeps_its_size() -> None:
    """The edit's resolution is worth having; the source is scaled to it."""
    source = scene(1)
    output = opened(resynthesised(patched(source, EDIT))).resize((720, 540))
    restored = restore(source, output, region=EDIT)
    assert restored.image.size == (720, 540)
    expected = source.resize((720, 540), Image.Resampling.BICUBIC)
    away = np.kron(outside(source.size, 8), np.ones((2, 2))) > 0
    assert off(restored.image, expected, away) < 2.0


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (ImageOps.mirror(scene(1)), "mirrored"),
        (scene(77), "laid over"),
        (Image.new("RGB", (20, 20)), "too small"),
    ],
    ids=["mirrored", "different", "tiny"],
)
def test_an_unsure_registration_is_refused(
    picture: Image.Image, output: Image.Image, why: str
) -> None:
    """A composite of pictures that don't fit would be worse than the drift."""
    with pytest.raises(NanorecipesError, match=why):
        restore(picture, output, region=EDIT)


def test_nothing_changed_is_refused_without_a_region(picture: Image.Image) -> None:
    """Where no edit can be found there is nothing to keep."""
    with pytest.raises(NanorecipesError, match="no changed part"):
        restore(picture, picture.resize((400, 300)))
