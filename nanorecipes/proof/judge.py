"""The recipe's promise held against two pictures: a verdict, a score and the reasons."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from nanorecipes.proof import evidence as ev
from nanorecipes.proof import framing as fr
from nanorecipes.proof import model, places, words
from nanorecipes.proof.compare import Comparison, Loads, compare, load_both
from nanorecipes.proof.engine import cv, np
from nanorecipes.proof.faults import bad_option
from nanorecipes.proof.features import grid_shape
from nanorecipes.proof.paint import Canvas
from nanorecipes.proof.regions import Region, read_region
from nanorecipes.proof.values import Change, Changes, Edges, Framing, Proof, Tone, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from nanorecipes.proof.engine import Mask, Plane
    from nanorecipes.proof.pictures import ImageLike
    from nanorecipes.proof.values import Ignored

KEPT, DRIFTED = 0.5, 0.4
"""Scores from which a promise counts as kept, and below which as broken; between: unclear."""
MARGIN = 1
"""Cells around an allowed region where its seam and shadow may show."""
FOUND, FOUND_LAYOUT = 0.16, 0.2
"""Agreement below which two pictures don't show the same thing."""
TONE_EV, TONE_COLOUR = 0.9, 18.0
"""Shift of the whole (stops, CIELAB units) that is no slight one any more."""
TINY = 48
"""Side in pixels below which there is too little to compare."""


@dataclass(frozen=True)
class Claim:
    """What was asked, at analysis size."""

    changes: Changes
    allowed: Mask | None
    """Where change was allowed; None when no region was given."""
    protected: Mask | None
    ignored: Collection[Ignored] = ()
    """What doesn't count: tone, framing."""


@dataclass(frozen=True)
class Ruling:
    """The outcome before it is put into words."""

    score: float
    changed: tuple[Change, ...]
    verdict: Verdict | None = None
    """Set where the score alone doesn't decide."""
    why: str = ""
    free: Mask | None = None
    """Where change was allowed or taken to be, at analysis size."""


def prove(
    source: ImageLike,
    output: ImageLike,
    *,
    changes: Changes = "part",
    region: Region | None = None,
    protect: Region | None = None,
    ignore: Collection[Ignored] = (),
) -> Proof:
    """Hold an output against what the edit was allowed to change: see `proof.front.prove`."""
    started = time.perf_counter()
    if changes not in get_args(Changes):
        options = ", ".join(get_args(Changes))
        raise bad_option("changes", f"found {changes!r}, expected one of {options}", f"{options}")
    loads = load_both(source, output)
    shape = loads.source.pixels.shape[:2]
    allowed = read_region(region, "region", loads.source.size, shape)
    protected = read_region(protect, "protect", loads.source.size, shape)
    claim = dataclasses.replace(_claim(changes, allowed, protected), ignored=ignore)
    return _prove(loads, claim, started)


def _claim(changes: Changes, allowed: Mask | None, protected: Mask | None) -> Claim:
    if changes == "background" and allowed is None and protected is not None:
        allowed = ~protected  # whoever names the subject names the background too
    if allowed is not None and protected is not None:
        allowed = allowed & ~protected
    return Claim(changes, allowed, protected)


def _prove(loads: Loads, claim: Claim, started: float) -> Proof:
    if claim.changes == "scene":
        return _unmeasured(loads, claim, started, "not provable", (words.SCENE,))
    same = _identical(loads)
    if same:
        return _unmeasured(loads, claim, started, "kept", (words.IDENTICAL,), score=1.0)
    if min(*loads.source.pixels.shape[:2], *loads.output.pixels.shape[:2]) < TINY:
        return _unmeasured(loads, claim, started, "unclear", (words.TINY,), score=0.45)
    comparison = compare(loads, ignore=claim.allowed, edges_only=claim.changes == "look")
    return _judged(comparison, claim, started)


def _identical(loads: Loads) -> bool:
    same = loads.source.size == loads.output.size
    first, second = loads.source.pixels, loads.output.pixels
    return same and first.shape == second.shape and bool(np.array_equal(first, second))


