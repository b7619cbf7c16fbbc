"""The commands about recipes: list, show, render, new, schema."""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import view
from nanorecipes.cli.inputs import find_recipe, read_inputs
from nanorecipes.cli.options import (
    call_arguments,
    call_options,
    common,
    inputs_argument,
    recipe_argument,
)

if TYPE_CHECKING:
    from nanorecipes.book import Recipe
    from nanorecipes.recipe.params import Param, Slot
    from nanorecipes.recipe.places import Entry
    from nanorecipes.request import Request


@click.command("list")
@click.argument("text", nargs=-1, metavar="[TEXT]...")
@click.option("--capability", metavar="C", help="Only recipes of this capability.")
@click.option("--tag", metavar="T", help="Only recipes with this tag.")
@common
def list_command(
    text: tuple[str, ...], capability: str | None, tag: str | None, as_json: bool, quiet: bool
) -> int:
    """List the recipes; with TEXT, those whose name, title, summary or tags hold it.

    Looks in ./recipes, the folders of NANORECIPES_PATH, your configuration, installed packs, and
    the built-in library.
    """
    from nanorecipes.book import recipes
    from nanorecipes.errors import RecipeError

    fitting: list[tuple[Entry, Recipe]] = []
    broken: list[RecipeError] = []
    for entry, recipe in recipes.scan():
        if isinstance(recipe, RecipeError):
            broken.append(recipe)
        elif _fits(recipe, capability, tag):
            fitting.append((entry, recipe))
    wanted = " ".join(text).lower().split()
    found = [item for item in fitting if _holds(item[1], wanted)]
    if as_json:
        view.print_json([_summary(entry, recipe) for entry, recipe in found])
    else:
        near = None if found else _nearest_search(wanted, [recipe for _, recipe in fitting])
        _print_list(found, quiet, near)
    for error in broken:
        view.print_error(error)
    return 1 if broken else 0


def _fits(recipe: Recipe, capability: str | None, tag: str | None) -> bool:
    return capability in (None, recipe.capability) and (tag is None or tag in recipe.tags)


def _holds(recipe: Recipe, wanted: list[str]) -> bool:
    text = _searched(recipe)
    return all(part in text for part in wanted)


def _searched(recipe: Recipe) -> str:
    """The text that a search looks into."""
    return " ".join([recipe.name, recipe.title, recipe.summary, *recipe.tags]).lower()


def _nearest_search(wanted: list[str], known: list[Recipe]) -> str | None:
    """The search that was perhaps meant, if it finds something: unknown words made known ones."""
    from nanorecipes.suggest import nearest

    texts = [_searched(recipe) for recipe in known]
    names = {recipe.name for recipe in known}
    told = " ".join(text for recipe in known for text in (recipe.name, recipe.title, *recipe.tags))
    words = names | set(re.findall(r"[^\W_]{3,}", told.lower()))
    meant: list[str] = []
    for part in wanted:
        is_known = any(part in text for text in texts)
        # Stricter than for names: among hundreds of words, `shoes` is near to `shop`.
        meant += [part] if is_known else nearest(part, words, likeness=0.75)
    is_found = len(meant) == len(wanted) and any(_holds(recipe, meant) for recipe in known)
    return " ".join(meant) if is_found else None


def _print_list(found: list[tuple[Entry, Recipe]], quiet: bool, near: str | None) -> None:
    if quiet:
        click.echo("\n".join(recipe.name for _, recipe in found))
        return
    if not found:
        advice = f"did you mean {near!r}? " if near else ""
        view.info(f"no recipe matches; {advice}`nanorecipes list` shows all of them")
        return
    shown = sorted(found, key=lambda item: item[1].name)
    for group in dict.fromkeys(recipe.name.split("/")[0] for _, recipe in shown):
        rows = [
            (recipe.name + (" (deprecated)" if recipe.deprecated else ""), _first(recipe.summary))
            for _, recipe in shown
            if recipe.name.split("/")[0] == group
        ]
        click.echo(view.heading(group))
        click.echo(view.table(rows))
    count = f"{len(shown)} recipe{'' if len(shown) == 1 else 's'}"
    view.info(f"{count}; `nanorecipes show NAME` tells what one takes")


def _first(summary: str) -> str:
    """The first sentence, which says when to use it."""
    return summary.split(". ")[0].rstrip(".")


def _summary(entry: Entry, recipe: Recipe) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "title": recipe.title,
        "summary": recipe.summary,
        "capability": recipe.capability,
        "version": recipe.version,
        "hash": recipe.hash,
        "path": str(recipe.path),
        "library": entry.folder.label,
        "tags": list(recipe.tags),
        "deprecated": recipe.deprecated,
    }


