"""The sandbox as a service: tasks, results, uploads, keys and the charge log."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sandbox_calls import (  # fmt: skip
    FLASH,
    KEY,
    PRO,
    Clock,
    body,
    generate,
    get,
    picture,
    poll,
    read,
    result_urls,
    upload,
)

from nanorecipes.catalogue import catalogue
from nanorecipes.sandbox import books, core, gallery
from nanorecipes.sandbox.cache import ByteCache
from nanorecipes.sandbox.check import request_key
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import FAULTS, Faults
from nanorecipes.sandbox.wire import Answer, Call, Drop


def size_of(reply: Answer) -> tuple[int, int]:
    """Pixel size of a picture that was answered."""
    with Image.open(io.BytesIO(reply.body)) as image:
        image.load()
        return image.size


def test_task_goes_from_pending_to_a_picture_of_the_asked_size() -> None:
    """The whole way of a request, as a client walks it."""
    clock = Clock()
    sandbox = Sandbox(clock=clock, task_seconds=10)
    accepted = generate(sandbox, aspect_ratio="3:2", quality="1K")
    assert isinstance(accepted, Answer)
    assert accepted.status == 202
    task_id = read(accepted)["task_id"]
    states = []
    for passed in (0, 1, 4, 4.9, 0.1):
        clock.now += passed
        states.append(poll(sandbox, task_id)["status"])
    assert states == ["pending", "pending", "processing", "processing", "completed"]
    result = poll(sandbox, task_id)["result"]
    assert result["usage"] == {"images_generated": 1, "cost_usd": 0.134, "cost_credits": 13.4}
    (image,) = result["images"]
    assert (image["width"], image["height"]) == (1264, 848)
    assert size_of(get(sandbox, image["url"], {})) == (1264, 848)


def test_sync_call_answers_late_with_the_result() -> None:
    """Without celery the answer itself waits, which is what time-outs are tested with."""
    reply = generate(Sandbox(task_seconds=42), celery=False, num_images=3)
    assert isinstance(reply, Answer)
    assert (reply.status, reply.delay_s) == (200, 42)
    assert len(read(reply)["images"]) == 3


def test_result_is_not_there_before_its_task_is_ready() -> None:
    """A client that guesses a result's URL must not get ahead of the task."""
    clock = Clock()
    sandbox = Sandbox(clock=clock, task_seconds=5)
    task_id = read(generate(sandbox))["task_id"]
    url = f"/sandbox/results/{task_id}-1.jpg"
    assert get(sandbox, url, {}).status == 404
    clock.now += 5
    assert get(sandbox, url, {}).status == 200
    assert get(sandbox, f"/sandbox/results/{task_id}-2.jpg", {}).status == 404
    assert get(sandbox, "/sandbox/results/nothing-1.jpg", {}).status == 404


def test_result_refuses_a_key() -> None:
    """A key that leaks to a download would go to any host that a result names."""
    sandbox = Sandbox(task_seconds=0)
    (url,) = result_urls(sandbox, quality="1K")
    assert get(sandbox, url, {"X-API-Key": "k"}).status == 400
    assert get(sandbox, url, {"authorization": "Bearer k"}).status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic abc"}, 401),
        ({"Authorization": "Bearer bad-key"}, 401),
        ({"x-api-key": "bad-key"}, 401),
        ({"Authorization": "Bearer no-credits"}, 402),
        ({"authorization": "bearer whatever"}, 200),
        ({"X-API-KEY": "whatever"}, 200),
    ],
)
def test_keys(headers: dict[str, str], status: int) -> None:
    """Any key works, and two words play the refusals that a client must understand."""
    sandbox = Sandbox()
    assert get(sandbox, "/api/v1/images/models", headers).status == status
    data = json.dumps(body()).encode()
    headers = {**headers, "Content-Type": "application/json"}
    reply = sandbox.handle(Call("POST", "/api/v1/images/generate", headers, data))
    assert isinstance(reply, Answer)
    assert reply.status == (202 if status == 200 else status)
    assert len(sandbox.charges) == (status == 200)


