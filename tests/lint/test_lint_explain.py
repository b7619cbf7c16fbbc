"""The page of each rule, which is its docstring, as `lint --explain` prints it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from lint_desk import recipe

from nanorecipes import codes
from nanorecipes.prompt.lint.rules import RULES

if TYPE_CHECKING:
    from lint_desk import Desk

    from nanorecipes.prompt.lint.rule import Rule

PARTS = ("What it does", "Why it matters", "Example", "Use instead", "References")
GUIDE = range(1, 28)
"""The numbers of the prompt guide's rules."""

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def test_a_page_is_printed_as_it_is_written(desk: Desk) -> None:
    """It is what an author reads beside a finding."""
    said = desk.shell("lint", "--explain", "NR101")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "NR101 edit-not-leading (warning, preview)\n"
        "\n"
        "The edit does not begin with the verb that names the operation.\n"
        "\n"
        "What it does: asks the first sentence of the edit, in every branch, to begin with an "
        "order that\n"
        "a retoucher could carry out. A place, a purpose, a scene or politeness before it is a "
        "fault, and\n"
        "so is a verb that only looks or thinks.\n"
        "\n"
        "Why it matters: the model weighs the beginning most. What comes first should be the "
        "change.\n"
        "\n"
        "Example:\n"
        "\n"
        "    In {{ room }}, replace the rug in front of the sofa with {{ rug }}.\n"
        "\n"
        "Use instead:\n"
        "\n"
        "    Replace the rug in front of the sofa in {{ room }} with {{ rug }}.\n"
        "\n"
        "References: rule 1 of the prompt guide.\n"
    )


@every_rule
def test_every_page_has_its_five_parts_in_order(rule: Rule, desk: Desk) -> None:
    """An author looks for the way out in the same place of each page."""
    page = desk.shell("lint", "--explain", rule.code).out
    assert re.findall(r"^([A-Z][a-z ]+):", page, re.M) == list(PARTS)
    for part in PARTS:
        behind = page.split(f"{part}:", 1)[1].split("\n\n")
        assert behind[0].strip() or behind[1].startswith("    "), part


@every_rule
def test_every_page_is_found_by_code_and_by_name(rule: Rule, desk: Desk) -> None:
    """A finding prints both, and either may be copied."""
    said = desk.shell("lint", "--explain", rule.name)
    assert said.code == 0
    first = said.out.split("\n", 1)[0]
    assert first == f"{rule.code} {rule.name} ({rule.severity}, {rule.status})"
    for name in (rule.code, rule.code.lower()):
        assert desk.shell("lint", "--explain", name) == said


@every_rule
def test_every_page_fits_into_a_terminal(rule: Rule, desk: Desk) -> None:
    """Lines that the terminal breaks lose the indent of the example."""
    assert max(map(len, desk.shell("lint", "--explain", rule.code).out.split("\n"))) <= 100


@every_rule
def test_every_page_refers_to_a_rule_of_the_guide(rule: Rule, desk: Desk) -> None:
    """A rule that rests on nothing is one person's taste."""
    references = desk.shell("lint", "--explain", rule.code).out.split("References:")[1]
    numbers = [int(number) for number in re.findall(r"\d+", references)]
    assert numbers
    assert set(numbers) <= set(GUIDE)


def prompts(rule: Rule, part: str) -> list[str]:
    """A page's example as a prompt, where it is one and not a piece of YAML."""
    block = re.search(rf"^{part}:\n\n((?:    .*\n?)+)", rule.page(), re.M)
    text = " ".join(block[1].split()) if block else ""
    return [text] if text and not re.match(r"\w+:", text) else []


REFERENCES = ("bowl", "other", "painting", "paper", "ref", "rug", "vase")
TEXTS = ("glaze",)


