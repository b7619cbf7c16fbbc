"""From a request to pictures, against a played service."""

from __future__ import annotations

import inspect
import json
from decimal import Decimal
from typing import Any

import pytest
from network import (
    ACCEPTED,
    HOST,
    KEY,
    SOURCE,
    Answer,
    Break,
    Face,
    Played,
    Refuse,
    Service,
    done,
    picture,
    request,
)

from nanorecipes.client import AsyncClient, Client, Task
from nanorecipes.errors import (
    BudgetError,
    DownloadError,
    InputError,
    NanorecipesError,
    OutcomeUnknownError,
    ServiceError,
    TaskTimeoutError,
)
from nanorecipes.service.timing import VirtualClock


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    """Who knows one client knows the other."""
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            twin = getattr(AsyncClient, name)
            if name == "batch":  # an iterator here, an asynchronous one there
                ours, theirs = inspect.signature(method), inspect.signature(twin)
                assert ours.parameters == theirs.parameters
                continue
            assert inspect.signature(method) == inspect.signature(twin), name
            assert inspect.iscoroutinefunction(twin), name
    assert inspect.signature(Client.__init__) == inspect.signature(AsyncClient.__init__)


def test_run_submits_polls_and_downloads(face: Face) -> None:
    """The spine: one purchase, then free questions, then the file."""
    played = Played(Service())
    result = face(face.client(played).run(request()))
    assert played.calls == [
        "POST /api/v1/images/generate",
        "GET /api/v1/tasks/t-1",
        "GET /api/v1/tasks/t-1",
        "GET /files/1.png",
    ]
    assert json.loads(played.requests[0].content) == request().payload()
    assert result.task_id == "t-1"
    assert (result.cost, result.cost_source) == (Decimal("0.045"), "service")
    assert result.images[0].data == picture()
    assert result.images[0].size == (512, 512)
    assert result.images[0].image.size == (512, 512)
    assert result.warnings == ()
    assert result.backend == "qolaba"


def test_the_key_goes_to_the_service_alone(face: Face) -> None:
    """A store of files that sees the key could use it."""
    service = Service(poll=[done("https://cdn.invalid/a.png", f"{HOST}/b.png")])
    played = Played(service)
    face(face.client(played).run(request(num_images=2)))
    sent = {seen.url.path: seen.headers.get("authorization") for seen in played.requests}
    assert sent["/api/v1/images/generate"] == f"Bearer {KEY}"
    assert sent["/api/v1/tasks/t-1"] == f"Bearer {KEY}"
    assert sent["/a.png"] is None
    assert sent["/b.png"] is None


def test_sync_mode_waits_in_one_request(face: Face) -> None:
    """Where the service answers with the pictures, there is nothing to poll."""
    played = Played(Service(post=[done()]))
    result = face(face.client(played, mode="sync").run(request()))
    assert played.calls == ["POST /api/v1/images/generate", "GET /files/1.png"]
    assert json.loads(played.requests[0].content)["celery"] is False
    assert played.requests[0].extensions["timeout"]["read"] == 360
    assert result.task_id == "t-1"


def test_sync_mode_polls_when_the_service_answers_with_a_task(face: Face) -> None:
    """A service that won't wait has taken the request all the same."""
    played = Played(Service(post=[ACCEPTED]))
    face(face.client(played, mode="sync").run(request()))
    assert played.posts == 1


def test_task_mode_takes_pictures_that_come_at_once(face: Face) -> None:
    """A service that ignores `celery` answers with 200 and the pictures."""
    played = Played(Service(post=[done()]))
    client = face.client(played)
    task = face(client.submit(request()))
    assert face(client.wait(task)).images[0].data == picture()
    assert played.calls == ["POST /api/v1/images/generate", "GET /files/1.png"]


def test_a_task_is_waited_for_by_its_id_in_another_process(face: Face) -> None:
    """After a crash the id alone brings the picture."""
    task = face(face.client(Played(Service())).submit(request()))
    assert isinstance(task, Task)
    result = face(face.client(Played(Service())).wait(task.task_id))
    assert result.task_id == "t-1"
    assert result.request is None
    assert result.cost_source == "service"


