"""Macros: imported from the library's files, checked where they are written and where called."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from recipe_trees import PHOTO, Tree, pointed_at, recipe_text

from nanorecipes import RecipeError


def imports(names: str, file: str = "m") -> str:
    """The import statement for names of a macro file."""
    return f'{{% from "_macros/{file}.jinja" import {names} %}}'


def test_a_macro_takes_values_images_and_defaults(tree: Tree) -> None:
    """Like a function; what it returns has no white space at its ends."""
    tree.macro(
        "m",
        "{# A comment. #}\n"
        "{% macro light(thing, picture, kind='soft') %}\n"
        "  {{ kind | capitalize }} light on {{ thing }} as in {{ picture }}.\n"
        "{% endmacro %}\n",
    )
    text = recipe_text(
        imports("light") + "{{ light(a, photo) }}|{{ light('x', picture=photo, kind=a) }}",
        params="a:",
    )
    assert tree.render(text, a="hat").sections[0].text == (
        "Soft light on hat as in the image.|Hat light on x as in the image."
    )


def test_an_import_holds_for_every_text_of_the_file(tree: Tree) -> None:
    """An author imports once, wherever it stands."""
    tree.macro("m", "{% macro say(x) %}<{{ x }}>{% endmacro %}")
    text = recipe_text(
        "{{ say('a') }}",
        subject="{% if true %}" + imports("say as tell, say") + "{% endif %}{{ tell('b') }}",
        protect="- \"{{ say('c') }}\"",
    )
    request = tree.render(text)
    assert [section.text for section in request.sections[:2]] == ["<a>", "<b>"]
    assert "Keep <c> exactly" in request.prompt


def test_macros_call_macros_above_them_and_of_other_files(tree: Tree) -> None:
    """Also in loops, where Jinja2 passes more than the arguments."""
    tree.macro("inner", "{% macro one(x) %}[{{ x }}]{% endmacro %}")
    tree.macro(
        "m",
        imports("one", "inner") + "{% macro two(xs) %}{% for x in xs %}{{ one(x) }}{% endfor %}"
        "{% endmacro %}{% macro three(xs) %}{{ two(xs) }}{{ two(xs) }}{% endmacro %}",
    )
    text = recipe_text(
        imports("three, two")
        + "{% for i in range(2) %}{{ two([i, 'x']) }};{% endfor %}{{ three(a) }}",
        params="a: {type: array}",
    )
    assert tree.render(text, a=["p"]).sections[0].text == "[0][x];[1][x];[p][p]"


def test_two_files_may_have_macros_of_one_name(tree: Tree) -> None:
    """Each text gets the one that it imports."""
    tree.macro("a", "{% macro say() %}A{% endmacro %}")
    tree.macro("b", "{% macro say() %}B{% endmacro %}")
    text = recipe_text(
        imports("say", "a") + imports("say as other", "b") + "{{ say() }}{{ other() }}"
    )
    assert tree.render(text).sections[0].text == "AB"
    finding = tree.problem(
        recipe_text(
            imports("say", "a") + "{{ say() }}", subject=imports("say", "b") + "{{ say() }}"
        )
    )
    assert finding.message == "another macro of the name 'say' is imported already"
    assert finding.help == "import it under another name: say as other_say"


def test_macro_files_may_lie_in_folders(tree: Tree) -> None:
    """A library sorts its own."""
    tree.write("_macros/deep/er/m.jinja", "{% macro say() %}x{% endmacro %}")
    assert tree.render(recipe_text(imports("say", "deep/er/m") + "{{ say() }}")).prompt[0] == "x"


@dataclass(frozen=True)
class Fault:
    """A call of a macro, and what is wrong with it."""

    edit: str
    code: str
    message: str
    help: str | None = None


USE = imports("say")
FAULTS = [
    Fault(USE + "{{ say() }}", "NR014", "the macro 'say' needs 'a'", "it is say(a, b, c)"),
    Fault(USE + "{{ say(1, 2, 3, 4) }}", "NR014", "the macro 'say' takes 3, found 4"),
    Fault(USE + "{{ say(1, d=2) }}", "NR014", "the macro 'say' has no argument 'd'"),
    Fault(USE + "{{ say(1, a=2) }}", "NR014", "the macro 'say' gets 'a' twice"),
    Fault(USE + "{{ say(b=2) }}", "NR014", "the macro 'say' needs 'a'"),
    Fault(USE + "{% if false %}{{ say() }}{% endif %}", "NR014", "the macro 'say' needs 'a'"),
    Fault(USE + "{{ say }}", "NR013", "'say' is a macro and has to be called", "write say(...)"),
    Fault(USE + "{{ sya(1) }}", "NR013", "there is no macro 'sya'", "did you mean 'say'?"),
    Fault(imports("sya"), "NR013", "m.jinja has no macro 'sya'", "did you mean 'say'?"),
    Fault(imports("zzz"), "NR013", "m.jinja has no macro 'zzz'", "it has say"),
    Fault(imports("sya") + "{{ sya(1) }}{{ sya }}", "NR013", "m.jinja has no macro 'sya'"),
    Fault(imports("say", "n"), "NR013", "there is no macro file '_macros/n.jinja'"),
    Fault(imports("say", "mm") + "{{ say() }}", "NR013", "there is no macro file '_macros/mm.jin",
          "did you mean '_macros/m.jinja'?"),
    Fault("{% from 'm.jinja' import say %}", "NR013", "there is no macro file 'm.jinja'",
          "did you mean '_macros/m.jinja'?"),
    Fault("{% from '../_macros/m.jinja' import say %}", "NR013", "there is no macro file '../"),
    Fault("{% from '_macros/../m.jinja' import say %}", "NR013", "there is no macro file '_mac"),
    Fault("{% from '/etc/passwd' import say %}", "NR013", "there is no macro file '/etc/passwd'",
          'macro files lie in the library\'s folder "_macros"'),
    Fault("{% from photo import say %}", "NR013", "there is no macro file a computed name"),
    Fault("{% from '_macros/' ~ 'm.jinja' import say %}", "NR013", "there is no macro file a co"),
    Fault("{% from '_macros/' 'm.jinja' import say %}", "NR013", "there is no macro file a comp"),
    Fault("{% from '_macros/\\x6d.jinja' import say %}", "NR013", "there is no macro file a com"),
]  # fmt: skip


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.edit[-40:])
def test_a_wrong_use_of_a_macro_is_found(tree: Tree, case: Fault) -> None:
    """Before it runs, and once."""
    tree.macro("m", "{% macro say(a, b=1, c=2) %}{{ a }}{{ b }}{{ c }}{% endmacro %}")
    finding = tree.problem(recipe_text(f"Do. {case.edit}"))
    assert (finding.code, finding.severity) == (case.code, "error")
    assert finding.message.startswith(case.message)
    assert case.help is None or finding.help == case.help


@dataclass(frozen=True)
class Broken:
    """A macro file, and what is wrong in it: line, column and words."""

    text: str
    line: int
    column: int
    message: str


BROKEN = [
    Broken("{% macro say() %}\n{{ zzz }}\n{% endmacro %}", 2, 4, "'zzz' is not defined"),
    Broken("{% macro say() %}\n{{ photo }}\n{% endmacro %}", 2, 4, "'photo' is not defined"),
    Broken("{% macro say(a) %}{{ a | uper }}{% endmacro %}", 1, 26, "there is no filter 'uper'"),
    Broken("{% macro say(a=zzz) %}{{ a }}{% endmacro %}", 1, 16, "'zzz' is not defined"),
    Broken("{% macro say() %}{{ say() }}{% endmacro %}", 1, 10, "there is no macro 'say'"),
    Broken(
        "{% macro say() %}{{ below() }}{% endmacro %}\n{% macro below() %}{% endmacro %}",
        1, 21, "there is no macro 'below'",
    ),
    Broken("{% macro say() %}{{ varargs }}{% endmacro %}", 1, 21, "'varargs' is not defined"),
    Broken("{% macro say() %}{{ caller() }}{% endmacro %}", 1, 21, "there is no macro 'caller'"),
    Broken("{% macro say() %}x{% endmacro %}\ntext", 1, 1, "a macro file holds macros and imports"),
    Broken("{% set x = 1 %}{% macro say() %}{% endmacro %}", 1, 1, "a macro file holds macros"),
    Broken(
        "{% macro say() %}{% endmacro %}\n{% macro say() %}{% endmacro %}", 2, 10,
        "there is a macro 'say' already",
    ),
    Broken("{% macro say() %}", 1, 1, "Unexpected end of template"),
    Broken("{% macro say() %}{{ '\\x1e' }}{% endmacro %}", 1, 1, "a control character"),
    Broken("{% macro say() %}{{ '" + "x" * 70_000, 1, 1, "the file is larger than 65536 bytes"),
    Broken("{% from '_macros/m.jinja' import say %}", 1, 10, "'_macros/m.jinja' imports itself"),
    Broken("{% from '_macros/none.jinja' import x %}", 1, 10, "there is no macro file"),
]  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case.message} {case.text[:30]}")
def test_a_fault_in_a_macro_file_points_there(tree: Tree, case: Broken) -> None:
    """The recipe that imports it can't be used, and says why once."""
    path = tree.macro("m", case.text)
    found = tree.problems(recipe_text(imports("say") + "{{ say() }}", subject=imports("say") + "x"))
    first = found[0]
    assert first.file == path
    assert (first.line, first.column) == (case.line, case.column)
    assert first.message.startswith(case.message)
    assert len(found) == 1


