"""Every error that nanorecipes raises on purpose.

NanorecipesError
├── RecipeError                 a recipe file is broken; `diagnostics` says where
├── UnknownRecipeError          no recipe of that name (LookupError)
├── InputError                  a call's arguments, all findings at once (ValueError)
├── LimitError                  a model's limits, before anything is sent (ValueError)
├── RenderError                 a template grew too large or ran too long
├── BudgetError                 the cost is above what the caller allowed
├── ConfigurationError          no backend or key chosen, a bad setting
├── MissingExtraError           a part that needs another package (ImportError)
├── LedgerError                 the ledger is damaged, full, or says otherwise
├── SaveError                   a picture or its sidecar could not be written (OSError)
└── ApiError                    the service refused or failed
    ├── AuthenticationError
    ├── InsufficientCreditsError
    ├── RateLimitError          `retry_after_s`
    ├── ContentBlockedError     `reason`, `text`
    ├── NoImageError            `text`: what came instead
    ├── ServiceError            a fault of the service; nothing was charged as far as it says
    ├── DownloadError           a result that can't be fetched or isn't a picture
    ├── TaskTimeoutError        `task_id`: waited too long, the task may still finish
    └── OutcomeUnknownError     sent, no readable answer: perhaps charged
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nanorecipes import diagnostics as _diagnostics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nanorecipes.diagnostics import Diagnostic

__all__ = [
    "ApiError",
    "AuthenticationError",
    "BudgetError",
    "ConfigurationError",
    "ContentBlockedError",
    "DownloadError",
    "InputError",
    "InsufficientCreditsError",
    "LedgerError",
    "LimitError",
    "MissingExtraError",
    "NanorecipesError",
    "NoImageError",
    "OutcomeUnknownError",
    "RateLimitError",
    "RecipeError",
    "RenderError",
    "SaveError",
    "ServiceError",
    "TaskTimeoutError",
    "UnknownRecipeError",
]


class NanorecipesError(Exception):
    """Root of all errors; `help` is the next step for whoever reads it."""

    diagnostics: tuple[Diagnostic, ...] = ()

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def facts(self) -> dict[str, Any]:
        """What the error knows, as plain data for `--json`."""
        return {"help": self.help} if self.help else {}


class _DiagnosedError(NanorecipesError):
    """An error made of findings; its text is made from them."""

    def __init__(
        self, diagnostics: Sequence[Diagnostic], *, title: str = "", help: str | None = None
    ) -> None:
        body = _diagnostics.render_all(diagnostics)
        super().__init__(f"{title}\n{body}" if title else body, help=help)
        self.diagnostics = tuple(diagnostics)


class RecipeError(_DiagnosedError):
    """A recipe file can't be used; `path` is the file, `diagnostics` every problem found in it."""

    def __init__(
        self, diagnostics: Sequence[Diagnostic], *, path: Path | None = None, title: str = ""
    ) -> None:
        super().__init__(diagnostics, title=title)
        first = diagnostics[0] if diagnostics else None
        self.path = path if path is not None else (first.file if first else None)

    def facts(self) -> dict[str, Any]:
        return {"path": str(self.path) if self.path is not None else None}


class UnknownRecipeError(NanorecipesError, LookupError):
    """No recipe has this name; `suggestions` are the nearest ones, or some of its group.

    `path` is the file that would have it if it ended in `.yaml`.
    """

    def __init__(
        self,
        name: str,
        suggestions: Sequence[str] = (),
        *,
        group: str | None = None,
        path: Path | None = None,
        help: str | None = None,
    ) -> None:
        if path is not None:
            near = f" Recipe files end in .yaml, and there is {str(path)!r}."
        elif group is not None:
            near = f" It is a group: {', '.join(map(repr, suggestions))}, ..."
            help = f"`nanorecipes list {group}/` shows all of them"
        else:
            near = f" Did you mean {' or '.join(map(repr, suggestions))}?" if suggestions else ""
            help = "`nanorecipes list` shows every recipe"
        super().__init__(f"there is no recipe {name!r}.{near}", help=help)
        self.name = name
        self.path = path
        self.suggestions = tuple(suggestions)

    def facts(self) -> dict[str, Any]:
        path = {} if self.path is None else {"path": str(self.path)}
        return {"name": self.name, "suggestions": list(self.suggestions), **path}


