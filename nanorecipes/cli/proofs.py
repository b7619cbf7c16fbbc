"""How a proof is printed: the verdict, what it rests on, and where things changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nanorecipes.cli import view

if TYPE_CHECKING:
    from nanorecipes.proof.values import Change, Framing, Proof, Tone

_COLORS = {"kept": "green", "drifted": "red", "unclear": "yellow", "not provable": "cyan"}
_LISTED = 8

UNSEEN = 0.04
"""Share of the shorter side: lettering lower than that is missed often (the calibration page)."""

BROKEN = 1
"""The exit code where a promise was broken."""


def exit_code(*proofs: Proof) -> int:
    """1 where a promise was broken; what can't be told is no break."""
    return BROKEN if any(proof.verdict == "drifted" for proof in proofs) else 0


def headline(proof: Proof) -> str:
    """The verdict and the score, in a few words."""
    verdict = click.style(proof.verdict, fg=_COLORS[proof.verdict], bold=True)
    if proof.score is None:
        return verdict
    asked = f", asked for {proof.min_score:g}" if proof.min_score is not None else ""
    return f"{verdict}  score {proof.score:g}{asked}"


def print_proof(proof: Proof, quiet: bool) -> None:
    """The whole proof for people; with `quiet` the verdict and the score alone."""
    if quiet:
        click.echo(headline(proof))
        return
    click.echo(headline(proof))
    if proof.score is not None:
        click.echo(view.dim("  0 something surely did not stay, 1 everything did"))
    for reason in proof.reasons:
        click.echo(view.bullet(reason))
    if proof.verdict == "kept" and proof.has_pictures:
        click.echo(view.dim(f"  {_unseen(proof)}"))
    if not proof.has_pictures:
        return
    rows = [("held", _held(proof)), ("framing", _framing(proof.framing))]
    rows += [("tone", _tone(proof.tone))] if proof.framing.found else []
    click.echo(view.table(rows))
    _print_changes(proof)


def _unseen(proof: Proof) -> str:
    """What a proof that says kept can't vouch for; the share is from the calibration's misses."""
    small = max(1, round(UNSEEN * min(proof.source_size)))
    return f"what is smaller than about {small} pixels, such as small lettering, isn't told apart"


def print_reasons(proof: Proof) -> None:
    """Verdict, score and reasons, beside a result."""
    click.echo(f"  {headline(proof)}", err=True)
    for reason in proof.reasons:
        click.echo(view.bullet(reason, "    "), err=True)


def print_files(files: dict[str, Path]) -> None:
    """The files that were written, one a line."""
    for path in files.values():
        click.echo(str(path))


def _held(proof: Proof) -> str:
    text = {
        "part": "everything but the part that was to change",
        "background": "the subject and its edges",
        "look": "edges and layout; colours and texture were free",
        "scene": "nothing that pixels could prove",
    }[proof.changes]
    accepted = f"; accepted: {', '.join(proof.ignored)}" if proof.ignored else ""
    return f"{text} (changes: {proof.changes}{accepted})"


def _framing(framing: Framing) -> str:
    if not framing.found:
        return "the pictures can't be laid over each other"
    right, down = framing.shift_px
    edges = framing.cropped
    lost = {"left": edges.left, "top": edges.top, "right": edges.right, "bottom": edges.bottom}
    cut = [f"{name} {100 * share:.1f} %" for name, share in lost.items() if share >= 0.005]
    parts = [
        f"scale {framing.scale:.3f}",
        f"shift {_signed(right)}, {_signed(down)} px",
        f"turn {_signed(framing.rotation_deg)} degrees",
        f"cropped {', '.join(cut)}" if cut else "nothing cropped",
    ]
    return ", ".join(["mirrored"] * framing.mirrored + parts)


def _tone(tone: Tone) -> str:
    red, yellow = tone.colour
    return (
        f"{_signed(tone.exposure_ev, 2)} stops, contrast {tone.contrast:.2f}, "
        f"colour {_signed(red)} to red, {_signed(yellow)} to yellow"
    )


def _signed(value: float, digits: int = 1) -> str:
    """A number with its sign; what rounds to nothing has none to the left."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def _print_changes(proof: Proof) -> None:
    if not proof.changed:
        return
    click.echo("  changed, in pixels of the source:")
    rows = [_change(change) for change in proof.changed[:_LISTED]]
    click.echo(view.table(rows, "    "))
    more = len(proof.changed) - _LISTED
    if more > 0:
        click.echo(f"    and {more} smaller; --json lists them")


def _change(change: Change) -> tuple[str, str, str, str]:
    left, top, right, bottom = change.box
    size, place = f"{right - left} x {bottom - top}", f"at {left}, {top}"
    allowed = "allowed" if change.expected else click.style("not allowed", fg="red")
    return size, place, f"{100 * change.share:.1f} %", allowed
