"""The emulator's pictures: what was uploaded, and the proofs that are drawn on request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from nanorecipes.sandbox.cache import ByteCache
from nanorecipes.sandbox.check import upload_digest

if TYPE_CHECKING:
    from nanorecipes.sandbox.answers import Answers
    from nanorecipes.sandbox.books import Task
    from nanorecipes.sandbox.paint import Sheet

T = TypeVar("T")

KEPT_UPLOAD_BYTES = 512 * 1024 * 1024
KEPT_PICTURE_BYTES = 64 * 1024 * 1024
KEPT_SIZES = 1_000_000
DRAWN_AT_ONCE = 2


class Gallery:
    """Uploads and drawn pictures, each bounded in bytes; threads may share it.

    Proofs aren't kept for ever: one that was let go of is drawn again, with the same bytes as long
    as the uploads that it shows are held.
    """

    def __init__(self, *, plain: bool = False, answers: Answers | None = None) -> None:
        self._plain = plain
        self.answers = answers
        """Pictures that are handed out in place of drawn ones."""
        self._uploads = ByteCache(KEPT_UPLOAD_BYTES)
        self._pictures = ByteCache(KEPT_PICTURE_BYTES)
        self._sizes: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._drawing = threading.BoundedSemaphore(DRAWN_AT_ONCE)

    def put_upload(self, digest: str, data: bytes, name: str = "") -> None:
        """Keep a picture, and its size and name even longer."""
        self._uploads.put(digest, data)
        size = _displayed_size(data)
        with self._lock:
            if size is not None:
                _keep(self._sizes, digest, size)
            if name:
                _keep(self._names, digest, name)

    def upload(self, digest: str) -> bytes | None:
        """An uploaded picture, or None when it isn't held."""
        return self._uploads.get(digest)

    def size_px(self, url: str) -> tuple[int, int] | None:
        """Width and height of the upload behind a URL, as a viewer shows it, or None."""
        digest = upload_digest(url)
        return self._sizes.get(digest) if digest else None

    def proof(self, task: Task, number: int) -> bytes:
        """The picture of that number (from 1) of a task, drawn once while it is held."""
        given = self.answer(task, number)
        if given is not None:
            return given

        def draw() -> bytes:
            from nanorecipes.sandbox import paint

            with self._drawing:
                draw_sheet = paint.paint_plain if self._plain else paint.paint
                return draw_sheet(self._sheet(task, number))

        return self._pictures.get_or_make(f"{task.id}-{number}", draw)

    def answer(self, task: Task, number: int) -> bytes | None:
        """The picture that was given to answer with, or None where one is to be drawn."""
        if self.answers is None:
            return None
        url = task.order.sources[0]
        name = self._names.get(upload_digest(url) or "") or _host_and_name(url)[1]
        return self.answers.pick(PurePosixPath(name).stem, task.turn + number - 1)

    def _sheet(self, task: Task, number: int) -> Sheet:
        from nanorecipes.sandbox.paint import Sheet, Tile

        order = task.order
        tiles: list[Tile] = []
        for ordinal, url in enumerate(order.images, 1):
            role: Literal["source", "reference"] = (
                "source" if ordinal <= len(order.sources) else "reference"
            )
            digest = upload_digest(url)
            data = self.upload(digest) if digest else None
            tiles.append(Tile(ordinal, role, data, *_host_and_name(url)))
        return Sheet(
            model=order.model.title,
            tier=order.tier,
            ratio=task.ratio,
            size_px=_other_size(task) if task.fault == "wrong_size" else task.size_px,
            prompt=order.prompt,
            seed=order.seed,
            request=task.label,
            number=number,
            count=order.num_images,
            tiles=tuple(tiles),
        )


def _keep(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    while len(kept) > KEPT_SIZES:
        kept.popitem(last=False)


def _host_and_name(url: str) -> tuple[str, str]:
    """Host and last part of the path of a URL that was checked before."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.path.rstrip("/").rpartition("/")[2]


def _other_size(task: Task) -> tuple[int, int]:
    """A size that was not asked for: a square of the model's least tier, or half a square."""
    least = task.order.model.size_px("1:1", task.order.model.qualities[0])
    assert least is not None
    return least if least != task.size_px else (least[0], least[1] // 2)


def _displayed_size(data: bytes) -> tuple[int, int] | None:
    from nanorecipes.images import BadImageError, image_input

    try:
        return image_input(data).size_px
    except BadImageError:
        return None
