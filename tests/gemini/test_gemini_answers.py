"""Answers of any shape: whatever comes is read, or told to be unreadable."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nanorecipes.service.google_answers import read_answer, retry_delay_s

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
        {"inlineData": {"data": base64.b64encode(data).decode()}, "thought": is_draft}
        for data, is_draft in pictures
    ]
    found = read_answer(json.dumps({"candidates": [{"content": {"parts": parts}}]}).encode())
    assert found is not None
    finals = [data for data, is_draft in pictures if not is_draft]
    assert found.picture == (finals[-1] if finals else None)
