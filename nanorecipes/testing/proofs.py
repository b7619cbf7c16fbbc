"""Stored results of examples, held against what their recipe promised to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes import files
from nanorecipes.errors import InputError, MissingExtraError
from nanorecipes.images import BadImageError, image_input
from nanorecipes.proving.promises import terms_of
from nanorecipes.testing.expect import Broken

if TYPE_CHECKING:
    from nanorecipes.proof.values import Proof
    from nanorecipes.request import Request

KEPT = ("kept",)


def broken_proofs(expect: Mapping[str, Any], request: Request, root: Path) -> Iterator[Broken]:
    """What a stored result breaks of its recipe's promise; nothing where none is stored.

    Args:
        expect: what the example expects.
        request: what it renders.
        root: the library's folder, from which pictures are named; none outside it is read.
    """
    wanted = expect.get("prove")
    if wanted is None:
        return
    try:
        proof = _proof(wanted["output"], request, root)
    except MissingExtraError as exc:
        yield Broken(("prove",), f"{exc.message}; {exc.help}", "a proof", "none")
        return
    except (InputError, BadImageError) as exc:
        text = exc.diagnostics[0].message if isinstance(exc, InputError) else str(exc)
        yield Broken(("prove", "output"), f"the result can't be proved: {text}", "a proof", "none")
        return
    allowed = list(wanted.get("verdict", KEPT))
    if proof.verdict not in allowed:
        reasons = "; ".join(proof.reasons)
        expected = " or ".join(allowed)
        message = f"expected the result to be {expected}, found {_found(proof)}: {reasons}"
        yield Broken(("prove",), message, expected, proof.verdict)


def _proof(output: str, request: Request, root: Path) -> Proof:
    source = request.first_source
    if not source.input.is_local:
        raise BadImageError(f"the source {source.source!r} is behind a URL")
    return terms_of(request).hold(_picture(source.source, root), _picture(output, root))


def _picture(name: str, root: Path) -> bytes:
    return image_input(files.join_under(root, name)).read()


def _found(proof: Proof) -> str:
    return proof.verdict if proof.score is None else f"{proof.verdict} (score {proof.score:g})"
