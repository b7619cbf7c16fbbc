"""A recipe as its file declares it: checked, merged with its parent, each value with its place."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic_core import SchemaValidator, ValidationError

from nanorecipes import codes
from nanorecipes.diagnostics import sort
from nanorecipes.errors import RecipeError
from nanorecipes.recipe import findings
from nanorecipes.recipe.checks import check_meaning
from nanorecipes.recipe.params import (
    Param,
    Slot,
    compile_value,
    compile_values,
    make_param,
    make_slot,
)
from nanorecipes.recipe.plain import plain_values
from nanorecipes.recipe.schema import recipe_schema, recipe_validator
from nanorecipes.recipe.source import MAX_FINDINGS, capped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.recipe.source import Document, Path_

Changes = Literal["part", "background", "look", "scene"]


@dataclass(eq=False, repr=False)
class Definition:
    """A loaded recipe: plain data, nothing rendered, nothing compiled."""

    name: str
    document: Document
    data: Mapping[str, Any]
    """The file's values after merging with its parent, as checked against the format."""
    hash: str
    """SHA-256 in hex over the file, its parent and its macros."""
    root: Path
    """The library folder that the file belongs to."""
    slots: Mapping[str, Slot]
    """In the order of sending: sources first, then references, each as declared."""
    params: Mapping[str, Param]
    """Every parameter, the fixed ones too."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """The parent's parameters that this recipe binds, as templates see them."""
    _validators: list[SchemaValidator] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.document.path

    @property
    def title(self) -> str:
        return str(self.data["title"])

    @property
    def summary(self) -> str:
        return str(self.data["summary"])

    @property
    def capability(self) -> str:
        return str(self.data["capability"])

    @property
    def changes(self) -> Changes:
        changes: Changes = self.data["changes"]
        return changes

    @property
    def version(self) -> str:
        return str(self.data.get("version", "1.0"))

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.data.get("tags", ()))

    @property
    def language(self) -> str:
        return str(self.data.get("language", "en"))

    @property
    def settings(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.data.get("settings", {})
        return settings

    @property
    def examples(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(self.data.get("examples", ()))

    @property
    def deprecated(self) -> Mapping[str, str] | None:
        deprecated: Mapping[str, str] | None = self.data.get("deprecated")
        return deprecated

    @property
    def free_params(self) -> dict[str, Param]:
        """The parameters that a caller may pass: those that `fixed` doesn't bind."""
        return {name: param for name, param in self.params.items() if name not in self.fixed}

    @property
    def validator(self) -> SchemaValidator:
        """The compiled validator of the parameters, made when first asked for."""
        if not self._validators:
            self._validators.append(compile_values(list(self.params.values()), self.fixed))
        return self._validators[0]

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A call's parameters as templates see them, defaults filled in.

        Raises:
            ValidationError: with every parameter that is unknown, missing or wrong.
        """
        if not self._validators:
            plain = plain_values(self.params, self.fixed, given)
            if plain is not None:
                return plain
        values: dict[str, Any] = self.validator.validate_python(given)
        return values


TemplateCheck: TypeAlias = "Callable[[Definition], Iterable[Diagnostic]]"
"""Finds what is wrong in a recipe's templates; asked only for a recipe that is broken anyway."""


def define(
    name: str,
    document: Document,
    *,
    content_hash: str,
    root: Path,
    check_templates: TemplateCheck | None = None,
) -> Definition:
    """A recipe from a document that is already merged with its parent.

    Raises:
        RecipeError: with every problem of the file.
    """
    problems = [*document.problems, *check_form(document)]
    sound = _sound(document) if problems else document.data
    if sound is not None:
        problems += check_meaning(document, sound)
    measured = all(problem.code != codes.TOO_LARGE.code for problem in problems)
    if problems and sound is not None and measured and check_templates is not None:
        problems += check_templates(_definition(name, document, sound, content_hash, root, {}))
    if problems:
        raise RecipeError(sort(dict.fromkeys(problems)), path=document.path)
    data = document.data
    return _definition(name, document, data, content_hash, root, _fixed(data))


def _definition(
    name: str,
    document: Document,
    data: dict[str, Any],
    content_hash: str,
    root: Path,
    fixed: Mapping[str, Any],
) -> Definition:
    slots = [make_slot(key, spec) for key, spec in data["images"].items()]
    slots.sort(key=lambda slot: slot.role != "source")
    return Definition(
        name=name,
        document=document,
        data=data,
        hash=content_hash,
        root=root,
        slots={slot.name: slot for slot in slots},
        params={key: make_param(key, spec) for key, spec in data.get("params", {}).items()},
        fixed=fixed,
    )


def _fixed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: compile_value(make_param(name, data["params"][name])).validate_python(value)
        for name, value in data.get("fixed", {}).items()
    }


def check_form(document: Document) -> list[Diagnostic]:
    """Hold a document against the format's schema; every problem at once."""
    data = document.data
    if not isinstance(data, dict):
        place = document.place(())
        message = f"a recipe is a mapping of keys, found {findings.found(data)}"
        return [place.diagnostic(codes.WRONG_VALUE, message)]
    errors = _form_errors(data)
    found = [_form_finding(document, error) for error in errors[:MAX_FINDINGS]]
    return capped(found, len(errors))


def _form_errors(data: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        recipe_validator().validate_python(data)
    except ValidationError as exc:
        return [dict(error) for error in exc.errors(include_url=False)]
    return []


def _sound(document: Document) -> dict[str, Any] | None:
    """The values without those whose form is wrong, so that the others can be checked on.

    None when too little is left (no images, or no prompt), or too much is wrong.
    """
    data = document.data
    if not isinstance(data, dict) or len(_form_errors(data)) > MAX_FINDINGS:
        return None
    data = copy.deepcopy(data)
    for _ in range(3):  # what lost a required key is wrong as a whole, and goes in the next round
        for error in _form_errors(data):
            _leave_out(data, error)
    left = _form_errors(data)
    return None if any(error["loc"][0] in ("images", "prompt") for error in left) else data


def _leave_out(data: dict[str, Any], error: dict[str, Any]) -> None:
    """Take a malformed value out; a list goes as a whole, so that no index changes."""
    path, _ = _resolve(error["loc"])
    if path[-1:] == ("[key]",) or error["type"] == "missing":
        path = path[:-1]
    elif path[:1] in (("params",), ("images",)) and error["type"] != "extra_forbidden":
        path = path[:2]  # half a declaration would be misjudged
    steps = list(itertools.takewhile(lambda step: isinstance(step, str), path))
    holder: Any = data
    for step in steps[:-1]:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and steps and steps[-1] in holder:
        if len(path) == 2 and path[0] in ("params", "images"):
            holder[steps[-1]] = None
        else:
            del holder[steps[-1]]


def _form_finding(document: Document, error: dict[str, Any]) -> Diagnostic:
    path, known = _resolve(error["loc"])
    word = findings.word_file_error({**error, "loc": path}, known)
    at_key = error["type"] == "extra_forbidden" or path[-1:] == ("[key]",)
    where = path[:-1] if path[-1:] == ("[key]",) else path
    if error["type"] == "missing":
        place = document.place(path[:-1], key=True)
        inside = ".".join(str(step) for step in path[:-1])
        message = f"{word.message} in {inside}" if inside else word.message
        return place.diagnostic(word.code, message, help=f"add `{path[-1]}:`")
    return document.place(where, key=at_key).diagnostic(word.code, word.message, help=word.help)


def _resolve(loc: tuple[str | int, ...]) -> tuple[Path_, list[str]]:
    """Take the type tags of unions out of a location, and list the keys that its place may have."""
    schema = recipe_schema()
    defs = schema["$defs"]
    path: list[str | int] = []
    of_key = loc[-1:] == ("[key]",)
    steps = iter(loc[:-1] if of_key else loc)
    known: list[str] = []
    for step in steps:
        path.append(step)
        known = list(schema.get("properties", ()))
        schema = _step(schema, step)
        if "$ref" in schema:
            schema = defs[schema["$ref"].rpartition("/")[2]]
        if isinstance(schema.get("type"), list):
            next(steps, None)
    return (*path, "[key]") if of_key else tuple(path), known


def _step(schema: dict[str, Any], step: str | int) -> dict[str, Any]:
    if isinstance(step, int):
        found = schema.get("items", {})
    else:
        found = schema.get("properties", {}).get(step, schema.get("additionalProperties", {}))
    return found if isinstance(found, dict) else {}
