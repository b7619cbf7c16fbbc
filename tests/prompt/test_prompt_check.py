"""The static check: what a template would only reveal in a branch that seldom runs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from recipe_trees import PHOTO, Tree, pointed_at, recipe_text

from nanorecipes import RecipeError, RenderError

IMAGES = "photo:\nextra: {role: reference, optional: true}\nmore: {optional: true, max: 3}"
PARAMS = "text: {default: x}\nitems: {type: array, default: []}"


def whole(edit: str) -> str:
    """A recipe with this edit, in which everything else is used."""
    return recipe_text(
        edit,
        images=IMAGES,
        params=PARAMS,
        details="- '{{ text }}{{ items }}{% if extra %}{{ extra }}{% endif %}'\n"
        "- '{% if more %}{{ more }}{% endif %}'",
    )


@dataclass(frozen=True)
class Fault:
    """A template, what is wrong with it, and what the caret points at."""

    edit: str
    code: str
    message: str
    at: str
    help: str | None = None


FAULTS = [
    Fault("{{ txet }}", "NR011", "'txet' is not defined", "txet", "did you mean 'text'?"),
    Fault("{% if false %}{{ unknown }}{% endif %}", "NR011", "'unknown' is not defined", "unknown"),
    Fault("{% if text %}a{% else %}{{ zzz }}{% endif %}", "NR011", "'zzz' is not defined", "zzz"),
    Fault("{% for x in [] %}{{ zzz }}{% endfor %}", "NR011", "'zzz' is not defined", "zzz"),
    Fault("{% for x in zzz %}{% endfor %}", "NR011", "'zzz' is not defined", "zzz"),
    Fault("{% for x in items %}{% endfor %}{{ x }}", "NR011", "'x' is not defined", "x"),
    Fault("{{ 'a' if zzz else 'b' }}", "NR011", "'zzz' is not defined", "zzz"),
    Fault("{{ text | default(zzz) }}", "NR011", "'zzz' is not defined", "zzz"),
    Fault("{{ text if text is eq(zzz) }}", "NR011", "'zzz' is not defined", "zzz"),
    Fault("{{ zzz.label }}", "NR011", "'zzz' is not defined", "zzz"),
    Fault("{% if text %}{% set y = 1 %}{% endif %}{{ y }}", "NR011", "'y' is not defined", "y"),
    Fault(
        "{% if text %}{% set y = 1 %}{% elif items %}{% else %}{% set y = 2 %}{% endif %}{{ y }}",
        "NR011", "'y' is not defined", "y",
    ),
    Fault("{{ loop.index }}", "NR011", "'loop' is not defined", "loop"),
    Fault("{{ caller }}", "NR011", "'caller' is not defined", "caller"),
    Fault("{{ self }}", "NR011", "'self' is not defined", "self"),
    Fault("{{ text | uper }}", "NR012", "there is no filter 'uper'", "uper", "did you mean"),
    Fault("{{ text | safe }}", "NR012", "there is no filter 'safe'", "safe"),
    Fault("{{ text | attr('x') }}", "NR012", "there is no filter 'attr'", "attr"),
    Fault("{{ text | map('x') }}", "NR012", "there is no filter 'map'", "map"),
    Fault("{{ text | _bounded(1) }}", "NR012", "there is no filter '_bounded'", "_bounded"),
    Fault("{{ text | upper(1) }}", "NR012", "the filter 'upper': too many positional", "upper"),
    Fault("{{ text | replace('a') }}", "NR012", "the filter 'replace': missing", "replace"),
    Fault("{{ text | join(x=1) }}", "NR012", "the filter 'join': got an unexpected key", "join"),
    Fault("{{ text is oddd }}", "NR012", "there is no test 'oddd'", "oddd", "did you mean 'odd'?"),
    Fault("{{ text is callable }}", "NR012", "there is no test 'callable'", "callable"),
    Fault("{{ say() }}", "NR013", "there is no macro 'say'", "say", "import it first"),
    Fault("{{ upper(text) }}", "NR013", "there is no macro 'upper'", "upper", "upper is a filter"),
    Fault("{{ text() }}", "NR013", "there is no macro 'text'", "text"),
    Fault("{{ range }}", "NR013", "'range' is a macro and has to be called", "range"),
    Fault("{{ range() }}", "NR014", "range() takes one to three numbers", "range"),
    Fault("{{ range(*items) }}", "NR017", "`*` in a call", "{{ range(*items) }}"),
    Fault("{{ text.upper() }}", "NR017", "only macros can be called", "{{ text.upper() }}"),
    Fault("{{ text.x }}", "NR017", "'text' is a parameter and has no .x", "x"),
    Fault("{{ photo.lable }}", "NR017", "nothing here has .lable", "lable", "did you mean 'label'"),
    Fault("{{ photo.__class__ }}", "NR017", "nothing here has .__class__", "__class__"),
    Fault("{{ photo['label'] }}", "NR017", "only whole numbers may stand in brackets", "{{ photo"),
    Fault("{{ items[0:1] }}", "NR017", "`slice` can't be used", "{{ items"),
    Fault("{{ items[true] }}", "NR017", "only whole numbers may stand in brackets", "{{ items"),
    Fault("{{ {'a': 1} }}", "NR017", "`dictionary` can't be used in a recipe", "{{ {'a'"),
    Fault("{{ 'a' * 3 }}", "NR017", "`*` works on numbers only", "{{ 'a'"),
    Fault("{{ 'a' * 10**9 }}", "NR017", "`*` works on numbers only", "{{ 'a'"),
    Fault("{{ '%s' % text }}", "NR017", "`%` works on numbers only", "{{ '%s'"),
    Fault("{{ 9999999999999999 }}", "NR017", "a number beyond 1000000000000000", "{{ 9999"),
    Fault("{{ 1e999 }}", "NR017", "a number beyond 1000000000000000", "{{ 1e999"),
    Fault("{{ 'a\\x1eb' }}", "NR017", "a control character", "{{ 'a"),
    Fault("{{ text | join('\\u2028') }}", "NR017", "a control character", "{{ text"),
    Fault("{% set text = 1 %}", "NR017", "`set` would hide the name 'text'", "text"),
    Fault("{% set photo = 1 %}", "NR017", "`set` would hide the name 'photo'", "photo"),
    Fault("{% set model = 1 %}", "NR017", "`set` would hide the name 'model'", "model"),
    Fault("{% set x.y = 1 %}", "NR017", "`namespace` can't be used", "{% set x.y"),
    Fault("{% for x in items recursive %}{% endfor %}", "NR017", "a recursive loop", "recursive"),
    Fault("{% macro m() %}{% endmacro %}", "NR017", "`macro` can't be used in a recipe", "macro"),
    Fault("{% block b %}{% endblock %}", "NR017", "`block` can't be used in a recipe", "block"),
    Fault("{% include 'x' %}", "NR017", "`include` can't be used in a recipe", "include"),
    Fault("{% extends 'x' %}", "NR017", "`extends` can't be used in a recipe", "extends"),
    Fault("{% import 'x' as y %}", "NR017", "`import` can't be used in a recipe", "import"),
    Fault("{% filter upper %}x{% endfilter %}", "NR017", "`filter` can't be used in a", "filter"),
    Fault("{% call text() %}x{% endcall %}", "NR017", "`call` can't be used in a recipe", "call"),
    Fault("{% with a = 1 %}{% endwith %}", "NR017", "`with` can't be used in a recipe", "with"),
    Fault("{% autoescape true %}x{% endautoescape %}", "NR017", "`autoescape` can't be", "autoesc"),
    Fault("{% set x %}a{% endset %}", "NR017", "`set block` can't be used in a recipe", "{% set x"),
    Fault("{% do x %}", "NR010", "Encountered unknown tag 'do'", "{% do x %}", "templates have if"),
    Fault("{{ text", "NR010", "unexpected end of template", "{{ text"),
    Fault("{% if text %}x", "NR010", "Unexpected end of template", "{% if", "close every {% if %}"),
    Fault("{{ text | }}", "NR010", "expected token 'name', got 'end of print", "{{ text | }}"),
    Fault("{{ %}", "NR010", "unexpected '%'", "{{ %}"),
    Fault("{% for x in %}{% endfor %}", "NR010", "Expected an expression, got", "{% for"),
    Fault("{{ " + "9" * 5000 + " }}", "NR010", "a number has too many digits", "{{ 99"),
    Fault("{{ " + "(" * 200 + "1" + ")" * 200 + " }}", "NR010", "expressions are nested", "{{ (("),
    Fault("{{ " + "[" * 60 + "1" + "]" * 60 + " }}", "NR010", "parts are nested more", "{{ [["),
    Fault("{{ " + "1 + " * 3000 + "1 }}", "NR010", "parts are nested more than 40 deep", "{{ 1"),
    Fault("{{ " + "not " * 90 + "1 }}", "NR010", "parts are nested more than 40 deep", "{{ not"),
    Fault("{{ text" + " | upper" * 90 + " }}", "NR010", "parts are nested more than 40", "{{ text"),
    Fault("{% if text %}" * 90 + "{% endif %}" * 90, "NR010", "parts are nested more", "{% if"),
    Fault("{% for x in [1] %}" * 9 + "{% endfor %}" * 9, "NR010", "more than 8 loops", "{% for"),
    Fault("{{ text }}" * 4001, "NR010", "more than 4000 parts", "{{ text }}"),
    Fault("x" * 64_001, "NR010", "a template of more than 64000 characters", "xxx"),
    Fault("{{ extra }}", "NR011", "the image 'extra' is optional, but the template pr", "extra",
          "guard it: {% if extra %}...{{ extra }}...{% endif %}"),
    Fault("{{ extra | capitalize }}", "NR011", "the image 'extra' is optional", "extra"),
    Fault("{{ 'in ' ~ extra }}", "NR011", "the image 'extra' is optional", "extra"),
    Fault("{{ extra.label }}", "NR011", "the image 'extra' is optional", "extra"),
    Fault("{{ more }}", "NR011", "the image 'more' is optional", "more"),
    Fault("{{ more[0] }}", "NR011", "the image 'more' is optional", "more"),
    Fault("{{ text | replace('x', extra) }}", "NR011", "the image 'extra' is optional", "extra"),
    Fault("{{ extra if text else 'x' }}", "NR011", "the image 'extra' is optional", "extra"),
    Fault("{{ 'x' if extra else extra }}", "NR011", "the image 'extra' is optional", "extra"),
    Fault("{% if not extra %}{{ extra }}{% endif %}", "NR011", "the image 'extra' is opt", "extra"),
    Fault("{% if extra %}{% else %}{{ extra }}{% endif %}", "NR011", "the image 'extra'", "extra"),
    Fault("{% if extra or text %}{{ extra }}{% endif %}", "NR011", "the image 'extra' is", "extra"),
    Fault("{% if extra is defined %}{{ extra }}{% endif %}", "NR011", "the image 'extra'", "extra"),
]  # fmt: skip


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.edit[:50])
def test_a_fault_is_found_without_running_the_branch(tree: Tree, case: Fault) -> None:
    """With the place in the file, and where a name is near, with the name."""
    text = whole(case.edit)
    finding = tree.problem(text)
    assert (finding.code, finding.severity) == (case.code, "error")
    assert finding.message.startswith(case.message)
    assert pointed_at(finding).startswith(case.at)
    assert (finding.help or "").startswith(case.help or "")
    assert finding.line == text.split("\n").index(f"    {case.edit}") + 1


GUARDED = [
    "{% if extra %}{{ extra }}{% endif %}",
    "{% if not extra %}none{% else %}{{ extra }}{% endif %}",
    "{% if text and extra %}{{ extra }}{% endif %}",
    "{% if not (text or extra) %}{% else %}x{% endif %}",
    "{% if not extra or text %}x{% else %}{{ extra }}{% endif %}",
    "{% if not extra %}x{% elif text %}{{ extra }}{% else %}{{ extra | upper }}{% endif %}",
    "{% if extra %}{% for x in items %}{{ extra }}{% endfor %}{% endif %}",
    "{% if more | length > 1 %}{{ more }}{% endif %}",
    "{{ extra if extra else 'none' }}",
    "{{ 'none' if not extra else extra }}",
    "{{ extra.label if extra }}",
    "{{ extra | default('none') }}",
    "{{ more | length }}{{ more | join(',') }}{{ more | join_and }}",
    "{% for one in more %}{{ one }}{% endfor %}",
    "{% for extra in items %}{{ extra }}{% endfor %}",
]


@pytest.mark.parametrize("edit", GUARDED)
def test_a_guarded_optional_image_is_fine(tree: Tree, edit: str) -> None:
    """However the guard is put; and it renders with the image and without."""
    recipe = tree.recipe(whole("Do. " + edit))
    assert recipe.check() == []
    for given in ({}, {"extra": PHOTO}, {"more": [PHOTO] * 2}, {"extra": PHOTO, "more": [PHOTO]}):
        recipe.render(photo=PHOTO, **given)


def test_an_image_that_slips_past_the_check_is_a_render_error(tree: Tree) -> None:
    """A check of texts can't follow every way that a value takes."""
    recipe = tree.recipe(whole("{% set x = extra %}Do {{ x }}."))
    assert recipe.check() == []
    with pytest.raises(RenderError) as caught:
        recipe.render(photo=PHOTO)
    (finding,) = caught.value.diagnostics
    assert finding.message == "the image 'extra' is not attached, but the template prints it"
    assert finding.help == "guard it: {% if extra %}...{% endif %}"