def _unmeasured(
    loads: Loads,
    claim: Claim,
    started: float,
    verdict: Verdict,
    reasons: tuple[str, ...],
    score: float | None = None,
) -> Proof:
    """A proof without registration: nothing to measure, or no need to."""
    shape = loads.source.pixels.shape[:2]
    output = cv.resize(loads.output.pixels, shape[::-1], interpolation=cv.INTER_AREA)
    same = verdict == "kept"
    return Proof(
        verdict=verdict,
        score=score,
        reasons=reasons,
        changes=claim.changes,
        framing=Framing(same, same, 1.0, 1.0, (0.0, 0.0), 0.0, False, Edges(), 0.0),
        tone=Tone(0.0, 1.0, (0.0, 0.0)),
        changed=(),
        source_size=loads.source.size,
        output_size=loads.output.size,
        duration_s=time.perf_counter() - started,
        _canvas=Canvas(output, np.zeros(shape, np.float32), np.ones(shape, dtype=bool)),
    )


def _judged(comparison: Comparison, claim: Claim, started: float) -> Proof:
    loads = comparison.loads
    framing = _framing(comparison, claim)
    kind: model.Kind = "layout" if claim.changes == "look" else "pixels"
    evidence = model.network(kind).evidence(comparison.grid.values)
    found = places.locate(evidence, comparison.grid.valid, loads.source.pixels, comparison.matched)
    ruling = _rule(comparison, claim, framing, evidence, found)
    score = round(ruling.score, 3)
    verdict = ruling.verdict or _verdict(score)
    allowed = ruling.free if ruling.free is not None else np.zeros(found.changed.shape, bool)
    proof = Proof(
        verdict=verdict,
        score=score,
        reasons=(),
        changes=claim.changes,
        framing=framing,
        tone=comparison.tone,
        changed=ruling.changed,
        source_size=loads.source.size,
        output_size=loads.output.size,
        duration_s=time.perf_counter() - started,
        _canvas=Canvas(
            comparison.registered.output, found.chance, allowed, comparison.registered.valid
        ),
    )
    return words.with_reasons(proof, ruling.why, given=claim.allowed is not None)


def _verdict(score: float) -> Verdict:
    return "kept" if score >= KEPT else "drifted" if score < DRIFTED else "unclear"


def _framing(comparison: Comparison, claim: Claim) -> Framing:
    placement = comparison.registered.placement
    limit = FOUND_LAYOUT if claim.changes == "look" else FOUND
    found = placement.agreement >= limit or placement.inliers >= 40
    sure = found and (placement.agreement >= 0.6 or placement.inliers >= 60)
    return fr.measure_framing(comparison.loads, comparison.registered, found=found, sure=sure)


def _rule(
    comparison: Comparison, claim: Claim, framing: Framing, evidence: Plane, found: places.Found
) -> Ruling:
    size = comparison.loads.source.size
    if framing.mirrored:
        return Ruling(0.0, places.whole(size), "drifted", words.MIRRORED)
    if not framing.found:
        return _lost(comparison, claim)
    content = _content(comparison, claim, evidence, found)
    frame = tone = 1.0
    if "framing" not in claim.ignored:
        frame = _chance((fr.excess(framing) - fr.LIMIT) / 0.003)
    if claim.changes == "part" and "tone" not in claim.ignored:
        tone = _chance((_tone_excess(comparison.tone) - 1) / 0.1)
    score = min(content.score, frame, tone)
    if score == content.score:
        return content
    return dataclasses.replace(content, score=score, verdict=None, why="")


def _lost(comparison: Comparison, claim: Claim) -> Ruling:
    """The pictures can't be laid over each other."""
    if comparison.registered.placement.structured < 0.02:
        return Ruling(0.45, (), "unclear", words.PLAIN)
    if claim.changes == "background" and claim.allowed is None:
        return Ruling(0.42, (), "unclear", words.NO_SUBJECT)
    agreement = comparison.registered.placement.agreement
    score = min(0.3, agreement)
    return Ruling(score, places.whole(comparison.loads.source.size), "drifted", words.DIFFERENT)


def _tone_excess(tone: Tone) -> float:
    return max(abs(tone.exposure_ev) / TONE_EV, math.hypot(*tone.colour) / TONE_COLOUR)


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(min(30.0, max(-30.0, odds))))


def _content(comparison: Comparison, claim: Claim, evidence: Plane, found: places.Found) -> Ruling:
    if claim.allowed is not None:
        return _with_region(comparison, claim, evidence, found)
    if claim.changes == "look":
        return _all_held(comparison, claim, evidence, found)
    if claim.changes == "background":
        return _subject_held(comparison, claim, evidence, found)
    return _one_part(comparison, claim, evidence, found)


