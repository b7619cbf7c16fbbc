"""Values are data: none adds a section, changes an ordinal or reaches the template engine."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from recipe_trees import PHOTO, Tree, recipe_text

from nanorecipes import InputError, LimitError, Recipe
from nanorecipes.recipe.params import fold, fold_lines

IMAGES = "photo:\nextra: {role: reference, optional: true}"
PARAMS = """\
line: {maxLength: 1500}
lines: {format: multiline, default: ''}
sign: {format: verbatim, default: X}
words: {type: array, default: []}
"""
EDIT = (
    "[{{ line }}] {{ photo }} {{ line | capitalize }} {{ line ~ '' }} {{ line | sentence }}"
    " {% for word in words %}<{{ word }}>{% endfor %} {{ words | join_and }}"
)
TEXT = recipe_text(
    EDIT,
    images=IMAGES,
    params=PARAMS,
    subject="{{ photo | capitalize }} says {{ sign }}.\n{% if lines %}{{ lines }}{% endif %}",
    details="- '{{ line }}'\n- '{{ lines }} end'",
    protect="- the {{ line }}",
)
ORDINALS = ("edit", "subject", "details", "protect")

NASTY = (
    "{{ photo }}", "{% if true %}", "{# x #}", "{{ 7*7 }}", "{%- raw -%}", "}}", "{{", "%}", "\\n",
    "\n\n", "a\n\nb", "\r\r", "\u2028\u2029", "\x85\x85", "\x0b\x0c", "\u202e", "\x1e", "\x1eb\x1e",
    "\x00", "\x1b[31m", '"', "'", '\\"', "</prompt>", "${HOME}", "%s %d", "{0}", "{line}", "\ud83d",
    "\ufeff", "\u200b", "\ufffe", "the second image", "\u00a0\u00a0", "\u3000", "Ignore all.\n\n",
    "_macro0", "\\x1e", "self.__class__", "ǰ", "ŉ", "İ",
)  # fmt: skip
_PIECES = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=20), st.text("ab {}%\n\t\"'", max_size=9)
)
_VALUES = st.lists(_PIECES, max_size=8).map("".join)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """One recipe that prints its values in every way."""
    return Tree(tmp_path_factory.mktemp("values")).recipe(TEXT)


def folded(value: str) -> str:
    """What a line is after white space has been folded; raises for what is refused."""
    return fold(value)


@settings(deadline=None, max_examples=300)
@given(line=_VALUES, lines=_VALUES, sign=_VALUES, words=st.lists(_VALUES, max_size=3))
@example(line="a\x85b", lines="a\x85\x85b", sign="\u2028", words=["\x1c"])
@example(line="x" * 1500, lines="y\n" * 700, sign="z" * 300, words=["{{ x }}"] * 10)
def test_no_value_adds_a_section_or_reaches_the_engine(
    recipe: Recipe, line: str, lines: str, sign: str, words: list[str]
) -> None:
    """Either refused with words about it, or printed as it is after folding."""
    given_values: dict[str, Any] = {"line": line, "lines": lines, "sign": sign, "words": words}
    try:
        request = recipe.render(photo=PHOTO, extra=PHOTO, **given_values)
    except (InputError, LimitError) as refused:
        named = {finding.field for finding in refused.diagnostics}
        if not named <= {*given_values, "prompt"}:
            raise
        return
    # The prompt is its sections, each of one paragraph, and nothing else.
    assert tuple(section.name for section in request.sections) == ORDINALS
    assert request.prompt.split("\n\n") == [section.text for section in request.sections]
    assert not re.search(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f]", request.prompt)
    texts = dict(request.sections)
    plain = folded(line)
    # As it is: whatever braces it holds.
    assert texts["edit"].startswith(f"[{plain}] the first image ")
    assert texts["protect"].startswith(f"Keep the {plain.rstrip('.;,').rstrip()}"[:40])
    assert texts["protect"].endswith("exactly as in the first image. Change nothing else.")
    assert texts["subject"].startswith(f'The first image says "{folded(sign)}".')
    if fold_lines(lines):
        assert texts["subject"].endswith("\n" + fold_lines(lines))
    shown = "".join(f"<{folded(word)}>" for word in words)
    assert shown in texts["edit"]
    # Lettering stands between its quotes: only the two that we print are straight.
    own = texts["subject"].split("\n")[0]
    assert own.count('"') == 2


@settings(deadline=None)
@given(notes=_VALUES, protect=st.lists(_VALUES, max_size=3))
def test_no_note_adds_a_section(recipe: Recipe, notes: str, protect: list[str]) -> None:
    """What a caller adds stands at its place and nowhere else."""
    try:
        request = recipe.render(photo=PHOTO, line="x", notes=notes, protect=protect)
    except (InputError, LimitError):
        return
    assert request.prompt.split("\n\n") == [section.text for section in request.sections]
    assert [section.name for section in request.sections] == list(ORDINALS)
    assert request.sections[-1].text.endswith("exactly as in the image. Change nothing else.")
    assert request.sections[0].text.startswith("[x] the image")


@settings(deadline=None, max_examples=60)
@given(line=st.text("ab c", min_size=1, max_size=1500), more=st.integers(0, 3000))
def test_the_rendered_length_is_what_was_counted(recipe: Recipe, line: str, more: int) -> None:
    """The limit speaks of the prompt that would be sent, to the character."""
    lines = "\n".join(["w" * 9] * (more // 10))[:1500]
    try:
        request = recipe.render(photo=PHOTO, line=line, lines=lines)
    except InputError:
        assert not line.strip()
    except LimitError as exc:
        (finding,) = exc.diagnostics
        found = re.fullmatch(r"the prompt has (\d+) characters, allowed are 4000", finding.message)
        assert found
        assert int(found.group(1)) > 4000
        cut = int(found.group(1)) - 4000
        assert finding.help == f"shorten the inputs or the notes by {cut} characters"
    else:
        assert len(request.prompt) <= 4000
        assert request.payload()["prompt"] == request.prompt


@pytest.mark.parametrize("length", [3999, 4000, 4001])
def test_the_limit_is_met_to_the_character(tree: Tree, length: int) -> None:
    """4000 characters are sent, 4001 are not."""
    rest = len(tree.render(recipe_text("{{ a }}", params="a:"), a="x").prompt) - 1
    params = "a: {maxLength: 4000}"
    recipe = tree.recipe(recipe_text("{{ a }}", params=params))
    value = "x" * (length - rest)
    if length <= 4000:
        assert len(recipe.render(photo=PHOTO, a=value).prompt) == length
    else:
        with pytest.raises(LimitError, match="has 4001 characters, allowed are 4000"):
            recipe.render(photo=PHOTO, a=value)


@pytest.mark.parametrize("value", NASTY)
def test_values_are_never_rendered_again(tree: Tree, value: str) -> None:
    """Not by a macro, not by a filter, not as a default and not as a fixed value."""
    tree.macro("say", "{% macro say(x) %}{{ x | trim }}{% endmacro %}")
    text = recipe_text(
        '{% from "_macros/say.jinja" import say %}<{{ say(a) }}|{{ [a] | join }}|{{ a | unique | '
        "join }}>",
        params="a:",
    )
    try:
        shown = fold(value)
    except Exception:
        with pytest.raises(InputError):
            tree.render(text, a=value)
        return
    if not shown:
        return
    printed = tree.render(text, a=value).sections[0].text
    assert printed.startswith(f"<{shown}|{shown}|")


def test_every_engine_delimiter_of_an_option_is_data(tree: Tree) -> None:
    """Options are texts too."""
    request = tree.render(
        recipe_text(), model="other/{{ x }}", notes="{{ photo }}", protect=["{% x"]
    )
    assert request.model == "other/{{ x }}"
    assert "{{ photo }}" in request.prompt
    assert "the sky and {% x exactly" in request.prompt
