"""The guide's rules, one a file, in the order of their codes."""

from __future__ import annotations

from nanorecipes.prompt.lint.rule import Rule
from nanorecipes.prompt.lint.rules.bare_pronoun import BarePronoun
from nanorecipes.prompt.lint.rules.changes_mismatch import ChangesMismatch
from nanorecipes.prompt.lint.rules.contradictory_protection import ContradictoryProtection
from nanorecipes.prompt.lint.rules.dense_lettering_on_flash import DenseLetteringOnFlash
from nanorecipes.prompt.lint.rules.describing_edit import DescribingEdit
from nanorecipes.prompt.lint.rules.edit_in_subject import EditInSubject
from nanorecipes.prompt.lint.rules.edit_not_leading import EditNotLeading
from nanorecipes.prompt.lint.rules.format_in_prose import FormatInProse
from nanorecipes.prompt.lint.rules.hand_written_ordinal import HandWrittenOrdinal
from nanorecipes.prompt.lint.rules.keyword_soup import KeywordSoup
from nanorecipes.prompt.lint.rules.missing_description import MissingDescription
from nanorecipes.prompt.lint.rules.nearly_overlong_prompt import NearlyOverlongPrompt
from nanorecipes.prompt.lint.rules.negative_content import NegativeContent
from nanorecipes.prompt.lint.rules.overloaded_image import OverloadedImage
from nanorecipes.prompt.lint.rules.overlong_prompt import OverlongPrompt
from nanorecipes.prompt.lint.rules.placement_without_size import PlacementWithoutSize
from nanorecipes.prompt.lint.rules.protect_not_noun_phrase import ProtectNotNounPhrase
from nanorecipes.prompt.lint.rules.removal_without_reveal import RemovalWithoutReveal
from nanorecipes.prompt.lint.rules.roleless_image import RolelessImage
from nanorecipes.prompt.lint.rules.too_many_people import TooManyPeople
from nanorecipes.prompt.lint.rules.unbounded_style_reference import UnboundedStyleReference
from nanorecipes.prompt.lint.rules.unquoted_lettering import UnquotedLettering
from nanorecipes.prompt.lint.rules.vague_protection import VagueProtection

RULES: tuple[Rule, ...] = (
    EditNotLeading(),
    DescribingEdit(),
    EditInSubject(),
    VagueProtection(),
    ProtectNotNounPhrase(),
    ContradictoryProtection(),
    NegativeContent(),
    KeywordSoup(),
    FormatInProse(),
    BarePronoun(),
    HandWrittenOrdinal(),
    RolelessImage(),
    OverloadedImage(),
    UnboundedStyleReference(),
    UnquotedLettering(),
    DenseLetteringOnFlash(),
    PlacementWithoutSize(),
    RemovalWithoutReveal(),
    TooManyPeople(),
    OverlongPrompt(),
    NearlyOverlongPrompt(),
    MissingDescription(),
    ChangesMismatch(),
)
"""In a stable order: codes are given once and never again."""