def test_the_cost_is_the_estimate_when_the_service_is_silent(face: Face) -> None:
    """A result always says whose figure its cost is."""
    client = face.client(Played(Service(poll=[done(cost=None)])))
    result = face(client.run(request()))
    assert (result.cost, result.cost_source) == (Decimal("0.045"), "estimate")
    assert face(client.wait("t-1")).cost_source == "unknown"


@pytest.mark.parametrize("task", ["", "..", " t-1", "a\nb", 7, None])
def test_a_text_that_names_no_task_is_refused_before_anything_is_sent(
    face: Face, task: Any
) -> None:
    """An id becomes a part of a URL."""
    played = Played(Service())
    with pytest.raises(InputError):
        face(face.client(played).wait(task))
    assert played.calls == []


def test_an_id_with_slashes_stays_one_part_of_the_path(face: Face) -> None:
    """A malicious id must not reach another address."""
    played = Played(Service())
    face(face.client(played).wait("a/../b?c"))
    assert played.requests[0].url.raw_path == b"/api/v1/tasks/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize("value", ["edit/change_part", {"prompt": "x"}, None])
def test_only_a_rendered_request_is_run(face: Face, value: Any) -> None:
    """A dict skips every check that a recipe makes."""
    with pytest.raises(InputError, match="render"):
        face(face.client(Played(Service())).run(value))


@pytest.mark.parametrize("value", ["0.01", 0.044, Decimal("0.0449")])
def test_a_request_above_the_allowed_cost_is_not_sent(face: Face, value: Any) -> None:
    """A cap is a promise."""
    played = Played(Service())
    with pytest.raises(BudgetError) as caught:
        face(face.client(played).run(request(), max_cost=value))
    assert caught.value.cost_usd == Decimal("0.045")
    assert played.calls == []


def test_a_request_at_the_allowed_cost_is_sent(face: Face) -> None:
    """The cap itself is allowed, also as a float that has no exact value."""
    assert face(face.client(Played(Service())).run(request(), max_cost=0.045)).images


def test_a_request_without_a_price_is_not_sent_under_a_cap(face: Face) -> None:
    """What can't be estimated can't be kept."""
    with pytest.raises(BudgetError, match="no price"):
        face(face.client(Played(Service())).run(request(model="other/model"), max_cost=9))


@pytest.mark.parametrize("value", ["much", -1, "nan", True, "Infinity"])
def test_a_cap_that_is_no_amount_is_refused(face: Face, value: Any) -> None:
    """A cap that isn't understood must not be ignored."""
    with pytest.raises(InputError, match="max_cost"):
        face(face.client(Played(Service())).run(request(), max_cost=value))


def test_local_pictures_are_refused_on_a_service_that_takes_urls(face: Face) -> None:
    """All of them are named at once, before anything is sent."""
    played = Played(Service())
    with pytest.raises(InputError, match="NANORECIPES_UPLOADS") as caught:
        face(face.client(played).run(request(picture(), SOURCE, picture((8, 8)))))
    assert len(caught.value.diagnostics) == 2
    assert played.calls == []


def test_missing_files_are_found_before_anything_is_sent(face: Face, tmp_path: Any) -> None:
    """A wrong path must not cost a cent."""
    played = Played(Service())
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(InputError) as caught:
        face(
            face.client(played, backend="sandbox").run(
                request(tmp_path / "gone.png", tmp_path / "notes.txt")
            )
        )
    assert [item.field for item in caught.value.diagnostics] == ["source", "reference"]
    assert played.calls == []


def test_local_pictures_go_to_the_sandbox_once_each(face: Face) -> None:
    """The emulator draws them, and the same picture twice is one upload."""
    played = Played(Service())
    face(face.client(played, backend="sandbox").run(request(picture(), picture(), picture((8, 8)))))
    puts = [seen for seen in played.requests if seen.method == "PUT"]
    assert len(puts) == 2
    body = json.loads(next(s for s in played.requests if s.method == "POST").content)
    urls = [str(seen.url).partition("?")[0] for seen in puts]  # the query only tells a name
    assert body["image_urls"] == urls[:1]
    assert body["reference_images"] == urls


