"""`extends`: what a child takes, adds, replaces and fixes, and where its findings point."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from recipe_trees import PHOTO, Tree, pointed_at, recipe_text

from nanorecipes import Library, Recipe, RecipeError

PARENT = recipe_text(
    "Replace the background with {{ place }} under {{ light }} light.",
    images="photo:\n  description: Any.\nextra: {role: reference, optional: true}",
    params="place: {maxLength: 50}\nlight: {enum: [soft, hard], default: soft, description: Kind.}",
    subject="{{ photo | capitalize }} shows a thing{% if extra %} and {{ extra }}{% endif %}.",
    details="- First.\n- Second.",
    protect="- the thing",
    changes="background",
    more="""\
    version: "3"
    tags: [one, two]
    settings: {model: pro, quality: 2K}
    examples: [{name: x, inputs: {photo: a.jpg, place: a hill}}]
    deprecated: {use: group/other}
    overrides: true
    meta: {a: {b: 1, c: 2}}
    """,
)
HEAD = "format: 1\ntitle: Child\nsummary: Own words.\nextends: group/parent\n"


@pytest.fixture
def family(tree: Tree) -> Tree:
    """A library that holds the parent."""
    tree.add("group/parent", PARENT)
    return tree


def child(tree: Tree, more: str = "") -> Recipe:
    """A recipe that extends the parent."""
    return tree.recipe(HEAD + more)


def test_a_child_says_four_things_and_takes_the_rest(family: Tree) -> None:
    """Its own format, title and summary; it may leave out all else."""
    recipe = child(family)
    assert (recipe.title, recipe.summary, recipe.name) == ("Child", "Own words.", "group/name")
    assert (recipe.capability, recipe.changes, recipe.version) == ("edit", "background", "3")
    assert recipe.tags == ("one", "two")
    assert recipe.settings == {"model": "pro", "quality": "2K"}
    request = recipe.render(photo=PHOTO, place="a hill")
    parent = family.library["group/parent"].render(photo=PHOTO, place="a hill")
    assert request.prompt == parent.prompt
    assert request.hash != parent.hash


def test_what_speaks_of_the_parents_own_file_is_not_taken(family: Tree) -> None:
    """Its examples call its interface, and its fate is its own."""
    recipe = child(family)
    assert (recipe.examples, recipe.deprecated) == ((), None)
    assert "overrides" not in recipe.definition.data
    assert recipe.render(photo=PHOTO, place="a hill").warnings == ()


@pytest.mark.parametrize("key", ["format", "title", "summary"])
def test_a_child_gives_its_own_words(family: Tree, key: str) -> None:
    """A list with the same title twice tells nobody which to take."""
    lines = [line for line in HEAD.split("\n") if not line.startswith(key)]
    finding = family.problem("\n".join(lines))
    assert finding.message == f"a recipe that extends another gives its own {key!r}"
    assert pointed_at(finding) == "extends"


def test_mappings_merge_by_key(family: Tree) -> None:
    """At every depth; what the child doesn't name stays."""
    recipe = child(
        family,
        "settings: {quality: 4K}\nmeta: {a: {c: 3, d: 4}}\nimages: {photo: {label: scene}}\n"
        "params: {light: {default: hard}, new: {default: x}}\n"
        "prompt:\n  edit: 'Put {{ place }} behind, {{ light }} {{ new }}.'\n",
    )
    assert recipe.settings == {"model": "pro", "quality": "4K"}
    assert recipe.definition.data["meta"] == {"a": {"b": 1, "c": 3, "d": 4}}
    assert recipe.images["photo"].description == "Any."
    assert recipe.images["photo"].label == "scene"
    light = recipe.params["light"]
    assert (light.default, light.enum, light.description) == ("hard", ("soft", "hard"), "Kind.")
    request = recipe.render(photo=PHOTO, place="a hill")
    assert request.sections[0].text == "Put a hill behind, hard x."


def test_tags_details_and_protect_are_appended(family: Tree) -> None:
    """A child adds to them without repeating."""
    recipe = child(family, "tags: [three]\nprompt:\n  details: [Third.]\n  protect: [the shadow]\n")
    assert recipe.tags == ("one", "two", "three")
    sections = dict(recipe.render(photo=PHOTO, place="a hill").sections)
    assert sections["details"] == "First. Second. Third."
    assert sections["protect"].startswith("Keep the thing and the shadow exactly as in the image.")


