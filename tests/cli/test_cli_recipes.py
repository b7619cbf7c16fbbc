"""Finding, reading, rendering and starting recipes from the command line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

if TYPE_CHECKING:
    from shells import Shell

PART = ("edit/change_part", "photo=photo.jpg", "part=the mug", "change=deep blue")


def test_help_names_every_command_and_an_example(shell: Shell) -> None:
    """It is the first page that anybody reads."""
    said = shell("--help")
    assert said.code == 0
    for command in ("list", "show", "render", "run", "resume", "lint", "new", "schema", "models"):
        assert f"\n  {command} " in said.out
    assert "nanorecipes run edit/change_part" in said.out


def test_no_command_prints_the_help(shell: Shell) -> None:
    """A bare call asks what there is."""
    assert shell().out == shell("--help").out


def test_unknown_command_suggests_the_nearest(shell: Shell) -> None:
    """Typing errors are the most common errors."""
    said = shell("rnder")
    assert said.code == 2
    assert "did you mean 'render'?" in said.err


def test_list_search_narrows_by_words_capability_and_tag(shell: Shell) -> None:
    """Forty recipes are too many to read each time."""
    everything = shell("list", "--json").json
    assert {"edit/change_part", "background/replace"} <= {entry["name"] for entry in everything}
    assert set(everything[0]) == {
        "name", "title", "summary", "capability", "version", "hash", "path", "library", "tags",
        "deprecated",
    }  # fmt: skip
    outfits = shell("list", "--capability", "outfit", "--json").json
    assert outfits
    assert {entry["capability"] for entry in outfits} == {"outfit"}
    assert [entry["name"] for entry in shell("list", "studio backdrop", "--json").json] == [
        "background/studio"
    ]
    assert shell("list", "--tag", "no such tag", "--json").json == []


def test_list_reports_a_broken_recipe_and_shows_the_others(shell: Shell) -> None:
    """One bad file must not hide the library."""
    Path("recipes/mine").mkdir(parents=True)
    Path("recipes/mine/broken.yaml").write_text("format: 1\ntitel: Oops\n")
    said = shell("list")
    assert said.code == 1
    assert "edit/change_part" in said.out
    assert "recipes/mine/broken.yaml:2:1: error NR004 unknown-key" in said.err
    assert "did you mean 'title'?" in said.err


@pytest.mark.parametrize("words", [("hair", "colour"), ("hair colour",)])
def test_list_takes_words_with_and_without_quotes(shell: Shell, words: tuple[str, ...]) -> None:
    """Who searches types words, and quotes only what a shell would split."""
    names = [entry["name"] for entry in shell("list", *words, "--json").json]
    assert "outfit/hair_color" in names
    assert "edit/reframe" not in names


def test_list_counts_one_recipe_in_the_singular(shell: Shell) -> None:
    """A slip in the first answer that a newcomer reads costs trust."""
    assert shell("list", "edit/reframe", "--capability", "edit").err.startswith("1 recipe;")


def test_show_fits_a_terminal_of_eighty_columns(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long calls break between arguments, so that they can be read and still be pasted."""
    monkeypatch.setenv("COLUMNS", "80")
    said = shell("show", "composition/group_portrait")
    assert max(map(len, said.out.splitlines()[:-1])) <= 80, "all but the path at the end"
    example = said.out.partition("# three at the boathouse\n")[2].partition("  #")[0]
    assert shlex.split(example.replace("\\\n", "")) == [
        "nanorecipes", "run", "composition/group_portrait", "portraits=ana.jpg",
        "portraits=ben.jpg", "portraits=cem.jpg", "place=in front of an old boathouse",
    ]  # fmt: skip


def test_show_tells_the_cost_and_what_to_type_next(shell: Shell) -> None:
    """Before the first call come two questions: what does it cost, and can I look first."""
    said = shell("show", "variation/one_axis")
    assert "Cost\n  $0.268 estimated for a call as set" in said.out, "four pictures"
    assert "`render` in place of `run`" in said.err
    assert shell("show", "variation/one_axis", "-q").err == ""


def test_show_says_what_a_list_takes_in_words(shell: Shell) -> None:
    """Brackets and quotes would be typed along."""
    said = " ".join(shell("show", "consistency/same_cast").out.split())
    assert "For example: Ana with the red curls, Ben with the grey beard." in said


def test_show_tells_inputs_settings_and_examples(shell: Shell) -> None:
    """Whoever read it can call the recipe."""
    said = shell("show", "outfit/change_outfit")
    assert said.code == 0
    words = " ".join(said.out.split())
    for text in ("person", "garment", "slim | regular | oversized", "model pro", "nanorecipes run"):
        assert text in words


