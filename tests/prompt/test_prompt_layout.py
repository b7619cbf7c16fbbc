"""The four sections: what stands where, how images are named, and how the prompt closes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from recipe_trees import PHOTO, Tree, pointed_at, recipe_text

from nanorecipes import InputError, LimitError, RenderError

URL = "https://example.test/{}.jpg"


def urls(*names: str) -> dict[str, str]:
    """One picture for each slot."""
    return {name: URL.format(name) for name in names}


def sections(tree: Tree, text: str, **arguments: Any) -> dict[str, str]:
    """The sections of a rendered recipe, by name."""
    return dict(tree.render(text, **arguments).sections)


def test_the_documented_recipe_renders_as_documented(tree: Tree) -> None:
    """The example that the format is explained with, whole."""
    text = """\
format: 1
title: Change outfit
summary: Dress the person in other clothes; face, body, pose and scene stay.
capability: outfit
version: "1.0"
tags: [fashion, person]
changes: part
images:
  person:
    description: The photo to edit.
  garment:
    role: reference
    description: The garment to wear.
    optional: true
params:
  outfit:
    type: string
    maxLength: 200
  fit:
    enum: [slim, regular, oversized]
    default: regular
prompt:
  edit: |
    Replace the clothing of the person in {{ person }} with {{ outfit }}{% if garment %}, the garment shown in {{ garment }}{% endif %}.
  subject: |
    {{ person | capitalize }} shows one person in their present clothes.
  details:
    - The new clothing has a {{ fit }} fit, drapes over the existing pose and folds where the body bends.
    - Its shadows and highlights follow the light already in the picture.
  protect:
    - the person's face, hair, skin tone and expression
    - the pose, the hands and the body's proportions
    - the background, the framing and the light
settings:
  model: pro
  quality: 2K
  aspect_ratio: match
"""  # noqa: E501  # the lines are the recipe's
    recipe = tree.recipe(text)
    assert recipe.render(person=PHOTO, outfit="a tailored navy linen suit").prompt == (
        "Replace the clothing of the person in the image with a tailored navy linen suit.\n\n"
        "The image shows one person in their present clothes.\n\n"
        "The new clothing has a regular fit, drapes over the existing pose and folds where the "
        "body bends. Its shadows and highlights follow the light already in the picture.\n\n"
        "Keep the person's face, hair, skin tone and expression; the pose, the hands and the "
        "body's proportions; and the background, the framing and the light exactly as in the "
        "image. Change nothing else."
    )
    request = recipe.render(person=PHOTO, garment=PHOTO, outfit="this wool coat", fit="oversized")
    assert request.sections[0].text == (
        "Replace the clothing of the person in the first image with this wool coat, the garment "
        "shown in the second image."
    )
    assert request.sections[1].text.startswith("The first image shows")
    assert "exactly as in the first image." in request.sections[3].text


def test_sections_stand_in_the_fixed_order(tree: Tree) -> None:
    """However the file orders its keys: the edit is stated first."""
    text = recipe_text("Edit.", subject="Subject.", details="- Details.")
    head, prompt = text.split("prompt:\n")
    turned = head + (
        "prompt:\n  protect: [the sky]\n  details: [Details.]\n  subject: Subject.\n  edit: Edit.\n"
    )
    assert prompt
    request = tree.render(turned)
    assert [section.name for section in request.sections] == [
        "edit", "subject", "details", "protect"
    ]  # fmt: skip
    assert request.prompt == (
        "Edit.\n\nSubject.\n\nDetails.\n\n"
        "Keep the sky exactly as in the image. Change nothing else."
    )


def test_subject_and_details_may_be_left_out_or_come_out_empty(tree: Tree) -> None:
    """Then nothing stands for them, not even a blank line."""
    assert list(sections(tree, recipe_text())) == ["edit", "protect"]
    text = recipe_text(
        params="a: {default: ''}", subject="{{ a }}", details="- '{% if a %}x{% endif %}'"
    )
    assert list(sections(tree, text)) == ["edit", "protect"]


def test_an_edit_that_comes_out_empty_is_an_error(tree: Tree) -> None:
    """There would be nothing to pay for."""
    text = recipe_text("{% if a %}Do.{% endif %}", params="a: {default: ''}")
    with pytest.raises(RenderError) as caught:
        tree.render(text)
    (finding,) = caught.value.diagnostics
    assert finding.message == "the edit came out empty: it says nothing to do"
    assert pointed_at(finding).startswith("{% if a %}")


def test_nothing_to_protect_is_an_error(tree: Tree) -> None:
    """The model preserves nothing that it isn't told to."""
    text = recipe_text(params="a: {default: ''}", protect='- "{{ a }}"')
    with pytest.raises(RenderError, match="nothing is protected"):
        tree.render(text)
    assert "Keep x exactly" in tree.render(text, a="x").prompt
    assert "Keep y exactly" in tree.render(text, protect=["y"]).prompt


