"""A picture's own file and its sidecar, put together from plain values.

Nothing here knows a request or a result, so that another process can do it too.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes.embed import embed

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sheet(NamedTuple):
    """What is known of a picture that is saved."""

    data: bytes
    """Its file, without what is said of it."""
    mime_type: str
    facts: Mapping[str, Any]
    """How it was made."""
    number: int
    """From 1, among those of its request."""
    size: tuple[int, int] | None
    """Width and height in pixels, where they are known."""
    received_sha256: str | None = None
    """SHA-256 of the service's own file, in hex; None where it is this one."""
    converted_from: str | None = None
    """The MIME type of the service's own file, where it is another one."""
    proof: Mapping[str, Any] | None = None
    """What a proof found, in short."""


class File(NamedTuple):
    """What is written for a picture."""

    picture: bytes
    """With what is said of it inside."""
    sha256: str
    sidecar: bytes


def put_together(sheet: Sheet, name: str) -> File:
    """A picture's file, and the sidecar that lies beside it.

    Args:
        sheet: what is known of it.
        name: the file's name.
    """
    if sheet.received_sha256 is None:
        sheet = sheet._replace(received_sha256=sha256(sheet.data))
    picture = with_facts(sheet)
    digest = sha256(picture)
    return File(picture, digest, sidecar(sheet, name, digest))


def with_facts(sheet: Sheet) -> bytes:
    """The picture's file with what is said of it inside, where its type has a place for it."""
    return embed(sheet.data, sheet.mime_type, said_inside(sheet))


def said_inside(sheet: Sheet) -> str:
    """What is said within the picture's file: inputs by name, without their folders."""
    facts = sheet.facts
    told = {**facts, "picture": {
        "number": sheet.number, "received_sha256": _received_sha256(sheet),
    }}  # fmt: skip
    if "inputs" in facts:
        images = [
            {"name" if key == "source" else key: _last(value) if key == "source" else value
             for key, value in image.items()}
            for image in facts["inputs"]["images"]
        ]  # fmt: skip
        told["inputs"] = {**facts["inputs"], "images": images}
    if sheet.proof is not None:
        told["proof"] = sheet.proof
    return _encode(told)


def sidecar(sheet: Sheet, name: str, digest: str, proof: Mapping[str, Any] | None = None) -> bytes:
    """What stands in the file beside the picture.

    Args:
        sheet: what is known of it.
        name: the name of the picture's file.
        digest: that file's SHA-256, in hex.
        proof: what a proof found, at length.
    """
    width, height = sheet.size or (None, None)
    picture = {
        "file": name,
        "number": sheet.number,
        "sha256": digest,
        "received_sha256": _received_sha256(sheet),
        "mime_type": sheet.mime_type,
        "converted_from": sheet.converted_from,
        "width": width,
        "height": height,
    }
    record = {**sheet.facts, "picture": picture}
    if proof is not None:
        record["proof"] = proof
    lines = ",\n".join(f"  {_encode(key)}: {_encode(value)}" for key, value in record.items())
    # Half a character is written as JSON writes it, and costs nobody a picture.
    return f"{{\n{lines}\n}}\n".encode("utf-8", "backslashreplace")


def sha256(data: bytes) -> str:
    """Hex digest of some bytes."""
    return hashlib.sha256(data).hexdigest()


def _received_sha256(sheet: Sheet) -> str:
    return sha256(sheet.data) if sheet.received_sha256 is None else sheet.received_sha256


def _last(source: str) -> str:
    """A file's name without its folders, which belong to whoever made the picture."""
    return source.rstrip("/\\").replace("\\", "/").rpartition("/")[2]


_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
