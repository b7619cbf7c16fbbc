"""The form of a recipe file: its keys, the types of their values, and all problems in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
import yaml
from recipe_trees import PHOTO, Tree, pointed_at, recipe_text

from nanorecipes import Library, RecipeError, codes, recipes
from nanorecipes.recipe.schema import recipe_schema

MINIMAL: dict[str, Any] = {
    "format": 1,
    "title": "Title",
    "summary": "Summary.",
    "capability": "edit",
    "changes": "part",
    "images": {"photo": None},
    "prompt": {"edit": "Paint {{ photo }} red.", "protect": ["the sky"]},
}

OPTIONAL: dict[str, Any] = {
    "version": "2.1",
    "tags": ["one", "two"],
    "params": {"a": {"default": "x"}},
    "settings": {"model": "pro"},
    "examples": [{"name": "One", "inputs": {"photo": "a.jpg"}}],
    "deprecated": {"use": "group/other", "after": "2027-01-01"},
    "overrides": True,
    "language": "de",
    "allow": {"vague-subject": "on purpose"},
    "prove": {"min_score": 0.5, "ignore": ["tone"], "region": "photo", "protect": [0, 0, 0.5, 1]},
    "meta": {"free": [1, {"data": None}]},
}


def changed(*path: str, to: Any = None, without: bool = False) -> str:
    """The minimal recipe with one value set or one key left out."""
    data = yaml.safe_load(yaml.safe_dump(MINIMAL))
    node = data
    for step in path[:-1]:
        node[step] = node.get(step) or {}
        node = node[step]
    if without:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return yaml.safe_dump(data, sort_keys=False)


def test_the_minimal_recipe_loads(tree: Tree) -> None:
    """The required keys are enough."""
    recipe = tree.recipe(yaml.safe_dump(MINIMAL))
    assert (recipe.title, recipe.summary, recipe.capability) == ("Title", "Summary.", "edit")
    assert (recipe.version, recipe.tags, recipe.changes) == ("1.0", (), "part")
    assert (recipe.settings, recipe.examples, recipe.deprecated) == ({}, (), None)
    assert repr(recipe) == "<Recipe 'group/name' version '1.0'>"


@pytest.mark.parametrize("key", list(MINIMAL))
def test_each_required_key_is_asked_for(tree: Tree, key: str) -> None:
    """A file without one of them could not be used."""
    (finding,) = tree.problems(changed(key, without=True))
    assert (finding.code, finding.message) == ("NR005", f"the key {key!r} is required")
    assert finding.help == f"add `{key}:`"


@pytest.mark.parametrize("key", ["edit", "protect"])
def test_a_prompt_has_an_edit_and_something_to_protect(tree: Tree, key: str) -> None:
    """State the edit first, protect explicitly: the format holds the guide's rules."""
    (finding,) = tree.problems(changed("prompt", key, without=True))
    assert finding.message == f"the key {key!r} is required in prompt"
    assert pointed_at(finding) == "prompt"


@pytest.mark.parametrize("key", OPTIONAL)
def test_each_optional_key_is_known(tree: Tree, key: str) -> None:
    """They are the format's, beside the required ones."""
    text = changed(key, to=OPTIONAL[key])
    if key == "params":
        text = text.replace("red.", "{{ a }}.")
    assert tree.recipe(text).definition.data[key] == OPTIONAL[key]


def test_extends_and_fixed_are_known(tree: Tree) -> None:
    """The two keys that need a parent beside them."""
    tree.add("group/parent", recipe_text("{{ a }}", params="a:"))
    text = "format: 1\ntitle: T\nsummary: S\nextends: group/parent\nfixed: {a: x}\n"
    assert tree.recipe(text).params == {}


@dataclass(frozen=True)
class Unknown:
    """A key that is nearly right, at some level of the file."""

    id: str
    path: tuple[str, ...]
    to: Any
    near: str


