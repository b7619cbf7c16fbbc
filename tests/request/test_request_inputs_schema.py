"""The JSON Schema of a recipe's arguments accepts and refuses what the recipe does.

Differences, all of them lenient, are tested by name below: white space is folded before lengths and
patterns are looked at, texts that say a number or a truth count as one, a single text stands for a
list of one, and a colour's case doesn't matter. `format` is an assertion: the three formats are
`color`, `multiline` and `verbatim`.
"""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recipe_trees import PHOTO, Tree, recipe_text

from nanorecipes import InputError, Recipe
from nanorecipes.recipe.colors import CSS_COLORS

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("color")
def _is_color(value: object) -> bool:
    return not isinstance(value, str) or value in CSS_COLORS or bool(
        re.fullmatch("#[0-9a-f]{6}", value)
    )  # fmt: skip


@FORMATS.checks("verbatim")
def _is_lettering(value: object) -> bool:
    return not isinstance(value, str) or not re.search('["\u201c\u201d\u201e]', value)


DECLARED = {
    "line": "{maxLength: 8}",
    "long": "{minLength: 2, maxLength: 8}",
    "shape": "{pattern: '^[ab]+$'}",
    "whole": "{type: integer}",
    "some": "{type: integer, minimum: -2, maximum: 5}",
    "half": "{type: integer, minimum: 0.5, maximum: 3.5}",
    "part": "{type: number, minimum: 0.25}",
    "truth": "{type: boolean}",
    "kind": "{enum: [ab, b c]}",
    "number": "{enum: [1, 2.5]}",
    "count": "{type: integer, enum: [1, 5], wording: {1: one, 5: five}}",
    "paint": "{format: color}",
    "sign": "{format: verbatim, maxLength: 8}",
    "lines": "{format: multiline, maxLength: 8}",
    "several": "{type: array, maxItems: 3, minItems: 1, maxLength: 3}",
    "chosen": "{type: array, enum: [a, b], maxItems: 2}",
    "empty": "{default: '', maxLength: 8}",
}
# Texts without white space at the ends or doubled: folding changes nothing in them.
_LETTERS = st.text("ab\u00e9#\U0001f600", max_size=10)
_TEXTS = st.one_of(_LETTERS, st.sampled_from(["a b", "navy", "#a1b2c3", 'a"b', "b c", "12", "on"]))
# What is validated by a schema is JSON, which has no words for these; recipes refuse them.
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-10, 10), st.integers(), _FLOATS, _TEXTS)
_VALUES: st.SearchStrategy[Any] = st.one_of(_SCALARS, st.lists(_TEXTS, max_size=4), st.just({}))


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recipe]:
    """One recipe for each declaration."""
    tree = Tree(tmp_path_factory.mktemp("schemas"))
    return {
        name: tree.recipe(recipe_text(f"<{{{{ {name} }}}}>", params=f"{name}: {spec}"), f"g/{name}")
        for name, spec in DECLARED.items()
    }


def is_lenient(name: str, value: Any) -> bool:
    """Whether a value is one that only the recipe takes: a command line has nothing but text."""
    kind = DECLARED[name]
    if "array" in kind:
        return isinstance(value, str)
    if "boolean" in kind:
        return isinstance(value, (int, float, str))
    if "integer" in kind or "number" in kind or "enum" in kind:
        return isinstance(value, (str, bool))
    return False


def takes(recipe: Recipe, **arguments: Any) -> bool:
    """Whether a call is accepted."""
    try:
        recipe.render(photo=PHOTO, **arguments)
    except InputError:
        return False
    return True


@settings(deadline=None, max_examples=60)
@given(value=_VALUES)
@pytest.mark.parametrize("name", DECLARED)
def test_the_schema_and_the_recipe_agree(recipes: dict[str, Recipe], name: str, value: Any) -> None:
    """A form, a tool or a table that validates beforehand is neither stricter nor laxer."""
    recipe = recipes[name]
    schema = recipe.inputs_schema
    validator = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
    by_schema = validator.is_valid({"photo": PHOTO, name: value})
    by_recipe = takes(recipe, **{name: value})
    if by_schema:
        assert by_recipe
    elif by_recipe:
        assert is_lenient(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("line", "  a  b   c "), ("long", " \t "), ("shape", " ab "), ("whole", " 7 "),
        ("part", "0.5"), ("truth", "yes"), ("truth", 1), ("kind", " ab "), ("number", "2.5"),
        ("paint", "NAVY"), ("paint", " navy "), ("several", "abc"), ("lines", "a\n\n\nb"),
    ],
)  # fmt: skip
def test_where_the_recipe_is_lenient_it_does_as_documented(
    recipes: dict[str, Recipe], name: str, value: Any
) -> None:
    """Folding comes first: " a b " has three characters, and "   " none."""
    assert takes(recipes[name], **{name: value}) is (name != "long")


def test_the_schema_of_a_recipe_describes_its_arguments(tree: Tree) -> None:
    """Images first, then parameters, then call options."""
    text = recipe_text(
        "{{ a }}{{ b }}{% if ref %}{{ ref }}{% endif %}{{ many }}",
        images="photo: {description: What to edit.}\nref: {role: reference, optional: true}\n"
        "many: {min: 2, max: 5}",
        params="a: {description: Words., examples: [x]}\n"
        "b: {type: integer, default: 3, deprecated: true}",
    )
    schema = tree.recipe(text).inputs_schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "Title"
    assert schema["required"] == ["photo", "many", "a"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert list(properties) == [
        "photo", "many", "ref", "a", "b", "model", "quality", "aspect_ratio", "num_images", "seed",
        "search", "protect", "notes",
    ]  # fmt: skip
    assert properties["photo"] == {
        "type": "string", "format": "uri-reference", "description": "What to edit."
    }  # fmt: skip
    assert properties["ref"]["description"] == "A reference picture: a path or a URL."
    assert (properties["many"]["minItems"], properties["many"]["maxItems"]) == (2, 5)
    assert properties["a"] == {
        "type": "string", "description": "Words.", "maxLength": 300, "minLength": 1,
        "examples": ["x"],
    }  # fmt: skip
    assert (properties["b"]["default"], properties["b"]["deprecated"]) == (3, True)


def test_an_unknown_argument_is_refused_by_both(recipes: dict[str, Recipe]) -> None:
    """A misspelt name must not pass."""
    schema = recipes["line"].inputs_schema
    assert not jsonschema.Draft202012Validator(schema).is_valid({"photo": PHOTO, "lien": "a"})
    assert not takes(recipes["line"], lien="a")
