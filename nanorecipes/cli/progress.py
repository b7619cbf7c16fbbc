"""What a run is doing, on stderr: one line that lives on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import view

if TYPE_CHECKING:
    from pathlib import Path

    from nanorecipes.request import Request
    from nanorecipes.service.flow import Note

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TICK_S = 0.1
_GOES_ON = "the task goes on; resume it"
_PLAIN_EVERY_S = 15.0


class Progress:
    """Takes the client's notes and shows them; remembers the task for whoever stops the wait."""

    def __init__(self, *, quiet: bool, out: Path, sandbox: bool) -> None:
        self.quiet = quiet
        self.out = out
        self.sandbox = sandbox
        self.task_id: str | None = None
        self.is_submitting = False
        self._text = ""
        self._began = time.monotonic()
        self._said = 0.0
        self._live = not quiet and sys.stderr.isatty()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, request: Request, backend: str) -> None:
        """Say what is sent where, and what it will cost."""
        if self.quiet:
            return
        cost = view.money(request.estimated_cost)
        is_direct = backend == "gemini" and request.chosen.google_id is not None
        model = request.chosen.google_id if is_direct else request.model
        view.info(f"{request.recipe} on {model} ({backend}), estimated {cost}")

    def note(self, note: Note) -> None:
        """Take one note of the client."""
        data = note.data
        self.is_submitting = note.kind == "submitting"
        if note.kind == "submitted":
            task = data.get("task_id")
            self.task_id = self.task_id if not task or _is_nowhere(task) else task
        self._show(_words(note.kind, data), important=note.kind in ("submitted", "retrying"))

    def close(self) -> None:
        """Take the line away."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._erase()

    def interrupted(self) -> None:
        """Say how to come back for what was submitted."""
        self.close()
        if self.task_id:
            line = self.resume_line(self.task_id)
            what = "the picture is kept; save it" if names_kept(self.task_id) else _GOES_ON
            click.echo(f"{what} with: {line}", err=True)
        elif self.is_submitting:
            click.echo("the request was on its way: it was perhaps accepted and charged", err=True)

    def resume_line(self, task_id: str) -> str:
        """The command that waits for a task again."""
        sandbox = " --sandbox" if self.sandbox else ""
        where = f" -o {shlex.quote(str(self.out))}" if str(self.out) != "." else ""
        return f"nanorecipes resume {shlex.quote(task_id)}{where}{sandbox}"

    def _show(self, text: str, *, important: bool) -> None:
        self._text = text
        if self.quiet:
            return
        if self._live:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._spin, daemon=True)
                self._thread.start()
            return
        now = time.monotonic()
        if important or now - self._said >= _PLAIN_EVERY_S:
            self._said = now
            view.info(f"{text} ({now - self._began:.0f} s)")

    def _spin(self) -> None:
        frame = 0
        while not self._stop.wait(_TICK_S):
            seconds = time.monotonic() - self._began
            line = f"{_FRAMES[frame % len(_FRAMES)]} {self._text}  {seconds:.0f} s"
            sys.stderr.write(f"\r\x1b[2K{line[: view.width() - 1]}")
            sys.stderr.flush()
            frame += 1

    def _erase(self) -> None:
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


def names_kept(task_id: str) -> bool:
    """Whether it names a picture that came with its answer, and lies beside the ledger."""
    return task_id.startswith("kept:")


def _is_nowhere(task_id: str) -> bool:
    """Whether it names a picture that could not be kept: nothing leads to it later."""
    return task_id.startswith("inline:")


def _words(kind: str, data: Any) -> str:
    if kind == "retrying":
        return f"trying again in {data.get('seconds', 0):.0f} s: {data.get('reason', '')}"
    if kind == "submitted":
        task = data.get("task_id")
        if task and (names_kept(task) or _is_nowhere(task)):
            return "the picture came"
        return f"accepted as task {task}" if task else "accepted"
    return {
        "uploaded": "picture handed over",
        "submitting": "sending the request",
        "waiting": "waiting for the picture",
        "polling": "waiting for the picture",
        "done": "downloading",
        "downloaded": "downloaded",
    }.get(kind, kind)
