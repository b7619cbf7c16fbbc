"""Plain values of parameters, read without compiling a validator.

Most calls pass a line of text within its bounds, a value of an enum, or nothing. Those come out as
they go in; a recipe that is read once, as by `lint`, so needs no validator of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.recipe.params import Param


def plain_values(
    params: Mapping[str, Param], fixed: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The values as the validator gives them; None where only the validator can tell."""
    values: dict[str, Any] = {}
    for name, param in params.items():
        if name in fixed:
            continue
        if name in given:
            value = given[name]
        elif param.has_default:
            value = param.default
        else:
            return None
        if not _is_plain(param, value):
            return None
        values[name] = value
    return values if given.keys() <= values.keys() else None


def _is_plain(param: Param, value: Any) -> bool:
    """Whether a value surely fits, and templates see it as it was given."""
    if type(value) is not str or param.type != "string" or param.format != "line":
        return False
    if param.enum is not None:
        return param.wording is None and value in param.enum
    return (
        param.pattern is None
        and max(param.least_length, 1) <= len(value) <= param.max_length
        and value.isprintable()
        and "  " not in value
        and value[0] != " " != value[-1]
    )
