"""Results on disk: pictures with their sidecars, kept whatever happens."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from network import SOURCE, picture, request
from PIL import Image

from nanorecipes import Client, configure, files
from nanorecipes.errors import ConfigurationError, InputError, SaveError
from nanorecipes.provenance import read
from nanorecipes.result import Origin, Result, ResultImage, public_name


def result(count: int = 1, **more: Any) -> Result:
    """A result of some pictures, as a client makes it."""
    fields = {
        "backend": "qolaba",
        "task_id": "t-1",
        "request": request(SOURCE, picture((8, 8))),
        "cost": Decimal("0.045"),
        "cost_source": "service",
        "finished_at": datetime(2026, 11, 20, 12, tzinfo=UTC),
        "text": "Done.",
        "warnings": ("odd",),
    }
    origin = Origin(**{**fields, **more})
    images = tuple(
        ResultImage(picture(), "image/png", (512, 512), n, f"http://x/{n}?sig=secret", origin)
        for n in range(1, count + 1)
    )
    return Result(images, origin)


def is_same_picture(path: Path) -> bool:
    """Whether a file shows the very pixels that were paid for."""
    with Image.open(path) as saved, Image.open(io.BytesIO(picture())) as made:
        return saved.tobytes() == made.tobytes()


def test_a_picture_is_saved_with_how_it_was_made(tmp_path: Path) -> None:
    """A year later the sidecar still tells."""
    path = result().images[0].save(tmp_path)
    assert path.name == "change_part-t-1.png"
    record = json.loads((tmp_path / "change_part-t-1.png.json").read_text(encoding="utf-8"))
    assert record["recipe"] == "edit/change_part"
    assert (record["version"], record["hash"]) == ("1.0.0", "sha256:00")
    assert record["prompt"] == "Using the first image, paint the mug blue."
    assert record["sections"] == [{"name": "edit", "text": record["prompt"]}]
    assert record["model"] == "vertex/nano-banana-flash"
    assert record["settings"] == {"model": "flash", "aspect_ratio": "1:1", "quality": "512"}
    assert record["inputs"]["values"] == {"part": "the mug"}
    assert (record["task_id"], record["cost_usd"], record["cost_source"]) == (
        "t-1",
        "0.045",
        "service",
    )
    assert record["finished_at"] == "2026-11-20T12:00:00+00:00"
    assert record["picture"]["sha256"] == files.sha256(path.read_bytes())
    assert record["picture"]["received_sha256"] == files.sha256(picture())
    assert (record["picture"]["file"], record["picture"]["width"]) == (path.name, 512)
    assert (record["text"], record["warnings"]) == ("Done.", ["odd"])
    assert record["tool"]["name"] == "nanorecipes"


def test_a_sidecar_names_inputs_without_their_signatures(tmp_path: Path) -> None:
    """A signed URL opens a private picture to whoever reads the file."""
    path = result().images[0].save(tmp_path)
    text = path.with_name(f"{path.name}.json").read_text(encoding="utf-8")
    inputs = json.loads(text)["inputs"]["images"]
    assert inputs[0]["source"] == "https://pictures.invalid/mug.png"
    assert inputs[0]["sha256"] is None
    assert inputs[1]["sha256"] == files.sha256(picture((8, 8)))
    assert "signature" not in text
    assert "sig=secret" not in text
    assert public_name("https://me:pw@x.example/a?b#c") == "https://x.example/a"
    assert public_name("dir/me.jpg") == "dir/me.jpg"


def test_an_input_that_has_gone_since_has_no_digest(tmp_path: Path) -> None:
    """The sidecar is written all the same."""
    source = tmp_path / "source.png"
    source.write_bytes(picture((8, 8)))
    made = result(request=request(source))
    source.unlink()
    path = made.images[0].save(tmp_path / "out")
    record = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    assert record["inputs"]["images"][0]["sha256"] is None


def test_no_file_is_ever_replaced(tmp_path: Path) -> None:
    """The second run must not eat the first."""
    image = result().images[0]
    paths = [image.save(tmp_path) for _ in range(3)]
    assert len({*paths}) == 3
    assert len(list(tmp_path.iterdir())) == 6
    assert all(path.with_name(f"{path.name}.json").is_file() for path in paths)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("out", "out/change_part-t-1.png"),
        ("out/", "out/change_part-t-1.png"),
        ("new/deep/", "new/deep/change_part-t-1.png"),
        ("a.png", "a.png"),
        ("a.jpg", "a.png"),
        ("a.JPEG", "a.png"),
        ("deep/a.webp", "deep/a.png"),
        ("mug.v2", "mug.v2.png"),
    ],
)
def test_a_target_is_a_folder_or_a_file_and_the_bytes_decide(
    tmp_path: Path, target: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A JPEG called .png opens in no strict program."""
    monkeypatch.chdir(tmp_path)
    path = result().images[0].save(target)
    assert path == Path(name)
    assert path.is_file()


