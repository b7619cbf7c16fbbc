"""From a recipe and a call's arguments to a request: rendered, held to the limits, priced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes.arguments import Arguments, read_arguments, readable_options
from nanorecipes.catalogue import Limits, Model, catalogue
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.errors import InputError, LimitError, RecipeError
from nanorecipes.limits import check_counts, check_options, unknown_model
from nanorecipes.prompt.compile import Compiled, compile_prompt
from nanorecipes.prompt.render import lay_out, render_sections
from nanorecipes.prompt.words import Absent, Handle, Handles
from nanorecipes.request import AttachedImage, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from nanorecipes.images import ImageInput
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.params import Slot

DEFAULT_MODEL = "flash"


class Builder:
    """Makes requests of one recipe; its templates are compiled when the first one is made."""

    def __init__(
        self, definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
    ) -> None:
        self.definition = definition
        self._macro_folders = macro_folders
        self._compiled: Compiled | None = None
        self._settings = _settings(definition.settings)
        self._changes = definition.changes
        self._facts = {
            "recipe": definition.name, "version": definition.version, "hash": definition.hash,
            "changes": definition.changes, "notices": _deprecation(definition),
            "prove": definition.data.get("prove"),
        }  # fmt: skip

    @property
    def compiled(self) -> Compiled:
        """The compiled templates, with the findings of their check."""
        if self._compiled is None:
            self._compiled = compile_prompt(self.definition, self._macro_folders)
        return self._compiled

    def build(self, given: Mapping[str, Any]) -> Request:
        """A request from a call's arguments; nothing is sent.

        Raises:
            RecipeError: the recipe's templates have errors.
            InputError: arguments are unknown, missing or wrong.
            LimitError: the model does not take what would be sent.
            RenderError: a template failed or grew too large.
        """
        compiled = self._usable()
        definition = self.definition
        try:
            arguments = read_arguments(definition, given)
        except InputError as exc:
            raise InputError([*exc.diagnostics, *self._refusals(given)]) from None
        options = {**self._settings, **arguments.options} if arguments.options else self._settings
        offer = self._offer(options)
        variables = {**compiled.globals, **arguments.values, **definition.fixed}
        variables["model"] = offer.model.alias
        images, sources = _attach(definition.slots, arguments.images, variables)
        if not sources:  # no picture to edit, and none that the prompt could speak of
            raise LimitError([*offer.refused, *_counts(0, 0, len(images))])
        sections = render_sections(
            compiled, variables, first=images[0].slot, changes=self._changes,
            protect=arguments.protect, notes=arguments.notes,
        )  # fmt: skip
        prompt = lay_out(sections)
        violations = _counts(len(prompt), sources, len(images) - sources)
        if violations or offer.refused:
            raise LimitError([*offer.refused, *violations])
        return Request.make(
            **self._facts, prompt=prompt, sections=sections, images=images,
            chosen=offer.model, options=options, inputs=arguments.values,
            estimated_cost=offer.cost_usd, cost_basis=offer.basis,
            additions=_additions(arguments),
        )  # fmt: skip

    def _refusals(self, given: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
        """What the model would refuse of a call whose arguments are wrong: all is told at once."""
        return self._offer({**self._settings, **readable_options(given)}).refused

    @staticmethod
    def _offer(options: Mapping[str, Any]) -> _Offer:
        return _offer(*map(options.get, _DECIDING))

    def _usable(self) -> Compiled:
        compiled = self.compiled
        if compiled.errors:
            raise RecipeError(compiled.errors, path=self.definition.path)
        return compiled


def _additions(arguments: Arguments) -> dict[str, Any] | None:
    """What the call adds to the recipe's own prompt."""
    if not arguments.protect and not arguments.notes:
        return None
    given = {"protect": arguments.protect, "notes": arguments.notes}
    return {name: value for name, value in given.items() if value}


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    read = {"model": DEFAULT_MODEL, **settings}
    if "quality" in read:
        read["quality"] = str(read["quality"])
    return read


def _deprecation(definition: Definition) -> tuple[str, ...]:
    note = definition.deprecated
    if note is None:
        return ()
    until = f" and may be gone after {note['after']}" if "after" in note else ""
    return (f"{definition.name} is deprecated{until}: use {note['use']}",)


def _counts(chars: int, sources: int, references: int) -> list[Diagnostic]:
    limits = _limits()
    if (
        chars <= limits.prompt_chars
        and limits.min_sources <= sources <= limits.max_sources
        and references <= limits.max_references
    ):
        return []
    return check_counts(prompt_chars=chars, sources=sources, references=references)


@cache
def _limits() -> Limits:
    return catalogue().limits


class _Offer(NamedTuple):
    """What a set of options comes to: the model, what it refuses of them, and the price."""

    model: Model
    refused: tuple[Diagnostic, ...]
    cost_usd: Decimal | None
    basis: str


_DECIDING = ("model", "quality", "aspect_ratio", "num_images", "search")


@lru_cache(maxsize=256)
def _offer(*chosen: Any) -> _Offer:
    """The offer for the values of the deciding options; the same few are asked for all the time."""
    options = {
        name: value for name, value in zip(_DECIDING, chosen, strict=True) if value is not None
    }
    name = options["model"]
    known = catalogue().get(name)
    model = known or Model(alias=name, id="", title=name, known=False)
    refused = [] if known else [unknown_model(name)]
    refused += check_options(model, options)
    price = model.price(options.get("quality"))
    return _Offer(
        model,
        tuple(refused),
        None if price is None else price.usd * options.get("num_images", 1),
        _no_price(model) if price is None else price.basis,
    )


def _no_price(model: Model) -> str:
    return f"no price is known for {model.id}" if not model.known else "no price for this quality"


def _attach(
    slots: Mapping[str, Slot], given: Mapping[str, list[ImageInput]], variables: dict[str, Any]
) -> tuple[tuple[AttachedImage, ...], int]:
    """Number the images in the order of sending, and put the handles that templates print.

    Returns:
        The images, and how many of them are sources.
    """
    total = sum(map(len, given.values()))
    images: list[AttachedImage] = []
    sources = 0
    for name, slot in slots.items():
        inputs = given.get(name)
        if not inputs:
            variables[name] = Absent(name)
            continue
        handles = []
        for item in inputs:
            number = len(images) + 1
            images.append(AttachedImage(name, slot.role, number, item))
            handles.append(Handle(number, slot.label, total))
        variables[name] = Handles(handles, slot.label) if slot.is_list else handles[0]
        if slot.role == "source":
            sources = len(images)  # sources stand before references
    return tuple(images), sources


def template_errors(
    definition: Definition, macro_folders: Callable[[Path], Sequence[Path]]
) -> Sequence[Diagnostic]:
    """What is wrong in the templates of a recipe that may be broken in other ways too."""
    return compile_prompt(definition, macro_folders).errors


def check_definition(builder: Builder) -> list[Diagnostic]:
    """Every finding about a recipe's templates and settings, in the order of the file."""
    return [*builder.compiled.findings, *setting_findings(builder.definition)]


def setting_findings(definition: Definition) -> list[Diagnostic]:
    """Settings that the recipe's model does not offer."""
    from nanorecipes import codes

    settings = _settings(definition.settings)
    model = catalogue().get(settings["model"])
    found = [unknown_model(settings["model"])] if model is None else check_options(model, settings)
    return [
        definition.document.place(("settings", item.field or "model")).diagnostic(
            codes.BAD_SETTING, item.message, help=item.help
        )
        for item in found
    ]
