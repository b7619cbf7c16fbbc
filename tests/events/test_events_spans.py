"""OpenTelemetry spans of the steps: a tree that a trace viewer understands, without the prompts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from network import Answer, Break, Face, Played, Service, request
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util._once import Once

from nanorecipes import AsyncClient, Client, recipes
from nanorecipes.client import Wiring
from nanorecipes.errors import OutcomeUnknownError
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.service.timing import VirtualClock

RECIPE = "edit/change_part"


class Faulty(SpanProcessor):
    """A processor of somebody else, which may fail."""

    is_broken = False

    def on_end(self, span: ReadableSpan) -> None:
        """Fail when it is told to."""
        if self.is_broken:
            raise RuntimeError("the collector is gone")


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """What this process's spans go to.

    A process sets its provider once, and a page of the documentation does so too: what was set
    before is put back.
    """
    before = trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()
    made = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))
    provider.add_span_processor(Faulty())
    trace.set_tracer_provider(provider)
    yield made
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = before


@pytest.fixture(autouse=True)
def _empty(exporter: InMemorySpanExporter) -> None:
    exporter.clear()


def names(exporter: InMemorySpanExporter) -> list[str]:
    """The spans in the order in which they ended."""
    return [span.name.removeprefix("nanorecipes.") for span in exporter.get_finished_spans()]


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The last span of each name."""
    return {span.name.removeprefix("nanorecipes."): span for span in exporter.get_finished_spans()}


def test_steps_of_a_request_are_children_of_its_run(
    exporter: InMemorySpanExporter, face: Face
) -> None:
    """A viewer shows one request as one block, inside whatever the caller traces."""
    asked = request()
    tracer = trace.get_tracer("caller")
    client = face.client(Played(Service()))

    async def run_async() -> None:
        with tracer.start_as_current_span("caller"):
            await client.run(asked)

    if face.runner is not None:
        face(run_async())
    else:
        with tracer.start_as_current_span("caller"):
            client.run(asked)
    assert names(exporter) == ["submit", "poll", "download", "run", "caller"]
    spans = by_name(exporter)
    run, caller = spans["run"], spans["caller"]
    assert run.parent is not None
    assert run.parent.span_id == caller.context.span_id
    for name in ("submit", "poll", "download"):
        parent = spans[name].parent
        assert parent is not None
        assert parent.span_id == run.context.span_id
        assert spans[name].kind is SpanKind.CLIENT
    submit = dict(spans["submit"].attributes or {})
    assert submit == {
        "gen_ai.request.model": asked.model, "gen_ai.provider.name": "qolaba",
        "nanorecipes.recipe": asked.recipe, "nanorecipes.recipe.version": asked.version,
        "nanorecipes.recipe.hash": asked.hash, "nanorecipes.task_id": "t-1",
        "nanorecipes.cost_usd": float(asked.estimated_cost or 0), "nanorecipes.attempts": 1,
    }  # fmt: skip
    assert dict(spans["poll"].attributes or {})["nanorecipes.polls"] == 2
    assert dict(spans["download"].attributes or {})["nanorecipes.width_px"] == 512


def told(exporter: InMemorySpanExporter) -> str:
    """All that the spans say, as one text."""
    return json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()])