@pytest.mark.parametrize(
    ("changes", "closing"),
    [
        ("part", "Change nothing else."),
        ("background", "Only the background changes."),
        ("look", "The composition and everything in it stay; only the look changes."),
        ("scene", "The rest of the scene may be new."),
    ],
)
def test_the_closing_fits_what_changes(tree: Tree, changes: str, closing: str) -> None:
    """One sentence acts as the mask."""
    prompt = tree.render(recipe_text(changes=changes)).prompt
    assert prompt.endswith(f"Keep the sky exactly as in the image. {closing}")


@pytest.mark.parametrize(
    ("items", "read"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "a"], "a and b"),
        (["a, b", "c"], "a, b; and c"),
        (["a, b and c", "d", "e"], "a, b and c; d; and e"),
        (["a.", "b;", "c,"], "a, b and c"),
        (["a\nb"], "a b"),
    ],
)
def test_lists_read_like_a_sentence(tree: Tree, items: list[str], read: str) -> None:
    """`a, b and c`; where an entry is a list itself, semicolons part the entries."""
    protect = "\n".join(f"- {item!r}".replace("\\n", "\n\n  ") for item in items)
    text = sections(tree, recipe_text(protect=protect))["protect"]
    assert text == f"Keep {read} exactly as in the image. Change nothing else."


def test_details_are_sentences(tree: Tree) -> None:
    """A list is closed sentence by sentence; a text stays one."""
    listed = recipe_text(details="- One\n- Two!\n- Three ('quoted.')\n- 'Four:'\n- five…")
    assert sections(tree, listed)["details"] == "One. Two! Three ('quoted.') Four: five…"
    assert sections(tree, recipe_text(details="One text"))["details"] == "One text."


def test_lines_keep_no_blanks_and_no_blank_lines(tree: Tree) -> None:
    """A blank line would look like the end of a section."""
    edit = "Do\n{% if a %}\n  this\n{% endif %}\n\n\n  and \t that.\n\n"
    assert sections(tree, recipe_text(edit, params="a: {default: x}"))["edit"] == (
        "Do\nthis\nand that."
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("glazed in blue.", "Make it glazed in blue. Go on."),
        ("shout!", "Make it shout! Go on."),
        ("ready?", "Make it ready? Go on."),
        ("wait...", "Make it wait... Go on."),
        ("read 'a..b'", "Make it read 'a..b'. Go on."),
    ],
)
def test_sentence_that_a_value_ends_is_not_ended_twice(tree: Tree, value: str, shown: str) -> None:
    """Many type a full stop; the template around the value has one already."""
    text = recipe_text("Make it {{ a }}. Go on.", params="a: {default: x}")
    assert sections(tree, text, a=value)["edit"] == shown


def test_lettering_keeps_its_own_stops(tree: Tree) -> None:
    """What is to be written stands as it was given."""
    text = recipe_text(
        "Write {{ a }}. Go on.", params="a: {format: verbatim, description: Lettering.}"
    )
    assert sections(tree, text, a="Soon.. now?.")["edit"] == 'Write "Soon.. now?.". Go on.'