@pytest.mark.parametrize("own", ["Third.", "[Third.]"])
@pytest.mark.parametrize("theirs", ["First.", "[First.]"])
def test_a_text_of_details_is_appended_like_a_list_of_one(
    tree: Tree, theirs: str, own: str
) -> None:
    """The two ways to write details mean the same."""
    tree.add("group/parent", recipe_text(details=theirs))
    recipe = child(tree, f"prompt: {{details: {own}}}\n")
    assert dict(recipe.render(photo=PHOTO).sections)["details"] == "First. Third."


def test_protect_by_image_is_appended_by_image(tree: Tree) -> None:
    """A mapping merges by image, and each list grows."""
    images = "photo:\nother:"
    tree.add("group/parent", recipe_text("{{ other }}", images=images, protect="photo: [a cat]"))
    recipe = child(tree, "prompt: {protect: {photo: [a dog], other: [a hat]}}\n")
    request = recipe.render(photo=PHOTO, other=PHOTO)
    assert request.sections[-1].text == (
        "Keep a cat and a dog exactly as in the first image. "
        "Keep a hat exactly as in the second image. Change nothing else."
    )


def test_protect_of_the_other_form_can_only_be_replaced(family: Tree) -> None:
    """A list and a mapping can't be appended to each other."""
    finding = family.problem(HEAD + "prompt:\n  protect:\n    photo: [x]\n")
    assert "the other form" in finding.message
    assert pointed_at(finding) == "protect"
    recipe = child(family, "prompt:\n  protect: !override\n    photo: [the hat]\n")
    text = recipe.render(photo=PHOTO, place="a hill").sections[-1].text
    assert text.startswith("Keep the hat exactly")


def test_other_lists_replace_the_parents(family: Tree) -> None:
    """Only three lists grow."""
    recipe = child(family, "params: {light: {enum: [soft, dim]}}\nmeta: {a: [1]}\n")
    assert recipe.params["light"].enum == ("soft", "dim")
    assert recipe.definition.data["meta"] == {"a": [1]}


def test_override_replaces_a_list_a_mapping_or_a_value(family: Tree) -> None:
    """And the tag leaves nothing behind in the values."""
    recipe = child(
        family,
        "tags: !override [new]\nsettings: !override {quality: 1K}\n"
        "prompt:\n  details: !override\n    - Only this.\n  subject: !override Plain.\n"
        "meta: {a: {b: !override 5, c: !override null}}\n",
    )
    assert recipe.tags == ("new",)
    assert recipe.settings == {"quality": "1K"}
    assert recipe.definition.data["meta"] == {"a": {"b": 5, "c": None}}
    sections = dict(recipe.render(photo=PHOTO, place="a hill").sections)
    assert sections["details"] == "Only this."
    assert sections["subject"] == "Plain."


def test_override_without_a_parent_is_an_error(tree: Tree) -> None:
    """There is nothing that it could replace."""
    found = tree.problems(recipe_text(more="tags: !override [x]\nsettings: {model: !override pro}"))
    message = "`!override` replaces a parent's value, but this file has no `extends`"
    assert [finding.message for finding in found] == [message, message]


def test_override_of_what_the_parent_lacks_is_an_error(family: Tree) -> None:
    """It says that the author was mistaken about the parent."""
    second, first, third = family.problems(
        HEAD + "settings: {qualty: !override 1K}\nlanguage: !override de\n"
    )
    assert first.message == "`!override` on 'qualty', which the parent does not have"
    assert first.help == "did you mean 'quality'?"
    assert first.line is not None
    assert second.message == "unknown key 'qualty'"
    assert third.message == "`!override` on 'language', which the parent does not have"


def test_override_inside_a_list_is_an_error(family: Tree) -> None:
    """Entries have no names by which they could replace each other."""
    finding = family.problem(HEAD + "prompt: {details: [!override x]}\n")
    assert finding.message == "`!override` in a list: entries are appended, not replaced"
    assert finding.help == "tag the whole list"


def test_a_broken_parent_breaks_its_child(tree: Tree) -> None:
    """With the finding in the parent's file."""
    path = tree.add("group/parent", recipe_text(more="tags: !override [x]"))
    finding = tree.problem(HEAD)
    assert (finding.file, finding.code) == (path, "NR020")