def test_an_upload_is_tried_again(face: Face) -> None:
    """Putting a file twice changes nothing."""
    service = Service(put=[Refuse(), Break(), Answer(503), Answer(201)])
    played = Played(service)
    face(face.client(played, backend="sandbox").run(request(picture())))
    assert played.calls.count("POST /api/v1/images/generate") == 1


def test_a_refused_upload_ends_before_the_purchase(face: Face) -> None:
    """Without its source a picture would be made of nothing."""
    played = Played(Service(put=[Answer(413, {"detail": "too big"})]))
    with pytest.raises(ServiceError, match="too big"):
        face(face.client(played, backend="sandbox").run(request(picture())))
    assert played.posts == 0


def test_another_size_number_or_type_is_a_warning(face: Face) -> None:
    """It was paid for: it is told and kept."""
    wrong = Answer(200, picture((512, 400), "JPEG"), {"Content-Type": "image/png"})
    client = face.client(Played(Service(poll=[done()], file=[wrong])))
    result = face(client.run(request(num_images=2)))
    assert len(result.images) == 1
    assert result.images[0].mime_type == "image/jpeg"
    told = " | ".join(result.warnings)
    assert "asked for 2 pictures, the service made 1" in told
    assert "called image/png, but its bytes are image/jpeg" in told
    assert "512x400 pixels came, 512x512 were asked for" in told


def test_three_percent_of_size_are_no_difference(face: Face) -> None:
    """Services round to multiples of 16."""
    client = face.client(Played(Service(file=[Answer(200, picture((512, 500)))])))
    assert face(client.run(request())).warnings == ()


def test_one_failed_download_of_several_keeps_the_others(face: Face) -> None:
    """What was paid for and came is not thrown away."""

    def play(seen: Any) -> Any:
        if seen.url.path == "/files/2.png":
            return Answer(403, b"expired")
        return service(seen)

    service = Service(poll=[done(f"{HOST}/files/1.png", f"{HOST}/files/2.png")])
    result = face(face.client(Played(play)).run(request(num_images=2)))
    assert [image.number for image in result.images] == [1]
    assert "picture 2" in result.warnings[0]


def test_a_failed_download_names_the_task(face: Face) -> None:
    """It can be waited for again without paying."""
    with pytest.raises(DownloadError) as caught:
        face(face.client(Played(Service(file=[Answer(410)]))).run(request()))
    assert caught.value.task_id == "t-1"
    assert "t-1" in (caught.value.help or "")


def test_a_path_is_a_picture_on_the_services_own_host(face: Face) -> None:
    """A relative URL is read as a browser would."""
    played = Played(Service(poll=[done("/files/9.png")]))
    face(face.client(played).run(request()))
    assert str(played.requests[-1].url) == f"{HOST}/files/9.png"


def test_waiting_ends_with_the_task_to_resume(face: Face, clock: VirtualClock) -> None:
    """The wait as a whole is bounded, and nothing is lost by it."""
    from network import RUNNING

    played = Played(Service(poll=[RUNNING]))
    client = face.client(played, clock=clock, timeout_s=30)
    with pytest.raises(TaskTimeoutError) as caught:
        face(client.run(request()))
    assert caught.value.task_id == "t-1"
    assert isinstance(caught.value, TimeoutError)
    assert clock.monotonic() == pytest.approx(30)


def test_polls_come_after_a_second_and_grow_to_ten(face: Face, clock: VirtualClock) -> None:
    """A quick picture is seen soon, a slow one isn't asked for without end."""
    from network import RUNNING

    waits: list[float] = []

    def watch(note: Any) -> None:
        if note.kind == "waiting":
            waits.append(note.data["seconds"])

    service = Service(poll=[RUNNING] * 8 + [done()])
    face(face.client(Played(service), clock=clock, observer=watch).run(request()))
    assert waits == pytest.approx([1, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10, 10, 10])


def test_notes_tell_each_step_in_order(face: Face) -> None:
    """A display, and a ledger, live on them."""
    notes: list[Any] = []
    played = Played(Service(post=[Refuse(), ACCEPTED]))
    face(face.client(played, observer=notes.append).run(request()))
    assert [note.kind for note in notes] == [
        "submitting",
        "retrying",
        "submitting",
        "submitted",
        "waiting",
        "polling",
        "waiting",
        "polling",
        "done",
        "downloaded",
    ]
    assert notes[3].data == {"task_id": "t-1"}
    assert notes[8].data["cost_usd"] == Decimal("0.045")