def test_show_json_holds_what_the_interface_promises(shell: Shell) -> None:
    """Scripts are written against these keys."""
    data = shell("show", "outfit/change_outfit", "--json").json
    assert data["images"]["garment"]["role"] == "reference"
    assert data["images"]["garment"]["optional"] is True
    assert data["params"]["fit"]["enum"] == ["slim", "regular", "oversized"]
    assert data["params"]["fit"]["default"] == "regular"
    assert data["settings"]["model"] == "pro"
    assert data["examples"][0]["inputs"]["person"] == "portrait.jpg"
    jsonschema.Draft202012Validator.check_schema(data["inputs_schema"])


def test_render_json_holds_what_the_interface_promises(shell: Shell) -> None:
    """Scripts are written against these keys."""
    data = shell("render", *PART, "--protect", "the spoon", "--json").json
    assert set(data) == {
        "recipe", "version", "hash", "prompt", "sections", "images", "backend", "payload",
        "model", "settings", "estimated_cost_usd", "cost_basis", "warnings",
    }  # fmt: skip
    assert data["prompt"] == "\n\n".join(part["text"] for part in data["sections"])
    assert data["payload"]["prompt"] == data["prompt"]
    assert "the spoon" in data["sections"][-1]["text"]
    assert data["images"] == [
        {"slot": "photo", "role": "source", "ordinal": 1, "source": "photo.jpg"}
    ]
    assert data["settings"]["aspect_ratio"] == "4:3"
    assert data["estimated_cost_usd"] == 0.067