def as_recipe(rule: Rule, text: str) -> str:
    """A recipe around the prompt of an example, which declares the names that stand in it."""
    edit, more = text, {}
    if rule.name == "edit-in-subject":
        edit, more["subject"] = "Paint the fence in {{ garden }} green.", text
    elif rule.name == "hand-written-ordinal":
        edit, more["details"] = "Paper the wall in {{ room }} with {{ paper }}.", f"- {text}"
    elif "{{" not in text:
        edit = text.replace(".", " in {{ photo }}.")
    names = dict.fromkeys(re.findall(r"\{\{ (\w+)", edit))
    if any(name in TEXTS for name in names):
        more["params"] = "glaze: {description: The glaze.}"
    images = [name for name in names if name not in TEXTS] or ["photo"]
    slots = [
        f"{name}: {{role: {'reference' if name in REFERENCES else 'source'}, description: It.}}"
        for name in images
    ]
    return recipe(edit, images="\n".join(slots), **more)


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if prompts(rule, "Example")], ids=lambda rule: rule.name
)
def test_an_example_breaks_its_rule_and_what_to_use_instead_keeps_it(
    rule: Rule, desk: Desk
) -> None:
    """A page whose example is fine by the rule teaches the wrong thing."""
    (example,) = prompts(rule, "Example")
    assert rule.code in desk.codes(as_recipe(rule, example), "--select", rule.code)
    for better in prompts(rule, "Use instead"):
        assert desk.codes(as_recipe(rule, better), "--select", rule.code) == []


def test_an_unknown_code_is_refused_with_the_nearest(desk: Desk) -> None:
    """A digit more or less should not cost a search."""
    said = desk.shell("lint", "--explain", "vage-protection")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "error NR034 bad-option: 'vage-protection' is no code and no name of a rule\n"
        "  help: did you mean 'vague-protection'?\n"
    )
    assert "`nanorecipes lint --explain` lists them all" in (
        desk.shell("lint", "--explain", "qqqq").err
    )


def test_the_bare_option_lists_every_code_with_its_sentence(desk: Desk) -> None:
    """It is the table of contents."""
    said = desk.shell("lint", "--explain")
    assert said.code == 0
    listed = re.findall(r"^(NR\d+)  +([\w-]+)  +\S", said.out, re.M)
    known = [*((code.code, code.name) for code in codes.ALL),
             *((rule.code, rule.name) for rule in RULES)]  # fmt: skip
    assert listed == known
    rows = desk.shell("lint", "--explain", "--json").json
    assert [(row["code"], row["name"]) for row in rows] == known
    assert all(row["about"].endswith(".") for row in rows)


def test_codes_of_the_format_have_a_page_too(desk: Desk) -> None:
    """The same option explains whatever lint prints."""
    for code in codes.ALL:
        said = desk.shell("lint", "--explain", code.code)
        assert (said.code, said.out) == (0, f"{code.code} {code.name}\n\n{code.about}\n")
        assert desk.shell("lint", "--explain", code.name) == said


def test_a_page_is_also_told_as_json(desk: Desk) -> None:
    """An editor shows it beside the finding."""
    page = desk.shell("lint", "--explain", "NR110", "--json").json
    assert list(page) == ["code", "name", "severity", "status", "page"]
    assert (page["code"], page["name"]) == ("NR110", "vague-protection")
    text = desk.shell("lint", "--explain", "NR110").out
    assert text.endswith(f"\n\n{page['page']}\n")
    assert list(desk.shell("lint", "--explain", "NR001", "--json").json) == ["code", "name", "page"]


def test_codes_and_names_are_unique() -> None:
    """Both are written into recipes, settings and dashboards."""
    known = [*((code.code, code.name) for code in codes.ALL),
             *((rule.code, rule.name) for rule in RULES)]  # fmt: skip
    assert len({code for code, _ in known}) == len({name for _, name in known}) == len(known)
    assert all(re.fullmatch(r"NR1\d\d", rule.code) for rule in RULES)
    assert [rule.code for rule in RULES] == sorted(rule.code for rule in RULES)
