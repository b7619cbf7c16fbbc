"""Mend recipe files where that is mechanical and safe, and hold what came out against the rules."""

from __future__ import annotations

import difflib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes.errors import RecipeError
from nanorecipes.files import write_atomic
from nanorecipes.lint_settings import Selection, read_selection
from nanorecipes.linting import DEFAULT, Examination, Report, Targets, examine, find_targets
from nanorecipes.recipe import source

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.prompt.lint.engine import Mend
    from nanorecipes.prompt.lint.mending import Edit

_BOM = b"\xef\xbb\xbf"
_ALL = Selection()
GUIDE = "NR1"
"""What is selected with any of the guide's rules: mends that no rule asks for go with them all."""


class Fix(NamedTuple):
    """One stretch of a file that was mended, or would be."""

    file: Path
    line: int
    column: int
    """Where it stood, in characters from 1."""
    rule: str
    before: str
    after: str

    def headline(self) -> str:
        """The fix in one line: where, why, and what became of it."""
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.rule}: {_shown(self.before)} -> {_shown(self.after)}"

    def to_json(self) -> dict[str, object]:
        """The fix as plain data, as `lint --fix --json` lists it."""
        return {**self._asdict(), "file": str(self.file)}


class Unmended(NamedTuple):
    """A file that was left as it is, and why."""

    file: Path
    reason: str


class Change(NamedTuple):
    """What a file holds, and what it shall hold."""

    file: Path
    before: bytes
    after: bytes

    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = (data.decode("utf-8-sig").splitlines(True) for data in (self.before, self.after))
        name = self.file.as_posix()
        lines = difflib.unified_diff(old, new, name, name)
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )


@dataclass(frozen=True, slots=True)
class Fixes:
    """What was mended, what wasn't, and what is left to do by hand."""

    report: Report
    """The findings that are left; where nothing was written, those that are there."""
    fixed: tuple[Fix, ...]
    changes: tuple[Change, ...]
    unmended: tuple[Unmended, ...] = ()

    def diff(self) -> str:
        """All changes as one unified diff."""
        return "".join(change.diff() for change in self.changes)

    def to_json(self) -> dict[str, object]:
        """The report as plain data, with what was mended."""
        return {
            **self.report.to_json(),
            "fixed": [fix.to_json() for fix in self.fixed],
            "unmended": [{"file": str(file), "reason": why} for file, why in self.unmended],
        }


def fix_paths(
    paths: Iterable[str | os.PathLike[str]] = (),
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    write: bool = True,
) -> Fixes:
    """Mend recipe files: quality tags, images counted by hand, doubled blanks.

    A file is only written when it still loads, what was mended is no finding any more, and no new
    finding has come, in it or in a recipe that extends it. Its comments, its layout and its line
    endings stay.

    Args:
        paths: files or folders; `./recipes` without any.
        select: codes, beginnings of codes or names to mend; all without any.
        ignore: the same for those to leave.
        write: whether files are written, or only told what would be.

    Raises:
        InputError: a path is absent or holds no recipe, or a code or name is unknown.
        ConfigurationError: `[tool.nanorecipes.lint]` of the nearest pyproject.toml is wrong.
    """
    selection = read_selection(select, ignore)
    targets = find_targets([Path(path) for path in paths] or [Path(DEFAULT)])
    first = examine(targets, selection, mends=True)
    jobs = list(_jobs(targets, selection, first))
    for job in jobs:
        job.run()
        if write:
            job.save()
    done = [job for job in jobs if job.change is not None]
    report = examine(targets, selection, unsaved={}).report if write and done else first.report
    return Fixes(
        report=report,
        fixed=tuple(fix for job in done for fix in sorted(job.fixed)),
        changes=tuple(job.change for job in done if job.change is not None),
        unmended=tuple(Unmended(job.path, job.problem) for job in jobs if job.problem),
    )


def _jobs(targets: Targets, selection: Selection, found: Examination) -> Iterator[_Job]:
    """One job for each file that has something to mend, by whatever names it was given."""
    entries = {entry.path: entry for entry in targets.entries}
    seen: set[str] = set()
    for path in dict.fromkeys(mend.edit.place.file for mend in found.mends):
        real = os.path.realpath(path)
        if real not in seen and path in entries:
            seen.add(real)
            own = [entries[path], *found.children.get(path, ())]
            yield _Job(path, Targets(targets.shelf, own), selection)


