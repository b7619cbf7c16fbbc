"""YAML text in: version 1.2 values, repeated keys, bounds, and where a mistake stands."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from typing import Any

import pytest
from recipe_trees import Tree, pointed_at, recipe_text

from nanorecipes import RecipeError, codes


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("16:9", "16:9"),
        ("1:1", "1:1"),
        ("1:30:45", "1:30:45"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("N", "N"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("-12", -12),
        ("+7", 7),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        ("1.2.3", "1.2.3"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("Null", None),
        ("nil", "nil"),
        ('"12"', "12"),
        ("'true'", "true"),
        ("=", "="),
        ("<<", "<<"),
        ("!!str 12", "12"),
        ('!!int "12"', 12),
        ("!!str true", "true"),
        ("1234567890123456789012345", 1234567890123456789012345),
    ],
)
def test_plain_scalars_follow_yaml_1_2(tree: Tree, written: str, value: object) -> None:
    """A ratio or a `no` that turned into a number or false would change what is sent."""
    data: Any = tree.recipe(recipe_text(more=f"meta: {{a: {written}}}")).definition.data
    assert data["meta"]["a"] == value
    assert type(data["meta"]["a"]) is type(value)


def test_not_a_number_and_infinity_are_numbers(tree: Tree) -> None:
    """The core schema has them; they are refused where the format asks for a finite number."""
    data: Any = tree.recipe(recipe_text(more="meta: {a: .inf, b: -.INF, c: .nan}")).definition.data
    assert data["meta"]["a"] == float("inf")
    assert data["meta"]["b"] == float("-inf")
    assert data["meta"]["c"] != data["meta"]["c"]
    finding = tree.problem(recipe_text(params="n: {type: number, minimum: .inf, default: 1}"))
    assert finding.message == "minimum must be a finite number, found inf"


def test_a_ratio_needs_no_quotes(tree: Tree) -> None:
    """YAML 1.1 would send 969."""
    request = tree.render(recipe_text(more="settings: {aspect_ratio: 16:9}"))
    assert request.payload()["aspect_ratio"] == "16:9"


def test_repeated_keys_report_both_lines_each(tree: Tree) -> None:
    """The second of two silently wins in most readers; an author must see every such pair."""
    text = recipe_text(more="tags: [a]\ntags: [b]\nmeta:\n  x: 1\n  y: 2\n  x: 3\n  x: 4\n")
    found = tree.problems(text)
    lines = text.split("\n")
    tags, x = lines.index("tags: [a]") + 1, lines.index("  x: 1") + 1
    assert [(item.line, item.column, item.message) for item in found] == [
        (tags + 1, 1, f"the key 'tags' already stands on line {tags}"),
        (x + 2, 3, f"the key 'x' already stands on line {x}"),
        (x + 3, 3, f"the key 'x' already stands on line {x}"),
    ]
    assert {item.code for item in found} == {codes.REPEATED_KEY.code}
    assert pointed_at(found[0]) == "tags"


def test_keys_are_repeated_only_within_one_mapping(tree: Tree) -> None:
    """Every parameter has a description."""
    tree.recipe(
        recipe_text(
            "{{ a }}{{ b }}",
            params="a: {description: A, default: x}\nb: {description: B, default: x}",
        )
    )


def test_aliases_stand_for_their_anchor(tree: Tree) -> None:
    """They are YAML; only what they blow up to is bounded."""
    text = recipe_text(more="meta: {a: &a [1, 2], b: *a}")
    assert tree.recipe(text).definition.data["meta"]["b"] == [1, 2]


def test_a_byte_order_mark_and_windows_lines_are_fine(tree: Tree) -> None:
    """Windows editors write both."""
    text = "\ufeff" + recipe_text().replace("\n", "\r\n")
    assert tree.render(text).sections[0].text == "Paint the wall in the image red."


@dataclass(frozen=True)
class Bad:
    """A text that is refused, and the place of the finding."""

    id: str
    text: str | bytes
    code: codes.Code
    line: int | None
    column: int | None
    message: str


_DEPTH = "values are nested more than 24 deep"
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
)

BOUNDS = [
    Bad("billion laughs", _BOMB, codes.TOO_LARGE, 1, None, "the file holds more than 20000 values"),
    Bad("a cycle of aliases", "a: &a [*a]\n", codes.TOO_LARGE, 1, 4, _DEPTH),
    Bad("a cycle of mappings", "a: &a\n  b: *a\n", codes.TOO_LARGE, 1, 4, _DEPTH),
    Bad("dashes", "- " * 60_000 + "x\n", codes.TOO_LARGE, 1, 1, "lists are nested more than 24"),
    Bad("question marks", "? " * 60_000, codes.TOO_LARGE, 1, 1, "lists are nested more than 24"),
    Bad("brackets", "a: " + "[" * 50_000, codes.TOO_LARGE, 1, 28, _DEPTH),
    Bad("braces", "{a: " * 50_000, codes.TOO_LARGE, 1, 101, _DEPTH),
    Bad("brackets closed in comments", "a: " + "[ #]\n " * 35_000, codes.TOO_LARGE, 25, 2, _DEPTH),
    Bad("brackets closed in quotes", "a: " + '["]", ' * 35_000, codes.TOO_LARGE, 1, 148, _DEPTH),
    Bad(
        "indented lists", "".join(" " * i + "-\n" for i in range(700)), codes.TOO_LARGE, 26, 26,
        _DEPTH,
    ),
    Bad(
        "indented mappings", "".join(" " * i + "a:\n" for i in range(700)), codes.TOO_LARGE, 26, 26,
        _DEPTH,
    ),
    Bad("too many bytes", "a: " + "x" * 300_000, codes.TOO_LARGE, None, None, "larger than 262144"),
    Bad("many values", "[" + "1," * 30_000 + "]", codes.TOO_LARGE, 1, None, "more than 20000"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BOUNDS, ids=lambda bad: bad.id)
def test_a_file_that_would_exhaust_the_reader_is_refused(tree: Tree, bad: Bad) -> None:
    """A library is shared: one bad file must not take a machine's memory or time."""
    tracemalloc.start()
    try:
        finding = tree.problem(bad.text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (finding.code, finding.line) == (bad.code.code, bad.line)
    assert bad.column is None or finding.column == bad.column
    assert bad.message in finding.message
    assert peak < 40_000_000


SYNTAX = [
    Bad("nothing", "", codes.SYNTAX, 1, 1, "the file is empty, expected a recipe"),
    Bad("only a comment", "# later\n", codes.SYNTAX, 1, 1, "the file is empty"),
    Bad("a text", "hello\n", codes.WRONG_VALUE, 1, 1, "a recipe is a mapping of keys, found 'hel"),
    Bad("a list", "- a\n", codes.WRONG_VALUE, 1, 1, "a recipe is a mapping of keys, found a list"),
    Bad("a tab", "format: 1\n\ttitle: x\n", codes.SYNTAX, 2, 1, "found a tab character"),
    Bad("a colon", "format: 1\ntitle: a: b\n", codes.SYNTAX, 2, 9, "mapping values are not allo"),
    Bad("an open quote", 'format: "1\n', codes.SYNTAX, 2, 1, "found unexpected end of stream"),
    Bad("an unknown alias", "a: *b\n", codes.SYNTAX, 1, 4, "undefined alias"),
    Bad("a bad start", "a: @b\n", codes.SYNTAX, 1, 4, "found character that cannot start"),
    Bad("two documents", "a: 1\n---\nb: 2\n", codes.SYNTAX, 2, 1, "expected a single document"),
    Bad("bad indentation", "a:\n  b: 1\n c: 2\n", codes.SYNTAX, 3, 2, "did not find expected key"),
    Bad("many brackets and a slip", "a: [" + "[]," * 300 + "b: ]c\n", codes.SYNTAX, 1, 909,
        "did not find expected key"),
    Bad("a control character", "a: b\x01c\n", codes.SYNTAX, 1, 5, "U+0001 is not allowed in YAML"),
    Bad("a line separator", "a: 1\nb: x\u2028y\n", codes.SYNTAX, 2, 5, "U+2028 may not stand he"),
    Bad("a next line", "a: x\x85y\n", codes.SYNTAX, 1, 5, "U+0085 may not stand here"),
    Bad(
        "Latin-1", "a: 1\nb: caf\xe9\n".encode("latin-1"), codes.SYNTAX, 2, 7, "not UTF-8: byte 0x"
    ),
]  # fmt: skip


@pytest.mark.parametrize("bad", SYNTAX, ids=lambda bad: bad.id)
def test_what_is_no_yaml_says_where(tree: Tree, bad: Bad) -> None:
    """A place is what an editor jumps to."""
    finding = tree.problem(bad.text)
    assert (finding.code, finding.line, finding.column) == (bad.code.code, bad.line, bad.column)
    assert bad.message in finding.message


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("a: 1\n\tb: 1\n", "indent with spaces"),
        ("a: b: c\n", "quote a value that holds ': '"),
        ("a: `b`\n", "quote a value that begins with @, ` or %"),
        ("a: *b\n", "quote a value that begins with *"),
        ("a: 1\n---\nb: 1\n", "remove the line ---"),
        ("a: {{ b }} c\n", "quote a value that begins with {, or write it as a block"),
    ],
)
def test_common_slips_of_yaml_come_with_the_way_out(tree: Tree, text: str, advice: str) -> None:
    """The parser's own words name its state, not the author's slip."""
    assert advice in (tree.problem(text).help or "")


