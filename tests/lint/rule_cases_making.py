# ruff: noqa: E501  # what a person sees stands here as it is printed
"""The rules about lettering, placing, bounds and the interface by example: NR14x to NR16x."""

from __future__ import annotations

from lint_desk import recipe
from rule_case import Case


def choir(most: int, model: str) -> str:
    """A recipe that gathers up to so many people."""
    return recipe(
        "Place the singers of {{ singers }} on the stage in {{ stage }}, each a third as tall as the curtain.",
        images=f"""
            stage: {{description: The stage.}}
            singers:
              role: reference
              min: 2
              max: {most}
              description: One portrait for each singer.
            """,
        protect="stage: [the curtain]\nsingers: [the faces and the hair]",
        capability="composition",
        more=f"settings: {{model: {model}}}",
    )


def lettered(form: str, longest: int, edit: str, model: str = "flash") -> str:
    """A recipe that letters a caller's text on the wall."""
    return recipe(
        edit,
        params=f"text: {{format: {form}, maxLength: {longest}, description: The words.}}",
        more=f"settings: {{model: {model}}}",
    )


def texts(*lengths: int) -> str:
    """A recipe whose caller may write texts of these lengths."""
    names = [f"part_{number}" for number in range(1, len(lengths) + 1)]
    return recipe(
        f"Paint the wall in {{{{ photo }}}} in {' and '.join(f'{{{{ {name} }}}}' for name in names)}.",
        params="\n".join(
            f"{name}: {{format: multiline, maxLength: {length}, description: A colour.}}"
            for name, length in zip(names, lengths, strict=True)
        ),
    )


PAINTED = "Paint {{ text }} on the wall in {{ photo }}, half as wide as the door."

CASES = (
    Case(
        "unquoted-lettering",
        bad=recipe("Add the text Summer Sale on the wall in {{ photo }}, as wide as the door."),
        said="""
            wall.yaml:10:18: warning NR140 unquoted-lettering: the lettering 'Summer Sale' does not stand in quotes
              10 |     Add the text Summer Sale on the wall in {{ photo }}, as wide as the door.
                 |                  ^^^^^^^^^^^
              help: put what shall be read into quotes, as in: the text "Summer Sale"
            """,
        good=recipe('Add the text "Summer Sale" on the wall in {{ photo }}, as wide as the door.'),
    ),
    Case(
        "dense-lettering-on-flash",
        bad=lettered("verbatim", 80, PAINTED),
        said="""
            wall.yaml:12:11: warning NR141 dense-lettering-on-flash: a lettering of up to 80 characters, to be lettered by flash
              12 |     Paint {{ text }} on the wall in {{ photo }}, half as wide as the door.
                 |           ^^^^^^^^^^
              help: use model: pro, or bound the lettering with maxLength: 60
            """,
        good=lettered("verbatim", 80, PAINTED, model="pro"),
    ),
    Case(
        "placement-without-size",
        bad=recipe("Place a bench beside the door in {{ photo }}."),
        said="""
            wall.yaml:10:5: warning NR142 placement-without-size: 'Place a bench' is told, but not how large it is
              10 |     Place a bench beside the door in {{ photo }}.
                 |     ^^^^^
              help: give a share or a comparison: 'a third as wide as the mug', '150 cm tall'
            """,
        good=recipe("Place a bench beside the door in {{ photo }}, half as high as the sill."),
    ),
    Case(
        "removal-without-reveal",
        bad=recipe("Remove the lamp post in front of the house in {{ photo }}."),
        said="""
            wall.yaml:10:5: warning NR143 removal-without-reveal: something is removed, and nothing says what shows in its place
              10 |     Remove the lamp post in front of the house in {{ photo }}.
                 |     ^^^^^^^^^^^^^^^^^^^^
              help: add what comes into view: 'revealing the brick wall behind'
            """,
        good=recipe(
            "Remove the lamp post in front of the house in {{ photo }}, revealing the porch."
        ),
    ),
    Case(
        "too-many-people",
        bad=choir(5, "flash"),
        said="""
            wall.yaml:12:10: warning NR150 too-many-people: up to 5 people are to be kept, flash keeps 4 apart
              12 |     max: 5
                 |          ^
              help: lower `max`, or make several pictures
            """,
        good=choir(5, "pro"),
    ),
    Case(
        "overlong-prompt",
        bad=texts(1500, 1500, 1500),
        said="""
            wall.yaml:12:1: error NR151 overlong-prompt: the longest prompt has 4602 characters, allowed are 4000
              12 | prompt:
                 | ^^^^^^
              help: bound the longest parameters with maxLength or maxItems
            """,
        good=texts(1500, 1500),
    ),
    Case(
        "nearly-overlong-prompt",
        bad=texts(1500, 1500, 700),
        said="""
            wall.yaml:12:1: warning NR152 nearly-overlong-prompt: the longest prompt has 3802 of 4000 characters
              12 | prompt:
                 | ^^^^^^
              help: bound the longest parameters with maxLength or maxItems
            """,
        good=texts(1500, 1500, 300),
    ),
    Case(
        "missing-description",
        bad=recipe(images="photo: {description: '...'}"),
        said="""
            wall.yaml:7:24: warning NR160 missing-description: nothing tells what the image 'photo' is for
              7 |   photo: {description: '...'}
                |                        ^^^^^
              help: say in a few words what the caller should pass
            """,
        good=recipe(images="photo: {description: A house.}"),
    ),
    Case(
        "changes-mismatch",
        bad=recipe("Repaint {{ photo }} as a watercolour.", capability="style", changes="part"),
        said="""
            wall.yaml:5:10: error NR161 changes-mismatch: changes: part does not fit the capability 'style'
              5 | changes: part
                |          ^^^^
              help: write changes: look, or choose another capability
            """,
        good=recipe("Repaint {{ photo }} as a watercolour.", capability="style", changes="look"),
    ),
)
