"""Steps as OpenTelemetry spans, where its API is loaded; prompts only when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from nanorecipes.events import Step

PROMPTS = "NANORECIPES_TRACE_PROMPTS"
_INSIDE = frozenset({"run", "render", "save"})
_ON = frozenset({"1", "true", "yes", "on"})


def _tracer() -> trace.Tracer:
    from nanorecipes import __version__

    return trace.get_tracer("nanorecipes", __version__)


class OpenSpan:
    """A span that is current until it is closed.

    Steps begin and end in one task or thread, so that what it makes current is taken back there.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        kind = SpanKind.INTERNAL if step.kind in _INSIDE else SpanKind.CLIENT
        self._span = _tracer().start_span(f"nanorecipes.{step.kind}", kind=kind)
        self._token = context.attach(trace.set_span_in_context(self._span))

    def close(self) -> None:
        """End it, with all that the step has learnt."""
        context.detach(self._token)
        step, span = self._step, self._span
        if span.is_recording():
            for name, value in _attributes(step):
                span.set_attribute(name, value)
            if step.error is not None:
                # Messages may hold what a caller wrote, so they come with the prompts only.
                span.set_attribute("error.type", type(step.error).__name__)
                text = str(step.error) if shows_prompts() else None
                span.set_status(Status(StatusCode.ERROR, text))
        span.end()


def shows_prompts() -> bool:
    """Whether prompts and messages of errors may go into spans."""
    return os.environ.get(PROMPTS, "").strip().lower() in _ON


def _attributes(step: Step) -> Iterator[tuple[str, Any]]:
    request = step.request
    if request is not None:
        yield "gen_ai.request.model", request.model
        yield "nanorecipes.recipe", request.recipe
        yield "nanorecipes.recipe.version", request.version
        yield "nanorecipes.recipe.hash", request.hash
        if shows_prompts():
            yield "nanorecipes.prompt", request.prompt
    if step.facts["backend"] is not None:
        yield "gen_ai.provider.name", step.facts["backend"]
    facts = {name: value for name, value in step.facts.items() if name != "backend"}
    for name, value in {**facts, **step.details}.items():
        if value is not None:
            yield f"nanorecipes.{name}", _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return [str(path) for path in value] if isinstance(value, tuple) else value
