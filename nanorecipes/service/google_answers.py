"""How Google's answers are read: the picture, the words beside it, and why there is none."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nanorecipes import files
from nanorecipes.service.replies import BLOCK_REASONS

_TELLING = ("candidates", "promptFeedback", "usageMetadata", "modelVersion")
_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d{1,9})?)s"')
_TYPE = re.compile(r"[a-zA-Z]{1,20}/[a-zA-Z0-9.+-]{1,60}")
_TEXT_CHARS = 2000
_DIGITS = 18
_NAMES = {"model_version": "modelVersion", "response_id": "responseId"}
_NAME = re.compile(r"[A-Za-z0-9._:/@+=-]{1,200}")
_USAGE = {
    "prompt_tokens": "promptTokenCount",
    "output_tokens": "candidatesTokenCount",
    "thought_tokens": "thoughtsTokenCount",
    "tool_tokens": "toolUsePromptTokenCount",
    "cached_tokens": "cachedContentTokenCount",
    "total_tokens": "totalTokenCount",
}
_MOST_TOKENS = 10**12
_PLAIN = str.maketrans({"-": "+", "_": "/"})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that could be read."""

    picture: bytes | None = field(repr=False)
    """The last picture that is no draft."""
    declared_type: str | None
    """What the answer calls it."""
    text: str | None
    """Its words, drafts of thoughts left out."""
    finish_reason: str | None
    block_reason: str | None
    """Its word for refused content."""
    is_prompt_refused: bool
    """Whether the request was refused before any picture was begun."""
    service: Mapping[str, Any] | None = None
    """What it says of itself: `model_version`, `response_id`, and in `usage` its tokens."""


def read_answer(body: bytes) -> Answer | None:
    """Read the answer to a generate request; None when it can't be told what became of it."""
    data = _parsed(body)
    if not isinstance(data, dict) or not any(key in data for key in _TELLING):
        return None
    candidates = _candidates(data.get("candidates"))
    candidate = candidates[0] if candidates else {}
    inline = [found for each in candidates for part in _parts(each) if (found := _inline(part))]
    picture, declared = _picture(inline) or (None, None)
    if inline and picture is None:
        return None
    feedback = data.get("promptFeedback")
    refused = _word(feedback, "blockReason")
    finish = _word(candidate, "finishReason")
    texts = [_said(_parts(candidate)), _word(candidate, "finishMessage")]
    texts.append(_word(feedback, "blockReasonMessage"))
    return Answer(
        picture=picture,
        declared_type=declared,
        text=next((text[:_TEXT_CHARS] for text in texts if text), None),
        finish_reason=finish,
        block_reason=refused or (finish if (finish or "").upper() in BLOCK_REASONS else None),
        is_prompt_refused=refused is not None and not candidate,
        service=_service(data),
    )


def retry_delay_s(body: bytes) -> float | None:
    """The pause that a refusal asks for in its body, in seconds."""
    found = _DELAY.search(body[:65536])
    return float(found[1]) if found else None


def _parsed(body: bytes) -> Any:
    """JSON, read as tolerantly as it can be: it was paid for. None when it is none."""
    try:
        text = body.decode("utf-8-sig", "replace")
        return json.loads(text, strict=False, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(text: str) -> int | None:
    """A whole number; one that is too long for Python is nothing that is counted here."""
    return int(text) if len(text) <= _DIGITS else None


def _service(data: dict[str, Any]) -> dict[str, Any] | None:
    """What is known here of what an answer says of itself; anything else is left out."""
    words = ((name, data.get(key)) for name, key in _NAMES.items())
    found: dict[str, Any] = {
        name: word for name, word in words if isinstance(word, str) and _NAME.fullmatch(word)
    }
    told = data.get("usageMetadata")
    usage = told if isinstance(told, dict) else {}
    counts = ((name, usage.get(key)) for name, key in _USAGE.items())
    counted = {name: count for name, count in counts if _is_count(count)}
    if counted:
        found["usage"] = counted
    return found or None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS


def _candidates(value: Any) -> list[dict[str, Any]]:
    """One as a rule; a picture counts in whichever it stands."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _word(holder: Any, key: str) -> str | None:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value.strip()[:_TEXT_CHARS] or None if isinstance(value, str) else None


def _parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    found = parts if isinstance(parts, list) else []
    return [part for part in found if isinstance(part, dict) and not part.get("thought")]


def _inline(part: dict[str, Any]) -> dict[str, Any] | None:
    """A part's bytes as text, where it has any."""
    inline = part.get("inlineData") or part.get("inline_data")
    has_data = isinstance(inline, dict) and isinstance(inline.get("data"), str) and inline["data"]
    return inline if has_data else None


def _picture(inline: list[dict[str, Any]]) -> tuple[bytes, str | None] | None:
    """The last that is a picture by its bytes; where none is, the last that has any."""
    last = None
    for part in reversed(inline):
        data = _decoded(part["data"])
        if not data:
            continue
        found = data, _declared(part)
        if files.image_type(data) is not None:
            return found
        last = last or found
    return last


def _declared(inline: dict[str, Any]) -> str | None:
    """What a part is called, where that is a type at all."""
    declared = inline.get("mimeType") or inline.get("mime_type")
    is_type = isinstance(declared, str) and _TYPE.fullmatch(declared)
    return declared if is_type else None


def _decoded(text: str) -> bytes | None:
    """Base64 in either alphabet, padded or not: JSON of Google's may have each."""
    text = text.translate(_PLAIN).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None


def _said(parts: list[dict[str, Any]]) -> str | None:
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "\n".join(text.strip() for text in texts if text.strip()) or None
