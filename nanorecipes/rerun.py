"""A recorded making as a call again: arguments for the recipe as it is now, and what differs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes import codes, files
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError
from nanorecipes.images import BadImageError, image_input

if TYPE_CHECKING:
    from nanorecipes.book import Recipe
    from nanorecipes.provenance import Input, Provenance

_OPTIONS = ("model", "quality", "aspect_ratio", "num_images", "seed", "search")


@dataclass(frozen=True)
class Again:
    """The arguments of a call that was recorded, and what is not as it was."""

    arguments: Mapping[str, Any]
    warnings: tuple[str, ...]


class Difference(NamedTuple):
    """One fact in which two makings differ; None where one of them doesn't tell."""

    fact: str
    before: Any
    after: Any


def arguments_again(
    made: Provenance, recipe: Recipe, changes: Mapping[str, Any], near: Sequence[Path]
) -> Again:
    """The arguments that made a picture, with changes.

    Args:
        made: how it was made.
        recipe: the recipe as it is now.
        changes: arguments that take the place of the recorded ones.
        near: folders in which a source picture may lie, when it isn't where it was.

    Raises:
        InputError: a source picture that is in neither place and isn't among the changes.
    """
    warnings = list(_recipe_warnings(made, recipe))
    arguments: dict[str, Any] = {}
    for name, value in made.values.items():
        if name in recipe.params:
            if value is not None:
                arguments[name] = value
        elif name not in changes:
            warnings.append(f"the recipe no longer takes {name!r}; it is left out")
    asked = {**made.settings, **made.asked}
    arguments |= {name: asked[name] for name in _OPTIONS if name in asked}
    arguments |= {n: made.additions[n] for n in ("protect", "notes") if made.additions.get(n)}
    arguments |= _images(made, recipe, changes, near, warnings)
    return Again({**arguments, **changes}, tuple(warnings))


def _recipe_warnings(made: Provenance, recipe: Recipe) -> Iterator[str]:
    if made.hash is not None and made.hash != recipe.hash:
        yield (
            f"{recipe.name} has changed since: version {made.version} ({made.hash[:12]}) made the "
            f"picture, this one is {recipe.version} ({recipe.hash[:12]})"
        )
    if made.prompt is None:
        yield "the picture doesn't tell its prompt and inputs: they can't be compared"


def _images(
    made: Provenance,
    recipe: Recipe,
    changes: Mapping[str, Any],
    near: Sequence[Path],
    warnings: list[str],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for image in made.images:
        if image.slot in changes:
            continue
        if image.slot not in recipe.images:
            warnings.append(f"the recipe no longer takes the picture {image.slot!r}; left out")
            continue
        source = _find(image, near, warnings)
        if source is None:
            problems.append(_gone(image))
        elif recipe.images[image.slot].is_list:
            found.setdefault(image.slot, []).append(source)
        else:
            found[image.slot] = source
    if problems:
        raise InputError(problems)
    return found


def _gone(image: Input) -> Diagnostic:
    code = codes.MISSING_ARGUMENT
    message = f"{image.slot}: the picture {image.source!r} is not found"
    return Diagnostic(
        code.code, code.name, "error", message, field=image.slot,
        help=f"give it as {image.slot}=PATH",
    )  # fmt: skip


def _find(image: Input, near: Sequence[Path], warnings: list[str]) -> str | None:
    """Where a source picture is now: the same bytes first, else the same name."""
    if image.source.startswith(("http://", "https://")):
        return image.source
    if not image.source or "\0" in image.source:
        return None
    name = image.source.replace("\\", "/").rpartition("/")[2]
    places = [Path(image.source), *(folder / name for folder in near)]
    there = [place for place in places if files.is_regular(place)]
    for place in there:
        if image.sha256 is None or _digest(place) == image.sha256:
            return str(place)
    if not there:
        return None
    warnings.append(f"{image.slot}: {there[0]} is not the picture that was used; it has changed")
    return str(there[0])


def _digest(path: Path) -> str | None:
    try:
        return image_input(path).digest
    except BadImageError:
        return None


def differences(before: Provenance, after: Provenance) -> list[Difference]:
    """The facts in which two makings differ, the prompt excepted; `prompt_diff` shows that."""
    first, second = _facts(before), _facts(after)
    return [
        Difference(name, first.get(name), second.get(name))
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    ]


def _facts(made: Provenance) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "recipe": made.recipe, "version": made.version, "hash": made.hash, "model": made.model,
    }  # fmt: skip
    facts |= {f"settings.{name}": value for name, value in made.settings.items()}
    facts |= {f"inputs.{name}": value for name, value in made.values.items()}
    facts |= {f"inputs.{name}": value for name, value in made.additions.items()}
    for number, image in enumerate(made.images, 1):
        # A picture is its bytes: the same under another name is no difference.
        facts[f"images.{number}.{image.slot}"] = image.sha256 or image.source
    facts |= {
        "backend": made.backend, "cost_usd": made.cost_usd, "task_id": made.task_id,
        "finished_at": made.finished_at,
    }  # fmt: skip
    return facts


def prompt_diff(before: str, after: str) -> list[str]:
    """The lines of a prompt that differ, sentence by sentence: `- ` before, `+ ` after."""
    lines = difflib.ndiff(_sentences(before), _sentences(after))
    return [line for line in lines if line[:2] in ("- ", "+ ")]


def _sentences(prompt: str) -> list[str]:
    return [part.strip() for part in prompt.replace(". ", ".\n").split("\n") if part.strip()]
