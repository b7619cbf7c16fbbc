"""How a picture was made, read back from its own file or from the sidecar beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, NamedTuple

from nanorecipes import files
from nanorecipes.embed import MAX_TEXT_BYTES, extract
from nanorecipes.errors import InputError
from nanorecipes.images import BadImageError, did_you_mean_picture, image_input

TOOL = "nanorecipes"
_MAX_DEPTH = 12

Place = Literal["file", "sidecar", "sidecar of another state", "ledger"]


class Input(NamedTuple):
    """A picture that a result was made from."""

    slot: str
    role: str
    source: str
    """The path or URL as given where the sidecar tells it, else the file's name alone."""
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """How one picture was made. Every fact may be absent: files come from strangers."""

    facts: Mapping[str, Any]
    """All that was written, as plain data."""
    place: Place
    """Where it was found; a sidecar of another state tells of the file before it was changed."""

    @property
    def recipe(self) -> str | None:
        """`group/name`."""
        return self._text("recipe")

    @property
    def version(self) -> str | None:
        """The recipe's version."""
        return self._text("version")

    @property
    def hash(self) -> str | None:
        """The recipe's hash."""
        return self._text("hash")

    @property
    def prompt(self) -> str | None:
        """What was sent."""
        return self._text("prompt")

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """The prompt's parts: name and text."""
        found = [part for part in self._list("sections") if isinstance(part, Mapping)]
        return tuple((_str(part.get("name")), _str(part.get("text"))) for part in found)

    @property
    def model(self) -> str | None:
        """The full id of the model that was asked."""
        return self._text("model")

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was asked of the model."""
        return _mapping(self.facts.get("settings"))

    @property
    def asked(self) -> Mapping[str, Any]:
        """The settings that were asked for in other words: `match` for a ratio."""
        return _mapping(self.facts.get("asked"))

    @property
    def values(self) -> Mapping[str, Any]:
        """The recipe's parameters."""
        return _mapping(_mapping(self.facts.get("inputs")).get("values"))

    @property
    def additions(self) -> Mapping[str, Any]:
        """`protect` and `notes` of the call."""
        return _mapping(_mapping(self.facts.get("inputs")).get("additions"))

    @property
    def images(self) -> tuple[Input, ...]:
        """The pictures that it was made from, in the order sent."""
        images = _mapping(self.facts.get("inputs")).get("images")
        found = images if isinstance(images, list) else []
        return tuple(_input(image) for image in found if isinstance(image, Mapping))

    @property
    def backend(self) -> str | None:
        """Who made it."""
        return self._text("backend")

    @property
    def task_id(self) -> str | None:
        """The service's id of the task."""
        return self._text("task_id")

    @property
    def cost_usd(self) -> Decimal | None:
        """USD for the whole request."""
        try:
            cost = Decimal(_str(self.facts.get("cost_usd")))
        except InvalidOperation:
            return None
        return cost if cost.is_finite() and abs(cost) < 10**9 else None

    @property
    def cost_source(self) -> str | None:
        """Who says so: service, estimate or unknown."""
        return self._text("cost_source")

    @property
    def service(self) -> Mapping[str, Any]:
        """What the service said of its answer: `model_version`, `response_id`, `usage`."""
        return _mapping(self.facts.get("service"))

    @property
    def finished_at(self) -> str | None:
        """When, in ISO 8601."""
        return self._text("finished_at")

    @property
    def tool_version(self) -> str | None:
        """The version of nanorecipes that wrote it."""
        version = _mapping(self.facts.get("tool")).get("version")
        return version if isinstance(version, str) else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What came otherwise than asked."""
        return tuple(_str(text) for text in self._list("warnings"))

    def to_json(self) -> dict[str, Any]:
        """All facts and where they were found."""
        return {"found_in": self.place, **self.facts}

    def _text(self, key: str) -> str | None:
        value = self.facts.get(key)
        return value if isinstance(value, str) else None

    def _list(self, key: str) -> list[Any]:
        value = self.facts.get(key)
        return value if isinstance(value, list) else []


def read(source: str | os.PathLike[str] | bytes) -> Provenance | None:
    """How a picture was made; None where neither it nor a sidecar says so.

    A sidecar of this very file (by its digest) says most, then what lies in the file itself, then
    a sidecar of the file's earlier state. Whatever the bytes are, no other error is raised.

    Args:
        source: the picture's path, or its bytes.

    Raises:
        InputError: there is no such file, it can't be read, or is larger than 64 MiB.
    """
    if isinstance(source, bytes):
        return _embedded(source)
    path = Path(source)
    data = _bytes(path)
    beside = read_sidecar(sidecar_path(path))
    if beside is not None and _picture(beside).get("sha256") == files.sha256(data):
        return Provenance(beside, "sidecar")
    inside = _embedded(data)
    if inside is not None or beside is None:
        return inside
    return Provenance(beside, "sidecar of another state")


def sidecar_path(path: Path) -> Path:
    """Where a picture's sidecar lies."""
    return path.with_name(f"{path.name}.json")


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """The facts in a sidecar; None where there is none, or the file is something else."""
    try:
        if not files.is_regular(path):
            return None
        with path.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
    except (OSError, ValueError):
        return None
    return parse(data) if len(data) <= MAX_TEXT_BYTES else None


def parse(text: str | bytes) -> dict[str, Any] | None:
    """The facts in a JSON text that nanorecipes wrote; None for any other."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or _mapping(facts.get("tool")).get("name") != TOOL:
        return None
    return clean(facts)


def clean(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of anybody as plain data that can be printed: bounded, and without lone surrogates."""
    found: dict[str, Any] = _clean(dict(facts), _MAX_DEPTH)
    return found


def _embedded(data: bytes) -> Provenance | None:
    text = extract(data)
    facts = parse(text) if text is not None else None
    return Provenance(facts, "file") if facts is not None else None


def _bytes(path: Path) -> bytes:
    from nanorecipes import codes
    from nanorecipes.diagnostics import Diagnostic

    try:
        return image_input(path).read()
    except BadImageError as exc:
        code, help = codes.BAD_IMAGE, did_you_mean_picture(path)
        finding = Diagnostic(code.code, code.name, "error", str(exc), field="file", help=help)
        raise InputError([finding]) from exc


def _clean(value: Any, depth: int) -> Any:
    """Plain data that can be printed: no lone surrogates, and no endless nesting."""
    if isinstance(value, str):
        return _whole(value)
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {_whole(key): _clean(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth - 1) for item in value]
    return value


def _whole(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _picture(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(facts.get("picture"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _input(image: Mapping[str, Any]) -> Input:
    digest = image.get("sha256")
    return Input(
        _str(image.get("slot")),
        _str(image.get("role")),
        _str(image.get("source")) or _str(image.get("name")),
        digest if isinstance(digest, str) else None,
    )
