"""Results: pictures that came back, how they were made, and how both are saved."""

from __future__ import annotations

import io
import os
import re
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nanorecipes import config, events, files, making, naming
from nanorecipes.convert import TYPES, convert
from nanorecipes.drawings import write_drawings
from nanorecipes.errors import SaveError
from nanorecipes.images import BadImageError, public_name
from nanorecipes.making import Sheet
from nanorecipes.service.agent import tool_version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from decimal import Decimal

    from PIL.Image import Image

    from nanorecipes.config import Detail
    from nanorecipes.convert import Format
    from nanorecipes.proof.regions import Region
    from nanorecipes.proof.values import Changes, Ignored, Proof
    from nanorecipes.request import AttachedImage, Request

CostSource = Literal["service", "estimate", "unknown"]

SIDECAR_FORMAT = 1
_PRIVATE = frozenset({"inputs", "prompt", "sections", "text"})
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
    service: Mapping[str, Any] | None = None
    """What the service says of its answer: on Google the model's version, an id, and tokens."""
    saved: Callable[[ResultImage, Path], object] | None = field(
        default=None, repr=False, compare=False
    )
    """Told of each picture that was saved, where someone keeps a copy until then."""

    def to_json(self, detail: Detail = "full") -> dict[str, Any]:
        """The facts as plain data; nothing secret is among them."""
        facts = self._facts()
        if detail == "minimal":
            facts = {key: value for key, value in facts.items() if key not in _PRIVATE}
        return {**facts, "provenance": detail}

    def _facts(self) -> dict[str, Any]:
        request = self.request
        service = {} if self.service is None else {"service": dict(self.service)}
        return {
            "format": SIDECAR_FORMAT,
            "tool": {"name": "nanorecipes", "version": tool_version()},
            "recipe": request.recipe if request else None,
            "version": request.version if request else None,
            "hash": request.hash if request else None,
            "changes": request.changes if request else None,
            "prove": dict(request.prove) if request and request.prove else None,
            "inputs": {
                "images": [_input(image) for image in request.images] if request else [],
                "values": dict(request.inputs) if request else {},
                "additions": dict(request.additions or {}) if request else {},
            },
            "prompt": request.prompt if request else None,
            "sections": [
                {"name": section.name, "text": section.text}
                for section in (request.sections if request else ())
            ],
            "model": request.model if request else None,
            "settings": dict(request.settings) if request else {},
            "asked": _asked(request) if request else {},
            "backend": self.backend,
            "task_id": self.task_id,
            "cost_usd": None if self.cost is None else str(self.cost),
            "cost_source": self.cost_source,
            **service,
            "finished_at": self.finished_at.isoformat(timespec="seconds"),
            "text": self.text,
            "warnings": list(self.warnings),
        }


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
    received: ResultImage | None = field(default=None, repr=False)
    """The service's own picture, where this one was converted from it."""
    proof: Proof | None = field(default=None, repr=False, compare=False)
    """What `Result.prove` found, or None where it wasn't asked; saving writes it along."""

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

    @property
    def caption(self) -> str:
        """Its number, size and type, for people."""
        size = f"{self.size[0]}x{self.size[1]} " if self.size else ""
        return f"result {self.number}: {size}{self.mime_type}"

    @property
    def received_data(self) -> bytes:
        """The file as the service made it, whatever was made of it since."""
        return self.data if self.received is None else self.received.data

    @cached_property
    def received_sha256(self) -> str:
        """SHA-256 of that file, in hex."""
        return files.sha256(self.received_data)

    def converted(self, format: Format) -> ResultImage:
        """The picture as PNG, JPEG or WebP; itself when it is one already.

        Raises:
            BadImageError: it can't be decoded here.
        """
        mime_type = TYPES[format]
        if mime_type == self.mime_type:
            return self
        data = convert(self.data, format)
        return replace(self, data=data, mime_type=mime_type, received=self.received or self)

    def save(
        self,
        target: str | os.PathLike[str] = ".",
        *,
        name: str | None = None,
        format: Format | None = None,
        provenance: Detail | None = None,
    ) -> Path:
        """Write the picture, and `<picture>.json` beside it; no file is ever replaced.

        What was proved is written along: in the sidecar, and as `<picture>.overlay.jpg` and
        `<picture>.change-map.png`.

        Without `format` the pixels are the service's own. A PNG, JPEG or WebP also carries in
        itself how it was made.

        Args:
            target: a folder, made when it's absent, or a file's path, whose extension then gives
                way to that of the bytes.
            name: a pattern for the file's name in the folder, such as `{recipe}-{n}`; the fields
                are `recipe group n task row model date`.
            format: png, jpeg or webp: encode the picture anew where it is of another type.
            provenance: `full`; `minimal` leaves out inputs and prompt; `none` writes the picture
                alone. Left out, the setting decides, which is `full` where there is none.

        Returns:
            The picture's path, with a number before the extension where the name was taken.

        Raises:
            InputError: the pattern has an unknown field; nothing was written.
            SaveError: the picture could not be written there and lies at `kept`, in a temporary
                folder; or it was written, and its sidecar was not; or it can't be converted, and
                lies at `kept` as it came.
        """
        step = events.step("save", self.origin.backend, self.origin.request)
        if step is None:
            path = self.save_quietly(target, name=name, format=format, provenance=provenance)
        else:
            step.facts["task_id"] = self.origin.task_id
            with step:
                path = self.save_quietly(target, name=name, format=format, provenance=provenance)
                step.details["paths"] = (path,)
        if self.origin.saved is not None:
            self.origin.saved(self, path)
        return path

    def save_quietly(
        self,
        target: str | os.PathLike[str],
        *,
        name: str | None = None,
        format: Format | None = None,
        provenance: Detail | None = None,
    ) -> Path:
        """The same as `save`, without an event: for those who still move the file."""
        provenance = config.provenance() if provenance is None else provenance
        if format is not None and TYPES[format] != self.mime_type:
            return self._save_converted(target, name, format, provenance)
        sheet = None
        if provenance != "none":
            sheet = sheet_of(self, provenance)._replace(received_sha256=self.received_sha256)
        data = self.data if sheet is None else making.with_facts(sheet)
        picture = self._write(_place(target, self, name), data)
        self._write_beside(picture, data, sheet)
        return picture

    def _save_converted(
        self,
        target: str | os.PathLike[str],
        name: str | None,
        format: Format,
        provenance: Detail,
    ) -> Path:
        try:
            converted = self.converted(format)
        except BadImageError as exc:
            kept = self.save_quietly(target, name=name, provenance=provenance)
            message = f"{exc}; it is saved as it came, as {str(kept)!r}"
            raise SaveError(message, path=kept, kept=kept) from exc
        return converted.save_quietly(target, name=name, provenance=provenance)

    def _write_beside(self, picture: Path, data: bytes, sheet: Sheet | None) -> None:
        """The proof's drawings and the sidecar."""
        sidecar = picture.with_name(f"{picture.name}.json")
        try:
            drawn = write_drawings(self.proof, picture) if self.proof is not None else {}
            if sheet is not None:
                names = {key: path.name for key, path in drawn.items()}
                proof = None if self.proof is None else {**self.proof.to_json(), **names}
                text = making.sidecar(sheet, picture.name, making.sha256(data), proof)
                files.write_new(sidecar, text)
        except OSError as exc:
            raise SaveError(
                f"{str(sidecar)!r} can't be written ({exc.strerror or exc}); "
                f"the picture is saved as {str(picture)!r}",
                path=sidecar,
                kept=picture,
            ) from exc

    def _write(self, path: Path, data: bytes) -> Path:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return files.write_new(path, data, beside=".json")
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