def test_unused_parameters_and_images_are_warnings(tree: Tree) -> None:
    """The recipe works, but says less than its author thinks."""
    text = recipe_text(
        "{% if unspoken %}Do.{% else %}Do it.{% endif %}",
        images="photo:\nunspoken: {optional: true}\nunseen: {role: reference, optional: true}",
        params="used: {default: x}\nunused: {default: x}",
        details="- '{{ used }}'",
    )
    recipe = tree.recipe(text)
    assert [(finding.code, finding.severity, finding.message) for finding in recipe.check()] == [
        ("NR016", "warning", "the prompt never speaks of the image 'unspoken'"),
        ("NR016", "warning", "the prompt never speaks of the image 'unseen'"),
        ("NR015", "warning", "no template uses the parameter 'unused'"),
    ]
    assert [pointed_at(finding) for finding in recipe.check()] == ["unspoken", "unseen", "unused"]
    assert recipe.check()[-1].help == "write {{ unused }} where it belongs, or remove it"
    recipe.render(photo=PHOTO)


def test_what_is_only_asked_for_in_a_condition_is_used(tree: Tree) -> None:
    """A parameter may decide without being printed."""
    recipe = tree.recipe(
        recipe_text("{% if a %}Do.{% else %}No.{% endif %}", params="a: {default: x}")
    )
    assert recipe.check() == []


