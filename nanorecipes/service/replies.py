"""How the service's answers are read, tolerantly: the one place for spellings not confirmed.

The body of a task, its status words and the body of an error are guesses [?]: what is looked for
stands in the tables at the top, and anything else is let through unread.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

FINISHED = frozenset({"success", "succeeded", "completed", "complete", "done", "finished"})
FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled", "expired"})

_STATUS_KEYS = ("status", "state", "task_status")
_NESTS = ("result", "output", "data")
_TASK_ID_KEYS = ("task_id", "taskId", "id")
_URL_KEYS = ("url", "image_url", "uri")
_ERROR_KEYS = ("detail", "error", "message", "error_message", "msg", "reason")
_TEXT_KEYS = ("text", "message", "detail", "error", "description")
_REASON_KEYS = (
    "finish_reason",
    "finishReason",
    "block_reason",
    "blockReason",
    "reason",
    "code",
    "type",
)

BLOCK_REASONS = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "CONTENT_BLOCKED",
        "CONTENT_FILTER",
        "CONTENT_FILTERED",
        "CONTENT_POLICY",
        "CONTENT_POLICY_VIOLATION",
        "CONTENT_REFUSED",
        "MODERATION",
        "MODERATION_BLOCKED",
        "SAFETY_BLOCKED",
    }
)
_BLOCK_TEXT = re.compile(
    r"\b(safety|moderation|content[ _]polic\w+|polic(?:y|ies) violation|violates? .{0,40}polic|"
    r"prohibited[ _]content|nsfw|flagged|"
    r"content (?:was |is |has been )?(?:blocked|refused|rejected))",
    re.IGNORECASE,
)
_TASK_ID_TEXT = re.compile(
    rb'"task_?id"\s*:\s*"([A-Za-z0-9][A-Za-z0-9._:-]{0,199})"', re.IGNORECASE
)

_DEPTH = 4
_TEXT_CHARS = 2000

Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """A picture as the service names it: nothing of this is believed before it was fetched."""

    url: str
    width: int | None = None
    height: int | None = None
    content_type: str | None = None
    data: bytes | None = field(default=None, repr=False)
    """The picture itself, where the answer brought it along."""


@dataclass(frozen=True, slots=True)
class TaskReply:
    """The body of an answer, as far as it could be understood."""

    state: Literal["running", "finished", "failed"]
    word: str
    """The service's own word for the state, or an empty text."""
    task_id: str | None
    images: tuple[RemoteImage, ...]
    cost_usd: Decimal | None
    text: str | None
    """What the service said beside, or instead of, pictures."""
    block_reason: str | None
    """Its word for refused content, where it gave one."""
    names_images: bool
    """Whether there is a list of pictures, even an empty one."""
    is_telling: bool
    """Whether anything was found that says what became of the request."""


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """One model as the service lists it; what it doesn't say is empty or None."""

    id: str
    name: str
    ratios: tuple[str, ...]
    qualities: tuple[str, ...]
    prices_usd: dict[str, Decimal]
    """By quality tier, for one picture."""
    max_num_images: int | None
    max_reference_images: int | None
    supports_seed: bool | None


def read_task(body: bytes) -> TaskReply | None:
    """Read the answer to a generate request or to a poll; None when it is no JSON object."""
    data = _parse(body)
    if not isinstance(data, dict):
        return None
    layers = _layers(data)
    images = _images(layers)
    words = _words(layers)
    task_id = _task_id(layers)
    names_images = any(isinstance(layer.get("images"), list) for layer in layers)
    failed = not images and _says_failed(layers, task_id)
    state = _state(words, names_images or bool(images), failed)
    error = _first_text(layers, _ERROR_KEYS) if state == "failed" else None
    blocked = _block_code(layers) or block_word(error)
    own_words = _first_text(layers, _TEXT_KEYS) or _loose_text(layers)
    return TaskReply(
        state=state,
        word=words[-1] if words else "",
        task_id=task_id,
        images=images,
        cost_usd=_cost(layers),
        # A refusal speaks for itself; what broke is told by the error.
        text=own_words if blocked else error or own_words,
        block_reason=blocked,
        names_images=names_images,
        is_telling=bool(words or images or failed or task_id or names_images),
    )