def test_prompts_and_messages_stay_out_unless_asked_for(
    exporter: InMemorySpanExporter, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traces go to people and machines that prompts are not meant for."""
    asked = request()
    client = face.client(Played(Service(post=[Break()])))
    with pytest.raises(OutcomeUnknownError):
        face(client.run(asked))
    submit = by_name(exporter)["submit"]
    assert submit.status.status_code is StatusCode.ERROR
    assert dict(submit.attributes or {})["error.type"] == "OutcomeUnknownError"
    assert not submit.status.description
    assert asked.prompt not in told(exporter)
    assert "perhaps charged" not in told(exporter)
    exporter.clear()
    monkeypatch.setenv("NANORECIPES_TRACE_PROMPTS", "1")
    with pytest.raises(OutcomeUnknownError):
        face(client.run(asked))
    assert asked.prompt in told(exporter)
    assert "perhaps charged" in told(exporter)


def test_key_and_signed_urls_are_in_no_span(exporter: InMemorySpanExporter, face: Face) -> None:
    """Whatever a trace holds, it opens nothing."""
    face(face.client(Played(Service())).run(request()))
    face(face.client(Played(Service(file=[Answer(200, b"no picture")]))).submit(request()))
    assert "signature" not in told(exporter)
    assert "qk-1234567890" not in told(exporter)


@pytest.mark.parametrize("is_async", [False, True])
def test_batches_trace_every_row_below_the_caller(
    exporter: InMemorySpanExporter, tmp_path: Path, is_async: bool
) -> None:
    """Also the blocking batch, whose work is done in another thread."""
    clock = VirtualClock()
    sandbox = Sandbox(clock=clock.monotonic, wall=clock.time, plain=True)
    options: Any = {
        "sandbox": sandbox, "wiring": Wiring(clock=clock), "ledger": tmp_path / "ledger.sqlite",
    }  # fmt: skip
    rows = [
        {"photo": f"https://pictures.invalid/{n}.jpg", "part": "the mug", "change": "blue",
         "aspect_ratio": "1:1", "quality": "512"}
        for n in range(3)
    ]  # fmt: skip

    async def work() -> None:
        async with AsyncClient(**options) as client:
            async for _ in client.batch(RECIPE, rows, out=tmp_path / "out"):
                pass

    with trace.get_tracer("caller").start_as_current_span("caller") as caller:
        if is_async:
            asyncio.run(work())
        else:
            with Client(**options) as client:
                list(client.batch(RECIPE, rows, out=tmp_path / "out"))
    for name in ("render", "submit", "poll", "download", "save"):
        assert names(exporter).count(name) == 3
    trace_id = caller.get_span_context().trace_id
    spans = exporter.get_finished_spans()
    assert {span.context.trace_id for span in spans} == {trace_id}
    parents = {span.parent.span_id for span in spans if span.parent is not None}
    assert parents == {caller.get_span_context().span_id}


def test_requests_at_the_same_time_keep_their_steps_apart(exporter: InMemorySpanExporter) -> None:
    """On one event loop, steps of many requests are open at once."""

    async def work() -> None:
        clock = VirtualClock()
        sandbox = Sandbox(clock=clock.monotonic, wall=clock.time, plain=True)
        async with AsyncClient(sandbox=sandbox, wiring=Wiring(clock=clock), ledger=False) as client:
            asked = [
                recipes[RECIPE].render(
                    photo=f"https://pictures.invalid/{n}.jpg", part="the mug", change="blue",
                    aspect_ratio="1:1",
                )
                for n in range(5)
            ]  # fmt: skip
            await asyncio.gather(*map(client.run, asked))

    asyncio.run(work())
    spans = exporter.get_finished_spans()
    runs = {span.context.span_id for span in spans if span.name == "nanorecipes.run"}
    assert len(runs) == 5
    for name in ("submit", "poll", "download"):
        found = [span.parent for span in spans if span.name == f"nanorecipes.{name}"]
        assert {parent.span_id for parent in found if parent is not None} == runs


def test_fault_of_a_tracer_costs_no_picture(
    exporter: InMemorySpanExporter,
    face: Face,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Tracing is somebody else's code, and the picture was paid for."""
    monkeypatch.setattr(Faulty, "is_broken", True)
    result = face(face.client(Played(Service())).run(request()))
    assert len(result.images) == 1
    assert "the collector is gone" in caplog.text


def test_nothing_of_it_is_loaded_where_nobody_traces() -> None:
    """Who doesn't trace pays nothing for it."""
    code = (
        "import sys; from nanorecipes import Client, recipes\n"
        f"asked = recipes[{RECIPE!r}].render(photo='https://a.invalid/a.jpg', part='x', change='y')"
        "\nwith Client(backend='sandbox', ledger=False) as client: client.run(asked)\n"
        "print([name for name in sys.modules if 'opentelemetry' in name or 'tracing' in name])"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "[]"
