"""The built-in library keeps its promises for every recipe and any valid inputs."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nanorecipes import Library, Recipe
from nanorecipes.arguments import MAX_NOTES
from nanorecipes.errors import LimitError
from nanorecipes.linting import lint_paths
from nanorecipes.prompt.words import ORDINALS
from nanorecipes.recipe.schema import schema_of
from nanorecipes.search_path import built_in
from nanorecipes.testing.runner import run_examples

if TYPE_CHECKING:
    from nanorecipes import Request
    from nanorecipes.recipe.params import Param, Slot

ROOT = built_in()
LIBRARY = Library(ROOT)
NAMES = sorted(LIBRARY)

MOST_CHARS = 4000
"""What the service takes; written out, so that a slip in our data is found."""

_ORDINAL = "|".join(ORDINALS)
_HANDLE = re.compile(rf"\bthe ((?:{_ORDINAL})(?:(?:, | and )(?:{_ORDINAL}))*) images?\b", re.I)
_LONE_HANDLE = re.compile(r"\bthe image\b", re.I)


# --- what a caller may pass

# Braces, marks and letters of other scripts are values like others; "image" would be a word that
# the test takes for the framework's own.
_WORD = st.text(alphabet="abcdefgh ijklmnop{}%#';:.,-é漢0123456789&<>", min_size=1, max_size=40)


def _fitting(text: str, most: int) -> str:
    return " ".join(text.split())[:most].strip()


def texts(param: Param) -> st.SearchStrategy[str]:
    """Texts of any length that the parameter takes; also the longest."""
    one = st.one_of(_WORD, _WORD.map(lambda word: (word + " long") * 60))
    least = max(1, param.min_length or 0)
    return one.map(lambda text: _fitting(text, param.max_length)).filter(
        lambda text: len(text) >= least and re.search(r"[a-z]", text) is not None
    )


def values(param: Param) -> st.SearchStrategy[Any]:
    """Everything that a parameter's declaration allows."""
    if param.enum is not None:
        return st.sampled_from(param.enum)
    if param.type == "boolean":
        return st.booleans()
    if param.type == "integer":
        return st.integers(int(param.least), int(param.most))
    if param.type == "number":
        return st.floats(param.least, param.most, allow_nan=False)
    if param.format == "color":
        return st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True) | st.sampled_from(
            ["teal", "White"]
        )
    if param.type == "array":
        return st.lists(texts(param), min_size=param.min_items or 1, max_size=param.max_items)
    if param.format == "multiline":
        return st.lists(texts(param), min_size=1, max_size=3).map(
            lambda lines: "\n".join(lines)[: param.max_length].strip()
        )
    return texts(param)


NOTES = (
    st.one_of(_WORD, _WORD.map(lambda word: (word + " long") * 90))
    .map(lambda text: _fitting(text, MAX_NOTES))
    .filter(lambda text: re.search(r"[a-z0-9]", text) is not None)
)
"""What a caller may add to the details; up to the longest."""

ADDED = (
    "the seventh button", "a scar, old and pale", "the dog; the leash.", "the \"No. 5\"",
    *(f"the {number} post of the {'long ' * 50}fence" for number in ORDINALS[:14]),
)  # fmt: skip
"""What a caller may add to the protected things; all together are too long for any prompt."""


def pictures(slot: Slot) -> st.SearchStrategy[Any]:
    """One picture, or as many as a list slot takes."""
    if slot.is_list:
        return st.integers(max(1, slot.min), slot.max).map(lambda count: ["a.jpg"] * count)
    return st.just("a.jpg")


@st.composite
def calls(draw: st.DrawFn, recipe: Recipe) -> dict[str, Any]:
    """Any valid call: what is required always, what is optional now and then."""
    inputs: dict[str, Any] = {}
    for name, slot in recipe.images.items():
        if slot.is_required or draw(st.booleans()):
            inputs[name] = draw(pictures(slot))
    for name, param in recipe.params.items():
        if param.is_required or draw(st.booleans()):
            inputs[name] = draw(values(param))
    if recipe.settings.get("search") is None:
        inputs["model"] = draw(st.sampled_from(["flash", "pro"]))
    if draw(st.booleans()):
        inputs["notes"] = draw(NOTES)
    return inputs