def test_models_are_those_of_the_catalogue() -> None:
    """`models --refresh` reads this, in the documented shape."""
    listed = read(get(Sandbox(), "/api/v1/images/models"))["models"]
    assert [item["id"] for item in listed] == list(catalogue().by_id)
    pro = next(item for item in listed if item["id"] == PRO)
    assert pro["quality_pricing"]["2K"] == 0.161
    assert pro["imageSize"] == list(catalogue().by_id[PRO].ratios)
    assert (pro["maxNumImages"], pro["maxReferenceImages"]) == (10, 14)


def test_violations_come_at_once_and_charge_nothing() -> None:
    """422 in the shape that the service's framework uses, with index and all."""
    sandbox = Sandbox()
    reply = generate(sandbox, quality="512", image_urls=["https://a.example/x", "b.png"])
    assert isinstance(reply, Answer)
    assert reply.status == 422
    places = [item["loc"] for item in read(reply)["detail"]]
    assert places == [["body", "image_urls", 1], ["body", "quality"]]
    assert sandbox.charges == []


def test_what_is_not_json_by_its_header_is_refused() -> None:
    """A client that forgets the header would fail at the service, so it fails here."""
    sandbox = Sandbox()
    data = json.dumps(body()).encode()
    headers = {"Authorization": "Bearer k", "Content-Type": "text/plain"}
    reply = sandbox.handle(Call("POST", "/api/v1/images/generate", headers, data))
    assert isinstance(reply, Answer)
    assert (reply.status, sandbox.charges) == (422, [])
    large = Call("POST", "/api/v1/images/generate", KEY, b" " * (core.MAX_JSON_BYTES + 1))
    reply = sandbox.handle(large)
    assert isinstance(reply, Answer)
    assert reply.status == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("POST", "/", 405),
        ("GET", "/api/v1/images/generate", 405),
        ("DELETE", "/sandbox/charges", 405),
        ("GET", "/elsewhere", 404),
        ("GET", "/api/v1/tasks/", 404),
        ("GET", "/api/v1/tasks/none", 404),
        ("GET", "/sandbox/uploads/none", 404),
        ("PUT", "/sandbox/uploads/../../etc/passwd", 404),
    ],
)
def test_routes(method: str, path: str, status: int) -> None:
    """Every path gets an answer with a reason."""
    reply = Sandbox().handle(Call(method, path, KEY))
    assert isinstance(reply, Answer)
    assert reply.status == status


def test_upload_is_served_and_decides_the_shape() -> None:
    """Without a ratio the result follows the first source, as at the service."""
    sandbox = Sandbox(task_seconds=0)
    data = picture((300, 200))
    url = upload(sandbox, data)
    served = get(sandbox, url, {})
    assert (served.body, served.headers["Content-Type"]) == (data, "image/png")
    (result,) = result_urls(sandbox, image_urls=[url])
    assert size_of(get(sandbox, result, {})) == (1264, 848)


def test_upload_on_its_side_counts_as_it_is_shown() -> None:
    """A phone's portrait is a landscape with a note; the shape is that of the eye."""
    sandbox = Sandbox(task_seconds=0)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(buffer, "JPEG", exif=exif)
    url = upload(sandbox, buffer.getvalue(), ".jpg")
    (result,) = result_urls(sandbox, image_urls=[url])
    assert size_of(get(sandbox, result, {})) == (848, 1264)


