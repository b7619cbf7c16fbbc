"""A pytest plugin: recipe files as tests, one item for each file and one for each example.

It does nothing unless `--nanorecipes` is given or `nanorecipes_recipes = true` stands in pytest's
configuration. Everything else is imported only then.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nanorecipes.testing.runner import Tested

OPTION = "--nanorecipes"
SETTING = "nanorecipes_recipes"
FILE = "file"
"""The name of the item that stands for a file as a whole."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch, on the command line and in the configuration."""
    group = parser.getgroup("nanorecipes")
    group.addoption(
        OPTION, action="store_true", default=False,
        help="test the examples of recipe files below the given paths, and lint the files",
    )  # fmt: skip
    about = f"test recipe files as with {OPTION}"
    parser.addini(SETTING, about, type="bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> RecipeFile | None:
    """Take a recipe file of a library; any other YAML file is left to others."""
    config = parent.config
    if not (config.getoption(OPTION) or config.getini(SETTING)):
        return None
    if file_path.suffix != ".yaml" or not _is_in_library(file_path, config.rootpath):
        return None
    file: RecipeFile = RecipeFile.from_parent(parent, path=file_path)
    return file


def _is_in_library(path: Path, root: Path) -> bool:
    """Whether a file lies in a library: a known one, or one made out below the root.

    That is a folder named `recipes`, or one with macros. Folders and files that begin with `_` or
    `.` hold no recipes.
    """
    from nanorecipes.recipe.places import MACROS
    from nanorecipes.search_path import search_path

    known = {folder.path.resolve() for folder in search_path()}
    below = [path.name]
    for folder in path.parents:
        if any(name[0] in "._" for name in below):
            return False
        if folder in known:
            return True
        is_inside = folder.is_relative_to(root)
        if is_inside and (folder.name == "recipes" or (folder / MACROS).is_dir()):
            return True
        below.append(folder.name)
    return False


class RecipeFile(pytest.File):
    """A recipe file: an item for it as a whole, and one for each example."""

    def collect(self) -> Iterator[pytest.Item]:
        """The items; a file that can't be loaded has the first one alone."""
        path = _from_here(self.path)
        yield FileItem.from_parent(self, name=FILE, recipe_path=path)
        for index, outcome in enumerate(_tested(self.config, path).outcomes):
            if outcome.example is not None:
                name = " ".join(outcome.example.split())
                yield ExampleItem.from_parent(
                    self, name=name, recipe_path=path, index=index, line=outcome.line or 1
                )


def _from_here(path: Path) -> Path:
    """A path as a person would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class FailedRecipeError(Exception):
    """An example or a file that failed; its text is the whole report."""


class _RecipeItem(pytest.Item):
    """An item that fails with a text of its own instead of a traceback."""

    def __init__(self, *, recipe_path: Path, line: int = 1, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.recipe_path = recipe_path
        self.line = line

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report of a failed recipe; a traceback for anything else."""
        if isinstance(excinfo.value, FailedRecipeError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the item stands, for pytest's headings; lines count from 0 there."""
        return self.path, self.line - 1, f"{self.recipe_path}: {self.name}"


class FileItem(_RecipeItem):
    """A file held against the format and the guide, and its snapshot as a whole."""

    def runtest(self) -> None:
        """Fail with what `nanorecipes lint` and `nanorecipes test` say of the file."""
        from nanorecipes.diagnostics import render_all
        from nanorecipes.linting import lint_paths

        report = lint_paths([self.recipe_path])
        texts = [] if report.is_clean else [render_all(report.diagnostics)]
        for outcome in _tested(self.config, self.recipe_path).outcomes:
            if outcome.example is None:  # what is broken, the lint has said already
                texts += [p.text() for p in outcome.problems if p.kind != "broken"]
        _fail(texts)


class ExampleItem(_RecipeItem):
    """An example held against its snapshot and its expectations."""

    def __init__(self, *, index: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.index = index

    def runtest(self) -> None:
        """Fail with each problem, the differing lines among them."""
        outcome = _tested(self.config, self.recipe_path).outcomes[self.index]
        _fail([problem.text() for problem in outcome.problems])


def _fail(texts: list[str]) -> None:
    if texts:
        raise FailedRecipeError("\n".join(texts))


_TESTED = pytest.StashKey[dict[Path, "Tested"]]()


def _tested(config: pytest.Config, path: Path) -> Tested:
    """What became of a file's examples, rendered once for all its items."""
    from nanorecipes.testing.runner import check_path

    known = config.stash.setdefault(_TESTED, {})
    if path not in known:
        known[path] = check_path(path)
    return known[path]
