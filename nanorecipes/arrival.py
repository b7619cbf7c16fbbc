"""What came back, compared with what was asked: downloads become a result."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from nanorecipes.errors import DownloadError
from nanorecipes.result import Origin, Result, ResultImage
from nanorecipes.service.download import Downloaded

if TYPE_CHECKING:
    from decimal import Decimal

    from nanorecipes.request import Request
    from nanorecipes.result import CostSource
    from nanorecipes.service.qolaba import Outcome

SIZE_TOLERANCE = 0.03


def make_result(
    outcome: Outcome,
    found: list[Downloaded | DownloadError],
    request: Request | None,
    backend: str,
    finished_at: datetime,
    warnings: tuple[str, ...] = (),
) -> Result:
    """The result of a finished task; what differs from the request is told, never thrown away.

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
    )
    images = tuple(
        ResultImage(item.data, item.mime_type, item.size_px, n, item.remote.url, origin)
        for n, item in came
    )
    return Result(images, origin)


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
