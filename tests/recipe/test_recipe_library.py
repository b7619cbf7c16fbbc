"""Libraries: search order, names, duplicates, links, hashes, and reading a file again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from recipe_trees import PHOTO, Tree, recipe_text

from nanorecipes import InputError, Library, RecipeError, UnknownRecipeError
from nanorecipes.search_path import built_in, search_path

IMPORT = '{% from "_macros/say.jinja" import say %}'


@pytest.fixture
def trees(tree: Tree) -> tuple[Tree, Tree]:
    """Two libraries."""
    return Tree(tree.root / "one"), Tree(tree.root / "two")


def both(trees: tuple[Tree, Tree]) -> Library:
    """The two as one, in order."""
    return Library(trees[0].root, trees[1].root)


def test_a_library_is_a_mapping_of_names_to_recipes(tree: Tree) -> None:
    """All that a mapping can do."""
    tree.add("b/two", recipe_text(title="Two"))
    tree.add("a/one", recipe_text(title="One"))
    tree.add("a/deeper/three", recipe_text(title="Three"))
    library = tree.library
    assert isinstance(library, Mapping)
    assert list(library) == ["a/deeper/three", "a/one", "b/two"]
    assert len(library) == 3
    assert "a/one" in library
    assert "a/none" not in library
    names: list[object] = [5, None]
    assert not any(name in library for name in names)
    assert [recipe.title for recipe in library.values()] == ["Three", "One", "Two"]
    assert library.get("a/none") is None
    assert library.get("a/one") is library["a/one"]
    assert library.get("a/none", 5) == 5
    assert repr(library) == f"<Library {tree.root}>"


def test_an_unknown_name_suggests_the_nearest(tree: Tree) -> None:
    """It is a LookupError too."""
    tree.add("outfit/change_outfit", recipe_text())
    with pytest.raises(UnknownRecipeError) as caught:
        tree.library["outfit/chnage_outfit"]
    assert isinstance(caught.value, LookupError)
    assert caught.value.suggestions == ("outfit/change_outfit",)
    assert str(caught.value) == (
        "there is no recipe 'outfit/chnage_outfit'. Did you mean 'outfit/change_outfit'?"
    )


def test_a_name_without_its_group_suggests_those_that_have_it(tree: Tree) -> None:
    """The group is what people forget."""
    for name in ("edit/replace", "background/replace", "edit/resplice"):
        tree.add(name, recipe_text())
    with pytest.raises(UnknownRecipeError) as caught:
        tree.library["replace"]
    assert set(caught.value.suggestions) == {"background/replace", "edit/replace"}


def test_a_group_says_what_it_holds(tree: Tree) -> None:
    """`show edit` is what people type first."""
    for name in ("edit/one", "edit/two", "style/three"):
        tree.add(name, recipe_text())
    for name in ("edit", "edit/"):
        with pytest.raises(UnknownRecipeError) as caught:
            tree.library[name]
        assert caught.value.suggestions == ("edit/one", "edit/two")
        assert str(caught.value).endswith("It is a group: 'edit/one', 'edit/two', ...")
        assert caught.value.help == "`nanorecipes list edit/` shows all of them"


def test_a_shared_group_alone_is_no_likeness(tree: Tree) -> None:
    """The first letters of every recipe of a group are the same."""
    tree.add("edit/colorize", recipe_text())
    with pytest.raises(UnknownRecipeError) as caught:
        tree.library["edit/nope"]
    assert caught.value.suggestions == ()


@pytest.mark.parametrize(
    "name",
    [
        "", "name", "group/", "/name", "../group/name", "group/../name", "Group/name", "/etc/x",
        "group//name", "group/name.yaml", "group/na me", "group/1a", "_macros/x", ".git/x",
        "group/name\n",
    ],
)  # fmt: skip
def test_what_is_no_name_finds_no_file(tree: Tree, name: str) -> None:
    """A name is looked up below the library and nowhere else."""
    tree.add("group/name", recipe_text())
    assert name not in tree.library
    with pytest.raises(UnknownRecipeError):
        tree.library[name]


@pytest.mark.parametrize("name", ["Group/name", "group/Name", "group/na-me", "group/1a", "lone"])
def test_a_file_whose_name_is_none_is_reported(tree: Tree, name: str) -> None:
    """It would never be found, and its author would wonder."""
    tree.add(name, recipe_text())
    library = tree.library
    assert list(library) == []
    ((entry, error),) = library.scan()
    assert entry.name == name
    assert isinstance(error, RecipeError)
    assert error.diagnostics[0].code == "NR007"
    assert error.diagnostics[0].help is not None


def test_folders_and_files_with_a_mark_hold_no_recipes(tree: Tree) -> None:
    """Macros, snapshots and hidden folders are something else."""
    for name in ("_macros/x", "__snapshots__/x", ".hidden/x", "group/_x", "group/.x"):
        tree.add(name, recipe_text())
    tree.write("group/readme.md", "x")
    assert list(tree.library.scan()) == []


def test_the_first_library_wins_when_its_file_says_so(trees: tuple[Tree, Tree]) -> None:
    """`overrides: true` is how a project stands before the built-in library on purpose."""
    trees[0].add("group/name", recipe_text(title="Own", more="overrides: true"))
    trees[1].add("group/name", recipe_text(title="Other"))
    assert both(trees)["group/name"].title == "Own"
    assert [(entry.folder.path, item.title) for entry, item in _found(both(trees))] == [
        (trees[0].root, "Own")
    ]


def test_the_same_name_twice_is_an_error_that_names_both_files(trees: tuple[Tree, Tree]) -> None:
    """A silent winner would change what is paid for."""
    first = trees[0].add("group/name", recipe_text())
    second = trees[1].add("group/name", recipe_text(more="overrides: true"))
    with pytest.raises(RecipeError) as caught:
        both(trees)["group/name"]
    (finding,) = caught.value.diagnostics
    assert finding.message == f"'group/name' stands in two libraries: {first} and {second}"
    assert finding.help == f"rename one, or say `overrides: true` in {first}"
    assert finding.code == "NR021"


def test_a_duplicate_is_reported_in_a_list(trees: tuple[Tree, Tree]) -> None:
    """The first is listed, the second is the finding."""
    trees[0].add("group/name", recipe_text())
    trees[1].add("group/name", recipe_text())
    (_, first), (entry, second) = both(trees).scan()
    assert not isinstance(first, RecipeError)
    assert entry.folder.path == trees[1].root
    assert isinstance(second, RecipeError)
    assert len(both(trees)) == 1


def test_a_broken_file_does_not_hide_the_others(tree: Tree) -> None:
    """A list shows what can be used, and what is wrong with the rest."""
    tree.add("group/bad", "nonsense: 1\n")
    tree.add("group/good", recipe_text(title="Good"))
    (_, bad), (_, good) = tree.library.scan()
    assert isinstance(bad, RecipeError)
    assert not isinstance(good, RecipeError)


def _found(library: Library) -> list[tuple[Any, Any]]:
    return list(library.scan())


def test_a_file_is_read_again_when_it_has_changed(tree: Tree) -> None:
    """An author sees the change in the running program, and others the same object."""
    path = tree.add("group/name", recipe_text(title="Before"))
    library = tree.library
    first = library["group/name"]
    assert library["group/name"] is first
    path.write_text(recipe_text(title="Behind"))
    os.utime(path, ns=(1, 1))
    assert library["group/name"].title == "Behind"
    assert first.title == "Before"


def test_a_parent_or_macro_that_has_changed_is_read_again(tree: Tree) -> None:
    """Also a macro that a macro imports, and one that wasn't there."""
    tree.macro("inner", "{% macro word() %}one{% endmacro %}")
    tree.macro(
        "say",
        '{% from "_macros/inner.jinja" import word %}'
        "{% macro say() %}{{ word() }} {{ word() }}{% endmacro %}",
    )
    tree.add("group/parent", recipe_text(IMPORT + "{{ say() }}"))
    tree.add("group/child", "format: 1\ntitle: T\nsummary: S\nextends: group/parent\n")
    library = tree.library
    before = library["group/child"].render(photo=PHOTO)
    inner = tree.macro("inner", "{% macro word() %}two{% endmacro %}")
    os.utime(inner, ns=(1, 1))
    after = library["group/child"].render(photo=PHOTO)
    assert (before.sections[0].text, after.sections[0].text) == ("one one", "two two")
    assert before.hash != after.hash
    inner.unlink()
    with pytest.raises(RecipeError, match="there is no macro file"):
        library["group/child"].render(photo=PHOTO)
    tree.macro("inner", "{% macro word() %}six{% endmacro %}")
    assert library["group/child"].render(photo=PHOTO).sections[0].text == "six six"