def required(recipe: Recipe) -> dict[str, Any]:
    """The required arguments alone, each with its first example or value."""
    inputs: dict[str, Any] = {}
    for name, slot in recipe.images.items():
        if slot.is_required:
            inputs[name] = [f"{name}.jpg"] * slot.min if slot.is_list else f"{name}.jpg"
    for name, param in recipe.params.items():
        if param.is_required:
            samples = param.enum or param.examples
            inputs[name] = samples[0]
    return inputs


# --- the library as a whole


def test_library_covers_every_capability_with_thirty_recipes() -> None:
    """Whoever looks for a kind of edit finds a recipe to begin with."""
    assert len(NAMES) >= 30
    found = {LIBRARY[name].capability for name in NAMES}
    assert found == set(schema_of("capability")["enum"])


def test_library_lints_clean() -> None:
    """We hold ourselves to the guide that we hold others to."""
    report = lint_paths([ROOT])
    assert [finding.headline() for finding in report.diagnostics] == []


def test_examples_are_as_reviewed() -> None:
    """A changed word was seen by somebody: `nanorecipes test recipes --update` writes it."""
    report = run_examples([ROOT])
    problems = [p.text() for outcome in report.failed for p in outcome.problems]
    assert problems == []
    assert report.examples >= 2 * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_recipe_says_what_a_caller_has_to_know(name: str) -> None:
    """A summary with its limits, two examples, and a description of every input."""
    recipe = LIBRARY[name]
    assert len(recipe.examples) >= 2
    assert recipe.summary.count(".") >= 2, "when to use it, and what to use instead"
    for slot in recipe.images.values():
        assert slot.description
    for param in recipe.params.values():
        assert param.description
        assert param.enum or param.examples or param.type == "boolean" or param.format == "color"
    text = recipe.path.read_text("utf-8")
    assert text.startswith("# "), "the reason for the model and the quality"
    assert {"model", "quality"} <= set(recipe.settings)


@pytest.mark.parametrize("name", NAMES)
def test_recipes_that_a_summary_names_exist(name: str) -> None:
    """A pointer to the better recipe must lead somewhere."""
    named = set(re.findall(r"\b[a-z]+/[a-z_]+\b", LIBRARY[name].summary))
    assert named <= set(NAMES)
    assert named, "no summary says which recipe to use instead"
    assert name not in named


# --- every recipe


@pytest.mark.parametrize("name", NAMES)
def test_required_arguments_alone_render(name: str) -> None:
    """The shortest call is the first one that anybody tries."""
    request = LIBRARY[name].render(**required(LIBRARY[name]))
    assert request.prompt
    assert request.estimated_cost is not None
    assert not re.search(r"  | ,| \.|\.\.|,,|,\.|None|undefined", request.prompt)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["flash", "pro"])
def test_no_sentence_or_protected_thing_is_said_twice(name: str, model: str) -> None:
    """Who gets an order with a repeated line looks for the difference."""
    recipe = LIBRARY[name]
    if model == "pro" and recipe.settings.get("search"):
        return  # flash alone looks things up
    for example in recipe.examples:
        prompt = recipe.render(**{**example["inputs"], "model": model}).prompt
        said = [part.strip().lower() for part in re.split(r"(?<=[.;])\s", prompt)]
        assert sorted(said) == sorted(set(said))


