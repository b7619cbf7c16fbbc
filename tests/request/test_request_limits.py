"""Before anything is sent: every limit at once, each with a way out, and the price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from recipe_trees import PHOTO, Tree, recipe_text

from nanorecipes import LimitError, Request


def refused(tree: Tree, **options: Any) -> dict[str, tuple[str, str | None]]:
    """The limits that a call breaks: message and way out by field."""
    with pytest.raises(LimitError) as caught:
        tree.render(recipe_text(), **options)
    assert isinstance(caught.value, ValueError)
    assert all(finding.severity == "error" for finding in caught.value.diagnostics)
    return {item.field or "": (item.message, item.help) for item in caught.value.diagnostics}


@dataclass(frozen=True)
class Limit:
    """Options that a model doesn't take, and the words about it."""

    options: dict[str, Any]
    field: str
    message: str
    help: str | None


_PRO_RATIOS = "1:1, 2:3, 3:2, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9, 21:9"
LIMITS = [
    Limit({"model": "pro", "quality": 512}, "quality",
          "quality '512' is not offered by pro: 1K, 2K, 4K", "512 is offered by flash"),
    Limit({"quality": "3K"}, "quality", "quality '3K' is not offered by flash: 512, 1K, 2K, 4K",
          "for example 4K"),
    Limit({"model": "pro", "aspect_ratio": "8:1"}, "aspect_ratio",
          f"aspect ratio '8:1' is not offered by pro: {_PRO_RATIOS}", "8:1 is offered by flash"),
    Limit({"model": "pro", "aspect_ratio": "16:10"}, "aspect_ratio",
          f"aspect ratio '16:10' is not offered by pro: {_PRO_RATIOS}", "the nearest is 3:2"),
    Limit({"model": "pro", "aspect_ratio": "wide"}, "aspect_ratio",
          f"aspect ratio 'wide' is not offered by pro: {_PRO_RATIOS}",
          "a ratio is written like 16:9; match takes the first image's"),
    Limit({"model": "pro", "aspect_ratio": "1:0"}, "aspect_ratio",
          f"aspect ratio '1:0' is not offered by pro: {_PRO_RATIOS}",
          "a ratio is written like 16:9; match takes the first image's"),
    Limit({"model": "pro", "search": True}, "search", "pro can't look facts up (search)",
          "flash can: model=flash"),
    Limit({"num_images": 11}, "num_images", "num_images is 11, allowed are 1 to 10",
          "make several requests"),
    Limit({"num_images": 0}, "num_images", "num_images is 0, allowed are 1 to 10", None),
    Limit({"num_images": -3}, "num_images", "num_images is -3, allowed are 1 to 10", None),
    Limit({"model": "prro"}, "model", "there is no model 'prro'", "did you mean 'pro'?"),
    Limit({"model": "zzz"}, "model", "there is no model 'zzz'",
          "there are flash, pro, vertex/nano-banana-flash, vertex/nano-banana-pro"),
    Limit({"model": "other/one", "num_images": 11}, "num_images",
          "num_images is 11, allowed are 1 to 10", "make several requests"),
]  # fmt: skip


@pytest.mark.parametrize("case", LIMITS, ids=lambda case: f"{case.options}")
def test_a_limit_says_what_is_allowed_and_the_way_out(tree: Tree, case: Limit) -> None:
    """Found before anything is sent, let alone paid for."""
    assert refused(tree, **case.options) == {case.field: (case.message, case.help)}


def test_every_limit_is_named_at_once(tree: Tree) -> None:
    """Also how many pictures are attached, and how long the prompt is."""
    images = (
        "photo: {max: 14}\nphotos: {max: 14}\n"
        "refs: {role: reference, max: 14}\nmore: {role: reference, max: 14}"
    )
    text = recipe_text(
        "{{ photo }}{{ photos }}{{ refs }}{{ more }}{{ a }}", images=images,
        params="a: {maxLength: 4000}",
    )  # fmt: skip
    recipe = tree.recipe(text)
    with pytest.raises(LimitError) as caught:
        recipe.render(
            photo=[PHOTO] * 14, photos=PHOTO, refs=[PHOTO] * 14, more=PHOTO, a="x" * 4000,
            model="pro", quality="512", aspect_ratio="9:1", search=True, num_images=99,
        )  # fmt: skip
    found = sorted((item.code, item.message.split(",")[0]) for item in caught.value.diagnostics)
    assert [code for code, _ in found] == [
        "NR040", "NR041", "NR041", "NR042", "NR043", "NR044", "NR045"
    ]  # fmt: skip
    assert [message for code, message in found if code == "NR041"] == [
        "15 reference images", "15 source images"
    ]  # fmt: skip