def test_callers_add_to_what_is_protected(tree: Tree) -> None:
    """To the list of the first image."""
    text = recipe_text()
    request = tree.render(text, protect=["the red umbrella", " - the hat. ", "the sky"])
    assert request.sections[-1].text == (
        "Keep the sky, the red umbrella and the hat exactly as in the image. Change nothing else."
    )
    assert "the sky and a cat exactly" in tree.render(text, protect="a cat").prompt
    assert tree.render(text, protect=[]).prompt == tree.render(text).prompt


def test_callers_add_notes_to_the_end_of_the_details(tree: Tree) -> None:
    """A sentence of their own, closed, or the only details that there are."""
    text = recipe_text(details="- One.")
    assert sections(tree, text, notes="it rains  a\tlot")["details"] == "One. It rains a lot."
    assert sections(tree, recipe_text(), notes="Rain!")["details"] == "Rain!"
    assert sections(tree, text, notes="")["details"] == "One."
    assert sections(tree, text, notes="a\n\n\nb")["details"] == "One. A\nb."


@dataclass(frozen=True)
class Sent:
    """What is attached, and how the template's words for it come out."""

    id: str
    given: dict[str, Any]
    printed: str
    order: list[tuple[str, str, int]] = field(default_factory=list)


IMAGES = """\
ref: {role: reference, optional: true, label: the style}
main: {label: scene}
more: {role: source, optional: true, max: 3}
last: {role: reference, optional: true}
"""
EDIT = (
    "{{ main }}|{% if more %}{{ more }}{% else %}-{% endif %}|"
    "{% if ref %}{{ ref }} {{ ref.ordinal }} {{ ref.label }}{% else %}-{% endif %}|"
    "{% if last %}{{ last | upper }}{% else %}-{% endif %}"
)
SENT = [
    Sent("one", urls("main"), "the image|-|-|-", [("main", "source", 1)]),
    Sent(
        "sources come before references, as declared",
        {"last": PHOTO, "ref": PHOTO, "main": PHOTO},
        "the first image|-|the second image 2 the style|THE THIRD IMAGE",
        [("main", "source", 1), ("ref", "reference", 2), ("last", "reference", 3)],
    ),
    Sent(
        "a left out one renumbers the others",
        {"main": PHOTO, "last": PHOTO},
        "the first image|-|-|THE SECOND IMAGE",
        [("main", "source", 1), ("last", "reference", 2)],
    ),
    Sent(
        "a list slot",
        {"main": PHOTO, "more": [PHOTO, PHOTO], "ref": PHOTO},
        "the first image|the second and third images|the fourth image 4 the style|-",
        [("main", "source", 1), ("more", "source", 2), ("more", "source", 3),
         ("ref", "reference", 4)],
    ),
    Sent(
        "a list slot with one",
        {"main": PHOTO, "more": PHOTO},
        "the first image|the second image|-|-",
        [("main", "source", 1), ("more", "source", 2)],
    ),
    Sent(
        "a list slot with three",
        {"main": PHOTO, "more": (PHOTO, PHOTO, PHOTO)},
        "the first image|the second, third and fourth images|-|-",
        [("main", "source", 1), ("more", "source", 2), ("more", "source", 3),
         ("more", "source", 4)],
    ),
    Sent("an empty list is none", {"main": PHOTO, "more": []}, "the image|-|-|-",
         [("main", "source", 1)]),
    Sent("None is none", {"main": PHOTO, "more": None, "ref": None}, "the image|-|-|-",
         [("main", "source", 1)]),
]  # fmt: skip


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.id)
def test_ordinals_follow_the_order_really_sent(tree: Tree, case: Sent) -> None:
    """The order is the only handle that the model has."""
    recipe = tree.recipe(recipe_text(EDIT, images=IMAGES, protect="main: [the sky]"))
    request = recipe.render(**case.given)
    assert request.sections[0].text == case.printed
    assert [(image.slot, image.role, image.ordinal) for image in request.images] == case.order
    assert list(recipe.images) == ["main", "more", "ref", "last"]