@pytest.mark.parametrize(("kind", "posts"), [("submitting", 0), ("submitted", 1)])
def test_an_observer_that_raises_stops_the_next_send(face: Face, kind: str, posts: int) -> None:
    """What can't be recorded must not be bought."""

    def record(note: Any) -> None:
        if note.kind == kind:
            raise OSError("disk full")

    played = Played(Service())
    with pytest.raises(OSError, match="disk full"):
        face(face.client(played, observer=record).run(request()))
    assert played.posts == posts
    assert len(played.calls) == posts


def test_an_async_observer_is_awaited() -> None:
    """A ledger on an event loop writes without blocking it."""
    face = Face("async")
    seen: list[str] = []

    async def record(note: Any) -> None:
        seen.append(note.kind)

    face(face.client(Played(Service()), observer=record).submit(request()))
    face.close()
    assert seen == ["submitting", "submitted"]


def test_models_are_read_from_the_service(face: Face) -> None:
    """Live prices come from the service."""
    body = {
        "models": [
            {"id": "m", "quality": ["1K"], "quality_pricing": {"1K": 0.1, "2K": "?"}},
            {"name": "no id"},
        ]
    }
    found = face(face.client(Played(Service(models=[Answer(200, body)]))).models())
    assert [model.id for model in found] == ["m"]
    assert found[0].prices_usd == {"1K": Decimal("0.1")}
    assert found[0].supports_seed is None


@pytest.mark.parametrize("answer", [Answer(200, "<html>"), Answer(404, {"detail": "no"})])
def test_a_list_of_models_that_does_not_come_is_an_error_of_the_service(
    face: Face, answer: Answer
) -> None:
    """Nothing was bought, so nothing is unknown."""
    with pytest.raises(ServiceError):
        face(face.client(Played(Service(models=[answer]))).models())


def test_a_client_is_closed_by_its_context_and_opens_again() -> None:
    """A default client lives as long as the process."""
    played = Played(Service())
    with Face("sync").client(played) as client:
        client.models()
    client.models()
    client.close()
    client.close()
    assert len(played.calls) == 2


def test_an_async_client_is_closed_by_its_context() -> None:
    """Connections end with the block."""
    face = Face("async")

    async def use() -> Any:
        async with face.client(Played(Service())) as client:
            return await client.models()

    assert face(use()) == ()
    face.close()


def test_no_time_left_means_nothing_is_sent(face: Face, clock: VirtualClock) -> None:
    """A purchase that nobody can wait for isn't made."""
    played = Played(Service(put=[Answer(429, "", {"Retry-After": "5"}), Answer(201)]))

    def pass_time(note: Any) -> None:
        if note.kind == "uploaded":
            clock.sleep(60)

    client = face.client(played, clock=clock, backend="sandbox", timeout_s=10, observer=pass_time)
    with pytest.raises(TaskTimeoutError, match="before anything was sent"):
        face(client.run(request(picture())))
    assert played.posts == 0


def test_the_key_shows_nowhere(face: Face) -> None:
    """Not in a repr, an error, its cause or what the service echoes."""
    echo = Answer(401, {"detail": f"bad token {KEY}"})
    client = face.client(Played(Service(post=[echo])))
    with pytest.raises(NanorecipesError) as caught:
        face(client.run(request()))
    error = caught.value
    shown = [repr(client), str(error), repr(error), str(error.facts()), str(error.help)]
    shown += [repr(vars(client)), repr(client._service), str(client._connection)]
    assert not any(KEY in text for text in shown)
    assert "[key hidden]" in str(error)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Break(), "was sent"),
        (Answer(200, f"token {KEY}"), "can't be read"),
        (Answer(500, {"error": f"at {KEY}"}), "500"),
    ],
)
def test_an_unknown_outcome_shows_no_key(face: Face, answer: Any, message: str) -> None:
    """Whatever was said is scrubbed."""
    with pytest.raises(OutcomeUnknownError, match=message) as caught:
        face(face.client(Played(Service(post=[answer]))).run(request()))
    assert KEY not in f"{caught.value}{caught.value.facts()}"