def test_an_image_named_by_protect_is_spoken_of(tree: Tree) -> None:
    """The protecting paragraph names it."""
    text = recipe_text("Do.", images="photo:\nhat:", protect="photo: [a]\nhat: [b]")
    assert tree.recipe(text).check() == []
    assert tree.recipe(recipe_text("Do.")).check() == []


def test_all_faults_of_all_templates_come_at_once(tree: Tree) -> None:
    """In the order of the file."""
    text = recipe_text(
        "{{ a }}\n{{ b | nope }}",
        params="b: {default: x}",
        subject="{% if %}",
        details="- '{{ c }}'\n- '{{ d.e }}'",
        protect="- '{{ f() }}'",
    )
    found = tree.problems(text)
    assert [(finding.code, pointed_at(finding)) for finding in found] == [
        ("NR011", "a"), ("NR012", "nope"), ("NR010", "{% if %}"), ("NR011", "c"), ("NR011", "d"),
        ("NR017", "e"), ("NR013", "f"),
    ]  # fmt: skip
    lines = [finding.line or 0 for finding in found]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("prompt", "line", "column"),
    [
        ("prompt:\n  edit: |\n    Do\n    {{ zzz }}\n  protect: [a]", 11, 8),
        ("prompt:\n  edit: |-\n\n    Do\n\n      {{ zzz }}\n  protect: [a]", 13, 10),
        ("prompt:\n  edit: >\n    {{ zzz }}\n    b\n  protect: [a]", 10, 8),
        ('prompt:\n  edit: "{{ zzz }}"\n  protect: [a]', 9, 13),
        ("prompt:\n  edit: 'it''s {{ zzz }}'\n  protect: [a]", 9, 19),
        ("prompt:\n  edit: Do {{ zzz }}\n  protect: [a]", 9, 15),
        ("prompt: {edit: 'a {{ zzz }}', protect: [a]}", 8, 22),
        ("prompt:\n  edit: a\n  protect:\n    - a\n    - 'b {{ zzz }}'", 12, 13),
        ("prompt:\n  edit: a\n  protect:\n    photo:\n      - 'b {{ zzz }}'", 12, 15),
        ("prompt:\n  edit: a\n  details:\n    - |\n      {{ zzz }}\n  protect: [a]", 12, 10),
        ("prompt:\n  edit: &x |\n    {{ zzz }}\n  protect: [a]", 10, 8),
    ],
)
def test_a_finding_points_into_the_file(tree: Tree, prompt: str, line: int, column: int) -> None:
    """Whatever style of YAML the template is written in."""
    head = recipe_text().split("prompt:")[0]
    finding = tree.problem(head + prompt + "\n")
    assert (finding.line, finding.column) == (line, column)
    assert pointed_at(finding) == "zzz"


