"""Runs the examples of recipe files: rendered, compared with their snapshots, expectations held."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes import codes, files
from nanorecipes.book import Recipe
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError, LimitError, RecipeError, RenderError, SaveError
from nanorecipes.linting import DEFAULT, find_targets
from nanorecipes.recipe.places import SUFFIX
from nanorecipes.testing import findings, snapshot
from nanorecipes.testing.diff import diff
from nanorecipes.testing.expect import Broken, broken_expectations
from nanorecipes.testing.findings import Change, Outcome, Problem, Report
from nanorecipes.testing.proofs import broken_proofs

if TYPE_CHECKING:
    from nanorecipes.recipe.library import Shelf
    from nanorecipes.recipe.places import Entry
    from nanorecipes.recipe.source import Path_
    from nanorecipes.request import Request
    from nanorecipes.testing.snapshot import Part, Snapshot


def run_examples(
    paths: Iterable[str | os.PathLike[str]] = (), *, update: bool = False, text: str | None = None
) -> Report:
    """Render the examples of recipe files and compare them with their snapshots.

    Args:
        paths: files or folders; `./recipes` without any.
        update: write snapshots that are missing or differ, and take out those of no example.
        text: only examples whose `recipe: name` holds this text, in any case.

    Raises:
        InputError: a path is absent or holds no recipe, or no example holds the text.
        SaveError: a snapshot can't be written.
    """
    given = [Path(path) for path in paths] or [_default()]
    targets = find_targets(given)
    entries = list({os.path.abspath(entry.path): entry for entry in targets.entries}.values())
    if not entries:
        raise InputError([_wrong("paths", "no recipe file among the paths given")])
    outcomes: list[Outcome] = []
    changes: list[Change] = []
    for entry in entries:
        tested = check_file(entry, targets.shelf, text=text)
        if update:
            tested.update(changes)
        outcomes += tested.outcomes
    if text is not None and not outcomes:
        raise InputError([_wrong("k", f"no example holds {text!r}")])
    if text is None:
        outcomes += _lone_files([path for path in given if path.is_dir()], update, changes)
    return Report(tuple(entry.path for entry in entries), tuple(outcomes), tuple(changes))


def _default() -> Path:
    path = Path(DEFAULT)
    if path.is_dir():
        return path
    message = f"there is no folder {DEFAULT!r} here"
    advice = "give the files or folders to test, or begin: nanorecipes new fashion/swap_shoes"
    raise InputError([_wrong("paths", message, advice)])


def _wrong(field: str, message: str, help: str | None = None) -> Diagnostic:
    return Diagnostic(*codes.BAD_OPTION[:2], "error", message, field=field, help=help)


def check_path(path: Path) -> Tested:
    """Test the examples of the recipe file at a path; nothing is written.

    Raises:
        InputError: there is no such file.
    """
    targets = find_targets([path])
    return check_file(targets.entries[0], targets.shelf)


def check_file(entry: Entry, shelf: Shelf, *, text: str | None = None) -> Tested:
    """Test the examples of one recipe file; nothing is written.

    Args:
        entry: the file.
        shelf: the libraries that its parent and macros are looked up in.
        text: only examples whose `recipe: name` holds this text, in any case.
    """
    try:
        recipe = Recipe(shelf.load_entry(entry), shelf)
        path = snapshot.snapshot_path(entry.path)
        found = snapshot.read_snapshot(path)
        broken = [item for item in recipe.check() if item.severity == "error"]
    except (RecipeError, InputError) as exc:
        return Tested(entry, None, [_broken_file(entry, exc.diagnostics)])
    except OSError as exc:
        unread = Diagnostic(*codes.UNREADABLE[:2], "error", f"can't be read: {exc}", file=path)
        return Tested(entry, None, [_broken_file(entry, [unread])])
    if broken:
        return Tested(entry, None, [_broken_file(entry, broken)])
    return _Tester(recipe, path, found, text).run(entry)


def _broken_file(entry: Entry, problems: Sequence[Diagnostic]) -> Outcome:
    listed = tuple(Problem("broken", problem) for problem in problems)
    line = problems[0].line if problems else None
    return Outcome(entry.name, None, entry.path, line, None, listed)


@dataclass(slots=True)
class Tested:
    """A tested file: what became of its examples, and the snapshot as it should be."""

    entry: Entry
    path: Path | None
    """The snapshot's; None where the file could not be tested."""
    outcomes: list[Outcome]
    text: str | None = None
    """What the snapshot should hold; None when nothing should stand there."""
    old: Snapshot | None = None
    changed: tuple[str, ...] = ()
    """The examples whose sections are new, changed or gone."""

    def update(self, changes: list[Change]) -> None:
        """Write the snapshot if it is not as it should be; what that mends fails no longer.

        Raises:
            SaveError: it can't be written.
        """
        old = self.old.text if self.old is not None else None
        is_foreign = self.text is None and self.old is not None and not self.old.is_ours
        if self.path is None or self.text == old or is_foreign:
            return
        _write(self.path, self.text)
        action: findings.Action = "written" if old is None else "updated"
        changes.append(Change(self.path, "removed" if self.text is None else action, self.changed))
        self.outcomes = [_mended(outcome) for outcome in self.outcomes]