@click.command("show")
@recipe_argument
@common
def show_command(recipe_name: str, as_json: bool, quiet: bool) -> None:
    """Show what a recipe does: its images, parameters, settings, cost and examples."""
    from nanorecipes.book import recipes

    recipe = find_recipe(recipes, recipe_name)
    if as_json:
        entry = recipes.shelf.entry_of(recipe.path)
        view.print_json({
            **_summary(entry, recipe),
            "changes": recipe.changes,
            "images": {name: _slot_json(slot) for name, slot in recipe.images.items()},
            "params": {name: _param_json(param) for name, param in recipe.params.items()},
            "settings": dict(recipe.settings),
            "examples": list(recipe.examples),
            "inputs_schema": recipe.inputs_schema,
        })  # fmt: skip
    else:
        _print_recipe(recipe)
        view.info(
            "\n`render` in place of `run` prints the prompt and the cost and sends nothing;\n"
            "`run --sandbox` makes a proof picture without a key", quiet,
        )  # fmt: skip


def _slot_json(slot: Slot) -> dict[str, Any]:
    data: dict[str, Any] = {
        "role": slot.role, "description": slot.description, "optional": slot.optional,
        "label": slot.label,
    }  # fmt: skip
    if slot.is_list:
        data.update(min=slot.min, max=slot.max)
    return data


def _param_json(param: Param) -> dict[str, Any]:
    data: dict[str, Any] = {
        "type": param.type, "description": param.description, "required": param.is_required,
    }  # fmt: skip
    optional = {
        "format": None if param.format == "line" else param.format,
        "enum": None if param.enum is None else list(param.enum),
        "minimum": param.minimum, "maximum": param.maximum,
        "minLength": param.min_length, "pattern": param.pattern,
        "maxLength": param.max_length if param.type in ("string", "array") else None,
        "minItems": param.min_items, "maxItems": param.max_items if param.type == "array" else None,
        "examples": list(param.examples) or None, "deprecated": param.deprecated or None,
        "wording": dict(param.wording) if param.wording else None,
    }  # fmt: skip
    data.update({key: value for key, value in optional.items() if value is not None})
    if param.has_default:
        data["default"] = param.default
    return data


def _print_recipe(recipe: Recipe) -> None:
    from nanorecipes import config
    from nanorecipes.catalogue import catalogue
    from nanorecipes.testing.calls import command_line

    click.echo(f"{view.heading(recipe.name)} {recipe.version}   {recipe.title}")
    click.echo(view.wrap(recipe.summary))
    if recipe.deprecated:
        view.warn([f"deprecated: use {recipe.deprecated['use']}"])
    click.echo(f"\n{view.heading('Images')}")
    click.echo(view.table([_slot_row(slot) for slot in recipe.images.values()]))
    if recipe.params:
        click.echo(f"\n{view.heading('Parameters')}")
        click.echo(view.table([_param_row(param) for param in recipe.params.values()]))
    click.echo(f"\n{view.heading('Settings')}")
    settings = ", ".join(f"{name} {_shown(value)}" for name, value in recipe.settings.items())
    click.echo(f"  {settings or 'model flash'}; changes {recipe.changes}")
    click.echo(f"\n{view.heading('Cost')}")
    cost = catalogue().cost_usd(recipe.settings, config.likely_backend())
    click.echo(f"  {view.money(cost)} estimated for a call as set")
    click.echo(f"\n{view.heading('Examples')}")
    for example in recipe.examples:
        command = command_line(recipe, example["inputs"], columns=view.width() - 2)
        click.echo(view.dim(f"  # {example['name']}"))
        click.echo(textwrap.indent(command, "  "))
    click.echo(f"\n{view.dim(str(recipe.path))}")


def _slot_row(slot: Slot) -> tuple[str, str, str]:
    count = f", {slot.min} to {slot.max} pictures" if slot.is_list else ""
    optional = ", optional" if slot.optional else ""
    return slot.name, f"{slot.role}{optional}{count}", slot.description


def _param_row(param: Param) -> tuple[str, str, str]:
    kind: str = param.type if param.format == "line" else param.format
    if param.enum is not None:
        kind = "one of"
    about = param.description
    if param.enum is not None:
        about = f"{about} {' | '.join(_shown(value) for value in param.enum)}".strip()
    elif param.examples:
        about += f" For example: {_shown(param.examples[0]).rstrip('.')}."
    need = "required" if param.is_required else f"default {_shown(param.default) or 'none'}"
    return param.name, kind, f"({need}) {about}".strip()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "" if value is None else str(value)


