"""The check of requests: right ones pass, and wrong ones hear everything at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_calls import FLASH, PRO, body

from nanorecipes.catalogue import catalogue
from nanorecipes.sandbox.check import BadRequestError, read_order, request_key, upload_digest

MODELS = st.sampled_from(sorted(catalogue().by_id))
URLS = st.integers(0, 10**6).map(lambda number: f"https://pics.example/{number}.jpg")
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@st.composite
def right_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Requests that the catalogue allows."""
    model = catalogue().by_id[draw(MODELS)]
    made: dict[str, Any] = {
        "model": model.id,
        "prompt": draw(st.text(min_size=1, max_size=80).filter(lambda text: bool(text.strip()))),
        "image_urls": draw(st.lists(URLS, min_size=1, max_size=14)),
    }
    options: dict[str, st.SearchStrategy[Any]] = {
        "reference_images": st.lists(URLS, max_size=14),
        "aspect_ratio": st.sampled_from(model.ratios),
        "quality": st.sampled_from(model.qualities),
        "num_images": st.integers(1, 10),
        "seed": st.integers(0, 2**32 - 1),
        "search_grounding": st.booleans() if model.search else st.just(False),
        "celery": st.booleans(),
    }
    for key in draw(st.sets(st.sampled_from(sorted(options)))):
        made[key] = draw(options[key])
    return made


def fields(made: Any) -> set[str]:
    """The fields that are wrong."""
    with pytest.raises(BadRequestError) as caught:
        read_order(json.dumps(made).encode())
    return {violation.field for violation in caught.value.violations}


@settings(max_examples=60, deadline=None)
@given(right_bodies())
def test_what_the_catalogue_allows_passes(made: dict[str, Any]) -> None:
    """A sandbox stricter than the service would stop work that is right."""
    order = read_order(json.dumps(made).encode())
    assert order.model.id == made["model"]
    assert order.prompt == made["prompt"]
    assert list(order.images) == made["image_urls"] + made.get("reference_images", [])
    assert order.num_images == made.get("num_images", 1)
    assert order.celery is made.get("celery", False)


@settings(max_examples=60, deadline=None)
@given(right_bodies(), st.sampled_from([*sorted(body()), "seed", "quality"]), JSON_VALUES)
def test_any_json_value_is_accepted_or_refused_with_its_key(
    made: dict[str, Any], key: str, value: Any
) -> None:
    """A value of the wrong type must end in a finding about its key, never in a crash."""
    made[key] = value
    try:
        read_order(json.dumps(made).encode())
    except BadRequestError as exc:
        named = {violation.field.partition(".")[0] for violation in exc.violations}
        # Another model may offer less than the one that the rest was made for.
        assert key in named or key == "model"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_an_order_or_a_bad_request(data: bytes) -> None:
    """Half a body or a body of another type must not bring the sandbox down."""
    with pytest.raises(BadRequestError):
        read_order(data)


@settings(max_examples=60, deadline=None)
@given(right_bodies(), st.randoms(use_true_random=False))
def test_key_depends_on_content_alone(made: dict[str, Any], random: Any) -> None:
    """Faults and pictures are decided by the key: spelling and waiting mode must not change it."""
    shuffled = list(made.items())
    random.shuffle(shuffled)
    other = {**dict(shuffled), "celery": not made.get("celery", False)}
    assert request_key(other) == request_key(made)
    assert request_key({**made, "prompt": made["prompt"] + "!"}) != request_key(made)


def test_key_of_an_upload_is_the_same_on_every_port() -> None:
    """A test over HTTP draws the same picture as one in process."""
    path = f"/sandbox/uploads/{'a' * 64}.png"
    here = request_key(body(image_urls=[f"http://sandbox.invalid{path}"]))
    there = request_key(body(image_urls=[f"http://127.0.0.1:4711{path}"]))
    assert here == there
    assert upload_digest(f"http://sandbox.invalid{path}") == "a" * 64
    assert upload_digest("http://sandbox.invalid/sandbox/uploads/short.png") is None


