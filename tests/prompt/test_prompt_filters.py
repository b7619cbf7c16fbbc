"""The filters and tests of templates: what each makes of texts, numbers and lists."""

from __future__ import annotations

from typing import Any

import pytest
from recipe_trees import Tree, pointed_at, recipe_text

from nanorecipes import RenderError

PARAMS = """\
text: {default: navy BLUE suit}
sign: {format: verbatim, default: sale}
half: {type: number, default: 0.5}
count: {type: integer, default: 3}
flag: {type: boolean, default: true}
items: {type: array, default: [red, blue, Red]}
absent: {default: null}
"""


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("text | capitalize", "Navy blue suit"),
        ("photo | capitalize", "The image"),
        ("absent | default('x')", "x"),
        ("'' | default('x')", ""),
        ("'' | default('x', true)", "x"),
        ("text | default('x')", "navy BLUE suit"),
        ("extra | default('no other')", "no other"),
        ("items | first", "red"),
        ("text | first", "n"),
        ("[] | first", ""),
        ("items | last", "Red"),
        ("'' | last", ""),
        ("'12.7' | int", "12"),
        ("'x' | int", "0"),
        ("'x' | int(5)", "5"),
        ("half | int + 1", "1"),
        ("items | join(', ')", "red, blue, Red"),
        ("items | join", "redblueRed"),
        ("[1, 0.50, true] | join('/')", "1/0.5/true"),
        ("items | join_and", "red, blue and Red"),
        ("items | join_and('or')", "red, blue or Red"),
        ("['a'] | join_and", "a"),
        ("[] | join_and", ""),
        ("items | length", "3"),
        ("text | length", "14"),
        ("count | length", "1"),
        ("text | lower", "navy blue suit"),
        ("text | upper", "NAVY BLUE SUIT"),
        ("text | title", "Navy Blue Suit"),
        ("text | replace('BLUE', 'red')", "navy red suit"),
        ("'aaa' | replace('a', 'b', 2)", "bba"),
        ("count | replace('3', 'three')", "three"),
        ("2.5 | round", "2"),
        ("3.14159 | round(2)", "3.14"),
        ("3.14159 | round(2, 'ceil')", "3.15"),
        ("3.14159 | round(0, 'floor')", "3"),
        ("text | sentence", "Navy BLUE suit."),
        ("'Done!' | sentence", "Done!"),
        ("'He said \"go.\"' | sentence", 'He said "go."'),
        ("'' | sentence", ""),
        ("' x ' | trim", "x"),
        ("'--x--' | trim('-')", "x"),
        ("items | unique | join_and", "red and blue"),
        ("text | quote", '"navy BLUE suit"'),
        ("sign | quote", '"sale"'),
        ("sign", '"sale"'),
        ("sign | upper", '"SALE"'),
        ("sign ~ '!'", '"sale"!'),
        ("half", "0.5"),
        ("0.1 + 0.2", "0.3"),
        ("count + 1", "4"),
        ("7 // 2", "3"),
        ("7 % 4", "3"),
        ("7 / 2", "3.5"),
        ("2 ** 3", "8"),
        ("count - 0.0", "3"),
        ("1e-9", "0"),
        ("flag", "true"),
        ("not flag", "false"),
        ("absent", ""),
        ("items", "red, blue and Red"),
        ("range(3) | join(',')", "0,1,2"),
        ("range(2, 8, 3) | join(',')", "2,5"),
        ("range(3)", "0, 1 and 2"),
        ("items[0]", "red"),
        ("items[-1]", "Red"),
        ("'yes' if count is odd else 'no'", "yes"),
        ("'yes' if count is divisibleby(3) else 'no'", "yes"),
        ("'yes' if text is string and count is number else 'no'", "yes"),
        ("'yes' if 'red' in items else 'no'", "yes"),
        ("'yes' if text is defined else 'no'", "yes"),
        ("'yes' if items is sequence and half is float else 'no'", "yes"),
        ("'yes' if count >= 3 and count < 4 else 'no'", "yes"),
        ("text | upper | replace('NAVY', 'x') | sentence", "X BLUE SUIT."),
    ],
)
def test_what_an_expression_prints(tree: Tree, expression: str, printed: str) -> None:
    """Numbers without trailing zeros, lists with `and`, lettering in quotes."""
    images = "photo:\nextra: {role: reference, optional: true}"
    text = recipe_text(f"<{{{{ {expression} }}}}>", images=images, params=PARAMS)
    assert tree.render(text).sections[0].text == f"<{printed}>"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'a \"b\"' | quote", "quote: the text holds a double quote already"),
        ("1 | round(0, 'up')", "round: the method is common, ceil or floor"),
        ("text | round", "could not convert string to float"),
        ("1 / 0", "`/` by zero"),
        ("1 % 0", "`%` by zero"),
        ("text - 1", "`-` works on numbers, found str"),
        ("items + 1", "`+` works on numbers, found list"),
        ("flag + 1", "`+` works on numbers, found bool"),
        ("text * count", "`*` works on numbers, found str"),
        ("items[9]", "has no element 9"),
        ("10 ** 20", "a number went beyond 1000000000000000"),
        ("(-8) ** 0.5", "a number went beyond"),
        ("0 ** -1", "0.0 cannot be raised to a negative power"),
        ("'1e300' | int", "a number went beyond"),
        ("count < text", "not supported between"),
        ("text | replace('a')", ""),
        ("text | first(1)", ""),
        ("range(1, 2, 0)", "must not be zero"),
        ("range('x')", "cannot be interpreted"),
    ],
)
def test_what_cannot_be_computed_ends_in_a_clear_error(
    tree: Tree, expression: str, message: str
) -> None:
    """With the place in the file; never a traceback."""
    text = recipe_text(f"Do {{{{ {expression} }}}}.", params=PARAMS)
    with pytest.raises(Exception, match=r"group/name\.yaml") as caught:
        tree.render(text)
    (finding,) = caught.value.diagnostics  # type: ignore[attr-defined]  # the match has shown it
    assert message in finding.message
    assert finding.line == text.split("\n").index(f"    Do {{{{ {expression} }}}}.") + 1
    assert pointed_at(finding)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1_0", "x"])
