"""Parameters: every type, format and keyword, as the author declares and the caller passes them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from recipe_trees import PHOTO, Tree, pointed_at, recipe_text

from nanorecipes import InputError, codes


def echo(tree: Tree, spec: str, **arguments: Any) -> str:
    """What a template prints for the parameter `a`."""
    text = tree.render(recipe_text("<{{ a }}>", params=f"a: {spec}"), **arguments).sections[0].text
    assert text[0] == "<"
    assert text[-1] == ">"
    return text[1:-1]


def refusal(tree: Tree, spec: str, **arguments: Any) -> str:
    """What is said about the value given for the parameter `a`."""
    recipe = tree.recipe(recipe_text("{{ a }}", params=f"a: {spec}"))
    with pytest.raises(InputError) as caught:
        recipe.render(photo=PHOTO, **arguments)
    (finding,) = caught.value.diagnostics
    assert finding.field == "a"
    return finding.message


@dataclass(frozen=True)
class Taken:
    """A declaration, a value, and how it prints."""

    spec: str
    value: Any
    printed: str


TAKEN = [
    Taken("", "a text", "a text"),
    Taken("{type: string}", "a  text \n of\tlines ", "a text of lines"),
    Taken("{}", "one\u2028two\x85three\xa0four", "one two three four"),
    Taken("{type: integer}", 12, "12"),
    Taken("{type: integer}", "12", "12"),
    Taken("{type: integer}", 12.0, "12"),
    Taken("{type: integer, minimum: 1, maximum: 3}", 1, "1"),
    Taken("{type: integer, minimum: 1, maximum: 3}", 3, "3"),
    Taken("{type: integer, minimum: 0.5}", 1, "1"),
    Taken("{type: number}", 1.5, "1.5"),
    Taken("{type: number}", 1.50, "1.5"),
    Taken("{type: number}", 2.0, "2"),
    Taken("{type: number}", "0.10", "0.1"),
    Taken("{type: number}", 7, "7"),
    Taken("{type: number}", Decimal("0.30"), "0.3"),
    Taken("{type: number}", 1 / 3, "0.333333"),
    Taken("{type: number}", -0.0, "0"),
    Taken("{type: number}", 10**15, "1000000000000000"),
    Taken("{type: boolean}", True, "true"),
    Taken("{type: boolean}", "no", "false"),
    Taken("{type: array}", ["one", "two", "three"], "one, two and three"),
    Taken("{type: array}", ["one", " two "], "one and two"),
    Taken("{type: array}", ("one",), "one"),
    Taken("{type: array}", "one", "one"),
    Taken("{type: array, format: verbatim}", ["A", "B"], '"A" and "B"'),
    Taken("{type: array, enum: [x, y], wording: {x: an X, y: a Y}}", ["y", "x"], "a Y and an X"),
    Taken("{enum: [slim, wide]}", "slim", "slim"),
    Taken("{enum: [slim, wide]}", " wide ", "wide"),
    Taken("{enum: [1, 2]}", 2, "2"),
    Taken("{enum: [1, 2]}", "2", "2"),
    Taken("{enum: [0.5, 1]}", 0.5, "0.5"),
    Taken("{enum: [0.5, 1]}", 1.0, "1"),
    Taken("{enum: [true]}", True, "true"),
    Taken("{type: integer, enum: [1, 2], wording: {1: one, 2: two}}", 2, "two"),
    Taken("{enum: [0.5, 2], wording: {0.5: a half, 2: two}}", 0.5, "a half"),
    Taken("{enum: [1000000.1, 1000000.2]}", 1000000.2, "1000000.2"),
    Taken("{format: color}", "Navy", "navy"),
    Taken("{format: color}", " #A1B2C3 ", "#a1b2c3"),
    Taken("{format: verbatim}", "FRESH  BREAD", '"FRESH BREAD"'),
    Taken("{format: verbatim, enum: [OPEN, SHUT]}", "OPEN", '"OPEN"'),
    Taken("{format: verbatim}", "it's 5 o'clock", "\"it's 5 o'clock\""),
    Taken("{format: multiline}", "a\r\nb\n\n\n c\u2029d ", "a\nb\nc\nd"),
    Taken("{maxLength: 3}", " abc ", "abc"),
    Taken("{minLength: 0}", "", ""),
    Taken("{pattern: '^[A-Z]+$'}", "ABC", "ABC"),
    Taken("{pattern: '[0-9]'}", "a1b", "a1b"),
    Taken("{maxLength: 4}", "\U0001f600" * 4, "\U0001f600" * 4),
]


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: f"{case.spec} {case.value!r:.20}")
def test_a_value_prints_as_its_declaration_says(tree: Tree, case: Taken) -> None:
    """Numbers without trailing zeros, lists with `and`, lettering in quotes, words for enums."""
    assert echo(tree, case.spec, a=case.value) == case.printed


@dataclass(frozen=True)
class Refused:
    """A declaration, a value that it refuses, and the words about it."""

    spec: str
    value: Any
    message: str


REFUSED = [
    Refused("", 5, "a: expected a text, found 5"),
    Refused("", None, "a: expected a text, found nothing"),
    Refused("", ["x"], "a: expected a text, found a list"),
    Refused("", b"x" * 10_000_000, "a: expected a text, found a value of the type bytes"),
    Refused("", "", "a: expected at least 1 character, found 0"),
    Refused("", " \n\t ", "a: expected at least 1 character, found 0"),
    Refused("", "x" * 301, "a: expected at most 300 characters, found 301"),
    Refused("{format: multiline}", "x" * 1501, "a: expected at most 1500 characters, found 1501"),
    Refused("{maxLength: 3}", "abcd", "a: expected at most 3 characters, found 4"),
    Refused("{minLength: 3}", "ab", "a: expected at least 3 characters, found 2"),
    Refused("{pattern: '^[A-Z]+$'}", "abc", "a: expected a text of the form ^[A-Z]+$, found 'abc'"),
    Refused(
        "", "a\x00b", "a: expected text without control characters, found U+0000 at position 2"
    ),
    Refused("", "\x1e", "a: expected text without control characters, found U+001E at position 1"),
    Refused("", "x\u202ey", "a: expected text without control characters, found U+202E at posit"),
    Refused("", "x\u2066y", "a: expected text without control characters, found U+2066 at posit"),
    Refused("", "\ud800", "a: "),
    Refused(
        "{format: multiline}", "a\n\x07", "a: expected text without control characters, found U"
    ),
    Refused("{type: integer}", 1.5, "a: expected a whole number, found 1.5"),
    Refused("{type: integer}", "many", "a: expected a whole number, found 'many'"),
    Refused("{type: integer}", True, "a: expected a whole number, found true"),
    Refused("{type: integer, minimum: 1}", 0, "a: expected 1 or more, found 0"),
    Refused("{type: integer, maximum: 3}", 4, "a: expected 3 or less, found 4"),
    Refused("{type: integer}", 10**15 + 1, "a: expected 1e+15 or less, found 1000000000000001"),
    Refused("{type: integer}", 10**5000, "a: expected "),
    Refused("{type: number}", "x", "a: expected a number, found 'x'"),
    Refused("{type: number}", float("nan"), "a: expected a finite number, found nan"),
    Refused("{type: number}", float("inf"), "a: expected a finite number, found inf"),
    Refused("{type: number}", True, "a: expected a whole number, found true"),
    Refused("{type: number}", 1e16, "a: expected 1e+15 or less, found 1e+16"),
    Refused("{type: boolean}", "maybe", "a: expected true or false, found 'maybe'"),
    Refused("{type: boolean}", 2, "a: expected true or false, found 2"),
    Refused("{type: array}", 5, "a: expected a list, found 5"),
    Refused("{type: array}", ["x"] * 11, "a: expected at most 10 entries, found 11"),
    Refused("{type: array, minItems: 2}", ["x"], "a: expected at least 2 entries, found 1"),
    Refused("{type: array, maxItems: 1}", ["x", "y"], "a: expected at most 1 entry, found 2"),
    Refused("{type: array}", ["x", 5], "a: expected a text, found 5"),
    Refused("{type: array, maxLength: 2}", ["abc"], "a: expected at most 2 characters, found 3"),
    Refused(
        "{enum: [slim, wide]}", "slmi", "a: expected one of slim, wide, found 'slmi'; did you m"
    ),
    Refused("{enum: [1, 2]}", 3, "a: expected one of 1, 2, found 3"),
    Refused("{enum: [0.5]}", 0.5000001, "a: expected one of 0.5, found 0.5000001"),
    Refused("{enum: [1]}", 10**5000, "a: expected one of 1, found a number of more than 50 digits"),
    Refused("{enum: [1]}", float("nan"), "a: expected one of 1, found nan"),
    Refused("{enum: [x]}", [1], "a: expected one of x, found a list"),
    Refused(
        "{format: color}", "nvay", "a: expected a CSS colour name or #rrggbb, found 'nvay'; did"
    ),
    Refused(
        "{format: color}", "#12345", "a: expected a CSS colour name or #rrggbb, found '#12345'"
    ),
    Refused(
        "{format: verbatim}", 'a "b"', "a: expected lettering without double quotes, found 'a "
    ),
    Refused("{format: verbatim}", "a \u201cb", "a: expected lettering without double quotes, foun"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.spec} {case.value!r:.20}"
                         if not isinstance(case.value, int) else f"{case.spec} int")  # fmt: skip
def test_a_value_that_does_not_fit_is_put_into_words(tree: Tree, case: Refused) -> None:
    """What was found and what was expected; never a validator's own terms."""
    message = refusal(tree, case.spec, a=case.value)
    assert message.startswith(case.message)
    assert len(message) < 300


