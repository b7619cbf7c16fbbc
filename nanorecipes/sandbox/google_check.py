"""The check of a request in Google's form, as strict as the catalogue: every violation at once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nanorecipes import files
from nanorecipes.catalogue import catalogue
from nanorecipes.sandbox.check import (
    MAX_SEED,
    BadRequestError,
    Order,
    Violation,
    is_web_url,
    kind_of,
    parse_object,
    shown,
)
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.catalogue import Model

TOP = ("contents", "generationConfig", "tools")
CONFIG = ("responseModalities", "imageConfig", "seed")
IMAGE = ("aspectRatio", "imageSize")
PARTS = {"inlineData": ("mimeType", "data"), "fileData": ("fileUri", "mimeType")}
TAKEN = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
INLINE_URL = "http://sandbox.invalid/sandbox/uploads/"


def read_order(model: Model, data: bytes, put: Callable[[str, bytes], None]) -> Order:
    """Read and check the body of a `generateContent` request.

    Args:
        model: which the path names.
        data: the body.
        put: keeps a picture that came along under its SHA-256, once all was found right.

    Raises:
        BadRequestError: it is no JSON object, or anything in it is not what Google takes.
    """
    checker = _Checker(model, parse_object(data))
    checker.run()
    if checker.found:
        raise BadRequestError(tuple(checker.found))
    for digest, picture in checker.pictures.items():
        put(digest, picture)
    return checker.order()


class _Checker:
    """Walks one body and collects what is wrong with it."""

    def __init__(self, model: Model, body: dict[str, Any]) -> None:
        self.model = model
        self.body = body
        self.found: list[Violation] = []
        self.texts: list[str] = []
        self.urls: list[str] = []
        self.pictures: dict[str, bytes] = {}
        self.config: Mapping[str, Any] = {}
        self.image: Mapping[str, Any] = {}

    def run(self) -> None:
        """Look at every key; nothing stops at the first finding."""
        self._check_keys("", self.body, TOP)
        for index, part in enumerate(self._parts()):
            self._check_part(f"contents.0.parts.{index}", part)
        limits = catalogue().limits
        if not self.texts or not self.texts[0].strip():
            self._say("contents", "expected a text part first, which is the prompt")
        elif len(self.texts[0]) > limits.prompt_chars:
            self._say("contents", f"expected at most {limits.prompt_chars} characters of prompt")
        if not 1 <= len(self.urls) <= limits.google_images:
            message = f"expected 1 to {limits.google_images} pictures, found {len(self.urls)}"
            self._say("contents", message)
        self._check_config()
        self._check_tools()

    def order(self) -> Order:
        """The request as a value; called when nothing was found."""
        return Order(
            key=self._key(),
            model=self.model,
            prompt=self.texts[0],
            sources=tuple(self.urls[:1]),
            references=tuple(self.urls[1:]),
            ratio=self.image.get("aspectRatio"),
            quality=self.image.get("imageSize"),
            num_images=1,
            seed=self.config.get("seed"),
            search="tools" in self.body,
            celery=False,
            backend="gemini",
        )

    def _key(self) -> str:
        """Hash of what is asked; of pictures their digests count."""
        kept = [
            self.model.google_id,
            self.texts,
            self.urls,
            dict(self.config),
            "tools" in self.body,
        ]
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode("ascii")).hexdigest()

    def _say(self, field: str, message: str) -> None:
        self.found.append(Violation(field, message))

    def _check_keys(self, field: str, value: Any, allowed: tuple[str, ...]) -> bool:
        if not isinstance(value, dict):
            self._say(field, f"expected an object, found {kind_of(value)}")
            return False
        for key in value:
            if key not in allowed:
                near = did_you_mean(key, allowed)
                where = f"{field}.{key}" if field else key
                self._say(where, "unknown key" + (f", {near}" if near else ""))
        return True

    def _parts(self) -> list[Any]:
        contents = self.body.get("contents")
        if not isinstance(contents, list) or len(contents) != 1:
            self._say("contents", "expected a list of one turn")
            return []
        if not self._check_keys("contents.0", contents[0], ("role", "parts")):
            return []
        if contents[0].get("role", "user") != "user":
            self._say("contents.0.role", f"expected 'user', found {shown(contents[0]['role'])}")
        parts = contents[0].get("parts")
        if not isinstance(parts, list):
            self._say("contents.0.parts", f"expected a list, found {kind_of(parts)}")
            return []
        return parts

    def _check_part(self, field: str, part: Any) -> None:
        if not self._check_keys(field, part, ("text", *PARTS)):
            return
        if len(part) != 1:
            self._say(field, "expected one of text, inlineData, fileData")
            return
        ((kind, value),) = part.items()
        if kind == "text":
            if isinstance(value, str):
                self.texts.append(value)
            else:
                self._say(f"{field}.text", f"expected text, found {kind_of(value)}")
        elif kind in PARTS and self._check_keys(f"{field}.{kind}", value, PARTS[kind]):
            check = self._check_inline if kind == "inlineData" else self._check_file
            check(f"{field}.{kind}", value)

    def _check_inline(self, field: str, value: dict[str, Any]) -> None:
        try:
            data = base64.b64decode(value.get("data", ""), validate=True)
        except (binascii.Error, ValueError, TypeError):
            self._say(f"{field}.data", "expected base64")
            return
        kind = files.image_type(data)
        if kind not in TAKEN:
            self._say(f"{field}.data", f"expected one of {', '.join(TAKEN)}, found {kind}")
            return
        if value.get("mimeType") != kind:
            self._say(f"{field}.mimeType", f"the bytes are {kind}, found {value.get('mimeType')!r}")
        digest = files.sha256(data)
        self.pictures[digest] = data
        self.urls.append(f"{INLINE_URL}{digest}{files.EXTENSIONS[kind]}")

    def _check_file(self, field: str, value: dict[str, Any]) -> None:
        url = value.get("fileUri")
        if not isinstance(url, str) or not is_web_url(url):
            self._say(f"{field}.fileUri", f"expected an http or https URL, found {shown(url)}")
            return
        if value.get("mimeType", TAKEN[0]) not in TAKEN:
            self._say(f"{field}.mimeType", f"expected one of {', '.join(TAKEN)}")
        self.urls.append(url)

    def _check_config(self) -> None:
        config = self.body.get("generationConfig", {})
        if not self._check_keys("generationConfig", config, CONFIG):
            return
        self.config = config
        modalities = config.get("responseModalities")
        if not isinstance(modalities, list) or "IMAGE" not in modalities:
            self._say("generationConfig.responseModalities", "expected IMAGE among them")
        seed = config.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
            self._say("generationConfig.seed", f"expected 0 to {MAX_SEED}, found {shown(seed)}")
        image = config.get("imageConfig", {})
        if self._check_keys("generationConfig.imageConfig", image, IMAGE):
            self.image = image
            self._check_choice("aspectRatio", self.model.ratios)
            self._check_choice("imageSize", self.model.qualities)

    def _check_choice(self, key: str, offered: tuple[str, ...]) -> None:
        if key in self.image and self.image[key] not in offered:
            what = f"{self.model.google_id} doesn't offer {shown(self.image[key])}"
            expected = f"expected one of: {', '.join(offered)}"
            self._say(f"generationConfig.imageConfig.{key}", f"{what}, {expected}")

    def _check_tools(self) -> None:
        if "tools" in self.body and self.body["tools"] != [{"googleSearch": {}}]:
            self._say("tools", "expected [{'googleSearch': {}}]")
        elif "tools" in self.body and not self.model.search:
            self._say("tools", f"{self.model.google_id} doesn't look facts up on the web")