UNKNOWN = [
    Unknown("file", ("titel",), "x", "title"),
    Unknown("images", ("images", "photo", "optinal"), True, "optional"),
    Unknown("params", ("params", "a", "maxlength"), 3, "maxLength"),
    Unknown("prompt", ("prompt", "detail"), ["x"], "details"),
    Unknown("settings", ("settings", "num_image"), 1, "num_images"),
    Unknown("deprecated", ("deprecated", "usee"), "x/y", "use"),
    Unknown("prove", ("prove", "min_scor"), 1, "min_score"),
]


@pytest.mark.parametrize("case", UNKNOWN, ids=lambda case: case.id)
def test_an_unknown_key_comes_with_the_nearest_one(tree: Tree, case: Unknown) -> None:
    """A misspelt key that is silently ignored is a setting that is silently lost."""
    found = tree.problems(changed(*case.path, to=case.to))
    (finding,) = [item for item in found if item.code == codes.UNKNOWN_KEY.code]
    assert finding.message == f"unknown key {case.path[-1]!r}"
    assert finding.help == f"did you mean {case.near!r}?"
    assert pointed_at(finding) == case.path[-1]


def test_unknown_keys_in_examples_are_found(tree: Tree) -> None:
    """Also within a list, where the place is an index."""
    text = changed("examples", to=[{"name": "x", "inputs": {}, "expct": {}}])
    (finding,) = tree.problems(text)
    assert (finding.message, finding.help) == ("unknown key 'expct'", "did you mean 'expect'?")
    text = changed("examples", to=[{"name": "x", "inputs": {}, "expect": {"contain": ["x"]}}])
    (finding,) = tree.problems(text)
    assert finding.help == "did you mean 'contains'?"


def test_a_key_near_nothing_gets_the_list(tree: Tree) -> None:
    """The allowed ones, where none is near."""
    (finding,) = tree.problems(changed("settings", "zzz", to=1))
    assert finding.help == ("allowed here: model, quality, aspect_ratio, num_images, search, seed")


@dataclass(frozen=True)
class Wrong:
    """A value of the wrong type or form, and the words about it."""

    path: tuple[str, ...]
    to: Any
    message: str
    help: str | None = None


