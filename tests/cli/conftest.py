"""The command line as a person calls it, in a folder of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nanorecipes.cli.main import run


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Runs commands in the current folder and keeps what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str) -> Outcome:
        self._capsys.readouterr()
        code = run(list(args))
        return self.read(code)

    def read(self, code: int = 0) -> Outcome:
        """What was printed since the last look."""
        said = self._capsys.readouterr()
        return Outcome(code, said.out, said.err)


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """A shell in an empty folder with one picture, `photo.jpg`, 400 by 300 pixels."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nanorecipes.book.recipes._shelf", None)
    Image.new("RGB", (400, 300), "teal").save(tmp_path / "photo.jpg")
    return Shell(capsys)
