"""What the rules look at: a recipe's texts with every branch, its examples, and facts about"
" both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.lint.draft import Draft, slot_index, value_letter, words_of
from nanorecipes.prompt.lint.lazy import lazy
from nanorecipes.prompt.lint.opening import Opening, opening
from nanorecipes.prompt.lint.placing import place_in
from nanorecipes.prompt.lint.variants import Variant, Variants

if TYPE_CHECKING:
    from nanorecipes.catalogue import Model
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.params import Param, Slot
    from nanorecipes.recipe.source import Place


class Context:
    """A recipe as the rules see it; everything is made when it is first asked for."""

    def __init__(
        self, definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
    ) -> None:
        self.definition = definition
        self.slots: Mapping[str, Slot] = definition.slots
        self.params: Mapping[str, Param] = definition.params
        self.capability = definition.capability
        self.changes = definition.changes
        allow: Mapping[str, str] = definition.data.get("allow", {})
        self.allowed = frozenset(name for name, reason in allow.items() if reason.strip())
        """The rules that the recipe breaks on purpose, with a reason."""
        self.made = Variants(definition, macro_folders)

    @lazy
    def is_english(self) -> bool:
        """Whether the author's text is English."""
        return self.definition.language.split("-")[0] == "en"

    @lazy
    def model(self) -> Model | None:
        """The model that the recipe asks for."""
        return catalogue().get(self.definition.settings.get("model", "flash"))

    @property
    def variants(self) -> Sequence[Variant]:
        """The prompt with every branch that can run; the fullest call first."""
        return self.made.variants

    @property
    def examples(self) -> Sequence[Variant]:
        """The prompt of each example."""
        return self.made.examples

    @property
    def longest(self) -> int:
        """The most characters that the prompt can have."""
        return self.made.longest

    @lazy
    def always_renders(self) -> bool:
        """Whether every call with right arguments surely renders.

        Names, conditions on names and filters of letters can't fail; what came out in every
        variant then comes out for every value, and the longest prompt fits.
        """
        templates = self.made.templates.all
        if any(param.min_length == 0 for param in self.params.values()):
            return False
        return (
            all(template.is_harmless for template in templates)
            and self.longest <= catalogue().limits.prompt_chars
            and all(variant.edit and variant.protect for variant in self.variants)
        )

    @property
    def fullest(self) -> Variant:
        """The prompt with every image attached and every parameter given."""
        return self.variants[0]

    @lazy
    def most_images(self) -> int:
        """How many images the fullest call attaches."""
        return sum(slot.max for slot in self.slots.values())

    @lazy
    def openings(self) -> list[tuple[Draft, Opening]]:
        """The edits that don't lead with their order, and what they do instead."""
        found = ((draft, opening(draft)) for draft in self.drafts("edit"))
        return [(draft, fault) for draft, fault in found if fault is not None]

    @lazy
    def words(self) -> frozenset[str]:
        """Every word of the variants, in small letters, parts of hyphened ones too."""
        return words_of("\n".join([draft.lower for draft in self.made.distinct]))

    @lazy
    def initials(self) -> frozenset[str]:
        """The first letters of all words: whether there are numbers among them."""
        return frozenset([word[0] for word in self.words])

    def drafts(self, *sections: str) -> list[Draft]:
        """The distinct texts of some sections (of all without any), over all variants."""
        if not sections:
            return self.made.distinct
        if sections not in self._drafts:
            self._drafts[sections] = [d for d in self.made.distinct if d.section in sections]
        return self._drafts[sections]

    def drafts_with(self, words: frozenset[str], *sections: str) -> list[Draft]:
        """Those of the texts in which one of some words can stand; nearly all that hold none are
        left out."""
        hits = words & self.words
        if not hits:
            return []
        if len(hits) == 1:
            (only,) = hits
            return [draft for draft in self.drafts(*sections) if only in draft.lower]
        return [d for d in self.drafts(*sections) if any(hit in d.lower for hit in hits)]

    def example_drafts(self, words: frozenset[str], *sections: str) -> list[Draft]:
        """The texts of the examples that hold a caller's words, where one of those is asked for."""
        if words.isdisjoint(self._example_words):
            return []
        return [draft for draft in self._example_drafts if draft.section in sections]

    @lazy
    def _example_words(self) -> frozenset[str]:
        """Every word that the examples pass."""
        passed = [value for example in self.definition.examples
                  for value in example["inputs"].values()]  # fmt: skip
        return words_of(str(passed).lower())

    @lazy
    def _example_drafts(self) -> list[Draft]:
        known = {id(draft) for draft in self.made.distinct}
        once = {
            (draft.source.index, draft.text): draft
            for variant in self.examples
            for draft in variant.drafts
            if id(draft) not in known and not draft.is_plain
        }
        return list(once.values())

    @lazy
    def _drafts(self) -> dict[tuple[str, ...], list[Draft]]:
        return {}

    def slot_of(self, letter: str) -> str:
        """The slot that an image's letter stands for."""
        return self._slot_names[slot_index(letter)]

    @lazy
    def _slot_names(self) -> list[str]:
        return list(self.slots)

    @lazy
    def _letters(self) -> dict[str, Param]:
        return {value_letter(i): param for i, param in enumerate(self.params.values())}

    def param_of(self, letter: str) -> Param | None:
        """The parameter that a letter stands for."""
        return self._letters.get(letter)

    def place(self, draft: Draft, start: int = 0, end: int | None = None) -> Place:
        """Where a stretch of a text stands in the author's file."""
        stop = len(draft.text) if end is None else end
        return place_in(self.definition, draft, start, stop)

    def place_of(self, *path: str | int, key: bool = False) -> Place:
        """Where a value of the recipe stands."""
        return self.definition.document.place(path, key=key)