def test_a_parameter_without_a_default_is_required(tree: Tree) -> None:
    """And the message says how to give it."""
    spec = "a: {description: What to say., examples: [hello]}"
    recipe = tree.recipe(recipe_text("{{ a }}", params=spec))
    assert recipe.params["a"].is_required
    with pytest.raises(InputError) as caught:
        recipe.render(photo=PHOTO)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.message) == ("NR031", "the parameter 'a' is missing")
    assert finding.help == "give a='hello'  What to say."


@pytest.mark.parametrize(
    ("spec", "example"),
    [
        ("{}", "give a=..."),
        ("{enum: [x, y]}", "give a='x'"),
        ("{type: integer, minimum: 4}", "give a=4"),
        ("{type: number}", "give a=1"),
        ("{type: boolean}", "give a=true"),
        ("{format: color}", "give a='#1e40af'"),
    ],
)
def test_a_missing_parameter_comes_with_an_example(tree: Tree, spec: str, example: str) -> None:
    """The next try should work."""
    recipe = tree.recipe(recipe_text("{{ a }}", params=f"a: {spec}"))
    with pytest.raises(InputError) as caught:
        recipe.render(photo=PHOTO)
    assert caught.value.diagnostics[0].help == example


@pytest.mark.parametrize(
    ("spec", "printed"),
    [
        ("{default: a  text}", "a text"),
        ("{default: ''}", ""),
        ("{default: null}", ""),
        ("{type: integer, default: 3}", "3"),
        ("{type: number, default: 0.50}", "0.5"),
        ("{type: boolean, default: false}", "false"),
        ("{type: array, default: [x, y]}", "x and y"),
        ("{type: array, default: []}", ""),
        ("{enum: [x, y], default: y, wording: {x: an X, y: a Y}}", "a Y"),
        ("{format: verbatim, default: OPEN}", '"OPEN"'),
        ("{format: color, default: Navy}", "navy"),
        ("{default: '{{ photo }}'}", "{{ photo }}"),
    ],
)
def test_a_default_stands_in_and_prints_like_a_value(tree: Tree, spec: str, printed: str) -> None:
    """It is folded, quoted and worded the same."""
    assert echo(tree, spec) == printed


