"""A desk for each test: an empty folder in which an author lints recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lint_desk import Desk
from shells import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nanorecipes.book.recipes._shelf", None)
    return Desk(tmp_path, Shell(capsys))
