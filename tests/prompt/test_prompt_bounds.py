"""Rendering is bounded in steps, entries and characters: a clear error, soon, and little memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import pytest
from recipe_trees import PHOTO, Tree, recipe_text

from nanorecipes import RecipeError, RenderError


def chain(first: str, step: str, count: int) -> str:
    """`set` statements, each made of the one before."""
    rows = [f"{{% set x0 = {first} %}}"]
    rows += [f"{{% set x{n + 1} = {step.format(x=f'x{n}')} %}}" for n in range(count)]
    return "".join(rows)


@dataclass(frozen=True)
class Costly:
    """A template that would run away, and the bound that it meets."""

    id: str
    edit: str
    message: str
    macro: str = ""


CHARS = "it wrote more than 64000 characters"
STEPS = "it took more than 10000 steps"
ITEMS = "its lists had more than 10000 entries"
LONG = chain("'a b c d e f g h i j k l m '", "{x} ~ {x}", 10)
USE = '{% from "_macros/m.jinja" import m19, m0 %}'
DOUBLING = "".join(
    f"{{% macro m{n + 1}(x='') %}}{{{{ m{n}(x) }}}}{{{{ m{n}(x) }}}}{{% endmacro %}}"
    for n in range(19)
)
SILENT = "".join(
    f"{{% macro m{n + 1}() %}}{{% set a = m{n}() %}}{{% set b = m{n}() %}}{{% endmacro %}}"
    for n in range(19)
)

COSTLY = [
    Costly("a text times a number", "{{ a * 10**9 }}", "`*` works on numbers, found str"),
    Costly("a list times a number", "{{ ['a'] * n }}", "`*` works on numbers, found list"),
    Costly("nested ranges", "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}"
           "{% endfor %}", ITEMS),
    Costly("a loop in a loop", "{% for i in range(200) %}{% for j in items %}{% endfor %}"
           "{% endfor %}" * 10, STEPS),
    Costly("a huge range", "{% for i in range(10**15) %}{% endfor %}", ITEMS),
    Costly("a range that is joined", "{{ range(10**9) | join }}", ITEMS),
    Costly("the last of a range", "{{ range(10**9) | last }}", ITEMS),
    Costly("a range that is printed", "{{ range(10**9) }}", ITEMS),
    Costly("a fraction in a range", "{{ 0.5 in range(10**9) }}", ITEMS),
    Costly("a range downwards", "{{ range(10**9, 0, -1) | length }}", ITEMS),
    Costly("doubled text", chain("'aaaaaaaaaaaa'", "{x} ~ {x}", 40), CHARS),
    Costly("added text", chain("'aaaaaaaaaaaa'", "{x} + {x}", 40), CHARS),
    Costly("doubled lists", chain("['a', 'b']", "[{x}, {x}]", 40) + "{{ x40 }}", "lists are"),
    Costly("doubled tuples", chain("('a', 'b')", "({x}, {x})", 40) + "{{ x40 }}", "lists are nest"),
    Costly("doubled lists compared", chain("['a', 'b']", "[{x}, {x}]", 40).replace("x", "y")
           + chain("['a', 'b']", "[{x}, {x}]", 40) + "{{ x40 == y40 }}", "lists are nested"),
    Costly("a list of long texts", LONG + "{{ [" + "x10, " * 900 + "] }}", CHARS),
    Costly("joined long texts", LONG + "{{ [" + "x10, " * 900 + "] | join('') }}", CHARS),
    Costly("a list of lists of long texts",
           LONG + "{% set y = [" + "x10, " * 300 + "] %}{{ [y, y, y] | join_and }}", CHARS),
    Costly("replaced", "{{ 'aaaaaaaa' " + "| replace('a', 'aaaaaaaaaaaaaaaa') " * 9 + "}}", CHARS),
    Costly("replaced nothing", LONG + "{{ x10 | replace('', x10) }}", CHARS),
    Costly("joined by a long text", LONG + "{{ x8 | join(x10) }}", CHARS),
    Costly("letters in a loop", LONG + "{% for i in range(99) %}{{ x10 | unique | length }}"
           "{% endfor %}", ITEMS),
    Costly("words in a loop", LONG + "{% for i in range(999) %}{% set y = x10 | title %}"
           "{% endfor %}", CHARS),
    Costly("large letters in a loop", LONG + "{% for i in range(999) %}{% set y = x10 | upper %}"
           "{% endfor %}", CHARS),
    Costly("quotes in a loop", LONG + "{% for i in range(999) %}{% set y = x10 | quote %}"
           "{% endfor %}", CHARS),
    Costly("fixed text in a loop", "{% for i in range(900) %}" + "x" * 900 + "{% endfor %}", CHARS),
    Costly("values in a loop", "{% for i in range(900) %}{{ a }}{% endfor %}", CHARS),
    Costly("a power", "{{ 9 ** 9 ** 9 }}", "a number went beyond"),
    Costly("a power of a fraction", "{{ 1.5 ** 999999 }}", "a number went beyond"),
    Costly("a product", "{{ (n * n) * (n * n) * n }}", "a number went beyond"),
    Costly("infinity", "{{ 999999999999999.0 * 10 }}", "a number went beyond"),
    Costly("macros that double", USE + "{{ m19() }}", CHARS,
           "{% macro m0(x='') %}xxxxxxxxxxxx{% endmacro %}" + DOUBLING),
    Costly("macros that double nothing", USE + "{{ m19() }}", STEPS,
           "{% macro m0(x='') %}{% endmacro %}" + DOUBLING),
    Costly("macros that double in secret", USE + "{% set x = m19() %}", STEPS,
           "{% macro m0() %}x{% endmacro %}" + SILENT),
    Costly("a long macro in a loop", USE + "{% for i in range(999) %}{% set x = m0() %}"
           "{% endfor %}", CHARS,
           "{% macro m0() %}" + "x" * 9000 + "{% endmacro %}{% macro m19() %}{% endmacro %}"),
]  # fmt: skip


@pytest.mark.parametrize("case", COSTLY, ids=lambda case: case.id)
def test_a_template_that_runs_away_is_stopped(tree: Tree, case: Costly) -> None:
    """A clear error with the place, before memory or time is gone."""
    if case.macro:
        tree.macro("m", case.macro)
    params = "a: {maxLength: 300}\nn: {type: integer}\nitems: {type: array, maxItems: 100}"
    recipe = tree.recipe(recipe_text("Do. " + case.edit, params=params))
    assert not [finding for finding in recipe.check() if finding.severity == "error"]
    given = {"photo": PHOTO, "a": "x" * 300, "n": 10**15, "items": ["x"] * 100}
    tracemalloc.start()
    try:
        with pytest.raises(RenderError) as caught:
            recipe.render(**given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (finding,) = caught.value.diagnostics
    assert case.message in finding.message
    assert finding.code == "NR019"
    assert finding.line is not None
    assert peak < 12_000_000


def test_what_is_written_counts_once_for_each_way_it_takes(tree: Tree) -> None:
    """A prompt of the longest length is far from any bound."""
    edit = "{{ a | trim | capitalize }}{% for i in range(9) %}{{ a ~ '.' }}{% endfor %}"
    text = recipe_text(edit, params="a: {maxLength: 300}")
    assert len(tree.render(text, a="x" * 300).prompt) > 3000


def test_a_stopped_rendering_leaves_nothing_behind(tree: Tree) -> None:
    """The next one has its whole budget again."""
    text = recipe_text("Do.{% for i in range(n) %}x{% endfor %}", params="n: {type: integer}")
    recipe = tree.recipe(text)
    for _ in range(3):
        with pytest.raises(RenderError):
            recipe.render(photo=PHOTO, n=99999)
        assert len(recipe.render(photo=PHOTO, n=3000).sections[0].text) == 3003


def test_a_costly_constant_does_not_cost_when_it_is_compiled(tree: Tree) -> None:
    """Jinja2 computes constants beforehand; that is bounded too."""
    for edit in ("{{ 'x' | replace('x', 'y' ~ 'z') }}", "{{ [1, [2, 3]] | join }}", "{{ 2 ** 9 }}"):
        tree.render(recipe_text(edit))
    tracemalloc.start()
    try:
        with pytest.raises((RenderError, RecipeError)):
            tree.render(
                recipe_text("{{ 'aaaaaaaa' " + "| replace('a', 'a' ~ 'aaaaaaaaa') " * 9 + "}}")
            )
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()
