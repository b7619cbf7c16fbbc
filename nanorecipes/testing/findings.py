"""What can be wrong with an example: the codes, and the values that a report is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nanorecipes.codes import Code
from nanorecipes.diagnostics import render

if TYPE_CHECKING:
    from pathlib import Path

    from nanorecipes.diagnostics import Diagnostic

MISSING = Code("NR050", "missing-snapshot", "An example has no snapshot yet.")
DIFFERS = Code("NR051", "changed-snapshot", "An example renders otherwise than its snapshot says.")
ORPHANED = Code("NR052", "orphaned-snapshot", "A snapshot belongs to no example.")
EXPECTATION = Code("NR053", "failed-expectation", "An example breaks what its `expect` says.")
CODES = (MISSING, DIFFERS, ORPHANED, EXPECTATION)

Kind = Literal["broken", "missing", "differs", "orphaned", "expectation"]
Action = Literal["written", "updated", "removed"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with its place in the author's file."""

    kind: Kind
    finding: Diagnostic
    expected: str | None = None
    found: str | None = None
    diff: tuple[str, ...] = ()
    """Lines that begin with `-`, `+`, a blank, or `@@`."""

    def text(self) -> str:
        """The problem in full: what, where, the differing lines, and the way out."""
        head = render(self.finding._replace(help=None))
        way = [f"  help: {self.finding.help}"] if self.finding.help else []
        return "\n".join([head, *(f"  {line}".rstrip() for line in self.diff), *way])

    def to_json(self) -> dict[str, object]:
        """The problem as plain data: its kind, the finding, and what was expected and found."""
        return {
            "kind": self.kind,
            **self.finding.to_json(),
            "expected": self.expected,
            "found": self.found,
            "diff": list(self.diff),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example, or of a file as a whole (`example` is None)."""

    recipe: str
    example: str | None
    file: Path
    line: int | None
    snapshot: Path | None
    problems: tuple[Problem, ...] = ()
    time_s: float = 0.0

    def to_json(self) -> dict[str, object]:
        """The outcome as plain data, as it stands in `failed` of `test --json`."""
        return {
            "recipe": self.recipe,
            "example": self.example,
            "file": str(self.file),
            "line": self.line,
            "snapshot": None if self.snapshot is None else str(self.snapshot),
            "problems": [problem.to_json() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A snapshot file that was written: what was done, and for which examples."""

    path: Path
    action: Action
    examples: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The change as plain data."""
        return {"path": str(self.path), "action": self.action, "examples": list(self.examples)}


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, what became of it, and what was written."""

    files: tuple[Path, ...]
    outcomes: tuple[Outcome, ...]
    changes: tuple[Change, ...] = ()

    @property
    def examples(self) -> int:
        """How many examples were looked at."""
        return sum(outcome.example is not None for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Examples and files with problems, in the order of the files."""
        return tuple(outcome for outcome in self.outcomes if outcome.problems)

    @property
    def is_fine(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    def to_json(self) -> dict[str, object]:
        """The report as plain data, as `test --json` prints it."""
        return {
            "files": [str(path) for path in self.files],
            "examples": self.examples,
            "failed": [outcome.to_json() for outcome in self.failed],
            "updated": [change.to_json() for change in self.changes],
        }
