"""How answers are read whose shape is not confirmed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from network import Answer, Face, Played, Service, request

from nanorecipes.errors import ContentBlockedError, NoImageError, ServiceError
from nanorecipes.service import replies

URL = "https://x.invalid/a.png"
IMAGES = [{"url": URL, "width": 5, "height": 6, "content_type": "image/png"}]


def read(body: Any) -> replies.TaskReply:
    """Read a body that is an object."""
    found = replies.read_task(json.dumps(body).encode())
    assert found is not None
    return found


@pytest.mark.parametrize(
    "word", ["success", "SUCCEEDED", "Completed", "complete", "done", "FINISHED"]
)
def test_words_for_finished(word: str) -> None:
    """The service's spelling isn't known."""
    assert read({"status": word, "images": IMAGES}).state == "finished"


@pytest.mark.parametrize("word", ["failed", "FAILURE", "error", "cancelled", "canceled", "Expired"])
def test_words_for_failed(word: str) -> None:
    """A failed task must not be waited for."""
    assert read({"status": word}).state == "failed"


@pytest.mark.parametrize("word", ["pending", "queued", "STARTED", "processing", "", "ok", "42"])
def test_any_other_word_is_still_running(word: str) -> None:
    """A word that nobody foresaw ends nothing."""
    assert read({"status": word, "images": []}).state == "running"


@pytest.mark.parametrize(
    "body",
    [
        {"images": IMAGES},
        {"images": [URL]},
        {"image": URL},
        {"result": {"images": IMAGES}},
        {"output": {"images": [URL]}},
        {"data": {"result": {"images": [URL]}}},
        {"output": [URL]},
        {"result": URL},
        {"data": [{"url": URL}]},
        {"images": [None, {"url": None}, {"image_url": URL}]},
        {"state": "SUCCESS", "result": {"status": "completed", "images": [URL]}},
    ],
)
def test_pictures_are_found_wherever_they_lie(body: Any) -> None:
    """The result sits at the top or one level down, as objects or as texts."""
    found = read({"task_id": "t", **body})
    assert [image.url for image in found.images] == [URL]
    assert found.state == "finished"


def test_an_echo_of_the_request_is_no_result() -> None:
    """The source's URL must not be taken for the picture that was made."""
    found = read({"task_id": "t", "image_urls": [URL], "request": {"images": [URL]}})
    assert found.images == ()
    assert found.state == "running"


def test_an_envelope_that_succeeded_may_wrap_a_task_that_runs() -> None:
    """`success` can speak of the question, not of the task."""
    assert read({"status": "success", "data": {"status": "processing"}}).state == "running"
    assert read({"status": "success", "data": {"status": "failed"}}).state == "failed"
    assert read({"success": True, "task_id": "t"}).state == "running"
    assert read({"success": False, "task_id": "t"}).state == "failed"


def test_the_facts_of_a_picture_are_kept() -> None:
    """Width, height and type as the service says them."""
    image = read({"images": IMAGES}).images[0]
    assert (image.width, image.height, image.content_type) == (5, 6, "image/png")


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"usage": {"cost_usd": 0.1}}, "0.1"),
        ({"usage": {"cost_usd": "0.1"}}, "0.1"),
        ({"cost_usd": 2}, "2"),
        ({"result": {"usage": {"cost_usd": 0.161}}}, "0.161"),
        ({"usage": {"cost_usd": -1}}, None),
        ({"usage": {"cost_usd": True}}, None),
        ({"usage": {"cost_usd": "NaN"}}, None),
        ({"usage": {"cost_usd": "free"}}, None),
        ({"usage": None}, None),
        ({"usage": []}, None),
    ],
)
def test_costs_are_exact_or_absent(usage: Any, usd: str | None) -> None:
    """0.1 dollars are not 0.1000000000000000055."""
    assert read({"task_id": "t", **usage}).cost_usd == (Decimal(usd) if usd else None)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"detail": "a"}, "a"),
        ({"error": "a"}, "a"),
        ({"error": {"message": "a"}}, "a"),
        ({"error": {"detail": {"msg": "a"}}}, "a"),
        ({"message": "a"}, "a"),
        ({"detail": [{"loc": ["body", "n"], "msg": "a"}, {"msg": "b"}]}, "body.n: a; b"),
        ({"detail": [[[[[["deep"]]]]]]}, None),
        ({"other": "a"}, None),
        ("a", "a"),
        ([1], None),
    ],
)
def test_errors_are_read_in_every_known_shape(body: Any, text: str | None) -> None:
    """What went wrong is said in the service's own words."""
    assert replies.read_error(json.dumps(body).encode())[0] == text


@pytest.mark.parametrize(
    ("body", "text"),
    [(b"Bad gateway", "Bad gateway"), (b"<html>x</html>", None), (b"", None), (b'{"a', None)],
)
def test_a_body_that_is_not_json_is_shown_when_it_is_words(body: bytes, text: str | None) -> None:
    """A gateway's page says nothing; a plain sentence does."""
    assert replies.read_error(body)[0] == text


