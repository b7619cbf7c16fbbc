"""The array library, loaded once, or an error that names the extra to install."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

from nanorecipes.errors import MissingExtraError

try:
    import numpy as np

    cv: Any = importlib.import_module("cv2")
except ImportError as exc:
    raise MissingExtraError("proving a picture", "proof") from exc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    """Pixels as 8-bit numbers: (height, width, 3) in RGB, or (height, width)."""
    Plane = NDArray[np.float32]
    """Numbers for each pixel or cell."""
    Mask = NDArray[np.bool_]
    """A yes or no for each pixel or cell."""

SEEDED = threading.Lock()
"""Held while the library's one random generator is seeded and used."""

__all__ = ["SEEDED", "cv", "np"]
