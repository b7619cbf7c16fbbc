"""`nanorecipes prove`: an edit held against its source, as a person asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from color_profiles import wide_profile
from PIL import Image
from proof_pictures import EDIT, ELSEWHERE, patched, resynthesised, scene

from nanorecipes import provenance

if TYPE_CHECKING:
    from shells import Shell

REGION = ",".join(map(str, EDIT))


@pytest.fixture(autouse=True)
def _pictures(shell: Shell) -> None:
    """In the folder: a source, an edit that kept its promise, and one that broke it."""
    scene().save("source.png")
    edited = patched(scene(), EDIT)
    Path("kept.jpg").write_bytes(resynthesised(edited))
    Path("drifted.jpg").write_bytes(resynthesised(patched(edited, ELSEWHERE)))


def test_a_kept_promise_leaves_with_0_and_a_broken_one_with_1(shell: Shell) -> None:
    """A script can tell them apart without reading."""
    kept = shell("prove", "source.png", "kept.jpg", "--region", REGION)
    assert (kept.code, kept.err) == (0, "")
    assert kept.out.startswith("kept  score ")
    drifted = shell("prove", "source.png", "drifted.jpg", "--region", REGION)
    assert drifted.code == 1
    assert "1 place changed outside the region" in drifted.out
    assert "not allowed" in drifted.out
    assert (
        shell("prove", "source.png", "drifted.jpg", "--region", REGION, "-q").out.count("\n") == 1
    )


def test_what_may_change_is_said_by_flags(shell: Shell) -> None:
    """Each flag reaches the proof."""
    pair = ("source.png", "kept.jpg", "--json")
    assert shell("prove", *pair).json["changes"] == "part"
    assert shell("prove", *pair, "--changes", "look").json["verdict"] == "drifted"
    scene_ = shell("prove", *pair, "--changes", "scene")
    assert (scene_.code, scene_.json["verdict"], scene_.json["score"]) == (0, "not provable", None)
    assert shell("prove", *pair, "--protect", REGION).code == 1
    assert shell("prove", *pair, "--min-score", "1", "--ignore", "tone").code == 1
    fractions = "0.1,0.2,0.37,0.57"
    assert shell("prove", *pair, "--region", fractions, "--region", "0,0,1,1").code == 0


def test_a_mask_picture_says_where(shell: Shell) -> None:
    """People have masks from a brush."""
    mask = Image.new("L", scene().size)
    mask.paste(255, EDIT)
    mask.save("mask.png")
    assert shell("prove", "source.png", "kept.jpg", "--region", "mask.png").code == 0
    assert shell("prove", "source.png", "drifted.jpg", "--region", "mask.png").code == 1


def test_a_source_in_other_colours_is_compared_as_it_was_sent(shell: Shell) -> None:
    """Phones save wide colours, and the same numbers there mean others."""
    red, green, blue = scene().split()
    swapped = Image.merge("RGB", (green, red, blue))
    swapped.save("wide.jpg", quality=95, icc_profile=wide_profile())
    assert shell("prove", "wide.jpg", "kept.jpg", "--region", REGION).code == 0
    swapped.save("bare.jpg", quality=95)
    assert shell("prove", "bare.jpg", "kept.jpg", "--region", REGION).code == 1
    shell("prove", "wide.jpg", "kept.jpg", "--region", REGION, "--restore", "whole.png")
    assert shell("prove", "source.png", "whole.png", "--region", REGION).code == 0


def test_a_heic_source_is_read(shell: Shell) -> None:
    """It can be sent, so it can be proved."""
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(scene()).save("source.heic", quality=95)
    assert shell("prove", "source.heic", "kept.jpg", "--region", REGION).code == 0


def test_pictures_of_the_proof_are_drawn_on_request(shell: Shell) -> None:
    """Someone wants to see it; and no file is ever replaced."""
    args = ("prove", "source.png", "drifted.jpg", "--overlay", "o.jpg", "--map", "m.png", "--json")
    told = shell(*args).json
    assert told["files"] == {"overlay": "o.jpg", "map": "m.png"}
    with Image.open("o.jpg") as overlay, Image.open("m.png") as change_map:
        assert (overlay.format, overlay.mode, change_map.mode) == ("JPEG", "RGB", "L")
        assert overlay.size == change_map.size
    assert shell(*args).json["files"] == {"overlay": "o-2.jpg", "map": "m-2.png"}


def test_restoring_writes_a_composite_that_says_so_and_is_kept(shell: Shell) -> None:
    """The original outside the region, the edit inside; the file tells both."""
    before = Path("drifted.jpg").read_bytes()
    args = ("prove", "source.png", "drifted.jpg", "--region", REGION, "--restore", "whole.png")
    told = shell(*args)
    assert told.code == 1  # what came back broke its promise
    assert told.out.split()[-1] == "whole.png"
    assert "restored: kept" in told.err
    made = provenance.read("whole.png")
    assert made is not None
    assert made.facts["composite"]["what"].startswith("the edit inside the region")
    assert made.facts["proof"]["verdict"] == "kept"
    assert provenance.read(Path("whole.png").read_bytes()) is not None
    shown = shell("inspect", "whole.png").out
    assert "composite" in shown
    assert "proof" in shown
    assert shell("prove", "source.png", "whole.png", "--region", REGION).code == 0
    assert Path("drifted.jpg").read_bytes() == before
    assert shell(*args).out.split()[-1] == "whole-2.png"


def test_a_restored_webp_keeps_every_pixel(shell: Shell) -> None:
    """The edit was paid for: inside the region nothing is encoded away."""
    shell("prove", "source.png", "kept.jpg", "--region", REGION, "--restore", "whole.webp")
    inner = (EDIT[0] + 1, EDIT[1] + 1, EDIT[2] - 1, EDIT[3] - 1)
    first, second = (
        Image.open(name).convert("RGB").crop(inner) for name in ("kept.jpg", "whole.webp")
    )
    assert first.tobytes() == second.tobytes()


def test_restoring_is_refused_with_the_reason_when_it_is_not_sure(shell: Shell) -> None:
    """A composite of what doesn't fit would be worse than the drift."""
    scene(77).save("other.png")
    told = shell("prove", "source.png", "other.png", "--region", REGION, "--restore", "whole.png")
    assert told.code == 2
    assert "can't be laid over" in told.err
    assert not Path("whole.png").exists()
    look = shell("prove", "source.png", "kept.jpg", "--changes", "look", "--restore", "w.png")
    assert look.code == 2
    assert "only an edit of a part can be put back" in look.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "expected SOURCE and OUTPUT"),
        (("a.png", "b.png", "c.png"), "found 3 pictures"),
        (("source.png", "nothing.png"), "there is no file 'nothing.png'"),
        (("nothing.png", "kept.jpg"), "there is no file 'nothing.png'"),
        (("kept.jpg",), "it doesn't tell how it was made"),
        (("source.png", "kept.jpg", "--region", "1,2,3"), "a box has four numbers"),
        (("source.png", "kept.jpg", "--region", "no.png"), "there is no file 'no.png'"),
        (("source.png", "kept.jpg", "--region", "0,0,1,1", "--region", "source.png"), "one mask"),
        (("source.png", "kept.jpg", "--region", "400,0,500,9"), "covers nothing"),
        (("source.png", "kept.jpg", "--min-score", "2"), "from 0 to 1"),
        (("source.png", "kept.jpg", "--recipe", "edit/change_prat"), "edit/change_part"),
        (("source.png", "kept.jpg", "--overlay", "source.png/o.png"), "can't be written"),
    ],
    ids=str,
)
def test_wrong_use_leaves_with_2_and_says_what_to_do(
    shell: Shell, args: tuple[str, ...], said: str
) -> None:
    """Nobody should have to guess."""
    told = shell("prove", *args)
    assert (told.code, told.out) == (2, "")
    assert said in told.err


