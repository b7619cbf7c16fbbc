"""What an output is held to, and where the pictures of a proof are: the way from recipes to proofs.

Nothing heavy loads here; the proof itself does when it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from nanorecipes import codes, files
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import DownloadError, InputError, NanorecipesError
from nanorecipes.fit import BY_EXTRA, fit_picture
from nanorecipes.images import BadImageError, image_input, public_name
from nanorecipes.proof.front import check_policy, prove, restore
from nanorecipes.proof.values import Changes, Ignored, Proof
from nanorecipes.sandbox import card
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.images import ImageInput
    from nanorecipes.proof.regions import Region
    from nanorecipes.proof.restoring import Restored
    from nanorecipes.provenance import Input, Provenance
    from nanorecipes.request import Request
    from nanorecipes.service.flow import Flow
    from nanorecipes.service.timing import Clock

Box: TypeAlias = tuple[float, float, float, float]
Where: TypeAlias = "tuple[Box, ...] | str | bytes"
"""Boxes, or a mask picture's path or bytes."""

CARD = (
    "the sandbox drew this picture as a card: it is no edit of the source, so nothing was compared"
)


@dataclass(frozen=True)
class Terms:
    """What an output is held to."""

    changes: Changes = "part"
    region: Region | None = None
    """Where change was allowed."""
    protect: Region | None = None
    """Where nothing may change."""
    min_score: float | None = None
    ignore: tuple[Ignored, ...] = ()

    def given(self, **options: Any) -> Terms:
        """These terms with a caller's options in their place; None leaves one as it is.

        Raises:
            InputError: an option is none that a proof knows.
        """
        for name in options:
            if name not in _OPTIONS:
                near = did_you_mean(name, _OPTIONS) or f"expected one of {', '.join(_OPTIONS)}"
                raise _problem("prove", f"there is no option {name!r}", near)
        found = {name: value for name, value in options.items() if value is not None}
        if "ignore" in found:
            found["ignore"] = tuple(found["ignore"])
        made = replace(self, **found)
        if made.changes not in get_args(Changes):
            options_text = ", ".join(get_args(Changes))
            raise _problem("changes", f"found {made.changes!r}, expected one of {options_text}")
        check_policy(made.min_score, made.ignore)
        return made

    def check(self, source: ImageInput | None) -> None:
        """Find out what can be known before anything is paid for.

        Args:
            source: the picture to be edited, whose size boxes in pixels are held to.

        Raises:
            InputError: a region is no mask and no box, or covers nothing of the source.
            MissingExtraError: `nanorecipes[proof]` isn't installed.
        """
        from nanorecipes.proof.regions import read_region

        size = _size(source)
        for field, where in (("region", self.region), ("protect", self.protect)):
            # Without a size a box in pixels can't be judged, only read.
            read_region(where, field, size or (10**6, 10**6), (8, 8))

    def hold_safely(self, source: bytes, output: bytes) -> Proof:
        """The same as `hold`, where a picture that can't be compared is no error."""
        try:
            return self.hold(source, output)
        except NanorecipesError as exc:
            return Proof.unproved(exc.message, self.changes)

    def hold(self, source: str | Path | bytes, output: str | Path | bytes) -> Proof:
        """The output held against the source.

        Raises:
            InputError: a picture or region can't be read.
            MissingExtraError: `nanorecipes[proof]` isn't installed.
        """
        if is_card(output):
            return Proof.unproved(CARD, self.changes)
        return prove(
            comparable(source),
            comparable(output),
            changes=self.changes,
            region=self.region,
            protect=self.protect,
            min_score=self.min_score,
            ignore=self.ignore,
        )

    def restored(self, source: str | Path | bytes, output: str | Path | bytes) -> Restored:
        """The output with the source's pixels put back outside the region.

        Raises:
            InputError: more than a part may change, or a picture can't be read.
            NanorecipesError: the pictures can't be laid over each other surely.
        """
        self.check_restorable()
        if is_card(output):
            raise _problem("restore", CARD)
        return restore(comparable(source), output, region=self.region, protect=self.protect)

    def check_restorable(self) -> None:
        """Only what was to change in a part has something to put back.

        Raises:
            InputError: more may change.
        """
        if self.changes != "part":
            raise _problem(
                "restore",
                f"only an edit of a part can be put back, and this one may change the "
                f"{self.changes}",
                "the rest of the picture is not the source's any more; look at the proof instead",
            )

    def to_json(self) -> dict[str, Any]:
        """The terms as plain data, from which `from_json` makes them again.

        Raises:
            InputError: a region is neither boxes nor the path of a mask picture.
        """
        return {
            "changes": self.changes,
            "region": _told(self.region, "region"),
            "protect": _told(self.protect, "protect"),
            "min_score": self.min_score,
            "ignore": list(self.ignore),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Terms:
        """The terms from plain data."""
        return _terms(told["changes"], told, str)


_OPTIONS = tuple(field.name for field in fields(Terms))


def _told(where: Region | None, field: str) -> Any:
    if where is None:
        return None
    if isinstance(where, str | Path):
        return str(Path(where).absolute())
    if isinstance(where, list | tuple):
        return [list(item) if isinstance(item, list | tuple) else item for item in where]
    raise _problem(
        field, f"found a {type(where).__name__}", "name the file of the mask picture, or give boxes"
    )


def _size(source: ImageInput | None) -> tuple[int, int] | None:
    try:
        return None if source is None else source.size_px
    except BadImageError:
        return None  # told by whoever sends it


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
    import io
    import warnings

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
        raise _problem(field, str(exc), code=codes.BAD_IMAGE) from exc


def source_bytes(request: Request | None) -> bytes:
    """The picture that a request edits, where it lies on this machine.

    Raises:
        InputError: it isn't known, is behind a URL, has gone, or has changed since.
    """
    if request is None:
        raise _problem("source", "what was edited isn't known: the task was waited for by its id",
                       "give `source`, the bytes of the picture that was edited")  # fmt: skip
    image = request.first_source
    if not image.input.is_local:
        raise _problem(
            "source", f"the source {public_name(image.source)!r} is a URL",
            "give `source`, the picture's bytes, or run with prove=True, which fetches it",
        )  # fmt: skip
    try:
        data = image.input.read()
        digest = image.input.digest
    except BadImageError as exc:
        raise _problem("source", str(exc), code=codes.BAD_IMAGE) from exc
    if files.sha256(data) != digest:
        raise _problem("source", f"{image.source!r} has changed since it was sent")
    return data


def agreed(request: Request, options: Mapping[str, Any]) -> Terms:
    """What a request's result will be held to: its recipe's terms, with a caller's in their place.

    Raises:
        InputError: an option is none, or a region can't be read.
        MissingExtraError: `nanorecipes[proof]` isn't installed.
    """
    terms = terms_of(request).given(**options)
    terms.check(request.first_source.input)
    return terms


def terms_for(request: Request | None) -> Terms:
    """The terms of a request that may not be known: then a part may change, and no more."""
    return Terms() if request is None else terms_of(request)


_WORST_FIRST = ("drifted", "unclear", "not provable", "kept")


def worst(proofs: Sequence[Proof]) -> Proof:
    """The proof that a whole result is judged by."""
    return min(proofs, key=lambda p: (_WORST_FIRST.index(p.verdict), p.score or 0.0))


def terms_of(request: Request) -> Terms:
    """What a request's recipe promises of its result.

    Raises:
        InputError: a region is a picture behind a URL.
    """
    inputs = {image.slot: image.input for image in reversed(request.images)}

    def picture(slot: str) -> Where | None:
        found = inputs.get(slot)
        if found is None:
            return None
        if not found.is_local:
            raise _problem("region", f"the mask {slot!r} is behind a URL", "give it as a file")
        return found.name if found.kind == "path" else found.read()

    return _terms(request.changes, request.prove or {}, picture)


def terms_from(
    made: Provenance | None,
    near: Sequence[Path],
    *,
    changes: str | None = None,
    policy: Mapping[str, Any] | None = None,
    skip: Collection[str] = (),
) -> Terms | None:
    """What a saved picture is held to; None where nothing tells.

    Args:
        made: its making, which tells what was promised and where the masks lie.
        near: folders in which a mask may lie, when it isn't where it was.
        changes: what a recipe promises, in place of what the making tells.
        policy: that recipe's `prove`.
        skip: regions that the caller gives, so that they needn't be found.

    Raises:
        InputError: a mask that belonged to its making is not found.
    """
    images = made.images if made is not None else ()
    facts = made.facts if made is not None else {}
    if changes is None:
        changes, policy = facts.get("changes"), facts.get("prove")
    if changes not in get_args(Changes):
        return None

    masks: dict[str, str] = {}
    rules = dict(policy) if isinstance(policy, Mapping) else {}
    proof = facts.get("proof")
    if isinstance(proof, Mapping):  # it was proved before: where it was looked at then
        rules |= {k: proof[k] for k in ("region", "protect") if isinstance(proof.get(k), list)}
    for field in ("region", "protect"):
        slot = rules.get(field)
        image = next((image for image in images if image.slot == slot), None)
        if field in skip:
            rules.pop(field, None)
        elif image is not None and isinstance(slot, str):
            masks[slot] = _mask(field, image, near)
    try:
        return _terms(changes, rules, masks.get)
    except (ValueError, TypeError, IndexError):  # a stranger's file says what it likes
        return Terms(changes)  # type: ignore[arg-type]  # looked up just above


def _mask(field: str, image: Input, near: Sequence[Path]) -> str:
    """Where the mask of a making is now; without it the proof would be another one."""
    found = find_picture(image, near)
    if found is None:
        raise _problem(
            field,
            f"its mask {image.source!r} is not found, or is not the same picture any more",
            f"give it with --{field}",
        )
    return str(found)


def _terms(changes: Any, policy: Mapping[str, Any], picture: Any) -> Terms:
    """The terms of a recipe's `prove`; names of slots become their pictures."""
    ignore = policy.get("ignore")
    return Terms(changes=changes).given(
        region=_where(policy.get("region"), picture),
        protect=_where(policy.get("protect"), picture),
        min_score=policy.get("min_score"),
        ignore=ignore if isinstance(ignore, list | tuple) else None,
    )


def _where(value: Any, picture: Any) -> Where | None:
    if isinstance(value, str):
        found: Where | None = picture(value)
        return found
    if not isinstance(value, list | tuple) or not value:
        return None
    boxes = [value] if isinstance(value[0], int | float) else value
    return tuple((float(box[0]), float(box[1]), float(box[2]), float(box[3])) for box in boxes)


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


def read_where(texts: Sequence[str], field: str) -> Where | None:
    """A region from what people write: `0,0,0.5,1` for a box, else the path of a mask picture.

    Raises:
        InputError: neither, or boxes and masks together.
    """
    if not texts:
        return None
    boxes = [_box(text) for text in texts]
    if all(box is not None for box in boxes):
        return tuple(box for box in boxes if box is not None)
    if len(texts) > 1:
        raise _problem(
            field, f"found {', '.join(texts)}: give one mask picture, or boxes only", _REGION_HELP
        )
    _check_mask(texts[0], field)
    return texts[0]


_REGION_HELP = (
    "a box is left,top,right,bottom in pixels of the source or in fractions, as in 0,0,0.5,1; "
    "in a mask picture white is the region"
)


def _check_mask(path: str, field: str) -> None:
    try:
        image_input(Path(path)).check()
    except BadImageError as exc:
        what = "a box has four numbers" if path.count(",") else str(exc)
        raise _problem(field, f"found {path!r}: {what}", _REGION_HELP) from exc


def _box(text: str) -> Box | None:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    if len(numbers) != 4:
        return None
    return (numbers[0], numbers[1], numbers[2], numbers[3])


def _problem(
    field: str, message: str, help: str | None = None, code: codes.Code = codes.BAD_OPTION
) -> InputError:
    text = f"{field}: {message}"
    return InputError([Diagnostic(code.code, code.name, "error", text, help=help, field=field)])