def test_fixed_binds_a_parameter_and_takes_it_out_of_the_interface(family: Tree) -> None:
    """How a team makes its own white studio from replacing the background."""
    recipe = child(family, "fixed: {place: a white studio, light: hard}\n")
    assert recipe.params == {}
    assert "place" not in recipe.inputs_schema["properties"]
    request = recipe.render(photo=PHOTO)
    assert request.sections[0].text == (
        "Replace the background with a white studio under hard light."
    )
    with pytest.raises(ValueError, match="'place' is fixed by the recipe to 'a white studio'"):
        recipe.render(photo=PHOTO, place="x")


def test_a_fixed_value_is_checked_and_worded_like_a_callers(tree: Tree) -> None:
    """The words come with it."""
    params = "light: {enum: [a, b], wording: {a: warm, b: cold}}"
    tree.add("group/parent", recipe_text("{{ light }}", params=params))
    request = child(tree, "fixed: {light: b}\n").render(photo=PHOTO)
    assert request.sections[0].text == "cold"
    finding = tree.problem(HEAD + "fixed: {light: c}\n")
    assert finding.message == "light: the fixed value is wrong: expected one of a, b, found 'c'"
    assert pointed_at(finding) == "c"


def test_fixed_names_a_parameter_of_the_parent(family: Tree) -> None:
    """A misspelt one would bind nothing."""
    finding = family.problem(HEAD + "fixed: {palce: x}\n")
    assert (finding.message, finding.help) == (
        "there is no parameter 'palce'", "did you mean 'place'?"
    )  # fmt: skip
    assert pointed_at(finding) == "palce"


def test_fixed_without_a_parent_is_an_error(tree: Tree) -> None:
    """A recipe need not bind its own parameter: it can leave it out."""
    finding = tree.problem(recipe_text("{{ a }}", params="a:", more="fixed: {a: x}"))
    assert finding.message == "`fixed` binds a parent's parameters, but this file has no `extends`"


def test_a_parent_extends_nothing_itself(family: Tree) -> None:
    """One step can be followed by a reader; a chain can't."""
    family.add("group/middle", HEAD)
    finding = family.problem(HEAD.replace("group/parent", "group/middle"))
    assert finding.message == (
        "'group/middle' extends another recipe itself; only one step is allowed"
    )
    assert finding.help == "extend 'group/parent' instead"
    assert pointed_at(finding) == "group/middle"


def test_an_unknown_parent_comes_with_the_nearest_name(family: Tree) -> None:
    """Also a recipe that extends itself has no parent."""
    finding = family.problem(HEAD.replace("group/parent", "group/parnet"))
    assert finding.message == "there is no recipe 'group/parnet' to extend"
    assert finding.help == "did you mean 'group/parent'?"
    finding = family.problem(HEAD.replace("group/parent", "group/name"))
    assert finding.help == "a recipe can't extend itself"


@pytest.mark.parametrize("value", ["5", "[a]", "../parent", "Group/parent", "'group/parent '"])
def test_extends_is_the_name_of_a_recipe(family: Tree, value: str) -> None:
    """Never a path."""
    (finding, *_) = family.problems(HEAD.replace("group/parent", value))
    assert finding.line == 4


def test_a_parent_that_is_no_recipe_is_named(tree: Tree) -> None:
    """The finding stands where the child names it."""
    tree.add("group/parent", "just text\n")
    assert tree.problem(HEAD).message == "'group/parent' is no recipe"


def test_a_parent_with_aliases_is_merged_by_value(tree: Tree) -> None:
    """What an anchor stands for is shared in the file, not in the recipe."""
    tree.add("group/parent", recipe_text(more="tags: &t [one]\nmeta: {a: *t, b: *t}"))
    recipe = child(tree, "tags: [two]\nmeta: {b: [three]}\n")
    assert recipe.tags == ("one", "two")
    assert recipe.definition.data["meta"] == {"a": ["one"], "b": ["three"]}


def test_findings_point_into_the_file_that_they_are_about(family: Tree) -> None:
    """A merged recipe has two files; an author opens the right one."""
    parent = family.add(
        "group/parent", PARENT.replace("{{ light }} light", "{{ light | uper }} {{ nothing }}")
    )
    text = HEAD + "prompt:\n  details:\n    - Also {{ plce }}.\n"
    own = family.root / "group" / "name.yaml"
    found = {finding.message: finding for finding in family.problems(text)}
    wrong = found["there is no filter 'uper'"]
    assert (wrong.file, pointed_at(wrong)) == (parent, "uper")
    assert wrong.line == PARENT.split("\n").index("  edit: |") + 2
    assert found["'nothing' is not defined"].file == parent
    mine = found["'plce' is not defined"]
    assert (mine.file, mine.line, pointed_at(mine)) == (own, 7, "plce")
    assert mine.help == "did you mean 'place'?"


