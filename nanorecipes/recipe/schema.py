"""JSON Schema in, a compiled pydantic-core validator out: for the file format and for parameters.

The shipped `data/recipe.schema.json` is the one declaration of the file's form; editors read the
same file. pydantic-core alone is used because importing all of pydantic doubles the start-up time.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticKnownError, SchemaValidator, core_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMA_FILE = Path(__file__).parent.parent / "data" / "recipe.schema.json"

Json = dict[str, Any]


@cache
def recipe_schema() -> Json:
    """The JSON Schema of a recipe file, as it ships."""
    schema: Json = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


@cache
def recipe_validator() -> SchemaValidator:
    """The validator of a recipe file's form."""
    schema = recipe_schema()
    return SchemaValidator(_convert(schema, schema["$defs"]))


@cache
def schema_of(*path: str) -> Json:
    """A part of the file's schema, by its way through properties: `("params", "*", "type")`."""
    schema = recipe_schema()
    node = schema
    for step in path:
        node = node["additionalProperties"] if step == "*" else node["properties"][step]
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _convert(schema: Json, defs: Mapping[str, Json]) -> Any:
    if "$ref" in schema:
        return _convert(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "const" in schema:
        literal = core_schema.literal_schema([schema["const"]])
        return core_schema.no_info_before_validator_function(_no_bool, literal)
    if "enum" in schema:
        return core_schema.literal_schema(schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _by_type(schema, kind, defs)
    return _CONVERTERS[kind](schema, defs) if kind else core_schema.any_schema()


_TYPE_NAMES: dict[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number",
    list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def type_name(value: Any) -> str:
    """The JSON Schema name of a value's type."""
    return _TYPE_NAMES.get(type(value), type(value).__name__)


def _by_type(schema: Json, kinds: list[str], defs: Mapping[str, Json]) -> Any:
    """Choose by the value's type, so that a finding speaks of the one form that was meant."""
    choices = {kind: _convert({**schema, "type": kind}, defs) for kind in kinds}
    return core_schema.tagged_union_schema(
        choices,
        discriminator=type_name,
        custom_error_type="one_of_types",
        custom_error_message=" or ".join(kinds),
    )


def _object(schema: Json, defs: Mapping[str, Json]) -> Any:
    if "properties" not in schema:
        extra = schema.get("additionalProperties", {})
        names = schema.get("propertyNames", {}).get("pattern")
        return core_schema.dict_schema(
            keys_schema=core_schema.str_schema(pattern=names) if names else None,
            values_schema=_convert(extra, defs),
            min_length=schema.get("minProperties"),
            strict=True,
        )
    required = set(schema.get("required", ()))
    fields = {
        name: core_schema.typed_dict_field(_convert(part, defs), required=name in required)
        for name, part in schema["properties"].items()
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid", strict=True)


def _string(schema: Json, defs: Mapping[str, Json]) -> Any:
    return core_schema.str_schema(
        min_length=schema.get("minLength"),
        max_length=schema.get("maxLength"),
        pattern=schema.get("pattern"),
        strict=True,
    )


def _integer(schema: Json, defs: Mapping[str, Json]) -> Any:
    return core_schema.int_schema(ge=schema.get("minimum"), le=schema.get("maximum"), strict=True)


def _number(schema: Json, defs: Mapping[str, Json]) -> Any:
    number = core_schema.float_schema(
        ge=schema.get("minimum"), le=schema.get("maximum"), allow_inf_nan=False, strict=True
    )
    # A whole number stays one, so that a file that is read and written again is the same.
    return core_schema.no_info_wrap_validator_function(_keep_number, number)


def _no_bool(value: Any) -> Any:
    """True is 1 to Python, but not in a file."""
    if isinstance(value, bool):
        raise PydanticKnownError("literal_error", {"expected": "1"})
    return value


def _keep_number(value: Any, validate: Callable[[Any], Any]) -> Any:
    validate(value)
    return value


def _array(schema: Json, defs: Mapping[str, Json]) -> Any:
    return core_schema.list_schema(
        _convert(schema.get("items", {}), defs),
        min_length=schema.get("minItems"),
        max_length=schema.get("maxItems"),
        strict=True,
    )


_CONVERTERS: dict[str, Callable[[Json, Mapping[str, Json]], Any]] = {
    "object": _object,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "array": _array,
    "boolean": lambda schema, defs: core_schema.bool_schema(strict=True),
    "null": lambda schema, defs: core_schema.none_schema(),
}