def test_an_empty_text_is_taken_where_the_default_is_empty(tree: Tree) -> None:
    """Then the template knows how to leave it out."""
    assert echo(tree, "{default: ''}", a="  ") == ""


@dataclass(frozen=True)
class Contradiction:
    """A declaration that contradicts itself: the key it is found at, and the words."""

    spec: str
    at: str
    message: str
    help: str | None = None


CONTRADICTIONS = [
    Contradiction("{maximum: 3}", "3", "a: maximum is for numbers, but the type is string"),
    Contradiction("{type: integer, maxLength: 3}", "3", "a: maxLength is for texts, but the type"),
    Contradiction("{minItems: 3}", "3", "a: minItems is for arrays, but the type is string"),
    Contradiction("{type: boolean, pattern: x}", "x", "a: pattern is for texts, but the type is b"),
    Contradiction("{type: number, format: color}", "color", "a: format is for texts, but the type"),
    Contradiction("{type: integer, minimum: 3, maximum: 1}", "3", "a: minimum 3 is above maximum"),
    Contradiction("{minLength: 5, maxLength: 2}", "5", "a: minLength 5 is above maxLength 2"),
    Contradiction("{type: array, minItems: 5, maxItems: 2}", "5", "a: minItems 5 is above maxItem"),
    Contradiction("{minLength: 301}", "301", "a: minLength is above the usual 300", "give a maxL"),
    Contradiction("{type: integer, minimum: 1e20}", "1e20", "a: minimum is beyond 10000"),
    Contradiction("{pattern: '['}", "'['", "a: the pattern can't be used"),
    Contradiction("{pattern: '(?=x)'}", "'(?=x)'", "a: the pattern can't be used"),
    Contradiction("{default: 5}", "5", "a: the default is wrong: expected a text, found 5"),
    Contradiction("{type: integer, default: ''}", "''", "a: the default is wrong: expected a whol"),
    Contradiction("{enum: [x], default: ''}", "''", "a: the default is wrong: expected one of x"),
    Contradiction("{maxLength: 2, default: abc}", "abc", "a: the default is wrong: expected at mo"),
    Contradiction("{maxLength: 2, examples: [ab, abc]}", "abc", "a: an example is wrong: expected"),
    Contradiction("{format: color, default: nvay}", "nvay", "a: the default is wrong: expected a "),
    Contradiction("{enum: [x, x]}", "[x, x]", "a: the value 'x' stands twice"),
    Contradiction("{enum: [1, 1.0]}", "[1, 1.0]", "a: the value '1' stands twice"),
    Contradiction("{enum: [x, 1]}", "[x, 1]", "a: 1 does not fit the type string", 'quote it: "1"'),
    Contradiction("{type: integer, enum: [x]}", "[x]", "a: 'x' does not fit the type integer"),
    Contradiction("{enum: [' x']}", "[' x']", "a: ' x' is not one line of text"),
    Contradiction('{enum: ["x\\ny"]}', '["x\\ny"]', "a: 'x\\ny' is not one line of text"),
    Contradiction('{enum: ["x\\u202ey"]}', '["x\\u202ey"]', "a: 'x\\u202ey' is not one line"),
    Contradiction("{enum: [abc], maxLength: 2}", "[abc]", "a: the enum's 'abc' is wrong: expected"),
    Contradiction("{enum: [nvay], format: color}", "[nvay]", "a: the enum's 'nvay' is wrong: expe"),
    Contradiction("{enum: ['a \"b\"'], format: verbatim}", "['a \"b\"']", "a: the enum's"),
    Contradiction("{enum: [1, 5], maximum: 3}", "[1, 5]", "a: the enum's 5 is wrong: expected 3 o"),
    Contradiction("{wording: {x: y}}", "{x: y}", "a: wording needs an enum"),
    Contradiction("{enum: [x, y], wording: {x: X}}", "wording", "a: wording is missing for 'y'"),
    Contradiction("{enum: [xxx], wording: {xxx: a, xxy: b}}", "xxy", "a: wording for 'xxy', which",
                  "did you mean 'xxx'?"),
    Contradiction("{enum: [true], wording: {true: yes}}", "wording", "a: true and false have no wo",
                  "use texts"),
    Contradiction("{enum: [x], format: verbatim, wording: {x: X}}", "wording", "a: wording an"),
    Contradiction('{enum: [x], wording: {x: "a\\u001eb"}}', '"a\\u001eb"', "x holds the"),
]  # fmt: skip


