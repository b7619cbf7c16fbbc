"""What came back, compared with what was asked: downloads become a result."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

from nanorecipes.errors import DownloadError, NanorecipesError
from nanorecipes.proof.values import Proof
from nanorecipes.result import Origin, Result, ResultImage
from nanorecipes.service.download import Downloaded
from nanorecipes.service.flow import Flow, work

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from pathlib import Path

    from nanorecipes.proving.terms import Terms
    from nanorecipes.request import Request
    from nanorecipes.result import CostSource
    from nanorecipes.service.base import Outcome
    from nanorecipes.service.timing import Clock

SIZE_TOLERANCE = 0.03


def make_result(
    outcome: Outcome,
    found: list[Downloaded | DownloadError],
    request: Request | None,
    backend: str,
    finished_at: datetime,
    warnings: tuple[str, ...] = (),
    saved: Callable[[ResultImage, Path], object] | None = None,
) -> Result:
    """The result of a finished task; what differs from the request is told, never thrown away.

    Args:
        outcome: what the service said of the task.
        found: what came of each picture.
        request: what was asked, where it is known.
        backend: who made them.
        finished_at: when.
        warnings: what is to be told besides.
        saved: called with each picture that is saved, and its path.

    Raises:
        DownloadError: not one picture could be fetched.
    """
    came = [(n, item) for n, item in enumerate(found, 1) if isinstance(item, Downloaded)]
    if not came:
        raise next(item for item in found if isinstance(item, DownloadError))
    cost, source = _cost(outcome, request)
    origin = Origin(
        backend=backend,
        task_id=outcome.task_id,
        request=request,
        cost=cost,
        cost_source=source,
        finished_at=finished_at,
        text=outcome.text,
        warnings=(*warnings, *_warnings(found, request)),
        service=outcome.service,
        saved=saved,
    )
    images = tuple(
        ResultImage(item.data, item.mime_type, item.size_px, n, item.remote.url, origin)
        for n, item in came
    )
    return Result(images, origin)


def proved_flow(
    result: Result, terms: Terms, clock: Clock, deadline: float, *, fetches: bool
) -> Flow[Result]:
    """The result with each picture held against its source.

    What was paid for is never lost over it: what can't be compared has a proof that says why.

    Args:
        result: what came.
        terms: what it is held to.
        clock: whose seconds count.
        deadline: when fetching the source ends, on that clock.
        fetches: whether a source behind a URL can be fetched; the embedded sandbox reaches none.
    """
    from nanorecipes.proving import pictures

    is_local = result.request is not None and result.request.first_source.input.is_local
    if all(pictures.is_card(image.received_data) for image in result.images):
        return _with_proofs(result, [Proof.unproved(pictures.CARD, terms.changes)])
    try:
        if not (fetches or is_local):
            raise NanorecipesError("it is a URL, and the embedded sandbox fetches none")
        source = yield from _source_flow(result.request, clock, deadline)
    except NanorecipesError as exc:
        why = f"there is no source to compare with: {exc.message}"
        return _with_proofs(result, [Proof.unproved(why, terms.changes)])
    proofs = []
    for image in result.images:
        hold = partial(terms.hold_safely, source, image.received_data)
        proofs.append((yield from work(hold)))
    return _with_proofs(replace(result, source=None if is_local else source), proofs)


def _source_flow(request: Request | None, clock: Clock, deadline: float) -> Flow[bytes]:
    from nanorecipes.proving import pictures

    if request is None or request.first_source.input.is_local:
        return pictures.source_bytes(request)
    return (yield from pictures.fetch_flow(request.first_source.source, clock, deadline))


def _with_proofs(result: Result, proofs: list[Proof]) -> Result:
    images = [
        replace(image, proof=proof)
        for image, proof in zip(result.images, cycle(proofs), strict=False)
    ]
    return replace(result, images=tuple(images))


def _cost(outcome: Outcome, request: Request | None) -> tuple[Decimal | None, CostSource]:
    if outcome.cost_usd is not None:
        return outcome.cost_usd, "service"
    if request is not None and request.estimated_cost is not None:
        return request.estimated_cost, "estimate"
    return None, "unknown"


def _warnings(found: list[Downloaded | DownloadError], request: Request | None) -> list[str]:
    """What came otherwise than asked: it was paid for, so it is told and kept."""
    warnings: list[str] = []
    if request is not None and len(found) != request.num_images:
        warnings.append(f"asked for {request.num_images} pictures, the service made {len(found)}")
    for number, item in enumerate(found, 1):
        if isinstance(item, DownloadError):
            warnings.append(f"picture {number}: {item.message}")
        else:
            warnings += [f"picture {number}: {text}" for text in _differences(item, request)]
    return warnings


def _differences(item: Downloaded, request: Request | None) -> list[str]:
    told = item.declared_type or item.remote.content_type
    kind = (told or "").partition(";")[0].strip().lower()
    found = []
    if kind.startswith("image/") and kind.replace("jpg", "jpeg") != item.mime_type:
        found.append(f"called {kind}, but its bytes are {item.mime_type}")
    expected = request.expected_size_px if request is not None else None
    if expected and item.size_px and _is_off(item.size_px, expected):
        came, asked = "x".join(map(str, item.size_px)), "x".join(map(str, expected))
        found.append(f"{came} pixels came, {asked} were asked for")
    return found


def _is_off(size: tuple[int, int], expected: tuple[int, int]) -> bool:
    return any(
        abs(got - asked) > SIZE_TOLERANCE * asked for got, asked in zip(size, expected, strict=True)
    )
