"""`nanorecipes test`: examples against the snapshots beside the recipes."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_trees import Tree
from testing_projects import EXAMPLES, expecting, painted

from nanorecipes.testing.diff import diff
from nanorecipes.testing.lines import BREAK, split_text

if TYPE_CHECKING:
    from testing_projects import Project

SNAPSHOT = """\
# house/wall

What the examples render. `nanorecipes test` compares, `nanorecipes test --update` writes.

## red wall

```sh
nanorecipes run house/wall \\
  photo=wall.jpg \\
  color=red
```

- the image: `photo`, source, wall.jpg

**edit**

```text
Paint the wall in the image red.
```

**protect**

```text
Keep the sky and the roof exactly as in the image.
Change nothing else.
```

**settings**

- model: flash (vertex/nano-banana-flash)
- cost: $0.067 estimated

## on pro

```sh
nanorecipes run house/wall \\
  photo=wall.jpg \\
  color='sky blue' \\
  --model pro \\
  --quality 2K
```

- the image: `photo`, source, wall.jpg

**edit**

```text
Paint the wall in the image sky blue.
```

**protect**

```text
Keep the sky and the roof exactly as in the image.
Change nothing else.
```

**settings**

- model: pro (vertex/nano-banana-pro)
- quality: 2K
- cost: $0.161 estimated
"""


def test_a_recipe_without_examples_has_nothing_to_test(project: Project) -> None:
    """Nothing is claimed to be fine that was never rendered."""
    project.add(painted(more="params:\n  color: {description: The colour.}\n"))
    assert project.test().err == "1 file: no examples to test\n"


def test_update_writes_a_snapshot_that_reads_like_a_page(project: Project) -> None:
    """A reviewer sees the call, the images, the prompt's sections, and the cost."""
    project.add(painted())
    said = project.test("--update")
    assert said.code == 0
    assert said.out == "written recipes/house/__snapshots__/wall.md: red wall, on pro\n"
    assert said.err == "1 file: 2 of 2 examples fine; 1 snapshot file changed\n"
    assert project.snapshot().read_text("utf-8") == SNAPSHOT


def test_call_options_stand_in_the_call_as_flags(project: Project) -> None:
    """The call can be copied from the page and run."""
    options = "search: true, protect: [the cat, the 'old' clock], seed: 7"
    project.add(painted(more=EXAMPLES.replace("model: pro, quality: 2K", options)))
    project.test("--update")
    text = project.snapshot().read_text("utf-8")
    assert (
        """\
  color='sky blue' \\
  --search \\
  --protect 'the cat' \\
  --protect 'the '"'"'old'"'"' clock' \\
  --seed 7
```
"""
        in text
    )
    assert "- search: true\n- seed: 7\n- cost: $0.067 estimated\n" in text


def test_unchanged_recipe_passes_and_writes_nothing(project: Project) -> None:
    """A second run is silent, also with --update: no file changes for nothing."""
    project.add(painted())
    project.test("--update")
    stamp = project.snapshot().stat().st_mtime_ns
    for args in ((), ("--update",)):
        said = project.test(*args)
        assert (said.code, said.out, said.err) == (0, "", "1 file: 2 of 2 examples fine\n")
    assert project.snapshot().stat().st_mtime_ns == stamp


def test_missing_snapshot_fails_with_the_way_to_write_it(project: Project) -> None:
    """A new example must not pass unseen."""
    project.add(painted())
    said = project.test()
    assert said.code == 1
    assert "house/wall.yaml:17:11: error NR050 missing-snapshot" in said.out
    assert "help: write it, and read it: nanorecipes test recipes/house/wall.yaml --update" in (
        said.out
    )
    assert said.err == "1 file: 0 of 2 examples fine, 2 failed\n"
    assert not project.snapshot().exists()


