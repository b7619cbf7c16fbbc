"""The check of a generate request, as strict as the catalogue: every violation at once."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nanorecipes import wire
from nanorecipes.catalogue import Catalogue, Model, catalogue
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = (
    "model",
    "prompt",
    "image_urls",
    "reference_images",
    "aspect_ratio",
    "quality",
    "num_images",
    wire.SEED_FIELD,
    wire.SEARCH_FIELD,
    "celery",
)
MAX_SEED = 2**32 - 1

UPLOAD_PATH = re.compile(r"/sandbox/uploads/([0-9a-f]{64})\.[a-z0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a request's body."""

    field: str
    """The key, with an index where it is one item of a list; empty for the body as a whole."""
    message: str


class BadRequestError(ValueError):
    """A generate request that the service refuses; `violations` holds every reason."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{v.field or 'body'}: {v.message}" for v in violations))
        self.violations = violations


@dataclass(frozen=True, slots=True)
class Order:
    """A generate request that was found right."""

    key: str
    """SHA-256 of the canonical body: the same for the same request, however it is spelled."""
    model: Model
    prompt: str
    sources: tuple[str, ...]
    references: tuple[str, ...]
    ratio: str | None
    quality: str | None
    num_images: int
    seed: int | None
    search: bool
    celery: bool
    backend: str = "qolaba"
    """Whose wire it came by, and whose price it costs."""

    @property
    def images(self) -> tuple[str, ...]:
        """All URLs in the order of their ordinals."""
        return self.sources + self.references

    @property
    def tier(self) -> str:
        """The quality that is made: the one asked for, else the model's default."""
        return self.quality or self.model.default_quality or "1K"


def request_key(body: Mapping[str, Any]) -> str:
    """Hash of a request's canonical body.

    `celery` is left out, as it changes how the answer comes and not what is made, and so is the
    host of an uploaded picture, which depends on the port that the emulator listens on.
    """
    kept = {key: _canonical(key, value) for key, value in body.items() if key != "celery"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode("ascii")).hexdigest()


def upload_digest(url: str) -> str | None:
    """The digest in the URL of a picture that was uploaded to an emulator, else None."""
    if "/sandbox/uploads/" not in url:
        return None
    try:
        match = UPLOAD_PATH.fullmatch(urlsplit(url).path)
    except ValueError:
        return None
    return match[1] if match else None


def read_order(data: bytes) -> Order:
    """Read and check the body of a generate request.

    Raises:
        BadRequestError: it is no JSON object, or anything in it is not what the service takes.
    """
    body = parse_object(data)
    checker = _Checker(body, catalogue())
    checker.run()
    if checker.found:
        raise BadRequestError(tuple(checker.found))
    return checker.order()


def parse_object(data: bytes) -> dict[str, Any]:
    """A body that is one JSON object.

    Raises:
        BadRequestError: it is none, or says something twice.
    """
    try:
        body = json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as exc:
        raise BadRequestError((Violation("", f"the body is not valid JSON: {exc}"),)) from exc
    if not isinstance(body, dict):
        found = Violation("", f"expected a JSON object, found {kind_of(body)}")
        raise BadRequestError((found,))
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _canonical(key: str, value: Any) -> Any:
    if key not in ("image_urls", "reference_images") or not isinstance(value, list):
        return value
    return [_upload_path(item) if isinstance(item, str) else item for item in value]


def _upload_path(url: str) -> str:
    digest = upload_digest(url)
    return f"sandbox-upload:{digest}" if digest else url


