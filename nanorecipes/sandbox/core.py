"""The emulator's heart: a plain function from a call to an answer or a dropped connection."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from nanorecipes import files
from nanorecipes import wire as service
from nanorecipes.errors import ConfigurationError
from nanorecipes.sandbox import google, replies
from nanorecipes.sandbox.answers import Answers
from nanorecipes.sandbox.books import Books, Charge, Task
from nanorecipes.sandbox.check import BadRequestError, Order, read_order
from nanorecipes.sandbox.faults import Faults, Route
from nanorecipes.sandbox.gallery import Gallery
from nanorecipes.sandbox.wire import Answer, Call, Drop

if TYPE_CHECKING:
    from collections.abc import Callable

BASE_URL = "http://sandbox.invalid"
BAD_KEY = "bad-key"
NO_CREDITS_KEY = "no-credits"

MAX_JSON_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = 64 * 1024 * 1024

_UPLOAD = re.compile(r"/sandbox/uploads/([0-9a-f]{64})(\.[a-z0-9]{1,5})")
_RESULT = re.compile(r"/sandbox/results/(([\w-]+)-(\d{1,2})\.jpg)", re.ASCII)
_TASK = re.compile(r"/api/v1/tasks/([^/]+)")

_BROKEN = {"500": 500, "502": 502, "504": 504, "503_bare": 503}


class Sandbox:
    """Answers the service's own wire without a model, and keeps books.

    It takes no time itself: an answer says by how much it is late, and a task is ready once the
    clock says so. Threads may share it.

    Args:
        seed: a number that tells the task ids of two emulators apart.
        faults: what goes wrong; nothing without.
        clock: seconds that only grow; tests pass their own.
        task_seconds: how long a task takes on that clock.
        base_url: scheme and host under which results are found.
        wall: seconds since 1970, for the one header that holds a date.
        plain: draw blank pictures of the right size, which cost next to nothing.
        answers: a folder of pictures to answer with: `mug.png` for a request that edits `mug.jpg`.

    Raises:
        ConfigurationError: the folder of answers can't be read, or holds none.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.monotonic,
        task_seconds: float = 1.0,
        base_url: str = BASE_URL,
        wall: Callable[[], float] = time.time,
        plain: bool = False,
        answers: str | os.PathLike[str] | None = None,
    ) -> None:
        self.seed = seed
        self.faults = faults or Faults()
        self.clock = clock
        self.task_seconds = task_seconds
        self.base_url = base_url
        self.wall = wall
        self._books = Books(seed)
        self._gallery = Gallery(plain=plain)
        self.answer_with(answers)

    @property
    def charges(self) -> list[Charge]:
        """The charge log, in the order of acceptance."""
        return self._books.charges

    @property
    def charged_usd(self) -> Decimal:
        """The sum of the charge log."""
        return self._books.total_usd

    def knows(self, task_id: str) -> bool:
        """Whether a task is, or was not long ago, among those accepted here."""
        return self._books.task(task_id) is not None

    def answer_with(self, folder: str | os.PathLike[str] | None) -> None:
        """Answer with the pictures of a folder from now on, or with drawn ones.

        Raises:
            ConfigurationError: the folder can't be read, or holds no picture.
        """
        self._gallery.answers = None if folder is None else Answers(Path(folder))

    def handle(self, call: Call) -> Answer | Drop:
        """Answer one call."""
        handler = self._find(call)
        return handler(call)

    def _find(self, call: Call) -> Callable[[Call], Answer | Drop]:
        path = call.path
        table: dict[str, Callable[[Call], Answer | Drop]]
        if path == service.GENERATE_PATH:
            table = {"POST": self._generate}
        elif path.startswith(google.PREFIX):
            table = {"POST": self._generate_google}
        elif path == service.MODELS_PATH:
            table = {"GET": self._models}
        elif path.startswith("/api/v1/tasks/"):
            table = {"GET": self._task}
        elif path.startswith("/sandbox/uploads/"):
            table = {"PUT": self._put_upload, "GET": self._get_upload}
        elif path.startswith("/sandbox/results/"):
            table = {"GET": self._result}
        elif path == "/sandbox/charges":
            table = {"GET": self._charges}
        elif path == "/sandbox/faults":
            table = {"POST": self._push_faults}
        elif path == "/":
            table = {"GET": lambda _: replies.text_answer(200, replies.ABOUT)}
        else:
            return lambda _: replies.problem(404, f"there is nothing at {path!r}")
        return table.get(call.method.upper()) or (lambda _: _wrong_method(tuple(table)))

    # generate

    def _generate(self, call: Call) -> Answer | Drop:
        denied = _authorise(call)
        if denied is not None:
            return denied
        if len(call.body) > MAX_JSON_BYTES:
            return replies.problem(413, f"a request's body may have {MAX_JSON_BYTES} bytes")
        content_type = (call.header("Content-Type") or "").partition(";")[0].strip().lower()
        if content_type != replies.JSON_TYPE:
            return replies.problem(422, f"Content-Type must be {replies.JSON_TYPE}")
        try:
            order = read_order(call.body)
        except BadRequestError as exc:
            return replies.violations(exc.violations)
        attempt = self._books.next_attempt(order.key)
        fault = self.faults.pick("generate", order.key, attempt)
        refusal = self._refusal(fault)
        if refusal is not None:
            return refusal
        if fault == "blocked" and not order.celery:
            error = replies.blocked_error()
            return replies.json_answer(400, {"error": error, "text": replies.BLOCKED_TEXT})
        task = self._books.accept(
            order,
            attempt,
            self._target(order),
            fault,
            now=self.clock(),
            task_seconds=self.task_seconds,
        )
        return self._after_charge(fault, self._first_answer(task))

    def _generate_google(self, call: Call) -> Answer | Drop:
        order = google.read_call(call, self._gallery)
        if isinstance(order, Answer):
            return order
        attempt = self._books.next_attempt(order.key)
        fault = self.faults.pick("generate", order.key, attempt)
        refusal = self._refusal(fault)
        if isinstance(refusal, Answer):
            return google.refused(refusal, self.faults.retry_after_s)
        if refusal is not None:
            return refusal
        task = self._books.accept(
            order, attempt, self._target(order), fault,
            now=self.clock(), task_seconds=self.task_seconds,
        )  # fmt: skip
        return self._after_charge(fault, google.answer(task, lambda: self._gallery.proof(task, 1)))

    def _target(self, order: Order) -> tuple[str, tuple[int, int]]:
        """Ratio and size of the result; without a ratio it follows the first source's shape."""
        ratio = order.ratio
        if ratio is None:
            size = self._gallery.size_px(order.sources[0])
            ratio = (order.model.nearest_ratio(*size) if size else None) or "1:1"
        size_px = order.model.size_px(ratio, order.tier)
        assert size_px is not None, "the check lets only offered ratios and tiers through"
        return ratio, size_px

    def _first_answer(self, task: Task) -> Answer:
        if task.order.celery:
            return replies.json_answer(202, {"task_id": task.id, "status": "pending"})
        status, body = self._outcome(task)
        made = replies.json_answer(status, body)
        return replace(made, delay_s=task.ready_at - task.started_at)

    def _outcome(self, task: Task) -> tuple[int, dict[str, Any]]:
        """Status and body of a sync answer; the body is a finished task's result as well."""
        if task.fault == "failed_task":
            return 500, {"error": {"code": "failed", "message": "The generation failed."}}
        if task.fault == "expired_task":
            return 504, {"error": {"code": "expired", "message": "The task expired."}}
        images = [] if task.fault == "no_image" else self._listed_images(task)
        cost = {"cost_usd": float(task.usd), "cost_credits": float(task.usd * 100)}
        body: dict[str, Any] = {
            "task_id": task.id,
            "prompt": task.order.prompt,
            "images": images,
            "usage": {"images_generated": len(images), **cost},
        }
        if task.fault == "no_image":
            body["text"] = replies.NO_IMAGE_TEXT
        return 200, body

    def _listed_images(self, task: Task) -> list[dict[str, Any]]:
        folder = f"{self.base_url}/sandbox/results"
        return [
            {"url": f"{folder}/{task.id}-{number}.jpg", **self._facts(task, number)}
            for number in range(1, task.order.num_images + 1)
        ]

    def _facts(self, task: Task, number: int) -> dict[str, Any]:
        given = self._gallery.answer(task, number)
        if given is None:
            width, height = task.size_px
            return {"width": width, "height": height, "content_type": "image/jpeg"}
        return {"content_type": files.image_type(given)}

    # the other routes

    def _models(self, call: Call) -> Answer | Drop:
        denied = _authorise(call)
        if denied is not None:
            return denied
        made = replies.answer(200, replies.models(), replies.JSON_TYPE)
        return self._struck("models", "models", made)

    def _task(self, call: Call) -> Answer | Drop:
        denied = _authorise(call)
        if denied is not None:
            return denied
        match = _TASK.fullmatch(call.path)
        task = self._books.task(match[1]) if match else None
        if task is None or task.fault == "unknown_task":
            return replies.problem(404, f"there is no task {call.path.rpartition('/')[2]!r}")
        return self._struck("tasks", task.id, replies.json_answer(200, self._state(task)))

    def _state(self, task: Task) -> dict[str, Any]:
        now = self.clock()
        state: dict[str, Any] = {"task_id": task.id}
        if now < task.ready_at:
            share = (now - task.started_at) / max(task.ready_at - task.started_at, 1e-9)
            status = "pending" if share < 0.2 else "processing"
            return {**state, "status": status, "progress": min(99, round(100 * share))}
        if task.fault == "blocked":
            error = replies.blocked_error()
            return {**state, "status": "failed", "error": error, "text": replies.BLOCKED_TEXT}
        http_status, body = self._outcome(task)
        if http_status != 200:
            return {**state, "status": body["error"]["code"], **body}
        return {**state, "status": "completed", "progress": 100, "result": body}

    def _put_upload(self, call: Call) -> Answer | Drop:
        match = _UPLOAD.fullmatch(call.path)
        if match is None:
            return replies.problem(404, "expected /sandbox/uploads/<sha256><extension>")
        if len(call.body) > MAX_UPLOAD_BYTES:
            return replies.problem(413, f"a picture may have {MAX_UPLOAD_BYTES} bytes")
        found = files.sha256(call.body)
        if found != match[1]:
            return replies.problem(400, f"the body's SHA-256 is {found}, the name says {match[1]}")
        if files.image_type(call.body) is None:
            return replies.problem(415, "the body is no picture of a known type")
        self._gallery.put_upload(found, call.body, "".join(parse_qs(call.query).get("name", ())))
        made = replies.json_answer(201, {"url": f"{self.base_url}{call.path}"})
        return self._struck("uploads", found, made)

    def _get_upload(self, call: Call) -> Answer | Drop:
        match = _UPLOAD.fullmatch(call.path)
        data = self._gallery.upload(match[1]) if match else None
        if data is None:
            return replies.problem(404, "there is no such upload")
        kind = files.image_type(data) or "application/octet-stream"
        return self._struck("uploads", call.path, replies.answer(200, data, kind))

    def _result(self, call: Call) -> Answer | Drop:
        if call.header("Authorization") or call.header("X-API-Key"):
            return replies.problem(400, "a result's URL takes no key, and one was sent to it")
        match = _RESULT.fullmatch(call.path)
        task = self._books.task(match[2]) if match else None
        number = int(match[3]) if match else 0
        if match is None or task is None or not 1 <= number <= task.order.num_images:
            return replies.problem(404, "there is no such result")
        if self.clock() < task.ready_at or not task.has_pictures:
            return replies.problem(404, "this result isn't there")
        fault = self._pick("results", match[1]) or task.fault
        if fault == "not_a_picture":
            return replies.answer(200, b"<html><body>Not found</body></html>", "image/jpeg")
        data = self._gallery.proof(task, number)
        if fault == "truncated_picture":
            data = data[: len(data) // 2]
        kind = "image/png" if fault == "wrong_type" else files.image_type(data) or "image/jpeg"
        return self._strike(fault, replies.answer(200, data, kind))

    def _charges(self, call: Call) -> Answer:
        log = tuple(self._books.charges)
        listed = [
            {"task_id": c.task_id, "request_key": c.request_key, "usd": str(c.usd), "at": c.at}
            for c in log
        ]
        total = sum((charge.usd for charge in log), Decimal(0))
        return replies.json_answer(200, {"charges": listed, "total_usd": str(total)})

    def _push_faults(self, call: Call) -> Answer:
        try:
            body = json.loads(call.body)
            self.faults.push(body["script"], route=body.get("route", "generate"))
        except ConfigurationError as exc:
            return replies.problem(422, exc.message)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return replies.problem(422, 'expected {"script": ["429", "ok"], "route": "generate"}')
        return replies.json_answer(200, {"added": len(body["script"])})

    # faults

    def _pick(self, route: Route, name: str) -> str | None:
        """The fault of a call that costs nothing; its attempts are counted by its name."""
        if not self.faults.concerns(route):
            return None
        return self.faults.pick(route, name, self._books.next_attempt(f"{route}/{name}"))

    def _struck(self, route: Route, name: str, made: Answer) -> Answer | Drop:
        return self._strike(self._pick(route, name), made)

    def _strike(self, fault: str | None, made: Answer) -> Answer | Drop:
        refusal = self._refusal(fault)
        return refusal if refusal is not None else self._after_charge(fault, made, charged=False)

    def _refusal(self, fault: str | None) -> Answer | Drop | None:
        """What a call gets instead of any work, or None."""
        wait = self.faults.retry_after_s
        if fault in ("429", "429_date"):
            return replies.too_many(wait, as_date=fault == "429_date", now_s=self.wall())
        if fault == "503":
            return replies.overloaded(wait)
        if fault in ("refused", "drop_before"):
            return Drop(charged=False, sent=fault == "drop_before")
        return replies.problem(404, "this result is gone") if fault == "gone" else None

    def _after_charge(
        self, fault: str | None, made: Answer, *, charged: bool = True
    ) -> Answer | Drop:
        """What becomes of an answer after the work was accepted."""
        if fault == "drop_after":
            return Drop(charged=charged, sent=True, delay_s=made.delay_s)
        if fault in _BROKEN:
            return replace(replies.broken(_BROKEN[fault]), delay_s=made.delay_s)
        if fault == "slow":
            return replace(made, delay_s=made.delay_s + self.faults.slow_s)
        if fault == "half_body":
            return replace(made, body=made.body[: len(made.body) // 2])
        if fault == "bad_json":
            data = b'{"task_id": "sbx-'
            return replace(
                replies.answer(made.status, data, replies.JSON_TYPE), delay_s=made.delay_s
            )
        return made


def _authorise(call: Call) -> Answer | None:
    """Any key will do, but for two words that play a refused one and an empty account."""
    scheme, _, token = (call.header("Authorization") or "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else ""
    key = key or (call.header("X-API-Key") or "").strip()
    if not key:
        return replies.problem(
            401, "no key: send `Authorization: Bearer <key>` or `X-API-Key: <key>`"
        )
    if key == BAD_KEY:
        return replies.problem(401, "this key is not valid")
    if key == NO_CREDITS_KEY:
        return replies.problem(402, "this account has no credits left")
    return None


def _wrong_method(allowed: tuple[str, ...]) -> Answer:
    names = ", ".join(allowed)
    return replies.problem(405, f"only {names} is answered here", {"Allow": names})
