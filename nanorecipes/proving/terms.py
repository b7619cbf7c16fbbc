"""What an output is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from nanorecipes.errors import NanorecipesError
from nanorecipes.images import BadImageError, image_input
from nanorecipes.proof.front import check_policy, prove, restore
from nanorecipes.proof.values import Changes, Ignored, Proof
from nanorecipes.proving.faults import problem
from nanorecipes.proving.pictures import CARD, comparable, is_card
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.images import ImageInput
    from nanorecipes.proof.regions import Region
    from nanorecipes.proof.restoring import Restored

Box: TypeAlias = tuple[float, float, float, float]
Where: TypeAlias = "tuple[Box, ...] | str | bytes"
"""Boxes, or a mask picture's path or bytes."""


@dataclass(frozen=True)
class Terms:
    """What an output is held to."""

    changes: Changes = "part"
    region: Region | None = None
    """Where change was allowed."""
    protect: Region | None = None
    """Where nothing may change."""
    min_score: float | None = None
    ignore: tuple[Ignored, ...] = ()

    def given(self, **options: Any) -> Terms:
        """These terms with a caller's options in their place; None leaves one as it is.

        Raises:
            InputError: an option is none that a proof knows.
        """
        for name in options:
            if name not in _OPTIONS:
                near = did_you_mean(name, _OPTIONS) or f"expected one of {', '.join(_OPTIONS)}"
                raise problem("prove", f"there is no option {name!r}", near)
        found = {name: value for name, value in options.items() if value is not None}
        if "ignore" in found:
            found["ignore"] = tuple(found["ignore"])
        made = replace(self, **found)
        if made.changes not in get_args(Changes):
            options_text = ", ".join(get_args(Changes))
            raise problem("changes", f"found {made.changes!r}, expected one of {options_text}")
        check_policy(made.min_score, made.ignore)
        return made

    def check(self, source: ImageInput | None) -> None:
        """Find out what can be known before anything is paid for.

        Args:
            source: the picture to be edited, whose size boxes in pixels are held to.

        Raises:
            InputError: a region is no mask and no box, or covers nothing of the source.
            MissingExtraError: `nanorecipes[proof]` isn't installed.
        """
        from nanorecipes.proof.regions import read_region

        size = _size(source)
        for field, where in (("region", self.region), ("protect", self.protect)):
            # Without a size a box in pixels can't be judged, only read.
            read_region(where, field, size or (10**6, 10**6), (8, 8))

    def hold_safely(self, source: bytes, output: bytes) -> Proof:
        """The same as `hold`, where a picture that can't be compared is no error."""
        try:
            return self.hold(source, output)
        except NanorecipesError as exc:
            return Proof.unproved(exc.message, self.changes)

    def hold(self, source: str | Path | bytes, output: str | Path | bytes) -> Proof:
        """The output held against the source.

        Raises:
            InputError: a picture or region can't be read.
            MissingExtraError: `nanorecipes[proof]` isn't installed.
        """
        if is_card(output):
            return Proof.unproved(CARD, self.changes)
        return prove(
            comparable(source),
            comparable(output),
            changes=self.changes,
            region=self.region,
            protect=self.protect,
            min_score=self.min_score,
            ignore=self.ignore,
        )

    def restored(self, source: str | Path | bytes, output: str | Path | bytes) -> Restored:
        """The output with the source's pixels put back outside the region.

        Raises:
            InputError: more than a part may change, or a picture can't be read.
            NanorecipesError: the pictures can't be laid over each other surely.
        """
        self.check_restorable()
        if is_card(output):
            raise problem("restore", CARD)
        return restore(comparable(source), output, region=self.region, protect=self.protect)

    def check_restorable(self) -> None:
        """Only what was to change in a part has something to put back.

        Raises:
            InputError: more may change.
        """
        if self.changes != "part":
            raise problem(
                "restore",
                f"only an edit of a part can be put back, and this one may change the "
                f"{self.changes}",
                "the rest of the picture is not the source's any more; look at the proof instead",
            )

    def to_json(self) -> dict[str, Any]:
        """The terms as plain data, from which `from_json` makes them again.

        Raises:
            InputError: a region is neither boxes nor the path of a mask picture.
        """
        return {
            "changes": self.changes,
            "region": _told(self.region, "region"),
            "protect": _told(self.protect, "protect"),
            "min_score": self.min_score,
            "ignore": list(self.ignore),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Terms:
        """The terms from plain data."""
        return make_terms(told["changes"], told, str)


_OPTIONS = tuple(field.name for field in fields(Terms))


def _told(where: Region | None, field: str) -> Any:
    if where is None:
        return None
    if isinstance(where, str | Path):
        return str(Path(where).absolute())
    if isinstance(where, list | tuple):
        return [list(item) if isinstance(item, list | tuple) else item for item in where]
    raise problem(
        field, f"found a {type(where).__name__}", "name the file of the mask picture, or give boxes"
    )


def _size(source: ImageInput | None) -> tuple[int, int] | None:
    try:
        return None if source is None else source.size_px
    except BadImageError:
        return None  # told by whoever sends it


def make_terms(
    changes: Any, policy: Mapping[str, Any], picture: Callable[[str], Where | None]
) -> Terms:
    """The terms of a recipe's `prove`; names of slots become their pictures."""
    ignore = policy.get("ignore")
    return Terms(changes=changes).given(
        region=_where(policy.get("region"), picture),
        protect=_where(policy.get("protect"), picture),
        min_score=policy.get("min_score"),
        ignore=ignore if isinstance(ignore, list | tuple) else None,
    )


def _where(value: Any, picture: Callable[[str], Where | None]) -> Where | None:
    if isinstance(value, str):
        found: Where | None = picture(value)
        return found
    if not isinstance(value, list | tuple) or not value:
        return None
    boxes = [value] if isinstance(value[0], int | float) else value
    return tuple((float(box[0]), float(box[1]), float(box[2]), float(box[3])) for box in boxes)


_WORST_FIRST = ("drifted", "unclear", "not provable", "kept")


def worst(proofs: Sequence[Proof]) -> Proof:
    """The proof that a whole result is judged by."""
    return min(proofs, key=lambda p: (_WORST_FIRST.index(p.verdict), p.score or 0.0))


def read_where(texts: Sequence[str], field: str) -> Where | None:
    """A region from what people write: `0,0,0.5,1` for a box, else the path of a mask picture.

    Raises:
        InputError: neither, or boxes and masks together.
    """
    if not texts:
        return None
    boxes = [_box(text) for text in texts]
    if all(box is not None for box in boxes):
        return tuple(box for box in boxes if box is not None)
    if len(texts) > 1:
        raise problem(
            field, f"found {', '.join(texts)}: give one mask picture, or boxes only", _REGION_HELP
        )
    _check_mask(texts[0], field)
    return texts[0]


_REGION_HELP = (
    "a box is left,top,right,bottom in pixels of the source or in fractions, as in 0,0,0.5,1; "
    "in a mask picture white is the region"
)


def _check_mask(path: str, field: str) -> None:
    try:
        image_input(Path(path)).check()
    except BadImageError as exc:
        what = "a box has four numbers" if path.count(",") else str(exc)
        raise problem(field, f"found {path!r}: {what}", _REGION_HELP) from exc


def _box(text: str) -> Box | None:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    if len(numbers) != 4:
        return None
    return (numbers[0], numbers[1], numbers[2], numbers[3])
