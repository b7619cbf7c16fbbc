"""Kept and broken promises, by what was allowed to change."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps
from proof_pictures import EDIT, ELSEWHERE, encoded, patched, resynthesised, scene

from nanorecipes.errors import InputError, SaveError
from nanorecipes.proof import Proof, prove


def overlap(first: tuple[int, ...], second: tuple[int, ...]) -> float:
    """Intersection over union of two boxes."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    tall = min(first[3], second[3]) - max(first[1], second[1])
    both = max(0, wide) * max(0, tall)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return both / (sum(areas) - both)


def test_new_pixels_of_the_same_picture_are_kept(picture: Image.Image) -> None:
    """Models redraw every pixel; that alone is no drift."""
    proof = prove(picture, resynthesised(picture), region=EDIT)
    assert proof.verdict == "kept"
    assert not proof.drift


def test_an_edit_inside_its_region_is_kept(picture: Image.Image) -> None:
    """The change that was asked for is not held against the output."""
    proof = prove(picture, resynthesised(patched(picture, EDIT)), region=EDIT)
    assert proof.verdict == "kept"
    assert proof.changed[0].expected
    assert overlap(proof.changed[0].box, EDIT) > 0.6


def test_a_change_outside_the_region_is_found(picture: Image.Image) -> None:
    """The point of it all: what drifted, and where."""
    output = patched(patched(picture, EDIT), ELSEWHERE)
    proof = prove(picture, resynthesised(output), region=EDIT)
    assert proof.verdict == "drifted"
    assert overlap(proof.drift[0].box, ELSEWHERE) > 0.6
    assert "outside the region" in proof.reasons[0]


def test_without_a_region_one_part_may_differ(picture: Image.Image) -> None:
    """Most callers have no mask; the largest changed part is taken for the edit."""
    assert prove(picture, resynthesised(patched(picture, EDIT))).verdict == "kept"
    output = resynthesised(patched(patched(picture, EDIT), ELSEWHERE))
    assert prove(picture, output).verdict == "drifted"


def test_protect_wins_over_the_region(picture: Image.Image) -> None:
    """A face within the region to be edited stays protected."""
    output = resynthesised(patched(picture, EDIT))
    allowed = prove(picture, output, region=(0, 0, 200, 270))
    held = prove(picture, output, region=(0, 0, 200, 270), protect=EDIT)
    assert (allowed.verdict, held.verdict) == ("kept", "drifted")


def test_protect_alone_holds_its_place(picture: Image.Image) -> None:
    """Without a region the one part that may differ must not be the protected one."""
    output = resynthesised(patched(picture, EDIT))
    assert prove(picture, output, protect=EDIT).verdict == "drifted"
    assert prove(picture, output, protect=ELSEWHERE).verdict == "kept"


def test_regions_in_pixels_fractions_and_masks_agree(picture: Image.Image) -> None:
    """Callers have boxes from detectors or masks from a brush; both mean the same."""
    width, height = picture.size
    left, top, right, bottom = EDIT
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).rectangle((left, top, right - 1, bottom - 1), fill=255)
    output = resynthesised(patched(picture, EDIT))
    fractions = (left / width, top / height, right / width, bottom / height)
    scores = [
        prove(picture, output, region=region).score
        for region in (EDIT, [EDIT], fractions, mask, io.BytesIO(encoded(mask, "PNG")))
    ]
    assert max(scores) - min(scores) < 0.01


@pytest.mark.parametrize(
    "region",
    ["nowhere.png", (1, 2, 3), (0.5, 0.5, 0.5, 0.9), (900, 10, 990, 50), 7, [("a", 1, 2, 3)]],
    ids=["missing file", "three numbers", "empty", "outside", "number", "text"],
)
def test_a_region_that_is_none_is_an_input_error(picture: Image.Image, region: object) -> None:
    """A wrong box must not silently protect nothing."""
    with pytest.raises(InputError, match="region"):
        prove(picture, picture, region=region)  # type: ignore[arg-type]  # what is tested


def test_a_mirrored_picture_is_drifted(picture: Image.Image) -> None:
    """Models flip pictures at times, and at a glance it looks right."""
    proof = prove(picture, resynthesised(ImageOps.mirror(picture)))
    assert proof.verdict == "drifted"
    assert proof.framing.mirrored
    assert "mirrored" in proof.reasons[0]


def test_another_picture_is_drifted(picture: Image.Image) -> None:
    """A wholly different picture has no single changed part."""
    for changes in ("part", "look"):
        proof = prove(picture, scene(77), changes=changes)
        assert proof.verdict == "drifted"
        assert proof.changed[0].share == 1.0


