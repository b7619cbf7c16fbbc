"""Local pictures put into a bucket: against a real S3 server on this machine."""

from __future__ import annotations

import concurrent.futures
import io
import json
import re
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import obstore.store
import pytest
from moto.server import ThreadedMotoServer
from network import Face, Played, Service, picture, request
from PIL import Image
from werkzeug.serving import WSGIRequestHandler

from nanorecipes import files
from nanorecipes.errors import ConfigurationError, MissingExtraError, ServiceError
from nanorecipes.images import BadImageError, image_input
from nanorecipes.service import door
from nanorecipes.uploads import MAX_VALID_FOR, Uploader, check_place

SECRET = "sk-of-nobody-1234567890"


@dataclass
class Bucket:
    """A bucket of its own, and what was asked of the server for it."""

    name: str
    endpoint: str
    seen: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"s3://{self.name}/shop/in"

    def asked(self, method: str) -> list[str]:
        """Paths of the requests with a method."""
        found = [line.split(" ") for line in self.seen]
        return [path for verb, path in found if verb == method and f"/{self.name}/" in path]


class _Quiet(WSGIRequestHandler):
    """Notes each request in place of printing it."""

    seen: list[str] = []  # noqa: RUF012  # one server for all tests, its lines told apart by bucket

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        self.seen.append(f"{self.command} {self.path}")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server for all tests of this process."""
    from werkzeug import serving

    before = serving.WSGIRequestHandler.log_request
    serving.WSGIRequestHandler.log_request = _Quiet.log_request  # type: ignore[method-assign]
    serving.WSGIRequestHandler.seen = _Quiet.seen  # type: ignore[attr-defined]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    serving.WSGIRequestHandler.log_request = before  # type: ignore[method-assign]


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A new bucket, with the environment that leads to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ak-of-nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    name = f"b-{uuid.uuid4().hex}"
    made = urllib.request.Request(f"{s3_endpoint}/{name}", method="PUT")
    with urllib.request.urlopen(made) as answer:
        assert answer.status == 200
    return Bucket(name, s3_endpoint, _Quiet.seen)


def get(url: str) -> tuple[bytes, HTTPMessage]:
    """What lies behind a signed URL."""
    with urllib.request.urlopen(url) as answer:
        return answer.read(), answer.headers


def test_a_picture_lies_under_its_digest_behind_a_signed_url(bucket: Bucket) -> None:
    """The service fetches it without any key of ours, and learns its true type."""
    data = picture((8, 8), "JPEG")
    url = Uploader(bucket.place).url_for(image_input(data))
    parts = urlsplit(url)
    assert parts.path == f"/{bucket.name}/shop/in/{files.sha256(data)}.jpg"
    query = parse_qs(parts.query)
    assert query["X-Amz-Expires"] == [str(6 * 3600)]
    assert SECRET not in url
    body, headers = get(url)
    assert body == data
    assert headers["Content-Type"] == "image/jpeg"


def test_the_same_content_is_uploaded_once(bucket: Bucket, tmp_path: Path) -> None:
    """By this process and by the next: a catalogue's logo travels one time."""
    data = picture((8, 8))
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(data)
    first = Uploader(bucket.place)
    urls = [first.url_for(image_input(item)) for item in (data, tmp_path / "a.png")]
    urls.append(Uploader(bucket.place).url_for(image_input(tmp_path / "b.jpg")))
    assert len({urlsplit(url).path for url in urls}) == 1
    assert len(bucket.asked("PUT")) == 1
    assert len(bucket.asked("HEAD")) == 2


def test_half_a_picture_under_the_name_is_replaced(bucket: Bucket) -> None:
    """Whoever wrote it broke off; the digest promises the whole."""
    data = picture((8, 8))
    uploader = Uploader(bucket.place)
    key = urlsplit(uploader.url_for(image_input(data))).path.rpartition("/")[2]
    store = obstore.store.from_url(bucket.place, client_options={"allow_http": True})
    obstore.put(store, key, data[:20])
    assert get(Uploader(bucket.place).url_for(image_input(data)))[0] == data