WRONG = [
    Wrong(("format",), 2, "format must be 1, found 2"),
    Wrong(("format",), "1", "format must be 1, found '1'"),
    Wrong(("format",), True, "format must be 1, found true"),
    Wrong(("title",), 5, "title must be a text, found 5", 'quote it: title: "5"'),
    Wrong(("title",), "", "title must be at least 1 character, found 0"),
    Wrong(("title",), "x" * 101, "title must be at most 100 characters, found 101"),
    Wrong(("summary",), None, "summary must be a text, found nothing"),
    Wrong(
        ("capability",), "edits",
        "capability must be edit, style, background, composition, consistency, outfit, placement, "
        "upscale, variation or grounded, found 'edits'", "did you mean 'edit'?",
    ),
    Wrong(("changes",), "parts", "changes must be part, background, look or scene, found 'parts'",
          "did you mean 'part'?"),
    Wrong(("version",), 1.0, "version must be a text, found 1.0", 'quote it: version: "1.0"'),
    Wrong(("tags",), "a", "tags must be a list, found 'a'"),
    Wrong(("tags",), [1], "0 must be a text, found 1", 'quote it: 0: "1"'),
    Wrong(("images",), [], "images must be a mapping, found a list"),
    Wrong(("images",), {}, "images must be at least 1 entry, found 0 entries"),
    Wrong(("images", "photo"), "a.jpg", "photo must be a mapping or nothing, found 'a.jpg'"),
    Wrong(("images", "photo", "role"), "main", "role must be source or reference, found 'main'"),
    Wrong(("images", "photo", "optional"), "yes", "optional must be true or false, found 'yes'",
          "YAML 1.2 reads yes, no, on and off as text: write true or false"),
    Wrong(("images", "photo", "min"), 1.5, "min must be a whole number, found 1.5"),
    Wrong(("images", "photo", "max"), 15, "max must be 14 or less, found 15"),
    Wrong(("images", "photo", "max"), 0, "max must be 1 or more, found 0"),
    Wrong(("images", "Photo"), None, "'Photo' is no name",
          "a name is lower-case letters, digits and _, and begins with a letter"),
    Wrong(("params",), ["a"], "params must be a mapping, found a list"),
    Wrong(("params", "1a"), {"default": "x"}, "'1a' is no name",
          "a name is lower-case letters, digits and _, and begins with a letter"),
    Wrong(("params", "a"), "text", "a must be a mapping or nothing, found 'text'"),
    Wrong(("params", "a", "type"), "text",
          "type must be string, integer, number, boolean or array, found 'text'"),
    Wrong(("params", "a", "format"), "colour",
          "format must be multiline, color or verbatim, found 'colour'", "did you mean 'color'?"),
    Wrong(("params", "a", "enum"), [], "enum must be at least 1 entry, found 0 entries"),
    Wrong(("params", "a", "enum"), [[1]],
          "0 must be a text or a whole number or a number or true or false, found a list"),
    Wrong(("params", "a", "maxLength"), "3", "maxLength must be a whole number, found '3'"),
    Wrong(("params", "a", "maxLength"), 4001, "maxLength must be 4000 or less, found 4001"),
    Wrong(("params", "a", "minimum"), "3", "minimum must be a number, found '3'"),
    Wrong(("prompt",), "Paint it.", "prompt must be a mapping, found 'Paint it.'"),
    Wrong(("prompt", "edit"), "", "edit must be at least 1 character, found 0"),
    Wrong(("prompt", "details"), 5, "details must be a text or a list, found 5"),
    Wrong(("prompt", "details"), [5], "0 must be a text, found 5", 'quote it: 0: "5"'),
    Wrong(("prompt", "protect"), "the sky", "protect must be a list or a mapping, found 'the sky'"),
    Wrong(("prompt", "protect"), [], "protect must be at least 1 entry, found 0 entries"),
    Wrong(("prompt", "protect"), {"photo": "x"}, "photo must be a list, found 'x'"),
    Wrong(("settings", "aspect_ratio"), "wide",
          "aspect_ratio must be a text of the form ^(match|[1-9][0-9]?:[1-9][0-9]?)$, "
          "found 'wide'"),
    Wrong(("settings", "num_images"), 11, "num_images must be 10 or less, found 11"),
    Wrong(("settings", "search"), "on", "search must be true or false, found 'on'",
          "YAML 1.2 reads yes, no, on and off as text: write true or false"),
    Wrong(("settings", "quality"), 1.5, "quality must be a text or a whole number, found 1.5"),
    Wrong(("examples",), {}, "examples must be a list, found a mapping"),
    Wrong(("deprecated",), True, "deprecated must be a mapping, found true"),
    Wrong(("deprecated", "use"), "", "use must be at least 1 character, found 0"),
    Wrong(("overrides",), "yes", "overrides must be true or false, found 'yes'",
          "YAML 1.2 reads yes, no, on and off as text: write true or false"),
    Wrong(("meta",), [1], "meta must be a mapping, found a list"),
    Wrong(("allow",), {"x": ""}, "x must be at least 1 character, found 0"),
    Wrong(("prove", "min_score"), 2, "min_score must be 1 or less, found 2"),
    Wrong(("prove", "min_score"), "0.9", "min_score must be a number, found '0.9'"),
    Wrong(("prove", "ignore"), ["grain"], "0 must be tone or framing, found 'grain'"),
    Wrong(("prove", "ignore"), ["frame"], "0 must be tone or framing, found 'frame'"),
    Wrong(("prove", "region"), 3, "region must be a text or a list, found 3"),
    Wrong(("prove", "region"), [0, 0, 640, 480], "2 must be 1 or less, found 640"),
    Wrong(("prove", "region"), [0, 0, 1], "a box has four numbers, found 3",
          "left, top, right, bottom"),
    Wrong(("prove", "region"), [0, 0, [0, 0, 1, 1]], "region mixes numbers and boxes",
          "write each box in brackets"),
    Wrong(("prove", "protect"), [[0, 0, 1, 0.5], [0.6, 0, 0.5, 1]],
          "the box [0.6, 0, 0.5, 1] covers nothing",
          "left, top, right, bottom, as in [0, 0, 0.5, 1] for the left half"),
    Wrong(("prove", "protect"), [[0, 0, 1]], "0 must be at least 4 entries, found 3 entries"),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{'.'.join(case.path)}={case.to!r:.12}")
def test_a_wrong_value_says_what_was_expected(tree: Tree, case: Wrong) -> None:
    """Wherever it stands: what was found, what was expected, and where there is one a way out."""
    found = tree.problems(changed(*case.path, to=case.to))
    finding = found[0] if len(found) == 1 else found[-1]
    assert case.message in [item.message for item in found]
    (finding,) = [item for item in found if item.message == case.message]
    assert finding.code in (codes.WRONG_VALUE.code, codes.BAD_NAME.code)
    assert finding.line is not None
    if case.help is not None or finding.code == codes.BAD_NAME.code:
        assert finding.help == case.help


def test_a_region_names_an_image_of_the_recipe(tree: Tree) -> None:
    """A mask that no call could pass would leave the proof without its region."""
    (finding,) = tree.problems(changed("prove", "region", to="phto"))
    assert (finding.code, finding.message) == (codes.BAD_REFERENCE.code, "there is no image 'phto'")
    assert finding.help == "did you mean 'photo'?"
    assert pointed_at(finding) == "phto"


def test_all_problems_of_a_file_come_at_once(tree: Tree) -> None:
    """From the YAML to the templates: an author should not have to run it once for each slip."""
    text = """\
format: 1
titel: T
summary: S
capability: edit
changes: part
changes: look
images:
  photo: {optinal: true}
  model:
params:
  a: {type: integer, minimum: 3, maximum: 1, default: 2}
  b: {type: strng, default: 5}
  c: {enum: [x, y], default: z}
  photo:
prompt:
  edit: Paint {{ phto }} {{ a | uper }} {{ b }} {{ c }}.
  details:
    - "{% if photo %}{{ unknown }}{% endif %}"
  protect:
    - the sky
fixed: {a: 1}
settings: {model: 5}
examples:
  - {name: x, inputs: {phto: a.jpg}}
"""
    found = tree.problems(text)
    assert [(item.line, item.column, item.code, item.message) for item in found] == [
        (1, 1, "NR005", "the key 'title' is required"),
        (2, 1, "NR004", "unknown key 'titel'"),
        (6, 1, "NR002", "the key 'changes' already stands on line 5"),
        (8, 11, "NR004", "unknown key 'optinal'"),
        (9, 3, "NR007", "'model' is the name of a call option"),
        (11, 31, "NR008", "a: minimum 3 is above maximum 1"),
        (
            12, 13, "NR006",
            "type must be string, integer, number, boolean or array, found 'strng'",
        ),
        (13, 30, "NR008", "c: the default is wrong: expected one of x, y, found 'z'"),
        (14, 3, "NR007", "'photo' is an image already; images and parameters share their names"),
        (16, 18, "NR011", "'phto' is not defined"),
        (16, 33, "NR012", "there is no filter 'uper'"),
        (18, 25, "NR011", "'unknown' is not defined"),
        (21, 1, "NR020", "`fixed` binds a parent's parameters, but this file has no `extends`"),
        (22, 19, "NR006", "model must be a text, found 5"),
        (24, 24, "NR018", "the recipe has no input 'phto'"),
    ]  # fmt: skip


def test_problems_are_in_the_order_of_the_file(tree: Tree) -> None:
    """They are worked off from top to bottom."""
    found = tree.problems(recipe_text("{{ x }} {{ y }}", more="zzz: 1\nyyy: 2", changes="nothing"))
    lines = [finding.line for finding in found]
    assert lines == sorted(lines, key=lambda line: line or 0)


OPTION_NAMES = (
    "model", "quality", "aspect_ratio", "num_images", "seed", "search", "protect", "notes", "out",
)  # fmt: skip


@pytest.mark.parametrize("name", OPTION_NAMES)
@pytest.mark.parametrize("group", ["images", "params"])
def test_names_of_call_options_are_refused(tree: Tree, name: str, group: str) -> None:
    """A call could not say which of the two it means."""
    found = tree.problems(
        changed(group, name, to={"optional": True} if group == "images" else None)
    )
    (finding,) = [item for item in found if item.code == codes.BAD_NAME.code]
    assert finding.message == f"{name!r} is the name of a call option"
    assert finding.help == f"choose another name, for example {name}_text"
    assert pointed_at(finding) == name


@pytest.mark.parametrize("name", ["if", "loop", "not", "range", "true", "self"])
def test_words_of_the_template_language_are_refused(tree: Tree, name: str) -> None:
    """A template could not read them."""
    found = tree.problems(changed("params", name, to={"default": "x"}))
    assert f"{name!r} is a word of the template language" in [item.message for item in found]


@pytest.mark.parametrize("name", ["class", "lambda", "async"])
def test_words_of_python_are_refused(tree: Tree, name: str) -> None:
    """Callers pass images and parameters as keyword arguments."""
    found = tree.problems(changed("params", name, to={"default": "x"}))
    messages = [item.message for item in found]
    assert f"{name!r} is a word of Python, so no call could pass it by name" in messages


def test_images_and_parameters_share_one_name_space(tree: Tree) -> None:
    """Both are keyword arguments of one call."""
    (finding,) = tree.problems(changed("params", "photo", to={"default": "x"}))
    assert "images and parameters share their names" in finding.message
    assert (finding.line or 0) > 9


def test_a_recipe_needs_a_source_image(tree: Tree) -> None:
    """The service edits at least one picture."""
    (finding,) = tree.problems(changed("images", to={"photo": {"role": "reference"}}))
    assert finding.message == "no image has the role source; the service edits at least one"


@pytest.mark.parametrize(("group", "most"), [("images", 28), ("params", 100)])
def test_the_number_of_declarations_is_bounded(tree: Tree, group: str, most: int) -> None:
    """More could be in no request, and would only take time."""
    spec = {"optional": True} if group == "images" else {"default": "x"}
    many = {f"n{number}": spec for number in range(most + 1)}
    (finding,) = tree.problems(changed(group, to=many))
    assert finding.message == f"more than {most} {group}"


def test_two_examples_have_two_names(tree: Tree) -> None:
    """Snapshots go by them."""
    examples = [{"name": "x", "inputs": {}}, {"name": "x", "inputs": {"out": "a"}}]
    first, second = tree.problems(changed("examples", to=examples))
    assert first.message == "two examples are named 'x'"
    assert second.message == "the recipe has no input 'out'"


def test_an_example_may_give_options_and_images_that_do_not_exist(tree: Tree) -> None:
    """Rendering doesn't read the pictures."""
    examples = [{"name": "x", "inputs": {"photo": "no/such.jpg", "model": "pro", "notes": "Hm."}}]
    recipe = tree.recipe(changed("examples", to=examples))
    request = recipe.render(**recipe.examples[0]["inputs"])
    assert request.model == "vertex/nano-banana-pro"


def test_a_number_for_the_quality_needs_no_quotes(tree: Tree) -> None:
    """`quality: 512` is what everyone writes."""
    request = tree.render(recipe_text(more="settings: {quality: 512}"))
    assert request.payload()["quality"] == "512"


def test_settings_that_the_model_does_not_offer_are_found_by_the_check(tree: Tree) -> None:
    """Before a caller runs into them."""
    more = "settings: {model: pro, quality: 512, aspect_ratio: '8:1', search: true}"
    recipe = tree.recipe(recipe_text(more=more))
    found = {finding.message: finding for finding in recipe.check()}
    assert {finding.code for finding in found.values()} == {codes.BAD_SETTING.code}
    assert "pro can't look facts up (search)" in found
    assert pointed_at(found["quality '512' is not offered by pro: 1K, 2K, 4K"]) == "512"
    unknown = tree.recipe(recipe_text(more="settings: {model: prro}"))
    (finding,) = unknown.check()
    assert (finding.message, finding.help) == ("there is no model 'prro'", "did you mean 'pro'?")


def test_the_check_of_a_good_recipe_finds_nothing(tree: Tree) -> None:
    """Findings have to mean something."""
    assert tree.recipe(recipe_text()).check() == []


def test_the_language_is_english_unless_given(tree: Tree) -> None:
    """Rules that read English skip the others."""
    assert tree.recipe(recipe_text()).definition.language == "en"
    assert tree.recipe(recipe_text(more="language: pt-BR")).definition.language == "pt-BR"


def test_the_schema_that_ships_is_a_json_schema() -> None:
    """Editors read it as one."""
    jsonschema.Draft202012Validator.check_schema(recipe_schema())


BUILT_IN = {
    entry.name: entry.path for entry in recipes.shelf.entries() if entry.folder.label == "built-in"
}


def _plain(path: Any) -> Any:
    """A file's values without our own reader: PyYAML's base types, typed by the 1.2 rules."""
    from nanorecipes.recipe.source import parse, read

    return parse(path, read(path)[0]).data


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_recipe_is_valid_by_the_schema(name: str) -> None:
    """Another program's validator agrees with ours."""
    data = _plain(BUILT_IN[name])
    if "extends" in data:
        jsonschema.Draft202012Validator(
            {**recipe_schema(), "required": ["format", "title", "summary"]}
        ).validate(data)
    else:
        jsonschema.Draft202012Validator(recipe_schema()).validate(data)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_recipe_renders_its_examples(name: str) -> None:
    """And the static check finds nothing in it."""
    recipe = recipes[name]
    assert recipe.check() == []
    assert recipe.examples
    for example in recipe.examples:
        request = recipe.render(**example["inputs"])
        assert [section.text for section in request.sections] == request.prompt.split("\n\n")


@pytest.mark.parametrize("key", [*MINIMAL, *OPTIONAL])
def test_the_schema_and_the_reader_refuse_the_same_wrong_types(tree: Tree, key: str) -> None:
    """Whoever validates in an editor sees what the library will say."""
    validator = jsonschema.Draft202012Validator(recipe_schema())
    for value in (None, True, 0, 1.5, "x", [], ["x"], [1], {}, {"x": 1}):
        text = changed(key, to=value)
        try:
            tree.recipe(text)
            loads = True
        except RecipeError as exc:
            form = {codes.WRONG_VALUE.code, codes.MISSING_KEY.code, codes.UNKNOWN_KEY.code}
            loads = not form & {finding.code for finding in exc.diagnostics}
        assert loads == validator.is_valid(yaml.safe_load(text)), (key, value)


def test_a_library_reads_a_recipe_by_its_file(tree: Tree) -> None:
    """`open` takes a path, in a library or not; the name is the one that a library would give."""
    library = Library(tree.root / "empty")
    path = tree.add("some/where", recipe_text())
    assert library.open(path).render(photo=PHOTO).recipe == "some/where"
    path = tree.add("No Group/anywhere", recipe_text())
    assert library.open(path).render(photo=PHOTO).recipe == "anywhere"