@pytest.mark.parametrize(("share", "verdict"), [(0.02, "kept"), (0.10, "drifted")])
def test_a_crop_is_told_from_a_small_zoom(picture: Image.Image, share: float, verdict: str) -> None:
    """A few percent of zoom are usual; losing a tenth of the frame is not."""
    width, height = picture.size
    box = (width * share / 2, height * share / 2, width * (1 - share / 2), height * (1 - share / 2))
    output = picture.resize(picture.size, Image.Resampling.BICUBIC, box=box)
    proof = prove(picture, resynthesised(output), region=EDIT)
    assert proof.verdict == verdict
    assert proof.framing.scale == pytest.approx(1 / (1 - share), abs=0.004)
    assert proof.framing.cropped.left == pytest.approx(share / 2, abs=0.006)


def test_a_shift_is_measured_in_source_pixels(picture: Image.Image) -> None:
    """Framing has units, whatever the output's resolution."""
    wide = scene(1, (720, 540))
    moved = wide.transform(wide.size, Image.Transform.AFFINE, (1, 0, -9, 0, 1, 5))
    framing = prove(wide, moved.resize((1080, 810)), region=(0.4, 0.4, 0.6, 0.6)).framing
    assert framing.shift_px == pytest.approx((9, -5), abs=0.7)
    assert framing.sure


def test_another_ratio_is_seen_through(picture: Image.Image) -> None:
    """Services round to their own ratios by a small stretch."""
    output = picture.resize((364, 258))
    proof = prove(picture, output, region=EDIT)
    assert proof.verdict == "kept"
    assert proof.framing.stretch == pytest.approx(364 / 360 * 270 / 258, abs=0.01)


def test_a_tone_change_is_reported_and_no_drift(picture: Image.Image) -> None:
    """A slightly brighter picture is the same picture, and says so."""
    pixels = np.asarray(picture, np.float32) * 1.08 + 4
    output = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    proof = prove(picture, output, region=EDIT)
    assert proof.verdict == "kept"
    assert proof.tone.exposure_ev > 0.1
    assert any("brighter" in reason for reason in proof.reasons)


def test_look_frees_colours_and_holds_the_layout(picture: Image.Image) -> None:
    """A style transfer is all new colours; things may not come or go."""
    grey = ImageOps.colorize(ImageOps.grayscale(picture), (30, 10, 60), (255, 240, 200))
    assert prove(picture, grey, changes="look").verdict == "kept"
    assert prove(picture, ImageOps.mirror(grey), changes="look").verdict == "drifted"


def test_background_with_a_region_holds_the_subject(picture: Image.Image) -> None:
    """With the background marked, the subject is judged like any protected place."""
    subject = (100, 60, 260, 230)
    output = scene(31)
    output.paste(picture.crop(subject), subject[:2])
    kept = prove(picture, resynthesised(output), changes="background", protect=subject)
    assert kept.verdict == "kept"
    spoiled = patched(output, (130, 90, 190, 150))
    drifted = prove(picture, resynthesised(spoiled), changes="background", protect=subject)
    assert drifted.verdict == "drifted"


def test_background_without_a_subject_to_tell_is_unclear(picture: Image.Image) -> None:
    """Where the subject can't be told the verdict is no guess."""
    proof = prove(picture, scene(77), changes="background")
    assert proof.verdict == "unclear"
    assert "give the region" in proof.reasons[0]


def test_a_scene_is_not_provable(picture: Image.Image) -> None:
    """A new scene can't be held against pixels; a number would be a lie."""
    proof = prove(picture, scene(77), changes="scene")
    assert (proof.verdict, proof.score) == ("not provable", None)
    assert "can't prove" in proof.reasons[0]


def test_an_unknown_kind_of_change_lists_the_known(picture: Image.Image) -> None:
    """A typing error names its way out."""
    with pytest.raises(InputError, match="part, background, look, scene"):
        prove(picture, picture, changes="all")  # type: ignore[arg-type]  # what is tested


def test_all_forms_of_a_picture_are_read(picture: Image.Image, tmp_path: Path) -> None:
    """Callers hold paths, bytes, files or PIL images."""
    path = tmp_path / "picture.png"
    picture.save(path)
    with path.open("rb") as file:
        forms = [path, str(path), path.read_bytes(), file, picture]
        assert {prove(form, picture).score for form in forms} == {1.0}
    assert picture.load() is not None


def test_a_proof_is_plain_data_and_pictures(picture: Image.Image, tmp_path: Path) -> None:
    """Sidecars and reports read the JSON; people look at the overlay."""
    proof = prove(picture, patched(patched(picture, EDIT), ELSEWHERE), region=EDIT)
    paths = proof.save(tmp_path / "proof")
    read = json.loads(paths["json"].read_text(encoding="utf-8"))
    assert read == proof.to_json()
    assert read["verdict"] == proof.verdict
    with Image.open(paths["change_map"]) as change_map:
        assert change_map.getpixel((265, 155)) > 127
        assert change_map.getpixel((180, 30)) < 128
    with Image.open(paths["overlay"]) as overlay:
        assert overlay.size == picture.size


