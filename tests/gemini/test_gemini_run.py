"""From a request to a picture on Google directly, against a played service."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from network import SOURCE, Answer, Break, Face, Played, Refuse, picture, request
from played_google import HOST, KEY, PATH, Emulated, answers, client, inline, made, problem, said

from nanorecipes.client import Client
from nanorecipes.errors import (
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    ContentBlockedError,
    DownloadError,
    InputError,
    NoImageError,
    OutcomeUnknownError,
    RateLimitError,
    ServiceError,
)


def script(*actions: Any) -> Played:
    """A service that does these in turn."""
    left = list(actions)
    return Played(lambda _: left.pop(0))


def sent(played: Played, number: int = 0) -> Any:
    """The body of a request."""
    return json.loads(played.requests[number].content)


def test_one_request_brings_the_picture(face: Face) -> None:
    """No upload, no poll, no download: one POST, and what came is what was paid for."""
    played = script(made())
    result = face(client(face, played).run(request()))
    assert played.calls == [f"POST {PATH}"]
    assert result.images[0].data == picture()
    assert (result.images[0].size, result.text) == ((512, 512), "Here it is.")
    assert (result.backend, result.task_id, result.warnings) == ("gemini", None, ())


def test_the_body_says_what_the_request_says(face: Face) -> None:
    """In Google's words, and nothing that wasn't asked for."""
    played = script(made())
    face(client(face, played).run(request(quality="2K", aspect_ratio="16:9", seed=7, search=True)))
    assert sent(played) == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Using the first image, paint the mug blue."},
                    {"fileData": {"fileUri": SOURCE, "mimeType": "image/png"}},
                ],
            }
        ],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
            "seed": 7,
        },
        "tools": [{"googleSearch": {}}],
    }


def test_what_is_not_set_is_not_sent(face: Face) -> None:
    """The service's own defaults then hold."""
    played = script(made())
    face(client(face, played).run(_bare()))
    assert sent(played)["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}
    assert "tools" not in sent(played)


def test_several_pictures_stand_in_their_order_under_their_numbers(face: Face) -> None:
    """`the second image` of the prompt must mean the second."""
    played, jpeg = script(made()), picture(kind="JPEG")
    face(client(face, played).run(request(picture(), "https://pictures.invalid/b", jpeg)))
    assert sent(played)["contents"][0]["parts"][1:] == [
        {"text": "Image 1:"},
        inline(picture()),
        {"text": "Image 2:"},
        {"fileData": {"fileUri": "https://pictures.invalid/b"}},
        {"text": "Image 3:"},
        inline(jpeg, "image/jpeg"),
    ]


def test_the_key_stands_in_its_header_alone(face: Face) -> None:
    """A key in a URL ends in logs; one in an error, in a bug report."""
    played = script(problem(400, f"what is {KEY}?"))
    with pytest.raises(ServiceError) as caught:
        face(client(face, played).run(request()))
    (seen,) = played.requests
    assert seen.headers["x-goog-api-key"] == KEY
    assert "authorization" not in seen.headers
    assert KEY not in str(seen.url)
    assert KEY not in f"{caught.value}{caught.value.facts()}"


def test_what_an_answer_calls_its_picture_steers_nothing(face: Face) -> None:
    """It stands in a warning, which is printed and saved with the picture."""
    for kind in (f"image/{KEY}", "image/\x1b[2J", "image/" + "x" * 500):
        result = face(client(face, script(said(inline(picture(), kind)))).run(request()))
        told = " ".join(result.warnings)
        assert KEY not in told
        assert "\x1b" not in told
        assert len(told) < 200


@pytest.mark.parametrize("kept", [6, len(KEY) - 1, len(KEY)])
def test_a_key_at_the_end_of_a_long_text_is_hidden(face: Face, kept: int) -> None:
    """A text is cut to a bound: the half of a key that is left there is one as well."""
    text = "x" * (2000 - kept) + KEY + " and more"
    result = face(client(face, script(said({"text": text}, inline(picture())))).run(request()))
    assert result.text == "x" * (2000 - kept) + "[key hidden]"


def test_an_answer_that_lacks_only_its_end_is_read(face: Face) -> None:
    """The connection broke behind its last byte: it is whole, and it is paid for."""
    played = script(Break(httpx.ReadError, 200, made().data()))
    result = face(client(face, played).run(request()))
    assert result.images[0].data == picture()
    assert played.posts == 1


def test_an_answer_beyond_the_bound_is_unknown(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was made, so it is never asked for again by itself."""
    monkeypatch.setattr("nanorecipes.service.gemini.MAX_ANSWER_BYTES", 1000)
    played = script(made())
    with pytest.raises(OutcomeUnknownError, match="larger than the 1000 bytes allowed"):
        face(client(face, played).run(request()))
    assert played.posts == 1


def test_the_post_goes_out_on_a_fresh_connection_and_has_time(face: Face) -> None:
    """A stale one can't be told from an accepted request, and a picture takes its time."""
    played = script(made())
    face(client(face, played).run(request()))
    assert played.requests[0].extensions["timeout"]["read"] == 360


def test_the_last_picture_that_is_no_draft_is_taken(face: Face) -> None:
    """Thoughts hold pictures as well, and several steps may be shown."""
    draft, first = picture((64, 64)), picture((256, 256))
    last = inline(picture((64, 32)), thought=True)
    answer = said(inline(draft, thought=True), {"text": "hm", "thought": True}, inline(first),
                  inline(picture()), last)  # fmt: skip
    result = face(client(face, script(answer)).run(request()))
    assert [image.data for image in result.images] == [picture()]
    assert result.text is None


def test_type_and_size_are_told_from_the_bytes(face: Face) -> None:
    """What the answer calls it is not believed, and what differs is told."""
    answer = said(inline(picture((256, 256), "JPEG"), "image/png"))
    result = face(client(face, script(answer)).run(request()))
    assert result.images[0].mime_type == "image/jpeg"
    assert result.warnings == (
        "picture 1: called image/png, but its bytes are image/jpeg",
        "picture 1: 256x256 pixels came, 512x512 were asked for",
    )


@pytest.mark.parametrize(
    ("model", "quality", "usd"),
    [("flash", "2K", "0.101"), ("flash", None, "0.067"), ("pro", "2K", "0.134"),
     ("pro", "4K", "0.24")],
)  # fmt: skip
def test_it_costs_what_google_asks(face: Face, model: str, quality: str | None, usd: str) -> None:
    """Qolaba's price is another one, and the cap must hold for what is paid."""
    asked = request(model=model, quality=quality) if quality else _bare(model)
    result = face(client(face, script(made())).run(asked))
    assert (result.cost, result.cost_source) == (Decimal(usd), "estimate")
    assert result.request.cost_basis.startswith("Google's list price")
    with pytest.raises(BudgetError):
        face(client(face, script()).run(asked, max_cost=Decimal(usd) - Decimal("0.001")))


def _bare(model: str = "flash") -> Any:
    """A request that leaves everything to the service."""
    return replace(request(model=model, quality="1K"), options={"model": model})


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"num_images": 2}, "num_images is 2"),
        ({"model": "other/model", "quality": "1K"}, "other/model is not known here"),
    ],
)
def test_what_google_does_not_take_is_refused_before_anything_is_sent(
    face: Face, asked: dict[str, Any], found: str
) -> None:
    """With the way out, and without a cent."""
    played = script()
    with pytest.raises(InputError, match=found) as caught:
        face(client(face, played).run(request(**asked)))
    assert caught.value.diagnostics[0].help
    assert played.calls == []