def test_an_id_from_outside_makes_no_path(tmp_path: Path) -> None:
    """The service names tasks, and a name may climb."""
    made = result(task_id="../../etc/x\n", request=None)
    path = made.images[0].save(tmp_path)
    assert path.parent == tmp_path
    assert path.name == "picture-etc-x.png"


def test_several_pictures_have_their_numbers(tmp_path: Path) -> None:
    """In the order in which the service named them."""
    paths = result(3).save(tmp_path / "out")
    assert [path.name for path in paths] == [
        "change_part-t-1.png",
        "change_part-t-1-2.png",
        "change_part-t-1-3.png",
    ]


def test_saving_into_a_folder_with_a_dot_makes_the_folder(tmp_path: Path) -> None:
    """`Result.save` takes a folder, whatever it's called."""
    paths = result(2).save(tmp_path / "out.v1")
    assert all(path.parent == tmp_path / "out.v1" for path in paths)


def test_a_folder_that_can_not_be_written_keeps_the_picture_elsewhere(tmp_path: Path) -> None:
    """It was paid for."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(SaveError) as caught:
        result().images[0].save(blocked / "out/")
    kept = caught.value.kept
    assert isinstance(kept, Path)
    assert is_same_picture(kept)
    assert str(kept) in str(caught.value)
    assert caught.value.facts()["kept"] == str(kept)
    assert isinstance(caught.value, OSError)


def test_every_picture_is_kept_when_none_can_be_written(tmp_path: Path) -> None:
    """One failure doesn't stop the rest."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(SaveError) as caught:
        result(2).save(blocked)
    kept = caught.value.kept
    assert isinstance(kept, tuple)
    assert len(kept) == 2
    assert all(is_same_picture(path) for path in kept)
    assert caught.value.facts()["kept"] == [str(path) for path in kept]


def test_a_failed_sidecar_leaves_the_picture(tmp_path: Path, monkeypatch: Any) -> None:
    """The picture is on disk, and the error says where."""
    write = files.write_new

    def full(path: Path, data: bytes, **more: Any) -> Path:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(files, "write_new", full)
    with pytest.raises(SaveError, match="No space left") as caught:
        result().save(tmp_path)
    assert caught.value.kept == tmp_path / "change_part-t-1.png"
    assert is_same_picture(caught.value.kept)
    assert str(caught.value.path).endswith(".json")


def test_no_place_at_all_is_said(tmp_path: Path, monkeypatch: Any) -> None:
    """Then the bytes are still in memory, at `.data`."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(SaveError, match="nor in a temporary folder") as caught:
        result().images[0].save(blocked / "x.png")
    assert caught.value.kept is None
    assert caught.value.facts()["kept"] is None


def test_a_picture_is_decoded_when_first_asked_for() -> None:
    """And then kept."""
    image = result().images[0]
    assert image.image.size == image.size == (512, 512)
    assert image.image is image.image
    assert image.extension == ".png"


def test_a_repr_shows_no_bytes_and_no_url() -> None:
    """A result is printed in notebooks."""
    text = repr(result())
    assert len(text) < 300
    assert "sig=secret" not in text


def test_the_usual_rights_hold(tmp_path: Path) -> None:
    """Files for others to see, as the user's mask says."""
    path = result().images[0].save(tmp_path)
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_saved_picture_carries_how_it_was_made(tmp_path: Path, kind: str) -> None:
    """It outlives its sidecar, and not one pixel changes."""
    data = picture((64, 48), kind)
    made = ResultImage(data, f"image/{kind.lower()}", (64, 48), 1, "http://x/1", result().origin)
    path = made.save(tmp_path)
    with Image.open(path) as saved, Image.open(io.BytesIO(data)) as received:
        assert saved.tobytes() == received.tobytes()
    facts = read(path.read_bytes())
    assert facts is not None
    assert (facts.recipe, facts.task_id) == ("edit/change_part", "t-1")
    assert facts.prompt == "Using the first image, paint the mug blue."
    assert facts.cost_usd == Decimal("0.045")
    assert facts.values == {"part": "the mug"}
    assert [image.slot for image in facts.images] == ["source", "reference"]


