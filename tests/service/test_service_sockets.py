"""The same over real sockets of this machine, where bytes are cut, late or go astray."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from network import (
    KEY,
    Face,
    Played,
    Seen,
    Server,
    Service,
    Wire,
    free_port,
    picture,
    request,
    serving,
)

from nanorecipes.client import Wiring
from nanorecipes.errors import (
    ConfigurationError,
    DownloadError,
    OutcomeUnknownError,
    ServiceError,
)
from nanorecipes.service import door
from nanorecipes.service.flow import Send
from nanorecipes.service.guard import DownloadLimits
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.secret import Secret
from nanorecipes.service.timing import RealClock, Timeouts, Timing, VirtualClock
from nanorecipes.service.transport import Driver

Respond = Callable[[Seen, Wire], None]


@pytest.fixture
def play() -> Iterator[Play]:
    """A service on a socket whose single answers a test replaces."""
    made = Play()
    with serving(made.respond) as server:
        made.server = server
        yield made


class Play:
    """Answers as a fine service does, but for the routes that a test takes over."""

    server: Server

    def __init__(self) -> None:
        self.routes: dict[str, Respond] = {}

    def respond(self, seen: Seen, wire: Wire) -> None:
        """Answer one request."""
        route = "POST" if seen.method == "POST" else seen.path.split("/")[1]
        self.routes.get(route, getattr(self, f"on_{route}"))(seen, wire)

    def on_POST(self, seen: Seen, wire: Wire) -> None:  # noqa: N802
        wire.answer(202, {"task_id": "t-1"}, keep=True)

    def on_api(self, seen: Seen, wire: Wire) -> None:
        body = {"status": "done", "images": [f"{self.server.url}/files/1.png"]}
        wire.answer(200, body, keep=True)

    def on_files(self, seen: Seen, wire: Wire) -> None:
        wire.answer(200, picture(), Content_Type="image/png")

    def client(self, face: Face, **options: Any) -> Any:
        """A client that reaches this service by its address."""
        wiring = options.pop("wiring", {})
        return face.client(None, base_url=self.server.url, wiring=wiring, **options)

    def posts(self) -> int:
        """How many purchases arrived."""
        return sum(seen.method == "POST" for seen in self.server.seen)


def test_the_whole_way_over_a_socket(face: Face, play: Play) -> None:
    """What the played transport shows holds on the wire."""
    result = face(play.client(face).run(request()))
    assert result.images[0].data == picture()
    post, poll, file = play.server.seen
    assert json.loads(post.body) == request().payload()
    assert post.headers["authorization"] == poll.headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in file.headers
    assert post.headers["user-agent"].startswith("nanorecipes/")


def test_a_post_never_uses_a_kept_connection(face: Face, play: Play) -> None:
    """When a kept one is stale, nobody can tell whether the request arrived."""
    client = play.client(face)
    face(client.submit(request()))
    face(client.submit(request()))
    face(client.wait("t-1"))
    face(client.wait("t-1"))
    face(client.submit(request()))
    posts = [seen.connection for seen in play.server.seen if seen.method == "POST"]
    polls = [seen.connection for seen in play.server.seen if seen.path.startswith("/api/v1/tasks")]
    assert len(set(posts)) == 3
    assert not set(posts) & set(polls)
    assert len(set(polls)) == 1


def test_a_refused_connection_is_tried_five_times_and_sends_nothing(face: Face) -> None:
    """Nobody listens, so nothing was bought."""
    notes: list[Any] = []
    url = f"http://127.0.0.1:{free_port()}"
    client = face.client(None, base_url=url, observer=notes.append)
    with pytest.raises(ServiceError, match="nothing was sent"):
        face(client.run(request()))
    assert [note.kind for note in notes].count("submitting") == 5


def test_a_name_that_does_not_resolve_is_tried_again(face: Face) -> None:
    """DNS fails for moments, and not a byte has left."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        raise OSError("Name or service not known")

    client = face.client(None, base_url="http://api.invalid", wiring={"resolve": resolve})
    with pytest.raises(ServiceError, match=r"api\.invalid can't be resolved"):
        face(client.run(request()))
    assert asked == ["api.invalid"] * 5


