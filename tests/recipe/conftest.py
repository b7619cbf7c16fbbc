"""An empty library for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from recipe_trees import Tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A library in a folder of its own."""
    return Tree(tmp_path)