@click.command("render")
@recipe_argument
@inputs_argument
@call_options
@click.option("--curl", is_flag=True, help="Print the request as a curl command.")
@common
def render_command(
    recipe_name: str,
    inputs: tuple[str, ...],
    curl: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Print the prompt, the request and its cost. Nothing is sent and no key is needed.

    Arguments are NAME=VALUE; NAME=@FILE reads a text from a file; a list takes its name several
    times. `nanorecipes show RECIPE` tells the names.
    """
    from nanorecipes import config
    from nanorecipes.book import recipes
    from nanorecipes.cli.curl import curl_command
    from nanorecipes.preflight import check_direct

    recipe = find_recipe(recipes, recipe_name)
    request = recipe.render(**read_inputs(recipe, inputs), **call_arguments(options))
    backend = config.likely_backend()
    if backend == "gemini":
        check_direct(request)
    request = request.priced_for(backend)
    if as_json:
        view.print_json(request_json(request, backend))
        return
    view.warn(request.warnings)
    for image in request.images:
        if image.input.advice:
            view.info(f"  help: {image.slot}: {image.input.advice}", quiet)
    if curl:
        click.echo(curl_command(request, backend))
    elif quiet:
        click.echo(request.prompt)
    else:
        _print_request(request, backend)


def request_json(request: Request, backend: str) -> dict[str, Any]:
    """A request as plain data, with the keys that `render --json` promises."""
    return {
        "recipe": request.recipe,
        "version": request.version,
        "hash": request.hash,
        "prompt": request.prompt,
        "sections": [{"name": part.name, "text": part.text} for part in request.sections],
        "images": [
            {"slot": image.slot, "role": image.role, "ordinal": image.ordinal,
             "source": image.source}
            for image in request.images
        ],
        "backend": backend,
        "payload": request.payload(backend=backend),
        "model": request.model,
        "settings": dict(request.settings),
        "estimated_cost_usd": request.estimated_cost,
        "cost_basis": request.cost_basis,
        "warnings": list(request.warnings),
    }  # fmt: skip


def _print_request(request: Request, backend: str) -> None:
    from nanorecipes.catalogue import catalogue

    most = catalogue().limits.prompt_chars
    click.echo(view.heading("Prompt") + view.dim(f"  {len(request.prompt)} of {most} characters"))
    for part in request.sections:
        click.echo(f"\n  {click.style(part.name, fg='cyan')}")
        click.echo(view.wrap(part.text, "    "))
    click.echo(f"\n{view.heading('Images')}")
    rows = [(str(i.ordinal), i.slot, i.role, i.source) for i in request.images]
    click.echo(view.table(rows))
    click.echo(f"\n{view.heading('Request')}")
    asked = _asked(request, backend).items()
    click.echo(view.table([(name, _shown(value)) for name, value in asked]))
    click.echo(f"\n{view.heading('Cost')}  {view.money(request.estimated_cost)} estimated")
    click.echo(view.dim(view.wrap(request.cost_basis)))


def _asked(request: Request, backend: str) -> dict[str, Any]:
    """What the service is asked besides prompt and pictures, in its words."""
    body = request.payload(backend=backend)
    if backend != "gemini":
        beside = ("prompt", "image_urls", "reference_images")
        return {name: value for name, value in body.items() if name not in beside}
    setting = dict(body["generationConfig"])
    image = setting.pop("imageConfig", {})
    tools = {"tools": [name for tool in body.get("tools", ()) for name in tool]}
    return {
        "model": request.chosen.google_id,
        **image,
        **setting,
        **(tools if "tools" in body else {}),
    }


@click.command("new")
@click.argument("name")
@click.option("--in", "folder", type=click.Path(path_type=Path, file_okay=False),
              default=Path("recipes"), show_default=True, help="The library folder.")  # fmt: skip
@click.option("--extends", metavar="RECIPE", help="Build on another recipe.")
@common
def new_command(name: str, folder: Path, extends: str | None, as_json: bool, quiet: bool) -> None:
    """Write a recipe to start from: NAME is group/name, as in fashion/swap_shoes.

    It lints clean as it stands; change it line by line and run `nanorecipes lint` in between.
    """
    from nanorecipes.scaffold import write_recipe

    path = write_recipe(folder, name, extends=extends)
    if as_json:
        view.print_json({"name": name, "path": str(path)})
        return
    click.echo(str(path))
    view.info("next: " + "\n      ".join(_next_steps(name, path)), quiet)


def _next_steps(name: str, path: Path) -> list[str]:
    """What an author types once the file is there."""
    from nanorecipes.book import recipes
    from nanorecipes.testing.calls import command_line

    recipe = find_recipe(recipes, str(path))
    quoted = shlex.quote(str(path))
    called = name if name in recipes else quoted
    if not recipe.examples:
        return [f"nanorecipes lint {quoted}", f"nanorecipes show {called}"]
    example = recipe.examples[0]["inputs"]
    return [
        f"nanorecipes lint {quoted}",
        command_line(recipe, example, "render", name=called, columns=sys.maxsize),
        f"nanorecipes test {quoted} --update",
    ]


@click.command("schema")
@click.argument("recipe_name", metavar="[RECIPE]", required=False)
@common
def schema_command(recipe_name: str | None, as_json: bool, quiet: bool) -> None:
    """Print the JSON Schema of the recipe file, or of one recipe's inputs.

    Editors check recipe files while you type with a first line of
    `# yaml-language-server: $schema=recipe.schema.json`.
    """
    from nanorecipes.recipe.schema import recipe_schema

    if recipe_name is None:
        view.print_json(recipe_schema())
        return
    from nanorecipes.book import recipes

    view.print_json(find_recipe(recipes, recipe_name).inputs_schema)