def test_the_content_hash_is_that_of_file_parent_and_macros(tree: Tree) -> None:
    """What a result was made from can be proven later."""
    say = "{% macro say() %}x{% endmacro %}"
    other = "{% macro other() %}x{% endmacro %}"

    def hashes() -> list[str]:
        return [tree.library[name].hash for name in ("group/plain", "group/user", "group/child")]

    tree.macro("say", say)
    tree.macro("other", other)
    tree.add("group/plain", recipe_text())
    tree.add("group/user", recipe_text(IMPORT + "{{ say() }}"))
    tree.add("group/child", "format: 1\ntitle: T\nsummary: S\nextends: group/user\n")
    first = hashes()
    assert len({*first}) == 3
    assert all(len(item) == 64 for item in first)
    assert hashes() == first
    tree.macro("other", other + "{# more #}")
    assert hashes() == first, "a macro file that nothing imports"
    tree.macro("say", say + "{# more #}")
    second = hashes()
    assert [a == b for a, b in zip(first, second, strict=True)] == [True, False, False]
    tree.add("group/user", recipe_text(IMPORT + "{{ say() }}", title="Other"))
    third = hashes()
    assert [a == b for a, b in zip(second, third, strict=True)] == [True, False, False]


def test_the_content_hash_does_not_depend_on_where_the_library_lies(
    trees: tuple[Tree, Tree],
) -> None:
    """Two machines with the same files get the same hash."""
    for tree in trees:
        tree.macro("say", "{% macro say() %}x{% endmacro %}")
        tree.add("group/name", recipe_text(IMPORT + "{{ say() }}"))
    assert trees[0].library["group/name"].hash == trees[1].library["group/name"].hash


