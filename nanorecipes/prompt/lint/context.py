"""What the rules look at: a recipe's texts with every branch, its examples, and facts about"
" both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.lint.draft import Draft, is_image, slot_index
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
        self._made = Variants(definition, macro_folders)

    @property
    def is_english(self) -> bool:
        """Whether the author's text is English."""
        return self.definition.language.split("-")[0] == "en"

    @cached_property
    def model(self) -> Model | None:
        """The model that the recipe asks for."""
        return catalogue().get(self.definition.settings.get("model", "flash"))

    @property
    def variants(self) -> Sequence[Variant]:
        """The prompt with every branch that can run; the fullest call first."""
        return self._made.variants

    @property
    def examples(self) -> Sequence[Variant]:
        """The prompt of each example."""
        return self._made.examples

    @property
    def longest(self) -> int:
        """The most characters that the prompt can have."""
        return self._made.longest

    @property
    def fullest(self) -> Variant:
        """The prompt with every image attached and every parameter given."""
        return self.variants[0]

    @cached_property
    def most_images(self) -> int:
        """How many images the fullest call attaches."""
        return sum(slot.max for slot in self.slots.values())

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the variants, in small letters, parts of hyphened ones too."""
        found: set[str] = set()
        for draft in self.drafts():
            found.update(_WORDS.findall(draft.lower))
        return frozenset(found)

    def drafts(self, *sections: str) -> list[Draft]:
        """The distinct texts of some sections (of all without any), over all variants."""
        key = sections or ("edit", "subject", "details", "protect")
        if key not in self._drafts:
            once: dict[tuple[int, str], Draft] = {}
            for variant in self.variants:
                for draft in variant.drafts:
                    if draft.section in key:
                        once.setdefault((id(draft.source), draft.text), draft)
            self._drafts[key] = list(once.values())
        return self._drafts[key]

    @cached_property
    def _drafts(self) -> dict[tuple[str, ...], list[Draft]]:
        return {}

    def slot_of(self, letter: str) -> str:
        """The slot that an image's letter stands for."""
        return list(self.slots)[slot_index(letter)]

    def images_in(self, draft: Draft) -> list[tuple[str, int]]:
        """Slot and place of each image that a text speaks of."""
        return [(self.slot_of(c), i) for i, c in enumerate(draft.text) if is_image(c)]

    def param_of(self, letter: str) -> Param | None:
        """The parameter that a letter stands for."""
        return self._made.param_of(letter)

    def place(self, draft: Draft, start: int = 0, end: int | None = None) -> Place:
        """Where a stretch of a text stands in the author's file."""
        return self._made.place(draft, start, len(draft.text) if end is None else end)

    def place_of(self, *path: str | int, key: bool = False) -> Place:
        """Where a value of the recipe stands."""
        return self.definition.document.place(path, key=key)


_WORDS = re.compile(r"[^\W_]+")
