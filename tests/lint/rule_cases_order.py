# ruff: noqa: E501  # what a person sees stands here as it is printed
"""The rules about order, protection and words by example: NR10x, NR11x and NR12x."""

from __future__ import annotations

from lint_desk import recipe
from rule_case import Case

CASES = (
    Case(
        "edit-not-leading",
        bad=recipe("In {{ photo }}, paint the wall red."),
        said="""
            wall.yaml:10:5: warning NR101 edit-not-leading: the edit does not begin with its order
              10 |     In {{ photo }}, paint the wall red.
                 |     ^^
              help: begin with the verb that names the operation: Paint ...
            """,
        good=recipe("Paint the wall in {{ photo }} red."),
    ),
    Case(
        "describing-edit",
        bad=recipe("A photo of the house in {{ photo }} with red walls."),
        said="""
            wall.yaml:10:5: warning NR102 describing-edit: the edit describes or wishes; it orders nothing
              10 |     A photo of the house in {{ photo }} with red walls.
                 |     ^^^^^^^^^^^^^^^^^^^^^^^
              help: command the change: Replace ... with ..., Recolour ... to ...
            """,
        good=recipe("Paint the walls of the house in {{ photo }} red."),
    ),
    Case(
        "edit-in-subject",
        bad=recipe(subject="A cottage by the sea. The roof should become green."),
        said="""
            wall.yaml:12:36: warning NR103 edit-in-subject: 'should become' tells a change, not the picture as it is
              12 |     A cottage by the sea. The roof should become green.
                 |                                    ^^^^^^^^^^^^^
              help: describe what is there before the edit; put the order into `edit`
            """,
        good=recipe(subject="A cottage by the sea. The roof became green over the years."),
    ),
    Case(
        "vague-protection",
        bad=recipe(protect="- everything else"),
        said="""
            wall.yaml:12:7: warning NR110 vague-protection: 'everything else' names nothing that can be pointed at
              12 |     - everything else
                 |       ^^^^^^^^^^^^^^^
              help: name the things: faces, hands, edges, lettering, the framing, what stands beside
            """,
        good=recipe(protect="- everything else\n- the windows and their shutters"),
    ),
    Case(
        "protect-not-noun-phrase",
        bad=recipe(protect="- the sky\n- keep the windows as they are"),
        said="""
            wall.yaml:13:7: warning NR111 protect-not-noun-phrase: 'keep the windows as they are' is an order, not a thing
              13 |     - keep the windows as they are
                 |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              help: name the thing alone: it goes into 'Keep ... exactly as in the image.'
            """,
        good=recipe(protect="- the sky\n- the ivy that climbs beside the windows"),
    ),
    Case(
        "contradictory-protection",
        bad=recipe(
            "Turn the day in {{ photo }} into night.",
            changes="look",
            protect="- the house\n- the lighting",
        ),
        said="""
            wall.yaml:13:7: error NR112 contradictory-protection: 'the lighting' is protected, but the edit changes the light
              13 |     - the lighting
                 |       ^^^^^^^^^^^^
              help: protect what stays of it, or take the item out
            """,
        good=recipe(
            "Turn the day in {{ photo }} into night.",
            changes="look",
            protect="- the house\n- the lamp above the door",
        ),
    ),
    Case(
        "negative-content",
        bad=recipe("Replace the street in {{ photo }} with a square without cars."),
        said="""
            wall.yaml:10:53: warning NR120 negative-content: 'without cars' asks for what should be absent
              10 |     Replace the street in {{ photo }} with a square without cars.
                 |                                                     ^^^^^^^^^^^^
              help: name what should be there instead, as in 'an empty street'
            """,
        good=recipe(
            "Replace the street in {{ photo }} with an empty square without moving the house."
        ),
    ),
    Case(
        "keyword-soup",
        bad=recipe("Paint the wall in {{ photo }} red, 8k, masterpiece, best quality."),
        said="""
            wall.yaml:10:40: warning NR121 keyword-soup: '8k' is a tag, which orders nothing
              10 |     Paint the wall in {{ photo }} red, 8k, masterpiece, best quality.
                 |                                        ^^
              help: say in a sentence what shall be seen: material, light, edge, texture
            """,
        good=recipe("Paint the wall in {{ photo }} in red, ochre and a pale blue."),
    ),
    Case(
        "format-in-prose",
        bad=recipe("Extend the garden in {{ photo }} to a 16:9 format."),
        said="""
            wall.yaml:10:43: warning NR122 format-in-prose: '16:9' gives the ratio or orientation of the picture in words
              10 |     Extend the garden in {{ photo }} to a 16:9 format.
                 |                                           ^^^^
              help: use settings.aspect_ratio
            """,
        good=recipe("Extend the garden in {{ photo }} by a 1:18 model of the house, on the left."),
    ),
)