def test_changed_word_is_shown_within_its_line(project: Project) -> None:
    """A reader sees at once what changed, without colours."""
    project.add(painted())
    project.test("--update")
    project.add(painted("Paint the brick wall in {{ photo }} {{ color }}."))
    said = project.test("-k", "red")
    assert said.code == 1
    assert "error NR051 changed-snapshot: 'red wall' renders otherwise" in said.out
    assert "  @@ line 18, edit @@\n" in said.out
    assert "  - Paint the wall in the image red.\n" in said.out
    assert "  + Paint the {+brick+} wall in the image red.\n" in said.out


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ("model: pro", "model: flash", ["@@ line 39 @@", "@@ line 60, settings @@"]),
        ("wall.jpg, color: sky", "hut.jpg, color: sky", ["@@ line 37 @@", "@@ line 43 @@"]),
    ],
    ids=["model", "picture"],
)
def test_changed_request_fails_though_the_prompt_is_the_same(
    project: Project, old: str, new: str, places: list[str]
) -> None:
    """Another model or picture is another order, at another price."""
    project.add(painted())
    project.test("--update")
    project.add(painted(more=EXAMPLES.replace(old, new)))
    said = project.test("--json")
    assert said.code == 1
    failed = said.json["failed"]
    assert [outcome["example"] for outcome in failed] == ["on pro"]
    assert [line for line in failed[0]["problems"][0]["diff"] if line[0] == "@"] == places


def test_update_names_only_the_examples_that_changed(project: Project) -> None:
    """The author checks that nothing else moved."""
    project.add(painted())
    project.test("--update")
    project.add(painted(more=EXAMPLES.replace("sky blue", "grey")))
    said = project.test("--update")
    assert said.code == 0
    assert said.out == "updated recipes/house/__snapshots__/wall.md: on pro\n"
    assert project.test().code == 0


def test_section_without_example_is_reported_and_taken_out(project: Project) -> None:
    """A snapshot of an example that is gone tells the reader something untrue."""
    project.add(painted())
    project.test("--update")
    project.add(painted(more=EXAMPLES.partition("  - name: on pro")[0]))
    said = project.test("--junit", "junit.xml")
    assert ET.parse("junit.xml").getroot().get("failures") == "1"
    assert said.code == 1
    assert "wall.md:33: error NR052 orphaned-snapshot: house/wall has no example 'on pro'" in (
        said.out
    )
    assert said.err == "1 file: 1 of 1 example fine, 1 file not as it should be\n"
    project.test("--update")
    assert "on pro" not in project.snapshot().read_text("utf-8")
    assert project.test().code == 0


def test_snapshot_file_without_recipe_is_reported_and_removed(project: Project) -> None:
    """A recipe that moves leaves its snapshot behind; a page of the author's own stays."""
    project.add(painted())
    project.test("--update")
    project.snapshot().rename(project.snapshot("house/gone"))
    own = project.snapshot("house/notes")
    own.write_text("# My notes\n")
    said = project.test()
    assert "gone.md:1: error NR052 orphaned-snapshot" in said.out
    assert "notes" not in said.out
    said = project.test("--update")
    assert "removed recipes/house/__snapshots__/gone.md: red wall, on pro" in said.out
    assert sorted(p.name for p in own.parent.iterdir()) == ["notes.md", "wall.md"]


def test_recipe_without_examples_needs_no_snapshot(project: Project) -> None:
    """Its old one is removed, and the folder with it when nothing else is there."""
    project.add(painted())
    project.test("--update")
    project.add(painted("Paint the wall in {{ photo }}.", more=""))
    assert project.test("--json").kinds == ["orphaned", "orphaned"]
    said = project.test("--update")
    assert said.out.startswith("removed recipes/house/__snapshots__/wall.md")
    assert not project.snapshot().parent.exists()
    assert project.test().code == 0


def test_hand_edited_surroundings_fail(project: Project) -> None:
    """What stands around the sections is a promise as well."""
    project.add(painted())
    project.test("--update")
    project.snapshot().write_text(SNAPSHOT.replace("# house/wall\n", "# house/hut\n", 1))
    said = project.test()
    assert said.code == 1
    assert "the order of its sections, or what stands around them" in said.out
    assert "+ # {+house/wall+}" in said.out
    project.test("--update")
    assert project.snapshot().read_text("utf-8") == SNAPSHOT


