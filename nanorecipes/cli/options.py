"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def common(command: F) -> F:
    """`--json`, `--quiet` and `--debug`, which every command has."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False,
                     help="Show the traceback of an error."),
        click.option("-q", "--quiet", is_flag=True, help="Print results only."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    ):  # fmt: skip
        command = option(command)
    return command


def call_options(command: F) -> F:
    """The options of a call: model, quality, ratio, ..."""
    from nanorecipes.cli.complete import complete_models, complete_qualities, complete_ratios

    for option in (
        click.option("--notes", metavar="TEXT", help="More text for the end of the details."),
        click.option("--protect", multiple=True, metavar="TEXT",
                     help="One more thing that must stay; may be given several times."),
        click.option("--search/--no-search", default=None,
                     help="Let the model look facts up (flash only)."),
        click.option("--seed", type=int, metavar="N", help="Ask for the same randomness again."),
        click.option("--num-images", type=int, metavar="N", help="How many pictures: 1 to 10."),
        click.option("--aspect-ratio", metavar="RATIO", shell_complete=complete_ratios,
                     help="A ratio that the model offers, or match: the first image's."),
        click.option("--quality", metavar="TIER", shell_complete=complete_qualities,
                     help="512 (flash), 1K, 2K or 4K."),
        click.option("--model", metavar="MODEL", shell_complete=complete_models,
                     help="flash, pro, or a full model id."),
    ):  # fmt: skip
        command = option(command)
    return command


def call_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """The call options that were given, as keyword arguments."""
    given = {name: options[name] for name in (
        "model", "quality", "aspect_ratio", "num_images", "seed", "search", "notes",
    ) if options.get(name) is not None}  # fmt: skip
    if options.get("protect"):
        given["protect"] = list(options["protect"])
        _warn_of_boxes(given["protect"])
    return given


def _warn_of_boxes(things: list[str]) -> None:
    """`prove --protect` takes a box, and a prompt that speaks of numbers would be paid for."""
    from nanorecipes.cli import view

    boxes = [thing for thing in things if _BOX.fullmatch(thing.strip())]
    view.warn(
        f"--protect {box} goes into the prompt as words; a box is given with --protect-region"
        for box in boxes
    )


_BOX = re.compile(r"[\d.]+(?:,\s*[\d.]+){3}")


def inputs_argument(command: F) -> F:
    """`name=value ...` with completion."""
    from nanorecipes.cli.complete import complete_inputs

    decorated: F = click.argument(
        "inputs", nargs=-1, metavar="[NAME=VALUE]...", shell_complete=complete_inputs
    )(command)
    return decorated


def recipe_argument(command: F) -> F:
    """The recipe's name, with completion."""
    from nanorecipes.cli.complete import complete_recipes

    decorated: F = click.argument("recipe_name", metavar="RECIPE", shell_complete=complete_recipes)(
        command
    )
    return decorated
