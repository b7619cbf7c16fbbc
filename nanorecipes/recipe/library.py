"""Libraries: where recipes lie, which one a name means, and how a file becomes a definition."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import RecipeError, UnknownRecipeError
from nanorecipes.recipe import source
from nanorecipes.recipe.merge import lone_overrides, merge
from nanorecipes.recipe.model import Definition, define
from nanorecipes.recipe.places import (
    MACROS,
    NAME,
    OTHER_SUFFIX,
    SUFFIX,
    Entry,
    Folder,
    renaming,
    walk,
)
from nanorecipes.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nanorecipes.recipe.model import TemplateCheck
    from nanorecipes.recipe.source import Document, Place

_PART = re.compile(r"[a-z][a-z0-9_]*\Z")
_MACRO_FILE = re.compile(r"\{%[-+]?\s*from\s*(?:\"([^\"]*)\"|'([^']*)')\s*import")
MAX_MACRO_BYTES = 64 * 1024
MAX_MACRO_FILES = 50
"""Of one recipe, those that macro files import counted in."""

Stamp = tuple[str, int, int]
"""A file's name, time of change and size; zeros for one that isn't there."""


class _Cached(NamedTuple):
    definition: Definition
    stamps: tuple[Stamp, ...]


class Shelf:
    """Several libraries in search order; reads a file when its name is asked for, not before."""

    def __init__(
        self,
        folders: Sequence[Folder],
        check_templates: TemplateCheck | None = None,
        *,
        unsaved: Mapping[Path, bytes] | None = None,
    ) -> None:
        self.folders = folders
        self._unsaved = unsaved or {}
        """Recipe files that are read from here and not from the disk, by their path."""
        self._check_templates = check_templates
        self._cache: dict[Path, _Cached] = {}

    def entries(self) -> Iterator[Entry]:
        """Every recipe file of every library, in search order, then by name."""
        seen: set[str] = set()
        for folder in self.folders:
            real = os.path.realpath(folder.path)  # two ways may lead to one folder
            if real not in seen:
                seen.add(real)
                yield from walk(folder)

    def names(self) -> list[str]:
        """Every recipe name, sorted, each once."""
        return sorted({entry.name for entry in self.entries() if NAME.match(entry.name)})

    def find(self, name: str) -> list[Entry]:
        """The files that a name may mean, in search order; no file is opened."""
        if not NAME.match(name):
            return []
        found: list[Entry] = []
        for folder in self.folders:
            path = folder.path / f"{name}{SUFFIX}"
            if path.is_file() and not any(path.samefile(entry.path) for entry in found):
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
            raise self._unknown(name)
        definition = self.load_entry(found[0])
        if len(found) > 1 and not definition.data.get("overrides", False):
            raise RecipeError([duplicate_finding(found)], path=found[0].path)
        return definition

    def _unknown(self, name: str) -> UnknownRecipeError:
        """No such name: what it may have meant, or what its group holds."""
        misnamed = self._misnamed(name)
        if misnamed is not None:
            return UnknownRecipeError(name, path=misnamed, help=renaming(misnamed))
        names = self.names()
        group = [known for known in names if known.startswith(f"{name.strip('/')}/")]
        if group:
            return UnknownRecipeError(name, group[:3], group=name.strip("/"))
        last = name.rpartition("/")[2]
        same = [known for known in names if known.rpartition("/")[2] == last]
        near = [n for n in nearest(name, names, 3) if nearest(last, [n.rpartition("/")[2]])]
        return UnknownRecipeError(name, same[:3] or near)

    def _misnamed(self, name: str) -> Path | None:
        """The file that has this name, but for its suffix."""
        paths = [folder.path / f"{name}{OTHER_SUFFIX}" for folder in self.folders]
        return next((p for p in paths if p.is_file()), None) if NAME.match(name) else None

    def load_entry(self, entry: Entry) -> Definition:
        """One file as a recipe; read again only when it, its parent or a macro has changed.

        Raises:
            RecipeError: with every problem of the file.
        """
        cached = self._cache.get(entry.path)
        if cached is not None and all(stamp(Path(item[0])) == item for item in cached.stamps):
            return cached.definition
        definition, files = self._read(entry)
        self._cache[entry.path] = _Cached(definition, tuple(stamp(path) for path in files))
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
        return lone_entry(path)

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
            document.problems += lone_overrides(document)
        definition = define(
            entry.name,
            document,
            content_hash=digest.hexdigest(),
            root=entry.folder.path,
            check_templates=self._check_templates,
        )
        document.release()
        return definition, files

    def _document(self, entry: Entry, digest: hashlib._Hash) -> tuple[Document, list[Path]]:
        _check_inside(entry)
        raw = self._unsaved.get(entry.path)
        text, raw = source.read(entry.path) if raw is None else (raw.decode("utf-8-sig"), raw)
        _feed(digest, "recipe", raw)
        document = source.parse(entry.path, text)
        document.root_folder = entry.folder.path
        files = [entry.path]
        if "import" in text or "\\" in text:  # a backslash may hide the word from this search
            files += self._feed_macros(entry, document.data, digest)
        return document, files

    def _merged(
        self, entry: Entry, child: Document, digest: hashlib._Hash
    ) -> tuple[Document, list[Path]]:
        name = child.data["extends"]
        place = child.place(("extends",))
        if not isinstance(name, str):
            raise _at(place, "extends must be the name of a recipe")
        # A file may extend the one that it stands before, so itself is no candidate.
        own = os.path.abspath(entry.path)
        found = [item for item in self.find(name) if os.path.abspath(item.path) != own]
        if not found:
            near = did_you_mean(name, [other for other in self.names() if other != name])
            advice = "a recipe can't extend itself" if name == entry.name else near
            message = f"there is no recipe {name!r} to extend"
            raise _at(place, message, advice)
        parent, files = self._document(found[0], digest)
        if not isinstance(parent.data, dict):
            raise _at(place, f"{name!r} is no recipe")
        if "extends" in parent.data:
            message = f"{name!r} extends another recipe itself; only one step is allowed"
            raise _at(place, message, f"extend {parent.data['extends']!r} instead")
        if len(found) > 1 and parent.data.get("overrides") is not True:
            raise RecipeError([duplicate_finding(found)], path=found[0].path)
        parent.problems += lone_overrides(parent)
        return merge(child, parent), files

    def _feed_macros(self, entry: Entry, data: Any, digest: hashlib._Hash) -> list[Path]:
        """Add the macro files that a recipe's templates import, and those that they import.

        Returns:
            The files, and those that are not there but would be taken if they were.
        """
        folders = self.macro_folders(entry.folder.path)
        texts = list(_texts(data.get("prompt"))) if isinstance(data, dict) else []
        queue = [name for text in texts for name in imported_names(text)]
        found: dict[str, bytes] = {}
        files: list[Path] = []
        while queue:
            name = queue.pop()
            path = find_macro(folders, name)
            if name in found or not _is_macro_name(name):
                continue
            files += candidates(folders, name, path)
            found[name] = raw = b"" if path is None else _read_or_fail(path)
            if len(found) > MAX_MACRO_FILES:
                message = f"imports more than {MAX_MACRO_FILES} macro files"
                finding = Diagnostic(*codes.TOO_LARGE[:2], "error", message, file=entry.path)
                raise RecipeError([finding], path=entry.path)
            queue += imported_names(raw.decode("utf-8", errors="replace"))
        for name in sorted(found):
            _feed(digest, name, found[name])
        return files


def _at(place: Place, message: str, help: str | None = None) -> RecipeError:
    return RecipeError([place.diagnostic(codes.BAD_PARENT, message, help=help)], path=place.file)


def find_macro(folders: Sequence[Path], name: str) -> Path | None:
    """The macro file that `{% from "name" import ... %}` means, or None; never one outside."""
    if not _is_macro_name(name):
        return None
    for folder in folders:
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    return None


def _is_macro_name(name: str) -> bool:
    parts = name.split("/")
    if parts[0] != MACROS or len(parts) < 2 or not name.endswith(".jinja"):
        return False
    return not any(part in ("", ".", "..") or "\\" in part or "\x00" in part for part in parts)


def candidates(folders: Sequence[Path], name: str, found: Path | None) -> list[Path]:
    """Where a macro file was looked for, up to the place where it was found."""
    places: list[Path] = []
    for folder in folders:
        places.append(folder / name)
        if places[-1] == found:
            break
    return places


def read_macro(path: Path) -> bytes:
    """A macro file's bytes, at most one more than allowed.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return file.read(MAX_MACRO_BYTES + 1)