def test_render_curl_holds_the_request_and_no_key(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is pasted into chats and issues."""
    monkeypatch.setenv("QOLABA_API_KEY", "very-secret-key")
    said = shell("render", *PART, "--curl")
    assert "$QOLABA_API_KEY" in said.out
    assert "very-secret-key" not in said.out + said.err
    body = said.out.split("-d '", 1)[1].rsplit("'", 1)[0].replace("'\"'\"'", "'")
    assert json.loads(body)["model"] == "vertex/nano-banana-flash"


def test_text_is_read_from_a_file(shell: Shell) -> None:
    """Long texts don't belong on a command line."""
    Path("state.txt").write_text("glazed deep blue\n")
    said = shell("render", *PART[:3], "change=@state.txt", "--quiet")
    assert "glazed deep blue" in said.out
    assert "@@handle" not in shell("render", *PART[:3], "change=@@handle", "-q").out
    assert "@handle" in shell("render", *PART[:3], "change=@@handle", "-q").out


def test_every_wrong_argument_is_reported_at_once(shell: Shell) -> None:
    """Mending one error at a time costs an hour."""
    said = shell("render", "outfit/change_outfit", "fit=slmi", "colour=red", "--num-images", "11")
    assert said.code == 2
    assert "no argument 'colour'" in said.err
    assert "the image 'person' is missing" in said.err
    assert "the parameter 'outfit' is missing" in said.err
    assert "did you mean 'slim'?" in said.err
    assert said.out == ""


def test_every_broken_limit_is_reported_at_once(shell: Shell) -> None:
    """Each with what is allowed and a way out."""
    options = ("--model", "pro", "--quality", "512", "--aspect-ratio", "1:8", "--num-images", "11")
    said = shell("render", *PART, *options, "--search")
    assert said.code == 2
    assert "512 is offered by flash" in said.err
    assert "1:8 is offered by flash" in said.err
    assert "num_images is 11, allowed are 1 to 10" in said.err
    assert "model=flash" in said.err


def test_errors_are_json_when_json_is_asked_for(shell: Shell) -> None:
    """A script reads one stream."""
    said = shell("render", "edit/chnge_part", "--json")
    assert said.code == 2
    assert said.json["error"]["type"] == "UnknownRecipeError"
    assert "edit/change_part" in said.json["error"]["suggestions"]
    wrong = shell("render", *PART[:2], "--json").json["error"]
    assert wrong["type"] == "InputError"
    assert {finding["field"] for finding in wrong["diagnostics"]} == {"part", "change"}


def test_argument_without_equals_shows_the_form(shell: Shell) -> None:
    """The most likely slip of a first call."""
    said = shell("render", "edit/change_part", "photo.jpg")
    assert said.code == 2
    assert "expected name=value, found 'photo.jpg'" in said.err
    assert "photo=photo.jpg" in said.err


def test_value_with_blanks_wants_quotes(shell: Shell) -> None:
    """The shell takes it apart before anyone here sees it."""
    said = shell("render", "edit/change_part", "photo=a.jpg", "part=the", "mug")
    assert said.code == 2
    assert "put a value with blanks into quotes: part='the mug'" in said.err


def test_new_recipe_lints_clean_and_renders(shell: Shell) -> None:
    """The first thing that an author sees must be right."""
    said = shell("new", "fashion/swap_shoes")
    assert said.out.strip() == str(Path("recipes/fashion/swap_shoes.yaml"))
    assert shell("lint", "recipes").code == 0
    rendered = shell(
        "render", "fashion/swap_shoes", "photo=photo.jpg", "part=the shoes", "new_state=red", "-q"
    )
    assert rendered.out.startswith("Change the shoes in the image")
    again = shell("new", "fashion/swap_shoes")
    assert again.code == 2
    assert "exists already" in again.err


@pytest.mark.parametrize("folder", ["recipes", "own library"])
def test_what_new_says_to_type_next_works(shell: Shell, folder: str) -> None:
    """The next step is pasted, also where the library is no folder that is searched."""
    steps = shell("new", "fashion/swap_shoes", "--in", folder).err.removeprefix("next: ")
    for step in steps.splitlines():
        said = shell(*shlex.split(step)[1:])
        assert said.code == 0, (step, said.err)
    assert shell("test", folder).code == 0


def test_new_child_recipe_lints_clean(shell: Shell) -> None:
    """Building on another recipe is how a team begins."""
    said = shell("new", "mine/white_studio", "--extends", "background/studio")
    assert said.code == 0
    assert shell("lint", "recipes").code == 0
    assert shell("show", "mine/white_studio").code == 0


@pytest.mark.parametrize("name", ["Shoes", "shoes", "a/b c", "../x/y", "a/B"])
def test_new_refuses_what_is_no_name(shell: Shell, name: str) -> None:
    """A file that can never be called is worse than an error."""
    said = shell("new", name)
    assert said.code == 2
    assert "expected group/name" in said.err
    assert not Path("recipes").exists()


def test_schema_of_file_and_inputs_are_json_schema(shell: Shell) -> None:
    """Editors and forms read them."""
    for args in (("schema",), ("schema", "outfit/change_outfit")):
        jsonschema.Draft202012Validator.check_schema(shell(*args).json)


def test_models_tell_prices_with_their_source_and_date(shell: Shell) -> None:
    """A price without a date is a rumour."""
    said = shell("models")
    assert "$0.161" in said.out
    assert "Qolaba's price for Nano Banana Pro at 2K" in said.out
    assert "facts of 20" in said.out
    assert "gemini-3-pro-image at Google directly: 1K $0.134, 2K $0.134, 4K $0.24" in said.out
    data = shell("models", "--json").json
    assert data["models"][0]["google_prices"]["2K"] == 0.101
    assert data["limits"]["prompt_chars"] == 4000
    assert [model["alias"] for model in data["models"]] == ["flash", "pro"]


def test_models_refresh_asks_the_service(shell: Shell) -> None:
    """Prices change; the file has a date."""
    data = shell("models", "--refresh", "--sandbox", "--json").json
    assert {model["id"] for model in data["offered"]} >= {"vertex/nano-banana-pro"}


def test_recipe_can_be_named_by_its_file(shell: Shell) -> None:
    """An author tries a file before it has a library."""
    shell("new", "mine/try_out", "--in", "drafts")
    said = shell("show", "drafts/mine/try_out.yaml")
    assert said.code == 0
    assert "Try out" in said.out


def test_new_refuses_a_name_that_another_library_holds(shell: Shell) -> None:
    """Two recipes of one name make both unusable."""
    said = shell("new", "edit/change_part")
    assert said.code == 2
    assert "is taken by" in said.err
    assert shell("new", "edit/change_part", "--extends", "edit/change_part").code == 0
    assert shell("show", "edit/change_part").code == 0
    assert shell("lint", "recipes").code == 0


def test_wrong_arguments_and_broken_limits_are_reported_together(shell: Shell) -> None:
    """Mending one error at a time costs an hour."""
    said = shell("render", *PART[:3], "--quality", "8K", "--num-images", "11")
    assert said.code == 2
    assert "the parameter 'change' is missing" in said.err
    assert "quality '8K' is not offered" in said.err
    assert "num_images is 11" in said.err


def test_default_library_follows_the_settings(shell: Shell, tmp_path: Path) -> None:
    """A notebook configures after it has imported."""
    from nanorecipes import configure, recipes

    shell("new", "team/house_style", "--in", "elsewhere")
    assert "team/house_style" not in recipes
    configure(path=tmp_path / "elsewhere")
    assert recipes["team/house_style"].title == "House style"
    configure()
    assert "team/house_style" not in recipes


def test_built_in_recipes_stay_found_after_a_change_of_folder(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a checkout ./recipes is the built-in library, but only while one stands there."""
    from nanorecipes import recipes
    from nanorecipes.search_path import built_in

    monkeypatch.chdir(built_in().parent)
    assert "edit/change_part" in recipes
    monkeypatch.chdir(tmp_path)
    assert "edit/change_part" in recipes