def test_windows_line_ends_are_no_change(project: Project) -> None:
    """Git writes them into a checkout on its own."""
    project.add(painted())
    project.test("--update")
    project.snapshot().write_bytes(SNAPSHOT.replace("\n", "\r\n").encode())
    assert project.test().code == 0


def test_chosen_examples_leave_the_others_alone(project: Project) -> None:
    """With -k an author works on one example; the rest neither fails nor changes."""
    project.add(painted())
    project.test("--update")
    project.add(painted("Coat the wall in {{ photo }} with {{ color }}."))
    said = project.test("-k", "HOUSE/WALL: ON", "--update")
    assert said.out == "updated recipes/house/__snapshots__/wall.md: on pro\n"
    text = project.snapshot().read_text("utf-8")
    assert "Paint the wall in the image red." in text
    assert "Coat the wall in the image with sky blue." in text
    assert project.test("-k", "on pro").code == 0
    assert [o["example"] for o in project.test("--json").json["failed"]] == ["red wall"]


def test_text_that_no_example_holds_is_wrong_use(project: Project) -> None:
    """A run that tests nothing must not look like one that passed."""
    project.add(painted())
    said = project.test("-k", "green")
    assert said.code == 2
    assert "no example holds 'green'" in said.err


def test_paths_that_hold_no_recipe_are_wrong_use(project: Project) -> None:
    """A typing error in a pipeline must not pass for ever."""
    assert "there is no folder 'recipes' here" in project.test().err
    project.tree.macro("light", "{% macro m() %}x{% endmacro %}")
    for path in ("absent", "recipes", "recipes/_macros/light.jinja"):
        assert project.test(path).code == 2


def test_one_file_can_be_tested_and_is_tested_once(project: Project) -> None:
    """Editors pass files, and a folder may be given beside one of its files."""
    project.add(painted())
    project.add(painted("Coat the wall in {{ photo }} with {{ color }}."), "house/other")
    assert project.test("recipes/house/wall.yaml", "--json").json["examples"] == 2
    both = project.test("recipes", "recipes/house/wall.yaml", "--json").json
    assert both["examples"] == 4
    assert both["files"] == ["recipes/house/other.yaml", "recipes/house/wall.yaml"]


def test_file_and_folder_hold_the_same_snapshot(project: Project) -> None:
    """What is written for one file must pass when its folder is tested, also by pytest."""
    library = Tree(project.root / "our library")
    file = library.add("house/wall", painted())
    assert project.test(str(library.root), "--update").code == 0
    assert project.test(str(file)).code == 0
    assert project.test(str(file.parent)).code == 0
    file.write_text(painted("Paint the wall in {{ photo }} in {{ color }}."), "utf-8")
    changed = project.test(str(library.root))
    words = shlex.split(changed.out.splitlines()[-1].partition("nanorecipes test ")[2])
    assert project.test(*words).code == 0, "the advice can be pasted"
    assert project.test(str(library.root)).code == 0


def test_broken_recipe_fails_at_its_line_and_the_others_are_tested(project: Project) -> None:
    """One bad file must not hide the others, nor pass, nor lose its snapshot."""
    project.add(painted())
    project.add(painted(), "house/zz")
    project.test("--update")
    project.add(painted("Paint {{ wal }} in {{ photo }} {{ color }}."))
    project.add(painted().replace("format: 1", "formt: 1"), "house/zz")
    said = project.test("--update", "--json")
    assert said.code == 1
    assert said.kinds == ["broken"] * len(said.kinds)
    assert [(o["recipe"], o["line"]) for o in said.json["failed"]] == [
        ("house/wall", 10), ("house/zz", 1),
    ]  # fmt: skip
    assert project.snapshot().read_text("utf-8") == SNAPSHOT
    assert project.snapshot("house/zz").exists()


