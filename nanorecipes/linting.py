"""Lint recipe files: format, templates, examples and the prompt guide, in one report."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes import codes
from nanorecipes.arguments import read_arguments
from nanorecipes.book import Recipe
from nanorecipes.builder import DEFAULT_MODEL, setting_findings
from nanorecipes.catalogue import catalogue
from nanorecipes.diagnostics import Diagnostic, sort
from nanorecipes.errors import InputError, LimitError, RecipeError, RenderError
from nanorecipes.limits import check_limits
from nanorecipes.lint_settings import Selection, read_selection
from nanorecipes.prompt import macros
from nanorecipes.prompt.lint.context import Context
from nanorecipes.prompt.lint.engine import Guide, Mend
from nanorecipes.prompt.lint.sound import is_sound
from nanorecipes.recipe.library import Shelf, duplicate_finding, lone_entry
from nanorecipes.recipe.places import (
    MACROS,
    NAME,
    OTHER_SUFFIX,
    SUFFIX,
    Entry,
    Folder,
    misnamed,
    renaming,
    walk,
)
from nanorecipes.search_path import search_path
from nanorecipes.suggest import did_you_mean_file

if TYPE_CHECKING:
    from nanorecipes.recipe.model import Definition

DEFAULT = "recipes"
"""The folder that is linted when none is named."""
FILES = (SUFFIX, OTHER_SUFFIX, ".jinja")
"""What can be linted, by its suffix."""
AT_ONCE = 16
"""Recipes that are judged together: more of them don't fit into a processor's cache."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and everything that was found in it, by file and place."""

    files: tuple[Path, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there is neither an error nor a warning; advice alone is clean."""
        return all(finding.severity == "info" for finding in self.diagnostics)

    def count(self, severity: str) -> int:
        """How many findings have a severity."""
        return sum(finding.severity == severity for finding in self.diagnostics)

    def to_json(self) -> dict[str, object]:
        """The report as plain data, as `lint --json` prints it."""
        return {
            "files": [str(path) for path in self.files],
            "diagnostics": [finding.to_json() for finding in self.diagnostics],
        }


class Examination(NamedTuple):
    """A report, and what could be mended."""

    report: Report
    mends: list[Mend]
    """The edits that would mend what was found, where that is safe; only if asked for."""
    children: Mapping[Path, list[Entry]]
    """By file of a parent, the recipes that extend it."""


def lint_paths(
    paths: Iterable[str | os.PathLike[str]] = (),
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Report:
    """Lint recipe files and folders of them.

    Args:
        paths: files or folders; `./recipes` without any.
        select: codes, beginnings of codes or names of the findings wanted; all without any.
        ignore: the same for those not wanted; it wins over `select`.

    A file that can't be loaded is reported whatever is selected: nothing else is known of it.

    Raises:
        InputError: a path is absent or holds no recipe, or a code or name is unknown.
        ConfigurationError: `[tool.nanorecipes.lint]` of the nearest pyproject.toml is wrong.
    """
    given = [Path(path) for path in paths]
    selection = read_selection(select, ignore)
    return examine(find_targets(given or [Path(DEFAULT)]), selection).report


def examine(
    targets: Targets,
    selection: Selection,
    *,
    unsaved: Mapping[Path, bytes] | None = None,
    mends: bool = False,
) -> Examination:
    """Lint what is given.

    Args:
        targets: the files.
        selection: which findings are wanted.
        unsaved: what recipe files would hold, by path; the others are read from the disk.
        mends: whether what mends the findings is wanted too.
    """
    if unsaved is not None:
        targets = replace(targets, shelf=Shelf(targets.shelf.folders, unsaved=unsaved))
    linter = _Linter(targets.shelf, selection, mends=mends)
    with _rare_collections():
        # Each step runs faster over many recipes than in turns: its code then stays at hand.
        definitions = list(linter.load(targets.entries))
        for start in range(0, len(definitions), AT_ONCE):
            linter.judge(definitions[start : start + AT_ONCE])
    for path, folders in targets.macro_files:
        linter.macro_file(path, folders)
    linter.duplicates(targets)
    linter.add(map(_misnamed, targets.misnamed))
    files = dict.fromkeys([*(entry.path for entry in targets.entries)])
    files.update(dict.fromkeys(path for path, _ in targets.macro_files))
    report = Report(tuple(files), tuple(sort(linter.found)))
    return Examination(report, linter.guide.mends or [], linter.children)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for dead cycles seldom: linting makes none, and looking takes a tenth of its time."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 20_000_000), *before[1:])
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # what is new counts as old: nobody looks through it at once
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)


@dataclass(slots=True)
class Targets:
    """What is linted: recipe files, macro files, and the libraries that they belong to."""

    shelf: Shelf
    entries: list[Entry] = field(default_factory=list)
    macro_files: list[tuple[Path, Sequence[Path]]] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    """The whole libraries among them, in order."""
    misnamed: list[Path] = field(default_factory=list)
    """Files of libraries that no name leads to: they end in `.yml`."""


def find_targets(paths: Sequence[Path]) -> Targets:
    """The files that the paths mean.

    Raises:
        InputError: a path is absent or holds no recipe; every one is named.
    """
    known = search_path()
    own = [_as_library(path, known) for path in paths if path.is_dir()]
    extra = [folder for folder in own if all(folder.path != item.path for item in known)]
    targets = Targets(Shelf([*extra, *known]))
    problems: list[Diagnostic] = []
    for path in paths:
        if path.is_dir():
            count, before = len(targets.entries) + len(targets.macro_files), len(targets.misnamed)
            _add_folder(targets, path)
            if len(targets.entries) + len(targets.macro_files) == count:
                message = f"holds no recipe: no file below it ends in {SUFFIX}"
                help = next(map(renaming, targets.misnamed[before:]), None)
                problems.append(_bad_path(path, message, help))
        elif path.is_file():
            _add_file(targets, path)
        else:
            problems.append(_bad_path(path, "there is no such file or folder", _nearest(path)))
    if problems:
        raise InputError(problems)
    return targets


def _nearest(path: Path) -> str | None:
    if path == Path(DEFAULT):
        return "give the files or folders to lint"
    return did_you_mean_file(path, FILES) or did_you_mean_file(path, folders=True)


def _bad_path(path: Path, message: str, help: str | None = None) -> Diagnostic:
    code = codes.UNREADABLE
    return Diagnostic(code.code, code.name, "error", message, file=path, help=help)


def _as_library(path: Path, known: Sequence[Folder]) -> Folder:
    """The library that a folder is, or is a part of."""
    full = Path(os.path.abspath(path))
    for folder in known:
        if full.is_relative_to(Path(os.path.abspath(folder.path))):
            return folder
    for parent in (full, *full.parents):
        if parent.name == DEFAULT or (parent / MACROS).is_dir():
            return Folder(path if parent == full else parent, "library")
    return Folder(path, "given")


def _add_folder(targets: Targets, path: Path) -> None:
    of_group: dict[str, tuple[str, Folder]] = {}
    for entry in walk(Folder(path, "given")):
        group, _, stem = entry.name.rpartition("/")
        if group not in of_group:  # all files of a folder have the same place in their library
            found = _entry_of(targets.shelf, entry.path)
            of_group[group] = found.name.removesuffix(stem), found.folder
        before, folder = of_group[group]
        targets.entries.append(Entry(before + stem, entry.path, folder))
    full = Path(os.path.abspath(path))
    for folder in targets.shelf.folders:
        if Path(os.path.abspath(folder.path)) == full and folder not in targets.folders:
            targets.folders.append(folder)
    targets.misnamed += misnamed(path)
    lookups = targets.shelf.macro_folders(path)
    for file in sorted((path / MACROS).rglob("*.jinja")):
        targets.macro_files.append((file, lookups))


def _add_file(targets: Targets, path: Path) -> None:
    if path.suffix == ".jinja" and MACROS in path.parts:
        root = next(parent.parent for parent in path.parents if parent.name == MACROS)
        targets.macro_files.append((path, targets.shelf.macro_folders(root)))
        return
    entry = _entry_of(targets.shelf, path)
    targets.entries.append(entry)
    if path.suffix == OTHER_SUFFIX and entry.folder.label != "file":
        targets.misnamed.append(path)


def _entry_of(shelf: Shelf, path: Path) -> Entry:
    """A file's entry; in a folder that isn't laid out as a library it is as if given alone."""
    entry = shelf.entry_of(path)
    parts = entry.name.split("/")
    if entry.folder.label == "given" and not NAME.match("/".join([*parts[:-1], "x"])):
        return lone_entry(path)
    return entry


def _misnamed(path: Path) -> Diagnostic:
    message = f"no name leads to this recipe: recipe files end in {SUFFIX}"
    code = codes.BAD_NAME
    return Diagnostic(code.code, code.name, "warning", message, file=path, help=renaming(path))


class _Linter:
    """Collects findings, each once: a parent's faults would else be told for each child."""

    def __init__(self, shelf: Shelf, selection: Selection, *, mends: bool = False) -> None:
        self.shelf = shelf
        self.selection = selection
        self.guide = Guide(selection.takes, mends=mends)
        self.children: dict[Path, list[Entry]] = {}
        self.found: list[Diagnostic] = []
        self._seen: set[tuple[object, ...]] = set()

    def add(self, findings: Iterable[Diagnostic], *, always: bool = False) -> None:
        for finding in findings:
            if not always and not self.selection.takes(finding.code, finding.name):
                continue
            key = (
                finding.file, finding.line, finding.column, finding.code,
                finding.message if finding.code < "NR1" else None,
            )  # fmt: skip
            if key not in self._seen:
                self._seen.add(key)
                self.found.append(finding)

    def load(self, entries: Iterable[Entry]) -> Iterator[Definition]:
        """The recipes that can be loaded; what is wrong with the others is a finding."""
        for entry in entries:
            try:
                definition = self.shelf.load_entry(entry)
            except RecipeError as exc:
                self.add(exc.diagnostics, always=True)
                continue
            if self.guide.mends is not None:
                owners = {id(owner): owner for owner in definition.document.others.values()}
                for owner in owners.values():
                    self.children.setdefault(owner.path, []).append(entry)
            yield definition

    def judge(self, definitions: Iterable[Definition]) -> None:
        """Collect what is wrong with recipes that could be loaded."""
        contexts = [
            context
            for definition in definitions
            if self.is_readable(context := Context(definition, self.shelf.macro_folders))
        ]
        for context in contexts:
            self.add(self.examples(context.definition, context))
        self.add(self.guide.check(contexts))

    def is_readable(self, context: Context) -> bool:
        """Whether a recipe's templates have no error; what can't be rendered can't be read."""
        findings = self.static(context.definition, context)
        self.add(findings)
        return all(finding.severity != "error" for finding in findings)

    def static(self, definition: Definition, context: Context) -> list[Diagnostic]:
        """What the check of templates and settings finds; compiled only where there is any."""
        if is_sound(definition, context.made.templates, self.shelf.macro_folders):
            return setting_findings(definition)
        return Recipe(definition, self.shelf).check()

    def examples(self, definition: Definition, context: Context) -> Iterator[Diagnostic]:
        """A finding for each example that does not render, with the reason."""
        for index, example in enumerate(definition.examples):
            try:
                if not _renders(context, index):
                    Recipe(definition, self.shelf).render(**example["inputs"])
            except (InputError, LimitError, RenderError) as exc:
                for problem in exc.diagnostics:
                    yield _broken(definition, index, problem)

    def macro_file(self, path: Path, folders: Sequence[Path]) -> None:
        self.add(macros.load(path, folders).findings)

    def duplicates(self, targets: Targets) -> None:
        """Names of whole libraries that another library of the search path holds too."""
        names: dict[str, list[Entry]] = {}
        for folder in self.shelf.folders if targets.folders else ():
            for entry in walk(folder):
                names.setdefault(entry.name, []).append(entry)
        own = {os.path.abspath(folder.path) for folder in targets.folders}
        for found in names.values():
            asked = any(os.path.abspath(entry.folder.path) in own for entry in found)
            if len(found) > 1 and asked and not self._overrides(found[0]):
                self.add([duplicate_finding(found)])

    def _overrides(self, entry: Entry) -> bool:
        try:
            return bool(self.shelf.load_entry(entry).data.get("overrides", False))
        except RecipeError:
            return False


def _broken(definition: Definition, index: int, problem: Diagnostic) -> Diagnostic:
    """An example's finding, at the input that is wrong where it is one."""
    example = definition.examples[index]
    path: tuple[str | int, ...] = ("examples", index)
    if problem.field in example["inputs"]:
        path = (*path, "inputs", str(problem.field))
    where = f" ({problem.location})" if problem.file is not None else ""
    message = f"the example {example['name']!r} does not render: {problem.message}{where}"
    place = definition.document.place(path)
    return place.diagnostic(codes.BAD_EXAMPLE, message, help=problem.help)


def _renders(context: Context, index: int) -> bool:
    """Whether an example surely renders, told without compiling the templates.

    Raises:
        InputError: its arguments are wrong.
    """
    definition = context.definition
    arguments = read_arguments(definition, definition.examples[index]["inputs"])
    if arguments.protect or arguments.notes or not context.always_renders:
        return False
    options = {"model": DEFAULT_MODEL, **definition.settings, **arguments.options}
    model = catalogue().get(str(options["model"]))
    if model is None:
        return False
    options = {name: str(v) if name == "quality" else v for name, v in options.items()}
    counts = {name: len(items) for name, items in arguments.images.items()}
    sources = sum(n for name, n in counts.items() if definition.slots[name].role == "source")
    return not check_limits(
        model, options, prompt_chars=0, sources=sources,
        references=sum(counts.values()) - sources,
    )  # fmt: skip