def test_threads_upload_one_picture_once(bucket: Bucket) -> None:
    """Rows are bought side by side, often with the same picture."""
    uploader = Uploader(bucket.place)
    image = image_input(picture((9, 9)))
    barrier = threading.Barrier(6)

    def upload(_: int) -> str:
        barrier.wait()
        return uploader.url_for(image)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        urls = list(pool.map(upload, range(6)))
    assert len({urlsplit(url).path for url in urls}) == 1
    assert len(bucket.asked("PUT")) == 1


def test_the_async_twin_does_the_same(bucket: Bucket) -> None:
    """An event loop gets the same URL and isn't held up."""
    import asyncio

    uploader = Uploader(bucket.place, valid_for=MAX_VALID_FOR)
    image = image_input(picture((7, 7)))
    url = asyncio.run(uploader.url_for_async(image))
    assert urlsplit(url).path == urlsplit(uploader.url_for(image)).path
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == [str(7 * 24 * 3600)]


def test_a_url_is_named_as_it_is(bucket: Bucket) -> None:
    """The service can see it already."""
    image = image_input("https://a.invalid/1.jpg?signature=x")
    assert Uploader(bucket.place).url_for(image) == image.name
    assert bucket.asked("HEAD") == []


def test_a_picture_is_made_fit_before_it_is_uploaded(bucket: Bucket) -> None:
    """The service sees it upright; a broken one never gets there."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(buffer, "JPEG", exif=exif)
    uploader = Uploader(bucket.place)
    body, _ = get(uploader.url_for(image_input(buffer.getvalue())))
    assert Image.open(io.BytesIO(body)).size == (30, 40)
    with pytest.raises(BadImageError, match="cut off or damaged"):
        uploader.url_for(image_input(picture((64, 64))[:200]))
    with pytest.raises(BadImageError, match="no picture of a known type"):
        uploader.url_of(b"nothing")


@pytest.mark.parametrize(
    "valid_for", [timedelta(0), timedelta(days=-1), timedelta(days=7, seconds=1)]
)
def test_a_time_that_no_store_signs_is_refused(valid_for: timedelta) -> None:
    """At once, not when the first row is bought."""
    with pytest.raises(ConfigurationError, match="at most 7 days"):
        Uploader("s3://bucket", valid_for=valid_for)


@pytest.mark.parametrize(
    "place",
    [
        "", "bucket", "/tmp", "file:///tmp", "memory:///", "http://a.invalid/b", "s3://", "s3:///x",
        "s3://me:pass@bucket/x", "s3://bucket/x?token=pass", "s3://bucket/x#pass", "s3://bucket//x",
        "s3://bucket/../x", "s3://buc ket/x", "s3://bucket/a\x00b", "s3://[bucket/x",
    ],
)  # fmt: skip
def test_a_place_that_is_no_bucket_is_refused_unshown(place: str) -> None:
    """What was typed there might be a password."""
    with pytest.raises(ConfigurationError, match="expected s3://bucket/prefix") as caught:
        Uploader(place)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("place", ["s3://b", "gs://b.c/p/q/", " az://b/p ", "s3://b/p q"[:8]])
def test_places_of_three_kinds_are_taken(place: str) -> None:
    """Buckets of the three large clouds, and of what speaks like them."""
    assert check_place(place) == place.strip().rstrip("/")
    assert repr(Uploader(place)) == f"Uploader({place.strip().rstrip('/')!r})"


def test_settings_name_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the setting there is no uploader."""
    assert Uploader.from_settings() is None
    monkeypatch.setenv("NANORECIPES_UPLOADS", "gs://b/p")
    found = Uploader.from_settings()
    assert found is not None
    assert found.place == "gs://b/p"


def test_a_missing_bucket_is_a_setting_to_correct(bucket: Bucket) -> None:
    """Every row would fail alike, so the run must stop; nothing secret is shown."""
    with pytest.raises(ConfigurationError, match=r"is not there \(NoSuchBucket\)") as caught:
        Uploader("s3://absent-bucket/x").url_for(image_input(picture((8, 8))))
    assert "AWS_SECRET_ACCESS_KEY" in str(caught.value.help)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("_quick")