@pytest.mark.parametrize(
    "edit",
    [
        'prompt: {edit: "{% from \\"_macros/say.jinja\\" import say %}{{ say() }}"',
        "prompt: {edit: \"{%- from'_macros/say.jinja'import say %}{{ say() }}\"",
        'prompt: {edit: "{% fr\\x6fm \\"_macros/say.jinja\\" \\x69mport say %}{{ say() }}"',
    ],
)
def test_however_an_import_is_written_its_macro_counts(tree: Tree, edit: str) -> None:
    """A prompt that changes under the same hash would be a lie."""
    macro = tree.macro("say", "{% macro say() %}one{% endmacro %}")
    text = recipe_text().split("prompt:")[0] + edit + ", protect: [the sky]}\n"
    library = tree.library
    tree.add("group/name", text)
    before = library["group/name"].render(photo=PHOTO)
    tree.macro("say", "{% macro say() %}two{% endmacro %}")
    os.utime(macro, ns=(1, 1))
    after = library["group/name"].render(photo=PHOTO)
    assert (before.sections[0].text, after.sections[0].text) == ("one", "two")
    assert before.hash != after.hash


def test_a_deprecated_recipe_says_what_to_use(tree: Tree) -> None:
    """In the request's warnings, where a caller sees it before paying."""
    more = "deprecated: {use: group/other, after: 2027-01-01}"
    request = tree.render(recipe_text(more=more))
    assert request.warnings == (
        "group/name is deprecated and may be gone after 2027-01-01: use group/other",
    )
    request = tree.render(recipe_text(more="deprecated: {use: group/other}"))
    assert request.warnings == ("group/name is deprecated: use group/other",)


