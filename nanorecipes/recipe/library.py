"""Libraries: where recipes lie, which one a name means, and how a file becomes a definition."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import RecipeError, UnknownRecipeError
from nanorecipes.recipe import source
from nanorecipes.recipe.merge import check_override_alone, merge
from nanorecipes.recipe.model import Definition, define
from nanorecipes.recipe.places import MACROS, NAME, SUFFIX, Entry, Folder, walk
from nanorecipes.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nanorecipes.recipe.source import Document

_PART = re.compile(r"[a-z][a-z0-9_]*\Z")
_MACRO_FILE = re.compile(r"\{%[-+]?\s*(?:from|import)\s+(?:\"([^\"]*)\"|'([^']*)')")
MAX_MACRO_BYTES = 256 * 1024


@dataclass(slots=True)
class _Cached:
    definition: Definition
    signature: tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class Shelf:
    """Several libraries in search order; reads a file when its name is asked for, not before."""

    folders: Sequence[Folder]
    _cache: dict[Path, _Cached] = field(default_factory=dict)

    def entries(self) -> Iterator[Entry]:
        """Every recipe file of every library, in search order, then by name."""
        for folder in self.folders:
            yield from walk(folder)

    def names(self) -> list[str]:
        """Every recipe name, sorted, each once."""
        return sorted({entry.name for entry in self.entries()})

    def find(self, name: str) -> list[Entry]:
        """The files that a name may mean, in search order; no file is opened."""
        if not NAME.match(name):
            return []
        found = []
        for folder in self.folders:
            path = folder.path / f"{name}{SUFFIX}"
            if path.is_file():
                found.append(Entry(name, path, folder))
        return found

    def load(self, name: str) -> Definition:
        """The recipe of a name.

        Raises:
            UnknownRecipeError: there is none; with the nearest names.
            RecipeError: its file is broken, or two libraries hold it and none says `overrides`.
        """
        found = self.find(name)
        if not found:
            raise UnknownRecipeError(name, nearest(name, self.names(), 3))
        definition = self.load_entry(found[0])
        if len(found) > 1 and not definition.data.get("overrides", False):
            raise RecipeError([duplicate_finding(found)], path=found[0].path)
        return definition

    def load_entry(self, entry: Entry) -> Definition:
        """One file as a recipe; read again only when it, its parent or a macro has changed.

        Raises:
            RecipeError: with every problem of the file.
        """
        cached = self._cache.get(entry.path)
        if cached is not None and all(_stamp(Path(name)) == (name, *rest)
                                      for name, *rest in cached.signature):
            return cached.definition
        definition, files = self._read(entry)
        signature = tuple(_stamp(path) for path in files)
        self._cache[entry.path] = _Cached(definition, signature)
        return definition

    def load_path(self, path: Path) -> Definition:
        """A recipe file by its path, in a library of the search path or not."""
        return self.load_entry(self.entry_of(path))

    def entry_of(self, path: Path) -> Entry:
        """The entry of a file: its library is the known one that holds it, else made out."""
        full = Path(os.path.abspath(path))
        for folder in self.folders:
            base = Path(os.path.abspath(folder.path))
            if full.is_relative_to(base):
                return Entry(_name_of(full, base), path, folder)
        base = _guess_root(full)
        return Entry(_name_of(full, base), path, Folder(base, "file"))

    def macro_folders(self, root: Path) -> list[Path]:
        """Where the macros of a library's templates are looked up: there, then in the built-in."""
        built_in = [folder.path for folder in self.folders if folder.label == "built-in"]
        return [root, *(path for path in built_in if path != root)]

    def _read(self, entry: Entry) -> tuple[Definition, list[Path]]:
        _check_name(entry)
        digest = hashlib.sha256()
        document, files = self._document(entry, digest)
        if isinstance(document.data, dict) and "extends" in document.data:
            document, more = self._merged(entry, document, digest)
            files += more
        elif isinstance(document.data, dict):
            check_override_alone(document)
        definition = define(
            entry.name, document, content_hash=digest.hexdigest(), root=entry.folder.path
        )
        document.release()
        return definition, files

    def _document(self, entry: Entry, digest: hashlib._Hash) -> tuple[Document, list[Path]]:
        _check_inside(entry)
        text, raw = source.read(entry.path)
        _feed(digest, "recipe", raw)
        document = source.parse(entry.path, text)
        document.root_folder = entry.folder.path
        files = [entry.path]
        for path in self._macro_files(entry, text):
            _feed(digest, path.name, path.read_bytes()[:MAX_MACRO_BYTES])
            files.append(path)
        return document, files

    def _merged(
        self, entry: Entry, child: Document, digest: hashlib._Hash
    ) -> tuple[Document, list[Path]]:
        name = child.data["extends"]
        place = child.place(("extends",))
        if not isinstance(name, str):
            message = "extends must be the name of a recipe"
            raise RecipeError([place.diagnostic(codes.BAD_PARENT, message)], path=entry.path)
        # A file may extend the one that it stands before, so itself is no candidate.
        own = os.path.abspath(entry.path)
        found = [item for item in self.find(name) if os.path.abspath(item.path) != own]
        if not found:
            finding = place.diagnostic(
                codes.BAD_PARENT, f"there is no recipe {name!r} to extend",
                help=did_you_mean(name, self.names()),
            )  # fmt: skip
            raise RecipeError([finding], path=entry.path)
        parent, files = self._document(found[0], digest)
        if isinstance(parent.data, dict) and "extends" in parent.data:
            message = f"{name!r} extends another recipe itself; only one step is allowed"
            advice = f"extend {parent.data['extends']!r} instead"
            finding = place.diagnostic(codes.BAD_PARENT, message, help=advice)
            raise RecipeError([finding], path=entry.path)
        if not isinstance(parent.data, dict):
            message = f"{name!r} is no recipe"
            raise RecipeError([place.diagnostic(codes.BAD_PARENT, message)], path=entry.path)
        return merge(child, parent), files

    def _macro_files(self, entry: Entry, text: str) -> list[Path]:
        """Macro files that a text imports, and those that they import, each once, sorted."""
        folders = self.macro_folders(entry.folder.path)
        found: dict[Path, None] = {}
        queue = _imports(text)
        while queue and len(found) < 100:
            path = find_macro(folders, queue.pop())
            if path is not None and path not in found:
                found[path] = None
                queue += _imports(path.read_text(encoding="utf-8", errors="replace"))
        return sorted(found)