def _read_or_fail(path: Path) -> bytes:
    try:
        return read_macro(path)
    except OSError as exc:
        message = f"can't be read: {exc.strerror or exc}"
        finding = Diagnostic(*codes.UNREADABLE[:2], "error", message, file=path)
        raise RecipeError([finding], path=path) from exc


def duplicate_finding(found: Sequence[Entry]) -> Diagnostic:
    """Two libraries hold a recipe of the same name: which ones, and how to mend it."""
    first, second = found[0], found[1]
    return Diagnostic(
        codes.DUPLICATE_NAME.code, codes.DUPLICATE_NAME.name, "error",
        f"{first.name!r} stands in two libraries: {first.path} and {second.path}",
        file=first.path, line=1, column=1,
        help=f"rename one, or say `overrides: true` in {first.path}",
    )  # fmt: skip


def imported_names(text: str) -> list[str]:
    """The macro files that a template text imports by a plain name."""
    return [double or single for double, single in _MACRO_FILE.findall(text)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _feed(digest: hashlib._Hash, label: str, data: bytes) -> None:
    """Add a part with its length before it, so that no two sets of parts look alike."""
    digest.update(f"{label}:{len(data)}\n".encode())
    digest.update(data)


def stamp(path: Path) -> Stamp:
    """What tells whether a file has changed."""
    try:
        stat = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), stat.st_mtime_ns, stat.st_size)


