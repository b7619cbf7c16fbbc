"""The longest prompt that a recipe can make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.bounds import Meter, meter
from nanorecipes.prompt.layout import CLOSINGS, enumerate_phrases, finish
from nanorecipes.prompt.lint.choices import longest_value, real_images
from nanorecipes.prompt.lint.walk import FAILURES, Walker

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.choices import Call, Choices
    from nanorecipes.prompt.lint.templates import Template, Templates
    from nanorecipes.recipe.model import Definition


def longest_prompt(definition: Definition, templates: Templates, choices: Choices) -> int:
    """Characters of the longest prompt, found by climbing from the fullest call.

    Where even a rough bound is far from what any model reads, that bound; 0 where only the real
    renderer can tell.
    """
    rough = rough_bound(definition, templates)
    if rough < catalogue().limits.prompt_chars * 3 // 4:
        return rough
    return _Climber(definition, templates, choices).climb()


def rough_bound(definition: Definition, templates: Templates) -> int:
    """More characters than any prompt can have, where that is easily told; else very many."""
    bound = 400
    for template in templates.all:
        text = template.source.text
        bound += len(text) + 8
        if template.is_plain:
            continue
        if template.skimmed.names is not None:
            pass  # names, and conditions on them: nothing repeats
        elif "{% for" in text or "import" in text or " set " in text or "(" in text or "~" in text:
            return 1_000_000
        for name in template.reads:
            param, slot = definition.params.get(name), definition.slots.get(name)
            most = param.longest() if param else 12 * slot.max + 20 if slot else 10
            bound += text.count(name) * most
    return bound


class _Climber:
    def __init__(self, definition: Definition, templates: Templates, choices: Choices) -> None:
        self.definition = definition
        self.templates = templates
        self.choices = choices
        self.fills = {
            name: longest_value(param)
            for name, param in definition.params.items()
            if name in choices.axes and name not in definition.fixed
        }
        self.known: dict[tuple[int, ...], str | None] = {}

    def climb(self) -> int:
        call = dict.fromkeys(self.choices.axes, 0)
        best = self.length(call)
        for name, choices in self.choices.axes.items():
            for number in range(1, len(choices)):
                length = self.length({**call, name: number})
                if length > best:
                    best, call = length, {**call, name: number}
        return best

    def length(self, call: Call) -> int:
        slots = self.definition.slots
        counts = {
            name: 0 if self.choices.axes[name][call[name]].kind == "absent" else slots[name].max
            for name in slots
        }
        images = real_images(slots, counts)
        texts = [self.text(i, t, call, images) for i, t in enumerate(self.templates.all)]
        return self.laid_out(texts, images)

    def text(
        self, index: int, template: Template, call: Call, images: Mapping[str, Any]
    ) -> str | None:
        """A piece with the longest values, as it stands in its section."""
        # All handles go into the key: leaving an image out renumbers the others.
        key = (index, *[call[name] for name in (*template.reads, *images)])
        if key not in self.known:
            values = {name: self.value(name, call[name], images) for name in template.reads}
            self.known[key] = self.run(template, values)
        return self.known[key]

    def value(self, name: str, number: int, images: Mapping[str, Any]) -> Any:
        if name in images:
            return images[name]
        choice = self.choices.axes[name][number]
        is_number = isinstance(choice.value, (int, float)) and not isinstance(choice.value, bool)
        if choice.kind == "given" or (is_number and name in self.fills):
            return self.fills[name]
        return choice.value

    def run(self, template: Template, values: Mapping[str, Any]) -> str | None:
        if template.is_plain:
            return finish(template.section, template.source.text)
        walker = Walker(template.source, values, self.templates.macros(template))
        token = meter.set(Meter())
        try:
            chunks = walker.run(template.tree.body)
        except FAILURES:
            return None
        finally:
            meter.reset(token)
        return finish(template.section, "".join([chunk.text for chunk in chunks]))

    def laid_out(self, texts: Sequence[str | None], images: Mapping[str, Any]) -> int:
        """The length of the sections one below the other, as the renderer lays them out."""
        sections: dict[str, list[str]] = {"edit": [], "subject": [], "details": []}
        kept: dict[str, list[str]] = {}
        first = next(name for name in self.definition.slots if images[name])
        for template, text in zip(self.templates.all, texts, strict=True):
            if text is None:
                return 0
            if template.section == "protect":
                if text and (template.image is None or images[template.image]):
                    kept.setdefault(template.image or first, []).append(text)
            elif text:
                sections[template.section].append(text)
        protect = [
            f"Keep {enumerate_phrases(items)} exactly as in {images[slot]}."
            for slot, items in kept.items()
        ]
        protect.append(CLOSINGS[self.definition.changes])
        parts = [" ".join(items) for items in (*sections.values(), protect) if items]
        return len("\n\n".join(parts))