class _Checker:
    """Walks one body and collects what is wrong with it."""

    def __init__(self, body: dict[str, Any], facts: Catalogue) -> None:
        self.body = body
        self.facts = facts
        self.found: list[Violation] = []
        self.model: Model | None = None

    def run(self) -> None:
        """Look at every key; nothing stops at the first finding."""
        for key in self.body:
            if key not in KEYS:
                near = did_you_mean(key, KEYS)
                self._say(key, "unknown key" + (f", {near}" if near else ""))
        limits = self.facts.limits
        self._check_model()
        self._check_prompt()
        self._check_urls("image_urls", limits.min_sources, limits.max_sources, required=True)
        self._check_urls("reference_images", 0, limits.max_references)
        self._check_choice("aspect_ratio", self.model.ratios if self.model else ())
        self._check_choice("quality", self.model.qualities if self.model else ())
        self._check_whole("num_images", 1, limits.max_num_images)
        self._check_whole(wire.SEED_FIELD, 0, MAX_SEED)
        self._check_flag("celery")
        self._check_search()

    def order(self) -> Order:
        """The request as a value; called when nothing was found."""
        assert self.model is not None
        body = self.body
        return Order(
            key=request_key(body),
            model=self.model,
            prompt=body["prompt"],
            sources=tuple(body["image_urls"]),
            references=tuple(body.get("reference_images", ())),
            ratio=body.get("aspect_ratio"),
            quality=body.get("quality"),
            num_images=body.get("num_images", 1),
            seed=body.get(wire.SEED_FIELD),
            search=body.get(wire.SEARCH_FIELD, False),
            celery=body.get("celery", False),
        )

    def _say(self, field: str, message: str) -> None:
        self.found.append(Violation(field, message))

    def _check_model(self) -> None:
        name = self._required_text("model")
        if name is None:
            return
        self.model = self.facts.by_id.get(name)
        if self.model is None:
            known = ", ".join(self.facts.by_id)
            self._say("model", f"unknown model {shown(name)}, expected one of: {known}")

    def _check_prompt(self) -> None:
        prompt = self._required_text("prompt")
        if prompt is None:
            return
        limit = self.facts.limits.prompt_chars
        if not prompt.strip():
            self._say("prompt", "expected text, found nothing but blanks")
        if len(prompt) > limit:
            self._say("prompt", f"expected at most {limit} characters, found {len(prompt)}")

    def _required_text(self, key: str) -> str | None:
        value = self.body.get(key)
        if key not in self.body:
            self._say(key, "required key is missing")
        elif not isinstance(value, str):
            self._say(key, f"expected text, found {kind_of(value)}")
        return value if isinstance(value, str) else None

    def _check_urls(self, key: str, least: int, most: int, *, required: bool = False) -> None:
        if key not in self.body:
            if required:
                self._say(key, "required key is missing")
            return
        urls = self.body[key]
        if not isinstance(urls, list):
            self._say(key, f"expected a list of URLs, found {kind_of(urls)}")
        else:
            if not least <= len(urls) <= most:
                self._say(key, f"expected {least} to {most} URLs, found {len(urls)}")
            self._check_each_url(key, urls)

    def _check_each_url(self, key: str, urls: list[Any]) -> None:
        for index, url in enumerate(urls):
            if not isinstance(url, str):
                self._say(f"{key}.{index}", f"expected a URL, found {kind_of(url)}")
            elif not is_web_url(url):
                self._say(f"{key}.{index}", f"expected an http or https URL, found {shown(url)}")

    def _check_choice(self, key: str, offered: tuple[str, ...]) -> None:
        if key not in self.body:
            return
        value = self.body[key]
        if not isinstance(value, str):
            self._say(key, f"expected text, found {kind_of(value)}")
        elif self.model is not None and value not in offered:
            self._say(
                key,
                f"{self.model.id} doesn't offer {shown(value)}, "
                f"expected one of: {', '.join(offered)}",
            )

    def _check_whole(self, key: str, least: int, most: int) -> None:
        if key not in self.body:
            return
        value = self.body[key]
        if not isinstance(value, int) or isinstance(value, bool):
            self._say(key, f"expected a whole number, found {kind_of(value)}")
        elif not least <= value <= most:
            self._say(key, f"expected {least} to {most}, found {shown(value)}")

    def _check_flag(self, key: str) -> None:
        if key in self.body and not isinstance(self.body[key], bool):
            self._say(key, f"expected true or false, found {kind_of(self.body[key])}")

    def _check_search(self) -> None:
        self._check_flag(wire.SEARCH_FIELD)
        asked = self.body.get(wire.SEARCH_FIELD) is True
        if asked and self.model is not None and not self.model.search:
            self._say(wire.SEARCH_FIELD, f"{self.model.id} doesn't look facts up on the web")


def is_web_url(url: str) -> bool:
    """Whether a text is an http or https URL."""
    if any(char.isspace() or ord(char) < 32 for char in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    words = {bool: "a flag", int: "a number", float: "a number", str: "text", list: "a list"}
    return words.get(type(value), "an object")


def shown(value: Any) -> str:
    """A value as a message shows it, cut short."""
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a very large number"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]}...'"
