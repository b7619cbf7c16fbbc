"""A call's arguments, sorted into images, parameters and options; every wrong one is reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import PydanticCustomError, ValidationError

from nanorecipes import codes
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError
from nanorecipes.images import BadImageError, ImageInput, image_input
from nanorecipes.recipe import findings
from nanorecipes.recipe.checks import CALL_OPTIONS, explain_error
from nanorecipes.recipe.params import fold, fold_lines
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.codes import Code
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.params import Param, Slot

MAX_NOTES = 1500
MAX_PROTECT_ITEMS = 20
MAX_PROTECT_CHARS = 300
MAX_SEED = 2**32 - 1


_WORD = re.compile(r"[^\W_]")


class Arguments(NamedTuple):
    """A call's arguments, each checked."""

    values: dict[str, Any]
    """Parameters as templates see them, defaults filled in."""
    images: dict[str, list[ImageInput]]
    """By slot, in the order of sending; only slots that hold something."""
    options: dict[str, Any]
    """`model`, `quality`, ... as far as the call gives them, but not protect and notes."""
    protect: list[str]
    notes: str


def read_arguments(definition: Definition, given: Mapping[str, Any]) -> Arguments:
    """Sort and check a call's arguments.

    Raises:
        InputError: with a finding for every argument that is unknown, missing or wrong.
    """
    images: dict[str, Any] = {}
    values: dict[str, Any] = {}
    options: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    slots, params, fixed = definition.slots, definition.params, definition.fixed
    for name, value in given.items():
        if name in slots:
            images[name] = value
        elif name in params and name not in fixed:
            values[name] = value
        elif name in OPTIONS:
            options[name] = value
        else:
            problems.append(_unknown(definition, name))
    attached = _images(definition, images, problems)
    checked = _values(definition, values, problems)
    read = _options(options, problems)
    if problems:
        raise InputError(problems)
    return Arguments(checked, attached, read, read.pop("protect", []), read.pop("notes", ""))


def problem(code: Code, field: str, message: str, help: str | None = None) -> Diagnostic:
    """A finding about an argument."""
    return Diagnostic(code.code, code.name, "error", message, help=help, field=field)


def _unknown(definition: Definition, name: str) -> Diagnostic:
    known = [*definition.slots, *definition.free_params, *OPTIONS]
    if name in definition.fixed:
        message = f"{name!r} is fixed by the recipe to {definition.fixed[name]!r}"
        return problem(codes.UNKNOWN_ARGUMENT, name, message)
    inputs = ", ".join([*definition.slots, *definition.free_params])
    advice = did_you_mean(name, known) or f"it takes {inputs}, and {', '.join(OPTIONS)}"
    message = f"{definition.name} has no argument {name!r}"
    return problem(codes.UNKNOWN_ARGUMENT, name, message, advice)


def _images(
    definition: Definition, given: dict[str, Any], problems: list[Diagnostic]
) -> dict[str, list[ImageInput]]:
    attached: dict[str, list[ImageInput]] = {}
    for name, slot in definition.slots.items():
        value = given.get(name)
        if value is None or value == []:
            if slot.is_required:
                problems.append(_missing_image(slot))
        elif slot.is_list or isinstance(value, (list, tuple)):
            _several(slot, value, attached, problems)
        else:
            _take(slot, [value], attached, problems)
    return attached


def _missing_image(slot: Slot) -> Diagnostic:
    advice = f"give {slot.name}=..." + (f"  {slot.description}" if slot.description else "")
    message = f"the image {slot.name!r} is missing"
    return problem(codes.MISSING_ARGUMENT, slot.name, message, advice)


def _several(
    slot: Slot, value: Any, attached: dict[str, list[ImageInput]], problems: list[Diagnostic]
) -> None:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if not slot.min <= len(items) <= slot.max:
        wanted = f"{slot.min} to {slot.max} pictures" if slot.is_list else "one picture"
        message = f"{slot.name} takes {wanted}, found {len(items)}"
        problems.append(problem(codes.BAD_IMAGE, slot.name, message))
    _take(slot, items, attached, problems)


def _take(
    slot: Slot, items: list[Any], attached: dict[str, list[ImageInput]], problems: list[Diagnostic]
) -> None:
    try:
        attached[slot.name] = [image_input(item) for item in items]
    except BadImageError as exc:
        problems.append(problem(codes.BAD_IMAGE, slot.name, f"{slot.name}: {exc}"))


