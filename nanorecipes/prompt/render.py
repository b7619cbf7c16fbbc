"""The prompt: templates run with their values, and laid out in the four sections."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2.exceptions import TemplateError
from jinja2.runtime import Context

from nanorecipes import codes
from nanorecipes.errors import RenderError
from nanorecipes.prompt.bounds import BoundError, Meter, meter
from nanorecipes.prompt.compile import END, LINES, Compiled
from nanorecipes.prompt.environment import environment
from nanorecipes.prompt.words import Handle, Handles, NotAttachedError, join_and
from nanorecipes.request import Section

if TYPE_CHECKING:
    from nanorecipes.recipe.model import Changes

CLOSINGS: Mapping[Changes, str] = {
    "part": "Change nothing else.",
    "background": "Only the background changes.",
    "look": "The composition and everything in it stay; only the look changes.",
    "scene": "The rest of the scene may be new.",
}
"""How the protecting paragraph ends, by what the edit may change."""

SEPARATOR = "\n\n"
"""Between sections; no section holds it."""

_ROUGH = re.compile(r"\s\s|[\t\r\v\f\u00a0\u2028\u2029\x85]|^\s|\s$")
_SPACES = re.compile(r"[^\S\n]+")


def render_sections(
    compiled: Compiled,
    variables: dict[str, Any],
    *,
    changes: Changes,
    protect: Sequence[str] = (),
    notes: str = "",
) -> tuple[Section, ...]:
    """Run a recipe's templates and lay the sections out.

    Args:
        compiled: the recipe's templates.
        variables: parameters, image handles by slot, and `model`.
        changes: what the edit may change; decides the closing sentence.
        protect: further noun phrases for what must stay, of the first image.
        notes: further text for the end of the details.

    Raises:
        RenderError: a bound was reached, or a template failed.
    """
    texts = _run(compiled, variables)
    parts: dict[str, list[str]] = {"edit": [], "subject": [], "details": []}
    kept: dict[str | None, list[str]] = {}
    for piece, text in zip(compiled.pieces, texts, strict=True):
        text = tidy(text)
        if not text:
            continue
        if piece.section == "protect":
            kept.setdefault(piece.image, []).append(text)
        else:
            parts[piece.section].append(text)
    if not parts["edit"]:
        _empty(compiled, "edit", "the edit came out empty: it says nothing to do")
    details = [_closed(text) for text in parts["details"]]
    if notes:
        details.append(_closed(notes))
    sections = [Section("edit", parts["edit"][0])]
    if parts["subject"]:
        sections.append(Section("subject", parts["subject"][0]))
    if details:
        sections.append(Section("details", " ".join(details)))
    sections.append(Section("protect", _protecting(compiled, kept, variables, changes, protect)))
    return tuple(sections)


def lay_out(sections: Sequence[Section]) -> str:
    """The text that is sent: one paragraph for each section."""
    return SEPARATOR.join([section.text for section in sections])


def tidy(text: str) -> str:
    """Lines without blanks at their ends or doubled within, and no blank lines.

    Statements that stand on lines of their own leave blank ones, and a blank line would look like
    the end of a section.
    """
    if not _ROUGH.search(text):
        return text
    lines = [_SPACES.sub(" ", line).strip() for line in text.splitlines()]
    return "\n".join([line for line in lines if line])


def _closed(text: str) -> str:
    """A text that ends like a sentence."""
    return text if text.rstrip("\"')\u201d\u2019")[-1:] in ".!?:;\u2026" else f"{text}."


def _protecting(
    compiled: Compiled,
    kept: dict[str | None, list[str]],
    variables: Mapping[str, Any],
    changes: Changes,
    extra: Sequence[str],
) -> str:
    handles = _handles(variables)
    groups: dict[str, list[str]] = {}
    for image, items in kept.items():
        handle = handles[0] if image is None else variables[image]
        if handle:  # an entry for an absent optional image is dropped
            groups.setdefault(_slot_of(handle, variables), []).extend(map(_phrase, items))
    if extra:
        first = _slot_of(handles[0], variables)
        groups = {first: [*groups.pop(first, []), *map(_phrase, extra)], **groups}
    sentences = [
        f"Keep {_enumerate(list(dict.fromkeys(items)))} exactly as in {variables[slot]}."
        for slot, items in groups.items()
    ]
    if not sentences:
        _empty(compiled, "protect", "nothing is protected: every entry came out empty")
    return " ".join([*sentences, CLOSINGS[changes]])


def _enumerate(items: Sequence[str]) -> str:
    """`a, b and c`; where an entry is a list itself, `a, b and c; d; and e`."""
    if len(items) > 1 and any(", " in item for item in items):
        return f"{'; '.join(items[:-1])}; and {items[-1]}"
    return join_and(items)


def _phrase(text: str) -> str:
    """A noun phrase as it stands inside a sentence."""
    line = " ".join(text.split())
    return line[:-1].rstrip() if line.endswith((".", ";", ",")) and len(line) > 1 else line


def _handles(variables: Mapping[str, Any]) -> list[Any]:
    found = [v for v in variables.values() if isinstance(v, (Handle, Handles)) and v]
    return sorted(found, key=lambda handle: handle.ordinal)


def _slot_of(handle: Any, variables: Mapping[str, Any]) -> str:
    return next(name for name, value in variables.items() if value is handle)


def _empty(compiled: Compiled, section: str, message: str) -> NoReturn:
    piece = next(piece for piece in compiled.pieces if piece.section == section)
    raise RenderError([piece.place().diagnostic(codes.RENDER_BOUND, message)])


def _run(compiled: Compiled, variables: dict[str, Any]) -> list[str]:
    """The text of each piece, in order."""
    if compiled.root is None:  # the caller raises the findings before it comes here
        raise AssertionError("a recipe with errors was rendered")
    token = meter.set(Meter())
    try:
        context = Context(environment(), {**compiled.globals, **variables}, "<recipe>", {})
        texts = "".join(compiled.root(context)).split(END)
    except (BoundError, NotAttachedError, TemplateError, RecursionError, MemoryError) as exc:
        raise RenderError([_finding(compiled, exc)]) from exc
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as exc:
        raise RenderError([_finding(compiled, exc)]) from exc
    finally:
        meter.reset(token)
    return texts[:-1]


def _finding(compiled: Compiled, exc: BaseException) -> Any:
    index, line = _origin(compiled, exc.__traceback__)
    piece = compiled.pieces[index]
    place = piece.place(line)
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

