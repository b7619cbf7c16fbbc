"""Where recipes are looked for: project, environment, user, installed packs, built-in."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes.recipe.places import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKS = "nanorecipes.packs"
"""The entry point group of packs: `name = "package"` or `name = "package:folder"`."""


def search_path() -> list[Folder]:
    """The libraries in search order, each once; a folder may come into being later.

    In a checkout `./recipes` is the built-in library and goes by that name, with its full path:
    it stays where it is when the process changes its folder.
    """
    own = Folder(built_in(), "built-in")
    real = own.path.resolve()
    others = (*_project(), *_user(), *_packs())
    folders = [*(folder for folder in others if folder.path.resolve() != real), own]
    return list({folder.path: folder for folder in folders}.values())


def built_in() -> Path:
    """The library that ships with the package; in a checkout it lies beside it."""
    inside = Path(__file__).parent / "recipes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "recipes"


def _project() -> list[Folder]:
    from nanorecipes import config

    return [
        Folder(Path("recipes"), "project"),
        *(Folder(path, "path") for path in config.search_path()),
    ]


def _user() -> list[Folder]:
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return [Folder(base / "nanorecipes" / "recipes", "user")]


def _packs() -> list[Folder]:
    """Recipe folders of installed packages; no code of theirs is run to find them."""
    found = []
    for base in map(Path, sys.path):
        for name, value in sorted(_entry_points(base)):
            package, _, folder = value.partition(":")
            home = _package_folder(package.strip())
            if home is not None:
                path = home / (folder.strip() or "recipes")
                found.append(Folder(path if path.is_dir() else home, f"pack {name}"))
    return found


def _entry_points(base: Path) -> Iterator[tuple[str, str]]:
    """Name and value of the packs that are installed in one folder of the import path.

    The metadata files are read here because importlib.metadata takes as long to import as a whole
    empty Python takes to start, and this runs at every start.
    """
    try:
        names = os.listdir(base)
    except OSError:
        return
    for name in names:
        if not name.endswith((".dist-info", ".egg-info")):
            continue
        try:
            text = (base / name / "entry_points.txt").read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        _, found, section = text.partition(f"[{PACKS}]")
        for line in section.partition("\n[")[0].splitlines() if found else ():
            key, equals, value = line.partition("=")
            if equals and not key.lstrip().startswith(("#", ";")):
                yield key.strip(), value.strip()


def _package_folder(package: str) -> Path | None:
    """The folder of a top-level package, found without importing it."""
    from importlib.util import find_spec

    try:
        spec = find_spec(package) if package.isidentifier() else None
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec is not None else None
    return Path(places[0]) if places else None
