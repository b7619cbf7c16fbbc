"""JSON Schema of one recipe's arguments, for forms, tools and stubs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.params import Param, Slot


def inputs_schema(definition: Definition) -> dict[str, Any]:
    """The arguments of a recipe as one object schema; images are paths or URLs."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for slot in definition.slots.values():
        properties[slot.name] = _slot(slot)
        if slot.is_required:
            required.append(slot.name)
    for param in definition.free_params.values():
        properties[param.name] = _param(param)
        if param.is_required:
            required.append(param.name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definition.title,
        "description": definition.summary,
        "type": "object",
        "properties": {**properties, **_options()},
        "required": required,
        "additionalProperties": False,
    }


def _slot(slot: Slot) -> dict[str, Any]:
    image = {"type": "string", "format": "uri-reference"}
    about = {"description": slot.description or f"A {slot.role} picture: a path or a URL."}
    if not slot.is_list:
        return {**image, **about}
    return {"type": "array", "items": image, "minItems": slot.min, "maxItems": slot.max, **about}


def _param(param: Param) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": param.type}
    if param.description:
        schema["description"] = param.description
    bounds = _bounds(param)
    if param.type == "array":
        schema["items"] = {"type": "string", **bounds}
        if param.min_items is not None:
            schema["minItems"] = param.min_items
        schema["maxItems"] = param.max_items
    else:
        schema.update(bounds)
    if param.has_default:
        schema["default"] = param.default
    if param.examples:
        schema["examples"] = list(param.examples)
    if param.deprecated:
        schema["deprecated"] = True
    return schema


def _bounds(param: Param) -> dict[str, Any]:
    if param.enum is not None:
        return {"enum": list(param.enum)}
    found: dict[str, Any] = {}
    if param.type in ("integer", "number"):
        return {"minimum": param.least, "maximum": param.most}
    if param.type == "boolean":
        return found
    found["maxLength"] = param.max_length
    if param.least_length:
        found["minLength"] = param.least_length
    if param.pattern is not None:
        found["pattern"] = param.pattern
    if param.format != "line":
        found["format"] = param.format
    return found


def _options() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "model": {**text, "description": "flash, pro, or a full model id."},
        "quality": {**text, "description": "A quality tier of the model."},
        "aspect_ratio": {**text, "description": "A ratio that the model offers, or match."},
        "num_images": {"type": "integer", "minimum": 1, "maximum": 10},
        "seed": {"type": "integer", "minimum": 0, "maximum": 4294967295},
        "search": {"type": "boolean", "description": "Whether facts may be looked up (flash)."},
        "protect": {"type": "array", "items": text, "description": "More that must stay."},
        "notes": {**text, "description": "More text for the end of the details."},
    }
