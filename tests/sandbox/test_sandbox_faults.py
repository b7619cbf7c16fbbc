"""Faults: the same under any order of calls, on demand, and each as the contract describes it."""

from __future__ import annotations

import io
import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError
from sandbox_calls import KEY, Clock, body, generate, get, poll, read, result_urls

from nanorecipes.errors import ConfigurationError
from nanorecipes.sandbox.check import request_key
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import FAULTS, Faults
from nanorecipes.sandbox.wire import Answer, Call, Drop

RATES = {"429": 0.2, "drop_after": 0.2, "slow": 0.1, "failed_task": 0.1}


def outcome(reply: Answer | Drop) -> str:
    """A reply in a word."""
    if isinstance(reply, Drop):
        return f"drop {reply.charged}"
    return f"{reply.status} after {reply.delay_s}"


@settings(max_examples=30, deadline=None)
@given(st.permutations(list(range(12)) * 2))
def test_faults_do_not_depend_on_the_order_of_calls(rows: list[int]) -> None:
    """With many calls in flight the order is chance; a failing run must still be repeatable."""
    sandbox = Sandbox(faults=Faults(RATES, seed=3))
    seen: dict[int, list[str]] = {}
    for row in rows:
        seen.setdefault(row, []).append(outcome(generate(sandbox, prompt=f"row {row}")))
    again = Sandbox(faults=Faults(RATES, seed=3))
    expected = {
        row: [outcome(generate(again, prompt=f"row {row}")) for _ in range(2)] for row in range(12)
    }
    assert seen == expected


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**40), st.text(max_size=20), st.integers(1, 9))
def test_spelling_of_the_rates_does_not_matter(seed: int, key: str, attempt: int) -> None:
    """A text on the command line and a mapping in a test name the same faults."""
    backwards = dict(reversed(RATES.items()))
    text = ", ".join(f"{name}: {share}" for name, share in RATES.items())
    picks = {
        faults.pick("generate", key, attempt)
        for faults in (
            Faults(RATES, seed=seed),
            Faults(backwards, seed=seed),
            Faults.parse(text, seed=seed),
            Faults({f"generate.{name}": share for name, share in RATES.items()}, seed=seed),
        )
    }
    assert len(picks) == 1


def test_rates_are_met_and_seeds_differ() -> None:
    """5 % must be 5 %: with 20,000 keys chance moves it by less than a tenth of that."""
    faults = Faults({"429": 0.05, "drop_after": 0.02}, seed=7)
    picks = [faults.pick("generate", str(key), 1) for key in range(20_000)]
    assert 900 < picks.count("429") < 1100
    assert 340 < picks.count("drop_after") < 460
    other = Faults({"429": 0.05, "drop_after": 0.02}, seed=8)
    assert picks != [other.pick("generate", str(key), 1) for key in range(20_000)]
    assert repr(faults) == "Faults({'429': 0.05, 'drop_after': 0.02}, seed=7)"


def test_certain_and_impossible_rates() -> None:
    """0 never strikes and 1 always does, whatever the hash."""
    always, never = Faults({"503": 1.0}), Faults({"503": 0})
    assert {always.pick("generate", str(n), 1) for n in range(500)} == {"503"}
    assert {never.pick("generate", str(n), 1) for n in range(500)} == {None}


def test_script_strikes_the_next_calls_in_order() -> None:
    """A test says what happens, call by call, and then nothing more."""
    sandbox = Sandbox(faults=Faults.script(["429", "ok", "drop_after"]))
    replies = [outcome(generate(sandbox)) for _ in range(4)]
    assert replies == ["429 after 0.0", "202 after 0.0", "drop True", "202 after 0.0"]


def test_script_over_http_and_for_a_route() -> None:
    """An outside check can order faults as well, for each route."""
    sandbox = Sandbox(task_seconds=0)
    task_id = read(generate(sandbox))["task_id"]

    def push(data: Any) -> Answer | Drop:
        return sandbox.handle(Call("POST", "/sandbox/faults", {}, json.dumps(data).encode()))

    assert read(push({"route": "tasks", "script": ["503", "bad_json"]})) == {"added": 2}
    statuses = [get(sandbox, f"/api/v1/tasks/{task_id}").status for _ in range(2)]
    assert statuses == [503, 200]
    assert poll(sandbox, task_id)["status"] == "completed"
    for wrong in ({"script": ["oops"]}, {"script": 3}, {}, [], {"script": ["gone"]}):
        reply = push(wrong)
        assert isinstance(reply, Answer)
        assert reply.status == 422


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("429", "fault '429' has no rate"),
        ("429:x", "the rate of '429' must be a number from 0 to 1, found 'x'"),
        ("429:2", "the rate of '429' must be a number from 0 to 1, found 2.0"),
        ("429:nan", "the rate of '429' must be a number from 0 to 1, found nan"),
        ("429:0.1,429:0.1", "fault '429' stands twice"),
        ("drop_afer:0.1", "unknown fault 'drop_afer', did you mean 'drop_after'?"),
        ("task.503:0.1", "unknown route 'task' in 'task.503'"),
        ("tasks.drop_after:0.1", "the fault 'drop_after' can't strike 'tasks', only generate"),
        ("429:0.6,503:0.6", "found a sum of 1.2"),
        ("429:0.1,generate.429:0.1", "must name each fault once"),
    ],
)
def test_unreadable_rates_say_why(text: str, message: str) -> None:
    """A misspelt fault that never strikes would make a test of it worthless."""
    with pytest.raises(ConfigurationError) as caught:
        Faults.parse(text)
    assert message in caught.value.message