def test_more_pictures_than_google_takes_are_refused(face: Face) -> None:
    """Qolaba takes as many references beside the sources."""
    played = script()
    with pytest.raises(InputError, match="15 pictures are attached, and Google takes 14"):
        face(client(face, played).run(request(*[SOURCE] * 15)))
    assert played.calls == []


def test_pictures_beyond_what_google_takes_are_refused(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found, expected, and what to do; a refusal by the service would come after the upload."""
    from nanorecipes.catalogue import catalogue

    low = catalogue()._replace(limits=catalogue().limits._replace(google_request_bytes=200_000))
    monkeypatch.setattr("nanorecipes.preflight.catalogue", lambda: low)
    played = script()
    with pytest.raises(InputError, match=r"has \d\.\d MB .* Google takes 0\.2 MB") as caught:
        face(client(face, played).run(request(picture())))
    assert "fewer or smaller" in str(caught.value.diagnostics[0].help)
    assert played.calls == []


@pytest.mark.parametrize(
    "reason", ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
               "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"],
)  # fmt: skip
def test_a_blocked_picture_says_why(face: Face, reason: str) -> None:
    """The words that came in its place tell what to change; it is never sent again."""
    played = script(said({"text": "I can't."}, finish=reason))
    with pytest.raises(ContentBlockedError) as caught:
        face(client(face, played).run(request()))
    assert (caught.value.reason, caught.value.text) == (reason, "I can't.")
    assert played.posts == 1


def test_a_blocked_prompt_says_why(face: Face) -> None:
    """No candidate comes then."""
    feedback = {"blockReason": "OTHER", "blockReasonMessage": "Not this."}
    answer = Answer(200, {"promptFeedback": feedback})
    with pytest.raises(ContentBlockedError) as caught:
        face(client(face, script(answer)).run(request()))
    assert (caught.value.reason, caught.value.text) == ("OTHER", "Not this.")


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (said({"text": "A blue mug."}, finish="STOP"), "A blue mug."),
        (said(finish="NO_IMAGE"), "NO_IMAGE"),
        (said(finish="MAX_TOKENS"), "MAX_TOKENS"),
        (said(finish="IMAGE_OTHER"), "IMAGE_OTHER"),
        (said(finish="LANGUAGE"), "LANGUAGE"),
        (said(inline(picture(), thought=True)), "STOP"),
        (Answer(200, {"candidates": [], "usageMetadata": {}}), "without a picture"),
        (Answer(200, {"candidates": [{"finishReason": "OTHER", "finishMessage": "x y"}]}), "x y"),
    ],
)
def test_an_answer_without_a_picture_is_an_error(face: Face, answer: Answer, word: str) -> None:
    """Success with nothing to show for it is none."""
    played = script(answer)
    with pytest.raises(NoImageError, match=word):
        face(client(face, played).run(request()))
    assert played.posts == 1


@pytest.mark.parametrize(
    "action",
    [
        Break(httpx.ReadTimeout), Break(httpx.ReadError), Break(httpx.ReadError, 200, b'{"cand'),
        Answer(200, b'{"candidates": [{"content'), Answer(200, b"[]"), Answer(200, {"other": 1}),
        said({"inlineData": {"mimeType": "image/png", "data": "no base64!"}}),
        Answer(500, b""), Answer(503, b"<html>"), problem(504, "Deadline expired."),
        Answer(302, b"", {"location": "/x"}),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_unknown_and_never_sent_again(face: Face, action: Any) -> None:
    """A second POST is a second purchase."""
    played = script(action)
    with pytest.raises(OutcomeUnknownError, match="perhaps charged") as caught:
        face(client(face, played).run(request()))
    assert played.posts == 1
    assert "QOLABA" not in str(caught.value.help)


@pytest.mark.parametrize(
    "action",
    [
        Refuse(), Answer(429, b"", {"retry-after": "3"}),
        problem(503, "The model is overloaded. Please try again later.", status="UNAVAILABLE"),
    ],
)  # fmt: skip
def test_what_was_surely_not_taken_is_sent_again(face: Face, action: Any) -> None:
    """These come before anything is generated."""
    played = script(action, made())
    assert face(client(face, played).run(request())).images[0].data == picture()
    assert played.posts == 2


def test_the_pause_that_a_refusal_asks_for_in_its_body_is_kept(face: Face) -> None:
    """Google says it there, not in a header."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}]
    notes: list[Any] = []
    played = script(problem(429, "quota", details=details), made())
    face(client(face, played, observer=notes.append).run(request()))
    assert [n.data["seconds"] for n in notes if n.kind == "retrying"] == [17.5]


def test_a_pause_too_long_to_wait_is_the_callers(face: Face) -> None:
    """A daily quota is not waited for."""
    details = [{"retryDelay": "3600s"}]
    with pytest.raises(RateLimitError) as caught:
        face(client(face, script(problem(429, "quota", details=details))).run(request()))
    assert caught.value.retry_after_s == 3600


@pytest.mark.parametrize(
    "answer",
    [
        problem(401, "no"), problem(403, "no"),
        problem(400, "API key not valid.", details=[{"reason": "API_KEY_INVALID"}]),
    ],
)  # fmt: skip
def test_a_refused_key_is_told_as_one(face: Face, answer: Answer) -> None:
    """Google refuses a bad key with 400 as well; every row of a batch would fail with it."""
    with pytest.raises(AuthenticationError) as caught:
        face(client(face, script(answer)).run(request()))
    assert "check the key" in str(caught.value.help)


def test_the_way_out_names_this_services_address(face: Face) -> None:
    """Not the other one's."""
    with pytest.raises(ServiceError) as caught:
        face(client(face, script(problem(404, "no such model"))).run(request()))
    assert "GEMINI_BASE_URL" in str(caught.value.help)


def test_bytes_that_are_no_picture_are_told(face: Face) -> None:
    """It was paid for; that it can't be used is no reason to buy another."""
    answer = said(inline(picture()[:900]))
    with pytest.raises(DownloadError):
        face(client(face, script(answer)).run(request()))


def test_submit_and_wait_work_in_one_process(face: Face) -> None:
    """The task holds what came: there is nothing to ask for."""
    played = script(made())
    asking = client(face, played)
    task = face(asking.submit(request()))
    assert face(asking.wait(task)).images[0].data == picture()
    assert task.task_id == ""
    assert played.posts == 1


def test_waiting_for_an_id_says_that_there_is_none(face: Face) -> None:
    """Google knows a request no more once it has answered."""
    played = script()
    with pytest.raises(ServiceError, match="answers a request with its picture"):
        face(client(face, played).wait("t-1"))
    assert played.calls == []


@pytest.mark.parametrize("backend", ["gemini", "qolaba"])
def test_a_client_that_needs_no_key_sends_nothing_without_one(face: Face, backend: str) -> None:
    """It can fetch what lies here; what would leave is stopped by name."""
    played = script()
    asking = client(face, played, backend=backend, api_key=None, wiring={"needs_key": False})
    with pytest.raises(ConfigurationError, match=f"{backend.upper()}_API_KEY is not set"):
        face(asking.run(request()))
    assert played.calls == []


def test_the_live_list_of_models_is_not_asked_for() -> None:
    """It holds no prices; the catalogue does."""
    with pytest.raises(ConfigurationError, match="nothing of sizes and prices"):
        Client("gemini", api_key=KEY, base_url=HOST).models()


def test_local_pictures_need_no_upload_place(face: Face, tmp_path: Path) -> None:
    """They go along in the request."""
    path = tmp_path / "mug.png"
    path.write_bytes(picture())
    played = script(made())
    face(client(face, played).run(request(path)))
    part = sent(played)["contents"][0]["parts"][1]["inlineData"]
    assert base64.b64decode(part["data"]) == picture()
    assert part["mimeType"] == "image/png"


def test_without_books_nothing_is_written(face: Face, tmp_path: Path) -> None:
    """Keeping answers is the ledger's part."""
    result = face(Emulated().client(face, ledger=False).run(request()))
    assert result.images[0].url.startswith("inline:")
    assert answers(tmp_path) == []
