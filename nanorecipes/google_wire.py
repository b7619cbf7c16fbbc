"""Google's spellings: the body of a `generateContent` request that edits pictures.

Answers are read in `service/google_answers.py`. Nothing here was tried against the live service.
"""

from __future__ import annotations

import base64
import json
import mimetypes
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from nanorecipes import files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.request import AttachedImage, Request

GENERATE_PATH = "/v1beta/models/{model}:generateContent"
KEY_HEADER = "x-goog-api-key"

LABEL = "Image {number}:"
"""Stands before each of several pictures, so that `the second image` can only mean one."""


def path(google_id: str) -> str:
    """Where a model is asked."""
    return GENERATE_PATH.format(model=quote(google_id, safe=""))


def payload(request: Request, pictures: Mapping[int, bytes]) -> dict[str, Any]:
    """The JSON body; only what is set is sent.

    Args:
        request: what is asked.
        pictures: by ordinal, the bytes of local pictures, fit to send; in place of one that is
            left out stands `<base64 of NAME>`.
    """
    settings = request.settings
    config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
    asked = (("aspectRatio", "aspect_ratio"), ("imageSize", "quality"))
    image = {field: settings[key] for field, key in asked if key in settings}
    if image:
        config["imageConfig"] = image
    if "seed" in settings:
        config["seed"] = settings["seed"]
    body: dict[str, Any] = {
        "contents": [{"role": "user", "parts": _parts(request, pictures)}],
        "generationConfig": config,
    }
    if settings.get("search"):
        body["tools"] = [{"googleSearch": {}}]
    return body


def _parts(request: Request, pictures: Mapping[int, bytes]) -> list[dict[str, Any]]:
    """The prompt, then the pictures in the order of their ordinals."""
    parts: list[dict[str, Any]] = [{"text": request.prompt}]
    for image in request.images:
        if len(request.images) > 1:
            parts.append({"text": LABEL.format(number=image.ordinal)})
        parts.append(_picture(image, pictures))
    return parts


def base64_text(data: bytes) -> str:
    """How a picture's bytes stand in a body."""
    return base64.b64encode(data).decode("ascii")


def _picture(image: AttachedImage, pictures: Mapping[int, bytes]) -> dict[str, Any]:
    data = pictures.get(image.ordinal)
    if data is not None:
        kind = files.image_type(data)
        return {"inlineData": {"mimeType": kind, "data": base64_text(data)}}
    if image.input.is_local:
        data_later = f"<base64 of {image.source}>"
        return {"inlineData": {**_named_type(image.source), "data": data_later}}
    return {"fileData": {"fileUri": image.source, **_named_type(urlsplit(image.source).path)}}


def _named_type(name: str) -> dict[str, str]:
    kind = mimetypes.guess_type(name)[0] or ""
    return {"mimeType": kind} if kind.startswith("image/") else {}


def written(request: Request, pictures: Mapping[int, bytes]) -> bytes:
    """The body as it is sent."""
    body = payload(request, pictures)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