def test_a_proof_that_cant_be_saved_says_so(picture: Image.Image, tmp_path: Path) -> None:
    """A file where the directory should be is a plain mistake with a plain error."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(SaveError, match="can't be written"):
        prove(picture, picture).save(tmp_path / "taken")


def test_the_same_pair_gives_the_same_proof(picture: Image.Image) -> None:
    """A verdict that changes between runs can't be trusted in a gate."""
    output = resynthesised(patched(picture, EDIT))

    def told(proof: Proof) -> dict[str, object]:
        return {key: value for key, value in proof.to_json().items() if key != "duration_s"}

    assert told(prove(picture, output)) == told(prove(picture, output))


def test_importing_the_package_loads_no_arrays() -> None:
    """The rest of the program must start without the heavy libraries."""
    code = (
        "import sys, nanorecipes.proof; sys.exit(bool({'numpy', 'cv2', 'PIL'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("call", ["prove(b'', b'')", "restore(b'', b'')"])
def test_a_missing_library_names_the_extra(call: str) -> None:
    """Without the extra the names can be imported, and a call says what to install."""
    code = (
        "import sys; sys.modules['cv2'] = None\n"
        "from nanorecipes import MissingExtraError, prove, restore\n"
        f"try:\n    {call}\n"
        "except MissingExtraError as exc:\n"
        "    assert exc.extra == 'proof' and 'nanorecipes[proof]' in exc.message + exc.help\n"
        "else:\n    sys.exit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_score_below_the_one_asked_for_is_drift(picture: Image.Image) -> None:
    """A shop may want near certainty where the usual verdict is content with less."""
    output = resynthesised(patched(picture, EDIT))
    plain = prove(picture, output, region=EDIT)
    assert plain.score is not None
    assert 0.5 <= plain.score < 1
    strict = prove(picture, output, region=EDIT, min_score=1.0)
    assert (plain.verdict, strict.verdict) == ("kept", "drifted")
    assert strict.score == plain.score
    assert strict.reasons[0].endswith("is below the 1 that was asked for")
    assert "everything stayed" not in " ".join(strict.reasons)
    assert prove(picture, output, region=EDIT, min_score=plain.score).verdict == "kept"
    assert prove(picture, output, changes="scene", min_score=1.0).verdict == "not provable"


def test_what_is_ignored_does_not_count(picture: Image.Image) -> None:
    """A recipe that may brighten or reframe says so, and is held to the rest."""
    dark = Image.eval(picture, lambda value: value // 3)
    assert prove(picture, dark).verdict == "drifted"
    assert prove(picture, dark, ignore=["tone"]).verdict == "kept"
    assert prove(picture, dark, ignore=["framing"]).verdict == "drifted"
    width, height = picture.size
    zoomed = picture.crop((24, 18, width - 24, height - 18)).resize(picture.size)
    assert prove(picture, zoomed).verdict == "drifted"
    accepted = prove(picture, zoomed, ignore=["framing"])
    assert (accepted.verdict, accepted.to_json()["ignored"]) == ("kept", ["framing"])
    mirrored = ImageOps.mirror(picture)
    assert prove(picture, mirrored, ignore=["framing", "tone"]).verdict == "drifted"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"min_score": 2}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
        ({"min_score": "0.9"}, "min_score"),
        ({"ignore": ["shadows"]}, "ignore"),
        ({"ignore": "tone"}, "ignore"),
    ],
    ids=str,
)
def test_a_bad_policy_is_refused(
    picture: Image.Image, options: dict[str, object], field: str
) -> None:
    """A bar that means nothing would pass everything."""
    with pytest.raises(InputError) as caught:
        prove(picture, picture, **options)
    assert [found.field for found in caught.value.diagnostics] == [field]


def test_a_region_over_everything_holds_nothing(picture: Image.Image) -> None:
    """Kept would say that something was looked at."""
    proof = prove(picture, patched(picture, EDIT), region=(0, 0, 1, 1))
    assert proof.verdict == "unclear"
    assert "leaves nothing" in proof.reasons[0]


def test_flat_artwork_that_did_not_move_is_not_moved() -> None:
    """Little holds a refinement in its place there, and `restore` would shift pixels."""
    source = Image.new("RGB", (900, 600), "#eef0f2")
    draw = ImageDraw.Draw(source)
    draw.rectangle((300, 200, 500, 440), fill="#37474f")
    draw.text((60, 60), "LABEL", fill="black", font_size=48)
    output = source.copy()
    draw = ImageDraw.Draw(output)
    draw.rectangle((300, 200, 500, 440), fill="#c62828")
    draw.ellipse((650, 330, 780, 430), fill="#2e7d32")
    proof = prove(source, output, region=(290, 190, 510, 450))
    assert (proof.framing.scale, proof.framing.shift_px) == (1.0, (0.0, 0.0))
    (found,) = proof.drift
    left, top, right, bottom = found.box
    assert abs(left - 650) < 12
    assert abs(top - 330) < 12
    assert abs(right - 780) < 12
    assert abs(bottom - 430) < 12
