"""New looks for a whole picture: the composition stays, colours and textures don't."""

from __future__ import annotations

import cv2
import numpy as np

Rng = np.random.Generator


def restyle(picture: np.ndarray, rng: Rng, without: str = "") -> tuple[np.ndarray, str]:
    """The picture in a random look, and the look's name."""
    name = str(rng.choice([name for name in _LOOKS if name != without]))
    new = _LOOKS[name](picture.clip(0, 255).astype(np.uint8), rng).astype(np.float32)
    if rng.random() < 0.6:
        new = _grade(new, rng)
    return new.clip(0, 255), name


def _grade(picture: np.ndarray, rng: Rng) -> np.ndarray:
    shadows, lights = rng.uniform(0, 90, 3), rng.uniform(150, 255, 3)
    flat = np.clip(picture / 255, 0, 1) ** rng.uniform(0.6, 1.7)
    return shadows + flat * (lights - shadows)


def _colours(picture: np.ndarray, rng: Rng) -> np.ndarray:
    mixing = rng.dirichlet((0.7, 0.7, 0.7), 3).astype(np.float32)
    return cv2.transform(picture.astype(np.float32), mixing)


def _mono(picture: np.ndarray, rng: Rng) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] / 255
    return rng.uniform(0, 60, 3) + grey * rng.uniform(140, 255, 3)


def _painted(picture: np.ndarray, rng: Rng) -> np.ndarray:
    scale = 0.5
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    new = cv2.stylization(small, sigma_s=float(rng.uniform(15, 60)), sigma_r=0.45)
    return cv2.resize(new, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def _poster(picture: np.ndarray, rng: Rng) -> np.ndarray:
    soft = cv2.medianBlur(picture, 7).astype(np.float32)
    levels = float(rng.integers(3, 7))
    return np.round(soft / 255 * levels) / levels * 255


def _sketch(picture: np.ndarray, rng: Rng) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    soft = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(4, 12)))
    lines = np.clip(grey / (soft + 1) * 250, 0, 255)[..., None]
    return (
        lines
        * rng.uniform(0.8, 1, 3)
        * (1 - 0.4 * (rng.random() < 0.5) * (1 - grey[..., None] / 255))
    )


def _brushed(picture: np.ndarray, rng: Rng) -> np.ndarray:
    noise = rng.normal(size=picture.shape[:2]).astype(np.float32)
    angle = float(rng.uniform(0, 180))
    kernel = np.zeros((15, 15), np.float32)
    kernel[7] = 1 / 15
    kernel = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((7, 7), angle, 1), (15, 15))
    strokes = cv2.filter2D(noise, -1, kernel)
    soft = cv2.medianBlur(picture, 9).astype(np.float32)
    return soft + strokes[..., None] / strokes.std() * rng.uniform(6, 18)


def _night(picture: np.ndarray, rng: Rng) -> np.ndarray:
    flat = np.clip(picture / 255.0, 0, 1) ** rng.uniform(1.4, 2.3)
    return flat * rng.uniform((60, 80, 120), (150, 170, 250))


def _negative(picture: np.ndarray, rng: Rng) -> np.ndarray:
    return 255.0 - picture


def _relit(picture: np.ndarray, rng: Rng) -> np.ndarray:
    nodes = rng.uniform(0.45, 1.6, (3, 3, 3)).astype(np.float32)
    return picture * cv2.resize(nodes, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


_LOOKS = {
    "colours": _colours, "mono": _mono, "painted": _painted, "poster": _poster,
    "sketch": _sketch, "brushed": _brushed, "night": _night, "negative": _negative,
    "relit": _relit,
}  # fmt: skip
LOOKS = tuple(_LOOKS)
