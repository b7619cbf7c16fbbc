"""Exposure and colour of the whole: fitted on what stayed, then taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanorecipes.proof.engine import cv, np
from nanorecipes.proof.values import Tone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanorecipes.proof.engine import Bytes, Mask, Plane

    Curve = NDArray[np.float64]
    """(7, 3): from 1, r, g, b, r², g², b² of the output (0 to 1) to the source's r, g, b."""

PLAIN: tuple[tuple[float, ...], ...] = (
    (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0),
)  # fmt: skip


def fit_curve(source: Bytes, output: Bytes, weight: Plane) -> Curve:
    """The tone curve that takes the output to the source, robust against what changed.

    `weight` (height, width) says how far each pixel can be trusted to show the same thing.
    """
    step = max(2, int((source.shape[0] * source.shape[1] / 12_000) ** 0.5))
    blurred = [cv.blur(image, (step, step))[::step, ::step] for image in (source, output)]
    target = blurred[0].reshape(-1, 3) / 255.0
    given = blurred[1].reshape(-1, 3) / 255.0
    trusted = np.asarray(weight[::step, ::step], dtype=np.float64).ravel()
    # Clipped tones tell nothing of the curve.
    trusted = trusted * ((given > 0.015) & (given < 0.985)).all(axis=1)
    plain = np.array(PLAIN, dtype=np.float64)
    if (trusted > 0.05).sum() < 60:
        return plain
    terms = _terms(given)
    start = _gain(given, target, trusted)
    return _robust(terms, target, trusted, start)


def apply_curve(output: Bytes, curve: Curve) -> Bytes:
    """The output in the source's tone."""
    if np.allclose(curve, PLAIN, atol=1e-3):
        return output
    levels = np.arange(256, dtype=np.float64) / 255.0
    channels = cv.split(output)
    toned = []
    for made in range(3):
        total = np.full(output.shape[:2], 255.0 * curve[0, made] + 0.5, np.float32)
        for given in range(3):
            table = 255.0 * (curve[1 + given, made] * levels + curve[4 + given, made] * levels**2)
            total += table.astype(np.float32)[channels[given]]
        toned.append(np.clip(total, 0, 255).astype(np.uint8))
    result: Bytes = cv.merge(toned)
    return result


def unclip(source: Bytes, output: Bytes, matched: Bytes) -> Bytes:
    """The matched output with the source's own tone where the output's was cut off.

    A tone at the end of the scale stands for every tone beyond it; what fits is no change.
    """
    above = (output >= 253) & (source.astype(np.int16) >= matched.astype(np.int16) - 2)
    below = (output <= 2) & (source.astype(np.int16) <= matched.astype(np.int16) + 2)
    return np.where(above | below, source, matched)


def measure_tone(source: Bytes, curve: Curve, mask: Mask) -> Tone:
    """What the inverse of the curve did to the source's middle tones."""
    step = max(1, int((source.shape[0] * source.shape[1] / 12_000) ** 0.5))
    given = source[::step, ::step][mask[::step, ::step]] if mask.any() else source[::step, ::step]
    given = given.reshape(-1, 3)
    if len(given) == 0:
        return Tone(0.0, 1.0, (0.0, 0.0))
    made = _inverse(given / 255.0, curve)
    before, after = _light(given / 255.0), _light(made)
    stops = float(np.median(np.log2((after + 0.004) / (before + 0.004))))
    spread = float(before.std())
    contrast = float(after.std()) / spread if spread > 0.01 else 1.0
    lab = [_lab(part) for part in (given / 255.0, made)]
    shift = np.median(lab[1] - lab[0], axis=0)
    return Tone(
        round(stops, 3), round(contrast, 3), (round(float(shift[1]), 2), round(float(shift[2]), 2))
    )


def _inverse(target: Curve, curve: Curve) -> Curve:
    """Output tones that the curve takes to the given source tones, by a few Newton-like steps."""
    made = target.copy()
    for _ in range(12):
        made = np.clip(made + 0.7 * (target - _terms(made) @ curve), 0, 1)
    return made


def _light(colours: Curve) -> Curve:
    linear: Curve = np.clip(colours, 0, 1) ** 2.2
    light: Curve = linear @ np.array([0.2126, 0.7152, 0.0722])
    return light


def _lab(colours: Curve) -> Plane:
    lab: Plane = cv.cvtColor(colours.astype(np.float32)[None], cv.COLOR_RGB2Lab)[0]
    return lab


def _terms(colours: Curve) -> Curve:
    return np.concatenate([np.ones((len(colours), 1)), colours, colours * colours], axis=1)


def _gain(given: Curve, target: Curve, trusted: Curve) -> Curve:
    """A first guess from weighted medians of differences, which half the picture can't pull."""
    start = np.array(PLAIN, dtype=np.float64)
    used = trusted > 0.05
    start[0] = np.median((target - given)[used], axis=0)
    return start


def _robust(terms: Curve, target: Curve, trusted: Curve, start: Curve) -> Curve:
    plain = np.array(PLAIN, dtype=np.float64)
    curve = start
    ridge = np.diag([0.5, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]) * 0.002 * float(trusted.sum())
    for turn in range(8):
        off = np.abs(target - terms @ curve).max(axis=1)
        middle = float(np.median(off[trusted > 0.05]))
        width = max(0.012, (3.0 if turn < 3 else 2.0) * middle)
        robust = trusted / (1 + (off / width) ** 2) ** 2
        weighted = terms * robust[:, None]
        left = weighted.T @ terms + ridge * float(robust.sum() / max(trusted.sum(), 1e-9))
        right = weighted.T @ (target - terms @ plain)
        curve = plain + np.linalg.solve(left + 1e-9 * np.eye(7), right)
    return curve
