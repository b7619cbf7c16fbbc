"""Answers of any shape: whatever comes is read, or told to be unreadable."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from network import picture
from played_google import inline

from nanorecipes.service.google_answers import read_answer, retry_delay_s

MAGIC = b"\x89PNG\r\n\x1a\n"
KEYS = st.sampled_from(
    ["candidates", "content", "parts", "text", "inlineData", "data", "mimeType", "thought",
     "finishReason", "promptFeedback", "blockReason", "usageMetadata", "finishMessage"]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["STOP", "SAFETY", "QUJD", "image/png"]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_no_answer_breaks_the_reader(value: Any) -> None:
    """It was paid for by then: a fault while reading would lose it."""
    found = read_answer(json.dumps(value).encode())
    assert found is None or found.picture is None or isinstance(found.picture, bytes)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Nor does what is no JSON."""
    found = read_answer(data)
    assert found is None or isinstance(found.is_prompt_refused, bool)
    assert retry_delay_s(data) is None or isinstance(retry_delay_s(data), float)


@given(st.binary(min_size=1, max_size=40), st.booleans(), st.booleans())
def test_base64_is_read_in_either_alphabet(data: bytes, is_safe: bool, is_padded: bool) -> None:
    """A picture must not be lost over a dash."""
    text = (base64.urlsafe_b64encode if is_safe else base64.b64encode)(data).decode()
    part = {"inlineData": {"data": text if is_padded else text.rstrip("=")}}
    body = {"candidates": [{"finishReason": "OTHER"}, {"content": {"parts": [part]}}]}
    found = read_answer(json.dumps(body).encode())
    assert found is not None
    assert found.picture == data


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.booleans()), max_size=6))
def test_the_last_picture_that_is_no_draft_wins(pictures: list[tuple[bytes, bool]]) -> None:
    """Whatever drafts stand before, between and behind."""
    parts = [
        {"inlineData": {"data": base64.b64encode(MAGIC + data).decode()}, "thought": is_draft}
        for data, is_draft in pictures
    ]
    found = read_answer(json.dumps({"candidates": [{"content": {"parts": parts}}]}).encode())
    assert found is not None
    finals = [data for data, is_draft in pictures if not is_draft]
    assert found.picture == (MAGIC + finals[-1] if finals else None)


def answered(*parts: Any, more: str = "") -> bytes:
    """An answer's body, with a piece of JSON that no encoder writes."""
    body = json.dumps({"candidates": [{"content": {"parts": [*parts]}, "finishReason": "STOP"}]})
    return (body[:-1] + more + "}").encode()


@pytest.mark.parametrize(
    "behind",
    [
        {"inlineData": {"mimeType": "image/png", "data": ""}},
        {"inlineData": {"mimeType": "image/png", "data": "no base64!"}},
        {"inlineData": {"mimeType": "image/png", "data": "n\u00f6"}},
        {"inlineData": {"mimeType": "audio/wav", "data": base64.b64encode(b"RIFF-sound").decode()}},
    ],
    ids=["empty", "no base64", "no ascii", "no picture"],
)
def test_a_part_that_is_no_picture_takes_none_away(behind: dict[str, Any]) -> None:
    """The picture before it was paid for."""
    found = read_answer(answered(inline(picture()), behind))
    assert found is not None
    assert found.picture == picture()


@pytest.mark.parametrize(
    "more",
    [
        ', "usageMetadata": {"totalTokenCount": ' + "9" * 5_000 + "}",
        ', "usageMetadata": {"totalTokenCount": 1e999999}',
        ', "modelVersion": "a\nb"',
    ],
    ids=["huge number", "endless number", "line break"],
)
def test_what_stands_beside_a_picture_takes_it_not_away(more: str) -> None:
    """A number too long for Python, or a raw line break, is no reason to lose what was paid."""
    found = read_answer(answered(inline(picture()), more=more))
    assert found is not None
    assert found.picture == picture()


def test_a_text_that_is_no_utf8_takes_no_picture_away() -> None:
    """A character cut in half is read as one that can't be told."""
    body = answered({"text": "CUT"}, inline(picture())).replace(b"CUT", b"M\xc3", 1)
    found = read_answer(body)
    assert found is not None
    assert (found.picture, found.text) == (picture(), "M\ufffd")


def test_either_spelling_is_read_where_the_other_is_null() -> None:
    """Some proxies write both."""
    part = {"inlineData": None, "inline_data": {"data": base64.b64encode(picture()).decode()}}
    found = read_answer(answered(part))
    assert found is not None
    assert found.picture == picture()
