"""The emulator on Google's wire: what it takes, what it refuses, and its books."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from sandbox_calls import picture, read

from nanorecipes import files
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.wire import Answer, Call, Drop

PATH = "/v1beta/models/gemini-3-pro-image:generateContent"
KEY = {"x-goog-api-key": "any", "Content-Type": "application/json"}


def part(data: bytes, kind: str = "image/png") -> dict[str, Any]:
    """A picture that goes along."""
    return {"inlineData": {"mimeType": kind, "data": base64.b64encode(data).decode()}}


def body(*more: dict[str, Any], config: Any = None, **top: Any) -> dict[str, Any]:
    """A right request, with more parts and other settings."""
    parts = [{"text": "Make it blue."}, *(more or (part(picture()),))]
    settings = {"responseModalities": ["TEXT", "IMAGE"], **(config or {})}
    return {"contents": [{"parts": parts}], "generationConfig": settings, **top}


def ask(sandbox: Sandbox, made: Any = None, path: str = PATH, **headers: str) -> Answer | Drop:
    """POST a request."""
    data = json.dumps(body() if made is None else made).encode()
    return sandbox.handle(Call("POST", path, {**KEY, **headers}, data))


def parts(reply: Answer | Drop) -> list[dict[str, Any]]:
    """The parts of an answer."""
    found = read(reply)["candidates"][0]["content"]["parts"]
    assert isinstance(found, list)
    return found


def test_it_answers_with_a_picture_behind_its_drafts() -> None:
    """What a client must skip stands there as well."""
    sandbox = Sandbox(plain=True)
    reply = ask(sandbox, body(config={"imageConfig": {"aspectRatio": "1:1", "imageSize": "2K"}}))
    drafts, last = parts(reply)[:-1], parts(reply)[-1]
    assert drafts
    assert all(draft["thought"] for draft in drafts)
    data = base64.b64decode(last["inlineData"]["data"])
    assert files.image_type(data) == last["inlineData"]["mimeType"] == "image/jpeg"
    assert [charge.usd for charge in sandbox.charges] == [Decimal("0.134")]


def test_the_card_shows_the_pictures_that_came_along() -> None:
    """The proof of what would have been sent."""
    sandbox = Sandbox()
    one = base64.b64decode(parts(ask(sandbox))[-1]["inlineData"]["data"])
    other = body(part(picture(kind="JPEG", size=(32, 64)), "image/jpeg"))
    two = base64.b64decode(parts(ask(sandbox, other))[-1]["inlineData"]["data"])
    assert one != two


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (body(config={"temperature": 1}), "generationConfig.temperature"),
        (body(config={"imageConfig": {"imageSize": "2k"}}), "imageConfig.imageSize"),
        (body(config={"imageConfig": {"aspectRatio": "8:1"}}), "imageConfig.aspectRatio"),
        (body(config={"imageConfig": {"size": "2K"}}), "imageConfig.size"),
        (body(config={"imageConfig": []}), "imageConfig"),
        (body(config={"seed": -1}), "generationConfig.seed"),
        (body(config={"responseModalities": ["TEXT"]}), "responseModalities"),
        ({**body(), "generationConfig": 1}, "generationConfig"),
        (body(tools=[{"googleSearch": {}}]), "tools"),
        (body(tools=[{"google_search": {}}]), "tools"),
        (body(prompt="x"), "prompt"),
        (body(part(picture(), "image/jpeg")), "mimeType"),
        (body(part(b"no picture")), "inlineData.data"),
        (body({"inlineData": {"mimeType": "image/png", "data": "???"}}), "inlineData.data"),
        (body({"inlineData": {"mimeType": "image/png", "data": 1}}), "inlineData.data"),
        (body({"fileData": {"fileUri": "gs://x/y"}}), "fileData.fileUri"),
        (body({"fileData": {"fileUri": "https://a.b/c", "mimeType": "text/html"}}), "mimeType"),
        (body({"text": 1}, part(picture())), "parts.1.text"),
        (body({"text": "a", "fileData": {}}, part(picture())), "parts.1"),
        (body("x", part(picture())), "parts.1"),  # type: ignore[arg-type]  # wrong on purpose
        (body(*[part(picture())] * 15), "contents"),
        (body({"text": "no picture"}), "contents"),
        ({"contents": [{"parts": [{"text": "x" * 4001}, part(picture())]}]}, "contents"),
        ({"contents": [{"parts": [part(picture())]}]}, "contents"),
        ({"contents": [{"parts": 1}]}, "contents.0.parts"),
        ({"contents": [1]}, "contents.0"),
        ({"contents": []}, "contents"),
        ({"contents": [{"role": "model", **body()["contents"][0]}]}, "contents.0.role"),
    ],
)
def test_a_body_that_google_would_refuse_is_refused(made: Any, field: str) -> None:
    """A typo is found here, for free; nothing is charged."""
    sandbox = Sandbox(plain=True)
    reply = ask(sandbox, made)
    assert isinstance(reply, Answer)
    assert reply.status == 400
    error = read(reply)["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    assert any(field in v["field"] for v in error["details"][0]["fieldViolations"]), error
    assert sandbox.charges == []


def test_every_violation_is_told_at_once() -> None:
    """One round of mending is enough."""
    made = body(config={"imageConfig": {"imageSize": "8K"}, "seed": "x"}, extra=1)
    violations = read(ask(Sandbox(), made))["error"]["details"][0]["fieldViolations"]
    assert len(violations) == 3


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"x-goog-api-key": ""}, PATH, 403),
        ({"x-goog-api-key": "bad-key"}, PATH, 400),
        ({"x-goog-api-key": "no-credits"}, PATH, 403),
        ({"Content-Type": "text/plain"}, PATH, 400),
        ({}, "/v1beta/models/gemini-9:generateContent", 404),
        ({}, "/v1beta/models/gemini-3-pro-image:predict", 404),
    ],
)
def test_who_may_not_ask_is_refused(headers: dict[str, str], path: str, status: int) -> None:
    """In Google's shape, before anything is charged."""
    sandbox = Sandbox(plain=True)
    reply = ask(sandbox, path=path, **headers)
    assert isinstance(reply, Answer)
    assert (reply.status, read(reply)["error"]["code"]) == (status, status)
    assert sandbox.charges == []


