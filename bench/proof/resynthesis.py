"""What a faithful model does to every pixel: the perturbations that a proof must see through."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

Rng = np.random.Generator
RESAMPLERS = [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4]
STEPS = ("resample", "smooth", "sharpen", "grain", "patches", "encode")


def resynthesise(picture: np.ndarray, rng: Rng, without: str = "") -> tuple[np.ndarray, list[str]]:
    """New pixels for the same picture, and the names of the steps taken."""
    steps = [step for step in STEPS if rng.random() < 0.5 and step != without] or ["resample"]
    done = picture
    for step in steps:
        done = _STEP[step](done, rng)
    return done.clip(0, 255), steps


def tone(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """A slight change of exposure, contrast and colour."""
    strength = float(rng.choice([0.3, 1.0, 1.0, 1.5]))
    flat = np.clip(picture / 255.0, 0, 1) ** float(np.exp(rng.normal(0, 0.06 * strength)))
    gain = 1 + rng.normal(0, 0.035 * strength) + rng.normal(0, 0.018 * strength, 3)
    flat = (flat - 0.5) * (1 + rng.normal(0, 0.05 * strength)) + 0.5
    grey = flat.mean(axis=2, keepdims=True)
    flat = grey + (flat - grey) * (1 + rng.normal(0, 0.08 * strength))
    return np.clip(flat * gain, 0, 1) * 255.0


def jitter(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """Things wander smoothly by up to about a pixel and a half."""
    height, width = picture.shape[:2]
    nodes = int(rng.integers(3, 7))
    reach = rng.uniform(0.2, 1.4) * max(height, width) / 1000
    shift = rng.normal(0, reach * 0.7, (nodes, nodes, 2)).astype(np.float32)
    field = cv2.resize(shift, (width, height), interpolation=cv2.INTER_CUBIC)
    field = np.clip(field, -2 * reach, 2 * reach)
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    return cv2.remap(
        picture,
        xx + field[..., 0],
        yy + field[..., 1],
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )


def frame(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """A shift, zoom and turn of a few percent, perhaps in a slightly other ratio."""
    height, width = picture.shape[:2]
    zoom = 1 + rng.uniform(-0.025, 0.03)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 0.3), zoom)
    matrix[:, 2] += rng.uniform(-0.02, 0.02, 2) * (width, height)
    return cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def resize(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """Another resolution, at times another ratio."""
    height, width = picture.shape[:2]
    scale = float(np.exp(rng.uniform(np.log(0.55), np.log(1.6))))
    stretch = rng.normal(0, 0.02) if rng.random() < 0.5 else 0.0
    size = (round(width * scale * (1 + stretch)), round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else int(rng.choice(RESAMPLERS))
    return cv2.resize(picture, size, interpolation=way)


def save(picture: np.ndarray, rng: Rng) -> Image.Image:
    """The picture as it comes back from a service: PNG, JPEG or WebP."""
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    kind = str(rng.choice(["PNG", "JPEG", "JPEG", "WEBP"]))
    return image if kind == "PNG" else _encoded(image, kind, int(rng.integers(70, 97)))


def _encoded(image: Image.Image, kind: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    file.seek(0)
    return Image.open(file).convert("RGB")


def _resample(picture: np.ndarray, rng: Rng) -> np.ndarray:
    scale = rng.uniform(0.5, 0.95)
    down, up = (int(way) for way in rng.choice(RESAMPLERS, 2))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=down)
    return cv2.resize(small, picture.shape[1::-1], interpolation=up)


def _smooth(picture: np.ndarray, rng: Rng) -> np.ndarray:
    bytes_ = picture.clip(0, 255).astype(np.uint8)
    kind = rng.integers(5)
    if kind == 0:
        new = cv2.bilateralFilter(bytes_, 5, float(rng.uniform(10, 45)), float(rng.uniform(2, 5)))
    elif kind == 1:
        new = cv2.medianBlur(bytes_, 3 if rng.random() < 0.7 else 5)
    elif kind == 2:
        new = cv2.GaussianBlur(bytes_, (0, 0), float(rng.uniform(0.5, 1.5)))
    elif kind == 3:
        new = cv2.edgePreservingFilter(bytes_, flags=1, sigma_s=8, sigma_r=rng.uniform(0.06, 0.2))
    else:
        new = cv2.pyrMeanShiftFiltering(bytes_, 3, float(rng.uniform(5, 14)), maxLevel=0)
    return new.astype(np.float32)


def _sharpen(picture: np.ndarray, rng: Rng) -> np.ndarray:
    soft = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.8, 2.5)))
    return picture + (picture - soft) * rng.uniform(0.2, 0.9)


def _grain(picture: np.ndarray, rng: Rng) -> np.ndarray:
    channels = 1 if rng.random() < 0.5 else 3
    noise = rng.normal(0, rng.uniform(1.5, 7), (*picture.shape[:2], channels)).astype(np.float32)
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.7).reshape(noise.shape) * 1.6
    return picture + noise


def _patches(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """As a picture coder with a small alphabet paints: 8-pixel patches of few components."""
    height, width = picture.shape[0] // 8 * 8, picture.shape[1] // 8 * 8
    body = picture[:height, :width].reshape(height // 8, 8, width // 8, 8, 3)
    rows = body.transpose(0, 2, 1, 3, 4).reshape(-1, 192).astype(np.float32)
    mean = rows.mean(axis=0)
    sample = rows[rng.integers(len(rows), size=min(3000, len(rows)))] - mean
    _, axes = np.linalg.eigh(sample.T @ sample)
    keep = axes[:, -int(rng.integers(24, 80)) :]
    code = (rows - mean) @ keep
    code *= 1 + rng.normal(0, rng.uniform(0, 0.06), code.shape)
    new = (code @ keep.T + mean).reshape(height // 8, width // 8, 8, 8, 3)
    done = picture.astype(np.float32).copy()
    done[:height, :width] = new.transpose(0, 2, 1, 3, 4).reshape(height, width, 3)
    return done


def _encode(picture: np.ndarray, rng: Rng) -> np.ndarray:
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    kind = str(rng.choice(["JPEG", "WEBP"]))
    return np.asarray(_encoded(image, kind, int(rng.integers(45, 95))), dtype=np.float32)


_STEP = {
    "resample": _resample, "smooth": _smooth, "sharpen": _sharpen, "grain": _grain,
    "patches": _patches, "encode": _encode,
}  # fmt: skip