def test_version_is_text(tree: Tree) -> None:
    """It is the author's, and the default is 1.0."""
    assert tree.recipe(recipe_text(more='version: "1.10"')).version == "1.10"
    assert tree.recipe(recipe_text()).version == "1.0"


def link(path: Path, target: Path) -> None:
    """A symbolic link, or a skipped test where the system has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.symlink_to(target)
    except OSError:  # pragma: no cover  # Windows without the right to
        pytest.skip("symbolic links are not allowed here")


@pytest.mark.parametrize("place", ["group/name.yaml", "group", "group/deep"])
def test_a_link_that_leads_out_of_the_library_is_refused(
    trees: tuple[Tree, Tree], place: str
) -> None:
    """A file, its folder, or a folder above it."""
    inside, outside = trees
    name = "group/deep/name" if place != "group/name.yaml" else "group/name"
    outside.add(name, recipe_text())
    inside.root.mkdir(exist_ok=True)
    link(inside.root / place, outside.root / place)
    with pytest.raises(RecipeError, match="leads out of its library") as caught:
        inside.library[name]
    assert caught.value.diagnostics[0].code == "NR024"


def test_a_link_inside_the_library_is_followed(tree: Tree) -> None:
    """By its name and in a list."""
    path = tree.add("group/name", recipe_text())
    link(tree.root / "group" / "alias.yaml", path)
    link(tree.root / "other", tree.root / "group")
    library = tree.library
    assert list(library) == ["group/alias", "group/name", "other/alias", "other/name"]
    assert library["other/name"].title == "Title"
    assert library["group/alias"].title == "Title"


def test_links_in_a_circle_end(tree: Tree) -> None:
    """A list of names must not walk for ever."""
    tree.add("a/name", recipe_text())
    tree.add("b/name", recipe_text())
    link(tree.root / "a" / "b", tree.root / "b")
    link(tree.root / "b" / "a", tree.root / "a")
    link(tree.root / "a" / "self", tree.root / "a")
    link(tree.root / "a" / "top", tree.root)
    assert list(tree.library) == ["a/b/name", "a/name", "b/a/name", "b/name"]


def test_a_macro_outside_the_library_is_not_found(trees: tuple[Tree, Tree]) -> None:
    """Nothing in a recipe can name a file outside its library."""
    inside, outside = trees
    outside.macro("say", "{% macro say() %}secret{% endmacro %}")
    inside.add("group/name", recipe_text(IMPORT + "{{ say() }}"))
    link(inside.root / "_macros" / "say.jinja", outside.root / "_macros" / "say.jinja")
    with pytest.raises(RecipeError, match=r"there is no macro file '_macros/say\.jinja'"):
        inside.library["group/name"].render(photo=PHOTO)
    link(inside.root / "_macros" / "own.jinja", inside.root / "_macros" / "real.jinja")
    inside.macro("real", "{% macro say() %}inside{% endmacro %}")
    text = recipe_text(IMPORT.replace("say.jinja", "own.jinja") + "{{ say() }}")
    assert inside.render(text).sections[0].text == "inside"


def test_the_search_order(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Project, environment, user, installed packs, built-in."""
    project, first, second, user = (
        tree.root / name for name in ("work/recipes", "first", "second", "home/nanorecipes/recipes")
    )
    pack = tree.root / "site" / "ourpack"
    for folder, title in (
        (project, "project"), (first, "first"), (second, "second"), (user, "user"),
        (pack / "recipes", "pack"),
    ):  # fmt: skip
        Tree(folder).add(f"where/{title}", recipe_text(title=title))
    (pack / "__init__.py").write_text("raise RuntimeError('a pack is read, not run')")
    info = tree.root / "site" / "ourpack-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[nanorecipes.packs]\nours = ourpack\n")
    monkeypatch.chdir(project.parent)
    monkeypatch.syspath_prepend(str(tree.root / "site"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tree.root / "home"))
    monkeypatch.setenv("NANORECIPES_PATH", os.pathsep.join([str(first), str(second)]))
    labels = [(folder.label, folder.path) for folder in search_path()]
    ours = [item for item in labels if item[0] in ("project", "path", "user", "pack ours")]
    assert ours == [
        ("project", Path("recipes")), ("path", first), ("path", second), ("user", user),
        ("pack ours", pack / "recipes"),
    ]  # fmt: skip
    assert labels[-1] == ("built-in", built_in())
    library = Library()
    for title in ("project", "first", "second", "user", "pack"):
        assert library[f"where/{title}"].title == title
    assert "edit/change_part" in library
    assert "ourpack" not in sys.modules