def test_files_that_import_each_other_in_a_circle_are_refused(tree: Tree) -> None:
    """No macro can call itself, by whatever way."""
    tree.macro("m", imports("b", "b") + "{% macro say() %}{{ b() }}{% endmacro %}")
    tree.macro("b", imports("c", "c") + "{% macro b() %}{{ c() }}{% endmacro %}")
    tree.macro("c", imports("say") + "{% macro c() %}{{ say() }}{% endmacro %}")
    finding = tree.problem(recipe_text(imports("say") + "{{ say() }}"))
    assert finding.message == "'_macros/m.jinja' imports itself by way of c.jinja"


def test_a_long_row_of_files_is_refused(tree: Tree) -> None:
    """Each would be read and compiled for one call."""
    for number in range(12):
        tree.macro(f"m{number}", imports("x", f"m{number + 1}") + "{% macro x() %}x{% endmacro %}")
    found = tree.problems(recipe_text(imports("x", "m0") + "{{ x() }}"))
    assert found[0].message == "more than 8 macro files import each other in a row"


def test_a_long_row_of_calls_is_refused(tree: Tree) -> None:
    """Python would end it with a recursion error in the middle of a sentence."""
    rows = ["{% macro m0() %}x{% endmacro %}"]
    rows += [f"{{% macro m{n + 1}() %}}{{{{ m{n}() }}}}{{% endmacro %}}" for n in range(300)]
    tree.macro("m", "\n".join(rows))
    finding = tree.problem(recipe_text(imports("m300") + "{{ m300() }}"))
    assert finding.message == "more than 20 macros call each other in a row"
    assert pointed_at(finding) == "m20"
    tree.macro("m", "\n".join(rows[:20]))
    assert tree.render(recipe_text(imports("m19") + "{{ m19() }}")).prompt[0] == "x"


def test_a_macro_file_that_cannot_be_read_is_an_error(tree: Tree) -> None:
    """A folder by its name is no macro file."""
    (tree.root / "_macros" / "m.jinja").mkdir(parents=True)
    finding = tree.problem(recipe_text(imports("say")))
    assert finding.message == "there is no macro file '_macros/m.jinja'"


def test_white_space_of_a_macro_is_plain(tree: Tree) -> None:
    """A tab or a no-break space in a file reaches no prompt."""
    tree.macro("m", "{% macro say() %}a\tb\u00a0c\x0bd{% endmacro %}")
    assert tree.render(recipe_text(imports("say") + "{{ say() }}")).sections[0].text == "a b c d"


def test_a_macro_knows_nothing_of_the_recipe(tree: Tree) -> None:
    """What it prints depends on its arguments alone."""
    tree.macro("m", "{% macro say(x) %}{{ x }}{{ model }}{% endmacro %}")
    with pytest.raises(RecipeError, match="'model' is not defined"):
        tree.recipe(recipe_text(imports("say") + "{{ say(1) }}")).render(photo=PHOTO)
