"""Google as the tests play it: answers in its shape, an emulator of it, and clients that ask."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from network import Answer, Face, picture

from nanorecipes.sandbox.core import Sandbox
from nanorecipes.sandbox.faults import Faults
from nanorecipes.service.embedded import SandboxTransport
from nanorecipes.service.timing import VirtualClock

HOST = "http://google.invalid"
KEY = "gk-1234567890-secret"
PATH = "/v1beta/models/gemini-3.1-flash-image:generateContent"


def inline(data: bytes, kind: str = "image/png", **more: Any) -> dict[str, Any]:
    """A part that is a picture."""
    text = base64.b64encode(data).decode()
    return {"inlineData": {"mimeType": kind, "data": text}, **more}


def said(*parts: dict[str, Any], finish: str = "STOP", **more: Any) -> Answer:
    """An answer of one candidate."""
    candidate = {"content": {"role": "model", "parts": [*parts]}, "finishReason": finish}
    return Answer(200, {"candidates": [candidate], "usageMetadata": {}, **more})


def made(data: bytes | None = None) -> Answer:
    """An answer with a picture."""
    return said({"text": "Here it is."}, inline(data or picture()))


def problem(code: int, message: str, **more: Any) -> Answer:
    """A refusal."""
    return Answer(code, {"error": {"code": code, "message": message, **more}})


def client(face: Face, transport: Any, **options: Any) -> Any:
    """A client of this kind that asks Google."""
    return face.client(
        transport, **{"backend": "gemini", "api_key": KEY, "base_url": HOST} | options
    )


class Emulated:
    """An emulator of Google in this process, on a clock that costs nothing."""

    def __init__(self, faults: Faults | None = None, **options: Any) -> None:
        self.clock = VirtualClock(0.0)
        self.sandbox = Sandbox(
            faults=faults, clock=self.clock.monotonic, base_url=HOST, plain=True, **options
        )

    def client(self, face: Face, **options: Any) -> Any:
        """A client that asks it."""
        transport = SandboxTransport(self.sandbox.handle, "google.invalid", self.clock)
        return client(face, transport, clock=self.clock, **options)


def answers(folder: Path) -> list[Path]:
    """What is kept beside a ledger of this folder."""
    kept = folder / "answers"
    return sorted(kept.iterdir()) if kept.exists() else []