def test_keys_are_plain_texts(tree: Tree) -> None:
    """A key that is a list or a mapping has no name to speak of."""
    finding = tree.problem(recipe_text(more="meta:\n  ? [a, b]\n  : 1"))
    assert finding.message == "a key must be a plain text"
    assert pointed_at(finding) == "[a, b]"


def test_an_unknown_tag_is_named(tree: Tree) -> None:
    """Tags make objects elsewhere; here only one means anything."""
    first, second = tree.problems(
        recipe_text(more="meta: {a: !overide 1, b: !!python/name:os.x 2}")
    )
    assert first.message == "the tag '!overide' has no meaning in a recipe"
    assert first.help == "did you mean '!override'?"
    assert second.help == "`!override` is the only tag"


def test_thousands_of_repeated_keys_are_counted_not_listed(tree: Tree) -> None:
    """Both the time and the message stay small."""
    keys = [f"k{number}" for number in range(6000)]
    lines = "\n".join(f"  {key}: 1" for key in [*keys, *reversed(keys)])
    found = tree.problems(recipe_text(more=f"meta:\n{lines}"))
    assert len(found) == 101
    assert found[-1].message == "and 5900 more problems of this kind"


def test_thousands_of_unknown_keys_are_counted_not_listed(tree: Tree) -> None:
    """The same for keys that the format does not have."""
    found = tree.problems(recipe_text(more="\n".join(f"k{n}: 1" for n in range(6000))))
    assert len(found) == 101
    assert found[-1].message == "and 5900 more problems of this kind"


