"""Where recipes are looked for: project, environment, user, installed packs, built-in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nanorecipes.recipe.places import Folder

PACKS = "nanorecipes.packs"
"""The entry point group of packs: `name = "package"` or `name = "package:folder"`."""


def search_path() -> list[Folder]:
    """The libraries that exist, in search order, each once."""
    found: dict[Path, Folder] = {}
    for folder in (*_project(), *_user(), *_packs(), Folder(built_in(), "built-in")):
        if folder.path.is_dir():
            real = folder.path.resolve()
            # In a checkout ./recipes is the built-in library: the later label tells more.
            if real not in found or folder.label == "built-in":
                found[real] = Folder(found[real].path, folder.label) if real in found else folder
    return list(found.values())


def built_in() -> Path:
    """The library that ships with the package; in a checkout it lies beside it."""
    inside = Path(__file__).parent / "recipes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "recipes"


def _project() -> list[Folder]:
    from nanorecipes import config

    return [Folder(Path("recipes"), "project"), *(Folder(path, "path") for path in config.search_path())]


def _user() -> list[Folder]:
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return [Folder(base / "nanorecipes" / "recipes", "user")]


def _packs() -> list[Folder]:
    """Recipe folders of installed packages; no code of theirs is run to find them."""
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    found = []
    for point in sorted(entry_points(group=PACKS), key=lambda point: point.name):
        package, _, folder = point.value.partition(":")
        try:
            spec = find_spec(package)
        except (ImportError, ValueError):
            continue
        for location in (spec.submodule_search_locations or ()) if spec is not None else ():
            base = Path(location)
            path = base / folder if folder else base / "recipes"
            found.append(Folder(path if path.is_dir() else base, f"pack {point.name}"))
    return found
