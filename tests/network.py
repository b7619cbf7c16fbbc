"""A service to play against: scripted in this process, or on a real socket of this machine."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from PIL import Image

from nanorecipes.client import AsyncClient, Client, Wiring
from nanorecipes.images import image_input
from nanorecipes.request import AttachedImage, Request, Section, find_model
from nanorecipes.service.retry import RetryPolicy
from nanorecipes.service.timing import VirtualClock

KEY = "qk-1234567890-secret"
HOST = "http://service.invalid"
SOURCE = "https://pictures.invalid/mug.png?signature=abc"
STARTED = "http11.send_request_headers.started"


def request(*images: Any, **options: Any) -> Request:
    """A request as a recipe renders it."""
    options = {"model": "flash", "aspect_ratio": "1:1", "quality": "512", **options}
    model = find_model(options["model"])
    assert model is not None
    price = model.price(options.get("quality"))
    attached = tuple(
        AttachedImage(slot, slot, n, image_input(image))
        for n, image in enumerate(images or (SOURCE,), 1)
        for slot in ("source" if n == 1 else "reference",)
    )
    text = "Using the first image, paint the mug blue."
    return Request(
        recipe="edit/change_part",
        version="1.0.0",
        hash="sha256:00",
        changes="part",
        prompt=text,
        sections=(Section("edit", text),),
        images=attached,
        chosen=model,
        options=options,
        estimated_cost=price.usd if price else None,
        cost_basis="a price list",
        inputs={"part": "the mug"},
    )


@cache
def picture(size: tuple[int, int] = (512, 512), kind: str = "PNG") -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


# --- actions: what becomes of one request


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        """The body's bytes; anything but bytes and text becomes JSON."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True)
class Refuse:
    """No connection: not a byte is sent."""


@dataclass(frozen=True)
class Break:
    """The request is sent, and then something breaks."""

    error: type[Exception] = httpx.ReadError
    status: int | None = None
    """With a status, the head of an answer comes, and a part of its body."""
    part: bytes = b""


Action = Answer | Refuse | Break
Handler = Callable[[httpx.Request], Action]


class Played(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport whose handler says what becomes of each request."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[httpx.Request] = []

    @property
    def calls(self) -> list[str]:
        """`METHOD path` of every request, in order."""
        return [f"{seen.method} {seen.url.path}" for seen in self.requests]

    @property
    def posts(self) -> int:
        """How many requests were bought."""
        return sum(seen.method == "POST" for seen in self.requests)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        action = self._decide(request)
        if not isinstance(action, Refuse):
            request.extensions["trace"](STARTED, {})
        return _play(action)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        action = self._decide(request)
        if not isinstance(action, Refuse):
            await request.extensions["trace"](STARTED, {})
        return _play(action)

    def _decide(self, request: httpx.Request) -> Action:
        request.read()
        self.requests.append(request)
        return self.handler(request)


def _play(action: Action) -> httpx.Response:
    match action:
        case Refuse():
            raise httpx.ConnectError("connection refused")
        case Break(error=error, status=None):
            raise error("broken on purpose")
        case Break(error=error, status=status, part=part):
            return httpx.Response(status or 200, stream=_Breaking(part, error))
        case Answer():
            return httpx.Response(
                action.status, headers=action.headers, stream=httpx.ByteStream(action.data())
            )


class _Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, part: bytes, error: type[Exception]) -> None:
        self.part, self.error = part, error

    def __iter__(self) -> Iterator[bytes]:
        yield self.part
        raise self.error("broken on purpose")

    async def __aiter__(self) -> Any:
        yield self.part
        raise self.error("broken on purpose")


ACCEPTED = Answer(202, {"task_id": "t-1", "status": "pending"})
RUNNING = Answer(200, {"task_id": "t-1", "status": "processing"})