def test_a_text_that_is_no_number_becomes_the_default(tree: Tree, value: str) -> None:
    """Whatever a caller says."""
    text = recipe_text("{{ a | int(7) }}", params="a:")
    printed = tree.render(text, a=value).sections[0].text
    assert printed in ("7", "10")


@pytest.mark.parametrize(
    ("edit", "given", "printed"),
    [
        ("{% for x in items if x != 'blue' %}{{ loop.index }}{{ x }}{% endfor %}", {}, "1red2Red"),
        ("{% for x in [] %}a{% else %}none{% endfor %}", {}, "none"),
        ("{% for a, b in [('x', 1), ('y', 2)] %}{{ a }}{{ b }}{% endfor %}", {}, "x1y2"),
        ("{% set x = text | upper %}{{ x }}", {}, "NAVY BLUE SUIT"),
        ("{% set a, b = 'x', 'y' %}{{ a }}{{ b }}", {}, "xy"),
        ("{% if text == 'a' %}A{% elif count == 3 %}B{% else %}C{% endif %}", {}, "B"),
        ("{% if text == 'a' %}A{% elif count == 3 %}B{% else %}C{% endif %}", {"count": 9}, "C"),
        ("{% if flag %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}", {}, "1"),
        ("a {#- a comment -#} b", {}, "ab"),
        ("{%- for x in items -%} {{ x }} {%- endfor -%}", {}, "redblueRed"),
        ("{% for i in range(3) %}{% for j in range(i) %}{{ j }}{% endfor %};{% endfor %}", {},
         ";0;01;"),
        ("{% for x in items %}{{ loop.length }}{{ loop.revindex }}{{ loop.last }} {% endfor %}", {},
         "33false 32false 31true"),
        ("{% for x in items %}{{ loop.previtem | default('-') }}{% endfor %}", {}, "-redblue"),
        ("{{ '{{' }} {% raw %}{{ x }}{% endraw %}", {}, "{{ {{ x }}"),
    ],
)  # fmt: skip
def test_statements(tree: Tree, edit: str, given: dict[str, Any], printed: str) -> None:
    """`if`, `for` and `set`, as Jinja2 has them."""
    assert tree.render(recipe_text(edit, params=PARAMS), **given).sections[0].text == printed


def test_what_one_text_sets_is_not_known_in_the_next(tree: Tree) -> None:
    """Each section stands for itself."""
    text = recipe_text("{% set x = 1 %}{{ x }}", subject="{% set x = 2 %}{{ x }}")
    request = tree.render(text)
    assert [section.text for section in request.sections[:2]] == ["1", "2"]
    finding = tree.problem(recipe_text("{% set x = 1 %}{{ x }}", subject="{{ x }}"))
    assert finding.message == "'x' is not defined"


def test_render_errors_carry_their_place(tree: Tree) -> None:
    """Of the line that failed, in a later section too."""
    text = recipe_text("Do.", params="a:", details="- One.\n- |\n  Two\n  {{ a | round }}.")
    with pytest.raises(RenderError) as caught:
        tree.render(text, a="x")
    (finding,) = caught.value.diagnostics
    assert finding.excerpt == "      {{ a | round }}."
    assert finding.code == "NR019"