def _reset(seen: Seen, wire: Wire) -> None:
    wire.reset()


def _close(seen: Seen, wire: Wire) -> None:
    """Nothing: the connection closes when this returns."""


def _half_body(seen: Seen, wire: Wire) -> None:
    wire.send(b'HTTP/1.1 202 X\r\nContent-Length: 400\r\n\r\n{"task_id": "t-9", "st')


def _half_head(seen: Seen, wire: Wire) -> None:
    wire.send(b"HTTP/1.1 202 X\r\nContent-Le")


def _no_http(seen: Seen, wire: Wire) -> None:
    wire.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


@pytest.mark.parametrize("fault", [_reset, _close, _half_body, _half_head, _no_http])
def test_an_answer_that_breaks_leaves_the_outcome_unknown(
    face: Face, play: Play, fault: Respond
) -> None:
    """The request arrived, and is never sent again by itself."""
    play.routes["POST"] = fault
    with pytest.raises(OutcomeUnknownError) as caught:
        face(play.client(face).run(request()))
    assert play.posts() == 1
    assert caught.value.task_id == ("t-9" if fault is _half_body else None)


def test_a_service_that_never_answers_leaves_the_outcome_unknown(face: Face, play: Play) -> None:
    """A time-out doesn't tell."""
    import threading

    release = threading.Event()
    play.routes["POST"] = lambda seen, wire: [release.wait(30), None][1]
    client = play.client(face, wiring={"timing": Timing(post_s=0.05)})
    try:
        with pytest.raises(OutcomeUnknownError, match="no answer in time"):
            face(client.run(request()))
    finally:
        release.set()
    assert play.posts() == 1


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 202 X\r\n\r\n"])
def test_an_answer_that_drips_ends(face: Face, play: Play, head: bytes) -> None:
    """Each byte comes in time, and the whole never does."""

    def drip(seen: Seen, wire: Wire) -> None:
        wire.send(head)
        while True:
            wire.send(b" " if head else b"\r\n")

    play.routes["POST"] = drip
    timing = Timing(connect_s=0.05, post_s=0.05)
    client = play.client(face, clock=RealClock(), wiring={"timing": timing})
    with pytest.raises(OutcomeUnknownError):
        face(client.run(request()))
    assert play.posts() == 1


