"""Fixtures of the proof's tests."""

from __future__ import annotations

import pytest
from PIL import Image
from proof_pictures import scene


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """The picture most tests start from."""
    return scene()
