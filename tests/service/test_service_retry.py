"""When a request is sent again: the table of what a client can know about a POST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network import (
    ACCEPTED,
    RUNNING,
    Action,
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

from nanorecipes.errors import (
    ApiError,
    AuthenticationError,
    ContentBlockedError,
    InsufficientCreditsError,
    NanorecipesError,
    NoImageError,
    OutcomeUnknownError,
    RateLimitError,
    ServiceError,
    TaskTimeoutError,
)
from nanorecipes.service.retry import RetryPolicy, retry_after_s
from nanorecipes.service.timing import VirtualClock

NOW = 1_795_132_800.0
LATE = {"Retry-After": "121"}
SOON = {"Retry-After": "7"}


@dataclass(frozen=True)
class Case:
    """What comes back for a POST, how often it is then sent, and the error at the end."""

    id: str
    action: Action
    posts: int
    error: type[ApiError]


CASES = [
    Case("refused connection", Refuse(), 5, ServiceError),
    Case("connect time-out after a byte", Break(httpx.ConnectTimeout), 1, OutcomeUnknownError),
    Case("reset", Break(httpx.ReadError), 1, OutcomeUnknownError),
    Case("closed", Break(httpx.RemoteProtocolError), 1, OutcomeUnknownError),
    Case("time-out", Break(httpx.ReadTimeout), 1, OutcomeUnknownError),
    Case("write failed", Break(httpx.WriteError), 1, OutcomeUnknownError),
    Case("unforeseen", Break(RuntimeError), 1, OutcomeUnknownError),
    Case("half a body", Break(httpx.ReadError, 202, b'{"task'), 1, OutcomeUnknownError),
    Case("429", Answer(429), 5, RateLimitError),
    Case("429 for long", Answer(429, "", LATE), 1, RateLimitError),
    Case("503 for long", Answer(503, "", LATE), 1, RateLimitError),
    Case("503 with Retry-After", Answer(503, "", SOON), 5, ServiceError),
    Case("503 overloaded", Answer(503, {"error": "model overloaded"}), 5, ServiceError),
    Case("503 capacity", Answer(503, "at capacity"), 5, ServiceError),
    Case("503 try again", Answer(503, "Please try again."), 5, ServiceError),
    Case("503 alone", Answer(503, "oops"), 1, OutcomeUnknownError),
    Case("503 odd Retry-After", Answer(503, "", {"Retry-After": "soon"}), 1, OutcomeUnknownError),
    *(
        Case(str(code), Answer(code, "overloaded, try again"), 1, OutcomeUnknownError)
        for code in (301, 307, 405, 408, 409, 418, 500, 502, 504, 599, 204)
    ),
    Case("400", Answer(400, {"detail": "bad ratio"}), 1, ServiceError),
    Case("400 blocked", Answer(400, {"error": {"code": "SAFETY"}}), 1, ContentBlockedError),
    Case("401", Answer(401), 1, AuthenticationError),
    Case("402", Answer(402), 1, InsufficientCreditsError),
    Case("403", Answer(403), 1, AuthenticationError),
    Case("403 blocked", Answer(403, {"detail": "content policy"}), 1, ContentBlockedError),
    Case("404", Answer(404), 1, ServiceError),
    Case("413", Answer(413), 1, ServiceError),
    Case("422", Answer(422, {"detail": [{"loc": ["body"], "msg": "no"}]}), 1, ServiceError),
    Case("200 page", Answer(200, "<html></html>"), 1, OutcomeUnknownError),
    Case("200 empty", Answer(200, b""), 1, OutcomeUnknownError),
    Case("200 empty object", Answer(200, {}), 1, OutcomeUnknownError),
    Case("202 list", Answer(202, []), 1, OutcomeUnknownError),
    Case("202 no id", Answer(202, {"status": "pending"}), 1, OutcomeUnknownError),
    Case("200 no images", Answer(200, {"task_id": "t", "images": []}), 1, NoImageError),
    Case("200 failed", Answer(200, {"status": "failed", "error": "x"}), 1, ServiceError),
    Case("200 error only", Answer(200, {"error": "boom"}), 1, ServiceError),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_post_is_sent_again_only_where_the_table_says_so(face: Face, case: Case) -> None:
    """A re-sent POST is a second purchase."""
    played = Played(Service(post=[case.action]))
    with pytest.raises(ApiError) as caught:
        face(face.client(played).run(request()))
    assert type(caught.value) is case.error
    assert played.posts == case.posts
    assert len(played.calls) == case.posts
    if isinstance(case.action, Answer):
        assert caught.value.status in (case.action.status, None)


@pytest.mark.parametrize(
    "first", [Refuse(), Answer(429), Answer(503, "overload"), Answer(503, "", SOON)]
)
def test_a_request_that_did_no_work_is_sent_until_it_is_taken(face: Face, first: Action) -> None:
    """Four refusals and then a yes are one purchase."""
    played = Played(Service(post=[first] * 4 + [ACCEPTED]))
    assert face(face.client(played).run(request())).task_id == "t-1"
    assert played.posts == 5


def test_retry_after_is_kept_to_the_second(face: Face, clock: VirtualClock) -> None:
    """The service's own delay wins over the backoff."""
    played = Played(Service(post=[Answer(429, "", {"Retry-After": "120"}), ACCEPTED]))
    face(face.client(played, clock=clock).submit(request()))
    assert clock.monotonic() == 120