def test_a_download_that_drips_ends(face: Face, play: Play) -> None:
    """A byte now and then would hold a worker for ever."""

    def drip(seen: Seen, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 X\r\n\r\n")
        while True:
            wire.send(b".")

    play.routes["files"] = drip
    limits = DownloadLimits(total_s=0.1, attempts=1)
    timing = Timing(first_poll_s=0.01)
    client = play.client(face, clock=RealClock(), wiring={"limits": limits, "timing": timing})
    with pytest.raises(DownloadError, match="in time"):
        face(client.wait("t-1"))


def test_a_download_cut_short_is_fetched_again(face: Face, play: Play) -> None:
    """Half a file that says it's whole, and half a file that breaks."""
    data = picture()
    answers = [
        lambda wire: wire.answer(200, data[: len(data) // 2]),
        lambda wire: wire.send(b"HTTP/1.1 200 X\r\nContent-Length: 999999\r\n\r\n" + data),
        lambda wire: wire.answer(200, data),
    ]
    play.routes["files"] = lambda seen, wire: answers.pop(0)(wire)
    assert face(play.client(face).wait("t-1")).images[0].data == data
    assert answers == []


def test_a_download_beyond_its_bound_is_aborted(face: Face, play: Play) -> None:
    """The rest stays unread."""

    def endless(seen: Seen, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 X\r\n\r\n")
        while True:
            wire.send(b"\0" * 65536)

    play.routes["files"] = endless
    client = play.client(face, wiring={"limits": DownloadLimits(max_bytes=1_000_000)})
    with pytest.raises(DownloadError, match="1000000 bytes"):
        face(client.wait("t-1"))


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/x.png",
        "http://[fe80::1]/x.png",
        "http://0x7f.1/x.png",
        "http://inside.example/x.png",
    ],
)
def test_a_redirect_to_an_address_inside_is_refused(
    face: Face, play: Play, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is on here: it is the guard that refuses."""
    before = door.allow_network(True)
    play.routes["files"] = lambda seen, wire: wire.answer(302, b"", Location=target)
    try:
        client = play.client(face, wiring={"resolve": lambda host, port: ["192.168.7.7"]})
        with pytest.raises(DownloadError, match="not a public address"):
            face(client.wait("t-1"))
    finally:
        door.allow_network(before)
    assert len(play.server.seen) == 2


def test_the_checked_address_is_the_one_connected_to(face: Face, play: Play) -> None:
    """A name that changes its address between check and connection gains nothing."""
    port = play.server.server_address[1]
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    play.routes["api"] = lambda seen, wire: wire.answer(
        200, {"status": "done", "images": [f"http://files.invalid:{port}/files/1.png"]}
    )
    result = face(play.client(face, wiring={"resolve": resolve}).wait("t-1"))
    assert result.images[0].data == picture()
    assert asked == ["files.invalid"]
    assert play.server.seen[-1].headers["host"] == f"files.invalid:{port}"


def test_every_address_of_a_host_is_tried(face: Face, play: Play) -> None:
    """A machine may listen on one of its addresses alone."""
    port = play.server.server_address[1]
    client = face.client(
        None,
        base_url=f"http://both.invalid:{port}",
        wiring={"resolve": lambda host, port: ["127.0.0.77", "127.0.0.1"]},
    )
    face(client.submit(request()))
    assert play.posts() == 1


def test_the_switch_keeps_every_send_at_home(face: Face) -> None:
    """No test reaches a service by mistake."""
    client = face.client(None, base_url="http://192.0.2.1", wiring={})
    with pytest.raises(ConfigurationError, match="switched off"):
        face(client.run(request()))


def test_redirects_of_the_service_are_not_followed(face: Face, play: Play) -> None:
    """A redirect would carry the key, or the purchase, elsewhere."""
    play.routes["POST"] = lambda seen, wire: wire.answer(307, b"", Location="/other")
    with pytest.raises(OutcomeUnknownError, match="307") as caught:
        face(play.client(face).run(request()))
    assert "QOLABA_BASE_URL" in (caught.value.help or "")
    assert len(play.server.seen) == 1


def test_a_wrong_content_type_is_told(face: Face, play: Play) -> None:
    """Services mislabel their files."""
    play.routes["files"] = lambda seen, wire: wire.answer(
        200, picture((512, 512), "WEBP"), Content_Type="image/jpeg"
    )
    result = face(play.client(face).run(request()))
    assert result.images[0].extension == ".webp"
    assert "image/jpeg" in result.warnings[0]


def test_an_answer_packed_with_gzip_is_read(face: Face, play: Play) -> None:
    """Some gateways pack though nobody asked."""
    import gzip

    body = gzip.compress(b'{"task_id": "t-1"}')
    play.routes["POST"] = lambda seen, wire: wire.answer(202, body, Content_Encoding="gzip")
    assert face(play.client(face).submit(request())).task_id == "t-1"


@pytest.fixture
def through_proxy(play: Play, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Play, list[Seen]]]:
    """A forward proxy on this machine, in front of a service that only it can name."""
    seen_by_proxy: list[Seen] = []

    def forward(seen: Seen, wire: Wire) -> None:
        seen_by_proxy.append(seen)
        path = "/" + seen.path.split("/", 3)[3]
        play.respond(Seen(seen.method, path, seen.headers, seen.body, seen.connection), wire)

    with serving(forward) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        yield play, seen_by_proxy


def test_a_proxy_of_the_environment_is_used(
    face: Face, through_proxy: tuple[Play, list[Seen]]
) -> None:
    """Many machines reach the world by one alone."""
    play, seen = through_proxy
    play.routes["api"] = lambda s, wire: wire.answer(
        200, {"status": "done", "images": ["http://cdn.invalid/files/1.png"]}
    )
    client = face.client(None, base_url="http://api.invalid")
    assert face(client.run(request())).images
    assert [entry.path.split("/")[2] for entry in seen] == ["api.invalid"] * 2 + ["cdn.invalid"]
    assert "authorization" not in seen[-1].headers


def test_behind_a_proxy_addresses_inside_are_refused_as_well(
    face: Face, through_proxy: tuple[Play, list[Seen]]
) -> None:
    """The proxy might reach what we must not."""
    play, seen = through_proxy
    play.routes["api"] = lambda s, wire: wire.answer(
        200, {"status": "done", "images": ["http://169.254.169.254/files/1.png"]}
    )
    with pytest.raises(DownloadError, match="not a public address"):
        face(face.client(None, base_url="http://api.invalid").wait("t-1"))
    assert len(seen) == 1


def test_this_machine_is_reached_without_the_proxy(
    face: Face, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy elsewhere can't reach it."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    assert face(play.client(face).run(request())).images


def test_a_failed_tunnel_sent_nothing(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONNECT is not the purchase."""
    with serving(lambda seen, wire: wire.answer(407)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("http://", "http://me:secret@"))
        client = face.client(None, base_url="https://api.invalid")
        with pytest.raises(ServiceError, match="nothing was sent"):
            face(client.run(request()))
        assert [seen.method for seen in proxy.seen] == ["CONNECT"] * 5
        assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")


def test_a_proxy_of_another_kind_is_named(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going around it in silence could break a rule of the house."""
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ConfigurationError, match="socks5"):
        face(face.client(None, base_url="http://api.invalid").run(request()))


def test_tls_is_spoken_to_https(face: Face) -> None:
    """A plain server gets a handshake, and not one byte of the request."""
    with serving(lambda seen, wire: wire.answer(202)) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(ServiceError, match="nothing was sent"):
            face(
                face.client(None, base_url=url, wiring={"retry": RetryPolicy(attempts=1)}).run(
                    request()
                )
            )
        assert server.seen == []


def test_the_usual_wiring_needs_nothing() -> None:
    """Its parts have defaults."""
    wiring = Wiring()
    assert (wiring.timing.connect_s, wiring.timing.post_s, wiring.retry.attempts) == (10, 120, 5)
    assert wiring.limits.max_bytes == 64 * 1024 * 1024


def test_a_host_without_an_address_is_not_reached(face: Face) -> None:
    """A resolver may answer with nothing."""
    client = face.client(
        None, base_url="http://nowhere.invalid", wiring={"resolve": lambda host, port: []}
    )
    with pytest.raises((ServiceError, ConfigurationError)):
        face(client.run(request()))


def test_names_of_this_machine_resolve_to_it() -> None:
    """The usual resolver, where no network is needed."""
    assert door.resolve_name("127.0.0.1", 80) == ["127.0.0.1"]


def test_a_proxy_without_a_scheme_is_an_http_one(
    face: Face, through_proxy: tuple[Play, list[Seen]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`HTTP_PROXY=box:3128` is common."""
    monkeypatch.setenv("http_proxy", os.environ["http_proxy"].removeprefix("http://"))
    face(face.client(None, base_url="http://api.invalid").submit(request()))
    assert len(through_proxy[1]) == 1


def test_the_real_clock_runs_forward() -> None:
    """The one that callers have."""
    clock = RealClock()
    before = clock.monotonic()
    clock.sleep(0)
    asyncio.run(clock.sleep_async(0))
    assert clock.monotonic() >= before
    assert clock.time() > 1_700_000_000


def test_a_key_meant_for_another_host_is_not_sent() -> None:
    """The driver is the last to look."""
    played = Played(Service())
    driver = Driver("http://api.invalid", VirtualClock(), None, transport=played)
    send = Send(
        "GET", "http://api.invalid.evil/", Timeouts(1, 1, 1), {"Authorization": Secret("k")}
    )

    def leak() -> Any:
        yield send

    with pytest.raises(ConfigurationError, match="own host"):
        driver.run(leak())
    assert played.calls == []
