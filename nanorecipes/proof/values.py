"""What a proof says, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from nanorecipes.errors import NanorecipesError

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from nanorecipes.proof.paint import Canvas

Changes = Literal["part", "background", "look", "scene"]
"""What an edit was allowed to change."""
Verdict = Literal["kept", "drifted", "unclear", "not provable"]
Ignored = Literal["tone", "framing"]
"""What may be accepted: a shift of the whole in light and colour; zoom, crop, shift, stretch."""

Given = tuple[tuple[float, float, float, float], ...] | str | None
"""A region as it can be told: boxes, or the path of a mask picture."""

SCORE_MEANING = (
    "how far the pixels outside the allowed change support that the promise was kept: "
    "1 everything stayed, 0 something surely did not; "
    "null where pixels can't tell"
)


@dataclass(frozen=True, slots=True)
class Edges:
    """Shares of the source's width or height (0 to 1) that fell out of the frame on each side.

    Negative: the frame shows that much more there than the source did.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0

    @property
    def worst(self) -> float:
        """The largest loss of the four sides."""
        return max(self.left, self.top, self.right, self.bottom)


@dataclass(frozen=True, slots=True)
class Framing:
    """How the source lies in the output."""

    found: bool
    """Whether the two pictures could be laid over each other at all."""
    sure: bool
    """Whether enough of both fits to trust the numbers below to a pixel or two."""
    scale: float
    """Size of things in the output against a plain resize: 1.05 is a zoom in by 5 %."""
    stretch: float
    """Width against height of things in the output: 1 is undistorted."""
    shift_px: tuple[float, float]
    """How far the middle moved right and down, in source pixels."""
    rotation_deg: float
    """Clockwise turn in degrees."""
    mirrored: bool
    cropped: Edges
    warp_px: float
    """Smooth bending left after scale, shift and turn, in source pixels."""


@dataclass(frozen=True, slots=True)
class Tone:
    """How exposure and colour of the whole moved, measured on what stayed."""

    exposure_ev: float
    """Brighter (positive) or darker, in stops."""
    contrast: float
    """Contrast against the source's: 1 is unchanged."""
    colour: tuple[float, float]
    """Shift to red (against green) and to yellow (against blue), in CIELAB units."""


@dataclass(frozen=True, slots=True)
class Change:
    """One place where the output differs from the source."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom in source pixels."""
    area_px: int
    """Changed area in source pixels; `share` is the same as a part of the picture."""
    share: float
    strength: float
    """How sure the change is, 0 to 1."""
    expected: bool
    """Whether the change lies where change was allowed."""


@dataclass(frozen=True)
class Proof:
    """The recipe's promise held against the output."""

    verdict: Verdict
    """kept, drifted, unclear (the signs are too weak to say), or not provable."""
    score: float | None
    """1 everything stayed ... 0 something surely did not; None where pixels can't tell."""
    reasons: tuple[str, ...]
    """Why, in plain sentences, the deciding one first."""
    changes: Changes
    """What the edit was allowed to change."""
    framing: Framing
    """How the source lies in the output: scale, shift, turn, cropped edges."""
    tone: Tone
    """How exposure and colour of the whole moved."""
    changed: tuple[Change, ...]
    """The places that differ, biggest first, each with its box in source pixels."""
    source_size: tuple[int, int]
    """Width and height of the source in pixels."""
    output_size: tuple[int, int]
    """Width and height of the output in pixels."""
    duration_s: float
    """How long it took."""
    score_means: str = SCORE_MEANING
    """The score's meaning in words."""
    min_score: float | None = None
    """The score that was asked for: below it the verdict is drifted."""
    ignored: tuple[Ignored, ...] = ()
    """What was accepted, so that neither score nor verdict counts it."""
    region: Given = None
    """Where change was allowed: boxes or a mask's path, as given; None for other masks, or none."""
    protect: Given = None
    """Where nothing was to change, in the same form."""
    _canvas: Canvas | None = field(default=None, repr=False, compare=False)

    @classmethod
    def unproved(cls, reason: str, changes: Changes = "part") -> Proof:
        """A proof that compared nothing, and says why."""
        return cls(
            verdict="not provable",
            score=None,
            reasons=(reason,),
            changes=changes,
            framing=Framing(False, False, 1.0, 1.0, (0.0, 0.0), 0.0, False, Edges(), 0.0),
            tone=Tone(0.0, 1.0, (0.0, 0.0)),
            changed=(),
            source_size=(0, 0),
            output_size=(0, 0),
            duration_s=0.0,
        )

    @property
    def has_pictures(self) -> bool:
        """Whether there is something to draw: two pictures were compared."""
        return self._canvas is not None

    @property
    def drift(self) -> tuple[Change, ...]:
        """The changes that were not allowed, biggest first."""
        return tuple(change for change in self.changed if not change.expected)

    def to_json(self) -> dict[str, Any]:
        """The proof as plain data: numbers, texts, lists; no pictures."""
        data = {
            key: getattr(self, key)
            for key in (
                "verdict", "score", "score_means", "changes", "min_score", "ignored",
                "region", "protect", "source_size", "output_size",
            )
        }  # fmt: skip
        data["reasons"] = list(self.reasons)
        data["framing"] = asdict(self.framing)
        data["tone"] = asdict(self.tone)
        data["changed"] = [asdict(change) for change in self.changed]
        data["duration_s"] = round(self.duration_s, 3)
        listed = _listed(data)
        assert isinstance(listed, dict)
        return listed

    def summary(self) -> dict[str, Any]:
        """The few facts of it that travel inside a picture; no path of a machine is among them."""
        told = self.to_json()
        facts = {key: told[key] for key in (
            "verdict", "score", "reasons", "changes", "min_score", "ignored",
        )}  # fmt: skip
        boxes = {key: told[key] for key in ("region", "protect") if isinstance(told[key], list)}
        return {**facts, **boxes}

    def change_map(self) -> Image.Image:
        """Grey picture in the source's shape, at most about half a megapixel: white changed.

        Raises:
            NanorecipesError: no pictures were compared.
        """
        return self._drawn().change_map()

    def overlay(self) -> Image.Image:
        """The output in the source's frame with heat and boxes: red not allowed, blue allowed.

        Raises:
            NanorecipesError: no pictures were compared.
        """
        return self._drawn().overlay(self)

    def save(self, directory: str | Path) -> dict[str, Path]:
        """Write `proof.json`, `overlay.jpg` and `change-map.png` into a directory.

        Returns:
            The three paths by the keys json, overlay and change_map.

        Raises:
            SaveError: a file can't be written there.
        """
        from nanorecipes.proof.paint import save_proof

        return save_proof(self, directory)

    def _drawn(self) -> Canvas:
        if self._canvas is None:
            raise NanorecipesError(
                "there is nothing to draw: the proof compared no pictures",
                help="its `reasons` say why",
            )
        return self._canvas


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value
