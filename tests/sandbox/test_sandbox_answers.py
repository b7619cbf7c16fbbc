"""The emulator answers with pictures that it was given, so that edits can be tried out."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from nanorecipes import Client, Request, recipes
from nanorecipes.errors import ConfigurationError
from nanorecipes.sandbox.card import is_card
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.server import running_server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures to edit in the current folder, and answers for one of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("mug.jpg", "cup.jpg"):
        Image.new("RGB", (64, 48), "white").save(name)
    answers = tmp_path / "answers"
    answers.mkdir()
    for name, color in (("mug.png", "red"), ("mug-2.webp", "green"), ("mug-10.png", "blue")):
        Image.new("RGB", (64, 48), color).save(answers / name, lossless=True)
    (answers / "notes.txt").write_text("not a picture")
    return answers


def request(photo: str, change: str = "blue") -> Request:
    """An edit of a picture."""
    return recipes["edit/change_part"].render(photo=photo, part="the mug", change=change)


def color(data: bytes) -> tuple[int, int, int]:
    """The one colour of a picture."""
    found = Image.open(io.BytesIO(data)).convert("RGB").getpixel((1, 1))
    assert isinstance(found, tuple)
    return found[0], found[1], found[2]


RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


def test_an_answer_goes_by_the_name_of_the_source(folder: Path) -> None:
    """Each try of the same request gets the next picture, the last one ever after."""
    with Client(sandbox=Sandbox(answers=folder, task_seconds=0)) as client:
        tries = [client.run(request("mug.jpg")) for _ in range(4)]
        other = client.run(request("mug.jpg", "green"))
        card = client.run(request("cup.jpg"))
    assert [color(result.images[0].data) for result in tries] == [RED, GREEN, BLUE, BLUE]
    assert [result.images[0].mime_type for result in tries][:2] == ["image/png", "image/webp"]
    assert not any("called" in text for result in tries for text in result.warnings)
    assert color(other.images[0].data) == RED
    assert is_card(card.images[0].data)
    assert not is_card(tries[0].images[0].data)


def test_several_pictures_of_one_request_differ(folder: Path) -> None:
    """A choice of two is a choice."""
    asked = recipes["edit/change_part"].render(
        photo="mug.jpg", part="the mug", change="blue", num_images=2
    )
    with Client(sandbox=Sandbox(answers=folder, task_seconds=0)) as client:
        result = client.run(asked)
    assert [color(image.data) for image in result.images] == [RED, GREEN]


def test_the_setting_reaches_the_embedded_sandbox(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--sandbox` has no other way to be told."""
    monkeypatch.setenv("NANORECIPES_SANDBOX_ANSWERS", str(folder))
    with Client(backend="sandbox") as client:
        assert not is_card(client.run(request("mug.jpg", "as the setting says")).images[0].data)
    monkeypatch.delenv("NANORECIPES_SANDBOX_ANSWERS")
    with Client(backend="sandbox") as client:
        assert is_card(client.run(request("mug.jpg", "as drawn")).images[0].data)


def test_the_served_sandbox_answers_with_them(folder: Path) -> None:
    """Also to a client in another process."""
    with (
        running_server(Sandbox(answers=folder, task_seconds=0)) as server,
        Client(backend="sandbox", base_url=server.base_url) as client,
    ):
        assert color(client.run(request("mug.jpg")).images[0].data) == RED


def test_a_source_behind_a_url_goes_by_its_last_part(folder: Path) -> None:
    """URLs have names as well."""
    with Client(sandbox=Sandbox(answers=folder, task_seconds=0)) as client:
        result = client.run(request("https://shop.example/pictures/mug.jpg?size=large"))
    assert color(result.images[0].data) == RED


@pytest.mark.parametrize("name", ["nothing-here", "empty"])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, name: str) -> None:
    """A misspelt folder would silently give cards."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="folder of answers"):
        Sandbox(answers=tmp_path / name)
