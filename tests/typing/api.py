"""The public names as callers use them: checked by mypy, never run."""

from __future__ import annotations

import io
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, assert_type

from PIL.Image import Image

from nanorecipes import (
    ApiError,
    AsyncClient,
    Client,
    Event,
    InputError,
    Library,
    LimitError,
    OutcomeUnknownError,
    Proof,
    RateLimitError,
    Recipe,
    RecipeError,
    Request,
    Result,
    ResultImage,
    Subscription,
    TaskTimeoutError,
    UnknownRecipeError,
    configure,
    on_event,
    prove,
    recipes,
    restore,
)
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.recipe.params import Param, Slot


def look_around() -> None:
    """A library is a mapping of names to recipes."""
    library = Library("recipes", Path("more"))
    as_mapping: Mapping[str, Recipe] = library
    recipe = as_mapping["group/name"]
    assert_type(recipes["group/name"], Recipe)
    assert_type(list(library), list[str])
    assert_type("group/name" in library, bool)
    assert_type(library.open("a.yaml"), Recipe)
    assert_type(recipe.name, str)
    assert_type(recipe.tags, tuple[str, ...])
    assert_type(recipe.images, Mapping[str, Slot])
    assert_type(recipe.params, Mapping[str, Param])
    assert_type(recipe.settings, Mapping[str, Any])
    assert_type(recipe.deprecated, Mapping[str, str] | None)
    assert_type(recipe.inputs_schema, dict[str, Any])
    assert_type(recipe.check(), list[Diagnostic])
    for entry, found in library.scan():
        assert_type(found, Recipe | RecipeError)
        assert_type(entry.path, Path)


def render(picture: Image) -> Request:
    """Images are given in every way; call options beside them."""
    recipe = recipes["outfit/change_outfit"]
    recipe.render(person="me.jpg", outfit="a suit", model="pro", protect=["the hat"], notes="Rain.")
    recipe.render(person=Path("me.jpg"), outfit="a suit", quality=512, num_images=2, search=False)
    recipe.render(person=b"", garment=io.BytesIO(), outfit="a suit", seed=1, aspect_ratio="match")
    request = recipe.render(person=picture, outfit="a suit")
    assert_type(request, Request)
    assert_type(request.prompt, str)
    assert_type([section.text for section in request.sections], list[str])
    assert_type([(image.slot, image.ordinal) for image in request.images], list[tuple[str, int]])
    assert_type(request.images[0].source, str)
    assert_type(request.model, str)
    assert_type(request.settings, Mapping[str, Any])
    assert_type(request.estimated_cost, Decimal | None)
    assert_type(request.cost_basis, str)
    assert_type(request.warnings, tuple[str, ...])
    assert_type(request.payload(), dict[str, Any])
    return request


def run(request: Request) -> None:
    """In one step, in two, and from another process."""
    assert_type(
        recipes["outfit/change_outfit"](person="me.jpg", outfit="a suit", out="out"), Result
    )
    with Client(backend="sandbox") as client:
        result = client.run(request, max_cost=Decimal("0.50"))
        task = client.submit(request)
        assert_type(client.wait(task), Result)
        assert_type(client.wait("task-id"), Result)
        assert_type(client.run(request, prove=True), Result)
        client.run(request, prove={"region": (0, 0, 0.5, 1), "min_score": 0.9})
    assert_type(result.prove(region="mask.png", ignore=["tone"]), Proof)
    assert_type(result.images[0].proof, Proof | None)
    assert_type(result.images[0], ResultImage)
    assert_type(result.images[0].image, Image)
    assert_type(result.images[0].data, bytes)
    assert_type(result.images[0].size, tuple[int, int] | None)
    assert_type(result.cost, Decimal | None)
    assert_type(result.task_id, str | None)
    result.images[0].save("out/")
    result.save(Path("out"))


def batch() -> None:
    """A catalogue, proved as it runs."""
    rows = [{"photo": "mug.jpg", "part": "the mug", "change": "blue"}]
    with Client(backend="sandbox") as client:
        for outcome in client.batch(
            "edit/change_part",
            rows,
            out="out",
            budget="5",
            prove={"min_score": 0.9},
            redo_drifted=2,
        ):
            assert_type(outcome.verdict, str | None)
            assert_type(outcome.score, float | None)
            assert_type(outcome.tries, int)


async def run_async(request: Request) -> Result:
    """The same names, awaited."""
    async with AsyncClient(backend="qolaba", timeout_s=60) as client:
        task = await client.submit(request)
        assert_type(await client.wait(task), Result)
        return await client.run(request)


def hold(picture: Image) -> None:
    """An output is held against its source; regions are boxes or masks."""
    proof = prove("photo.jpg", Path("out.png"), region=(0, 0, 0.5, 1), min_score=0.9)
    prove(picture, b"", changes="background", protect=[(1, 2, 30, 40)], ignore=["tone"])
    assert_type(proof, Proof)
    assert_type(proof.verdict, Literal["kept", "drifted", "unclear", "not provable"])
    assert_type(proof.score, float | None)
    assert_type(proof.reasons, tuple[str, ...])
    assert_type(proof.drift[0].box, tuple[int, int, int, int])
    assert_type(proof.overlay(), Image)
    assert_type(proof.to_json(), dict[str, Any])
    assert_type(restore("photo.jpg", "out.png", region="mask.png").image, Image)


def handle(request: Request) -> None:
    """Errors carry their facts, and the parents that callers expect."""
    configure(backend="sandbox", path=["recipes"])
    try:
        Client().run(request)
    except (RecipeError, InputError, LimitError) as exc:
        assert_type(exc.diagnostics, tuple[Diagnostic, ...])
    except RateLimitError as exc:
        assert_type(exc.retry_after_s, float | None)
    except (TaskTimeoutError, OutcomeUnknownError) as exc:
        assert_type(exc.task_id, str | None)
    except ApiError as exc:
        assert_type(exc.status, int | None)
    try:
        recipes["no/such"]
    except LookupError as exc:
        if isinstance(exc, UnknownRecipeError):
            assert_type(exc.suggestions, tuple[str, ...])


def watch() -> None:
    """A callback gets typed events, and a handle ends it."""

    def count(event: Event) -> None:
        assert_type(event.cost_usd, Decimal | None)
        assert_type(event.details, Mapping[str, Any])
        assert_type(event.request, Request | None)

    handle = on_event(count, "submit", "save")
    assert_type(handle, Subscription)
    handle.close()
    with on_event(print):
        pass
