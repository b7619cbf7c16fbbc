"""What can happen to an area of a picture: the edits and the drifts of the pairs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Rng = np.random.Generator
Fill = Callable[[np.ndarray, np.ndarray, np.ndarray, Rng], np.ndarray]
"""(picture, area 0 to 1, other photo, random numbers) to the picture with the area changed."""

LETTERS = list("ABCDEFGHKLMNPRSTUXYZaeghknorstux0123456789")


def blob(shape: tuple[int, int], share: float, rng: Rng) -> np.ndarray:
    """A soft-edged area of about `share` of the picture: ellipse, slanted box or cloud."""
    height, width = shape
    kind = rng.integers(4)
    aspect = float(np.exp(rng.uniform(-0.8, 0.8)))
    area = share * height * width
    wide = min(0.9 * width, float(np.sqrt(area * aspect)))
    tall = min(0.9 * height, area / wide)
    x = rng.uniform(wide / 2, width - wide / 2)
    y = rng.uniform(tall / 2, height - tall / 2)
    canvas = np.zeros(shape, np.float32)
    angle = float(rng.uniform(0, 180))
    if kind == 0:
        axes = (wide / 2 * 1.1, tall / 2 * 1.1)
        cv2.ellipse(canvas, ((x, y), (2 * axes[0], 2 * axes[1]), angle), 1.0, -1)
    elif kind == 1:
        box = cv2.boxPoints(((x, y), (wide, tall), angle if rng.random() < 0.4 else 0.0))
        cv2.fillPoly(canvas, [box.astype(np.int32)], 1.0)
    elif kind == 2:
        corners = int(rng.integers(5, 12))
        turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
        far = rng.uniform(0.6, 1.25, corners)
        points = np.stack(
            [x + far * np.cos(turn) * wide / 2, y + far * np.sin(turn) * tall / 2], axis=1
        )
        cv2.fillPoly(canvas, [cv2.convexHull(points.astype(np.int32))], 1.0)
    else:
        grid = rng.normal(size=(9, 9)).astype(np.float32)
        cloud = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        yy, xx = np.mgrid[0:height, 0:width]
        near = 1 - np.hypot((xx - x) / (wide * 0.62), (yy - y) / (tall * 0.62))
        canvas = (near + 0.12 * cloud > 0).astype(np.float32)
    return canvas


def soften(area: np.ndarray, rng: Rng) -> np.ndarray:
    """The area with a seam between hard and soft."""
    return cv2.GaussianBlur(area, (0, 0), float(rng.uniform(0.6, 3.5)))


def mix(picture: np.ndarray, new: np.ndarray, area: np.ndarray) -> np.ndarray:
    """The new picture inside the area."""
    return (picture + (new.astype(np.float32) - picture) * area[..., None]).astype(np.float32)


def bounds(area: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width and height of the area."""
    return cv2.boundingRect((area > 0.3).astype(np.uint8))


