"""What a download refuses: addresses inside, odd URLs, bombs and halves."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from network import HOST, Answer, Break, Face, Played, Refuse, Service, done, picture
from PIL import Image

from nanorecipes.errors import DownloadError
from nanorecipes.service import guard
from nanorecipes.service.flow import NoPicture, Picture
from nanorecipes.service.secret import Secret
from nanorecipes.service.timing import VirtualClock

INSIDE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "not an address",
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused(address: str) -> None:
    """A result's URL must not make us fetch a neighbour's secrets."""
    assert guard.refused_address([address], "cdn.example", "api.example", False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_let_through(address: str) -> None:
    """Where results really lie."""
    assert guard.refused_address([address], "cdn.example", "api.example", False) is None


def test_one_bad_address_of_several_refuses_the_host() -> None:
    """A name that mixes both is an attack or a mistake."""
    both = ["93.184.216.34", "10.0.0.1"]
    assert guard.refused_address(both, "cdn.example", None, False)
    assert guard.refused_address([], "cdn.example", None, False)


def test_the_services_own_host_may_be_inside() -> None:
    """An emulator in the next container is where results lie."""
    assert guard.refused_address(["10.0.0.1"], "Box", "box", False) is None
    assert guard.refused_address(["127.0.0.1"], "localhost", "127.0.0.1", True) is None
    assert guard.refused_address(["10.0.0.1"], "other", "127.0.0.1", True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//a.example/x",
        "http:///x",
        "http://a.example:99999/x",
        "http://[::1/x",
        "http://user:pass@a.example/x",
    ],
)
def test_odd_urls_are_refused(face: Face, url: str) -> None:
    """Only plain http and https are fetched."""
    assert guard.refused_url(url)
    played = Played(Service(poll=[done(url)]))
    if "://" in url and not url.startswith("http:///"):
        with pytest.raises(DownloadError) as caught:
            face(face.client(played).wait("t-1"))
        assert caught.value.task_id == "t-1"
        assert len(played.calls) == 1


def test_loopback_is_told_by_name_and_by_address() -> None:
    """The machine itself has several names."""
    assert guard.is_loopback_host("localhost")
    assert guard.is_loopback_host("LOCALHOST.")
    assert guard.is_loopback_host("127.9.9.9")
    assert guard.is_loopback_host("[::1]")
    assert guard.is_loopback_host("me.example", ["127.0.0.1"])
    assert not guard.is_loopback_host("me.example", ["127.0.0.1", "8.8.8.8"])
    assert not guard.is_loopback_host("me.example")
    assert not guard.is_loopback_host("8.8.8.8")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_whole_picture_is_known_by_its_bytes(kind: str) -> None:
    """Type and size come from the file, not from a header."""
    found = guard.examine(picture((40, 30), kind), 10_000)
    assert found == Picture(f"image/{kind.lower()}", (40, 30))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_part_of_a_picture_is_none(kind: str, share: float) -> None:
    """A cut file opens, and shows half."""
    data = picture((200, 200), kind)
    assert isinstance(guard.examine(data[: int(len(data) * share)], 10**6), NoPicture)


@pytest.mark.parametrize("data", [b"", b"<html>", b"BM", b"RIFF0000WEBP", b"\xff\xd8\xff"])
def test_other_bytes_are_no_picture(data: bytes) -> None:
    """A page that says `not found` with status 200 is common."""
    assert isinstance(guard.examine(data, 10**6), NoPicture)


def _bomb(width: int, height: int) -> bytes:
    """A tiny file whose header promises a huge picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_001, 10_000), (100_000, 100_000)])
def test_a_pixel_bomb_is_refused_by_its_header(face: Face, size: tuple[int, int]) -> None:
    """Decoding it would take all memory; fetching it again changes nothing."""
    played = Played(Service(poll=[done()], file=[Answer(200, _bomb(*size))]))
    with pytest.raises(DownloadError, match="pixels"):
        face(face.client(played).wait("t-1"))
    assert played.calls.count("GET /files/1.png") == 1


def test_a_type_that_cannot_be_decoded_here_is_taken_by_its_name() -> None:
    """HEIC is a picture, though its size isn't known."""
    data = b"\0\0\0\x18ftypheic" + b"\0" * 40
    assert guard.examine(data, 10**6) == Picture("image/heic", None)


