"""The command line as a person calls it, in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from shells import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """A shell in an empty folder with one picture, `photo.jpg`, 400 by 300 pixels."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nanorecipes.book.recipes._shelf", None)
    Image.new("RGB", (400, 300), "teal").save(tmp_path / "photo.jpg")
    return Shell(capsys)
