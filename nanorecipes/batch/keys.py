"""What makes two rows the same purchase, and a request as text that can be sent again later."""

from __future__ import annotations

import hashlib
import json
import os
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from nanorecipes import files, images
from nanorecipes.images import BadImageError, ImageInput
from nanorecipes.request import AttachedImage, Request, Section, find_model

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_CHARS = 32

# What a presigned URL carries beside the name of its file; another signature is the same picture.
_SIGNATURE = ("x-amz-", "x-goog-", "x-oss-")
_SIGNATURES = frozenset(
    {"signature", "expires", "awsaccesskeyid", "googleaccessid", "key-pair-id", "policy", "token",
     "sig", "se", "sp", "sv", "sr", "st", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv"}
)  # fmt: skip


def row_key(request: Request) -> str:
    """The key of a purchase: recipe, model, canonical request and the bytes of its pictures.

    Raises:
        BadImageError: a local picture can't be read.
    """
    names = {image.ordinal: _picture(image.input) for image in request.images}
    body = request.payload(names, celery=True)
    del body["celery"]
    canonical = [request.hash, request.model, body]
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:KEY_CHARS]


def _picture(image: ImageInput) -> str:
    if not image.is_local:
        return unsigned(image.name)
    if image.kind == "path":
        return f"sha256:{file_digest(image.name)}"
    return f"sha256:{image.digest}"


def unsigned(url: str) -> str:
    """A URL without its signature."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in _SIGNATURES and not name.lower().startswith(_SIGNATURE)
    ]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def file_digest(path: str) -> str:
    """SHA-256 of a file, read once as long as it doesn't change.

    Raises:
        BadImageError: it can't be read.
    """
    try:
        found = os.stat(path)
    except OSError as exc:
        raise BadImageError(f"{path!r} can't be read: {exc.strerror or exc}") from exc
    return _digest(os.path.abspath(path), found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=4096)
def _digest(path: str, changed_ns: int, size: int, inode: int) -> str:
    return files.sha256(images.image_input(path).read())


def to_text(request: Request) -> str:
    """A request as JSON, exact enough to be sent again without its recipe."""
    price = request.estimated_cost
    return json.dumps(
        {
            "recipe": request.recipe, "version": request.version, "hash": request.hash,
            "changes": request.changes, "prompt": request.prompt,
            "sections": [list(section) for section in request.sections],
            "images": [_named(image) for image in request.images],
            "model": request.model, "options": dict(request.options),
            "price": None if price is None else str(price), "basis": request.cost_basis,
            "inputs": dict(request.inputs), "notices": list(request.notices),
            "additions": request.additions, "prove": request.prove,
        },
        ensure_ascii=False, default=str, separators=(",", ":"),
    )  # fmt: skip


def _named(image: AttachedImage) -> list[Any]:
    kind = image.input.kind
    name = os.path.abspath(image.input.name) if kind == "path" else image.input.name
    return [image.slot, image.role, image.ordinal, kind, name]


def from_text(text: str) -> Request | None:
    """The request again; None where its pictures were given as bytes or its model has gone."""
    read: Mapping[str, Any] = json.loads(text)
    model = find_model(read["model"])
    if model is None or any(kind == "bytes" for *_, kind, _ in read["images"]):
        return None
    attached = tuple(
        AttachedImage(slot, role, ordinal, ImageInput(kind, name))
        for slot, role, ordinal, kind, name in read["images"]
    )
    return Request.make(
        recipe=read["recipe"], version=read["version"], hash=read["hash"],
        changes=read["changes"], prompt=read["prompt"],
        sections=tuple(Section(name, words) for name, words in read["sections"]),
        images=attached, chosen=model, options=read["options"],
        estimated_cost=None if read["price"] is None else Decimal(read["price"]),
        cost_basis=read["basis"], inputs=read["inputs"], notices=tuple(read["notices"]),
        additions=read.get("additions"), prove=read.get("prove"),
    )  # fmt: skip


_TRY = ".try"


def try_key(key: str, number: int) -> str:
    """The key of a further try of a row: another purchase of the same, from 2."""
    return f"{key}{_TRY}{number}"


def base_key(key: str) -> str:
    """The key of the row whose try this is; its own where it is none."""
    return key.partition(_TRY)[0]


def try_number(key: str) -> int:
    """Which try of its row a key is: 1 is the row itself."""
    number = key.partition(_TRY)[2]
    return int(number) if number.isdecimal() else 1