def done(*urls: str, cost: Any = 0.045, **more: Any) -> Answer:
    """The answer to a poll that says finished."""
    images = [{"url": url} for url in urls or (f"{HOST}/files/1.png",)]
    usage = {"cost_usd": cost} if cost is not None else {}
    return Answer(
        200, {"task_id": "t-1", "status": "completed", "images": images, "usage": usage, **more}
    )


@dataclass
class Service:
    """A service by script: each list is used up from its front, and its last entry stays."""

    post: list[Action] = field(default_factory=lambda: [ACCEPTED])
    poll: list[Action] = field(default_factory=lambda: [RUNNING, done()])
    file: list[Action] = field(default_factory=lambda: [Answer(200, picture())])
    put: list[Action] = field(default_factory=lambda: [Answer(201, {})])
    models: list[Action] = field(default_factory=lambda: [Answer(200, {"models": []})])

    def __call__(self, request: httpx.Request) -> Action:
        path = request.url.path
        if request.method == "POST":
            return _next(self.post)
        if request.method == "PUT":
            return _next(self.put)
        if path.startswith("/api/v1/tasks/"):
            return _next(self.poll)
        return _next(self.models if path == "/api/v1/images/models" else self.file)


def _next(actions: list[Action]) -> Action:
    return actions.pop(0) if len(actions) > 1 else actions[0]


# --- both clients behind one face


class Face:
    """Runs what a test asks for, blocking or on an event loop."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.runner = asyncio.Runner() if kind == "async" else None
        self.clients: list[Any] = []

    def client(
        self,
        transport: Any = None,
        *,
        clock: Any = None,
        wiring: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """A client of this kind, by default against a played service."""
        more = {"retry": RetryPolicy(random=lambda: 0.0), **(wiring or {})}
        options = {"backend": "qolaba", "api_key": KEY, "base_url": HOST, **options}
        made = Wiring(transport=transport, clock=clock or VirtualClock(0.0), **more)
        kind = Client if self.runner is None else AsyncClient
        client = kind(wiring=made, **options)
        self.clients.append(client)
        return client

    def __call__(self, value: Any) -> Any:
        """The value itself, or what it is once awaited."""
        if self.runner is not None and isinstance(value, Awaitable):
            return self.runner.run(_awaited(value))
        return value

    def close(self) -> None:
        """Close every client, and the loop."""
        for client in self.clients:
            self(client.close())
        if self.runner is not None:
            self.runner.close()


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


# --- a server on a real socket


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """From 1: which connection it came on."""


class Wire:
    """The server's end of a connection: the handler writes what it likes."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.keeps = False

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.socket.sendall(data)

    def answer(self, status: int, body: Any = b"", *, keep: bool = False, **headers: str) -> None:
        """Write a whole answer."""
        data = Answer(status, body).data()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [] if keep else ["Connection: close"]
        self.keeps = keep
        self.send("\r\n".join([*lines, "", ""]).encode() + data)

    def reset(self) -> None:
        """Close so that the other side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Respond = Callable[[Seen, Wire], None]


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        with server.lock:
            server.connections += 1
            number = server.connections
        wire = Wire(self.request)
        file = self.request.makefile("rb")
        try:
            while (seen := _read(file, number)) is not None:
                server.seen.append(seen)
                wire.keeps = False
                server.respond(seen, wire)
                if not wire.keeps:
                    return
        except OSError:
            return
        finally:
            file.close()


def _read(file: Any, connection: int) -> Seen | None:
    line = file.readline().decode()
    if not line.strip():
        return None
    method, path, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while (line := file.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = file.read(int(headers.get("content-length", 0)))
    return Seen(method, path, headers, body, connection)


class Server(socketserver.ThreadingTCPServer):
    """Listens on this machine and lets a function answer."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond = respond
        self.seen: list[Seen] = []
        self.connections = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the play."""


@contextmanager
def serving(respond: Respond) -> Iterator[Server]:
    """A server for the length of a test."""
    server = Server(respond)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