def test_the_built_in_library_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ships with the package."""
    monkeypatch.chdir(tmp_path)
    assert "outfit/change_outfit" in Library()


def test_the_built_in_macros_can_be_used_from_any_library(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An own macro file of the same name stands before them."""
    monkeypatch.setenv("NANORECIPES_PATH", str(tree.root))
    name = sorted(path.name for path in (built_in() / "_macros").glob("light.jinja"))[0]
    text = recipe_text(
        f'{{% from "_macros/{name}" import same_light %}}{{{{ same_light("the hat", photo) }}}}'
    )
    tree.add("own/name", text)
    library = Library()
    built_in_words = library["own/name"].render(photo=PHOTO).sections[0].text
    assert "the hat" in built_in_words
    before = library["own/name"].hash
    tree.macro("light", "{% macro same_light(a, b) %}own {{ a }}{% endmacro %}")
    request = library["own/name"].render(photo=PHOTO)
    assert request.sections[0].text == "own the hat"
    assert request.hash != before


def test_a_folder_that_is_not_there_is_an_empty_library(tmp_path: Path) -> None:
    """It may be made later."""
    library = Library(tmp_path / "none")
    assert len(library) == 0
    Tree(tmp_path / "none").add("group/name", recipe_text())
    assert library["group/name"].title == "Title"


@pytest.mark.parametrize("text", ["a.jpg", b"x", 5, ""])
def test_a_recipe_of_no_name_is_unknown(tree: Tree, text: Any) -> None:
    """Whatever is asked for."""
    with pytest.raises((UnknownRecipeError, TypeError)):
        tree.library[text]


def test_open_knows_the_library_of_a_file(tree: Tree) -> None:
    """By the folders of the library, by `_macros`, or by a folder named recipes."""
    tree.macro("say", "{% macro say() %}x{% endmacro %}")
    path = tree.add("group/name", recipe_text(IMPORT + "{{ say() }}"))
    assert tree.library.open(path).name == "group/name"
    elsewhere = Library(tree.root / "elsewhere")
    opened = elsewhere.open(path)
    assert (opened.name, opened.path) == ("group/name", path)
    assert opened.render(photo=PHOTO).sections[0].text == "x"
    lone = Tree(tree.root / "pack" / "recipes").add("a/b", recipe_text())
    assert elsewhere.open(str(lone)).name == "a/b"
    with pytest.raises(RecipeError, match="can't be read"):
        elsewhere.open(tree.root / "none.yaml")


def test_more_macro_files_than_anyone_reads_are_refused(tree: Tree) -> None:
    """Each is read before the recipe can be listed."""
    lines = [f'{{% from "_macros/m{n}.jinja" import m %}}' for n in range(51)]
    finding = tree.problem(recipe_text("\n".join(lines)))
    assert "imports more than 50 macro files" in finding.message


def test_join_under_keeps_names_inside(tmp_path: Path) -> None:
    """The one door for names that come from a recipe or a row."""
    from nanorecipes.files import join_under

    assert join_under(tmp_path, "a/b.txt") == tmp_path / "a" / "b.txt"
    link(tmp_path / "out", Path("/"))
    for name in ("", "../x", "a/../../x", "/etc/passwd", "out/etc", "a\x00b"):
        with pytest.raises(InputError):
            join_under(tmp_path, name)