def test_upload_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digest, type and size; what is broken later on would be blamed on the picture."""
    sandbox = Sandbox()

    def status(data: bytes, name: str) -> int:
        reply = sandbox.handle(Call("PUT", f"/sandbox/uploads/{name}", {}, data))
        assert isinstance(reply, Answer)
        return reply.status

    text = b"no picture"
    import hashlib

    digest = hashlib.sha256(text).hexdigest()
    assert status(text, f"{digest}.png") == 415
    assert status(picture(), f"{digest}.png") == 400
    monkeypatch.setattr(core, "MAX_UPLOAD_BYTES", 20)
    assert status(picture(), f"{digest}.png") == 413


def test_source_elsewhere_makes_a_square() -> None:
    """Pictures behind other URLs are never fetched, so their shape isn't known."""
    sandbox = Sandbox(task_seconds=0)
    (result,) = result_urls(sandbox, quality="1K")
    assert size_of(get(sandbox, result, {})) == (1024, 1024)


def test_same_request_gets_the_same_bytes_in_another_sandbox() -> None:
    """Snapshots and bug reports rest on it: also for the second attempt, and over another port."""
    pictures = set()
    for base in ("http://sandbox.invalid", "http://127.0.0.1:5000"):
        sandbox = Sandbox(task_seconds=0, base_url=base)
        source = upload(sandbox, picture())
        for _ in range(2):
            (url,) = result_urls(sandbox, image_urls=[source], seed=4, quality="1K")
            pictures.add(get(sandbox, url, {}).body)
    assert len(pictures) == 1