def test_a_refused_connection_is_the_stores_fault(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be there again a moment later."""
    from network import free_port

    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServiceError, match="nothing was sent to the service") as caught:
        Uploader(bucket.place).url_for(image_input(picture((8, 8))))
    assert re.search(r"ak-of-nobody|Signature|127\.0\.0\.1", str(caught.value)) is None


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is tried once: its own pauses are real time."""
    from nanorecipes import uploads

    monkeypatch.setattr(uploads, "_RETRY", {"max_retries": 0})


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("status", [403, 500])
def test_answers_of_the_store_are_told_without_its_words(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """An error of S3 repeats the key id and what was signed."""
    from network import serving

    body = (
        "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>ak-of-nobody</AWSAccessKeyId>"
        "<StringToSign>secret-text</StringToSign></Error>"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ak-of-nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with serving(lambda _, wire: wire.answer(status, body)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises((ConfigurationError, ServiceError)) as caught:
            Uploader("s3://bucket/x").url_for(image_input(picture((8, 8))))
    said = f"{caught.value} {caught.value.help}"
    assert "ak-of-nobody" not in said
    assert "secret-text" not in said
    assert isinstance(caught.value, ConfigurationError) == (status == 403)
    if status == 403:
        assert "SignatureDoesNotMatch" in said


def test_without_obstore_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next step is one line long."""
    import sys

    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtraError) as caught:
        Uploader("s3://bucket/x").url_for(image_input(picture((8, 8))))
    assert caught.value.extra == "uploads"


def test_no_store_is_reached_while_the_network_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that forgets its own store must not find somebody's."""
    assert not door.Door().is_open
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for place in ("s3://bucket/x", "gs://bucket/x"):
        with pytest.raises(ConfigurationError, match="the network is switched off"):
            Uploader(place).url_for(image_input(picture((8, 8))))


# --- the client


def test_the_client_names_local_pictures_by_signed_urls(
    face: Face, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was an error without the setting is one upload with it."""
    monkeypatch.setenv("NANORECIPES_UPLOADS", bucket.place)
    played = Played(Service())
    notes: list[Any] = []
    client = face.client(played, observer=notes.append)
    asked = request(picture((8, 8)), picture((9, 9)), picture((8, 8)))
    result = face(client.run(asked))
    assert result.images
    posted = json.loads(next(s for s in played.requests if s.method == "POST").content)
    (source,), references = posted["image_urls"], posted["reference_images"]
    assert get(source)[0] == picture((8, 8))
    assert get(references[0])[0] == picture((9, 9))
    assert references[1] == source
    assert len(bucket.asked("PUT")) == 2
    assert played.calls[0] == "POST /api/v1/images/generate"
    assert "Signature" not in repr(notes)
    assert "Signature" not in json.dumps(result.origin.to_json(), default=str)
    face(client.submit(asked))
    assert len(bucket.asked("PUT")) == 2


def test_a_failed_upload_ends_before_the_purchase(
    face: Face, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its source a picture would be made of nothing."""
    monkeypatch.setenv("NANORECIPES_UPLOADS", "s3://absent-bucket")
    played = Played(Service())
    with pytest.raises(ConfigurationError, match="is not there"):
        face(face.client(played).run(request(picture((8, 8)))))
    assert played.posts == 0


def test_the_result_tells_what_was_changed_in_a_picture(face: Face) -> None:
    """What the service saw isn't what lies here."""
    buffer = io.BytesIO()
    Image.new("P", (40, 30)).save(buffer, "GIF")
    played = Played(Service())
    result = face(face.client(played, backend="sandbox").run(request(buffer.getvalue())))
    assert any("was sent changed: GIF converted" in text for text in result.warnings)
    put = next(seen for seen in played.requests if seen.method == "PUT")
    assert put.content.startswith(b"\x89PNG")
    name = re.search(r"([0-9a-f]{64})\.png", str(put.url))
    assert name is not None
    assert name[1] == files.sha256(put.content)