def test_a_source_behind_a_private_address_is_not_fetched(shell: Shell) -> None:
    """A URL from a stranger's table must not reach into the machine."""
    told = shell("prove", "http://127.0.0.1:9/a.png", "kept.jpg")
    assert told.code == 3
    assert "not a public address" in told.err
    assert "name the file" in told.err


def _made_by(recipe: str, output: str, **more: object) -> None:
    """Say in a sidecar that a recipe made the output from the source."""
    from nanorecipes import files

    Path(f"{output}.json").write_text(json.dumps({
        "format": 1, "tool": {"name": "nanorecipes"}, "recipe": recipe, "changes": "part",
        "inputs": {"images": [{
            "slot": "photo", "role": "source", "source": "source.png",
            "sha256": files.sha256(Path("source.png").read_bytes()),
        }]},
        "picture": {"sha256": files.sha256(Path(output).read_bytes())}, **more,
    }))  # fmt: skip


def test_a_saved_output_names_its_source_and_what_was_promised(shell: Shell) -> None:
    """Who runs recipes needn't say again what the sidecar knows."""
    _made_by("edit/change_part", "kept.jpg", prove={"min_score": 1.0, "region": [0, 0, 0.5, 1]})
    told = shell("prove", "kept.jpg", "--json")
    assert told.code == 1
    assert (told.json["source"], told.json["min_score"]) == ("source.png", 1.0)
    assert shell("prove", "kept.jpg", "--min-score", "0.5").code == 0
    said = shell("prove", "kept.jpg").err
    assert "source source.png, as kept.jpg tells" in said
    assert "held to what edit/change_part promised" in said


