"""What is checked before anything is sent: the request, its cost, its pictures."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from nanorecipes import codes, files, google_wire
from nanorecipes.catalogue import catalogue
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import BudgetError, InputError
from nanorecipes.fit import fit_once
from nanorecipes.images import BadImageError
from nanorecipes.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.request import AttachedImage

SEND_ALONG = "NANORECIPES_BACKEND=gemini, or backend='gemini', sends it along to Google"
"""The way out that needs no upload place."""


@dataclass(frozen=True, slots=True)
class LocalPicture:
    """A picture of this machine, read and found to be one."""

    name: str
    """Its digest and extension."""
    data: bytes = field(repr=False)
    """Fit to send: as it was given wherever possible."""
    warnings: tuple[str, ...] = ()
    """What was changed to make it fit."""
    source: str = ""
    """Its path as given, or a made-up name for bytes."""


def check_request(request: object) -> None:
    """Make sure that a recipe made it.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(request, Request):
        message = f"expected a request that a recipe rendered, found {type(request).__name__}"
        help = "build it with recipes[NAME].render(...)"
        raise InputError([finding(codes.BAD_ARGUMENT, message, "request", help)])


def check_budget(request: Request, max_cost: object) -> None:
    """Make sure that the estimated cost is within the USD allowed; None allows any.

    Raises:
        InputError: `max_cost` is no amount.
        BudgetError: the estimate is above it, or there is none.
    """
    if max_cost is None:
        return
    limit = None
    with contextlib.suppress(InvalidOperation, ValueError, TypeError):
        limit = None if isinstance(max_cost, bool) else Decimal(str(max_cost))
    if limit is None or not limit.is_finite() or limit < 0:
        message = f"max_cost is {max_cost!r}, expected an amount in USD such as 0.25"
        raise InputError([finding(codes.BAD_ARGUMENT, message, "max_cost")])
    cost = request.estimated_cost
    if cost is None:
        raise BudgetError(
            f"no price is known for {request.model}, so ${limit} can't be kept; nothing was sent",
            limit_usd=limit,
        )
    if cost > limit:
        raise BudgetError(
            f"the estimated cost is ${cost}, above the ${limit} allowed; nothing was sent",
            cost_usd=cost,
            limit_usd=limit,
        )


def check_direct(request: Request) -> None:
    """Make sure that Google itself takes the request, which is sent there without a gateway.

    Raises:
        InputError: it asks for several pictures, attaches too many, or asks for a model that
            Google isn't known to have.
    """
    found = []
    if request.chosen.google_id is None:
        known = ", ".join(model.alias for model in catalogue().by_google_id.values())
        message = f"Google's own name of {request.model} is not known here"
        found.append(finding(codes.LIMIT_MODEL, message, "model", f"there are {known}"))
    if request.num_images > 1:
        message = f"num_images is {request.num_images}, and Google makes one picture a request"
        help = "leave it out and run it again for each, or let a batch with --no-dedupe do so"
        found.append(finding(codes.LIMIT_COUNT, message, "num_images", help))
    most = catalogue().limits.google_images
    if len(request.images) > most:
        message = f"{len(request.images)} pictures are attached, and Google takes {most} in all"
        found.append(finding(codes.LIMIT_IMAGES, message, "images", "attach fewer"))
    if found:
        raise InputError(found)


def direct_body(request: Request, pictures: Mapping[int, LocalPicture]) -> bytes:
    """The body of a request to Google: local pictures go along in it.

    Raises:
        InputError: it is larger than Google takes.
    """
    body = google_wire.written(request, {n: picture.data for n, picture in pictures.items()})
    limit = catalogue().limits.google_request_bytes
    if len(body) > limit:
        message = (
            f"the request has {len(body) / 1e6:.1f} MB with its pictures, "
            f"Google takes {limit / 1e6:.1f} MB; nothing was sent"
        )
        help = "give fewer or smaller pictures, or URLs in place of files"
        raise InputError([finding(codes.BAD_IMAGE, message, "images", help)])
    return body


def local_pictures(request: Request, *, takes_files: bool) -> dict[int, LocalPicture]:
    """Local pictures by ordinal, read and checked.

    Args:
        request: what is about to be sent.
        takes_files: whether the backend takes pictures as files, not as URLs alone.

    Raises:
        InputError: pictures are missing, unreadable, or can't be seen by the service; all of them.
    """
    local = [image for image in request.images if image.input.is_local]
    findings: list[Diagnostic] = []
    pictures: dict[int, LocalPicture] = {}
    for image in local:
        try:
            pictures[image.ordinal] = _read(image)
        except BadImageError as exc:
            findings.append(finding(codes.BAD_IMAGE, str(exc), image.slot, image.input.advice))
    if not takes_files:
        findings += [_not_visible(image) for image in local]
    if findings:
        raise InputError(findings)
    return pictures


def _read(image: AttachedImage) -> LocalPicture:
    data = image.input.read()
    _ = image.input.digest  # fixed now, for the sidecar: the file may change while we wait
    try:
        fitted = fit_once(data)
    except BadImageError as exc:
        raise BadImageError(f"{image.source!r} {exc}") from exc
    name = f"{files.sha256(fitted.data)}{files.EXTENSIONS[fitted.mime_type]}"
    warnings = tuple(f"{image.source!r} was sent changed: {change}" for change in fitted.changes)
    return LocalPicture(name, fitted.data, warnings, image.source)


def _not_visible(image: AttachedImage) -> Diagnostic:
    help = (
        "give a URL that the service can open, or set NANORECIPES_UPLOADS to an upload place; "
        f"{SEND_ALONG}"
    )
    message = f"{image.source!r} lies on this machine, and the service takes public URLs only"
    return finding(codes.BAD_IMAGE, message, image.slot, help)


def finding(code: codes.Code, message: str, field: str, help: str | None = None) -> Diagnostic:
    """An error about an argument of a call."""
    return Diagnostic(code.code, code.name, "error", message, field=field, help=help)