class InputError(_DiagnosedError, ValueError):
    """The arguments of a call are wrong; `diagnostics` holds one finding for each."""


class LimitError(_DiagnosedError, ValueError):
    """The request is beyond what the model takes; nothing was sent."""


class RenderError(_DiagnosedError):
    """A template grew too large, ran too long or failed while it was rendered."""


class BudgetError(NanorecipesError):
    """The estimated cost is above what was allowed; nothing was sent."""

    def __init__(self, message: str, *, cost_usd: object = None, limit_usd: object = None) -> None:
        super().__init__(message)
        self.cost_usd = cost_usd
        self.limit_usd = limit_usd

    def facts(self) -> dict[str, Any]:
        return {
            "cost_usd": None if self.cost_usd is None else str(self.cost_usd),
            "limit_usd": None if self.limit_usd is None else str(self.limit_usd),
        }


class ConfigurationError(NanorecipesError):
    """A setting is missing or can't be used."""

    def __str__(self) -> str:
        # The first error that a newcomer meets in Python, and a traceback shows its text alone.
        return f"{self.message}\n  help: {self.help}" if self.help else self.message


class MissingExtraError(NanorecipesError, ImportError):
    """A part of nanorecipes needs a package that isn't installed."""

    def __init__(self, part: str, extra: str) -> None:
        super().__init__(
            f"{part} needs nanorecipes[{extra}], which is not installed",
            help=f"pip install 'nanorecipes[{extra}]'",
        )
        self.extra = extra


class LedgerError(NanorecipesError):
    """The ledger can't be read or written, or a step doesn't follow from what it holds.

    `path` is its file.
    """

    def __init__(self, message: str, *, path: object = None, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.path = path

    def facts(self) -> dict[str, Any]:
        path = {} if self.path is None else {"path": str(self.path)}
        return {**path, **super().facts()}


class SaveError(NanorecipesError, OSError):
    """A file could not be written; `path` is the file.

    `kept` is where the picture lies all the same: a path, or several in a tuple.
    """

    def __init__(self, message: str, *, path: object = None, kept: object = None) -> None:
        super().__init__(message)
        self.path = path
        self.kept = kept

    def facts(self) -> dict[str, Any]:
        return {
            "path": None if self.path is None else str(self.path),
            "kept": _paths(self.kept),
        }


def _paths(kept: object) -> list[str] | str | None:
    if isinstance(kept, tuple):
        return [str(path) for path in kept]
    return None if kept is None else str(kept)


class ApiError(NanorecipesError):
    """The service refused or failed; `status` is the HTTP status where there was one."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        task_id: str | None = None,
        help: str | None = None,
    ) -> None:
        super().__init__(message, help=help)
        self.status = status
        self.task_id = task_id

    def facts(self) -> dict[str, Any]:
        return {"status": self.status, "task_id": self.task_id, **super().facts()}


class AuthenticationError(ApiError):
    """The key was refused (401, 403)."""


class InsufficientCreditsError(ApiError):
    """The account has no credits left (402)."""


class RateLimitError(ApiError):
    """The service asks to slow down (429); `retry_after_s` says for how long, in seconds."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after_s = retry_after_s

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "retry_after_s": self.retry_after_s}


class ContentBlockedError(ApiError):
    """The service won't make this picture; `reason` is its word, `text` what it said."""

    def __init__(
        self, message: str, *, reason: str | None = None, text: str | None = None, **facts: Any
    ) -> None:
        super().__init__(message, **facts)
        self.reason = reason
        self.text = text

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "reason": self.reason, "text": self.text}


class NoImageError(ApiError):
    """The task finished without a picture; `text` is what came instead."""

    def __init__(self, message: str, *, text: str | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.text = text

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "text": self.text}


class ServiceError(ApiError):
    """The service failed or gave an answer that says so."""


class DownloadError(ApiError):
    """A finished picture could not be fetched, or what came isn't a picture; `url` names it.

    `is_lost` says that no further try can bring it, `is_answered` that its host answered at all.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str | None = None,
        is_lost: bool = False,
        is_answered: bool = False,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.url = url
        self.is_lost = is_lost
        self.is_answered = is_answered

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "url": self.url}


class TaskTimeoutError(ApiError, TimeoutError):
    """Waited too long; the task `task_id` may still finish and can be waited for again."""


class OutcomeUnknownError(ApiError):
    """The request was sent and no readable answer came: the picture was perhaps charged."""
