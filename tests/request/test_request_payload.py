"""The exact body that is sent, `match` from real pictures, and images however they are given."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from recipe_trees import PHOTO, Tree, recipe_text

from nanorecipes import InputError, Recipe


def png(width: int, height: int, orientation: int | None = None, kind: str = "PNG") -> bytes:
    """A picture of this size in pixels, turned by its EXIF tag."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.new("RGB", (width, height), "teal").save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.fixture
def matching(tree: Tree) -> Recipe:
    """A recipe whose ratio is that of its picture."""
    return tree.recipe(recipe_text(more="settings: {aspect_ratio: match, quality: 2K}"))


def test_the_payload_is_exact(tree: Tree) -> None:
    """Nothing is sent that wasn't set, and nothing that was set is left out."""
    assert tree.render(recipe_text()).payload() == {
        "model": "vertex/nano-banana-flash",
        "prompt": "Paint the wall in the image red.\n\n"
        "Keep the sky exactly as in the image. Change nothing else.",
        "image_urls": [PHOTO],
        "celery": True,
    }
    images = "photo:\nhat: {role: reference}\nmore: {max: 2, optional: true}"
    recipe = tree.recipe(recipe_text("Do {{ hat }}.", images=images))
    request = recipe.render(
        photo="me.jpg", hat="https://h.test/x?y=1", more=["a.png", "b.png"], quality="4K", seed=3,
        aspect_ratio="16:9", num_images=2, search=True,
    )  # fmt: skip
    assert request.payload({1: "https://up.test/1"}, celery=False) == {
        "model": "vertex/nano-banana-flash",
        "prompt": request.prompt,
        "image_urls": ["https://up.test/1", "a.png", "b.png"],
        "reference_images": ["https://h.test/x?y=1"],
        "aspect_ratio": "16:9",
        "quality": "4K",
        "num_images": 2,
        "seed": 3,
        "search_grounding": True,
        "celery": False,
    }
    assert "search_grounding" not in recipe.render(photo=PHOTO, hat=PHOTO, search=False).payload()


@pytest.mark.parametrize(
    ("width", "height", "orientation", "ratio"),
    [
        (100, 100, None, "1:1"),
        (1600, 900, None, "16:9"),
        (900, 1600, None, "9:16"),
        (1600, 900, 1, "16:9"),
        (1600, 900, 3, "16:9"),
        (1600, 900, 5, "9:16"),
        (1600, 900, 6, "9:16"),
        (1600, 900, 8, "9:16"),
        (301, 200, None, "3:2"),
        (1000, 120, None, "8:1"),
        (120, 1000, None, "1:8"),
        (1, 400, None, "1:8"),
        (230, 100, None, "21:9"),
        (124, 100, None, "5:4"),
        (130, 100, None, "4:3"),
    ],
)
def test_match_takes_the_nearest_ratio_of_the_first_source(
    matching: Recipe, width: int, height: int, orientation: int | None, ratio: str
) -> None:
    """As a viewer shows the picture: the EXIF tag turns it."""
    request = matching.render(photo=png(width, height, orientation, "JPEG"))
    assert request.aspect_ratio == ratio
    assert request.payload()["aspect_ratio"] == ratio
    assert request.warnings == ()
    assert request.options["aspect_ratio"] == "match"
    assert request.expected_size_px is not None


def test_match_takes_what_the_model_offers(matching: Recipe) -> None:
    """Pro has no 8:1."""
    assert matching.render(photo=png(800, 100), model="pro").aspect_ratio == "21:9"


def test_match_looks_at_the_first_source_alone(tree: Tree) -> None:
    """Not at a reference, wherever it is declared."""
    images = "ref: {role: reference}\nphoto:"
    recipe = tree.recipe(
        recipe_text("{{ ref }}", images=images, more="settings: {aspect_ratio: match}")
    )
    request = recipe.render(ref=png(900, 100), photo=png(100, 200))
    assert request.aspect_ratio == "9:16"


@pytest.mark.parametrize(
    ("photo", "warning"),
    [
        (
            PHOTO,
            "aspect_ratio: match is left out, and the output follows the input: "
            f"the size of {PHOTO} is not known",
        ),
        (
            "no/such/file.jpg",
            "there is no file 'no/such/file.jpg': nothing can be sent like that, and "
            "aspect_ratio: match is left out",
        ),
    ],
)
def test_match_without_a_size_is_left_out_with_a_warning(
    matching: Recipe, photo: str, warning: str
) -> None:
    """The output then follows the input; a file that isn't there is what matters more."""
    request = matching.render(photo=photo)
    assert "aspect_ratio" not in request.payload()
    assert "aspect_ratio" not in request.settings
    assert request.warnings == (warning,)
    assert request.expected_size_px is None