def _mended(outcome: Outcome) -> Outcome:
    kept = tuple(p for p in outcome.problems if p.kind in ("broken", "expectation"))
    return Outcome(
        outcome.recipe, outcome.example, outcome.file, outcome.line, outcome.snapshot, kept,
        outcome.time_s,
    )  # fmt: skip


def _write(path: Path, text: str | None) -> None:
    try:
        if text is None:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        else:
            path.parent.mkdir(exist_ok=True)
            files.write_atomic(path, text.encode("utf-8"))
    except OSError as exc:
        message = f"the snapshot {path} can't be written: {exc.strerror or exc}"
        raise SaveError(message, path=path) from exc


@dataclass(slots=True)
class _Tester:
    """Tests the examples of one recipe."""

    recipe: Recipe
    path: Path
    old: Snapshot | None
    text: str | None
    parts: list[str] = field(default_factory=list)
    """The sections that the snapshot should hold, in order."""
    changed: list[str] = field(default_factory=list)

    def run(self, entry: Entry) -> Tested:
        examples = self.recipe.examples
        headings = snapshot.headings([example["name"] for example in examples])
        known = self.old.parts if self.old is not None else {}
        outcomes: list[Outcome] = []
        for index, heading in enumerate(headings):
            part = known.get(heading)
            if self._wants(examples[index]["name"]):
                outcomes.append(self._example(index, heading, part))
            elif part is not None:
                self.parts.append(part.text)
        lone = [heading for heading in known if heading not in headings]
        if self.text is not None:
            self.parts += [known[heading].text for heading in lone]
            lone = []
        self.changed += lone
        text = snapshot.write_text(self.recipe.name, self.parts) if self.parts else None
        outcomes += self._whole(lone, text, bool(self.changed))
        return Tested(entry, self.path, outcomes, text, self.old, tuple(self.changed))

    def _wants(self, name: str) -> bool:
        return self.text is None or self.text.lower() in f"{self.recipe.name}: {name}".lower()

    def _example(self, index: int, heading: str, part: Part | None) -> Outcome:
        example = self.recipe.examples[index]
        place = self.recipe.definition.document.place(("examples", index, "name"))
        start = time.perf_counter()
        try:
            request = self.recipe.render(**example["inputs"])
        except (RecipeError, InputError, LimitError, RenderError) as exc:
            problems = [self._unrendered(index, problem) for problem in exc.diagnostics]
            if part is not None:
                self.parts.append(part.text)
        else:
            rendered = snapshot.section(heading, self.recipe, example, request)
            self.parts.append(rendered)
            problems = list(self._compared(index, heading, part, rendered))
            problems += [
                Problem(
                    "expectation",
                    self._finding(findings.EXPECTATION, index, ("expect", *item.path),
                                  item.message),
                    item.expected, item.found,
                )
                for item in self._broken(example.get("expect", {}), request)
            ]  # fmt: skip
        taken = time.perf_counter() - start
        return Outcome(
            self.recipe.name, example["name"], self.recipe.path, place.line, self.path,
            tuple(problems), taken,
        )  # fmt: skip

    def _broken(self, expect: Mapping[str, Any], request: Request) -> Iterator[Broken]:
        yield from broken_expectations(expect, request)
        document = self.recipe.definition.document
        yield from broken_proofs(expect, request, document.root_folder or self.recipe.path.parent)

    def _compared(
        self, index: int, heading: str, part: Part | None, rendered: str
    ) -> Iterator[Problem]:
        if part is not None and part.text == rendered:
            return
        self.changed.append(heading)
        if part is None:
            message = f"expected a section {heading!r} in {self.path}, found none"
            way = f"write it, and read it: {self._command()}"
            finding = self._finding(findings.MISSING, index, ("name",), message, way)
            yield Problem("missing", finding, found=rendered)
            return
        message = f"{heading!r} renders otherwise than {self.path} says"
        finding = self._finding(findings.DIFFERS, index, ("name",), message, self._way())
        lines = diff(part.text, rendered, first_line=part.line)
        yield Problem("differs", finding, part.text, rendered, lines)

    def _whole(self, lone: Sequence[str], text: str | None, told: bool) -> Iterator[Outcome]:
        """What is wrong with the snapshot file beside its examples' sections."""
        if self.old is None or (text is None and not self.old.is_ours):
            return
        problems = []
        for heading in lone:
            line = self.old.parts[heading].line
            message = f"{self.recipe.name} has no example {heading!r}"
            problems.append(self._orphan(message, line))
        if not told and self.text is None and self.old.text != text:
            message = "the order of its sections, or what stands around them, is not as written"
            finding = Diagnostic(
                *findings.DIFFERS[:2], "error", message, file=self.path, line=1, help=self._way()
            )
            lines = diff(self.old.text, text or "")
            problems.append(Problem("differs", finding, text, self.old.text, lines))
        if problems:
            yield Outcome(
                self.recipe.name, None, self.recipe.path, None, self.path, tuple(problems)
            )

    def _orphan(self, message: str, line: int) -> Problem:
        code = findings.ORPHANED
        return Problem(
            "orphaned",
            Diagnostic(*code[:2], "error", message, file=self.path, line=line, help=self._way()),
        )

    def _unrendered(self, index: int, problem: Diagnostic) -> Problem:
        example: Mapping[str, Any] = self.recipe.examples[index]
        inside = ("inputs", str(problem.field)) if problem.field in example["inputs"] else ()
        where = f" ({problem.location})" if problem.file is not None else ""
        message = f"the example does not render: {problem.message}{where}"
        finding = self._finding(codes.BAD_EXAMPLE, index, inside or ("name",), message,
                                problem.help)  # fmt: skip
        return Problem("broken", finding)

    def _finding(
        self, code: codes.Code, index: int, path: Path_, message: str, help: str | None = None
    ) -> Diagnostic:
        place = self.recipe.definition.document.place(("examples", index, *path))
        return place.diagnostic(code, message, help=help)

    def _way(self) -> str:
        return f"if it is meant so: {self._command()}"

    def _command(self) -> str:
        return f"nanorecipes test {shlex.quote(str(self.recipe.path))} --update"


def _lone_files(folders: Sequence[Path], update: bool, changes: list[Change]) -> Iterator[Outcome]:
    """Snapshot files below folders whose recipe is gone; with `update` they are removed."""
    for path in dict.fromkeys(path for folder in folders for path in _snapshots(folder)):
        recipe = path.parent.parent / f"{path.stem}{SUFFIX}"
        found = snapshot.read_snapshot(path) if not recipe.exists() else None
        if found is None or not found.is_ours:
            continue
        if update:
            _write(path, None)
            changes.append(Change(path, "removed", tuple(found.parts)))
            continue
        message = f"there is no recipe {recipe} that it belongs to"
        library = shlex.quote(str(path.parent.parent))
        finding = Diagnostic(
            *findings.ORPHANED[:2], "error", message, file=path, line=1,
            help=f"remove it, or run nanorecipes test {library} --update",
        )  # fmt: skip
        yield Outcome(path.stem, None, path, 1, path, (Problem("orphaned", finding),))


def _snapshots(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        here = Path(where)
        folders[:] = sorted(n for n in folders if n[0] not in "._" or n == snapshot.FOLDER)
        if here.name == snapshot.FOLDER:
            yield from (here / n for n in sorted(names) if n.endswith(snapshot.SUFFIX))
