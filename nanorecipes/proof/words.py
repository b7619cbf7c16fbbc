"""The reasons of a proof in plain sentences."""

from __future__ import annotations

import dataclasses
import math

from nanorecipes.proof.values import Change, Framing, Proof, Tone

SCENE = "the whole scene may be new: pixels can't prove such a promise, look at the picture"
IDENTICAL = "the output shows the same pixels as the source"
TINY = "a picture with a side below 48 pixels holds too little to compare"
MIRRORED = "the output is mirrored"
DIFFERENT = "the output doesn't show the source's picture: nothing could be laid over it"
PLAIN = "the source has too little structure to lay the output over it"
NO_SUBJECT = (
    "what the subject is can't be told from what stayed alike: give the region or what to protect"
)
NOTHING_HELD = "the region leaves nothing of the picture to be held"
ALL_CHANGED = "most of the picture changed, not a part of it"
LARGE_PART = "half of the picture changed: give the region to tell whether that was allowed"


def with_reasons(proof: Proof, why: str, *, given: bool) -> Proof:
    """The proof with its reasons, the deciding one first."""
    reasons = [why] if why else []
    if proof.framing.found and not proof.framing.mirrored:
        reasons += _drift(proof, given=given) if proof.verdict != "kept" else [_kept(proof)]
        reasons += [*_framing(proof.framing), *_tone(proof.tone, proof.changes)]
    if proof.verdict == "unclear" and not why:
        reasons.insert(0, "the signs are too weak to say kept or drifted")
    return dataclasses.replace(proof, reasons=tuple(reasons))


def _kept(proof: Proof) -> str:
    if proof.changes == "look":
        return "edges and layout stayed where they were"
    if proof.changes == "background":
        return "the subject stayed as it was, with its edges"
    count = sum(change.expected for change in proof.changed)
    if not count:
        return "nothing changed beyond the re-drawing of every pixel"
    return "outside the allowed change everything stayed"


def _drift(proof: Proof, *, given: bool) -> list[str]:
    drift = proof.drift
    if not drift:
        return []
    where = {
        "part": "outside the region" if given else "besides the largest changed part",
        "background": "outside the background" if given else "within the subject",
        "look": "in edges or layout",
        "scene": "",
    }[proof.changes]
    total = sum(change.share for change in drift)
    count = f"{len(drift)} places" if len(drift) > 1 else "1 place"
    return [
        f"{count} changed {where}, {_percent(total)} of the picture; "
        f"the largest {_place(drift[0], proof.source_size)}"
    ]


def _place(change: Change, size: tuple[int, int]) -> str:
    left, top, right, bottom = change.box
    down = ("at the top", "in the middle", "at the bottom")[
        min(2, int(1.5 * (top + bottom) / size[1]))
    ]
    across = ("on the left", "", "on the right")[min(2, int(1.5 * (left + right) / size[0]))]
    where = " ".join(part for part in (down, across) if part)
    return f"{where} ({right - left} x {bottom - top} pixels at {left}, {top})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def _framing(framing: Framing) -> list[str]:
    reasons = []
    if abs(framing.scale - 1) >= 0.01:
        way = "in" if framing.scale > 1 else "out"
        reasons.append(f"zoomed {way} by {abs(framing.scale - 1) * 100:.1f} %")
    edges = dataclasses.asdict(framing.cropped)
    lost = [f"{share * 100:.1f} % {side}" for side, share in edges.items() if share >= 0.01]
    if lost:
        reasons.append(f"cropped at the edges: {', '.join(lost)}")
    moved = math.hypot(*framing.shift_px)
    if moved >= 2:
        reasons.append(f"shifted by {moved:.0f} pixels")
    if abs(framing.stretch - 1) >= 0.02:
        wider = "wider" if framing.stretch > 1 else "taller"
        reasons.append(f"stretched {wider} by {abs(framing.stretch - 1) * 100:.0f} %")
    if abs(framing.rotation_deg) >= 0.5:
        reasons.append(f"turned by {framing.rotation_deg:.1f} degrees")
    return reasons


def _tone(tone: Tone, changes: str) -> list[str]:
    if changes == "look":
        return []
    reasons = []
    if abs(tone.exposure_ev) >= 0.15:
        way = "brighter" if tone.exposure_ev > 0 else "darker"
        reasons.append(f"the whole is {way} by {abs(tone.exposure_ev):.1f} stops")
    red, yellow = tone.colour
    if math.hypot(red, yellow) >= 3:
        names = [("red", "green")[red < 0]] if abs(red) >= 2 else []
        names += [("yellow", "blue")[yellow < 0]] if abs(yellow) >= 2 else []
        reasons.append(f"the whole shifted towards {' and '.join(names)}")
    return reasons
