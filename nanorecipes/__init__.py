"""Recipes for picture edits with Nano Banana.

    from nanorecipes import recipes
    request = recipes["edit/change_part"].render(photo="mug.jpg", part="the mug", change="blue")

Names are loaded when they are first used, so that `import nanorecipes` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanorecipes.book import Library, Recipe, recipes
    from nanorecipes.client import AsyncClient, Client, Task
    from nanorecipes.config import configure
    from nanorecipes.errors import (
        ApiError,
        AuthenticationError,
        BudgetError,
        ConfigurationError,
        ContentBlockedError,
        DownloadError,
        InputError,
        InsufficientCreditsError,
        LedgerError,
        LimitError,
        MissingExtraError,
        NanorecipesError,
        NoImageError,
        OutcomeUnknownError,
        RateLimitError,
        RecipeError,
        RenderError,
        SaveError,
        ServiceError,
        TaskTimeoutError,
        UnknownRecipeError,
    )  # fmt: skip
    from nanorecipes.events import Event, Subscription, on_event
    from nanorecipes.proof import Proof, prove, restore
    from nanorecipes.request import Request
    from nanorecipes.result import Result, ResultImage

__version__ = "0.1.0"

_ERRORS = (
    "ApiError", "AuthenticationError", "BudgetError", "ConfigurationError", "ContentBlockedError",
    "DownloadError", "InputError", "InsufficientCreditsError", "LedgerError", "LimitError",
    "MissingExtraError", "NanorecipesError", "NoImageError", "OutcomeUnknownError",
    "RateLimitError", "RecipeError", "RenderError", "SaveError", "ServiceError",
    "TaskTimeoutError", "UnknownRecipeError",
)  # fmt: skip

_HOMES = {
    "AsyncClient": "client", "Client": "client", "Library": "book", "Proof": "proof.values",
    "Recipe": "book", "prove": "proof.front", "restore": "proof.front",
    "Event": "events", "Subscription": "events", "on_event": "events",
    "Request": "request", "Result": "result", "ResultImage": "result", "Task": "client",
    "configure": "config", "recipes": "book", **dict.fromkeys(_ERRORS, "errors"),
}  # fmt: skip

__all__ = [
    "ApiError", "AsyncClient", "AuthenticationError", "BudgetError", "Client",
    "ConfigurationError", "ContentBlockedError", "DownloadError", "Event", "InputError",
    "InsufficientCreditsError", "LedgerError", "Library", "LimitError", "MissingExtraError",
    "NanorecipesError",
    "NoImageError", "OutcomeUnknownError", "Proof", "RateLimitError", "Recipe", "RecipeError",
    "RenderError", "Request", "Result", "ResultImage", "SaveError", "ServiceError",
    "Subscription", "Task", "TaskTimeoutError", "UnknownRecipeError", "configure", "on_event",
    "prove", "recipes", "restore",
]  # fmt: skip


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