def test_example_that_does_not_render_fails_at_its_argument(project: Project) -> None:
    """It names the input; the section that stands there is kept until it renders again."""
    project.add(painted())
    project.test("--update")
    project.add(painted(more=EXAMPLES.replace("2K", "512")))
    said = project.test("--update")
    assert said.code == 1
    assert "house/wall.yaml:20:69: error NR018 broken-example" in said.out
    assert "quality '512' is not offered by pro" in said.out
    assert project.snapshot().read_text("utf-8") == SNAPSHOT


def test_first_snapshot_holds_the_examples_that_render(project: Project) -> None:
    """One bad example does not keep the others from being reviewed."""
    project.add(painted(more=EXAMPLES.replace("2K", "512")))
    said = project.test("--update", "--json")
    assert said.code == 1
    assert said.kinds == ["broken"]
    assert said.json["updated"][0]["examples"] == ["red wall"]
    assert project.snapshot().read_text("utf-8") == SNAPSHOT.partition("\n## on pro")[0]


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{contains: [Paint  the wall]}", None),
        ("{contains: [Paint the door in the image]}",
         "expected the prompt to hold 'Paint the door in the image', "
         "found the nearest is 'Paint the wall in the image red.'"),
        ("{contains: [zzz]}", "expected the prompt to hold 'zzz', found nothing like it"),
        ("{not_contains: [the door]}", None),
        ("{not_contains: [in the image red]}",
         "expected the prompt not to hold 'in the image red', "
         "found it in 'Paint the wall in the image red.'"),
        ("{max_chars: 105}", None),
        ("{max_chars: 104}", "expected a prompt of at most 104 characters, found 105"),
        ("{images: [photo]}", None),
        ("{images: []}", "expected the images none, found photo"),
        ("{images: [photo, other]}", "expected the images photo, other, found photo"),
    ],
)  # fmt: skip
def test_expectation_fails_with_what_was_expected_and_found(
    project: Project, expect: str, message: str | None
) -> None:
    """An assertion that does not say what came costs a second run."""
    project.add(expecting(expect))
    project.test("--update")
    said = project.test("--json")
    assert said.code == (0 if message is None else 1)
    found = [(p["message"], p["line"]) for o in said.json["failed"] for p in o["problems"]]
    assert found == ([] if message is None else [(message, 19)])


def test_update_does_not_hide_a_failed_expectation(project: Project) -> None:
    """What the author wrote down weighs more than what comes out."""
    project.add(expecting("{contains: [blue]}"))
    said = project.test("--update", "--json")
    assert said.code == 1
    assert said.kinds == ["expectation"]
    assert said.json["updated"] == [
        {"path": "recipes/house/__snapshots__/wall.md", "action": "written",
         "examples": ["red wall"]}
    ]  # fmt: skip


def test_json_holds_what_a_pipeline_needs(project: Project) -> None:
    """Kind, place, expected and found are data, not text to be taken apart."""
    project.add(expecting("{max_chars: 1}"))
    data = project.test("--json").json
    assert set(data) == {"files", "examples", "failed", "updated"}
    failed = data["failed"][0]
    assert (failed["recipe"], failed["example"], failed["line"]) == ("house/wall", "red wall", 17)
    assert [p["code"] for p in failed["problems"]] == ["NR050", "NR053"]
    assert (failed["problems"][1]["expected"], failed["problems"][1]["found"]) == ("1", "105")


def test_junit_report_counts_and_names_what_failed(project: Project) -> None:
    """Pipelines show it; the words of the diff and characters that XML lacks must not break it."""
    project.add(painted())
    project.test("--update")
    text = project.snapshot().read_text("utf-8")
    project.snapshot().write_text(text.replace("image red", "image \x1b<&>red"))
    project.add(painted().replace("format: 1", "formt: 1"), "house/zz")
    said = project.test("--junit", "out/junit.xml", "--quiet")
    assert (said.code, said.err) == (1, "")
    root = ET.parse("out/junit.xml").getroot()
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == (
        "testsuites", "3", "1", "1",
    )  # fmt: skip
    wall = root.find("testsuite[@name='house/wall']")
    assert wall is not None
    assert [case.get("name") for case in wall] == ["red wall", "on pro"]
    failure = wall.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "changed-snapshot"
    assert "\ufffd<&>red" in (failure.text or "")


