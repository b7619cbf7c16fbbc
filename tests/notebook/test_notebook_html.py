"""What notebooks show of requests and results."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nanorecipes import Client, Request, recipes

VOID = {"img", "br", "hr"}


class Page(HTMLParser):
    """The parts of a cell: its text, its pictures, and every element and attribute."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.pictures: list[Image.Image] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            if name == "src":
                assert value is not None
                head, _, data = value.partition(",")
                assert head == "data:image/webp;base64"
                self.pictures.append(Image.open(io.BytesIO(base64.b64decode(data))))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture larger than what is shown."""
    path = tmp_path / "mug.jpg"
    Image.new("RGB", (1200, 800), "teal").save(path)
    return path


def change(photo: object, **more: object) -> Request:
    """A request to change a part."""
    asked = {"part": "the mug", "change": "glazed deep blue", "model": "flash", **more}
    return recipes["edit/change_part"].render(photo=photo, **asked)


def test_a_request_shows_its_picture_sections_and_cost(photo: Path) -> None:
    """Before paying, a person reads what will be sent."""
    request = change(photo)
    page = Page(request._repr_html_())
    assert [picture.size for picture in page.pictures] == [(360, 240)]
    for section in request.sections:
        assert f"{section.name}{section.text}" in page.text
    assert "1. photo (source)" in page.text
    assert f"about ${request.estimated_cost}" in page.text
    assert "not sent" in page.text


def test_a_result_shows_the_source_beside_what_came_and_the_cost(photo: Path) -> None:
    """The two are judged side by side, and nobody takes a proof for a model's picture."""
    with Client(backend="sandbox", ledger=False) as client:
        result = client.run(change(photo, num_images=2))
    page = Page(result._repr_html_())
    assert len(page.pictures) == 3
    assert max(max(picture.size) for picture in page.pictures) <= 360
    assert page.text.index("1. photo (source)") < page.text.index("result 1:")
    assert "result 2:" in page.text
    assert f"${result.cost}" in page.text
    assert "sandbox: a drawing" in page.text
    assert str(result.task_id) in page.text


def test_a_picture_behind_a_url_is_named_without_its_signature() -> None:
    """Showing fetches nothing, and a notebook is passed on with what it shows."""
    page = Page(change("https://user:pw@pictures.invalid/a/mug.jpg?sig=secret")._repr_html_())
    assert page.pictures == []
    assert "https://pictures.invalid/a/mug.jpg" in page.text
    assert "secret" not in page.text
    assert "pw" not in page.text


def test_an_absent_picture_is_said_to_be_absent(photo: Path) -> None:
    """The cell of a request must not fail because a file was moved."""
    request = change(photo)
    photo.unlink()
    page = Page(request._repr_html_())
    assert page.pictures == []
    assert "there is no file" in page.text


def test_no_script_link_or_style_sheet_is_in_a_cell(photo: Path) -> None:
    """What a cell shows is trusted by whoever opens the notebook."""
    page = Page(change(photo, change='<script>alert(1)</script><img src="x">')._repr_html_())
    assert page.elements <= {"div", "b", "figure", "figcaption", "img"}
    assert page.attributes <= {"style", "src", "alt"}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(change_to=st.text(min_size=1, max_size=60).filter(lambda text: text.strip()))
def test_any_text_stays_text(change_to: str) -> None:
    """Values come from strangers' tables: none may become markup."""
    try:
        request = change("https://pictures.invalid/mug.jpg", change=change_to)
    except ValueError:
        return  # refused by the recipe, as control characters are
    page = Page(request._repr_html_())
    for section in request.sections:
        assert section.text in page.text
