"""Results: pictures that came back, how they were made, and how both are saved."""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from nanorecipes import files
from nanorecipes.embed import embed
from nanorecipes.errors import SaveError
from nanorecipes.images import BadImageError
from nanorecipes.service.agent import tool_version

if TYPE_CHECKING:
    from decimal import Decimal

    from PIL.Image import Image

    from nanorecipes.request import AttachedImage, Request

CostSource = Literal["service", "estimate", "unknown"]

SIDECAR_FORMAT = 1
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_TASK_CHARS = 24


@dataclass(frozen=True, slots=True)
class Origin:
    """How pictures were made: what stands in the file beside each."""

    backend: str
    task_id: str | None
    request: Request | None
    cost: Decimal | None
    cost_source: CostSource
    finished_at: datetime
    text: str | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The facts as plain data; nothing secret is among them."""
        request = self.request
        return {
            "format": SIDECAR_FORMAT,
            "tool": {"name": "nanorecipes", "version": tool_version()},
            "recipe": request.recipe if request else None,
            "version": request.version if request else None,
            "hash": request.hash if request else None,
            "inputs": {
                "images": [_input(image) for image in request.images] if request else [],
                "values": dict(request.inputs) if request else {},
            },
            "prompt": request.prompt if request else None,
            "sections": [
                {"name": section.name, "text": section.text}
                for section in (request.sections if request else ())
            ],
            "model": request.model if request else None,
            "settings": dict(request.settings) if request else {},
            "backend": self.backend,
            "task_id": self.task_id,
            "cost_usd": None if self.cost is None else str(self.cost),
            "cost_source": self.cost_source,
            "finished_at": self.finished_at.isoformat(timespec="seconds"),
            "text": self.text,
            "warnings": list(self.warnings),
        }

    def to_text(self) -> str:
        """The facts that travel inside a picture: no names of files, which stay private."""
        facts = self.to_json()
        kept = ("tool", "recipe", "version", "hash", "prompt", "model", "settings", "backend")
        chosen = {key: facts[key] for key in (*kept, "task_id", "finished_at")}
        return json.dumps(chosen, ensure_ascii=False, default=str)


@dataclass(frozen=True)
class ResultImage:
    """One picture that came back."""

    data: bytes = field(repr=False)
    """The file as the service made it."""
    mime_type: str
    """By the bytes, not by what the service called it."""
    size: tuple[int, int] | None
    """Width and height in pixels; None for a type that can't be decoded here."""
    number: int
    """From 1, in the order in which the service named the pictures."""
    url: str = field(repr=False)
    """Where it was fetched; such URLs end after a while, and may carry a signature."""
    origin: Origin = field(repr=False)

    @cached_property
    def image(self) -> Image:
        """The picture as a PIL image, decoded when first asked for."""
        from PIL import Image

        image = Image.open(io.BytesIO(self.data))
        image.load()
        return image

    @property
    def extension(self) -> str:
        """The file's extension by its bytes, with the dot."""
        return files.EXTENSIONS[self.mime_type]

    def save(self, target: str | os.PathLike[str] = ".") -> Path:
        """Write the picture, and `<picture>.json` beside it; no file is ever replaced.

        The pixels are the service's own; a PNG or JPEG also carries in itself how it was made.

        Args:
            target: a folder, made when it's absent, or a file's path, whose extension then gives
                way to that of the bytes.

        Returns:
            The picture's path, with a number before the extension where the name was taken.

        Raises:
            SaveError: the picture could not be written there and lies at `kept`, in a temporary
                folder; or it was written, and its sidecar was not.
        """
        data = embed(self.data, self.mime_type, self.origin.to_text())
        picture = self._write(_place(target, self), data)
        sidecar = picture.with_name(f"{picture.name}.json")
        try:
            files.write_new(sidecar, self._record(picture, data))
        except OSError as exc:
            raise SaveError(
                f"{str(sidecar)!r} can't be written ({exc.strerror or exc}); "
                f"the picture is saved as {str(picture)!r}",
                path=sidecar,
                kept=picture,
            ) from exc
        return picture

    def _write(self, path: Path, data: bytes) -> Path:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return files.write_new(path, data)
        except OSError as exc:
            kept = self._rescue(path.name, data)
            raise SaveError(
                f"{str(path)!r} can't be written ({exc.strerror or exc}); "
                f"the picture is kept as {str(kept)!r}",
                path=path,
                kept=kept,
            ) from exc

    def _rescue(self, name: str, data: bytes) -> Path:
        """Keep what was paid for, where temporary files go."""
        try:
            return files.write_new(Path(tempfile.mkdtemp(prefix="nanorecipes-")) / name, data)
        except OSError as exc:
            raise SaveError(
                f"{name!r} can't be written there nor in a temporary folder: {exc.strerror or exc}",
                path=name,
            ) from exc

    def _record(self, path: Path, data: bytes) -> bytes:
        width, height = self.size or (None, None)
        picture = {
            "file": path.name,
            "number": self.number,
            "sha256": files.sha256(data),
            "received_sha256": files.sha256(self.data),
            "mime_type": self.mime_type,
            "width": width,
            "height": height,
        }
        record = {**self.origin.to_json(), "picture": picture}
        text = json.dumps(record, indent=2, ensure_ascii=False, default=str)
        return f"{text}\n".encode()