@pytest.mark.parametrize("case", CONTRADICTIONS, ids=lambda case: case.spec)
def test_a_declaration_that_contradicts_itself_is_an_error(tree: Tree, case: Contradiction) -> None:
    """The author should find it, not the first caller."""
    found = tree.problems(recipe_text("{{ a }}", params=f"a: {case.spec}"))
    assert len(found) == 1, [finding.message for finding in found]
    assert found[0].message.startswith(case.message)
    assert found[0].code in (codes.BAD_PARAM.code, codes.WRONG_VALUE.code)
    assert pointed_at(found[0]).startswith(case.at)
    assert (found[0].help or "").startswith(case.help or "")


def test_every_wrong_argument_is_named_at_once(tree: Tree) -> None:
    """Unknown, missing and wrong ones, images, parameters and options together."""
    params = "a: {type: integer}\nb: {}\nc: {enum: [x]}"
    recipe = tree.recipe(recipe_text("{{ a }}{{ b }}{{ c }}", params=params))
    with pytest.raises(InputError) as caught:
        recipe.render(poto=PHOTO, a="many", c="y", num_images="x", seed=-1, notes=5, qualty="1K")
    found = {finding.field: finding for finding in caught.value.diagnostics}
    assert {name: finding.message for name, finding in found.items()} == {
        "poto": "group/name has no argument 'poto'",
        "qualty": "group/name has no argument 'qualty'",
        "photo": "the image 'photo' is missing",
        "a": "a: expected a whole number, found 'many'",
        "b": "the parameter 'b' is missing",
        "c": "c: expected one of x, found 'y'",
        "num_images": "num_images: expected a whole number, found 'x'",
        "seed": "seed: expected 0 to 4294967295, found -1",
        "notes": "notes: expected a text, found 5",
    }
    assert found["poto"].help == "did you mean 'photo'?"
    assert found["qualty"].help == "did you mean 'quality'?"
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).count("\n") >= 8