class _Job:
    """Mends one file, round by round, as far as all stays sound."""

    def __init__(self, path: Path, targets: Targets, selection: Selection) -> None:
        self.path = path
        self.fixed: list[Fix] = []
        self.change: Change | None = None
        self.problem: str | None = None
        self._targets = targets
        self._selection = selection

    def run(self) -> None:
        """Find out what the file shall hold."""
        try:
            text, before = source.read(self.path)
        except RecipeError as exc:  # it could be read a moment ago
            self.problem = exc.diagnostics[0].message
            return
        start = _BOM if before.startswith(_BOM) else b""
        data, found = before, self._look(before)
        # One mend may uncover the next. That ends: each takes a tag, a number or a blank away.
        while (step := _apply(text, self._wanted(found))).made:
            text, made = step
            now = start + text.encode("utf-8")
            after = self._look(now)
            self.problem = _problem(found.report, after.report, made)
            if self.problem is not None:
                break
            data, found = now, after
            self.fixed += [_fix(mend) for mend in made]
        if data != before:
            self.change = Change(self.path, before, data)

    def _look(self, data: bytes) -> Examination:
        """Everything that is found with these bytes in the file, also what isn't selected."""
        return examine(self._targets, _ALL, unsaved={self.path: data}, mends=True)

    def _wanted(self, found: Examination) -> list[Mend]:
        return [
            mend
            for mend in found.mends
            if mend.edit.place.file == self.path
            and self._selection.takes(
                mend.finding.code if mend.finding is not None else GUIDE, mend.rule
            )
        ]

    def save(self) -> None:
        """Write the file; what prevents it is the problem, and then nothing has changed."""
        if self.change is None:
            return
        target = Path(os.path.realpath(self.path))
        try:
            mode = target.stat().st_mode
            if not mode & 0o222:
                self._give_up("it is read-only")
            elif target.read_bytes() != self.change.before:
                self._give_up("it has changed meanwhile")
            else:
                write_atomic(target, self.change.after)
                target.chmod(stat.S_IMODE(mode))
        except OSError as exc:
            self._give_up(f"it can't be written: {exc.strerror or exc}")

    def _give_up(self, reason: str) -> None:
        self.problem, self.change = reason, None


def _fix(mend: Mend) -> Fix:
    place = mend.edit.place
    return Fix(place.file, place.line, place.column, mend.rule, mend.edit.before, mend.edit.after)


def _shown(text: str) -> str:
    return repr(text) if text else "nothing"


# --- applying edits


class _Step(NamedTuple):
    text: str
    made: list[Mend]


def _apply(text: str, mends: Iterable[Mend]) -> _Step:
    """A file's text with the edits made that provably change what they mean to, last one first."""
    made: list[Mend] = []
    leaves = _leaves(text)
    starts = _line_starts(text)
    for mend in sorted(_apart(mends), key=lambda mend: mend.edit.place[1:3], reverse=True):
        edit = mend.edit
        start = starts[edit.place.line - 1] + edit.place.column - 1
        now = text[:start] + edit.after + text[start + len(edit.before) :]
        changed = _leaves(now)
        if _is_exact(leaves, changed, edit):
            text, leaves = now, changed
            made.append(mend)
    return _Step(text, made)


def _apart(mends: Iterable[Mend]) -> list[Mend]:
    """The mends, each once; what only tidies gives way to what mends a finding."""
    kept: list[Mend] = []
    taken: dict[int, list[tuple[int, int]]] = {}
    for mend in sorted(mends, key=lambda mend: mend.finding is None):
        place = mend.edit.place
        spans = taken.setdefault(place.line, [])
        if not any(start < place.end_column and place.column < end for start, end in spans):
            spans.append((place.column, place.end_column))
            kept.append(mend)
    return kept


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


Leaves = list[tuple[tuple[object, ...], object]]


def _leaves(text: str) -> Leaves:
    """Every value of a YAML text with the way to it; none where it is no YAML."""
    try:
        return list(_walk(source.parse(Path(), text).data, ()))
    except RecipeError:
        return []


def _walk(value: Any, path: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], object]]:
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _walk(item, (*path, key))
    else:
        yield path, value


def _is_exact(old: Leaves, new: Leaves, edit: Edit) -> bool:
    """Whether one text of the file has changed, there the edit's stretch, and nothing else."""
    if len(old) != len(new):
        return False
    changed = [pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]]
    if len(changed) != 1:
        return False
    (path, before), (same, after) = changed[0]
    size = len(edit.before)
    return (
        path == same
        and isinstance(before, str)
        and any(
            before.startswith(edit.before, i)
            and before[:i] + edit.after + before[i + size :] == after
            for i in range(len(before))
        )
    )


# --- judging what came out


def _problem(before: Report, after: Report, made: Sequence[Mend]) -> str | None:
    """Why a mended file isn't taken, if it isn't."""
    worse = _by_code(after.diagnostics) - _by_code(before.diagnostics)
    for finding in after.diagnostics:
        if finding.code in worse:
            return f"mending it would bring {finding.code} {finding.name}: {finding.message}"
    mended = {mend.finding for mend in made if _is_covered(mend)}
    gone = Counter((finding.code, finding.message) for finding in mended if finding is not None)
    left = Counter((finding.code, finding.message) for finding in after.diagnostics)
    were = Counter((finding.code, finding.message) for finding in before.diagnostics)
    for (code, message), count in gone.items():
        if left[code, message] > were[code, message] - count:
            return f"mending it would not be enough: {code} {message}"
    return None


def _by_code(findings: Iterable[Diagnostic]) -> Counter[str]:
    return Counter(finding.code for finding in findings)


def _is_covered(mend: Mend) -> bool:
    """Whether a finding points into the stretch that is mended, and not beside it."""
    place, finding = mend.edit.place, mend.finding
    if finding is None or finding.column is None or finding.line != place.line:
        return False
    return place.column <= finding.column < place.end_column