@pytest.mark.parametrize("name", NAMES)
def test_each_enum_value_makes_another_prompt(name: str) -> None:
    """A choice that changes nothing is no choice."""
    recipe = LIBRARY[name]
    inputs = dict(recipe.examples[0]["inputs"])
    for param in recipe.params.values():
        if param.enum is None:
            continue
        prompts = {v: recipe.render(**{**inputs, param.name: v}).prompt for v in param.enum}
        for one, other in combinations(param.enum, 2):
            assert prompts[one] != prompts[other], (param.name, one, other)


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The library again, each recipe with its protect items alone, one a line, as its order."""
    root = tmp_path_factory.mktemp("probes")
    for macro in (ROOT / "_macros").iterdir():
        _write(root / "_macros" / macro.name, macro.read_text("utf-8"))
    for name in NAMES:
        data = dict(LIBRARY[name].definition.data)
        prompt = data["prompt"]
        imports = re.findall(r"\{% from .*? %\}", str(prompt).replace("\\n", "\n"))
        lines = [line for _, lines in _protected(prompt["protect"]) for line in lines]
        data["prompt"] = {
            "edit": "\n".join([*dict.fromkeys(imports), "Probe.", *lines]),
            "protect": ["this"],
        }
        data.pop("examples")
        _write(root / f"{name}.yaml", yaml.safe_dump(data, allow_unicode=True))
    return Library(root)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _protected(protect: Any) -> list[tuple[str | None, list[str]]]:
    """The protect items by image, each as a line that drops out with its image."""
    if isinstance(protect, list):
        return [(None, [f"<{item}>" for item in protect])]
    return [
        (image, [f"{{% if {image} %}}<{item}>{{% endif %}}" for item in items])
        for image, items in protect.items()
    ]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_valid_call_keeps_the_promises_of_the_prompt(
    name: str, probes: Library, data: st.DataObject
) -> None:
    """Edit first, each protected thing once, each image named and no other, never too long."""
    recipe = LIBRARY[name]
    inputs = data.draw(calls(recipe))
    items = _items(probes[name], inputs)
    # The first item a second time: what the recipe protects already isn't said twice.
    added = data.draw(st.lists(st.sampled_from([*ADDED, items[0]]), unique=True))
    refused: LimitError | None = None
    try:
        request = recipe.render(**inputs, protect=added)
    except LimitError as exc:
        refused = exc
    if refused is not None:
        assert [finding.name for finding in refused.diagnostics] == ["prompt-too-long"]
        return
    assert len(request.prompt) <= MOST_CHARS
    _begins_with_the_edit(recipe, request)
    _ends_the_details_with(request, inputs.get("notes", ""))
    assert _named(request) == {image.ordinal for image in request.images}
    _holds_each_once(request, list(dict.fromkeys([*items, *(i.rstrip(".") for i in added)])))


def _begins_with_the_edit(recipe: Recipe, request: Request) -> None:
    """The first words are those of the file's edit, and the sections stand in their order."""
    edit = recipe.definition.data["prompt"]["edit"]
    words = re.sub(r"\{% from .*? %\}", "", edit).lstrip().partition("{")[0]
    assert request.prompt.startswith(words)
    names = [part.name for part in request.sections]
    assert names == [name for name in ("edit", "subject", "details", "protect") if name in names]
    assert {"edit", "protect"} <= set(names)
    assert request.prompt == "\n\n".join(part.text for part in request.sections)


def _ends_the_details_with(request: Request, notes: str) -> None:
    details = next(part.text for part in request.sections if part.name == "details")
    assert details.lower().rstrip(".").endswith(notes.lower().rstrip("."))


def _named(request: Request) -> set[int]:
    """The images that the prompt speaks of, by their numbers."""
    found = {
        ORDINALS.index(word) + 1
        for handle in _HANDLE.findall(request.prompt)
        for word in re.split(r", | and ", handle.lower())
    }
    if _LONE_HANDLE.search(request.prompt):
        assert len(request.images) == 1
        found.add(1)
    return found


def _items(probe: Recipe, inputs: dict[str, Any]) -> list[str]:
    """The protect items as they print for a call, each found by rendering it alone."""
    edit = probe.render(**inputs).sections[0].text
    return [item.rstrip(".;, ") for item in re.findall(r"^<(.+)>$", edit, re.MULTILINE)]


def _holds_each_once(request: Request, items: list[str]) -> None:
    assert items
    for item in items:
        entry = re.compile(
            rf"(?:^|\. |; (?:and )?|, | and )(?:Keep )?{re.escape(item)}"
            r"[.;,]*(?=; |, | and | exactly as in )"
        )
        assert len(entry.findall(request.sections[-1].text)) == 1, (item, request.sections[-1])
