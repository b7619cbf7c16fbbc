"""A project folder with a library, tested from the command line as its author does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testing_projects import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    """An empty project, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, capsys)