def test_a_long_text_is_cut() -> None:
    """An error fits on a screen."""
    text, _ = replies.read_error(json.dumps({"detail": "a" * 9000}).encode())
    assert text is not None
    assert len(text) == 2000


@pytest.mark.parametrize(
    "body",
    [
        {"status": "failed", "finish_reason": "IMAGE_SAFETY", "text": "No."},
        {"status": "failed", "error": {"code": "content_blocked"}, "text": "No."},
        {"status": "failed", "error": "blocked by the safety filter", "text": "No."},
        {"status": "completed", "images": [], "finishReason": "PROHIBITED_CONTENT", "text": "No."},
    ],
)
def test_refused_content_is_told_apart(face: Face, body: Any) -> None:
    """Sending the same again would be refused again."""
    with pytest.raises(ContentBlockedError) as caught:
        face(face.client(Played(Service(poll=[Answer(200, body)]))).wait("t-1"))
    assert caught.value.reason
    assert caught.value.task_id == "t-1"
    assert "No." in str(caught.value) or "safety" in str(caught.value)


def test_a_refusal_before_any_work_keeps_its_text(face: Face) -> None:
    """Its words may stand beside the error."""
    body = {"error": {"code": "content_blocked", "message": "refused"}, "text": "I can't."}
    with pytest.raises(ContentBlockedError) as caught:
        face(face.client(Played(Service(post=[Answer(400, body)]))).run(request()))
    assert (caught.value.reason, caught.value.text) == ("content_blocked", "I can't.")
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"status": "completed", "images": [], "text": "Here is a poem."}, "Here is a poem."),
        ({"status": "completed", "result": "Here is a poem."}, "Here is a poem."),
        ({"status": "completed", "output": {"message": "for your safety"}}, "for your safety"),
        ({"status": "completed"}, None),
    ],
)
def test_success_without_a_picture_keeps_the_text(face: Face, body: Any, text: Any) -> None:
    """The text is the only thing that was paid for."""
    with pytest.raises(NoImageError) as caught:
        face(face.client(Played(Service(poll=[Answer(200, body)]))).wait("t-1"))
    assert caught.value.text == text
    assert caught.value.task_id == "t-1"


@pytest.mark.parametrize("word", ["failed", "expired"])
def test_a_failed_task_says_what_the_service_said(face: Face, word: str) -> None:
    """With the word and the reason."""
    answer = Answer(200, {"status": word, "error": {"message": "out of memory"}})
    with pytest.raises(ServiceError, match=f"{word}.*out of memory"):
        face(face.client(Played(Service(poll=[answer]))).wait("t-1"))


@pytest.mark.parametrize(
    ("body", "task_id"),
    [
        ({"task_id": "t"}, "t"),
        ({"task_id": 12}, "12"),
        ({"taskId": "t"}, "t"),
        ({"data": {"task_id": "t"}}, "t"),
        ({"id": "i", "data": {"task_id": "t"}}, "t"),
        ({"id": "i"}, "i"),
        ({"task_id": ""}, None),
        ({"task_id": ".."}, None),
        ({"task_id": True}, None),
        ({"task_id": "x" * 501}, None),
    ],
)
def test_task_ids_are_found_and_checked(body: Any, task_id: str | None) -> None:
    """An id becomes a part of a URL."""
    assert read(body).task_id == task_id


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"NaN", b'"x"', b"\xff", b"[" * 100_000, b'{"a": 1e999999999}']
)
def test_what_is_no_object_is_unread(body: bytes) -> None:
    """No body makes the reader fall over."""
    found = replies.read_task(body)
    assert found is None or not found.is_telling


_KEYS = [
    *("status", "state", "result", "output", "data", "images", "image", "url", "error", "id"),
    *("task_id", "usage", "cost_usd", "text", "detail", "loc", "msg", "models"),
]
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["done", URL]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_VALUES)
def test_no_body_breaks_the_reader(body: Any) -> None:
    """An answer that breaks it would lose a purchase."""
    data = json.dumps(body).encode()
    found = replies.read_task(data)
    assert (found is None) == (not isinstance(body, dict))
    replies.read_error(data)
    replies.read_models(data)


def test_a_list_of_models_may_stand_alone() -> None:
    """With or without the object around it."""
    item = {"id": "m", "name": "M", "imageSize": ["1:1"], "maxNumImages": 4, "supportsSeed": True}
    for body in ([item], {"models": [item]}, {"data": [item]}):
        found = replies.read_models(json.dumps(body).encode())
        assert found is not None
        assert (found[0].name, found[0].ratios, found[0].max_num_images) == ("M", ("1:1",), 4)
    assert replies.read_models(b'{"models": 5}') is None
