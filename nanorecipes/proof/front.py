"""The two questions that callers ask, answered by parts that load when they are asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import PurePath
from typing import TYPE_CHECKING, get_args

from nanorecipes.proof.faults import bad_option
from nanorecipes.proof.values import Changes, Given, Ignored, Proof

if TYPE_CHECKING:
    from nanorecipes.proof.pictures import ImageLike
    from nanorecipes.proof.regions import Region
    from nanorecipes.proof.restoring import Restored


def prove(
    source: ImageLike,
    output: ImageLike,
    *,
    changes: Changes = "part",
    region: Region | None = None,
    protect: Region | None = None,
    min_score: float | None = None,
    ignore: Collection[Ignored] = (),
) -> Proof:
    """What changed between a picture and its edit, held against what was allowed to change.

    Args:
        source: The picture that was edited: a path, bytes, an open binary file, a PIL image.
        output: What came back, in any resolution.
        changes: What the edit may change, as in a recipe: part, background, look or scene.
        region: Where change was allowed: a mask picture (white), or boxes as left, top, right,
            bottom in source pixels or as fractions of 0 to 1.
        protect: Where nothing may change, in the same form; it wins over `region`.
        min_score: A score of 0 to 1 below which the verdict is drifted, however near it was.
        ignore: What is accepted and doesn't count: tone, framing.

    Raises:
        InputError: a picture or region can't be read, or an option is none.
        MissingExtraError: `nanorecipes[proof]` isn't installed.
    """
    check_policy(min_score, ignore)
    from nanorecipes.proof import judge

    proof = judge.prove(
        source, output, changes=changes, region=region, protect=protect, ignore=ignore
    )
    kinds = tuple(kind for kind in get_args(Ignored) if kind in ignore)
    proof = dataclasses.replace(
        proof, min_score=min_score, ignored=kinds, region=_told(region), protect=_told(protect)
    )
    return _held(proof)


def restore(
    source: ImageLike,
    output: ImageLike,
    *,
    region: Region | None = None,
    protect: Region | None = None,
    feather: float = 0.003,
) -> Restored:
    """The output with the source's own pixels put back everywhere but in the region.

    Args:
        source: The picture that was edited.
        output: What came back.
        region: Where change was allowed; without it the one changed part found is taken.
        protect: Where the source is put back in any case.
        feather: Half width of the seam as a share of the output's long side.

    Raises:
        InputError: a picture or region can't be read.
        NanorecipesError: the pictures can't be laid over each other surely enough, the framing
            changed, or nothing says what the edit was.
        MissingExtraError: `nanorecipes[proof]` isn't installed.
    """
    from nanorecipes.proof import restoring

    return restoring.restore(source, output, region=region, protect=protect, feather=feather)


def check_policy(min_score: float | None, ignore: Collection[str]) -> None:
    """What counts as kept is asked for in numbers and words that exist.

    Raises:
        InputError: it isn't.
    """
    if min_score is not None and not (
        isinstance(min_score, int | float)
        and not isinstance(min_score, bool)
        and 0 <= min_score <= 1
    ):
        message = f"found {min_score!r}, expected a number from 0 to 1"
        raise bad_option("min_score", message, "0.9 asks for near certainty")
    kinds = get_args(Ignored)
    for kind in [ignore] if isinstance(ignore, str) else ignore:
        if isinstance(ignore, str) or kind not in kinds:
            message = f"found {ignore!r}, expected a list of {', '.join(kinds)}"
            raise bad_option("ignore", message, f"for example {list(kinds)!r}")


def _told(where: Region | None) -> Given:
    """A region as it was given, where it can be told in words."""
    if isinstance(where, str | PurePath):
        return str(where)
    if not isinstance(where, list | tuple):
        return None
    boxes = where if isinstance(where[0], list | tuple) else [where]
    made = [tuple(float(number) for number in box) for box in boxes]
    return tuple((box[0], box[1], box[2], box[3]) for box in made)


def _held(proof: Proof) -> Proof:
    """The proof with the score that was asked for counted in."""
    low, score = proof.min_score, proof.score
    if low is None or score is None or score >= low or proof.verdict == "drifted":
        return proof
    # What was said first, that all stayed, isn't sure enough.
    rest = proof.reasons[1:] if proof.verdict == "kept" else proof.reasons
    why = f"the score {score:g} is below the {low:g} that was asked for"
    return dataclasses.replace(proof, verdict="drifted", reasons=(why, *rest))