def test_a_form_error_in_the_parent_points_there(tree: Tree) -> None:
    """Also what the format asks of values."""
    parent = tree.add("group/parent", recipe_text(more="settings: {quality: [1]}"))
    finding = tree.problem(HEAD)
    assert finding.file == parent
    assert pointed_at(finding) == "[1]"


def test_a_parent_in_a_later_library_of_the_same_name_may_be_extended(tree: Tree) -> None:
    """How a project changes one line of a built-in recipe under its own name."""
    own, later = Tree(tree.root / "own"), Tree(tree.root / "later")
    later.add("group/name", recipe_text(details="- First."))
    own.add(
        "group/name",
        "format: 1\ntitle: T\nsummary: S\nextends: group/name\noverrides: true\n"
        "prompt: {details: [Second.]}\n",
    )
    request = Library(own.root, later.root)["group/name"].render(photo=PHOTO)
    assert dict(request.sections)["details"] == "First. Second."


def test_a_parent_that_stands_in_two_libraries_is_an_error(tree: Tree) -> None:
    """Which one would it be?"""
    one, two = Tree(tree.root / "one"), Tree(tree.root / "two")
    first = one.add("group/parent", recipe_text())
    second = two.add("group/parent", recipe_text())
    one.add("group/name", HEAD)
    with pytest.raises(RecipeError, match="stands in two libraries") as caught:
        Library(one.root, two.root)["group/name"]
    assert str(first) in str(caught.value)
    assert str(second) in str(caught.value)


def test_the_parents_macros_are_those_of_its_own_library(tree: Tree) -> None:
    """A child in another folder does not change what the parent's text means."""
    one, two = Tree(tree.root / "one"), Tree(tree.root / "two")
    call = '{% from "_macros/say.jinja" import say %}'
    one.macro("say", "{% macro say() %}one{% endmacro %}")
    two.macro("say", "{% macro say() %}two{% endmacro %}")
    two.add("group/parent", recipe_text(call + "Edit {{ say() }}."))
    one.add("group/name", HEAD + f"prompt:\n  subject: '{call}Subject {{{{ say() }}}}.'\n")
    sections = Library(one.root, two.root)["group/name"].render(photo=PHOTO).sections
    assert [section.text for section in sections[:2]] == ["Edit two.", "Subject one."]


_KEYS = st.sampled_from(["a", "b", "c"])
_LEAVES = st.one_of(st.integers(0, 9), st.booleans(), st.none(), st.sampled_from(["x", "16:9"]))
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES | st.lists(_LEAVES, max_size=3),
    lambda inner: st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)
_META = st.dictionaries(_KEYS, _TREES, max_size=3)


def merged(parent: Any, own: Any) -> Any:
    """The law of merging: mappings by key, everything else is replaced."""
    if isinstance(parent, dict) and isinstance(own, dict):
        both = {key: merged(parent[key], own[key]) for key in parent if key in own}
        return {**parent, **own, **both}
    return own


@settings(deadline=None)
@given(theirs=_META, own=_META, tags=st.lists(_KEYS, max_size=3))
def test_merging_obeys_its_law(
    tmp_path_factory: pytest.TempPathFactory, theirs: Any, own: Any, tags: list[str]
) -> None:
    """Whatever the two files hold: by key, appended, or replaced, and never both."""
    tree = Tree(tmp_path_factory.mktemp("merge"))
    more = {"meta": theirs, "tags": ["p"]}
    tree.add("group/parent", recipe_text(more=yaml.safe_dump(more)))
    recipe = child(tree, yaml.safe_dump({"meta": own, "tags": tags}))
    assert recipe.definition.data["meta"] == merged(theirs, own)
    assert list(recipe.tags) == ["p", *tags]
    replaced = child(tree, "meta: !override " + yaml.safe_dump(own, default_flow_style=True))
    assert replaced.definition.data["meta"] == own
    nothing = child(tree)
    assert nothing.definition.data["meta"] == theirs