def _values(
    definition: Definition, given: dict[str, Any], problems: list[Diagnostic]
) -> dict[str, Any]:
    try:
        return definition.values(given)
    except ValidationError as exc:
        seen: set[str] = set()
        for error in exc.errors(include_url=False):
            name = str(error["loc"][0])
            if name not in seen:
                seen.add(name)
                param = definition.params[name]
                problems.append(_value_problem(param, dict(error), given))
        return {}


def _value_problem(param: Param, error: dict[str, Any], given: Mapping[str, Any]) -> Diagnostic:
    name = param.name
    example = _example(param)
    if error["type"] == "missing":
        about = f"  {param.description}" if param.description else ""
        message = f"the parameter {name!r} is missing"
        way = f"give {name}={example or '...'}{about}"
        return problem(codes.MISSING_ARGUMENT, name, message, way)
    words = explain_error(param, error["type"], dict(error.get("ctx", {})), error["input"])
    advice = f"for example {name}={example}" if example else None
    return problem(codes.BAD_ARGUMENT, name, f"{name}: {words}", advice)


def _example(param: Param) -> str | None:
    """A value that fits, for a message."""
    if param.examples:
        return repr(param.examples[0])
    if param.enum is not None:
        return repr(param.enum[0])
    if param.type in ("integer", "number"):
        low = param.minimum if param.minimum is not None else 1
        return f"{low:g}"
    return {"color": "'#1e40af'", "boolean": "true"}.get(
        param.format if param.type == "string" else param.type
    )


def _options(given: dict[str, Any], problems: list[Diagnostic]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:  # an option that is not given
            continue
        try:
            read[name] = OPTIONS[name](value)
        except PydanticCustomError as exc:
            context = exc.context or {}
            shown = context.get("character") or findings.found(value)
            message = f"{name}: expected {exc.message_template}, found {shown}"
            problems.append(problem(codes.BAD_OPTION, name, message))
        except ValueError as exc:
            problems.append(problem(codes.BAD_OPTION, name, f"{name}: {exc}"))
    return read


def readable_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The call options among some arguments, but those that can't be read."""
    chosen = {name: value for name, value in given.items() if name in OPTIONS}
    return _options(chosen, [])


def _text_option(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return fold(value)
    raise ValueError(f"expected a text, found {findings.found(value)}")


def _quality_option(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = _text_option(value)
    return text.upper() if text.lower() in ("1k", "2k", "4k") else text


def _whole(value: Any, low: int, high: int | None) -> int:
    if isinstance(value, str) and value.strip().lstrip("-").isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, found {findings.found(value)}")
    if value < low or (high is not None and value > high):
        limit = f"{low} to {high}" if high is not None else f"{low} or more"
        raise ValueError(f"expected {limit}, found {value}")
    return value


_TRUTH = {"true": True, "yes": True, "on": True, "1": True,
          "false": False, "no": False, "off": False, "0": False}  # fmt: skip


def _bool_option(value: Any) -> bool:
    found = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else value
    if isinstance(found, bool):
        return found
    raise ValueError(f"expected true or false, found {findings.found(value)}")


def _protect_option(value: Any) -> list[str]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or any(not isinstance(item, str) for item in items):
        raise ValueError(f"expected a list of texts, found {findings.found(value)}")
    if len(items) > MAX_PROTECT_ITEMS:
        raise ValueError(f"expected at most {MAX_PROTECT_ITEMS} entries, found {len(items)}")
    folded = [fold(item).strip(" -") for item in items]
    for item in folded:
        if len(item) > MAX_PROTECT_CHARS or not _WORD.search(item):
            raise ValueError(
                f"expected noun phrases of 1 to {MAX_PROTECT_CHARS} characters, "
                f"found {findings.found(item)}"
            )
    return folded


def _notes_option(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {findings.found(value)}")
    text = fold_lines(value)
    if len(text) > MAX_NOTES:
        raise ValueError(f"expected at most {MAX_NOTES} characters, found {len(text)}")
    return text


OPTIONS: dict[str, Callable[[Any], Any]] = {
    "model": _text_option,
    "quality": _quality_option,
    "aspect_ratio": _text_option,
    "num_images": lambda value: _whole(value, -(10**9), None),  # the model's limit is judged later
    "seed": lambda value: _whole(value, 0, MAX_SEED),
    "search": _bool_option,
    "protect": _protect_option,
    "notes": _notes_option,
}
"""The call options and how each is read."""

assert {*OPTIONS, "out"} == set(CALL_OPTIONS)

__all__ = ["OPTIONS", "Arguments", "problem", "read_arguments", "readable_options"]