def test_a_recipe_with_errors_does_not_render_but_can_be_checked(tree: Tree) -> None:
    """A list shows it; whoever uses it hears why it can't be."""
    recipe = tree.recipe(whole("{{ zzz }}"))
    (finding,) = recipe.check()
    assert finding.message == "'zzz' is not defined"
    with pytest.raises(RecipeError, match="'zzz' is not defined"):
        recipe.render(photo=PHOTO)


def test_many_small_templates_are_bounded_together(tree: Tree) -> None:
    """Compiling takes time for each part, wherever it stands."""
    lines = "\n".join("- '" + "{{ text }}" * 90 + "'" for _ in range(59))
    finding = tree.problem(recipe_text(params="text: {default: x}", details=lines))
    assert finding.message == "the templates have more than 4000 parts together"


def test_a_control_character_in_a_template_is_refused(tree: Tree) -> None:
    """YAML can write any character as an escape; the prompt holds none that prints as nothing."""
    head = recipe_text().split("prompt:")[0]
    for escape in ("\\a", "\\x7f", "\\0"):
        finding = tree.problem(f'{head}prompt:\n  edit: "a{escape}b"\n  protect: [a]\n')
        assert (finding.code, finding.message) == ("NR017", "a control character")
    for escape in ("\\t", "\\N", "\\L", "\\P", "\\_", "\\v", "\\x1e"):
        request = tree.render(f'{head}prompt:\n  edit: "a{escape} b"\n  protect: [a]\n')
        assert request.sections[0].text == "a b"