def inpaint(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """The thing is gone: filled from around."""
    scale = min(1.0, 260 / max(picture.shape))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(area, small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.05
    way = cv2.INPAINT_TELEA if rng.random() < 0.5 else cv2.INPAINT_NS
    filled = cv2.inpaint(small.clip(0, 255).astype(np.uint8), hole.astype(np.uint8), 4, way)
    big = cv2.resize(filled, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, rng.uniform(0, 5), picture.shape[:2])[..., None]
    return mix(picture, big + cv2.GaussianBlur(grain, (0, 0), 0.8)[..., None], area)


def clone(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """Content from elsewhere in the picture: a thing added, or covered."""
    height, width = picture.shape[:2]
    dx = int(rng.uniform(0.12, 0.6) * width) * (1 if rng.random() < 0.5 else -1)
    dy = int(rng.uniform(0.1, 0.6) * height) * (1 if rng.random() < 0.5 else -1)
    new = np.roll(picture, (dy, dx), (0, 1))
    if rng.random() < 0.4:
        new = new[:, ::-1]
    return mix(picture, _toned(new, picture, area, rng), area)


def paste(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """A thing from another photo."""
    return mix(picture, _toned(_window(other, picture.shape, rng), picture, area, rng), area)


def blended(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """A thing from another photo, its edges made to fit by gradients."""
    new = _window(other, picture.shape, rng)
    left, top, wide, tall = bounds(area)
    if min(wide, tall) < 8:
        return mix(picture, new, area)
    hole = (area > 0.5).astype(np.uint8) * 255
    hole[:2], hole[-2:], hole[:, :2], hole[:, -2:] = 0, 0, 0, 0
    left, top, wide, tall = cv2.boundingRect(hole)
    if min(wide, tall) < 8:
        return mix(picture, new, area)
    middle = (left + wide // 2, top + tall // 2)
    bytes_ = [part.clip(0, 255).astype(np.uint8) for part in (new, picture)]
    way = cv2.NORMAL_CLONE if rng.random() < 0.7 else cv2.MIXED_CLONE
    return cv2.seamlessClone(bytes_[0], bytes_[1], hole, middle, way).astype(np.float32)


def detail(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """Redrawn: the coarse colours stay, the drawing is another (a face, a hand)."""
    side = max(bounds(area)[2:])
    sigma = float(rng.uniform(0.05, 0.16)) * side + 1
    if rng.random() < 0.6:
        new = np.roll(picture, tuple(int(v) for v in rng.integers(40, 300, 2)), (0, 1))
    else:
        new = _window(other, picture.shape, rng)
    if rng.random() < 0.5:
        new = new[:, ::-1]
    fine = new - cv2.GaussianBlur(new, (0, 0), sigma)
    coarse = cv2.GaussianBlur(picture, (0, 0), sigma)
    own = picture - coarse
    inside = area > 0.5
    gain = np.clip((own[inside].std() + 3) / (fine[inside].std() + 1), 0.3, 3)
    return mix(picture, coarse + fine * gain, area)


def texture(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """Another surface of the same mean colour."""
    height, width = picture.shape[:2]
    kind = rng.integers(4)
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    if kind == 0:
        noise = rng.normal(size=(height, width)).astype(np.float32)
        pattern = cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(0.8, 4)))
    elif kind == 1:
        turn, wave = rng.uniform(0, np.pi), rng.uniform(6, 40)
        pattern = np.sin((xx * np.cos(turn) + yy * np.sin(turn)) * 2 * np.pi / wave)
    elif kind == 2:
        cell = rng.uniform(8, 40)
        pattern = np.sign(np.sin(xx * np.pi / cell) * np.sin(yy * np.pi / cell))
    else:
        grey = cv2.cvtColor(_window(other, picture.shape, rng), cv2.COLOR_RGB2GRAY)
        pattern = grey - cv2.GaussianBlur(grey, (0, 0), 12)
    pattern = pattern / (pattern.std() + 1e-3)
    mean = cv2.GaussianBlur(picture, (0, 0), max(4, 0.2 * max(bounds(area)[2:])))
    strength = rng.uniform(8, 30)
    return mix(picture, mean + strength * pattern.astype(np.float32)[..., None], area)


def blur(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """The area lost its drawing."""
    sigma = max(4.0, rng.uniform(0.05, 0.2) * max(bounds(area)[2:]))
    return mix(picture, cv2.GaussianBlur(picture, (0, 0), float(sigma)), area)


def flat(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """One colour, slightly shaded."""
    colour = rng.uniform(10, 245, 3)
    ramp = np.linspace(-15, 15, picture.shape[1])[None, :, None]
    grain = rng.normal(0, 2, picture.shape[:2])[..., None]
    return mix(picture, np.zeros_like(picture) + colour + ramp + grain, area)


def recolour(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """Another colour on the same drawing."""
    bytes_ = picture.clip(0, 255).astype(np.uint8)
    hsv = cv2.cvtColor(bytes_, cv2.COLOR_RGB2HSV).astype(np.float32)
    if hsv[..., 1][area > 0.5].mean() > 45 and rng.random() < 0.7:
        turn = rng.uniform(18, 90) * (1 if rng.random() < 0.5 else -1)
        hsv[..., 0] = (hsv[..., 0] + turn) % 180
        new = cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    else:
        light = cv2.cvtColor(bytes_, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] / 255
        tint = rng.uniform(20, 255, 3)
        tint[rng.integers(3)] *= 0.3
        body = 0.25 * 255 * light + 0.75 * light * tint * 1.5
        new = picture * 0.15 + 0.85 * body
    return mix(picture, new, area)


def relight(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """An object clearly lighter or darker."""
    gain = rng.uniform(0.35, 0.65) if rng.random() < 0.5 else rng.uniform(1.5, 2.2)
    if picture[area > 0.5].mean() > 150:
        gain = min(gain, 0.65)
    return mix(picture, 255 * np.clip(picture / 255, 0, 1) ** (1 / gain), area)


def bulge(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """Bent: pulled, pinched, twirled or resized inside the area."""
    left, top, wide, tall = bounds(area)
    x, y, radius = left + wide / 2, top + tall / 2, max(wide, tall) / 2 + 1
    yy, xx = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    dx, dy = (xx - x), (yy - y)
    fade = np.clip(1 - (np.hypot(dx / (wide / 2 + 1), dy / (tall / 2 + 1))) ** 2, 0, 1)
    kind = rng.integers(4)
    sign = 1 if rng.random() < 0.5 else -1
    if kind == 0:
        power = rng.uniform(0.25, 0.55) * sign
        mx, my = xx - dx * fade * power, yy - dy * fade * power
    elif kind == 1:
        turn = rng.uniform(0.35, 1.4) * sign * fade
        mx = x + dx * np.cos(turn) - dy * np.sin(turn)
        my = y + dx * np.sin(turn) + dy * np.cos(turn)
    elif kind == 2:
        way, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.14, 0.35) * radius
        mx, my = xx + far * np.cos(way) * fade, yy + far * np.sin(way) * fade
    else:
        wave = rng.uniform(0.25, 0.8) * radius
        far = rng.uniform(0.06, 0.14) * radius
        mx = xx + far * np.sin(yy * 2 * np.pi / wave) * fade
        my = yy + far * np.cos(xx * 2 * np.pi / wave) * fade
    new = cv2.remap(picture, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR)
    return mix(picture, new, area)


def turned(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """The thing turned, mirrored or resized in its place."""
    left, top, wide, tall = bounds(area)
    x, y = left + wide / 2, top + tall / 2
    kind = rng.integers(3)
    if kind == 0:
        matrix = cv2.getRotationMatrix2D((x, y), float(rng.uniform(12, 180)), 1.0)
    elif kind == 1:
        matrix = np.array([[-1.0, 0, 2 * x], [0, 1, 0]])
    else:
        scale = float(rng.choice([rng.uniform(0.65, 0.85), rng.uniform(1.18, 1.5)]))
        matrix = cv2.getRotationMatrix2D((x, y), 0.0, scale)
    new = cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    return mix(picture, new, area)


def moved(picture: np.ndarray, area: np.ndarray, other: np.ndarray, rng: Rng) -> np.ndarray:
    """The thing stands a little beside its place."""
    side = max(bounds(area)[2:])
    way, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.12, 0.4) * side + 4
    dx, dy = far * np.cos(way), far * np.sin(way)
    new = cv2.warpAffine(
        picture,
        np.array([[1.0, 0, dx], [0, 1, dy]]),
        picture.shape[1::-1],
        borderMode=cv2.BORDER_REFLECT,
    )
    return mix(picture, new, area)


def word(rng: Rng, length: int | None = None) -> str:
    """Letters that mean nothing."""
    return "".join(rng.choice(LETTERS, length or int(rng.integers(3, 9))))


def write(
    picture: np.ndarray, box: tuple[int, int, int, int], text: str, ink: np.ndarray, size: int
) -> np.ndarray:
    """Lettering in a box (left, top, width, height)."""
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    left, top, _, tall = box
    ImageDraw.Draw(image).text(
        (left + 3, top + (tall - size) // 2),
        text,
        fill=tuple(int(v) for v in ink),
        font=ImageFont.load_default(size=size),
    )
    return np.asarray(image, dtype=np.float32)


FILLS: dict[str, Fill] = {
    "inpaint": inpaint, "clone": clone, "paste": paste, "blended": blended, "detail": detail,
    "texture": texture, "blur": blur, "flat": flat, "recolour": recolour, "relight": relight,
    "bulge": bulge, "turned": turned, "moved": moved,
}  # fmt: skip


def _window(other: np.ndarray, shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """A random part of another photo in the size of the picture."""
    height, width = other.shape[:2]
    share = rng.uniform(0.4, 1.0)
    tall, wide = int(height * share), int(width * share)
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    part = other[top : top + tall, left : left + wide]
    return cv2.resize(part, shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _toned(new: np.ndarray, picture: np.ndarray, area: np.ndarray, rng: Rng) -> np.ndarray:
    """The new content, often in the mean tone of what it covers."""
    inside = area > 0.5
    if rng.random() < 0.5 or not inside.any():
        return new
    return new + (picture[inside].mean(axis=0) - new[inside].mean(axis=0)) * rng.uniform(0.4, 1)