def test_urls_of_sources_and_references_are_sent_in_that_order(tree: Tree) -> None:
    """The numbers count over `image_urls` and then `reference_images`."""
    recipe = tree.recipe(recipe_text(EDIT, images=IMAGES))
    more = [URL.format("m1"), URL.format("m2")]
    payload = recipe.render(more=more, **urls("main", "ref", "last")).payload()
    assert payload["image_urls"] == [URL.format(name) for name in ("main", "m1", "m2")]
    assert payload["reference_images"] == [URL.format(name) for name in ("ref", "last")]


def test_a_list_slot_can_be_looped_over(tree: Tree) -> None:
    """Each handle with its own number."""
    edit = (
        "{% for person in people %}{{ loop.index }}={{ person }}/{{ person.ordinal }}/"
        "{{ person.label }}{% if not loop.last %}, {% endif %}{% endfor %} of {{ people | length }}"
        " from {{ people.ordinal }}, {{ people.label }}; {{ people[0] }}; {{ people | last }}; "
        "{{ people | join_and('or') }}"
    )
    images = "photo:\npeople: {role: reference, min: 2, max: 6, label: family}"
    recipe = tree.recipe(recipe_text(edit, images=images))
    assert recipe.render(photo=PHOTO, people=[PHOTO, PHOTO]).sections[0].text == (
        "1=the second image/2/family, 2=the third image/3/family of 2 from 2, family; "
        "the second image; the third image; the second image or the third image"
    )


def test_an_absent_list_slot_is_an_empty_list(tree: Tree) -> None:
    """A template may loop over it and count it without asking first."""
    edit = "Do.{% for one in more %}{{ one }}{% endfor %}{{ more | length }}{{ more | join(', ') }}"
    images = "photo:\nmore: {optional: true, max: 3}"
    assert sections(tree, recipe_text(edit, images=images))["edit"] == "Do.0"


@pytest.mark.parametrize(
    ("spec", "least", "most", "required"),
    [
        ("", 1, 1, True),
        ("{optional: true}", 0, 1, False),
        ("{min: 2}", 2, 14, True),
        ("{max: 3}", 1, 3, True),
        ("{max: 3, optional: true}", 0, 3, False),
        ("{min: 0}", 0, 14, False),
        ("{min: 2, max: 4, optional: true}", 2, 4, False),
    ],
)
def test_how_many_pictures_a_slot_takes(
    tree: Tree, spec: str, least: int, most: int, required: bool
) -> None:
    """`min` is 1 unless given, 0 for an optional slot; `max` is 14 for a list."""
    images = f"photo:\nextra: {spec}"
    edit = "Do{% if extra %} {{ extra }}{% endif %}."
    recipe = tree.recipe(recipe_text(edit, images=images, protect="photo: [a]"))
    slot = recipe.images["extra"]
    assert (slot.min, slot.max, slot.is_required) == (least, most, required)
    if required:
        with pytest.raises(InputError, match="the image 'extra' is missing"):
            recipe.render(photo=PHOTO)
    else:
        assert recipe.render(photo=PHOTO).sections[0].text == "Do."
    for count in {max(least, 1), most} - {14}:
        assert len(recipe.render(photo=PHOTO, extra=[PHOTO] * count).images) == count + 1
    for count in {least - 1, most + 1} - {-1, 0}:
        with pytest.raises(InputError, match=rf"extra takes .*, found {count}"):
            recipe.render(photo=PHOTO, extra=[PHOTO] * count)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{min: 4, max: 2}", "min 4 is above max 2"),
        ("{min: 0, optional: false}", "min 0 makes the slot optional, but it says optional: false"),
        ('{label: "a\\u202eb"}', "label holds the control character U+202E"),
    ],
)
def test_a_slot_that_contradicts_itself_is_an_error(tree: Tree, spec: str, message: str) -> None:
    """The author should find it, not the first caller."""
    assert tree.problem(recipe_text("Do.", images=f"photo: {spec}")).message == message


