"""The catalogue in the documentation is that of the recipe files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nanorecipes.recipe.schema import schema_of

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from docs import generate_recipes  # noqa: E402


def test_catalogue_is_up_to_date() -> None:
    """`python -m docs.generate_recipes` writes it; a page that lies is worse than none."""
    assert [str(path.relative_to(ROOT)) for path in generate_recipes.outdated()] == []


def test_index_names_every_recipe_once_below_its_capability() -> None:
    """A recipe that isn't in the index is found by nobody."""
    assert set(generate_recipes.ABOUT) == set(schema_of("capability")["enum"])
    text = generate_recipes.INDEX.read_text("utf-8")
    sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    library = generate_recipes.library()
    for name in library:
        link = f"[{name}]({name}.md)"
        assert text.count(link) == 1
        assert link in sections[library[name].capability]


def test_check_names_what_is_out_of_date_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline asks; `make docs` writes, and removes the pages of recipes that are gone."""
    monkeypatch.setattr(generate_recipes, "ROOT", tmp_path)
    monkeypatch.setattr(generate_recipes, "FOLDER", tmp_path)
    page, gone = tmp_path / "house" / "wall.md", tmp_path / "house" / "gone.md"
    monkeypatch.setattr(generate_recipes, "pages", lambda: {page: "# Wall\n"})
    gone.parent.mkdir()
    gone.write_text("# Gone\n")
    assert generate_recipes.main(["--check"]) == 1
    assert capsys.readouterr().out == "house/wall.md\nhouse/gone.md\n"
    assert gone.exists()
    assert not page.exists()
    assert generate_recipes.main([]) == 0
    assert page.read_text() == "# Wall\n"
    assert not gone.exists()
    assert generate_recipes.main(["--check"]) == 0