def test_what_is_embedded_names_no_folder_of_the_author(tmp_path: Path) -> None:
    """Pictures are published; the paths of a machine are not."""
    source = tmp_path / "private-folder" / "mug.png"
    source.parent.mkdir()
    source.write_bytes(picture((8, 8)))
    path = result(request=request(source)).images[0].save(tmp_path / "out")
    assert b"private-folder" not in path.read_bytes()
    facts = read(path.read_bytes())
    assert facts is not None
    assert facts.images[0].source == "mug.png"
    assert facts.images[0].sha256 == files.sha256(source.read_bytes())


def test_minimal_provenance_tells_neither_inputs_nor_prompt(tmp_path: Path) -> None:
    """Whoever publishes a picture may keep the way to it."""
    path = result().images[0].save(tmp_path, provenance="minimal")
    sidecar = path.with_name(f"{path.name}.json")
    for text in (path.read_bytes(), sidecar.read_bytes()):
        assert b"the mug" not in text
        assert b"pictures.invalid" not in text
    facts = read(path)
    assert facts is not None
    assert (facts.recipe, facts.prompt, facts.images) == ("edit/change_part", None, ())


def test_no_provenance_is_the_picture_bit_for_bit(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = result().images[0].save(tmp_path, provenance="none")
    assert path.read_bytes() == picture()
    assert list(tmp_path.iterdir()) == [path]


def test_setting_says_what_pictures_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who publishes everything sets it once; a call still has the last word."""
    image = result().images[0]
    monkeypatch.setenv("NANORECIPES_PROVENANCE", "minimal")
    facts = read(image.save(tmp_path).read_bytes())
    assert facts is not None
    assert facts.prompt is None
    configure(provenance="none")
    assert image.save(tmp_path).read_bytes() == picture()
    told = read(image.save(tmp_path, provenance="full").read_bytes())
    assert told is not None
    assert told.prompt is not None


def test_wrong_setting_is_found_before_anything_is_bought(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error at saving time would come after the money has gone."""
    monkeypatch.setenv("NANORECIPES_PROVENANCE", "ful")
    with pytest.raises(ConfigurationError, match="NANORECIPES_PROVENANCE is 'ful'"):
        Client(backend="sandbox")


def test_sidecar_that_lost_its_picture_is_not_taken_over(tmp_path: Path) -> None:
    """Otherwise the next picture of that name would tell another one's story."""
    image = result().images[0]
    first = image.save(tmp_path / "mug.png")
    first.unlink()
    second = image.save(tmp_path / "mug.png")
    assert second.name == "mug-2.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mug-2.png",
        "mug-2.png.json",
        "mug.png.json",
    ]


@pytest.mark.parametrize(
    ("format", "extension"), [("png", ".png"), ("jpeg", ".jpg"), ("webp", ".webp")]
)
def test_a_picture_is_converted_when_asked(tmp_path: Path, format: Any, extension: str) -> None:
    """The sidecar says that the pixels are no longer the service's own."""
    path = result().images[0].save(tmp_path, format=format)
    assert path.suffix == extension
    with Image.open(path) as saved:
        assert (saved.format, saved.size) == (format.upper(), (512, 512))
    record = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    changed = None if format == "png" else "image/png"
    assert record["picture"]["converted_from"] == changed
    assert record["picture"]["received_sha256"] == files.sha256(picture())


def test_a_picture_that_can_not_be_converted_is_saved_as_it_came(tmp_path: Path) -> None:
    """It was paid for."""
    broken = ResultImage(picture()[:200], "image/png", None, 1, "http://x/1", result().origin)
    with pytest.raises(SaveError, match="saved as it came") as caught:
        broken.save(tmp_path, format="webp")
    assert isinstance(caught.value.kept, Path)
    assert caught.value.kept.suffix == ".png"


def test_a_transparent_picture_becomes_a_jpeg_on_white(tmp_path: Path) -> None:
    """Black where nothing was would be a surprise."""
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(buffer, "PNG")
    made = ResultImage(buffer.getvalue(), "image/png", (8, 8), 1, "", result().origin)
    with Image.open(made.save(tmp_path, format="jpeg")) as saved:
        assert saved.getpixel((4, 4)) == (255, 255, 255)


def test_a_name_is_made_from_a_pattern(tmp_path: Path) -> None:
    """Forty files of one attempt are told apart from forty of another."""
    paths = result(2).save(tmp_path, name="{date} {group}/{recipe}-{n}")
    assert [path.name for path in paths] == [
        "2026-11-20 edit-change_part-1.png",
        "2026-11-20 edit-change_part-2.png",
    ]


@pytest.mark.parametrize("pattern", ["{prompt}", "{", "a}", " ", "{n"])
def test_a_pattern_that_can_not_be_filled_names_its_fields(tmp_path: Path, pattern: str) -> None:
    """Before anything is written."""
    with pytest.raises(InputError) as caught:
        result().save(tmp_path, name=pattern)
    assert "{recipe}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
