"""The models: ids, aliases, ratios, sizes, quality tiers, limits and prices, from one file."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA_FILE = Path(__file__).parent / "data" / "models.yaml"


class Price(NamedTuple):
    """What one picture costs, and where the figure comes from."""

    usd: Decimal
    basis: str
    exact: bool
    """Whether it is the service's own published price; another's list price is only near."""


class Limits(NamedTuple):
    """What one request may hold, whatever the model (characters and counts)."""

    prompt_chars: int
    min_sources: int
    max_sources: int
    max_references: int
    max_num_images: int
    google_request_bytes: int
    """Of a whole request to Google directly, pictures and all."""
    google_images: int
    """Sources and references together, to Google directly."""


class Model(NamedTuple):
    """One model: what it offers and what it costs.

    For a full id that the catalogue doesn't list, `known` is false and nothing is refused.
    """

    alias: str
    id: str
    title: str
    known: bool
    use: str = ""
    google_id: str | None = None
    ratios: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    default_quality: str | None = None
    search: bool = True
    people: int | None = None
    prices: Mapping[str, Price] | None = None
    """By tier, at Qolaba."""
    google_prices: Mapping[str, Price] | None = None
    """By tier, at Google directly."""
    sizes: Mapping[str, Mapping[str, tuple[int, int]]] | None = None

    def size_px(self, ratio: str, quality: str | None) -> tuple[int, int] | None:
        """Width and height in pixels of a result, or None when nothing is known."""
        tier = quality or self.default_quality
        if self.sizes is None or tier is None or ratio not in self.ratios:
            return None
        return self.sizes.get(ratio, {}).get(tier)

    def price(self, quality: str | None, backend: str = "qolaba") -> Price | None:
        """The price of one picture of this tier in USD, or None when none is known.

        Args:
            quality: the tier, or None for the one that comes when none is asked for.
            backend: whose price: `gemini` pays Google's, the others Qolaba's.
        """
        tier = quality or self.default_quality
        prices = self.google_prices if backend == "gemini" else self.prices
        if prices is None or tier is None:
            return None
        price = prices.get(tier)
        if price is None or quality is not None:
            return price
        return Price(price.usd, f"{price.basis}; no quality asked, {tier} assumed", False)

    def nearest_ratio(self, width: int, height: int) -> str | None:
        """The offered ratio nearest to a picture's shape, measured on a log scale."""
        if not self.ratios:
            return None
        shape = math.log(width / height)
        return min(self.ratios, key=lambda ratio: abs(math.log(ratio_value(ratio)) - shape))


def ratio_value(ratio: str) -> float:
    """Width divided by height of a ratio like `16:9`."""
    width, _, height = ratio.partition(":")
    return int(width) / int(height)


class Catalogue(NamedTuple):
    """Every known model, and the date on which the facts were collected."""

    date: str
    limits: Limits
    models: Mapping[str, Model]
    """By alias."""
    by_id: Mapping[str, Model]
    by_google_id: Mapping[str, Model]

    def get(self, name: str) -> Model | None:
        """The model of an alias or a full id; None for a bare name that nothing is known by."""
        model = self.models.get(name) or self.by_id.get(name)
        if model is None and "/" in name:
            return Model(alias=name, id=name, title=name, known=False)
        return model

    def cost_usd(self, settings: Mapping[str, Any], backend: str = "qolaba") -> Decimal | None:
        """What one call with these settings costs in USD, or None where no price is known."""
        model = self.get(settings.get("model", "flash"))
        price = model.price(settings.get("quality"), backend) if model else None
        return None if price is None else price.usd * settings.get("num_images", 1)

    def offering(self, *, ratio: str | None = None, quality: str | None = None) -> list[str]:
        """Aliases of the models that offer a ratio or a quality."""
        return [
            model.alias
            for model in self.models.values()
            if (ratio is None or ratio in model.ratios)
            and (quality is None or quality in model.qualities)
        ]


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships with the package, read once."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # The loader is a safe one: CSafeLoader where the C library is there, SafeLoader elsewhere.
    return parse(yaml.load(DATA_FILE.read_text(encoding="utf-8"), Loader=loader))  # noqa: S506


def parse(data: Any) -> Catalogue:
    """Make a catalogue from the data file's content."""
    sizes = {
        ratio: {str(tier): _pixels(text) for tier, text in tiers.items()}
        for ratio, tiers in data["sizes"].items()
    }
    models = {alias: _model(alias, spec, sizes) for alias, spec in data["models"].items()}
    limits = data["limits"]
    return Catalogue(
        date=str(data["date"]),
        limits=Limits(
            prompt_chars=limits["prompt_chars"]["value"],
            min_sources=limits["source_images"]["min"],
            max_sources=limits["source_images"]["max"],
            max_references=limits["reference_images"]["max"],
            max_num_images=limits["num_images"]["max"],
            google_request_bytes=limits["google_request"]["max_bytes"],
            google_images=limits["google_request"]["max_images"],
        ),
        models=models,
        by_id={model.id: model for model in models.values()},
        by_google_id={model.google_id: model for model in models.values() if model.google_id},
    )


def _model(alias: str, spec: Any, sizes: dict[str, dict[str, tuple[int, int]]]) -> Model:
    return Model(
        alias=alias,
        id=spec["id"],
        title=spec["title"],
        known=True,
        use=spec["use"],
        google_id=spec["google_id"],
        ratios=tuple(spec["ratios"]),
        qualities=tuple(spec["qualities"]),
        default_quality=spec["default_quality"],
        search=spec["search"],
        people=spec["people"],
        prices={tier: _price(spec["title"], tier, price) for tier, price in spec["prices"].items()},
        google_prices={
            tier: Price(Decimal(usd), f"Google's list price for {spec['title']} at {tier}", True)
            for tier, usd in spec["google_prices"].items()
        },
        sizes=sizes,
    )


def _price(title: str, tier: str, spec: dict[str, str]) -> Price:
    own = spec["from"] == "qolaba"
    basis = (
        f"Qolaba's price for {title} at {tier}"
        if own
        else f"Google's list price for {title} at {tier}; Qolaba publishes none for this tier"
    )
    return Price(usd=Decimal(spec["usd"]), basis=basis, exact=own)


def _pixels(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)
