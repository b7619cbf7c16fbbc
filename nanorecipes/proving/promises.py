"""What recipes promise of their results, before they are bought and after they were saved."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from nanorecipes.proof.values import Changes
from nanorecipes.proving.faults import problem
from nanorecipes.proving.pictures import find_picture
from nanorecipes.proving.terms import Terms, make_terms

if TYPE_CHECKING:
    from nanorecipes.provenance import Input, Provenance
    from nanorecipes.proving.terms import Where
    from nanorecipes.request import Request


def agreed(request: Request, options: Mapping[str, Any]) -> Terms:
    """What a request's result will be held to: its recipe's terms, with a caller's in their place.

    Raises:
        InputError: an option is none, or a region can't be read.
        MissingExtraError: `nanorecipes[proof]` isn't installed.
    """
    terms = terms_of(request).given(**options)
    terms.check(request.first_source.input)
    return terms


def terms_for(request: Request | None) -> Terms:
    """The terms of a request that may not be known: then a part may change, and no more."""
    return Terms() if request is None else terms_of(request)


def terms_of(request: Request) -> Terms:
    """What a request's recipe promises of its result.

    Raises:
        InputError: a region is a picture behind a URL.
    """
    inputs = {image.slot: image.input for image in reversed(request.images)}

    def picture(slot: str) -> Where | None:
        found = inputs.get(slot)
        if found is None:
            return None
        if not found.is_local:
            raise problem("region", f"the mask {slot!r} is behind a URL", "give it as a file")
        return found.name if found.kind == "path" else found.read()

    return make_terms(request.changes, request.prove or {}, picture)


def terms_from(
    made: Provenance | None,
    near: Sequence[Path],
    *,
    changes: str | None = None,
    policy: Mapping[str, Any] | None = None,
    skip: Collection[str] = (),
) -> Terms | None:
    """What a saved picture is held to; None where nothing tells.

    Args:
        made: its making, which tells what was promised and where the masks lie.
        near: folders in which a mask may lie, when it isn't where it was.
        changes: what a recipe promises, in place of what the making tells.
        policy: that recipe's `prove`.
        skip: regions that the caller gives, so that they needn't be found.

    Raises:
        InputError: a mask that belonged to its making is not found.
    """
    images = made.images if made is not None else ()
    facts = made.facts if made is not None else {}
    if changes is None:
        changes, policy = facts.get("changes"), facts.get("prove")
    if changes not in get_args(Changes):
        return None

    masks: dict[str, str] = {}
    rules = dict(policy) if isinstance(policy, Mapping) else {}
    proof = facts.get("proof")
    if isinstance(proof, Mapping):  # it was proved before: where it was looked at then
        rules |= {k: proof[k] for k in ("region", "protect") if isinstance(proof.get(k), list)}
    for field in ("region", "protect"):
        slot = rules.get(field)
        image = next((image for image in images if image.slot == slot), None)
        if field in skip:
            rules.pop(field, None)
        elif image is not None and isinstance(slot, str):
            masks[slot] = _mask(field, image, near)
    try:
        return make_terms(changes, rules, masks.get)
    except (ValueError, TypeError, IndexError):  # a stranger's file says what it likes
        return Terms(changes)  # type: ignore[arg-type]  # looked up just above


def _mask(field: str, image: Input, near: Sequence[Path]) -> str:
    """Where the mask of a making is now; without it the proof would be another one."""
    found = find_picture(image, near)
    if found is None:
        raise problem(
            field,
            f"its mask {image.source!r} is not found, or is not the same picture any more",
            f"give it with --{field}",
        )
    return str(found)
