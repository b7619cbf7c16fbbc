"""Google's wire at the emulator: one call, answered with the picture or with its absence."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from nanorecipes import files, google_wire
from nanorecipes.catalogue import catalogue
from nanorecipes.sandbox import replies
from nanorecipes.sandbox.books import NEVER_S
from nanorecipes.sandbox.check import BadRequestError, Order
from nanorecipes.sandbox.google_check import read_order

if TYPE_CHECKING:
    from nanorecipes.sandbox.books import Task
    from nanorecipes.sandbox.gallery import Gallery
    from nanorecipes.sandbox.wire import Answer, Call

PATH = re.compile(r"/v1beta/models/([^/:]+):generateContent")
PREFIX = "/v1beta/models/"
BAD_KEY = "bad-key"
NO_CREDITS_KEY = "no-credits"

DRAFT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
"""A picture of one pixel: what stands among the thoughts, and is not the answer."""

_STATUS = {
    400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip
_NO_PICTURE = {
    "no_image": ("NO_IMAGE", replies.NO_IMAGE_TEXT),
    "blocked": ("IMAGE_SAFETY", replies.BLOCKED_TEXT),
}
_BROKEN_TASKS = {"failed_task": 500, "expired_task": 504}


def problem(status: int, message: str, *details: dict[str, Any]) -> Answer:
    """A refusal in Google's shape."""
    error: dict[str, Any] = {"code": status, "message": message, "status": _STATUS[status]}
    if details:
        error["details"] = list(details)
    return replies.json_answer(status, {"error": error})


def read_call(call: Call, gallery: Gallery) -> Order | Answer:
    """What a call orders, or its refusal; pictures that come along are kept."""
    denied = _authorise(call)
    if denied is not None:
        return denied
    match = PATH.fullmatch(call.path)
    model = catalogue().by_google_id.get(match[1]) if match else None
    if model is None:
        known = ", ".join(catalogue().by_google_id)
        return problem(404, f"there is no such model at {call.path!r}, there are: {known}")
    limit = catalogue().limits.google_request_bytes
    if len(call.body) > limit:
        return problem(413, f"a request may have {limit} bytes, found {len(call.body)}")
    content_type = (call.header("Content-Type") or "").partition(";")[0].strip().lower()
    if content_type != replies.JSON_TYPE:
        return problem(400, f"Content-Type must be {replies.JSON_TYPE}")
    try:
        return read_order(model, call.body, gallery.put_upload)
    except BadRequestError as exc:
        violations = [{"field": v.field, "description": v.message} for v in exc.violations]
        kind = "type.googleapis.com/google.rpc.BadRequest"
        return problem(400, str(exc), {"@type": kind, "fieldViolations": violations})


def refused(answer: Answer, seconds: int) -> Answer:
    """A refusal of the emulator's in Google's shape: the pause stands in the body."""
    if answer.status == 429:
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        told = {"@type": kind, "retryDelay": f"{seconds}s"}
        return problem(429, "You exceeded your current quota.", told)
    return problem(503, "The model is overloaded. Please try again later.")


def answer(task: Task, draw: Callable[[], bytes]) -> Answer:
    """What an accepted order is answered with.

    Args:
        task: the order, charged.
        draw: makes the picture.
    """
    made = _made(task, draw)
    late_s = task.ready_at - task.started_at
    return replace(made, delay_s=min(late_s, NEVER_S))


def _made(task: Task, draw: Callable[[], bytes]) -> Answer:
    fault = task.fault
    if fault in _BROKEN_TASKS:
        return problem(_BROKEN_TASKS[fault], "The generation failed.")
    if fault in _NO_PICTURE:
        reason, text = _NO_PICTURE[fault]
        return replies.json_answer(200, _body(task, [{"text": text}], reason))
    data = b"<html><body>Not found</body></html>" if fault == "not_a_picture" else draw()
    if fault == "truncated_picture":
        data = data[: len(data) // 2]
    kind = "image/png" if fault == "wrong_type" else files.image_type(data) or "image/jpeg"
    thoughts = [
        {"text": "First a draft, to see how it looks.", "thought": True},
        {**_inline("image/png", DRAFT), "thought": True},
    ]
    return replies.json_answer(200, _body(task, [*thoughts, _inline(kind, data)], "STOP"))


def _inline(kind: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": base64.b64encode(data).decode("ascii")}}


def _body(task: Task, parts: list[dict[str, Any]], reason: str) -> dict[str, Any]:
    content = {"role": "model", "parts": parts}
    return {
        "candidates": [{"content": content, "finishReason": reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": len(task.order.prompt) // 4},
        "modelVersion": task.order.model.google_id,
        "responseId": task.id,
    }


def _authorise(call: Call) -> Answer | None:
    if "key" in parse_qs(call.query):
        return problem(400, f"a key in the URL ends in logs: send it as {google_wire.KEY_HEADER}")
    key = (call.header(google_wire.KEY_HEADER) or "").strip()
    if not key:
        return problem(403, f"no key: send it as {google_wire.KEY_HEADER}")
    if key == BAD_KEY:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        return problem(400, "API key not valid.", {"@type": kind, "reason": "API_KEY_INVALID"})
    if key == NO_CREDITS_KEY:
        return problem(403, "This project has no billing account.")
    return None
