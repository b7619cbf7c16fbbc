"""Loading and validating 1,000 recipe files of 60 lines, against YAML loaders without positions."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml

from bench.timing import once_ms, row
from nanorecipes import Library
from nanorecipes.errors import UnknownRecipeError

COUNT = 1000
SAMPLE = Path(__file__).parent / "data" / "load" / "change_outfit.yaml"


def write_library(folder: Path) -> list[Path]:
    """A thousand different files."""
    text = SAMPLE.read_text(encoding="utf-8")
    (folder / "many").mkdir()
    paths = []
    for number in range(COUNT):
        path = folder / "many" / f"recipe_{number:04}.yaml"
        path.write_text(text.replace("Change outfit", f"Change outfit {number}"), encoding="utf-8")
        paths.append(path)
    return paths


def load_all(folder: Path) -> None:
    """Every file read, checked against the format, and kept."""
    for _, recipe in Library(folder).scan():
        assert not isinstance(recipe, Exception)


def look_up(folder: Path) -> None:
    """One name among all, in a library that nothing is known of yet."""
    try:
        Library(folder)["many/recipe_0500"]
    except UnknownRecipeError as exc:  # the library was written wrongly
        raise AssertionError from exc


def main() -> None:
    """Print the table."""
    print(f"loading {COUNT} recipe files of {SAMPLE.read_text().count(chr(10))} lines")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_library(folder)

        def safe(loader: Any) -> None:
            for path in paths:
                yaml.load(path.read_bytes(), Loader=loader)  # safe loaders both

        base = once_ms(lambda: safe(yaml.CSafeLoader))
        row("yaml.load(CSafeLoader)", base, "ms", base)
        row("Library, with positions and validation", once_ms(lambda: load_all(folder)), "ms", base,
            "bar: at most 1.3x")  # fmt: skip
        row("one name among them", once_ms(lambda: look_up(folder)), "ms", base)
        try:
            from ruamel.yaml import YAML
        except ImportError:
            return

        def round_trip() -> None:
            reader = YAML(typ="rt")
            for path in paths[:100]:
                reader.load(path.read_bytes())

        row("ruamel.yaml round trip", once_ms(round_trip, rounds=1) * 10, "ms", base)


if __name__ == "__main__":
    main()