def test_an_unknown_model_does_not_hide_the_other_limits(tree: Tree) -> None:
    """Those that hold for every model."""
    assert set(refused(tree, model="prro", num_images=50)) == {"model", "num_images"}


def test_the_most_that_is_taken_is_taken(tree: Tree) -> None:
    """14 sources, 14 references, 10 pictures."""
    images = "photos: {max: 14}\nrefs: {role: reference, max: 14}"
    recipe = tree.recipe(recipe_text("{{ photos }}{{ refs }}", images=images))
    request = recipe.render(photos=[PHOTO] * 14, refs=[PHOTO] * 14, num_images=10)
    assert len(request.payload()["image_urls"]) == 14
    assert len(request.payload()["reference_images"]) == 14
    assert request.num_images == 10


@dataclass(frozen=True)
class Priced:
    """Options, what they cost together, and where the figure comes from."""

    options: dict[str, Any]
    usd: str | None
    basis: str


_OTHER = "Qolaba publishes none for this tier"
PRICES = [
    Priced({}, "0.067",
           f"Google's list price for Nano Banana Flash at 1K; {_OTHER}; no quality asked, 1K assu"),
    Priced({"quality": "2K"}, "0.08", "Qolaba's price for Nano Banana Flash at 2K"),
    Priced({"quality": "512"}, "0.045",
           f"Google's list price for Nano Banana Flash at 512; {_OTHER}"),
    Priced({"quality": "4K", "num_images": 3}, "0.453", "Google's list price for Nano Banana Flas"),
    Priced({"model": "pro", "quality": "2K"}, "0.161", "Qolaba's price for Nano Banana Pro at 2K"),
    Priced({"model": "pro", "quality": "4K"}, "0.24", "Google's list price for Nano Banana Pro at"),
    Priced({"model": "pro", "quality": "2K", "num_images": 10}, "1.610", "Qolaba's price for Nano"),
    Priced({"model": "vertex/nano-banana-pro", "quality": "2K"}, "0.161", "Qolaba's price for Na"),
    Priced({"model": "other/model"}, None, "no price is known for other/model"),
]  # fmt: skip


@pytest.mark.parametrize("case", PRICES, ids=lambda case: f"{case.options}")
def test_the_cost_is_a_decimal_with_its_basis(tree: Tree, case: Priced) -> None:
    """For all pictures of the request; a figure of another tier or provider says so."""
    request = tree.render(recipe_text(), **case.options)
    assert request.estimated_cost == (None if case.usd is None else Decimal(case.usd))
    assert case.usd is None or isinstance(request.estimated_cost, Decimal)
    assert str(request.estimated_cost) == str(case.usd)
    assert request.cost_basis.startswith(case.basis)


def test_a_full_id_that_is_not_listed_is_sent_as_it_is(tree: Tree) -> None:
    """Nothing is known of it, so nothing is refused or computed."""
    request = tree.render(
        recipe_text(), model="other/next-9", quality="8K", aspect_ratio="7:5", search=True
    )
    body = request.payload()
    assert (body["model"], body["quality"], body["aspect_ratio"]) == ("other/next-9", "8K", "7:5")
    assert (request.model, request.expected_size_px) == ("other/next-9", None)


def test_the_model_is_the_callers_the_recipes_or_flash(tree: Tree) -> None:
    """In this order; by alias or by id."""
    assert tree.render(recipe_text()).model == "vertex/nano-banana-flash"
    text = recipe_text(more="settings: {model: pro, quality: 4K, num_images: 2, seed: 5}")
    request = tree.render(text)
    assert (request.model, request.num_images) == ("vertex/nano-banana-pro", 2)
    assert request.settings == {"model": "pro", "quality": "4K", "num_images": 2, "seed": 5}
    own = tree.render(text, model="flash", quality="1K", num_images=1, seed=9)
    assert own.settings == {"model": "flash", "quality": "1K", "num_images": 1, "seed": 9}


def test_a_request_says_what_it_was_made_from(tree: Tree) -> None:
    """For a sidecar, a ledger and a review."""
    text = recipe_text("{{ a }}{{ b }}", params="a: {default: 5, type: integer}\nb:")
    recipe = tree.recipe(text)
    request = recipe.render(photo=PHOTO, b="x")
    assert isinstance(request, Request)
    assert (request.recipe, request.version, request.hash) == ("group/name", "1.0", recipe.hash)
    assert (request.inputs, request.changes) == ({"a": 5, "b": "x"}, "part")
    assert request.first_source.source == PHOTO
    assert request.images[0].input.kind == "url"
    assert request.warnings == ()
    assert "prompt=" in repr(request)