def test_match_on_a_model_without_ratios_is_left_out(matching: Recipe) -> None:
    """Nothing is known that could be nearest."""
    request = matching.render(photo=png(10, 10), model="other/model")
    assert request.warnings[0].endswith("other/model has no list of ratios")


def test_the_expected_size_is_known_before(tree: Tree) -> None:
    """What came back is held against it."""
    request = tree.render(recipe_text(), quality="2K", aspect_ratio="16:9")
    assert request.expected_size_px == (2752, 1536)
    assert tree.render(recipe_text(), aspect_ratio="1:1").expected_size_px == (1024, 1024)
    assert tree.render(recipe_text(), quality="2K").expected_size_px is None


def test_images_are_given_in_every_way(tree: Tree, tmp_path: Path) -> None:
    """A path, a URL, bytes, an open binary file or a PIL image."""
    path = tmp_path / "a.png"
    path.write_bytes(png(8, 6))
    recipe = tree.recipe(recipe_text())
    with path.open("rb") as file:
        ways = [
            ("path", str(path)), ("path", path), ("url", PHOTO), ("bytes", png(8, 6)),
            ("bytes", bytearray(png(8, 6))), ("bytes", memoryview(png(8, 6))), ("bytes", file),
            ("bytes", io.BytesIO(png(8, 6))), ("bytes", Image.new("RGB", (8, 6))),
            ("bytes", Image.new("P", (8, 6))), ("bytes", Image.new("CMYK", (8, 6))),
        ]  # fmt: skip
        for kind, given in ways:
            image = recipe.render(photo=given).images[0].input
            assert image.kind == kind
            assert image.size_px == (None if kind == "url" else (8, 6))
    assert recipe.render(photo=image).images[0].input is image
    name = recipe.render(photo=png(8, 6)).images[0].source
    assert name.startswith("image-")
    assert name.endswith(".png")


class _Broken:
    """Looks like an open file."""

    def read(self, size: int) -> bytes:
        raise OSError("the disk is gone")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "expected a path, a URL, bytes, an open binary file or a PIL image, found int"),
        ({}, "expected a path, a URL, bytes, an open binary file or a PIL image, found dict"),
        ("", "expected a path or a URL, found an empty or malformed text"),
        ("a\x00b", "expected a path or a URL, found an empty or malformed text"),
        ("ftp://a.test/x", "expected an http or https URL, found 'ftp://a.test/x'"),
        ("file:///etc/passwd", "expected an http or https URL"),
        ("http://", "expected an http or https URL, found 'http://'"),
        ("http://[::1", "expected an http or https URL"),
        ("https://a.test/x\ny", "expected an http or https URL"),
        ("https://a b.test/x", "expected an http or https URL"),
        (b"not a picture", "13 bytes that are no picture of a known type"),
        (io.StringIO("text"), "expected a file opened in binary mode ('rb'), found a text file"),
        (_Broken(), "the open file can't be read: the disk is gone"),
        ([PHOTO, PHOTO], "photo takes one picture, found 2"),
        ([], "the image 'photo' is missing"),
        ((), "photo takes one picture, found 0"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else type(value).__name__,
)
def test_an_image_that_cannot_be_used_says_why(tree: Tree, given: Any, message: str) -> None:
    """Before anything is read from disk or sent."""
    recipe = tree.recipe(recipe_text())
    with pytest.raises(InputError) as caught:
        recipe.render(photo=given)
    (finding,) = caught.value.diagnostics
    assert finding.field == "photo"
    assert message in finding.message


def test_a_closed_picture_says_so(tree: Tree) -> None:
    """A PIL image or file that was closed has nothing to send."""
    picture = Image.open(io.BytesIO(png(4, 4)))
    picture.close()
    stream = io.BytesIO(b"x")
    stream.close()
    recipe = tree.recipe(recipe_text())
    for given in (picture, stream):
        with pytest.raises(InputError, match="can't be"):
            recipe.render(photo=given)


def test_files_are_not_opened_to_render(tree: Tree) -> None:
    """Examples name pictures that need not exist."""
    request = tree.render(recipe_text(), photo="no/such/portrait.jpg")
    assert request.payload()["image_urls"] == ["no/such/portrait.jpg"]