def _name_of(path: Path, base: Path) -> str:
    relative = path.relative_to(base).as_posix()
    return relative.removesuffix(SUFFIX).removesuffix(OTHER_SUFFIX)


def lone_entry(path: Path) -> Entry:
    """The entry of a file that no known library holds.

    Its library is the folder with macros, or `recipes`; else the folder above its group, so that
    a file has one name whether it is given alone or with its library.
    """
    full = Path(os.path.abspath(path))
    base = _guess_root(full)
    return Entry(_name_of(full, base), path, Folder(base, "file"))


def _guess_root(path: Path) -> Path:
    for parent in path.parents:
        if parent.name == "recipes" or (parent / MACROS).is_dir():
            return parent
    return path.parent.parent if _PART.match(path.parent.name) else path.parent


def _check_inside(entry: Entry) -> None:
    path = os.fspath(entry.path)
    linked = False
    for _ in range(entry.name.count("/") + 1):  # the file and its folders below the library's
        linked = linked or os.path.islink(path)
        path = os.path.dirname(path)
    if linked and not entry.path.resolve().is_relative_to(entry.folder.path.resolve()):
        message = "is a symbolic link that leads out of its library"
        finding = Diagnostic(*codes.OUTSIDE[:2], "error", message, file=entry.path)
        raise RecipeError([finding], path=entry.path)


def _check_name(entry: Entry) -> None:
    lone = "/" not in entry.name and entry.folder.label != "file"
    if all(_PART.match(part) for part in entry.name.split("/")) and not lone:
        return
    message = f"{entry.name!r} is no recipe name"
    advice = "lower-case letters, digits and _ in each part, beginning with a letter"
    if lone:
        advice = "a name is group/name: put the file in a folder of the library"
    finding = Diagnostic(
        *codes.BAD_NAME[:2], "error", message, file=entry.path, line=1, column=1, help=advice
    )
    raise RecipeError([finding], path=entry.path)
