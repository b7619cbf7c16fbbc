"""The prompt: templates run with their values, and laid out in the four sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2.exceptions import TemplateError

from nanorecipes import codes
from nanorecipes.errors import RenderError
from nanorecipes.prompt.bounds import BoundError, Meter, meter
from nanorecipes.prompt.compile import END, LINES, Compiled
from nanorecipes.prompt.environment import RecipeContext
from nanorecipes.prompt.layout import CLOSINGS, closed, enumerate_phrases, finish, phrase
from nanorecipes.prompt.words import NotAttachedError
from nanorecipes.request import Section

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.recipe.model import Changes

SEPARATOR = "\n\n"
"""Between sections; no section holds it."""

_FAILURES = (
    BoundError, NotAttachedError, TemplateError, RecursionError, MemoryError,
    TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
)  # fmt: skip


def render_sections(
    compiled: Compiled,
    variables: dict[str, Any],
    *,
    first: str,
    changes: Changes,
    protect: Sequence[str] = (),
    notes: str = "",
) -> tuple[Section, ...]:
    """Run a recipe's templates and lay the sections out.

    Args:
        compiled: the recipe's templates.
        variables: parameters, image handles by slot, `model`, and the templates' globals.
        first: the slot of the first image attached.
        changes: what the edit may change; decides the closing sentence.
        protect: further noun phrases for what must stay, of the first image.
        notes: further text for the end of the details.

    Raises:
        RenderError: a bound was reached, a template failed, or a section came out empty.
    """
    layout = compiled.layout
    texts = _run(compiled, variables)
    if not texts[layout.edit]:
        _empty(compiled, layout.edit, "the edit came out empty: it says nothing to do")
    sections = [Section("edit", texts[layout.edit])]
    if layout.subject is not None and texts[layout.subject]:
        sections.append(Section("subject", texts[layout.subject]))
    details = layout.fixed_details
    if details is None:
        details = " ".join([texts[i] for i in layout.details if texts[i]])
    if notes:
        details = f"{details} {closed(notes[0].upper() + notes[1:])}".lstrip()
    if details:
        sections.append(Section("details", details))
    kept = _protecting(compiled, texts, variables, first, protect)
    sections.append(Section("protect", f"{kept} {CLOSINGS[changes]}"))
    return tuple(sections)


def lay_out(sections: Sequence[Section]) -> str:
    """The text that is sent: one paragraph for each section."""
    return SEPARATOR.join([text for _, text in sections])


def _protecting(
    compiled: Compiled,
    texts: Sequence[str],
    variables: Mapping[str, Any],
    first: str,
    extra: Sequence[str],
) -> str:
    """The sentences that say what stays, one for each image that things are taken from."""
    groups = compiled.layout.protect
    if not extra and len(groups) == 1 and groups[0].fixed and groups[0].image is None:
        return f"Keep {groups[0].fixed} exactly as in {variables[first]}."
    kept: dict[str, list[str]] = {first: []}
    for group in groups:
        slot = group.image or first
        if variables[slot]:  # an entry for an absent optional image is dropped
            kept.setdefault(slot, []).extend([texts[i] for i in group.indexes if texts[i]])
    kept[first] += [phrase(item) for item in extra]
    sentences = [
        f"Keep {enumerate_phrases(items)} exactly as in {variables[slot]}."
        for slot, items in kept.items()
        if items
    ]
    if not sentences:
        message = "nothing is protected: every entry came out empty"
        _empty(compiled, groups[0].indexes[0], message)
    return " ".join(sentences)


def _empty(compiled: Compiled, index: int, message: str) -> NoReturn:
    place = compiled.pieces[index].place()
    raise RenderError([place.diagnostic(codes.RENDER_BOUND, message)])


def _run(compiled: Compiled, variables: dict[str, Any]) -> list[str]:
    """The finished text of each piece, in order."""
    layout = compiled.layout
    texts = list(layout.texts)
    if not layout.dynamic:
        return texts
    token = meter.set(Meter())
    try:
        rendered = "".join(compiled.run(RecipeContext(variables))).split(END)
    except _FAILURES as exc:
        raise RenderError([_finding(compiled, exc)]) from exc
    finally:
        meter.reset(token)
    pieces = compiled.pieces
    for index, text in zip(layout.dynamic, rendered, strict=False):
        texts[index] = finish(pieces[index].section, text)
    return texts


def _finding(compiled: Compiled, exc: BaseException) -> Diagnostic:
    index, line = _origin(compiled, exc.__traceback__)
    place = compiled.pieces[index].place(line)
    if isinstance(exc, NotAttachedError):
        message = f"the image {exc.slot!r} is not attached, but the template prints it"
        advice = f"guard it: {{% if {exc.slot} %}}...{{% endif %}}"
        return place.diagnostic(codes.RENDER_BOUND, message, help=advice)
    if isinstance(exc, BoundError):
        return place.diagnostic(codes.RENDER_BOUND, f"rendering was stopped: {exc}")
    if isinstance(exc, (RecursionError, MemoryError)):
        return place.diagnostic(codes.RENDER_BOUND, "rendering was stopped: it went too deep")
    return place.diagnostic(codes.RENDER_BOUND, f"the template failed: {exc}")


def _origin(compiled: Compiled, trace: TracebackType | None) -> tuple[int, int]:
    """Which piece failed, and on which of its lines."""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<recipe>" and compiled.template is not None:
            line = compiled.template.get_corresponding_lineno(trace.tb_lineno)
            index = min(line // LINES, len(compiled.pieces) - 1)
            return index, max(1, line - index * LINES)
        trace = trace.tb_next
    return 0, 1