def cells_of(mask: Mask, shape: tuple[int, int], above: float = 0.1) -> Mask:
    """A mask of pixels as cells: a cell counts when more than that share of it does."""
    rows, columns = grid_shape(shape)
    small = cv.resize(mask.astype(np.float32), (columns, rows), interpolation=cv.INTER_AREA)
    return np.asarray(small > above)


def _ruled(name: str, evidence: Plane, held: Mask) -> float:
    if not held.any():
        return 1.0
    return _saturated(_chance(model.judge(name).evidence(ev.pooled(evidence, held))))


def _saturated(score: float) -> float:
    """Ends that are as good as sure become 0 and 1, so that noise can't order them."""
    return min(1.0, max(0.0, (score - 0.004) / 0.992))


def _with_region(
    comparison: Comparison, claim: Claim, evidence: Plane, found: places.Found
) -> Ruling:
    assert claim.allowed is not None
    shape = comparison.loads.source.pixels.shape[:2]
    free = ev.grown(cells_of(claim.allowed, shape), MARGIN)
    if claim.protected is not None:
        free &= ~cells_of(claim.protected, shape, 0.5)
    held = comparison.grid.valid & ~free
    if not held.any():
        return _ruling(comparison, found, free, 0.45, "unclear", words.NOTHING_HELD)
    name = "look" if claim.changes == "look" else "given"
    return _ruling(comparison, found, free, _ruled(name, evidence, held))


def _all_held(comparison: Comparison, claim: Claim, evidence: Plane, found: places.Found) -> Ruling:
    score = _ruled("look", evidence, comparison.grid.valid)
    return _ruling(comparison, found, np.zeros(evidence.shape, bool), score)


def _one_part(comparison: Comparison, claim: Claim, evidence: Plane, found: places.Found) -> Ruling:
    """No region was given: one may have changed, the largest found is taken for it."""
    valid = comparison.grid.valid
    part = ev.main_part(evidence, valid)
    free = part_margin(part)
    if claim.protected is not None:
        free &= ~cells_of(claim.protected, comparison.loads.source.pixels.shape[:2], 0.5)
    held = valid & ~free
    score = _ruled("part", evidence, held)
    share = float(part.mean())
    if share > 0.75:
        free = np.zeros(evidence.shape, bool)
        return _ruling(comparison, found, free, min(score, 0.2), "drifted", words.ALL_CHANGED)
    if share > 0.55 and score >= KEPT:
        return _ruling(comparison, found, free, min(score, 0.45), "unclear", words.LARGE_PART)
    return _ruling(comparison, found, free, score)


def part_margin(part: Mask) -> Mask:
    """A found part with the rim in which its own edge shows."""
    return ev.grown(part, 2 + round(0.008 * max(part.shape)))


def _subject_held(
    comparison: Comparison, claim: Claim, evidence: Plane, found: places.Found
) -> Ruling:
    """No region was given: the subject is what stayed alike and stands in front."""
    valid = comparison.grid.valid
    changed = float((ev.changed_cells(evidence, valid)).mean())
    nothing = np.zeros(evidence.shape, bool)
    if changed < 0.01:
        return _ruling(comparison, found, nothing, 1.0)
    body = ev.subject(evidence, structured(comparison.grid.values), valid)
    if body is None:
        return _ruling(comparison, found, ~nothing, 0.45, "unclear", words.NO_SUBJECT)
    held = ev.shrunk(body, 1) & valid
    score = _ruled("subject", evidence, held)
    verdict = _verdict(score)
    if verdict == "kept" and score < 0.7:
        verdict = "unclear"
    return _ruling(comparison, found, ~held, score, verdict)


def structured(values: Plane) -> Mask:
    """Cells with some drawing in the source, by their first measurement."""
    return np.asarray(values[..., 0] > math.log(30.0))


def _ruling(
    comparison: Comparison,
    found: places.Found,
    free: Mask,
    score: float,
    verdict: Verdict | None = None,
    why: str = "",
) -> Ruling:
    """A ruling with its changed places; `free` are the cells where change was allowed."""
    height, width = found.changed.shape
    allowed = cv.resize(free.astype(np.uint8), (width, height), interpolation=cv.INTER_NEAREST) > 0
    listed = places.list_changes(found, allowed, comparison.loads.source.size)
    return Ruling(score, listed, verdict, why, allowed)
