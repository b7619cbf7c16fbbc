# ruff: noqa: E501  # what a person sees stands here as it is printed
"""The rules about speaking of images by example: NR13x."""

from __future__ import annotations

from lint_desk import recipe
from rule_case import Case

ROOM_AND_LAMP = """
room: {description: The room.}
lamp: {role: reference, description: The lamp.}
"""
LAMP_PLACED = "Place the lamp of {{ lamp }} on the table in {{ room }}, twice as tall as the jug."
KEPT = "room: [the table and the jug]\nlamp: [the shade and the base]"


def two(edit: str = LAMP_PLACED, **parts: str) -> str:
    """A recipe with two images, a room and a lamp."""
    return recipe(edit, **{
        "images": ROOM_AND_LAMP, "protect": KEPT, "capability": "composition", **parts,
    })  # fmt: skip


def styled(edit: str) -> str:
    """A recipe that takes a style from a painting."""
    return recipe(
        edit,
        images="""
            photo: {description: The house.}
            painting: {role: reference, description: A painting.}
            """,
        protect="photo: [the number of windows]",
        capability="style",
        changes="look",
    )


CASES = (
    Case(
        "bare-pronoun",
        bad=two(details="- Light it from the left."),
        said="""
            wall.yaml:15:13: warning NR130 bare-pronoun: 'it' may stand for more than one of the images
              15 |     - Light it from the left.
                 |             ^^
              help: repeat the role and a visible mark: 'the man with the grey beard'
            """,
        good=two(details="- Light the lamp and its base from the left."),
    ),
    Case(
        "hand-written-ordinal",
        bad=two(details="- The shade has the colour of the second image."),
        said="""
            wall.yaml:15:39: warning NR131 hand-written-ordinal: 'second image' counts an image by hand
              15 |     - The shade has the colour of the second image.
                 |                                       ^^^^^^^^^^^^
              help: write the handle: {{ room }} or {{ lamp }}
            """,
        good=two(
            details="- The shade has the colour that it has in {{ lamp }}, on the second shelf."
        ),
    ),
    Case(
        "roleless-image",
        bad=two("Paint the wall in {{ room }} red. See also {{ lamp }}.", protect="- the table"),
        said="""
            wall.yaml:13:48: warning NR132 roleless-image: the image 'lamp' is mentioned, but not what it shows or gives
              13 |     Paint the wall in {{ room }} red. See also {{ lamp }}.
                 |                                                ^^^^^^^^^^
              help: say what comes from it: 'the coat of {{ lamp }}'
            """,
        good=two(
            "Paint the wall in {{ room }} in the red of the lamp in {{ lamp }}.",
            protect="- the table",
        ),
    ),
    Case(
        "overloaded-image",
        bad=two(LAMP_PLACED + "\nPaint the walls in the colour of {{ lamp }}."),
        said="""
            wall.yaml:14:24: warning NR133 overloaded-image: 'lamp' has to give 'lamp' and 'colour'
              14 |     Paint the walls in the colour of {{ lamp }}.
                 |                        ^^^^^^^^^^
              help: give each image one role: a second image, or words, for the other
            """,
        good=two(LAMP_PLACED + "\nPaint the walls in a warm grey."),
    ),
    Case(
        "unbounded-style-reference",
        bad=styled("Repaint {{ photo }} in the style of {{ painting }}."),
        said="""
            wall.yaml:13:25: warning NR134 unbounded-style-reference: the style comes from 'painting', and nothing keeps its objects out
              13 |     Repaint {{ photo }} in the style of {{ painting }}.
                 |                         ^^^^^^^^^^^^^^^
              help: add: Take only the style from {{ painting }}.
            """,
        good=styled(
            "Repaint {{ photo }} in the style of {{ painting }}. "
            "Take only the style from {{ painting }}: the medium and the line."
        ),
    ),
)