def test_script_checks_names_before_it_takes_any() -> None:
    """Half a script would strike the wrong calls."""
    faults = Faults()
    with pytest.raises(ConfigurationError):
        faults.push(["429", "nothing"])
    with pytest.raises(ConfigurationError):
        faults.push(["429"], route="nowhere")
    assert faults.pick("generate", "k", 1) is None


def struck(fault: str, /, **changes: Any) -> tuple[Sandbox, Answer | Drop]:
    """A sandbox whose first generate call has this fault, and what came of it."""
    sandbox = Sandbox(
        faults=Faults.script([fault]), clock=Clock(), task_seconds=0, wall=lambda: 1_000_000.0
    )
    return sandbox, generate(sandbox, **changes)


def test_too_many_names_the_wait_in_both_spellings() -> None:
    """Retry-After comes as seconds or as a date, and a client reads both."""
    _, reply = struck("429")
    assert isinstance(reply, Answer)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
    _, reply = struck("429_date")
    assert isinstance(reply, Answer)
    assert parsedate_to_datetime(reply.headers["Retry-After"]).timestamp() == 1_000_001


def test_overload_says_so_and_a_bare_503_does_not() -> None:
    """Only the one that speaks of overload may be sent again."""
    sandbox, reply = struck("503")
    assert "try again" in read(reply)["error"]["message"]
    assert sandbox.charges == []
    sandbox, reply = struck("503_bare")
    assert isinstance(reply, Answer)
    assert reply.status == 503
    assert "Retry-After" not in reply.headers
    assert b"again" not in reply.body
    assert len(sandbox.charges) == 1


@pytest.mark.parametrize("status", ["500", "502", "504"])
def test_server_errors_come_after_the_charge(status: str) -> None:
    """Sending such a call again is a second purchase."""
    sandbox, reply = struck(status)
    assert isinstance(reply, Answer)
    assert (reply.status, len(sandbox.charges)) == (int(status), 1)


def test_dropped_connections() -> None:
    """What the caller sees is the same; what it cost is not."""
    assert struck("refused")[1] == Drop(charged=False, sent=False)
    assert struck("drop_before")[1] == Drop(charged=False, sent=True)
    assert struck("drop_after")[1] == Drop(charged=True, sent=True)


def test_half_a_body_promises_the_whole() -> None:
    """The header's length is how a transport knows that the connection broke."""
    _, reply = struck("half_body")
    assert isinstance(reply, Answer)
    assert reply.is_cut
    assert int(reply.headers["Content-Length"]) > len(reply.body)
    assert not get(Sandbox(), "/", {}).is_cut
    assert not Answer(204, {}, b"").is_cut


def test_unreadable_answer_keeps_its_status() -> None:
    """A 202 that isn't JSON was accepted and charged: the outcome is unknown."""
    sandbox, reply = struck("bad_json")
    assert isinstance(reply, Answer)
    assert (reply.status, reply.is_cut, len(sandbox.charges)) == (202, False, 1)
    with pytest.raises(json.JSONDecodeError):
        read(reply)


def test_slow_answer_is_right_and_late() -> None:
    """Time-outs are tried without waiting: the delay is told, not slept."""
    _, reply = struck("slow")
    assert isinstance(reply, Answer)
    assert (reply.status, reply.delay_s) == (202, 30.0)


@pytest.mark.parametrize(
    ("fault", "status", "key"),
    [
        ("failed_task", "failed", "error"),
        ("expired_task", "expired", "error"),
        ("blocked", "failed", "text"),
        ("no_image", "completed", "result"),
    ],
)
def test_tasks_that_end_without_a_picture(fault: str, status: str, key: str) -> None:
    """Each end is told apart by its words, and no picture lies behind any of them."""
    sandbox, reply = struck(fault)
    task_id = read(reply)["task_id"]
    state = poll(sandbox, task_id)
    assert state["status"] == status
    assert state[key]
    assert get(sandbox, f"/sandbox/results/{task_id}-1.jpg", {}).status == 404


def test_no_image_comes_with_a_text() -> None:
    """Success without a picture is an error whose text is kept."""
    sandbox, reply = struck("no_image")
    result = poll(sandbox, read(reply)["task_id"])["result"]
    assert (result["images"], result["usage"]["images_generated"]) == ([], 0)
    assert "instead of a picture" in result["text"]


