"""Small pictures for the tests of the proof, made from seeds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

cv2 = pytest.importorskip("cv2")

EDIT = (40, 60, 130, 150)
ELSEWHERE = (230, 120, 300, 190)


def scene(seed: int = 1, size: tuple[int, int] = (360, 270)) -> Image.Image:
    """A busy picture: soft colours, surfaces, and things with edges."""
    rng = np.random.default_rng(seed)
    width, height = size
    pixels = np.full((height, width, 3), 120.0, np.float32)
    for nodes, strength in ((3, 55), (9, 22), (40, 14), (110, 9)):
        noise = rng.normal(size=(nodes, nodes, 3)).astype(np.float32)
        noise[..., 1:] = 0.5 * noise[..., 1:] + 0.5 * noise[..., :1]
        pixels += strength * cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(34):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        w, h = rng.uniform(0.03, 0.16, 2) * width
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        if rng.random() < 0.5:
            draw.ellipse((x, y, x + w, y + h), fill=colour, outline=(20, 20, 20))
        else:
            draw.rectangle((x, y, x + w, y + h), fill=colour, outline=(235, 235, 235))
    return image


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The picture as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def patched(image: Image.Image, box: tuple[int, int, int, int], seed: int = 99) -> Image.Image:
    """The picture with something else in the box."""
    left, top, right, bottom = box
    done = image.copy()
    done.paste(scene(seed, image.size).crop(box).rotate(180), (left, top))
    ImageDraw.Draw(done).ellipse((left, top, right, bottom), fill=(250, 40, 180))
    return done


def resynthesised(image: Image.Image) -> bytes:
    """Every pixel new: scaled, a little softer and brighter, with grain, as JPEG."""
    rng = np.random.default_rng(8)
    small = image.resize((image.width * 4 // 5, image.height * 4 // 5))
    pixels = np.asarray(small.resize(image.size, Image.Resampling.BICUBIC), np.float32)
    pixels = pixels * 1.03 + 2 + rng.normal(0, 2.5, pixels.shape)
    return encoded(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), quality=85)