def find_macro(folders: Sequence[Path], name: str) -> Path | None:
    """The macro file that `{% from "name" import ... %}` means, or None; never one outside."""
    parts = name.split("/")
    if parts[0] != MACROS or len(parts) < 2 or not name.endswith(".jinja"):
        return None
    if any(part in ("", ".", "..") or "\\" in part or "\x00" in part for part in parts):
        return None
    for folder in folders:
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    return None


def duplicate_finding(found: Sequence[Entry]) -> Diagnostic:
    """Two libraries hold a recipe of the same name: which ones, and how to mend it."""
    first, second = found[0], found[1]
    return Diagnostic(
        codes.DUPLICATE_NAME.code, codes.DUPLICATE_NAME.name, "error",
        f"{first.name!r} stands in two libraries: {first.path} and {second.path}",
        file=first.path, line=1, column=1,
        help=f"rename one, or say `overrides: true` in {first.path}",
    )  # fmt: skip


def _imports(text: str) -> list[str]:
    return [double or single for double, single in _MACRO_FILE.findall(text)]


def _feed(digest: hashlib._Hash, label: str, data: bytes) -> None:
    """Add a part with its length before it, so that no two sets of parts look alike."""
    digest.update(f"{label}:{len(data)}\n".encode())
    digest.update(data)


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), stat.st_mtime_ns, stat.st_size)


def _name_of(path: Path, base: Path) -> str:
    relative = path.relative_to(base).as_posix()
    return relative.removesuffix(SUFFIX).removesuffix(".yml")


def _guess_root(path: Path) -> Path:
    """The library of a file that no known library holds: the folder with macros, or `recipes`."""
    for parent in path.parents:
        if parent.name == "recipes" or (parent / MACROS).is_dir():
            return parent
    return path.parent


def _check_inside(entry: Entry) -> None:
    if entry.path.is_symlink() or entry.path.parent.is_symlink():
        real = entry.path.resolve()
        if not real.is_relative_to(entry.folder.path.resolve()):
            message = "is a symbolic link that leads out of its library"
            finding = Diagnostic(*codes.OUTSIDE[:2], "error", message, file=entry.path)
            raise RecipeError([finding], path=entry.path)


def _check_name(entry: Entry) -> None:
    if all(_PART.match(part) for part in entry.name.split("/")):
        return
    message = f"{entry.name!r} is no recipe name"
    advice = "lower-case letters, digits and _ in each part, beginning with a letter"
    finding = Diagnostic(
        *codes.BAD_NAME[:2], "error", message, file=entry.path, line=1, column=1, help=advice
    )
    raise RecipeError([finding], path=entry.path)