def test_a_label_is_the_name_in_words_unless_given(tree: Tree) -> None:
    """`old_photo` is `old photo` in a sentence."""
    text = recipe_text("{{ old_photo.label }}", images="old_photo:")
    assert tree.recipe(text).render(old_photo=PHOTO).sections[0].text == "old photo"


def test_protect_by_image_drops_what_is_absent(tree: Tree) -> None:
    """Each sentence names the picture that the things are taken from."""
    text = recipe_text(
        images="photo:\nhat: {role: reference, optional: true}",
        protect="hat: [the brim, the colour]\nphoto: [the face]",
    )
    assert sections(tree, text)["protect"] == (
        "Keep the face exactly as in the image. Change nothing else."
    )
    assert sections(tree, text, hat=PHOTO, protect=["the shoes"])["protect"] == (
        "Keep the face and the shoes exactly as in the first image. "
        "Keep the brim and the colour exactly as in the second image. Change nothing else."
    )


def test_protect_as_a_list_is_of_the_first_image_attached(tree: Tree) -> None:
    """Whichever that is."""
    text = recipe_text(
        "{{ b }}{% if a %}{{ a }}{% endif %}", images="a: {optional: true, label: x}\nb:"
    )
    recipe = tree.recipe(text)
    assert "exactly as in the image." in recipe.render(b=PHOTO).prompt
    assert "exactly as in the first image." in recipe.render(a=PHOTO, b=PHOTO).prompt


def test_protect_names_images_of_the_recipe(tree: Tree) -> None:
    """A misspelt one would protect nothing."""
    finding = tree.problem(recipe_text(protect="phto: [a]"))
    assert (finding.message, finding.help) == ("there is no image 'phto'", "did you mean 'photo'?")
    assert pointed_at(finding) == "phto"


def test_protect_entries_are_templates(tree: Tree) -> None:
    """With values and conditions; an empty one is dropped."""
    text = recipe_text(
        params="a: {default: ''}",
        protect='- the sky\n- "{% if a %}the {{ a }}{% endif %}"',
    )
    assert sections(tree, text)["protect"].startswith("Keep the sky exactly")
    assert sections(tree, text, a="hat")["protect"].startswith("Keep the sky and the hat exactly")


def test_no_source_attached_is_a_limit(tree: Tree) -> None:
    """The service edits at least one picture; nothing is rendered without."""
    images = "photo: {optional: true}\nref: {role: reference, optional: true}"
    text = recipe_text("Do{% if photo %} {{ photo }}{% endif %}.", images=images)
    for given in ({}, {"ref": PHOTO}):
        with pytest.raises(LimitError) as caught:
            tree.recipe(text).render(**given)
        (finding,) = caught.value.diagnostics
        assert finding.message == "0 source images, allowed are 1 to 14"


def test_the_ordinals_reach_the_twenty_eighth(tree: Tree) -> None:
    """14 sources and 14 references is the most that is sent."""
    images = "photos: {min: 1}\nrefs: {role: reference, min: 1}"
    text = recipe_text("{{ refs | last }}", images=images, protect="photos: [a]")
    request = tree.recipe(text).render(photos=[PHOTO] * 14, refs=[PHOTO] * 14)
    assert request.sections[0].text == "the twenty-eighth image"
    assert "the first, second, third, fourth" in request.sections[1].text


def test_model_is_flash_pro_or_the_full_id(tree: Tree) -> None:
    """A template may speak to one of them alone."""
    text = recipe_text("{{ model }}{% if model == 'pro' %}!{% endif %}")
    for given, printed in (
        (None, "flash"), ("flash", "flash"), ("pro", "pro!"), ("vertex/nano-banana-pro", "pro!"),
        ("vertex/nano-banana-flash", "flash"), ("other/model-9", "other/model-9"),
    ):  # fmt: skip
        assert sections(tree, text, model=given)["edit"] == printed