@dataclass(frozen=True)
class Result:
    """What one request came to."""

    images: tuple[ResultImage, ...]
    origin: Origin = field(repr=False)
    source: bytes | None = field(default=None, repr=False, compare=False)
    """The picture that was edited, where it was fetched from a URL for a proof."""

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

    def prove(
        self,
        *,
        changes: Changes | None = None,
        region: Region | None = None,
        protect: Region | None = None,
        min_score: float | None = None,
        ignore: Collection[Ignored] | None = None,
        source: bytes | None = None,
    ) -> Proof:
        """What the edit changed that it shouldn't have: each picture held against its source.

        What isn't given is as the recipe says. Each picture keeps its own proof as `proof`, and
        `save` writes it along.

        Args:
            changes: part, background, look or scene.
            region: where change was allowed: a mask picture, a box, or boxes; left, top, right,
                bottom in pixels of the source or in fractions.
            protect: where nothing may change; it wins over `region`.
            min_score: a score below which the verdict is drifted.
            ignore: what is accepted: tone, framing.
            source: the bytes of the picture that was edited, where it is not a local file.

        Returns:
            The proof of the picture; of several the worst one.

        Raises:
            InputError: the source isn't at hand or has changed, or an option can't be used.
            MissingExtraError: `nanorecipes[proof]` isn't installed.
        """
        from nanorecipes.proving import promises
        from nanorecipes.proving.terms import worst

        terms = promises.terms_for(self.request).given(
            changes=changes, region=region, protect=protect, min_score=min_score, ignore=ignore
        )
        original = source if source is not None else self.source_bytes()
        for image in self.images:
            proof = terms.hold(original, image.received_data)
            # A picture's proof is found out about it, as its decoded pixels are: it stays the same.
            object.__setattr__(image, "proof", proof)
        return worst([image.proof for image in self.images if image.proof is not None])

    def source_bytes(self) -> bytes:
        """The picture that was edited.

        Raises:
            InputError: it isn't at hand, or has changed since.
        """
        from nanorecipes.proving import pictures

        return self.source if self.source is not None else pictures.source_bytes(self.request)

    def _repr_html_(self) -> str:
        """What a notebook shows: what was sent beside what came back, and what it cost."""
        from nanorecipes import markup

        request = self.request
        usd = "cost unknown" if self.cost is None else f"${self.cost} ({self.cost_source})"
        fake = "sandbox: a drawing, nothing was charged" if self.backend == "sandbox" else ""
        task = f"task {self.task_id}" if self.task_id else ""
        before = [image.shown for image in request.images] if request else []
        after = [markup.Shown(image.caption, image.data) for image in self.images]
        return markup.frame([
            markup.heading(
                request.recipe if request else "result",
                [request.model if request else "", usd, task, fake],
            ),
            # The results first: what is attached may be more than is shown.
            markup.pictures([*before[:1], *after, *before[1:]]),
            markup.notices(self.warnings),
        ])  # fmt: skip

    def save(
        self,
        folder: str | os.PathLike[str] = ".",
        *,
        name: str | None = None,
        format: Format | None = None,
        provenance: Detail | None = None,
    ) -> list[Path]:
        """Write every picture with its sidecar into a folder; one that fails doesn't stop the rest.

        The options are those of a picture's `save`.

        Raises:
            InputError: as for one picture, before any is written.
            SaveError: as for one picture; `kept` then holds the paths of all that were written.
        """
        if name is not None:
            naming.check_pattern(name)
        paths: list[Path] = []
        failed: list[SaveError] = []
        for image in self.images:
            try:
                place = _as_folder(folder)
                path = image.save(place, name=name, format=format, provenance=provenance)
                paths.append(path)
            except SaveError as exc:
                failed.append(exc)
                if isinstance(exc.kept, Path):
                    paths.append(exc.kept)
        if failed:
            kept: Any = paths[0] if len(paths) == 1 else tuple(paths)
            message = "; ".join(error.message for error in failed)
            raise SaveError(message, path=failed[0].path, kept=kept or None) from failed[0]
        return paths


