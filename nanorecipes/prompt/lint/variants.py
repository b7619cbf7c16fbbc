"""A recipe's prompt in every branch, and as its examples make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.bounds import Meter, meter
from nanorecipes.prompt.lint.choices import Call, Choices, marked
from nanorecipes.prompt.lint.draft import Chunk, Draft, Origin
from nanorecipes.prompt.lint.lazy import lazy
from nanorecipes.prompt.lint.lengths import longest_prompt
from nanorecipes.prompt.lint.templates import Template, Templates
from nanorecipes.prompt.lint.walk import FAILURES, Walker
from nanorecipes.prompt.words import Absent

if TYPE_CHECKING:
    from nanorecipes.recipe.model import Definition


class Variant:
    """The prompt of one possible call.

    Args:
        drafts: every text that isn't empty, in order.
        attached: how many images each slot holds; only those that hold some.
        name: the example's name, when it is one.
    """

    def __init__(
        self, drafts: Sequence[Draft], attached: Mapping[str, int], name: str = ""
    ) -> None:
        self.drafts = drafts
        self.attached = attached
        self.name = name

    def of(self, section: str) -> list[Draft]:
        """The texts of a section."""
        return [draft for draft in self.drafts if draft.section == section]

    @lazy
    def edit(self) -> Draft | None:
        """The edit, unless it came out empty."""
        first = self.drafts[0] if self.drafts else None
        return first if first is not None and first.section == "edit" else None

    @lazy
    def protect(self) -> list[Draft]:
        """The protected things; those of images that aren't attached are left out."""
        return [
            draft
            for draft in self.drafts
            if draft.section == "protect" and (draft.image is None or draft.image in self.attached)
        ]


class Variants:
    """Makes the drafts of a recipe; each piece is run once for each set of values that it reads."""

    def __init__(
        self, definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
    ) -> None:
        self.definition = definition
        self.templates = Templates(definition, macro_folders)
        self._params = frozenset(definition.params)
        self._plain = [_plain_draft(t) if t.is_plain else None for t in self.templates.all]

    @lazy
    def _rich(self) -> list[tuple[int, Template, Callable[[Call], Any], dict[Any, Draft | None]]]:
        """The texts with a template in them: number, template, what it reads of a call, drafts."""
        return [
            (index, template, itemgetter(*template.reads) if template.reads else len, {})
            for index, template in enumerate(self.templates.all)
            if not template.is_plain
        ]

    @lazy
    def choices(self) -> Choices:
        """What each name can stand for."""
        return Choices(self.definition, self.templates)

    @lazy
    def longest(self) -> int:
        """Characters of the longest prompt."""
        return longest_prompt(self.definition, self.templates, self.choices)

    @lazy
    def variants(self) -> list[Variant]:
        """The prompt of every call that is tried; the fullest first."""
        found: dict[tuple[int, ...], Variant] = {}
        token = meter.set(Meter())
        try:
            for call in self.choices.calls():
                drafts = self._call(call)
                if drafts is not None:
                    key = tuple(map(id, drafts))
                    if key not in found:
                        found[key] = Variant(drafts, self._attached(call))
        finally:
            meter.reset(token)
        return list(found.values()) or [Variant((), {})]

    @lazy
    def distinct(self) -> list[Draft]:
        """Every text that some variant holds, each once, in order."""
        once: dict[tuple[int, str], Draft] = {}
        for variant in self.variants:
            for draft in variant.drafts:
                once.setdefault((draft.source.index, draft.text), draft)
        return [once[key] for key in sorted(once, key=lambda key: key[0])]

    def _attached(self, call: Call) -> dict[str, int]:
        axes = self.choices.axes
        slots = self.definition.slots
        return {n: slot.max for n, slot in slots.items() if axes[n][call[n]].kind != "absent"}

    def _call(self, call: Call) -> list[Draft] | None:
        """The texts of one call; None where only the real renderer can tell."""
        drafts = self._plain.copy()
        for index, template, chosen, known in self._rich:
            key = chosen(call)
            if key not in known:
                values = {n: self.choices.value(n, call[n]) for n in template.reads}
                known[key] = self._run(template, values)
            draft = drafts[index] = known[key]
            if draft is None:
                return None
        return [draft for draft in drafts if draft is not None and draft.text]

    def _run(self, template: Template, values: Mapping[str, Any]) -> Draft | None:
        macros = self.templates.macros(template)
        walker = Walker(template.source, values, macros, self._params)
        try:
            chunks = walker.run(template.tree.body)
        except FAILURES:
            return None
        return Draft(template.section, template.image, template.source, chunks)

    # --- examples

    @lazy
    def examples(self) -> list[Variant]:
        """The prompt of each example whose arguments are right."""
        found = (self._example(example) for example in self.definition.examples)
        return [variant for variant in found if variant is not None]

    def _example(self, example: Mapping[str, Any]) -> Variant | None:
        definition = self.definition
        inputs = example["inputs"]
        free = definition.free_params
        given = {name: value for name, value in inputs.items() if name in free}
        try:
            values = definition.values(given)
        except ValueError:
            return None
        chosen = catalogue().get(str(inputs.get("model", self.choices.model)))
        known = {**values, **definition.fixed, "model": chosen.alias if chosen else ""}
        attached = self._attach(inputs, known)
        token = meter.set(Meter())
        try:
            drafts = [
                plain or self._run(self.templates.all[index], known)
                for index, plain in enumerate(self._plain)
            ]
        finally:
            meter.reset(token)
        if any(draft is None for draft in drafts):
            return None
        shown = [draft for draft in drafts if draft is not None and draft.text]
        return Variant(shown, attached, str(example["name"]))

    def _attach(self, inputs: Mapping[str, Any], values: dict[str, Any]) -> dict[str, int]:
        """Put an example's images into the values, and count them."""
        attached = {}
        for index, (name, slot) in enumerate(self.definition.slots.items()):
            given = inputs.get(name)
            count = len(given) if isinstance(given, list) else int(given is not None)
            values[name] = marked(slot, index, count) if count else Absent(name)
            if count:
                attached[name] = count
        return attached


def _plain_draft(template: Template) -> Draft:
    """A text without any template in it."""
    source = template.source
    chunk = Chunk(source.text, Origin(source, None))
    return Draft(template.section, template.image, source, [chunk])