def read_error(body: bytes) -> tuple[str | None, str | None]:
    """What an error's body says, and its word for refused content; each or None."""
    data = _parse(body)
    if isinstance(data, dict):
        layers = _layers(data)
        text = _first_text(layers, _ERROR_KEYS)
        blocked = _block_code(layers) or block_word(text)
        # A refusal's own words may stand beside the error.
        return (_first_text(layers, ("text",)) or text if blocked else text), blocked
    if isinstance(data, str):
        return _shorten(data), block_word(data)
    return (None, None) if data is not None else _plain(body)


def names_bad_key(body: bytes) -> bool:
    """Whether an error speaks of the key: Google refuses a bad one with 400, not 401."""
    return b"API_KEY_INVALID" in body


def block_word(text: str | None) -> str | None:
    """The word in a text that speaks of refused content, or None."""
    found = _BLOCK_TEXT.search(text) if text else None
    return found.group(1).lower() if found else None


def find_task_id(body: bytes) -> str | None:
    """A task id in a body that can't be read, for example because its end is missing."""
    found = _TASK_ID_TEXT.search(body)
    return found.group(1).decode("ascii") if found else None


def read_models(body: bytes) -> tuple[OfferedModel, ...] | None:
    """Read the service's list of models; None when the body isn't one."""
    data = _parse(body)
    items = data.get("models", data.get("data")) if isinstance(data, dict) else data
    if not isinstance(items, list):
        return None
    found = [item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
    return tuple(_offered(item) for item in found)


def _offered(item: Object) -> OfferedModel:
    prices = item.get("quality_pricing")
    return OfferedModel(
        id=item["id"],
        name=str(item.get("name") or item["id"]),
        ratios=_strings(item.get("imageSize")),
        qualities=_strings(item.get("quality")),
        prices_usd={
            str(tier): usd
            for tier, value in (prices.items() if isinstance(prices, dict) else ())
            if (usd := _money(value)) is not None
        },
        max_num_images=_whole(item.get("maxNumImages")),
        max_reference_images=_whole(item.get("maxReferenceImages")),
        supports_seed=item["supportsSeed"] if isinstance(item.get("supportsSeed"), bool) else None,
    )


def _parse(body: bytes) -> Any:
    """JSON as Python values with exact decimals; None when it is none."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _parse_other(body)
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError, InvalidOperation):
        return _parse_other(body)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=lambda _: None)


def _parse_other(body: bytes) -> Any:
    """The same where the text is in UTF-16 or UTF-32, or begins with a mark."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=lambda _: None)
    except (ValueError, RecursionError, InvalidOperation):
        return None


def _layers(data: Object) -> list[Object]:
    """The object and those it nests under `result`, `output` or `data`, outermost first."""
    layers = [data]
    for layer in layers:
        inner = [layer[key] for key in _NESTS if isinstance(layer.get(key), dict)]
        layers += inner[: max(0, _DEPTH * 2 - len(layers))]
    return layers


def _words(layers: list[Object]) -> list[str]:
    return [
        layer[key].strip().lower()
        for layer in layers
        for key in _STATUS_KEYS
        if isinstance(layer.get(key), str)
    ]


def _says_failed(layers: list[Object], task_id: str | None) -> bool:
    """Without a status word: an error's text, or `success: false`."""
    keys = ("error",) if task_id is not None else ("error", "detail")
    said = _first_text(layers, keys) is not None
    return said or any(layer.get("success") is False for layer in layers)


def _state(
    words: list[str], has_images: bool, failed: bool
) -> Literal["running", "finished", "failed"]:
    """One layer that failed is enough, all must have finished: an envelope may say `success`
    of the call while the task that it wraps still runs."""
    if any(word in FAILED for word in words):
        return "failed"
    if words:
        return "finished" if all(word in FINISHED for word in words) else "running"
    if failed:
        return "failed"
    return "finished" if has_images else "running"


def _images(layers: list[Object]) -> tuple[RemoteImage, ...]:
    for layer in layers:
        for key in ("images", "image", *_NESTS):
            value = layer.get(key)
            if value is None:
                continue
            items = value if isinstance(value, list) else [value]
            if key == "image" or not isinstance(value, dict):
                found = [image for item in items if (image := _image(item, key)) is not None]
                if found:
                    return tuple(found)
    return ()


def _image(item: Any, key: str) -> RemoteImage | None:
    if isinstance(item, str):
        # Under `result` and its like a text may be anything; only a URL there is a picture.
        is_url = item.lower().startswith(("http://", "https://"))
        return RemoteImage(item) if item and (is_url or key == "images") else None
    if not isinstance(item, dict):
        return None
    url = next((item[name] for name in _URL_KEYS if isinstance(item.get(name), str)), None)
    if not url:
        return None
    kind = item.get("content_type", item.get("mime_type"))
    return RemoteImage(
        url,
        _whole(item.get("width")),
        _whole(item.get("height")),
        kind if isinstance(kind, str) else None,
    )


def _task_id(layers: list[Object]) -> str | None:
    for key in _TASK_ID_KEYS:
        for layer in layers:
            value = layer.get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
            if isinstance(value, str) and is_task_id(value):
                return value
    return None


def is_task_id(text: str) -> bool:
    """Whether a text can stand as one segment of a URL's path and name a task."""
    return (
        0 < len(text) <= 500
        and text.isprintable()
        and text.strip(".") != ""
        and text == text.strip()
    )


def _cost(layers: list[Object]) -> Decimal | None:
    for layer in layers:
        usage = layer.get("usage")
        for holder in (usage, layer):
            if isinstance(holder, dict) and (usd := _money(holder.get("cost_usd"))) is not None:
                return usd
    return None


def _money(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return None
    try:
        usd = Decimal(value)
    except InvalidOperation:
        return None
    return usd if usd.is_finite() and usd >= 0 else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _block_code(layers: list[Object]) -> str | None:
    errors = [layer["error"] for layer in layers if isinstance(layer.get("error"), dict)]
    holders = [*layers, *errors]
    for holder in holders:
        for key in _REASON_KEYS:
            value = holder.get(key)
            if isinstance(value, str) and value.strip().upper() in BLOCK_REASONS:
                return value.strip()
    return None


def _first_text(layers: list[Object], keys: tuple[str, ...]) -> str | None:
    for layer in layers:
        for key in keys:
            value = layer.get(key)
            if value is not None and (text := _text(value)):
                return text
    return None


def _loose_text(layers: list[Object]) -> str | None:
    """A plain text where a result was expected."""
    found = (layer.get(key) for layer in layers for key in _NESTS)
    return next(
        (_shorten(value) for value in found if isinstance(value, str) and value.strip()), None
    )


def _text(value: Any, depth: int = 0) -> str | None:
    """An error in words, whether it is a text, an object with one, or a list of findings."""
    if isinstance(value, str):
        return _shorten(value) if value.strip() else None
    if depth > _DEPTH:
        return None
    if isinstance(value, dict):
        text = next((t for key in _ERROR_KEYS if (t := _text(value.get(key), depth + 1))), None)
        where = value.get("loc")
        return f"{'.'.join(map(str, where))}: {text}" if text and isinstance(where, list) else text
    if isinstance(value, list):
        parts = [text for item in value[:20] if (text := _text(item, depth + 1))]
        return _shorten("; ".join(parts)) if parts else None
    return None


def _plain(body: bytes) -> tuple[str | None, str | None]:
    """The text of a body that isn't JSON; a web page of some gateway says nothing useful."""
    text = body[:_TEXT_CHARS].decode("utf-8", "replace").strip()
    if not text or text.startswith(("<", "{", "[")):
        return None, None
    return _shorten(text), block_word(text)


def _shorten(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _TEXT_CHARS else f"{text[: _TEXT_CHARS - 1]}…"