def test_retry_after_may_be_a_date(face: Face, clock: VirtualClock) -> None:
    """HTTP allows both forms."""
    date = {"Retry-After": "Fri, 20 Nov 2026 00:01:30 GMT"}
    played = Played(Service(post=[Answer(429, "", date), ACCEPTED]))
    face(face.client(played, clock=clock).submit(request()))
    assert clock.monotonic() == 90


def test_a_longer_retry_after_is_told_not_waited(face: Face, clock: VirtualClock) -> None:
    """The caller learns when to come back."""
    played = Played(Service(post=[Answer(429, {"detail": "slow down"}, {"Retry-After": "3600"})]))
    with pytest.raises(RateLimitError, match="slow down") as caught:
        face(face.client(played, clock=clock).submit(request()))
    assert caught.value.retry_after_s == 3600
    assert clock.monotonic() == 0


def test_a_wait_beyond_the_deadline_is_not_begun(face: Face, clock: VirtualClock) -> None:
    """Waiting for nothing helps nobody."""
    played = Played(Service(post=[Answer(429, "", {"Retry-After": "60"})]))
    with pytest.raises(RateLimitError):
        face(face.client(played, clock=clock, timeout_s=30).submit(request()))
    assert (played.posts, clock.monotonic()) == (1, 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1.5", 1.5),
        (" 12 ", 12),
        ("Fri, 20 Nov 2026 00:00:30 GMT", 30),
        ("Fri, 20 Nov 2020 00:00:30 GMT", 0),
        ("-1", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("²", None),
        ("99999999999999999999", None),
        ("Fri, 99 Nov 2026 00:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_or_left(text: str, seconds: float | None) -> None:
    """A header from outside may hold anything."""
    assert retry_after_s({"retry-after": text}, NOW) == seconds


def test_backoff_doubles_to_a_bound_less_a_random_part() -> None:
    """Many clients must not come back at the same moment."""
    full = RetryPolicy(random=lambda: 0.0)
    half = RetryPolicy(random=lambda: 1.0)
    assert [full.backoff_s(n) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert half.backoff_s(3) == 2


def test_a_task_id_in_an_answer_cut_short_is_found(face: Face) -> None:
    """The picture can be had though the answer is broken."""
    cut = Break(httpx.ReadError, 202, b'{"task_id": "t-77", "sta')
    with pytest.raises(OutcomeUnknownError) as caught:
        face(face.client(Played(Service(post=[cut]))).run(request()))
    assert caught.value.task_id == "t-77"
    assert caught.value.status == 202
    assert "t-77" in (caught.value.help or "")


def test_half_a_task_id_is_none(face: Face) -> None:
    """A cut id names another task, or none."""
    cut = Break(httpx.ReadError, 202, b'{"task_id": "t-7')
    with pytest.raises(OutcomeUnknownError) as caught:
        face(face.client(Played(Service(post=[cut]))).run(request()))
    assert caught.value.task_id is None


def test_an_answer_without_end_is_cut(face: Face) -> None:
    """A service gone wrong must not fill the memory."""
    endless = Answer(200, b"x" * (16 * 1024 * 1024 + 1))
    with pytest.raises(OutcomeUnknownError, match="larger"):
        face(face.client(Played(Service(post=[endless]))).run(request()))


POLL_TROUBLE: list[Action] = [
    Refuse(),
    Break(),
    Answer(500),
    Answer(429, "", SOON),
    Answer(200, "<html>"),
    Answer(408),
]


@pytest.mark.parametrize("trouble", POLL_TROUBLE)
def test_a_poll_is_asked_again(face: Face, trouble: Action) -> None:
    """Asking is free."""
    played = Played(Service(poll=[trouble] * 4 + [RUNNING] + [trouble] * 4 + [done()]))
    assert face(face.client(played).run(request())).task_id == "t-1"
    assert played.posts == 1


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Refuse(), ServiceError),
        (Answer(502), ServiceError),
        (Answer(429), RateLimitError),
        (Answer(429, "", LATE), RateLimitError),
        (Answer(200, "<html>"), OutcomeUnknownError),
        (Answer(401), AuthenticationError),
        (Answer(404, {"detail": "no such task"}), ServiceError),
    ],
)
def test_polls_that_stay_in_trouble_end_with_the_task(
    face: Face, trouble: Action, error: type[ApiError]
) -> None:
    """The purchase stands, so its id is never lost."""
    played = Played(Service(poll=[trouble]))
    with pytest.raises(error) as caught:
        face(face.client(played).run(request()))
    assert caught.value.task_id == "t-1"
    assert played.posts == 1
    assert len(played.calls) <= 6


def test_a_task_may_be_unknown_for_a_moment(face: Face) -> None:
    """The part that takes requests is quicker than the one that knows tasks."""
    missing = Answer(404)
    played = Played(Service(poll=[missing, missing, missing, RUNNING, missing, done()]))
    assert face(face.client(played).run(request())).images


def test_a_poll_in_trouble_at_the_deadline_is_a_task_that_takes_too_long(face: Face) -> None:
    """The task may still finish, so the error says how to go on."""
    played = Played(Service(poll=[Answer(429, "", {"Retry-After": "100"})]))
    with pytest.raises(TaskTimeoutError) as caught:
        face(face.client(played, timeout_s=20).run(request()))
    assert caught.value.task_id == "t-1"


FAULTS: list[Action] = [
    Refuse(),
    Break(httpx.ReadError),
    Break(httpx.ReadTimeout),
    Break(httpx.RemoteProtocolError, 202, b'{"task_id": "t-1"'),
    Answer(429, "", SOON),
    Answer(429, "", LATE),
    Answer(503, "overloaded"),
    Answer(503, "oops"),
    Answer(500, "boom"),
    Answer(200, "<html>"),
    Answer(402),
    Answer(422, {"detail": "no"}),
    ACCEPTED,
]
_POLLS: list[Action] = [
    RUNNING,
    Refuse(),
    Break(),
    Answer(404),
    Answer(500),
    Answer(200, {"status": "failed", "error": "no"}),
    Answer(200, {"status": "done", "images": []}),
    done(),
    done(f"{'http://service.invalid'}/1.png", "http://other.invalid/2.png"),
]
_FILES: list[Action] = [
    Answer(200, picture()),
    Answer(200, picture()[:5000]),
    Answer(302, "", {"Location": "http://other.invalid/x.png"}),
    Answer(404),
    Answer(500),
    Refuse(),
    Break(),
]


def _may_have_been_accepted(action: Action) -> bool:
    """Told apart here from first principles, not by the code under test."""
    if isinstance(action, Refuse):
        return False
    if isinstance(action, Break):
        return True
    if action.status == 503:
        return "Retry-After" not in action.headers and "overload" not in str(action.body)
    return action.status not in (400, 401, 402, 403, 404, 413, 422, 429)


@settings(max_examples=150, deadline=None)
@given(
    posts=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=7),
    polls=st.lists(st.sampled_from(_POLLS), min_size=1, max_size=8),
    downloads=st.lists(st.sampled_from(_FILES), min_size=1, max_size=8),
    mode=st.sampled_from(["task", "sync"]),
    timeout_s=st.sampled_from([0.5, 5, 40, 600]),
)
def test_both_clients_do_the_same_and_never_buy_twice(
    posts: list[Action],
    polls: list[Action],
    downloads: list[Action],
    mode: Any,
    timeout_s: float,
) -> None:
    """Whatever fails in whatever order: same calls, same end, no POST after one that may count."""
    ends = []
    for kind in ("sync", "async"):
        given: list[Action] = []
        service = Service(list(posts), list(polls), list(downloads))
        notes: list[Any] = []

        def play(seen: Any, service: Service = service, given: list[Action] = given) -> Action:
            action = service(seen)
            if seen.method == "POST":
                given.append(action)
            return action

        face, played, clock = Face(kind), Played(play), VirtualClock(NOW)
        client = face.client(
            played, clock=clock, mode=mode, timeout_s=timeout_s, observer=notes.append
        )
        try:
            end: Any = len(face(client.run(request())).images)
        except NanorecipesError as exc:
            end = (type(exc), str(exc))
        finally:
            face.close()
        assert not any(_may_have_been_accepted(action) for action in given[:-1])
        ends.append((end, played.calls, clock.monotonic(), [note.kind for note in notes]))
    assert ends[0] == ends[1]
