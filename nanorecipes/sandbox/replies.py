"""The bodies that the emulator answers with, in the service's shapes as far as they are known."""

from __future__ import annotations

import json
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Any

from nanorecipes.catalogue import catalogue
from nanorecipes.sandbox.wire import Answer

if TYPE_CHECKING:
    from nanorecipes.catalogue import Model
    from nanorecipes.sandbox.check import Violation

JSON_TYPE = "application/json"

ABOUT = """\
This is the nanorecipes sandbox: it speaks the wire of the image service, makes no picture with a
model and costs nothing. It answers with proof pictures, which show what was asked for.

  POST /api/v1/images/generate     as the service; any key but `bad-key` and `no-credits` will do
  POST /v1beta/models/{model}:generateContent   as Google; the key in `x-goog-api-key`
  GET  /api/v1/tasks/{task_id}     the state of a task
  GET  /api/v1/images/models       the models that it knows
  PUT  /sandbox/uploads/{sha256}{extension}   a local picture, for use in `image_urls`
  GET  /sandbox/results/{name}     a proof picture
  GET  /sandbox/charges            what would have been charged
  POST /sandbox/faults             {"route": "generate", "script": ["429", "ok"]} for the next calls
"""


def answer(
    status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
) -> Answer:
    """An answer with its length in the headers."""
    fields = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
    return Answer(status, fields, body)


def json_answer(status: int, data: Any, headers: dict[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    return answer(status, json.dumps(data).encode("ascii"), JSON_TYPE, headers)


def text_answer(status: int, text: str) -> Answer:
    """An answer in plain text."""
    return answer(status, text.encode("utf-8"), "text/plain; charset=utf-8")


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    """A refusal with its reason under `detail`."""
    return json_answer(status, {"detail": message}, headers)


def violations(found: tuple[Violation, ...]) -> Answer:
    """422 with every violation at once."""
    detail = [
        {"loc": ["body", *_location(item.field)], "msg": item.message, "type": "value_error"}
        for item in found
    ]
    return json_answer(422, {"detail": detail})


def _location(field: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in field.split(".") if part]


def too_many(retry_after_s: int, *, as_date: bool, now_s: float) -> Answer:
    """429 with Retry-After in seconds, or as a date counted from `now_s` (seconds since 1970)."""
    wait = formatdate(now_s + retry_after_s, usegmt=True) if as_date else str(retry_after_s)
    body = {"error": {"code": "rate_limited", "message": "Too many requests, slow down."}}
    return json_answer(429, body, {"Retry-After": wait})


def overloaded(retry_after_s: int) -> Answer:
    """503 before any work, which says so."""
    body = {"error": {"code": "overloaded", "message": "Over capacity, please try again later."}}
    return json_answer(503, body, {"Retry-After": str(retry_after_s)})


def broken(status: int) -> Answer:
    """A 5xx that says nothing about the work: JSON from the service, HTML from a gateway."""
    if status == 500:
        return json_answer(500, {"error": {"code": "internal", "message": "Internal error."}})
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return answer(status, page.encode("ascii"), "text/html")


def blocked_error() -> dict[str, str]:
    """What the service says when it won't make a picture."""
    return {
        "code": "content_blocked",
        "reason": "IMAGE_SAFETY",
        "message": "The request was refused by the safety filter.",
    }


BLOCKED_TEXT = "I can't make this edit: it goes against the rules for pictures. (Sandbox fault.)"
NO_IMAGE_TEXT = "Here is a description of the edit instead of a picture. (Sandbox fault.)"


@cache
def models() -> bytes:
    """The body of the list of models."""
    listed = [_model(model) for model in catalogue().models.values()]
    return json.dumps({"models": listed}).encode("ascii")


def _model(model: Model) -> dict[str, Any]:
    limits = catalogue().limits
    prices = {tier: price.usd for tier, price in (model.prices or {}).items()}
    features = ["image-editing", "reference-images", *(["search"] if model.search else [])]
    return {
        "id": model.id,
        "name": model.title,
        "type": "image",
        "provider": model.id.partition("/")[0],
        "providerName": "nanorecipes sandbox",
        "description": model.use,
        "capabilities": features,
        "imageSize": list(model.ratios),
        "quality": list(model.qualities),
        "quality_pricing": {tier: float(usd) for tier, usd in prices.items()},
        "outputFormat": ["jpeg"],
        "maxNumImages": limits.max_num_images,
        "defaultNumImages": 1,
        "maxReferenceImages": limits.max_references,
        "supportsSeed": True,
    }
