"""The command line as a person calls it: arguments in, exit code and what was printed out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nanorecipes.cli.main import run

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Runs commands in the current folder and keeps what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str) -> Outcome:
        self._capsys.readouterr()
        code = run(list(args))
        return self.read(code)

    def read(self, code: int = 0) -> Outcome:
        """What was printed since the last look."""
        said = self._capsys.readouterr()
        return Outcome(code, said.out, said.err)