def test_sheet_shows_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles, ordinals and names as they were sent: what the author looks at the proof for."""
    from nanorecipes.sandbox import paint

    seen: list[paint.Sheet] = []
    monkeypatch.setattr(paint, "paint_plain", lambda sheet: (seen.append(sheet), b"drawn")[1])
    sandbox = Sandbox(task_seconds=0, plain=True)
    held = upload(sandbox, picture())
    changes = {"image_urls": [held, "https://a.example:81/b/c.png?x=1"], "seed": 9, "num_images": 2}
    urls = result_urls(sandbox, reference_images=["https://d.example"], quality="2K", **changes)
    assert get(sandbox, urls[1], {}).body == b"drawn"
    (sheet,) = seen
    tiles = [(t.ordinal, t.role, t.data is not None, t.host, t.name) for t in sheet.tiles]
    assert tiles == [
        (1, "source", True, "sandbox.invalid", held.rpartition("/")[2]),
        (2, "source", False, "a.example", "c.png"),
        (3, "reference", False, "d.example", ""),
    ]
    assert (sheet.model, sheet.tier, sheet.ratio) == ("Nano Banana Pro", "2K", "4:3")
    assert (sheet.size_px, sheet.seed, sheet.number, sheet.count) == ((2400, 1792), 9, 2, 2)
    assert sandbox.charges[0].task_id.startswith(sheet.request)


def test_plain_pictures_have_the_size_and_differ() -> None:
    """Floods of requests measure the caller, not the drawing."""
    sandbox = Sandbox(task_seconds=0, plain=True)
    urls = result_urls(sandbox, num_images=2) + result_urls(sandbox, prompt="Another.")
    replies = [get(sandbox, url, {}) for url in urls]
    assert {size_of(reply) for reply in replies} == {(1024, 1024)}
    assert len({reply.body for reply in replies}) == 3


def test_charge_log_has_price_times_pictures() -> None:
    """What tests of budgets and ledgers compare with, to the cent."""
    clock = Clock()
    sandbox = Sandbox(clock=clock)
    task_id = read(generate(sandbox, quality="2K", num_images=3))["task_id"]
    (charge,) = sandbox.charges
    assert charge == books.Charge(
        task_id, request_key(body(quality="2K", num_images=3)), Decimal("0.483"), 100.0
    )
    assert read(get(sandbox, "/sandbox/charges", {})) == {
        "charges": [
            {"task_id": task_id, "request_key": charge.request_key, "usd": "0.483", "at": 100.0}
        ],
        "total_usd": "0.483",
    }


OUTCOMES = [*FAULTS.values()]
STRIKES = st.sampled_from([f.name for f in OUTCOMES if "generate" in f.routes] + ["ok"])
FREE = {"429", "429_date", "503", "refused", "drop_before"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(STRIKES, st.integers(0, 3), st.booleans()), max_size=25))
def test_each_accepted_post_charges_once_and_no_other(
    calls: list[tuple[str, int, bool]],
) -> None:
    """The promise of the books: whoever is refused has paid nothing, and nobody pays twice."""
    sandbox = Sandbox(faults=Faults().push([fault for fault, _, _ in calls]))
    expected = Decimal(0)
    for fault, row, celery in calls:
        before = len(sandbox.charges)
        reply = generate(sandbox, prompt=f"row {row}", celery=celery)
        free = fault in FREE or (fault == "blocked" and not celery)
        assert len(sandbox.charges) - before == (0 if free else 1)
        expected += 0 if free else Decimal("0.134")
        if isinstance(reply, Drop):
            assert reply.charged is not free
    assert sandbox.charged_usd == expected
    ids = [charge.task_id for charge in sandbox.charges]
    assert len(set(ids)) == len(ids)


def test_threads_share_the_books() -> None:
    """An HTTP server and a pool of workers call it at once; no charge may be lost."""
    sandbox = Sandbox(task_seconds=0)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: generate(sandbox, prompt=f"row {n % 7}"), range(400)))
    ids = {read(reply)["task_id"] for reply in replies}
    assert len(ids) == len(sandbox.charges) == 400
    assert {charge.task_id for charge in sandbox.charges} == ids


def test_a_picture_is_drawn_once_however_many_ask() -> None:
    """A second download while the first one draws must wait for it, not double the work."""
    cache = ByteCache(1000)
    made: list[str] = []
    started, go_on = threading.Event(), threading.Event()

    def make() -> bytes:
        made.append("x")
        started.set()
        assert go_on.wait(30)
        return b"picture"

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(cache.get_or_make, "a", make)
        assert started.wait(30)
        others = [pool.submit(cache.get_or_make, "a", make) for _ in range(3)]
        go_on.set()
        assert {future.result() for future in [first, *others]} == {b"picture"}
    assert made == ["x"]


def test_a_failure_while_drawing_is_not_kept() -> None:
    """The next one who asks tries again."""
    cache = ByteCache(1000)

    def fail() -> bytes:
        raise OSError("no memory")

    with pytest.raises(OSError, match="no memory"):
        cache.get_or_make("a", fail)
    assert cache.get_or_make("a", lambda: b"now") == b"now"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 60))), st.integers(1, 150))
def test_cache_stays_below_its_bound(puts: list[tuple[str, int]], limit: int) -> None:
    """Memory stays bounded in a run of any length; the latest is always held."""
    cache = ByteCache(limit)
    for key, size in puts:
        cache.put(key, bytes(size))
        assert cache.get(key) == bytes(size)
        assert cache.size <= max(limit, size)


def test_old_tasks_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that runs for weeks doesn't grow; its charge log stays whole."""
    monkeypatch.setattr(books, "KEPT_TASKS", 3)
    monkeypatch.setattr(books, "KEPT_ATTEMPTS", 3)
    monkeypatch.setattr(gallery, "KEPT_SIZES", 1)
    sandbox = Sandbox(task_seconds=0)
    ids = [read(generate(sandbox, prompt=f"row {n}"))["task_id"] for n in range(5)]
    found = [get(sandbox, f"/api/v1/tasks/{task_id}").status for task_id in ids]
    assert found == [404, 404, 200, 200, 200]
    assert len(sandbox.charges) == 5
    upload(sandbox, picture((300, 200)))
    wide = upload(sandbox, picture((400, 100)))
    (url,) = result_urls(sandbox, model=FLASH, image_urls=[wide])
    assert size_of(get(sandbox, url, {})) == (2048, 512)


def test_task_ids_stay_apart_when_attempts_were_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two purchases under one id would look like one."""
    monkeypatch.setattr(books, "KEPT_ATTEMPTS", 1)
    sandbox = Sandbox()
    for prompt in ("a", "b", "a", "b", "a"):
        generate(sandbox, prompt=prompt)
    assert len({charge.task_id for charge in sandbox.charges}) == 5
