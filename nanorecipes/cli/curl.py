"""A request as a curl command; the key stays in the environment."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from nanorecipes import config, google_wire, wire
from nanorecipes.cli import view
from nanorecipes.preflight import direct_body, local_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from nanorecipes.preflight import LocalPicture
    from nanorecipes.request import AttachedImage, Request

_READ = "$(base64 < {path} | tr -d '\\n')"
"""A shell's words for the base64 of a file."""
_STEERING = str.maketrans({"\\": "\\\\", "$": "\\$", "`": "\\`"})
"""What a shell would read in a text that it is handed between two `BODY`."""


def curl_command(request: Request, backend: str) -> str:
    """The request as that service is sent it.

    Raises:
        InputError: a local picture can't go along in it.
    """
    if backend == "gemini":
        return _of_google(request)
    body = shlex.quote(_written(request.payload()))
    key = "Authorization: Bearer $QOLABA_API_KEY"
    return f"{_head(config.service_url() + wire.GENERATE_PATH, key)}  -d {body}"


def _of_google(request: Request) -> str:
    assert request.chosen.google_id is not None, "checked before"
    url = config.service_url("gemini") + google_wire.path(request.chosen.google_id)
    head = _head(url, f"{google_wire.KEY_HEADER}: ${config.GEMINI_KEY}")
    pictures = local_pictures(request, takes_files=True)
    direct_body(request, pictures)  # refused here as it would be when it is sent
    body = _written(google_wire.payload(request, {n: p.data for n, p in pictures.items()}))
    if not pictures:
        return f"{head}  -d {shlex.quote(body)}"
    # By way of a file: a picture is longer than what a command may be given as an argument.
    text = body.translate(_STEERING)
    for image in request.images:
        if image.ordinal in pictures:
            text = _with_file(text, image, pictures[image.ordinal])
    return f"{head}  --data-binary @- <<BODY\n{text}\nBODY"


def _with_file(text: str, image: AttachedImage, picture: LocalPicture) -> str:
    """The body with a picture read from its file, where it is sent as it lies there."""
    if picture.warnings or image.input.kind != "path":
        view.warn([f"{image.source!r} is changed before it is sent: its bytes are in the command"])
        return text
    data = google_wire.base64_text(picture.data)
    return text.replace(f'"{data}"', f'"{_READ.format(path=shlex.quote(image.source))}"')


def _head(url: str, key: str) -> str:
    return (
        f"curl -sS {shlex.quote(url)} \\\n"
        f'  -H "{key}" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
    )


def _written(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2)
