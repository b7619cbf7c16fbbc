"""The public recipe and library: looked up by name, rendered, called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes import events
from nanorecipes.builder import Builder, check_definition, template_errors
from nanorecipes.errors import RecipeError, UnknownRecipeError
from nanorecipes.recipe.library import Shelf, duplicate_finding
from nanorecipes.recipe.model import Definition
from nanorecipes.recipe.places import Entry, Folder

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.recipe.params import Param, Slot
    from nanorecipes.request import Request
    from nanorecipes.result import Result


class Recipe:
    """A recipe that can be rendered and run.

    Example:
        >>> recipe = recipes["edit/change_part"]
        >>> request = recipe.render(photo="mug.jpg", part="the mug", change="glazed deep blue")
        >>> print(request.prompt)
    """

    def __init__(self, definition: Definition, shelf: Shelf) -> None:
        self._definition = definition
        self._builder = Builder(definition, shelf.macro_folders)

    def __repr__(self) -> str:
        return f"<Recipe {self.name!r} version {self.version!r}>"

    def __call__(self, *, out: str | os.PathLike[str] | None = None, **arguments: Any) -> Result:
        """Render, send, wait and download with the default client.

        Args:
            out: a folder to save the pictures in, with their sidecars.
            arguments: the recipe's images and parameters, and call options.

        Raises:
            InputError, LimitError, RecipeError: before anything is sent.
            ApiError: the service refused or failed.
        """
        from nanorecipes.client import default_client

        result = default_client().run(self.render(**arguments))
        if out is not None:
            result.save(out)
        return result

    def render(self, **arguments: Any) -> Request:
        """The request that these arguments make: prompt, images, settings and cost.

        Nothing is sent and no key is needed. Images are given as a path, a URL, bytes, an open
        binary file or a PIL image; call options are `model quality aspect_ratio num_images seed
        search protect notes`.

        Raises:
            RecipeError: the recipe's templates have errors.
            InputError: arguments are unknown, missing or wrong; every one is named.
            LimitError: the model does not take what would be sent; every limit is named.
            RenderError: a template failed or grew too large.
        """
        step = events.step("render", recipe=self.name)
        if step is None:
            return self._builder.build(arguments)
        with step:
            request = step.request = self._builder.build(arguments)
            step.facts["cost_usd"] = request.estimated_cost
            step.details |= {"prompt_chars": len(request.prompt), "images": len(request.images)}
        return request

    def check(self) -> list[Diagnostic]:
        """What the static check finds in the templates and settings: errors and warnings."""
        return check_definition(self._builder)

    @property
    def definition(self) -> Definition:
        """The file's content and places, for tools."""
        return self._definition

    @property
    def name(self) -> str:
        """`group/name`: the path below the library folder."""
        return self._definition.name

    @property
    def title(self) -> str:
        """The recipe's name for people."""
        return self._definition.title

    @property
    def summary(self) -> str:
        """When to use it, and when not."""
        return self._definition.summary

    @property
    def capability(self) -> str:
        """What kind of edit it is."""
        return self._definition.capability

    @property
    def changes(self) -> str:
        """What the edit may change: part, background, look or scene."""
        return self._definition.changes

    @property
    def version(self) -> str:
        """The author's version."""
        return self._definition.version

    @property
    def hash(self) -> str:
        """SHA-256 in hex over the file, its parent and its macros."""
        return self._definition.hash

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by."""
        return self._definition.tags

    @property
    def path(self) -> Path:
        """The recipe's file."""
        return self._definition.path

    @property
    def images(self) -> Mapping[str, Slot]:
        """The images that it takes, in the order of sending."""
        return self._definition.slots

    @property
    def params(self) -> Mapping[str, Param]:
        """The parameters that a caller may pass."""
        return self._definition.free_params

    @property
    def settings(self) -> Mapping[str, Any]:
        """The model, quality, ratio, ... that it asks for unless the caller says otherwise."""
        return self._definition.settings

    @property
    def examples(self) -> tuple[Mapping[str, Any], ...]:
        """Calls that show what it is for, as in the file."""
        return self._definition.examples

    @property
    def deprecated(self) -> Mapping[str, str] | None:
        """What to use instead, when it is deprecated."""
        return self._definition.deprecated

    @cached_property
    def inputs_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments: images, parameters and call options."""
        from nanorecipes.inputs_schema import inputs_schema

        return inputs_schema(self._definition)


class Library(Mapping[str, Recipe]):
    """Recipes by name, from one or more folders; a file is read when its name is asked for.

    Args:
        folders: where to look, in order. Without any: `./recipes`, the folders of
            `NANORECIPES_PATH`, the user's configuration, installed packs, the built-in library.
    """

    def __init__(self, *folders: str | os.PathLike[str]) -> None:
        self._given: Sequence[Folder] | None = (
            [Folder(Path(folder), "given") for folder in folders] if folders else None
        )
        self._shelf: Shelf | None = None
        self._settings: tuple[Path, ...] = ()
        """The folders of the settings when the shelf was made."""
        self._recipes: dict[int, Recipe] = {}

    @property
    def shelf(self) -> Shelf:
        """The folders behind it, for tools."""
        if self._given is not None:
            if self._shelf is None:
                self._shelf = Shelf(self._given, self._template_errors)
            return self._shelf
        from nanorecipes import config

        settings = config.search_path()  # they may change: `configure`, the environment
        if self._shelf is None or self._settings != settings:
            from nanorecipes.search_path import search_path

            self._shelf, self._settings = Shelf(search_path(), self._template_errors), settings
        return self._shelf

    def __getitem__(self, name: str) -> Recipe:
        """The recipe of a name.

        Raises:
            UnknownRecipeError: there is none (a LookupError); with the nearest names.
            RecipeError: its file is broken.
        """
        return self._recipe(self.shelf.load(name))

    def get(self, name: str, default: Any = None) -> Any:
        """The recipe of a name, or the default where there is none."""
        try:
            return self[name]
        except UnknownRecipeError:
            return default

    def __iter__(self) -> Iterator[str]:
        return iter(self.shelf.names())

    def __len__(self) -> int:
        return len(self.shelf.names())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.shelf.find(name))

    def __repr__(self) -> str:
        return f"<Library {', '.join(str(folder.path) for folder in self.shelf.folders)}>"

    def open(self, path: str | os.PathLike[str]) -> Recipe:
        """A recipe by the path of its file, in a library or not.

        Raises:
            RecipeError: the file is absent or broken.
        """
        return self._recipe(self.shelf.load_path(Path(path)))

    def scan(self) -> Iterator[tuple[Entry, Recipe | RecipeError]]:
        """Every recipe file, in search order: the recipe, or what is wrong with it.

        A name that a library further on holds too is reported there, unless the first one says
        `overrides: true`.
        """
        seen: dict[str, tuple[Entry, bool]] = {}
        for entry in self.shelf.entries():
            try:
                recipe = self._recipe(self.shelf.load_entry(entry))
            except RecipeError as exc:
                yield entry, exc
                seen.setdefault(entry.name, (entry, True))
                continue
            first = seen.get(entry.name)
            if first is None:
                overrides = bool(recipe.definition.data.get("overrides", False))
                seen[entry.name] = (entry, overrides)
                yield entry, recipe
            elif not first[1]:
                yield entry, RecipeError([duplicate_finding([first[0], entry])])

    def _template_errors(self, definition: Definition) -> Sequence[Diagnostic]:
        return template_errors(definition, self.shelf.macro_folders)

    def _recipe(self, definition: Definition) -> Recipe:
        """One recipe object for each definition, so that its templates are compiled once."""
        recipe = self._recipes.get(id(definition))
        if recipe is None or recipe.definition is not definition:
            if len(self._recipes) > 2000:
                self._recipes.clear()
            recipe = self._recipes[id(definition)] = Recipe(definition, self.shelf)
        return recipe


recipes = Library()
