"""Callbacks of `on_event`: every step is told with its facts, and none can cost a picture."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from network import RUNNING, Answer, Break, Face, Played, Refuse, Service, picture, request
from PIL import Image

from nanorecipes import Client, Event, on_event, recipes
from nanorecipes.client import Wiring
from nanorecipes.errors import (
    ConfigurationError,
    DownloadError,
    InputError,
    OutcomeUnknownError,
    SaveError,
    ServiceError,
)
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.service.timing import VirtualClock

RECIPE = "edit/change_part"


@pytest.fixture
def seen() -> Iterator[list[Event]]:
    """Every event of a test."""
    found: list[Event] = []
    with on_event(found.append):
        yield found


def kinds(events: list[Event]) -> list[str]:
    """What happened, in order."""
    return [event.kind for event in events]


def test_each_step_is_told_with_its_facts(seen: list[Event], face: Face, tmp_path: Path) -> None:
    """Whoever counts money or time needs to know what, for how long, and what it cost."""
    service = Service(post=[Refuse(), Answer(202, {"task_id": "t-1"})])
    asked = request()
    result = face(face.client(Played(service)).run(asked))
    (path,) = result.save(tmp_path)
    assert kinds(seen) == ["submit", "poll", "download", "save"]
    submit, poll, download, save = seen
    for event in seen:
        assert (event.recipe, event.model) == (asked.recipe, asked.model)
        assert (event.backend, event.task_id, event.error) == ("qolaba", "t-1", None)
        assert event.request is asked
        assert event.duration_s >= 0
    assert (submit.cost_usd, dict(submit.details)) == (asked.estimated_cost, {"attempts": 2})
    assert (poll.cost_usd, dict(poll.details)) == (
        Decimal("0.045"),
        {"polls": 2, "status": "completed"},
    )
    assert dict(download.details) == {
        "size_bytes": len(picture()), "mime_type": "image/png", "width_px": 512, "height_px": 512,
    }  # fmt: skip
    assert dict(save.details) == {"paths": (path,)}
    assert seen == sorted(seen, key=lambda event: event.started_at)
    assert asked.prompt not in repr(seen)


def test_rendering_is_told_with_its_estimate(seen: list[Event], tmp_path: Path) -> None:
    """Also where nothing is ever sent, and also where it fails."""
    rendered = recipes[RECIPE].render(photo="a.jpg", part="the mug", change="blue")
    with pytest.raises(InputError):
        recipes[RECIPE].render(photo="a.jpg")
    good, bad = seen
    assert (good.kind, good.recipe, good.cost_usd) == ("render", RECIPE, rendered.estimated_cost)
    assert dict(good.details) == {"prompt_chars": len(rendered.prompt), "images": 1}
    assert good.request is rendered
    assert (bad.kind, bad.recipe, bad.request) == ("render", RECIPE, None)
    assert isinstance(bad.error, InputError)


def test_details_are_those_that_are_documented(face: Face, tmp_path: Path) -> None:
    """The reference's table comes from the same data, so it can't fall behind."""
    from nanorecipes.events import DETAILS

    seen: list[Event] = []
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "mug.png")
    with on_event(seen.append), Client(backend="sandbox", ledger=False) as client:
        asked = recipes[RECIPE].render(photo=tmp_path / "mug.png", part="x", change="blue")
        client.run(asked).save(tmp_path)
    assert [event.kind for event in seen] == list(DETAILS)
    for event in seen:
        assert set(event.details) <= set(DETAILS[event.kind])
        assert set(event.details) >= set(DETAILS[event.kind]) - {"attempts"}


def test_failing_steps_are_told_with_their_error(seen: list[Event], face: Face) -> None:
    """Errors are what most who watch wait for."""
    lost = face.client(Played(Service(post=[Break()])))
    with pytest.raises(OutcomeUnknownError):
        face(lost.run(request()))
    failed = face.client(Played(Service(poll=[RUNNING, Answer(200, {"status": "failed"})])))
    with pytest.raises(ServiceError):
        face(failed.run(request()))
    gone = face.client(Played(Service(file=[Answer(410)])))
    with pytest.raises(DownloadError):
        face(gone.run(request()))
    told = [(event.kind, type(event.error)) for event in seen if event.error is not None]
    assert told == [
        ("submit", OutcomeUnknownError),
        ("poll", ServiceError),
        ("download", DownloadError),
    ]
    assert [event.task_id for event in seen if event.error is not None] == [None, "t-1", "t-1"]


def test_local_pictures_are_told_as_uploads(seen: list[Event], tmp_path: Path) -> None:
    """Otherwise the time that they take would be missing."""
    Image.new("RGB", (640, 480), "teal").save(tmp_path / "mug.png")
    with Client(backend="sandbox", ledger=False) as client:
        client.run(recipes[RECIPE].render(photo=tmp_path / "mug.png", part="x", change="blue"))
    assert kinds(seen) == ["render", "upload", "submit", "poll", "download"]
    assert seen[1].details["size_bytes"] == (tmp_path / "mug.png").stat().st_size


def test_waiting_for_a_task_by_its_id_is_told_without_a_recipe(
    seen: list[Event], face: Face
) -> None:
    """Another process bought it, and nothing more is known of it here."""
    face(face.client(Played(Service())).wait("t-1"))
    assert kinds(seen) == ["poll", "download"]
    assert {(event.recipe, event.model, event.task_id) for event in seen} == {(None, None, "t-1")}


def test_failing_callback_costs_no_picture(
    face: Face, seen: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    """It was paid for; the fault is in the log, and those who come after are told all the same."""

    def fail(event: Event) -> None:
        raise RuntimeError(f"no luck with {event.kind}")

    with on_event(fail), on_event(seen.append):
        result = face(face.client(Played(Service())).run(request()))
    assert result.images[0].data == picture()
    assert kinds(seen) == [kind for kind in ("submit", "poll", "download") for _ in range(2)]
    assert [record.name for record in caplog.records] == ["nanorecipes"] * 3
    assert "no luck with download" in caplog.text


def test_closed_subscription_hears_no_more(face: Face) -> None:
    """Closing twice does nothing, and leaves others alone."""
    first: list[Event] = []
    second: list[Event] = []
    with on_event(second.append, "download", "save"):
        with on_event(first.append) as handle:
            face(face.client(Played(Service())).run(request()))
        handle.close()
        face(face.client(Played(Service())).run(request()))
    face(face.client(Played(Service())).run(request()))
    assert kinds(first) == ["submit", "poll", "download"]
    assert kinds(second) == ["download", "download"]


def test_what_cannot_be_called_is_refused() -> None:
    """A coroutine would never be awaited, and a misspelt kind never come."""

    async def listen(event: Event) -> None: ...

    with pytest.raises(ConfigurationError, match="coroutine function"):
        on_event(listen)
    unknown: Any = "downloaded"
    with pytest.raises(ConfigurationError, match="no kind 'downloaded'"):
        on_event(print, unknown)


def test_saving_that_fails_is_told(seen: list[Event], tmp_path: Path, face: Face) -> None:
    """With the error that says where the picture is kept."""
    result = face(face.client(Played(Service())).run(request()))
    (tmp_path / "file").touch()
    with pytest.raises(SaveError):
        result.save(tmp_path / "file" / "folder")
    assert (seen[-1].kind, type(seen[-1].error)) == ("save", SaveError)


@pytest.mark.parametrize("is_async", [False, True])
def test_batches_tell_every_row(seen: list[Event], tmp_path: Path, is_async: bool) -> None:
    """Rows are told as single requests are, with the files where they lie in the end."""
    import asyncio

    from nanorecipes import AsyncClient

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

    async def work() -> list[Any]:
        async with AsyncClient(**options) as client:
            return [o async for o in client.batch(RECIPE, rows, out=tmp_path / "out")]

    if is_async:
        outcomes = asyncio.run(work())
    else:
        with Client(**options) as client:
            outcomes = list(client.batch(RECIPE, rows, out=tmp_path / "out"))
    for kind in ("render", "submit", "poll", "download", "save"):
        assert kinds(seen).count(kind) == 3
    saved = {path for event in seen if event.kind == "save" for path in event.details["paths"]}
    assert saved == {path for outcome in outcomes for path in outcome.paths}
    assert all(path.is_file() for path in saved)
    tasks = {outcome.task_id for outcome in outcomes}
    for kind in ("submit", "poll", "download", "save"):
        assert {event.task_id for event in seen if event.kind == kind} == tasks


def test_many_threads_may_subscribe_at_once() -> None:
    """A web server's workers start together."""
    found: list[Event] = []

    def work() -> None:
        with on_event(found.append):
            recipes[RECIPE].render(photo="a.jpg", part="the mug", change="blue")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    before = len(found)
    assert before >= 8
    recipes[RECIPE].render(photo="a.jpg", part="the mug", change="blue")
    assert len(found) == before


def test_what_can_not_be_called_is_refused_at_once() -> None:
    """Not with each event, in the log."""
    with pytest.raises(ConfigurationError, match="takes a function, found 'print'"):
        on_event("print")  # type: ignore[arg-type]  # what is tested