def test_a_mask_of_the_making_is_found_or_asked_for(shell: Shell) -> None:
    """Without it the answer would be to another question."""
    mask = Image.new("L", scene().size)
    mask.paste(255, EDIT)
    mask.save("mask.png")
    from nanorecipes import files

    told = {"slot": "photo", "role": "source", "source": "source.png",
            "sha256": files.sha256(Path("source.png").read_bytes())}  # fmt: skip
    area = {"slot": "area", "role": "reference", "source": "mask.png",
            "sha256": files.sha256(Path("mask.png").read_bytes())}  # fmt: skip
    _made_by("shop/masked", "drifted.jpg", prove={"region": "area"},
             inputs={"images": [told, area]})  # fmt: skip
    assert shell("prove", "drifted.jpg", "--json").json["region"] == "mask.png"
    Path("mask.png").unlink()
    lost = shell("prove", "drifted.jpg")
    assert lost.code == 2
    assert "its mask 'mask.png' is not found" in lost.err
    assert "--region" in lost.err
    assert shell("prove", "drifted.jpg", "--region", "0,0,1,1").code == 0


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ({"source": "https://shop.example/a.png"}, "only a URL that you give is fetched"),
        ({"source": "source.png"}, "named without its digest"),
        ({"source": ""}, "doesn't tell what it was made from"),
    ],
    ids=["url", "no digest", "nothing"],
)
def test_a_source_that_cannot_be_told_is_asked_for(
    shell: Shell, image: dict[str, str], said: str
) -> None:
    """What a sidecar doesn't know a person does."""
    _made_by("edit/x", "kept.jpg", inputs={"images": [{"slot": "a", "role": "source", **image}]})
    told = shell("prove", "kept.jpg")
    assert told.code == 2
    assert said in told.err
    assert "nanorecipes prove SOURCE kept.jpg" in told.err


def test_many_small_changes_are_counted_and_not_all_listed(shell: Shell) -> None:
    """A terminal is no list of forty boxes."""
    output = scene()
    for n in range(12):
        x, y = 20 + 85 * (n % 4), 20 + 85 * (n // 4)
        output.paste((250, 40, 180) if n % 2 else (10, 250, 60), (x, y, x + 34, y + 34))
    output.save("spotted.png")
    told = shell("prove", "source.png", "spotted.png", "--region", "0,0,0.01,0.01")
    assert told.code == 1
    assert told.out.count("not allowed") == 8
    assert "smaller; --json lists them" in told.out


def test_a_source_that_has_changed_since_is_not_taken(shell: Shell) -> None:
    """A proof against another picture of the same name would be worth nothing."""
    _made_by("edit/change_part", "kept.jpg")
    scene(5).save("source.png")
    told = shell("prove", "kept.jpg")
    assert told.code == 2
    assert "is not the same picture any more" in told.err


def test_a_recipe_says_what_may_change(shell: Shell) -> None:
    """A name in place of flags, and flags win over it."""
    args = ("prove", "source.png", "kept.jpg", "--recipe", "background/replace", "--json")
    assert shell(*args).json["changes"] == "background"
    assert shell(*args, "--changes", "part").json["changes"] == "part"


def test_a_strangers_sidecar_cannot_break_it(shell: Shell) -> None:
    """Files come from anywhere."""
    _made_by(
        "edit/change_part", "kept.jpg", prove={"region": [1], "min_score": "much", "ignore": 3}
    )
    assert shell("prove", "kept.jpg").code == 0
    _made_by("edit/change_part", "kept.jpg", changes=["?"], prove=[])
    assert shell("prove", "kept.jpg", "--json").json["changes"] == "part"