def sheet_of(image: ResultImage, detail: Detail = "full") -> Sheet:
    """What a picture's file and its sidecar are put together from."""
    sheet = Sheet(
        image.data, image.mime_type, image.origin.to_json(detail), image.number, image.size
    )
    if image.proof is not None:
        sheet = sheet._replace(proof=image.proof.summary())
    if image.received is None:
        return sheet
    return sheet._replace(
        received_sha256=image.received_sha256, converted_from=image.received.mime_type
    )


def _as_folder(target: str | os.PathLike[str]) -> str:
    return os.path.join(os.fspath(target), "")


def _place(target: str | os.PathLike[str], image: ResultImage, name: str | None) -> Path:
    """The path of a picture: a name of its own in a folder, or the one that was given."""
    text = os.fspath(target)
    path = Path(text).expanduser()
    is_folder = not text or text.endswith(("/", os.sep)) or path.is_dir() or not path.suffix
    if is_folder or name is not None:
        stem = _stem(image) if name is None else naming.fill(name, _name_facts(image))
        return path / f"{stem}{image.extension}"
    # Only a known picture's extension gives way: `mug.v2` keeps its dot.
    is_picture = path.suffix.lower() in files.PICTURE_SUFFIXES
    return path.with_name(f"{path.stem if is_picture else path.name}{image.extension}")


def _stem(image: ResultImage) -> str:
    request = image.origin.request
    name = request.recipe.rpartition("/")[2] if request else "picture"
    task = (image.origin.task_id or "")[-_TASK_CHARS:]
    parts = [name, task, str(image.number) if image.number > 1 else ""]
    return "-".join(fit for part in parts if (fit := _UNFIT.sub("-", part).strip("-.")))


def _name_facts(image: ResultImage) -> dict[str, str]:
    """What a pattern's fields stand for; `row` is the caller's to fill in."""
    origin = image.origin
    group, _, recipe = origin.request.recipe.rpartition("/") if origin.request else ("", "", "")
    return {
        "recipe": recipe or "picture",
        "group": group,
        "n": str(image.number),
        "task": (origin.task_id or "")[-_TASK_CHARS:],
        "model": origin.request.chosen.alias if origin.request else "",
        "date": f"{origin.finished_at:%Y-%m-%d}",
    }


def _asked(request: Request) -> dict[str, Any]:
    """The settings that were asked for in other words, as `match` for a ratio."""
    settings = request.settings
    return {name: value for name, value in request.options.items() if settings.get(name) != value}


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


def now_utc(seconds: float) -> datetime:
    """A moment from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
