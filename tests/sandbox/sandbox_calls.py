"""Calls to the sandbox as the tests write them, and a clock that they move by hand."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

from PIL import Image

from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.wire import Answer, Call, Drop

KEY = {"Authorization": "Bearer any", "Content-Type": "application/json"}
FLASH = "vertex/nano-banana-flash"
PRO = "vertex/nano-banana-pro"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def body(**changes: Any) -> dict[str, Any]:
    """A right generate request, with changes; None takes a key away."""
    right = {"model": PRO, "prompt": "Make it blue.", "image_urls": ["https://pics.example/a.png"]}
    merged = {**right, "celery": True, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def generate(sandbox: Sandbox, /, **changes: Any) -> Answer | Drop:
    """POST a generate request."""
    data = json.dumps(body(**changes)).encode()
    return sandbox.handle(Call("POST", "/api/v1/images/generate", KEY, data))


def get(sandbox: Sandbox, path: str, headers: dict[str, str] | None = None) -> Answer:
    """GET what must be answered; a full URL is cut to its path."""
    path = path.removeprefix(sandbox.base_url)
    reply = sandbox.handle(Call("GET", path, KEY if headers is None else headers))
    assert isinstance(reply, Answer)
    return reply


def poll(sandbox: Sandbox, task_id: str) -> dict[str, Any]:
    """The state of a task."""
    reply = get(sandbox, f"/api/v1/tasks/{task_id}")
    assert reply.status == 200, reply
    return read(reply)


def read(reply: Answer | Drop) -> Any:
    """The JSON of an answer."""
    assert isinstance(reply, Answer), reply
    return json.loads(reply.body)


def result_urls(sandbox: Sandbox, /, **changes: Any) -> list[str]:
    """URLs of the pictures of a request that is ready at once."""
    task_id = read(generate(sandbox, **changes))["task_id"]
    return [image["url"] for image in poll(sandbox, task_id)["result"]["images"]]


def upload(sandbox: Sandbox, data: bytes, extension: str = ".png") -> str:
    """Upload a picture; its URL."""
    path = f"/sandbox/uploads/{hashlib.sha256(data).hexdigest()}{extension}"
    reply = sandbox.handle(Call("PUT", path, {}, data))
    assert isinstance(reply, Answer)
    assert reply.status == 201, reply
    return str(read(reply)["url"])


def picture(size: tuple[int, int] = (64, 48), mode: str = "RGB", kind: str = "PNG") -> bytes:
    """A picture with a gradient in some mode, as a file."""
    image = Image.linear_gradient("L").resize(size)
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind)
    return buffer.getvalue()
