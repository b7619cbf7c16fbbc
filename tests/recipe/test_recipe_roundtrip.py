"""Any file that loads can be written and loaded again, and means the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from recipe_trees import Tree

from nanorecipes import Recipe, RecipeError, recipes
from nanorecipes.recipe.source import parse

_PLAIN = st.text(
    st.characters(
        codec="utf-8",
        exclude_characters="\x85\u2028\u2029\ufeff",
        exclude_categories=["Cc"],
    ),
    max_size=30,
)
_TEXTS = st.one_of(
    _PLAIN,
    st.sampled_from(
        ["16:9", "on", "no", "2026-01-01", "0o17", "0x1F", "1e3", "1_0", ".inf", "~", "null", "",
         "true", "- a", "a: b", "{{ x }}", "#x", " x ", "a\nb\n", "'", '"', "!override", "*a", "&a"]
    ),
)  # fmt: skip
_NUMBERS = st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False))
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


class _Writer(yaml.SafeDumper):
    """Writes what the 1.2 rules would not read back as text in quotes."""


def _write_text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"')


def _write_float(writer: yaml.SafeDumper, number: float) -> yaml.Node:
    text = repr(number)
    special = {"inf": ".inf", "-inf": "-.inf"}
    return writer.represent_scalar("tag:yaml.org,2002:float", special.get(text, text), style="")


_Writer.add_representer(str, _write_text)
_Writer.add_representer(float, _write_float)


def written(data: Any) -> str:
    """YAML text of plain data."""
    return str(yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=10_000))


def facts(recipe: Recipe) -> tuple[Any, ...]:
    """All that a definition holds beside its places."""
    made = recipe.definition
    return (dict(made.data), dict(made.slots), dict(made.params), dict(made.fixed))


@settings(deadline=None)
@given(_VALUES)
def test_any_value_survives_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    """What the reader makes of a text is what the text says, whatever it looks like."""
    path = tmp_path_factory.getbasetemp() / "x.yaml"
    once = parse(path, written({"meta": value})).data
    assert once == {"meta": value}
    assert repr(once) == repr({"meta": value})
    assert repr(parse(path, written(once)).data) == repr(once)


_NAMES = st.from_regex(r"[a-d][a-d0-9_]{0,3}", fullmatch=True)
_WORDS = st.text("ab :#-'\"{}%\u00e9", min_size=1, max_size=12).filter(str.strip)
_PARAMS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {}, optional={"description": _WORDS, "maxLength": st.integers(1, 400), "default": _WORDS}
    ),
    st.fixed_dictionaries(
        {"type": st.just("integer")},
        optional={
            "minimum": st.integers(-5, 5),
            "maximum": st.floats(-5, 9),
            "default": st.just(3),
        },
    ),
    st.fixed_dictionaries(
        {"enum": st.lists(st.sampled_from(["a", "on", "16:9", 1, 2.5, True]), min_size=1)}
    ),
    st.fixed_dictionaries(
        {"type": st.just("array"), "default": st.lists(_WORDS, max_size=3)},
    ),
)
_RECIPES = st.fixed_dictionaries(
    {
        "format": st.just(1),
        "title": _WORDS,
        "summary": _WORDS,
        "capability": st.sampled_from(["edit", "style"]),
        "changes": st.sampled_from(["part", "look", "scene"]),
        "images": st.dictionaries(
            _NAMES,
            st.none() | st.fixed_dictionaries(
                {}, optional={"role": st.sampled_from(["source", "reference"]),
                              "optional": st.booleans(), "min": st.integers(0, 3),
                              "max": st.integers(1, 5), "label": _WORDS}),
            min_size=1, max_size=3,
        ),
        "prompt": st.fixed_dictionaries(
            {"edit": _WORDS, "protect": st.lists(_WORDS, min_size=1, max_size=3)},
            optional={"subject": _WORDS, "details": _WORDS | st.lists(_WORDS, max_size=3)},
        ),
    },
    optional={
        "version": _WORDS,
        "tags": st.lists(_WORDS, max_size=3),
        "params": st.dictionaries(_NAMES, _PARAMS, max_size=3),
        "settings": st.fixed_dictionaries({}, optional={"quality": st.sampled_from(["1K", 512]),
                                                        "num_images": st.integers(1, 10)}),
        "meta": st.dictionaries(_WORDS, _VALUES, max_size=2),
    },
)  # fmt: skip


@settings(deadline=None)
@given(_RECIPES)
def test_any_recipe_that_loads_round_trips(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    """Load, write, load: the same data and the same definition."""
    tree = Tree(tmp_path_factory.mktemp("trip"))
    try:
        first = tree.recipe(written(data))
    except RecipeError:
        return  # a random file may contradict itself; then it doesn't load
    assert repr(dict(first.definition.data)) == repr(data)
    second = tree.recipe(written(dict(first.definition.data)))
    assert repr(facts(second)) == repr(facts(first))


@pytest.mark.parametrize("name", sorted(recipes))
def test_every_built_in_recipe_round_trips(tree: Tree, name: str) -> None:
    """Real files too, a parent's values laid in."""
    first = recipes[name]
    data = {key: value for key, value in first.definition.data.items() if key != "extends"}
    if "fixed" in data:
        return  # the parent is needed for it; merging is tested by its law
    second = tree.recipe(written(data))
    assert repr(facts(second)[1:]) == repr(facts(first)[1:])
    assert dict(second.definition.data) == data
