"""A validated request with its price: what builders make and everyone else reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nanorecipes.catalogue import Model, catalogue

if TYPE_CHECKING:
    from decimal import Decimal

    from nanorecipes.images import ImageInput
    from nanorecipes.markup import Shown

SECTIONS = ("edit", "subject", "details", "protect")
SectionName = Literal["edit", "subject", "details", "protect"]
Role = Literal["source", "reference"]


class Section(NamedTuple):
    """One named part of a prompt."""

    name: SectionName
    text: str


class AttachedImage(NamedTuple):
    """A picture that goes with a request: its slot, its role and its number in the order sent."""

    slot: str
    role: Role
    ordinal: int
    """From 1, over sources first and then references: what `the second image` counts."""
    input: ImageInput

    @property
    def source(self) -> str:
        """The path or URL as given, or a made-up name for bytes."""
        return self.input.name

    @property
    def shown(self) -> Shown:
        """The picture for a notebook: nothing is fetched, so one behind a URL is only named."""
        from nanorecipes.images import BadImageError, public_name
        from nanorecipes.markup import Shown

        caption = f"{self.ordinal}. {self.slot} ({self.role}): {_last(public_name(self.source))}"
        if not self.input.is_local:
            return Shown(caption, None, "behind a URL")
        try:
            return Shown(caption, self.input.read())
        except BadImageError as exc:
            return Shown(caption, None, str(exc))


@dataclass(frozen=True)
class Request:
    """Everything that will be sent, checked against the model's limits, with its price.

    Nothing here touches the network. Files are opened only to learn the size of the first source,
    and only when the ratio is `match`.
    """

    recipe: str
    version: str
    hash: str
    changes: str
    prompt: str
    sections: tuple[Section, ...]
    images: tuple[AttachedImage, ...]
    chosen: Model = field(repr=False)
    """The catalogue's facts about the model."""
    options: Mapping[str, Any]
    """The settings as the recipe and the call gave them: `aspect_ratio` may be `match`."""
    estimated_cost: Decimal | None
    """USD for all pictures of the request, or None where no price is known."""
    cost_basis: str
    """Where the price comes from, in words."""
    inputs: Mapping[str, Any]
    """The parameters' values, defaults filled in."""
    notices: tuple[str, ...] = ()
    additions: Mapping[str, Any] | None = None
    """`protect` and `notes` as the call gave them, where it did."""
    prove: Mapping[str, Any] | None = None
    """How strictly the recipe wants its result held against the source, where it says."""

    @classmethod
    def make(cls, **fields: Any) -> Request:
        """The same as the constructor, which sets a frozen class's fields one by one: 4 us slower.

        A field without a value takes its default from the class.
        """
        self = object.__new__(cls)
        object.__setattr__(self, "__dict__", fields)
        return self

    @property
    def model(self) -> str:
        """The full id of the model that is asked."""
        return self.chosen.id

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """What is asked of the model: `model` (as given), `quality`, `aspect_ratio`, ...

        Only what is set; `match` is resolved to the ratio nearest to the first source image, and
        left out where that image's size can't be known.
        """
        settings = dict(self.options)
        if settings.get("aspect_ratio") == "match":
            del settings["aspect_ratio"]
            if self._match is not None and self._match[0] is not None:
                settings["aspect_ratio"] = self._match[0]
        return settings

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What the caller should know before paying."""
        notice = self._match[1] if self._match is not None else None
        return (*self.notices, notice) if notice else self.notices

    @property
    def aspect_ratio(self) -> str | None:
        """The ratio that is asked for, or None when the output follows the input."""
        return self.settings.get("aspect_ratio")

    @property
    def num_images(self) -> int:
        """How many pictures the request makes."""
        return int(self.options.get("num_images", 1))

    @property
    def expected_size_px(self) -> tuple[int, int] | None:
        """Width and height that the service should send, or None when that isn't known."""
        ratio = self.aspect_ratio
        return self.chosen.size_px(ratio, self.options.get("quality")) if ratio else None

    def priced_for(self, backend: str) -> Request:
        """The same with the price of who makes it: a request is made before that is known.

        Qolaba's price stands in it from the beginning, and is what the sandbox plays as well.
        """
        if backend != "gemini":
            return self
        price = self.chosen.price(self.options.get("quality"), backend)
        if price is None:
            cost, basis = None, f"no price of Google's is known for {self.model}"
        else:
            cost, basis = price.usd * self.num_images, price.basis
        return Request.make(**{**self.__dict__, "estimated_cost": cost, "cost_basis": basis})

    @property
    def first_source(self) -> AttachedImage:
        """The picture that is edited."""
        return self.images[0]

    def payload(
        self,
        urls: Mapping[int, str] | None = None,
        *,
        celery: bool = True,
        backend: str = "qolaba",
    ) -> dict[str, Any]:
        """The JSON body of Qolaba's `POST /api/v1/images/generate`, or of Google's request.

        Args:
            urls: by ordinal, the URL under which Qolaba can fetch a local picture; without one a
                local picture stands by its name.
            celery: whether Qolaba answers with a task id at once (the default here) or waits.
            backend: `gemini` for the body of Google's `generateContent`, in which a local picture
                stands as `<base64 of NAME>` in place of its bytes.
        """
        from nanorecipes import google_wire, wire

        if backend == "gemini":
            return google_wire.payload(self, {})
        return wire.payload(self, urls or {}, celery=celery)

    def _repr_html_(self) -> str:
        """What a notebook shows: what is attached, the prompt by sections, and what it costs."""
        from nanorecipes import markup

        settings = (f"{name} {value}" for name, value in self.settings.items() if name != "model")
        usd = "cost unknown" if self.estimated_cost is None else f"about ${self.estimated_cost}"
        return markup.frame([
            markup.heading(
                self.recipe, [self.model, *settings, f"{usd} ({self.cost_basis})", "not sent"]
            ),
            markup.pictures([image.shown for image in self.images]),
            markup.sections((section.name, section.text) for section in self.sections),
            markup.notices(self.warnings),
        ])  # fmt: skip

    @cached_property
    def _match(self) -> tuple[str | None, str | None] | None:
        """The ratio for `match` and a warning, each or None; None as a whole without `match`."""
        if self.options.get("aspect_ratio") != "match":
            return None
        return match_ratio(self.chosen, self.first_source.input)


def _last(name: str) -> str:
    """A name without its folders: notebooks are handed on, and folders are nobody's business."""
    return name.replace("\\", "/").rpartition("/")[2] or name


def match_ratio(model: Model, image: ImageInput) -> tuple[str | None, str | None]:
    """The ratio nearest to a picture's shape, or None with the reason why there is none."""
    from nanorecipes.images import BadImageError, public_name

    left_out = "aspect_ratio: match is left out, and the output follows the input"
    if not image.is_local:
        return None, f"{left_out}: the size of {public_name(image.name)} is not known"
    try:
        size = image.size_px
    except BadImageError as exc:
        return None, f"{exc}: nothing can be sent like that, and aspect_ratio: match is left out"
    if size is None:  # pragma: no cover  # only a URL has no size, and that is handled above
        return None, left_out
    ratio = model.nearest_ratio(*size)
    return (ratio, None) if ratio else (None, f"{left_out}: {model.id} has no list of ratios")


def find_model(name: str) -> Model | None:
    """The model of an alias or a full id."""
    return catalogue().get(name)
