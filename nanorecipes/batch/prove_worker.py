"""A process that proves: one job a line of JSON in, one answer a line out.

It is a process of its own so that a batch's network work isn't held up by computing, and so that
one that runs out of memory takes nothing with it. `python -m nanorecipes.batch.prove_worker`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nanorecipes import files
from nanorecipes.drawings import write_drawings
from nanorecipes.errors import NanorecipesError
from nanorecipes.proof.values import Proof
from nanorecipes.provenance import read_sidecar, sidecar_path
from nanorecipes.proving.pictures import read_picture
from nanorecipes.proving.terms import Terms, worst


def prove_files(job: Mapping[str, Any]) -> dict[str, Any]:
    """Hold pictures against their source, draw each proof beside its picture, and tell the worst.

    Args:
        job: `source` (a path) or `why` there is none, `outputs` (paths), `terms`.
    """
    terms = Terms.from_json(job["terms"])
    try:
        source = None if job.get("why") else read_picture(job["source"], "source")
        why = str(job.get("why") or "")
    except NanorecipesError as exc:
        source, why = None, exc.message
    proofs = [_prove(Path(output), source, why, terms) for output in job["outputs"]]
    # Without one of the pictures it may be another matter the next time.
    is_final = source is not None and all(map(os.path.exists, job["outputs"]))
    return {**worst(proofs).summary(), "is_final": is_final}


def _prove(output: Path, source: bytes | None, why: str, terms: Terms) -> Proof:
    try:
        data = read_picture(output, "output")
    except NanorecipesError as exc:
        return Proof.unproved(exc.message, terms.changes)
    if source is None:
        text = f"there is no source to compare with: {why}"
        proof = Proof.unproved(text, terms.changes)
    else:
        proof = terms.hold_safely(source, data)
    _record(proof, output)
    return proof


def _record(proof: Proof, output: Path) -> None:
    """Draw it, and write it into the sidecar; the picture itself stays as it was checked."""
    try:
        drawn = write_drawings(proof, output, replace=True)
        sidecar = sidecar_path(output)
        facts = read_sidecar(sidecar)
        if facts is not None:
            names = {key: path.name for key, path in drawn.items()}
            facts["proof"] = {**proof.to_json(), **names}
            text = json.dumps(facts, indent=2, ensure_ascii=False, default=str)
            files.write_atomic(sidecar, f"{text}\n".encode())
    except OSError as exc:  # the ledger has it; a full disk is told by what is written next
        print(f"{output}: the proof can't be written beside it: {exc}", file=sys.stderr)


def main() -> None:
    """Answer until there is nothing more to read."""
    import cv2

    cv2.setNumThreads(1)  # as many processes as there are cores: each keeps to one
    for line in sys.stdin:
        print(json.dumps(_answer(line)), flush=True)


def _answer(line: str) -> dict[str, Any]:
    """What a job comes to; a fault of our own costs one row its proof, and the batch nothing."""
    try:
        return prove_files(json.loads(line))
    except Exception as exc:
        why = f"a fault while comparing: {exc!r}"
        return {"verdict": "not provable", "score": None, "reasons": [why], "is_final": False}


if __name__ == "__main__":
    main()