@pytest.mark.parametrize(
    ("fault", "status", "charges"),
    [("failed_task", 500, 1), ("expired_task", 504, 1), ("blocked", 400, 0), ("no_image", 200, 1)],
)
def test_sync_calls_fail_with_a_status(fault: str, status: int, charges: int) -> None:
    """Without a task the same ends come as statuses; refused content costs nothing then."""
    sandbox, reply = struck(fault, celery=False)
    assert isinstance(reply, Answer)
    assert (reply.status, len(sandbox.charges)) == (status, charges)


def test_task_that_never_ends_and_task_that_is_unknown() -> None:
    """Both look like patience would help; only a bound on the wait does."""
    clock = Clock()
    sandbox = Sandbox(faults=Faults.script(["never_ends", "unknown_task"]), clock=clock)
    endless, unknown = (read(generate(sandbox))["task_id"] for _ in range(2))
    clock.now += 5 * 3600
    assert poll(sandbox, endless)["status"] in ("pending", "processing")
    assert get(sandbox, f"/api/v1/tasks/{unknown}").status == 404


def fetched(fault: str, route: str) -> Answer:
    """A small picture whose download has this fault, ordered with the request or the fetch."""
    sandbox = Sandbox(task_seconds=0)
    sandbox.faults.push([fault] if route == "generate" else ["ok"])
    (url,) = result_urls(sandbox, model="vertex/nano-banana-flash", quality="512")
    if route == "results":
        sandbox.faults.push([fault], route="results")
    return get(sandbox, url, {})


@pytest.mark.parametrize("route", ["generate", "results"])
def test_damaged_pictures(route: str) -> None:
    """Only the bytes tell: the header says image/jpeg, or even image/png, and means nothing."""
    cut = fetched("truncated_picture", route)
    assert not cut.is_cut
    with pytest.raises(OSError, match="truncated"), Image.open(io.BytesIO(cut.body)) as image:
        image.load()
    page = fetched("not_a_picture", route)
    assert page.headers["Content-Type"] == "image/jpeg"
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(page.body))
    renamed = fetched("wrong_type", route)
    assert renamed.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(renamed.body)) as image:
        assert (image.format, image.size) == ("JPEG", (512, 512))


def test_another_size_than_asked() -> None:
    """The answer claims the asked size; the file has another."""
    with Image.open(io.BytesIO(fetched("wrong_size", "generate").body)) as image:
        assert image.size == (512, 256)
    sandbox = Sandbox(faults=Faults.script(["wrong_size"]), task_seconds=0)
    (url,) = result_urls(sandbox, quality="2K", aspect_ratio="16:9")
    with Image.open(io.BytesIO(get(sandbox, url, {}).body)) as image:
        assert image.size == (1024, 1024)


@pytest.mark.parametrize("route", ["tasks", "results", "models", "uploads"])
def test_every_fault_of_a_route_can_strike_it(route: str) -> None:
    """A name that is listed for a route and does nothing there would be a false promise."""
    clean = Sandbox(task_seconds=0)
    (url,) = result_urls(clean, model="vertex/nano-banana-flash", quality="512")
    task_id = clean.charges[0].task_id
    data = get(clean, url, {}).body
    import hashlib

    name = f"/sandbox/uploads/{hashlib.sha256(data).hexdigest()}.jpg"
    call = {
        "tasks": Call("GET", f"/api/v1/tasks/{task_id}", KEY),
        "results": Call("GET", url.removeprefix(clean.base_url), {}),
        "models": Call("GET", "/api/v1/images/models", KEY),
        "uploads": Call("PUT", name, {}, data),
    }[route]
    right = clean.handle(call)
    for fault in FAULTS.values():
        if route in fault.routes:
            clean.faults.push([fault.name], route=route)
            assert clean.handle(call) != right, fault.name
    assert clean.handle(call) == right
    assert len(clean.charges) == 1


def test_another_attempt_may_go_well() -> None:
    """A request that is struck once must not be struck for ever, or no retry would help."""
    faults = Faults({"429": 0.5}, seed=2)
    sandbox = Sandbox(faults=faults)
    key = request_key(body())
    expected = [429 if faults.pick("generate", key, n) else 202 for n in range(1, 21)]
    replies = [generate(sandbox) for _ in range(20)]
    assert [reply.status for reply in replies if isinstance(reply, Answer)] == expected
    assert set(expected) == {429, 202}


def test_rates_of_a_polled_route_change_from_call_to_call() -> None:
    """A struck poll must not be struck for ever, or waiting would never end."""
    sandbox = Sandbox(faults=Faults.parse("tasks.503:0.5", seed=1), task_seconds=0)
    task_id = read(generate(sandbox))["task_id"]
    statuses = {get(sandbox, f"/api/v1/tasks/{task_id}").status for _ in range(40)}
    assert statuses == {200, 503}
