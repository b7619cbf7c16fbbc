"""Both clients against the emulator, in this process and over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from network import Face, picture, request

from nanorecipes.client import AsyncClient, Client, Wiring
from nanorecipes.errors import (
    ApiError,
    AuthenticationError,
    ContentBlockedError,
    DownloadError,
    InsufficientCreditsError,
    NoImageError,
    OutcomeUnknownError,
    RateLimitError,
    ServiceError,
    TaskTimeoutError,
)
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.service.timing import VirtualClock


def play(face: Face, script: list[str], route: Any = "generate", **options: Any) -> tuple[Any, Any]:
    """A client of this kind with an emulator of its own, whose next calls go as told."""
    clock = VirtualClock()
    faults = Faults(retry_after_s=3)
    faults.push(script, route=route)
    sandbox = Sandbox(clock=clock.monotonic, wall=clock.time, faults=faults)
    kind = Client if face.kind == "sync" else AsyncClient
    client = kind("sandbox", sandbox=sandbox, wiring=Wiring(clock=clock), **options)
    face.clients.append(client)
    return client, sandbox


def test_a_local_picture_comes_back_as_a_proof(face: Face) -> None:
    """No key, no network, no waiting."""
    client, sandbox = play(face, [])
    result = face(client.run(request(picture(), quality="1K")))
    assert result.images[0].size == (1024, 1024)
    assert result.images[0].mime_type == "image/jpeg"
    assert (result.backend, result.warnings) == ("sandbox", ())
    assert result.cost == sandbox.charged_usd


def test_saved_pictures_are_written_down_as_such(face: Face, tmp_path: Path) -> None:
    """Else `resume` would fetch once more what lies on the disk; the last one of a task decides."""
    from nanorecipes.batch import queries
    from nanorecipes.batch.ledger import Ledger

    book = tmp_path / "ledger.sqlite"
    client, _ = play(face, [], ledger=book)
    result = face(client.run(request(picture(), num_images=2)))
    states = []
    for image in result.images:
        image.save(tmp_path / "out")
        with Ledger(book, create=False) as books:
            states.append(queries.list_runs(books)[0].counts)
    assert states == [{"done": 1}, {"verified": 1}]


def test_sync_mode_works_on_the_emulator_as_well(face: Face) -> None:
    """Both ways to wait lead to the same picture."""
    client, sandbox = play(face, [], mode="sync")
    assert face(client.run(request(picture()))).images
    assert len(sandbox.charges) == 1


def test_the_emulator_of_this_process_is_shared(face: Face) -> None:
    """What one client submitted, another waits for."""
    kind = Client if face.kind == "sync" else AsyncClient
    first, second = kind("sandbox"), kind("sandbox")
    face.clients += [first, second]
    task = face(first.submit(request(picture())))
    assert face(second.wait(task.task_id)).images


@pytest.mark.parametrize("fault", ["429", "429_date", "503", "refused"])
def test_faults_before_any_work_are_waited_out(face: Face, fault: str) -> None:
    """One charge, however often it was refused."""
    client, sandbox = play(face, [fault] * 4)
    assert face(client.run(request(picture()))).images
    assert len(sandbox.charges) == 1


@pytest.mark.parametrize(
    ("fault", "error", "charges"),
    [
        ("drop_after", OutcomeUnknownError, 1),
        ("drop_before", OutcomeUnknownError, 0),
        ("500", OutcomeUnknownError, 1),
        ("502", OutcomeUnknownError, 1),
        ("504", OutcomeUnknownError, 1),
        ("503_bare", OutcomeUnknownError, 1),
        ("half_body", OutcomeUnknownError, 1),
        ("bad_json", OutcomeUnknownError, 1),
        ("never_ends", TaskTimeoutError, 1),
        ("expired_task", ServiceError, 1),
        ("unknown_task", ServiceError, 1),
        ("failed_task", ServiceError, 1),
        ("no_image", NoImageError, 1),
        ("blocked", ContentBlockedError, 1),
        ("truncated_picture", DownloadError, 1),
        ("not_a_picture", DownloadError, 1),
    ],
)
def test_each_fault_has_its_error_and_never_a_second_charge(
    face: Face, fault: str, error: type[ApiError], charges: int
) -> None:
    """The emulator keeps the books that the service doesn't show."""
    client, sandbox = play(face, [fault])
    with pytest.raises(error) as caught:
        face(client.run(request(picture())))
    assert type(caught.value) is error
    assert len(sandbox.charges) == charges


@pytest.mark.parametrize(
    ("fault", "word"), [("wrong_size", "asked for"), ("wrong_type", "image/jpeg")]
)
def test_pictures_that_differ_are_kept_with_a_warning(face: Face, fault: str, word: str) -> None:
    """They were paid for."""
    client, _ = play(face, [fault])
    result = face(client.run(request(picture(), quality="1K")))
    assert word in result.warnings[0]


@pytest.mark.parametrize("route", ["tasks", "results", "uploads", "models"])
@pytest.mark.parametrize("fault", ["429", "503", "refused", "drop_before", "500", "half_body"])
def test_what_costs_nothing_is_tried_again(face: Face, route: str, fault: str) -> None:
    """Twice out of luck is no error."""
    client, sandbox = play(face, [fault, fault], route)
    if route == "models":
        assert face(client.models())
    else:
        assert face(client.run(request(picture()))).images
        assert len(sandbox.charges) == 1


def test_an_answer_later_than_the_time_out_is_unknown(face: Face) -> None:
    """It was charged, and may come back by hand."""
    client, sandbox = play(face, ["slow"])
    sandbox.faults.slow_s = 500
    with pytest.raises(OutcomeUnknownError, match="in time"):
        face(client.run(request(picture())))
    assert len(sandbox.charges) == 1


@pytest.mark.parametrize(
    ("key", "error"),
    [("bad-key", AuthenticationError), ("no-credits", InsufficientCreditsError)],
)
def test_refused_keys_are_told_apart(face: Face, key: str, error: type[ApiError]) -> None:
    """The two most common first errors."""
    client, sandbox = play(face, [], api_key=key)
    with pytest.raises(error):
        face(client.run(request("https://x.invalid/a.png")))
    assert sandbox.charges == []


def test_too_many_refusals_end(face: Face) -> None:
    """Five attempts are the bound."""
    client, sandbox = play(face, ["429"] * 9)
    with pytest.raises(RateLimitError) as caught:
        face(client.run(request(picture())))
    assert caught.value.retry_after_s == 3
    assert sandbox.charges == []


def test_the_emulator_reaches_no_other_host(face: Face) -> None:
    """What is in this process stays there."""
    client, sandbox = play(face, [])
    sandbox.base_url = "http://elsewhere.invalid"
    with pytest.raises(ApiError, match="no other host"):
        face(client.run(request("https://x.invalid/a.png")))
