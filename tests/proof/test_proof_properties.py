"""What holds for a proof whatever the pictures are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from proof_pictures import encoded, patched, scene

from nanorecipes.errors import InputError
from nanorecipes.proof import prove

FEW = settings(
    max_examples=5, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """A box in fractions."""
    left, top = draw(st.floats(0, 0.8)), draw(st.floats(0, 0.8))
    wide, tall = draw(st.floats(0.05, 1)), draw(st.floats(0.05, 1))
    return left, top, min(1.0, left + wide), min(1.0, top + tall)


@settings(FEW, max_examples=25)
@given(st.one_of(st.none(), boxes()), st.one_of(st.none(), boxes()), st.integers(0, 3))
def test_a_picture_against_itself_is_kept(
    region: tuple[float, ...] | None, protect: tuple[float, ...] | None, seed: int
) -> None:
    """No drift can be where nothing changed; anything else would make every score doubtful."""
    image = scene(seed, (160, 120))
    for changes in ("part", "background", "look"):
        proof = prove(image, encoded(image, "PNG"), changes=changes, region=region, protect=protect)
        assert (proof.verdict, proof.score, proof.changed) == ("kept", 1.0, ())


@FEW
@given(st.integers(0, 200), st.integers(75, 95), st.sampled_from(["JPEG", "WEBP"]))
def test_another_file_type_never_turns_kept_into_drifted(
    seed: int, quality: int, kind: str
) -> None:
    """Services choose the file type; the proof must not depend on it."""
    image = scene(seed)
    proof = prove(image, encoded(image, kind, quality=quality), region=(0.1, 0.1, 0.3, 0.3))
    assert proof.verdict != "drifted"
    assert prove(image, encoded(image, kind, quality=quality)).verdict != "drifted"


@FEW
@given(st.integers(0, 200), st.floats(0.5, 2.0))
def test_scaling_never_turns_kept_into_drifted(seed: int, scale: float) -> None:
    """Services choose the resolution; the proof must not depend on it."""
    image = scene(seed)
    size = (round(image.width * scale), round(image.height * scale))
    output = image.resize(size, Image.Resampling.BICUBIC)
    proof = prove(image, output, region=(0.5, 0.5, 0.9, 0.9))
    assert proof.verdict != "drifted"
    assert abs(proof.framing.scale - 1) < 0.01


@FEW
@given(
    st.integers(0, 200), st.integers(0, 250), st.integers(0, 120),
    st.integers(12, 90), st.integers(10, 80), st.booleans(),
)  # fmt: skip
def test_a_patch_outside_the_region_never_raises_the_score(
    seed: int, left: int, top: int, wide: int, tall: int, lossy: bool
) -> None:
    """More drift can't be better."""
    image = scene(seed)
    region = (0.3, 0.62, 0.8, 0.95)
    edited = patched(image, (120, 180, 270, 250), seed + 7)
    worse = patched(edited, (left, top, left + wide, min(top + tall, 160)), seed + 9)
    if lossy:
        edited, worse = (
            Image.open(io.BytesIO(encoded(one, "JPEG", quality=85))) for one in (edited, worse)
        )
    before, after = (prove(image, one, region=region).score for one in (edited, worse))
    assert before is not None
    assert after is not None
    assert after <= before


SHAPES = [(1, 1), (1, 40), (3, 700), (47, 47), (64, 64), (400, 30)]
MODES = ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "I", "F", "YCbCr", "HSV", "LAB"]


@pytest.mark.parametrize("size", SHAPES, ids=str)
def test_no_size_crashes(size: tuple[int, int]) -> None:
    """A batch must not stop at one odd picture."""
    rng = np.random.default_rng(3)
    pixels = [rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8) for _ in range(2)]
    first, second = (Image.fromarray(plane) for plane in pixels)
    for changes in ("part", "background", "look", "scene"):
        proof = prove(first, second, changes=changes)
        assert proof.score is None or 0 <= proof.score <= 1
        assert proof.overlay().size == proof.change_map().size
    assert prove(first, scene(2)).verdict in ("drifted", "unclear")
    assert prove(scene(2), first).verdict in ("drifted", "unclear")


@pytest.mark.parametrize("mode", MODES)
def test_no_mode_crashes(mode: str) -> None:
    """Alpha, grey, 16 bit and CMYK all come from real tools."""
    image = scene(4, (96, 80))
    if mode in ("I;16", "I", "F"):
        grey = np.asarray(image.convert("L"))
        made = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        factor = {"I;16": 257, "I": 257, "F": 1 / 255}[mode]
        converted = Image.fromarray((grey.astype(np.float64) * factor).astype(made))
    else:
        converted = image.convert(mode)
    assert prove(converted, converted.copy()).score == 1.0
    assert prove(image, converted).verdict in ("kept", "drifted", "unclear")


def test_sixteen_bits_are_the_same_picture() -> None:
    """A 16-bit master and its 8-bit output must lie at the same tones."""
    grey = np.asarray(scene(4).convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert prove(deep, Image.fromarray(grey)).score == 1.0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(orientation: int) -> None:
    """Phones store pictures turned; an upright output of one is not drift."""
    image = scene(5, (180, 140))
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = image.transpose(turns[orientation]) if orientation in turns else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    proof = prove(encoded(stored, "PNG", exif=exif), image)
    assert proof.source_size == image.size
    assert proof.score == 1.0


@pytest.mark.parametrize(
    "broken",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40)],
    ids=["empty", "text", "cut"],
)
def test_what_is_no_picture_is_an_input_error(broken: bytes) -> None:
    """The caller must learn which of the two can't be read."""
    with pytest.raises(InputError, match="output"):
        prove(scene(1, (64, 64)), broken)


def test_a_cut_file_is_an_input_error() -> None:
    """Half a download opens well and fails late."""
    whole = encoded(scene(1), "PNG")
    with pytest.raises(InputError, match="source"):
        prove(whole[: len(whole) // 2], scene(1))


def test_a_huge_picture_is_judged() -> None:
    """A JPEG is decoded at the size needed, so its full size doesn't matter."""
    image = scene(6).resize((9000, 6750), Image.Resampling.NEAREST)
    proof = prove(encoded(image, "JPEG", quality=60), scene(6))
    assert proof.source_size == (9000, 6750)
    assert proof.verdict != "drifted"