def test_an_unknown_argument_near_nothing_gets_the_list(tree: Tree) -> None:
    """The names that the recipe takes."""
    recipe = tree.recipe(recipe_text())
    with pytest.raises(InputError) as caught:
        recipe.render(photo=PHOTO, zzzzz=1)
    assert caught.value.diagnostics[0].help == (
        "it takes photo, and model, quality, aspect_ratio, num_images, seed, search, protect, notes"
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("model", 5, "model: expected a text, found 5"),
        ("model", " ", "model: expected a text, found ' '"),
        ("model", "a\x00b", "model: expected text without control characters, found U+0000"),
        ("num_images", True, "num_images: expected a whole number, found true"),
        ("num_images", 1.0, "num_images: expected a whole number, found 1.0"),
        ("seed", 2**32, "seed: expected 0 to 4294967295, found 4294967296"),
        ("search", "perhaps", "search: expected true or false, found 'perhaps'"),
        ("search", 1, "search: expected true or false, found 1"),
        ("protect", 5, "protect: expected a list of texts, found 5"),
        ("protect", ["a", 5], "protect: expected a list of texts, found a list"),
        ("protect", ["x"] * 21, "protect: expected at most 20 entries, found 21"),
        ("protect", ["x" * 301], "protect: expected noun phrases of 1 to 300 characters, found '"),
        ("protect", ["..."], "protect: expected noun phrases of 1 to 300 characters, found '...'"),
        ("protect", ["a\x1eb"], "protect: expected text without control characters, found U+001E"),
        ("notes", "x" * 1501, "notes: expected at most 1500 characters, found 1501"),
        ("notes", "a\x1eb", "notes: expected text without control characters, found U+001E"),
    ],
)
def test_a_call_option_that_cannot_be_used_says_why(
    tree: Tree, option: str, value: Any, message: str
) -> None:
    """Options are checked like arguments."""
    with pytest.raises(InputError) as caught:
        tree.render(recipe_text(), **{option: value})
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.field) == ("NR034", option)
    assert finding.message.startswith(message)


@pytest.mark.parametrize(
    ("option", "given", "sent"),
    [
        ("quality", 512, "512"),
        ("quality", "2k", "2K"),
        ("quality", " 1K ", "1K"),
        ("num_images", "3", 3),
        ("seed", 7, 7),
        ("aspect_ratio", "4:3", "4:3"),
    ],
)
def test_a_call_option_is_read_leniently(tree: Tree, option: str, given: Any, sent: Any) -> None:
    """Command lines and tables hold nothing but text."""
    assert tree.render(recipe_text(), **{option: given}).payload()[option] == sent


