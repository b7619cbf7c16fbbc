"""The sandbox over HTTP: the same answers, and what only a socket can do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any

import pytest
from sandbox_calls import FLASH, KEY, body, picture

from nanorecipes.errors import ConfigurationError
from nanorecipes.sandbox import server as server_module
from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.sandbox.server import RunningServer, running_server


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A server whose tasks are ready at once."""
    with running_server(Sandbox(task_seconds=0)) as running:
        yield running


def send(
    server: RunningServer, method: str, path: str, data: bytes = b"", headers: Any = KEY
) -> tuple[HTTPResponse, bytes]:
    """One request over its own connection."""
    host = server.base_url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path.removeprefix(server.base_url), data, headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def post(server: RunningServer, **changes: Any) -> tuple[HTTPResponse, bytes]:
    """A generate request."""
    data = json.dumps(body(**changes)).encode()
    return send(server, "POST", "/api/v1/images/generate", data)


def finished(server: RunningServer, **changes: Any) -> str:
    """The URL of the picture of a request."""
    task_id = json.loads(post(server, **changes)[1])["task_id"]
    _, data = send(server, "GET", f"/api/v1/tasks/{task_id}")
    return str(json.loads(data)["result"]["images"][0]["url"])


def test_picture_comes_over_http_as_in_process(server: RunningServer) -> None:
    """One function behind both: bytes, type and address agree."""
    url = finished(server, model=FLASH, quality="512")
    assert url.startswith(server.base_url)
    response, data = send(server, "GET", url, headers={})
    assert (response.status, response.getheader("Content-Type")) == (200, "image/jpeg")
    quiet = Sandbox(task_seconds=0)
    from sandbox_calls import get, result_urls

    (same,) = result_urls(quiet, model=FLASH, quality="512")
    assert data == get(quiet, same, {}).body


def test_upload_goes_over_http(server: RunningServer) -> None:
    """Local pictures reach the sandbox in a body of megabytes."""
    import hashlib

    data = picture((900, 700)) + b"\0" * 2_000_000
    path = f"/sandbox/uploads/{hashlib.sha256(data).hexdigest()}.png"
    assert send(server, "PUT", path, data, {})[0].status == 201
    assert send(server, "GET", path, headers={})[1] == data


def test_connection_drops_after_the_charge(server: RunningServer) -> None:
    """The fault that costs money: no answer, and a line in the charge log."""
    server.sandbox.faults.push(["drop_after", "drop_before", "refused"])
    for charged in (1, 1, 1):
        with pytest.raises((HTTPException, ConnectionError)):
            post(server)
        assert len(server.sandbox.charges) == charged


@pytest.mark.parametrize("route", ["generate", "results"])
def test_body_breaks_off(server: RunningServer, route: str) -> None:
    """Half an answer and half a picture, with the length of the whole in the header."""
    url = finished(server, model=FLASH, quality="512")
    server.sandbox.faults.push(["half_body"], route=route)
    with pytest.raises(IncompleteRead) as caught:
        post(server) if route == "generate" else send(server, "GET", url, headers={})
    assert len(caught.value.partial) > 0


def test_slow_answer_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one call waits, others are answered; the wait itself is the test's, not the clock's."""
    waiting, go_on = threading.Event(), threading.Event()
    delays: list[float] = []

    async def wait(delay_s: float) -> None:
        import asyncio

        delays.append(delay_s)
        waiting.set()
        await asyncio.get_running_loop().run_in_executor(None, go_on.wait, 30)

    monkeypatch.setattr(server_module, "wait", wait)
    faults = Faults(slow_s=7).push(["slow"])
    with running_server(Sandbox(faults=faults)) as server, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post, server)
        assert waiting.wait(30)
        assert post(server)[0].status == 202
        assert not slow.done()
        go_on.set()
        assert slow.result()[0].status == 202
    assert delays == [7]


@pytest.mark.parametrize("declared", [True, False])
def test_body_that_is_too_large_is_not_read(server: RunningServer, declared: bool) -> None:
    """Bounded by the declared length, and by what really comes where none is declared."""
    host, _, port = server.base_url.removeprefix("http://").partition(":")
    length = b"Content-Length: 99999999" if declared else b"Transfer-Encoding: chunked"
    head = b"POST /api/v1/images/generate HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n"
    chunk = b"80000\r\n" + b" " * 0x80000 + b"\r\n"
    with socket.create_connection((host, int(port)), 30) as raw:
        raw.sendall(head if declared else head + chunk * 3)
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_many_at_once(server: RunningServer) -> None:
    """Each call over HTTP is charged once, also with many in flight."""
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda n: post(server, prompt=f"row {n}")[0].status, range(120)))
    assert statuses == [202] * 120
    assert len(server.sandbox.charges) == 120


def test_taken_port_is_said_plainly(server: RunningServer) -> None:
    """The commonest mistake at the start of a server gets a sentence, not a traceback."""
    port = int(server.base_url.rpartition(":")[2])
    with (
        pytest.raises(ConfigurationError, match=f"can't listen on 127.0.0.1:{port}"),
        running_server(port=port),
    ):
        pytest.fail("two servers on one port")


def test_every_address_has_one_that_a_client_can_use() -> None:
    """Results must be reachable where the server listens on all addresses."""
    with running_server(host="0.0.0.0") as server:
        assert server.base_url.startswith("http://127.0.0.1:")
        assert send(server, "GET", "/", headers={})[0].status == 200


def test_serve_tells_its_address_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `nanorecipes sandbox` runs: ready when it says so, ended by an interrupt."""
    seen: list[str] = []

    def ready(base_url: str) -> None:
        seen.append(base_url)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        server_module.serve(Sandbox(), "127.0.0.1", 0, on_ready=ready)
    assert seen[0].startswith("http://127.0.0.1:")