@dataclass(frozen=True)
class Case:
    """A change to a right request and the fields that become wrong by it."""

    id: str
    change: dict[str, Any]
    wrong: set[str]


CASES = [
    Case("no-model", {"model": None}, {"model"}),
    Case("alias", {"model": "pro"}, {"model"}),
    Case("no-prompt", {"prompt": None}, {"prompt"}),
    Case("blank-prompt", {"prompt": " \n"}, {"prompt"}),
    Case("long-prompt", {"prompt": "x" * 4001}, {"prompt"}),
    Case("no-sources", {"image_urls": None}, {"image_urls"}),
    Case("empty-sources", {"image_urls": []}, {"image_urls"}),
    Case("15-sources", {"image_urls": ["https://a.example/x.png"] * 15}, {"image_urls"}),
    Case("path", {"image_urls": ["me.jpg"]}, {"image_urls.0"}),
    Case("data-url", {"image_urls": ["data:image/png;base64,AA=="]}, {"image_urls.0"}),
    Case("bad-port", {"image_urls": ["http://a.example:99999/x"]}, {"image_urls.0"}),
    Case("bad-host", {"image_urls": ["http://[::1/x"]}, {"image_urls.0"}),
    Case("object", {"reference_images": [{"url": "https://a.b"}]}, {"reference_images.0"}),
    Case("15-refs", {"reference_images": ["https://a.example/x"] * 15}, {"reference_images"}),
    Case("pro-512", {"quality": "512"}, {"quality"}),
    Case("quality-number", {"model": FLASH, "quality": 512}, {"quality"}),
    Case("pro-1:8", {"aspect_ratio": "1:8"}, {"aspect_ratio"}),
    Case("match", {"aspect_ratio": "match"}, {"aspect_ratio"}),
    Case("pro-search", {"search_grounding": True}, {"search_grounding"}),
    Case("eleven", {"num_images": 11}, {"num_images"}),
    Case("zero", {"num_images": 0}, {"num_images"}),
    Case("true-is-no-number", {"num_images": True}, {"num_images"}),
    Case("huge-seed", {"seed": 10**30}, {"seed"}),
    Case("celery-text", {"celery": "yes"}, {"celery"}),
    Case("unknown-key", {"colour": "red"}, {"colour"}),
    Case("several", {"prompt": 3, "quality": "8K", "n": 1}, {"prompt", "quality", "n"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_wrong_request_names_each_field(case: Case) -> None:
    """All violations come at once, or a caller mends them one paid hour at a time."""
    assert fields(body(**case.change)) == case.wrong


def test_limits_are_those_of_the_catalogue() -> None:
    """Exactly at the limit is right: 4000 characters, 14 and 14 pictures, 10 results."""
    urls = ["https://a.example/x.png"] * 14
    made = body(prompt="é" * 4000, image_urls=urls, reference_images=urls, num_images=10)
    assert read_order(json.dumps(made).encode()).num_images == 10


def test_message_says_what_is_offered() -> None:
    """Found and expected stand side by side, so that nobody has to look limits up."""
    with pytest.raises(BadRequestError) as caught:
        read_order(json.dumps(body(quality="512")).encode())
    assert str(caught.value) == (
        "quality: vertex/nano-banana-pro doesn't offer '512', expected one of: 1K, 2K, 4K"
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"a": NaN}', b'{"model": "a", "model": "b"}', b"[" * 100_000, b"\xff{}"],
    ids=["empty", "list", "nan", "twice", "deep", "utf8"],
)
def test_what_is_no_json_object_is_one_finding_about_the_body(data: bytes) -> None:
    """A body that can't be read is refused like any other, and before anything is charged."""
    with pytest.raises(BadRequestError) as caught:
        read_order(data)
    assert [violation.field for violation in caught.value.violations] == [""]


def test_tier_falls_back_to_the_default() -> None:
    """Without a quality the service makes its default, and the price is that of it."""
    order = read_order(json.dumps(body(model=PRO)).encode())
    assert (order.quality, order.tier) == (None, "1K")
