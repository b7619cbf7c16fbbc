"""A restored picture as a file that says what it is: never the model's own, never a replacement."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes import files
from nanorecipes.convert import TYPES
from nanorecipes.embed import embed
from nanorecipes.errors import SaveError
from nanorecipes.service.agent import tool_version

if TYPE_CHECKING:
    from PIL.Image import Image

    from nanorecipes.convert import Format
    from nanorecipes.proof.restoring import Restored
    from nanorecipes.proof.values import Proof
    from nanorecipes.proving.terms import Terms

_SUFFIXES: dict[str, Format] = {
    ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp",
}  # fmt: skip
_OPTIONS: dict[str, dict[str, Any]] = {
    "png": {}, "webp": {"lossless": True}, "jpeg": {"quality": 95, "subsampling": 0},
}  # fmt: skip

EXTENSIONS: dict[Format, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
NOTE = "the edit inside the region, the source's own pixels outside it"


class Composite(NamedTuple):
    """A restored picture on disk."""

    path: Path
    proof: Proof
    """The composite held against the source."""
    facts: Mapping[str, Any]
    """What its file tells."""


def restore_file(
    terms: Terms,
    source: bytes,
    output: bytes,
    made: Mapping[str, Any] | None,
    target: Path,
    *,
    to: Format = "png",
    told: bool = True,
) -> Composite:
    """Put the source's pixels back outside the region, and save that as a further picture.

    Args:
        terms: what the output was held to; its region is where the edit stays.
        source: the bytes of the picture that was edited.
        output: the bytes of the edit.
        made: the facts of the edit's making, where they are known.
        target: the new file; where the name is taken it gets a number.
        to: its file type; PNG and WebP keep every pixel.
        told: whether the file and a sidecar say how it was made.

    Raises:
        NanorecipesError: it can't be restored surely; the text says why.
        SaveError: a file can't be written.
    """
    restored = terms.restored(source, output)
    data = _encode(restored.image, to, _profile(output))
    proof = terms.hold(source, data)
    facts = _facts(restored, proof, made, source, output)
    path = _save(data, to, target, facts if told else None, restored.image.size)
    return Composite(path, proof, facts)


def write_picture(image: Image, target: Path, to: Format) -> Path:
    """Write a drawing; no file is ever replaced.

    Raises:
        SaveError: it can't be written.
    """
    return _write(target, _encode(image, to, None))


def _encode(image: Image, to: Format, profile: bytes | None) -> bytes:
    kept = {"icc_profile": profile} if profile else {}
    buffer = io.BytesIO()
    image.save(buffer, to.upper(), **_OPTIONS[to], **kept)
    return buffer.getvalue()


def _profile(picture: bytes) -> bytes | None:
    """The colour profile in which the edit's pixels are meant."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        found: bytes | None = image.info.get("icc_profile")
    return found


def format_of(path: Path) -> Format:
    """The file type that a path's extension asks for; PNG where it asks for none."""
    return _SUFFIXES.get(path.suffix.lower(), "png")


def _facts(
    restored: Restored, proof: Proof, made: Mapping[str, Any] | None, source: bytes, output: bytes
) -> dict[str, Any]:
    """How the edit was made, and what it is since."""
    own: dict[str, Any] = {"format": 1, "tool": {"name": "nanorecipes", "version": tool_version()}}
    facts = {key: value for key, value in (made or own).items() if key not in ("picture", "proof")}
    facts["composite"] = {
        "what": NOTE,
        "source_sha256": files.sha256(source),
        "output_sha256": files.sha256(output),
        **{key: value for key, value in restored.to_json().items() if key != "composite"},
    }
    facts["proof"] = proof.summary()
    return facts


def _save(
    data: bytes, to: Format, target: Path, facts: Mapping[str, Any] | None, size: tuple[int, int]
) -> Path:
    if facts is None:
        return _write(target, data)
    mime_type = TYPES[to]
    data = embed(data, mime_type, json.dumps(facts, ensure_ascii=False, default=str))
    path = _write(target, data)
    picture = {
        "file": path.name, "sha256": files.sha256(data), "mime_type": mime_type,
        "width": size[0], "height": size[1],
    }  # fmt: skip
    record = {**facts, "picture": picture}
    text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
    _write(path.with_name(f"{path.name}.json"), f"{text}\n".encode())
    return path


def _write(target: Path, data: bytes) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return files.write_new(target, data)
    except OSError as exc:
        message = f"{str(target)!r} can't be written: {exc.strerror or exc}"
        raise SaveError(message, path=target) from exc