def test_a_key_in_the_url_is_refused() -> None:
    """It works at Google, and ends in logs: a client that does so is told here."""
    reply = Sandbox().handle(Call("POST", PATH, KEY, json.dumps(body()).encode(), "key=any"))
    assert "ends in logs" in read(reply)["error"]["message"]


def test_a_body_beyond_the_limit_is_refused() -> None:
    """As Google does."""
    reply = Sandbox().handle(Call("POST", PATH, KEY, b"x" * (20 * 1024 * 1024 + 1)))
    assert read(reply)["error"]["code"] == 413


@pytest.mark.parametrize(
    ("fault", "status", "word", "charged"),
    [
        ("429", 429, "RESOURCE_EXHAUSTED", 0),
        ("503", 503, "UNAVAILABLE", 0),
        ("500", 500, "internal", 1),
        ("failed_task", 500, "INTERNAL", 1),
        ("expired_task", 504, "DEADLINE_EXCEEDED", 1),
        ("no_image", 200, "NO_IMAGE", 1),
        ("blocked", 200, "IMAGE_SAFETY", 1),
    ],
)
def test_faults_come_in_googles_shape(fault: str, status: int, word: str, charged: int) -> None:
    """What a client does about them can be tried here."""
    sandbox = Sandbox(plain=True, faults=Faults.script([fault]))
    reply = ask(sandbox)
    assert isinstance(reply, Answer)
    assert (reply.status, len(sandbox.charges)) == (status, charged)
    assert word.encode() in reply.body


def test_dropped_connections_are_charged_or_not() -> None:
    """What the caller can't tell, the books do."""
    sandbox = Sandbox(plain=True, faults=Faults.script(["drop_before", "drop_after"]))
    assert ask(sandbox) == Drop(charged=False, sent=True)
    reply = ask(sandbox)
    assert isinstance(reply, Drop)
    assert (reply.charged, len(sandbox.charges)) == (True, 1)


@pytest.mark.parametrize(
    "fault", ["truncated_picture", "not_a_picture", "wrong_type", "wrong_size"]
)
def test_pictures_go_wrong_on_request(fault: str) -> None:
    """In the answer itself, as there is no download."""
    right = parts(ask(Sandbox(plain=True)))[-1]
    wrong = parts(ask(Sandbox(plain=True, faults=Faults.script([fault]))))[-1]
    assert right != wrong
