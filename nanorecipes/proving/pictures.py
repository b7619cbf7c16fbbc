"""The pictures of a proof: where they are now, fetched or read, in colours that can be compared."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes import codes, files
from nanorecipes.errors import DownloadError, InputError
from nanorecipes.fit import BY_EXTRA, fit_picture
from nanorecipes.images import BadImageError, did_you_mean_picture, image_input, public_name
from nanorecipes.proving.faults import problem
from nanorecipes.sandbox import card

if TYPE_CHECKING:
    from nanorecipes.provenance import Input, Provenance
    from nanorecipes.request import Request
    from nanorecipes.service.flow import Flow
    from nanorecipes.service.timing import Clock

CARD = (
    "the sandbox drew this picture as a card: it is no edit of the source, so nothing was compared"
)


def is_card(picture: str | Path | bytes) -> bool:
    """Whether a picture is a card that the sandbox drew."""
    try:
        return card.is_card(picture if isinstance(picture, bytes) else read_picture(picture))
    except InputError:
        return False  # whoever opens it tells what is wrong


def comparable(picture: str | Path | bytes) -> str | Path | bytes:
    """A picture in sRGB and of a type that is read here, as it is sent to be edited.

    Numbers of a wider colour space mean other colours, and would look like a shift of them all.
    """
    try:
        data = picture if isinstance(picture, bytes) else read_picture(picture)
        if files.image_type(data) in BY_EXTRA or _has_own_colours(data):
            return fit_picture(data, max_bytes=_NO_BOUND, max_pixels=_NO_BOUND).data
    except (InputError, BadImageError):
        pass  # whoever opens it tells what is wrong
    return picture


_NO_BOUND = 2**40


def _has_own_colours(data: bytes) -> bool:
    from PIL import Image, ImageCms

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                profile = image.info.get("icc_profile")
        if not profile:
            return False
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return "sRGB" not in ImageCms.getProfileDescription(read)
    except (OSError, ValueError, SyntaxError, TypeError, ImageCms.PyCMSError,
            Image.DecompressionBombError):  # fmt: skip
        return False


def read_picture(path: str | Path, field: str = "file") -> bytes:
    """The bytes of a picture's file.

    Raises:
        InputError: there is no such file, or it is larger than 64 MiB.
    """
    try:
        return image_input(Path(path)).read()
    except BadImageError as exc:
        raise problem(field, str(exc), did_you_mean_picture(path), code=codes.BAD_IMAGE) from exc


def source_bytes(request: Request | None) -> bytes:
    """The picture that a request edits, where it lies on this machine.

    Raises:
        InputError: it isn't known, is behind a URL, has gone, or has changed since.
    """
    if request is None:
        raise problem("source", "what was edited isn't known: the task was waited for by its id",
                       "give `source`, the bytes of the picture that was edited")  # fmt: skip
    image = request.first_source
    if not image.input.is_local:
        raise problem(
            "source", f"the source {public_name(image.source)!r} is a URL",
            "give `source`, the picture's bytes, or run with prove=True, which fetches it",
        )  # fmt: skip
    try:
        data = image.input.read()
        digest = image.input.digest
    except BadImageError as exc:
        raise problem("source", str(exc), code=codes.BAD_IMAGE) from exc
    if files.sha256(data) != digest:
        raise problem("source", f"{image.source!r} has changed since it was sent")
    return data


def source_of(made: Provenance) -> Input | None:
    """The picture that was edited, by a saved picture's making: its first source image."""
    return next((image for image in made.images if image.role == "source"), None)


def find_picture(image: Input, near: Sequence[Path]) -> Path | None:
    """Where a picture of a making is now, by its bytes: a file that merely has its name won't do.

    Args:
        image: what the making tells of it.
        near: folders in which it may lie, when it isn't where it was.
    """
    if not image.source or image.sha256 is None or "\0" in image.source or "://" in image.source:
        return None
    name = image.source.replace("\\", "/").rpartition("/")[2]
    for place in (Path(image.source), *(folder / name for folder in near)):
        try:
            if files.is_regular(place) and image_input(place).digest == image.sha256:
                return place
        except BadImageError:
            continue
    return None


def fetch(url: str, timeout_s: float = 120.0) -> bytes:
    """The picture behind a URL, by the same guarded and bounded download as results; no key.

    Raises:
        DownloadError: the URL is refused, can't be fetched, or what comes is no picture.
    """
    from nanorecipes.service.timing import RealClock
    from nanorecipes.service.transport import Driver

    clock = RealClock()
    driver = Driver("", clock, None)
    try:
        return driver.run(fetch_flow(url, clock, clock.monotonic() + timeout_s))
    finally:
        driver.close()


def fetch_flow(url: str, clock: Clock, deadline: float) -> Flow[bytes]:
    """The same as a flow, for those who have a driver."""
    from nanorecipes.service.download import Downloader
    from nanorecipes.service.guard import DownloadLimits
    from nanorecipes.service.replies import RemoteImage
    from nanorecipes.service.retry import RetryPolicy

    loader = Downloader(DownloadLimits(), RetryPolicy(), clock, str)
    try:
        found = yield from loader.one_flow(RemoteImage(url), None, deadline)
    except DownloadError as exc:
        exc.help = "download the picture yourself, and name the file"
        raise
    return found.data