def test_unwritable_places_are_named(project: Project) -> None:
    """A report that silently isn't there is taken for a green one."""
    project.add(painted())
    Path("file").write_text("")
    said = project.test("--junit", "file/junit.xml")
    assert said.code == 3
    assert "can't be written" in said.err
    (project.tree.root / "house" / "__snapshots__").write_text("no folder")
    said = project.test("--update")
    assert said.code == 3
    assert "the snapshot recipes/house/__snapshots__/wall.md can't be written" in said.err


def test_snapshot_that_is_no_plain_file_fails_instead_of_hanging(project: Project) -> None:
    """A pipe would be waited for; a folder can't be compared."""
    project.add(painted())
    project.snapshot().parent.mkdir()
    os.mkfifo(project.snapshot())
    said = project.test()
    assert said.code == 1
    assert "is no plain file" in said.out


def test_linked_snapshot_folder_that_leads_out_is_refused(project: Project) -> None:
    """A library from elsewhere must not write where it likes."""
    project.add(painted())
    outside = project.root / "outside"
    outside.mkdir()
    project.snapshot().parent.symlink_to(outside)
    said = project.test("--update")
    assert said.code == 1
    assert "leads out of" in said.out
    assert list(outside.iterdir()) == []


def test_fences_and_headings_within_a_prompt_stay_within_it(project: Project) -> None:
    """A value may look like Markdown; the section must be found again."""
    value = "````\n## on pro\n````"
    more = EXAMPLES.replace("color: {description: The colour.,", "color: {format: multiline,")
    more = more.replace("color: red}", f"color: {value!r}}}".replace("'", '"'))
    project.add(painted(more=more))
    project.test("--update")
    assert "`````text\nPaint the wall in the image ````↵\n## on pro↵\n````.\n`````\n" in (
        project.snapshot().read_text("utf-8")
    )
    assert project.test().code == 0


def test_names_that_look_alike_have_sections_of_their_own(project: Project) -> None:
    """A heading is one line; two names may be the same on one line."""
    project.add(painted(more=EXAMPLES.replace("name: on pro", 'name: "red\\n wall"')))
    project.test("--update")
    assert "\n## red wall (2)\n" in project.snapshot().read_text("utf-8")
    assert project.test().code == 0


@given(st.text(alphabet='aB .;!?"\n)', max_size=60))
def test_lines_joined_are_the_text_again(text: str) -> None:
    """A snapshot that lost a blank or a break would let it change unseen."""
    lines = split_text(text)
    joined = "".join(
        line.removesuffix(BREAK) + ("\n" if line.endswith(BREAK) else " ") for line in lines
    )
    assert joined[:-1] == text


@given(st.lists(st.sampled_from(["a b c", "a x c", "a b", "d", ""]), max_size=6),
       st.lists(st.sampled_from(["a b c", "a x c", "a b", "d", ""]), max_size=6))  # fmt: skip
def test_diff_is_empty_only_for_equal_texts(old: list[str], new: list[str]) -> None:
    """Every removed and added line is shown, and nothing is shown for no change."""
    before, after = "\n".join(old), "\n".join(new)
    shown = diff(before, after)
    assert (not shown) == (before == after)
    plain = [line for line in shown if not line.startswith("@@")]
    taken = [line[2:].replace("[-", "").replace("-]", "") for line in plain if line[0:1] == "-"]
    added = [line[2:].replace("{+", "").replace("+}", "") for line in plain if line[0:1] == "+"]
    left, right = before.split("\n"), after.split("\n")
    for line in taken:
        left.remove(line)
    for line in added:
        right.remove(line)
    assert sorted(left) == sorted(right)
