"""The command line on Google, played over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from shells import Shell

from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import RunningServer, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """Google at an address of this machine, with a key in the environment."""
    sandbox = Sandbox(plain=True, task_seconds=0, faults=Faults(retry_after_s=0))
    with running_server(sandbox) as server:
        monkeypatch.setenv("GEMINI_API_KEY", "gk-1234567890-secret")
        monkeypatch.setenv("GEMINI_BASE_URL", server.base_url)
        yield server


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    google: RunningServer,
) -> Shell:
    """A shell in a folder with one picture and a ledger, which asks Google."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NANORECIPES_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setattr("nanorecipes.book.recipes._shelf", None)
    Image.new("RGB", (400, 300), "teal").save(tmp_path / "photo.jpg")
    return Shell(capsys)
