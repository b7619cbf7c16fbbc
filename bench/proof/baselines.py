"""The plain measures that one would try first, for comparison."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from nanorecipes.proof import compare

NAMES = ("SSIM", "SSIM after registration", "PSNR outside the region", "perceptual hash")


def measure(source: Image.Image, output: Image.Image, region: np.ndarray) -> dict[str, float]:
    """Each measure of a pair; higher means more alike."""
    first = np.asarray(source.convert("RGB"))
    second = np.asarray(output.convert("RGB").resize(source.size, Image.Resampling.BICUBIC))
    loads = compare.load_both(source, output)
    shape = loads.source.pixels.shape[:2]
    mask = cv2.resize(region.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA) > 0.3
    laid = compare.compare(loads, ignore=mask, edges_only=False)
    held = laid.registered.valid & ~mask
    similar = similarity(loads.source.pixels, laid.matched)
    return {
        "SSIM": float(similarity(first, second).mean()),
        "SSIM after registration": float(similar[held].mean()) if held.any() else 1.0,
        "PSNR outside the region": _psnr(first, second, ~region),
        "perceptual hash": -float((_hash(source) != _hash(output)).sum()),
    }


def similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Structural similarity of brightness in Gaussian windows, for each pixel."""
    a, b = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (first, second))

    def soft(plane: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(plane, (11, 11), 1.5)

    mean_a, mean_b = soft(a), soft(b)
    var_a, var_b = soft(a * a) - mean_a**2, soft(b * b) - mean_b**2
    both = soft(a * b) - mean_a * mean_b
    c1, c2 = 6.5025, 58.5225
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))


def _psnr(first: np.ndarray, second: np.ndarray, held: np.ndarray) -> float:
    off = np.square(first.astype(np.float32) - second)[held]
    return float(-10 * np.log10(off.mean() / 255**2 + 1e-9)) if off.size else 99.0


def _hash(image: Image.Image) -> np.ndarray:
    """64 bits of the coarse cosine spectrum."""
    small = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.float32)
    coarse = cv2.dct(small)[:8, :8].ravel()
    return coarse > np.median(coarse[1:])
