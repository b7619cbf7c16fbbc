"""The spellings of the service: the request's body. What is not confirmed stands here alone.

Replies are read in `service/replies.py`; the marks are those of the API contract's fact list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.request import Request

GENERATE_PATH = "/api/v1/images/generate"
MODELS_PATH = "/api/v1/images/models"
TASK_PATH = "/api/v1/tasks/{task_id}"

SEARCH_FIELD = "search_grounding"  # [?] the spelling is a guess
SEED_FIELD = "seed"  # [?] documented as supported, not how it is spelled


def payload(request: Request, urls: Mapping[int, str], *, celery: bool) -> dict[str, Any]:
    """The JSON body of a generate request; only what is set is sent."""
    settings = request.settings
    body: dict[str, Any] = {
        "model": request.model,
        "prompt": request.prompt,
        "image_urls": _urls(request, urls, "source"),
    }
    references = _urls(request, urls, "reference")
    if references:
        body["reference_images"] = references  # [?] the shape of an item: URL strings
    for key, field in (
        ("aspect_ratio", "aspect_ratio"),
        ("quality", "quality"),
        ("num_images", "num_images"),
        ("seed", SEED_FIELD),
    ):
        if key in settings:
            body[field] = settings[key]
    if settings.get("search"):
        body[SEARCH_FIELD] = True
    body["celery"] = celery
    return body


def _urls(request: Request, urls: Mapping[int, str], role: str) -> list[str]:
    return [urls.get(image.ordinal, image.source) for image in request.images if image.role == role]