def test_large_files_are_refused_by_their_header_and_while_they_come(face: Face) -> None:
    """A header may lie, so both are bounded."""
    limits = guard.DownloadLimits(max_bytes=1000)
    for headers in ({"Content-Length": "1001"}, {}):
        played = Played(Service(poll=[done()], file=[Answer(200, picture(), headers)]))
        with pytest.raises(DownloadError, match="1000 bytes"):
            face(face.client(played, wiring={"limits": limits}).wait("t-1"))
        assert played.calls.count("GET /files/1.png") == 1


@pytest.mark.parametrize(
    "trouble",
    [Refuse(), Break(), Answer(500), Answer(404), Answer(429), Answer(200, picture()[:9000])],
)
def test_a_download_is_tried_three_times(face: Face, trouble: Answer) -> None:
    """It is free, and stores are late or busy at times."""
    played = Played(Service(poll=[done()], file=[trouble, trouble, Answer(200, picture())]))
    assert face(face.client(played).wait("t-1")).images
    played = Played(Service(poll=[done()], file=[trouble]))
    with pytest.raises(DownloadError):
        face(face.client(played).wait("t-1"))
    assert played.calls.count("GET /files/1.png") == 3


@pytest.mark.parametrize("answer", [Answer(403), Answer(410), Answer(302), Answer(204)])
def test_a_download_that_is_refused_is_not_tried_again(face: Face, answer: Answer) -> None:
    """No waiting where waiting can't help."""
    played = Played(Service(poll=[done()], file=[answer]))
    with pytest.raises(DownloadError):
        face(face.client(played).wait("t-1"))
    assert played.calls.count("GET /files/1.png") == 1


def test_three_redirects_are_followed_and_no_more(face: Face) -> None:
    """A loop ends."""

    def hop(number: int) -> Answer:
        return Answer(302, "", {"Location": f"{number}.png"})

    for hops, is_fine in ((3, True), (4, False)):
        played = Played(
            Service(poll=[done()], file=[*map(hop, range(hops)), Answer(200, picture())])
        )
        client = face.client(played)
        if is_fine:
            assert face(client.wait("t-1")).images
            assert played.calls[-1] == "GET /files/2.png"
        else:
            with pytest.raises(DownloadError, match="redirects"):
                face(client.wait("t-1"))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.invalid/", "http://[bad"])
def test_every_redirect_is_checked_like_the_first(face: Face, target: str) -> None:
    """The way in is often a redirect."""
    played = Played(Service(poll=[done()], file=[Answer(302, "", {"Location": target})]))
    with pytest.raises(DownloadError):
        face(face.client(played).wait("t-1"))
    assert len(played.calls) == 2


def test_a_download_has_a_bound_of_its_own(face: Face, clock: VirtualClock) -> None:
    """Ten minutes of Retry-After are not waited for a file."""
    busy = Answer(503, "", {"Retry-After": "600"})
    played = Played(Service(poll=[done()], file=[busy]))
    with pytest.raises(DownloadError):
        face(face.client(played, clock=clock).wait("t-1"))
    assert clock.monotonic() < 10


def test_a_finished_picture_gets_a_moment_beyond_the_wait(face: Face) -> None:
    """It was paid for: half a minute more is worth it."""
    service = Service(poll=[done()], file=[Answer(500), Answer(200, picture())])
    assert face(face.client(Played(service), timeout_s=1).run(_request())).images


def _request() -> object:
    from network import request

    return request()


def test_the_url_in_an_error_shows_no_key(face: Face) -> None:
    """A service may write the key into the URLs that it hands out."""
    from network import KEY

    played = Played(Service(poll=[done(f"{HOST}/a?token={KEY}")], file=[Answer(410)]))
    with pytest.raises(DownloadError) as caught:
        face(face.client(played).wait("t-1"))
    assert KEY not in f"{caught.value}{caught.value.facts()}"


def test_a_secret_shows_nothing_of_itself() -> None:
    """Not by printing, formatting, copying or pickling."""
    import copy
    import pickle

    secret = Secret("abcdefgh")
    assert "abc" not in f"{secret!r}{secret}{secret.bearer()!r}{[secret]}"
    assert secret.bearer().reveal() == "Bearer abcdefgh"
    assert secret.scrub("an abcdefgh here") == "an [key hidden] here"
    assert Secret("a").scrub("a banana") == "a banana"
    for leak in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError):
            leak(secret)


def test_pictures_with_many_pixels_below_the_bound_give_no_warning() -> None:
    """Pillow's own warning starts below our bound."""
    image = Image.new("1", (9_500, 9_500))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert guard.examine(buffer.getvalue(), 100_000_000) == Picture("image/png", (9_500, 9_500))