@dataclass(frozen=True)
class Result:
    """What one request came to."""

    images: tuple[ResultImage, ...]
    origin: Origin = field(repr=False)

    @property
    def cost(self) -> Decimal | None:
        """USD for the whole request; `cost_source` says who says so."""
        return self.origin.cost

    @property
    def cost_source(self) -> CostSource:
        """`service` when it reported the cost, `estimate` when the catalogue did, or `unknown`."""
        return self.origin.cost_source

    @property
    def task_id(self) -> str | None:
        """The service's id of the task."""
        return self.origin.task_id

    @property
    def request(self) -> Request | None:
        """What was asked; None for a task that was waited for by its id alone."""
        return self.origin.request

    @property
    def backend(self) -> str:
        """Who made the pictures."""
        return self.origin.backend

    @property
    def text(self) -> str | None:
        """What the service said beside the pictures."""
        return self.origin.text

    @property
    def warnings(self) -> tuple[str, ...]:
        """What came otherwise than asked: size, number, type, a picture that can't be fetched."""
        return self.origin.warnings

    def save(self, folder: str | os.PathLike[str] = ".") -> list[Path]:
        """Write every picture with its sidecar into a folder; one that fails doesn't stop the rest.

        Raises:
            SaveError: as for one picture; `kept` then holds the paths of all that were written.
        """
        paths: list[Path] = []
        failed: list[SaveError] = []
        for image in self.images:
            try:
                paths.append(image.save(_as_folder(folder)))
            except SaveError as exc:
                failed.append(exc)
                if isinstance(exc.kept, Path):
                    paths.append(exc.kept)
        if failed:
            kept: Any = paths[0] if len(paths) == 1 else tuple(paths)
            message = "; ".join(error.message for error in failed)
            raise SaveError(message, path=failed[0].path, kept=kept or None) from failed[0]
        return paths


def _as_folder(target: str | os.PathLike[str]) -> str:
    return os.path.join(os.fspath(target), "")


def _place(target: str | os.PathLike[str], image: ResultImage) -> Path:
    """The path of a picture: a name of its own in a folder, or the one that was given."""
    text = os.fspath(target)
    path = Path(text).expanduser()
    is_folder = not text or text.endswith(("/", os.sep)) or path.is_dir() or not path.suffix
    if is_folder:
        return path / f"{_stem(image)}{image.extension}"
    # Only a known picture's extension gives way: `mug.v2` keeps its dot.
    is_picture = path.suffix.lower() in (*files.EXTENSIONS.values(), ".jpeg", ".tiff")
    return path.with_name(f"{path.stem if is_picture else path.name}{image.extension}")


def _stem(image: ResultImage) -> str:
    request = image.origin.request
    name = request.recipe.rpartition("/")[2] if request else "picture"
    task = (image.origin.task_id or "")[-_TASK_CHARS:]
    parts = [name, task, str(image.number) if image.number > 1 else ""]
    return "-".join(fit for part in parts if (fit := _UNFIT.sub("-", part).strip("-.")))


def _input(image: AttachedImage) -> dict[str, Any]:
    try:
        digest = image.input.digest
    except BadImageError:  # the file has gone since
        digest = None
    return {
        "slot": image.slot,
        "role": image.role,
        "ordinal": image.ordinal,
        "source": public_name(image.source),
        "sha256": digest,
    }


def public_name(source: str) -> str:
    """A path as it is; a URL without user, query and fragment, which may hold a signature."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def now_utc(seconds: float) -> datetime:
    """A moment from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