@pytest.mark.parametrize(("given", "sent"), [("on", True), ("No", None), (True, True)])
def test_search_is_read_leniently(tree: Tree, given: Any, sent: Any) -> None:
    """The same for true and false."""
    assert tree.render(recipe_text(), search=given).settings.get("search", False) is bool(sent)


def test_an_option_of_none_is_not_given(tree: Tree) -> None:
    """A caller may pass its own options through."""
    request = tree.render(recipe_text(), model=None, quality=None, protect=None, notes=None)
    assert request.settings == {"model": "flash"}


def test_a_worded_value_compares_as_itself_and_prints_as_its_words(tree: Tree) -> None:
    """Also in filters and in `~`, in a list, in a macro, and with `in`."""
    tree.macro(
        "say", "{% macro say(x) %}{{ x }}/{{ 'same' if x == 'golden' else 'not' }}{% endmacro %}"
    )
    params = "light: {enum: [golden, blue], wording: {golden: warm low\n  light, blue: dusk}}"
    edit = (
        '{% from "_macros/say.jinja" import say %}'
        "{{ light }}|{{ light | capitalize }}|{{ light ~ '!' }}|{{ light + '!' }}|"
        "{{ [light, 'x'] | join_and }}|{{ say(light) }}|{{ light == 'golden' }}|"
        "{{ light in ['golden'] }}|{{ 'yes' if light != 'blue' }}|{{ light | upper }}|"
        "{{ light | replace('warm', 'cold') }}|{{ light | default('x') }}|{{ light | length }}"
    )
    request = tree.render(recipe_text(edit, params=params), light="golden")
    assert request.sections[0].text.split("|") == [
        "warm low light", "Warm low light", "warm low light!", "warm low light!",
        "warm low light and x", "warm low light/same", "true", "true", "yes", "WARM LOW LIGHT",
        "cold low light", "warm low light", "14",
    ]  # fmt: skip
    assert request.inputs == {"light": "golden"}


@pytest.mark.parametrize(
    ("spec", "value", "test"),
    [
        ("{enum: [1, 2], wording: {1: one, 2: two}}", 2, "a == 2 and a > 1 and a + 1 == 3"),
        ("{enum: [0.5], wording: {0.5: half}}", 0.5, "a == 0.5 and a * 2 == 1"),
    ],
)
def test_a_worded_number_counts_as_itself(tree: Tree, spec: str, value: Any, test: str) -> None:
    """Words are for the prompt, numbers for the template."""
    text = recipe_text("{{ 'yes' if " + test + " else 'no' }} {{ a }}", params=f"a: {spec}")
    assert tree.render(text, a=value).sections[0].text.startswith("yes ")


def test_deprecated_and_described_parameters_keep_their_words(tree: Tree) -> None:
    """Tools show them."""
    params = "a: {default: x, description: Old., deprecated: true, examples: [y]}"
    param = tree.recipe(recipe_text("{{ a }}", params=params)).params["a"]
    assert (param.description, param.deprecated, param.examples) == ("Old.", True, ("y",))


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("{maxLength: 20}", "x" * 20),
        ("{format: verbatim, maxLength: 20}", "x" * 20),
        ("{format: multiline}", "x" * 1500),
        ("{type: integer}", -(10**15)),
        ("{type: number}", -999999999999999.125),
        ("{type: number}", -123456.123456),
        ("{type: boolean}", False),
        ("{type: array, maxItems: 3, maxLength: 5}", ["xxxxx"] * 3),
        ("{type: array, format: verbatim, maxItems: 3, maxLength: 5}", ["xxxxx"] * 3),
        ("{enum: [x, yyyy]}", "yyyy"),
        ("{enum: [x], wording: {x: a long wording}}", "x"),
    ],
)
def test_the_longest_value_is_known_beforehand(tree: Tree, spec: str, value: Any) -> None:
    """So the worst case of a prompt's length is."""
    recipe = tree.recipe(recipe_text("{{ a }}", params=f"a: {spec}"))
    printed = recipe.render(photo=PHOTO, a=value).sections[0].text
    assert len(printed) <= recipe.params["a"].longest()