def test_a_file_that_cannot_be_read_says_so(tree: Tree) -> None:
    """A folder by the name of a recipe is no recipe."""
    path = tree.root / "group" / "name.yaml"
    path.mkdir(parents=True)
    with pytest.raises(RecipeError, match="can't be read") as caught:
        tree.library.open(path)
    assert caught.value.diagnostics[0].code == codes.UNREADABLE.code
    assert caught.value.path == path


def test_the_message_shows_the_line_and_a_caret(tree: Tree) -> None:
    """The author sees the fault without opening the file."""
    path = tree.add("group/name", recipe_text(more="setings: {model: pro}"))
    with pytest.raises(RecipeError) as caught:
        tree.library["group/name"]
    assert str(caught.value) == (
        f"{path}:13:1: error NR004 unknown-key: unknown key 'setings'\n"
        "  13 | setings: {model: pro}\n"
        "     | ^^^^^^^\n"
        "  help: did you mean 'settings'?"
    )
    assert caught.value.facts() == {"path": str(path)}


def test_a_long_line_is_shown_around_the_fault(tree: Tree) -> None:
    """A caret far to the right of the terminal points at nothing."""
    finding = tree.problem(recipe_text(more=f"meta: {{a: {'x' * 400}, b: !y 1}}"))
    assert finding.column is not None
    assert finding.column > 400
    from nanorecipes.diagnostics import render

    shown = render(finding).split("\n")
    assert len(shown[1]) < 140
    caret = shown[2].index("^")
    assert shown[1][caret : caret + 4] == "!y 1"
