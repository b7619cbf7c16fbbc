"""Pictures explained, compared and made again from the command line."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from nanorecipes import Client, recipes
from nanorecipes.embed import embed

if TYPE_CHECKING:
    from shells import Shell

PART = ("edit/change_part", "photo=photo.jpg", "part=the mug", "change=deep blue")


def made(shell: Shell, *more: str) -> Path:
    """The file of a run on the sandbox."""
    said = shell("run", *PART, "--sandbox", "-o", "out", "--json", *more)
    assert said.code == 0
    return Path(said.json["images"][0]["path"])


def moved(path: Path) -> Path:
    """The picture under another name in another folder, without its sidecar."""
    Path("elsewhere").mkdir(exist_ok=True)
    return Path(shutil.copy(path, f"elsewhere/renamed{path.suffix}"))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_renamed_picture_still_tells(shell: Shell, kind: str) -> None:
    """Files wander, and sidecars stay behind."""
    path = made(shell, "--format", kind, "--protect", "the red spoon")
    at_home = shell("inspect", str(path), "--json").json
    said = shell("inspect", str(moved(path)), "--json")
    assert said.code == 0
    assert (at_home["found_in"], said.json["found_in"]) == ("sidecar", "file")
    assert said.json["recipe"] == "edit/change_part"
    assert said.json["inputs"]["values"]["change"] == "deep blue"
    assert said.json["inputs"]["additions"] == {"protect": ["the red spoon"]}
    assert said.json["prompt"] == at_home["prompt"]
    assert "deep blue" in said.json["prompt"]
    shown = shell("inspect", str(path))
    for fact in ("edit/change_part", "deep blue", "photo.jpg", "$0.067", "Prompt"):
        assert fact in shown.out


def test_a_picture_without_a_record_is_said_to_have_none(shell: Shell) -> None:
    """With an exit code that a script can use."""
    said = shell("inspect", "photo.jpg")
    assert (said.code, said.out) == (1, "")
    assert "doesn't tell how it was made" in said.err
    assert shell("inspect", "gone.jpg").code == 2
    assert shell("rerun", "photo.jpg", "--sandbox").code == 2


def test_a_stranger_s_record_steers_no_terminal(shell: Shell) -> None:
    """Prompts in files come from anybody."""
    text = '{"tool":{"name":"nanorecipes"},"recipe":"a\\u001b[31m","prompt":"b\\u202ec\\u001b]0;x"}'
    data = embed(Path("photo.jpg").read_bytes(), "image/jpeg", text)
    Path("odd.jpg").write_bytes(data)
    said = shell("inspect", "odd.jpg")
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out


def test_rerun_makes_the_picture_again_with_changes(shell: Shell) -> None:
    """The second attempt differs where one says so, and nowhere else."""
    path = made(shell, "--protect", "the red spoon", "--aspect-ratio", "1:1")
    said = shell("rerun", str(path), "change=glossy red", "--sandbox", "-o", "again")
    assert said.code == 0
    again = Path(said.out.strip())
    assert "glossy red" in said.err
    assert "deep blue" in said.err
    before, after = (shell("inspect", str(p), "--json").json for p in (path, again))
    assert after["inputs"]["values"] == {**before["inputs"]["values"], "change": "glossy red"}
    assert after["inputs"]["additions"] == before["inputs"]["additions"]
    assert after["settings"] == before["settings"]
    assert after["prompt"] == before["prompt"].replace("deep blue", "glossy red")


def test_rerun_with_another_picture_fits_the_ratio_to_it(shell: Shell) -> None:
    """`match` was asked for, not the ratio that it came to with the first picture."""
    path = made(shell, "--aspect-ratio", "match")
    Image.new("RGB", (300, 400), "teal").save("tall.jpg")
    said = shell("rerun", str(path), "photo=tall.jpg", "--sandbox", "-o", "again", "--json")
    ratios = [
        shell("inspect", name, "--json").json["settings"]["aspect_ratio"]
        for name in (str(path), said.json["images"][0]["path"])
    ]
    assert ratios == ["4:3", "3:4"]


def test_rerun_of_a_moved_picture_finds_its_source_by_name(shell: Shell) -> None:
    """The record in the file knows the name and the digest, not the folder."""
    copy = moved(made(shell))
    assert shell("rerun", str(copy), "--sandbox", "-o", "again").code == 0
    Image.new("RGB", (400, 300), "red").save("photo.jpg")
    said = shell("rerun", str(copy), "--sandbox", "-o", "again")
    assert "is not the picture that was used" in said.err
    Path("photo.jpg").unlink()
    said = shell("rerun", str(copy), "--sandbox", "-o", "again", "--json")
    assert said.code == 2
    assert "photo=PATH" in said.json["error"]["diagnostics"][0]["help"]


def test_rerun_warns_when_the_recipe_has_changed(shell: Shell) -> None:
    """Another recipe makes another picture."""
    path = made(shell)
    sidecar = path.with_name(f"{path.name}.json")
    text = sidecar.read_text()
    start = text.index('"hash": "') + 9
    sidecar.write_text(text[:start] + "0" * 64 + text[start + 64 :])
    said = shell("rerun", str(path), "--sandbox", "-o", "again")
    assert said.code == 0
    assert "has changed since" in said.err


def test_rerun_takes_lists_and_urls_as_they_were(shell: Shell) -> None:
    """A list slot has several pictures, and what lies behind a URL is found there."""
    Path("recipes/own").mkdir(parents=True)
    recipe = Path("recipes/own/group.yaml")
    recipe.write_text(
        "format: 1\ntitle: Group\nsummary: Put people together.\ncapability: composition\n"
        "changes: scene\nimages:\n  scene: {description: The scene.}\n"
        "  people: {description: The people., role: reference, max: 3}\n"
        "prompt:\n  edit: Put {{ people }} into {{ scene }}.\n  protect: [the framing]\n"
    )
    Image.new("RGB", (30, 40), "red").save("a.png")
    Image.new("RGB", (30, 40), "blue").save("b.png")
    run = ("run", "own/group", "scene=https://x.invalid/s.jpg", "people=a.png", "people=b.png")
    path = shell(*run, "--sandbox", "--json", "--aspect-ratio", "1:1").json["images"][0]["path"]
    again = shell("rerun", path, "--sandbox", "--json", "-o", "again")
    assert again.code == 0
    told = shell("inspect", again.json["images"][0]["path"], "--json").json
    sources = [image["source"] for image in told["inputs"]["images"]]
    assert sources == ["https://x.invalid/s.jpg", "a.png", "b.png"]
    without = recipe.read_text().replace("{{ people }}", "a crowd").split("  people:")
    recipe.write_text(without[0] + without[1].split("\n", 1)[1])
    said = shell("rerun", path, "--sandbox", "-o", "again")
    assert said.code == 0
    assert said.err.count("no longer takes the picture 'people'") == 2
    assert "has changed since" in said.err


def test_rerun_asks_for_pictures_that_had_no_file(shell: Shell) -> None:
    """A picture that was given as bytes lies nowhere."""
    with Client(backend="sandbox", ledger=False) as client:
        data = Path("photo.jpg").read_bytes()
        asked = recipes[PART[0]].render(photo=data, part="the mug", change="deep blue")
        (path,) = client.run(asked).save("out")
    said = shell("rerun", str(path), "--sandbox")
    assert said.code == 2
    assert "photo=PATH" in said.err
    assert shell("rerun", str(path), "photo=photo.jpg", "--sandbox", "-o", "again").code == 0


def test_rerun_keeps_to_the_budget(shell: Shell) -> None:
    """It spends money like a run."""
    said = shell("rerun", str(made(shell)), "--sandbox", "--max-cost", "0.01", "--json")
    assert said.code == 2
    assert said.json["error"]["type"] == "BudgetError"


def test_diff_says_how_two_makings_differ(shell: Shell) -> None:
    """Which of forty files came from which attempt."""
    path = made(shell)
    again = Path(
        shell("rerun", str(path), "change=red", "--quality", "2K", "--sandbox", "-q").out.strip()
    )
    said = shell("diff", str(path), str(again), "--json")
    assert said.code == 0
    found: dict[str, Any] = {d["fact"]: (d["before"], d["after"]) for d in said.json["differences"]}
    assert found["inputs.change"] == ("deep blue", "red")
    assert found["settings.quality"] == ("1K", "2K")
    assert "recipe" not in found
    assert [line[:2] for line in said.json["prompt"]] == ["- ", "+ "]
    shown = shell("diff", str(path), str(again))
    assert "deep blue  ->  red" in shown.out
    assert "same way" in shell("diff", str(path), str(path)).err
    assert shell("diff", str(path), "photo.jpg").code == 1


def test_run_names_converts_and_says_so(shell: Shell) -> None:
    """No pixel is encoded anew silently."""
    said = shell(
        "run", *PART, "--sandbox", "-o", "out", "--name", "{recipe}-{n}", "--format", "webp"
    )
    assert said.out.strip() == str(Path("out/change_part-1.webp"))
    assert "converted from image/jpeg" in said.err or "converted from image/png" in said.err
    path = made(shell, "--no-provenance", "--name", "plain")
    assert path.stem == "plain"
    assert not path.with_name(f"{path.name}.json").exists()
    assert shell("inspect", str(path)).code == 1


def test_setting_of_a_project_holds_for_its_runs(shell: Shell) -> None:
    """A shop that publishes its pictures says it once."""
    Path("pyproject.toml").write_text('[tool.nanorecipes]\nprovenance = "minimal"\n')
    path = made(shell)
    assert shell("inspect", str(path), "--json").json["provenance"] == "minimal"
    Path("pyproject.toml").write_text('[tool.nanorecipes]\nprovenance = "none"\n')
    assert not Path(f"{made(shell)}.json").exists()
    assert Path(f"{made(shell, '--provenance', 'full')}.json").exists()


def test_a_wrong_pattern_is_found_before_anything_is_sent(shell: Shell) -> None:
    """Money is spent after the checks."""
    said = shell("run", *PART, "--sandbox", "--name", "{nope}")
    assert said.code == 2
    assert "{recipe}" in said.err


def test_damaged_pictures_give_no_traceback(shell: Shell) -> None:
    """Whatever lies in a folder of downloads."""
    data = made(shell).read_bytes()
    chance = random.Random(3)
    for _ in range(40):
        cut = bytearray(data[: chance.randrange(0, 4000)])
        for _ in range(5):
            if cut:
                cut[chance.randrange(len(cut))] = chance.randrange(256)
        Path("cut.bin").write_bytes(bytes(cut))
        said = shell("inspect", "cut.bin")
        assert said.code in (0, 1)
        assert "Traceback" not in said.err
