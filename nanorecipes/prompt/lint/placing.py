"""From a stretch of a draft back to the author's file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import nodes

from nanorecipes.prompt.environment import parse, plain_blanks
from nanorecipes.prompt.lint.draft import IMAGES, slot_index

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.draft import Chunk, Draft, Origin
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.source import Place

_IMAGE = re.compile(IMAGES)


def place_in(definition: Definition, draft: Draft, start: int, end: int) -> Place:
    """Where a stretch of a draft stands in the file of whoever wrote it."""
    while start < end and draft.text[start].isspace():
        start += 1
    chunk, offset = draft.chunk_at(start)
    origin = chunk.origin
    if origin.node is None or type(origin.node) is nodes.TemplateData:
        begin = 0 if origin.node is None else _data_offset(origin, chunk.text)
        return _words_place(origin, begin + offset, draft.text[start:end])
    return _value_place(definition, chunk)


def _words_place(origin: Origin, at: int, wanted: str) -> Place:
    """Where a stretch of the author's own words stands, as far as it goes on one line."""
    text = origin.source.text
    line = text.count("\n", 0, at) + 1
    begin = text.rfind("\n", 0, at) + 1
    length = 0
    for have, want in zip(text[at:].split("\n")[0], wanted, strict=False):
        if have != want:
            break
        length += 1
    length = len(text[at : at + length].rstrip())
    return origin.source.place(line, at - begin + 1, length)


def _data_offset(origin: Origin, text: str) -> int:
    """Where template data begins in its source: all data stand there in order."""
    plain = plain_blanks(origin.source.text)
    wanted = getattr(origin.node, "data", text)
    position = 0
    for part in parse(origin.source.text)[0].find_all(nodes.TemplateData):
        found = plain.find(part.data, position)
        found = position if found < 0 else found
        if part.data == wanted and origin.node is not None and part.lineno == origin.node.lineno:
            return found + max(0, wanted.find(text))
        position = found + len(part.data)
    return max(0, origin.source.text.find(text))


def _value_place(definition: Definition, chunk: Chunk) -> Place:
    """Where a value's words stand: the wording or default that holds them, else its use."""
    document, origin = definition.document, chunk.origin
    name = origin.param
    if name is None and chunk.text and _IMAGE.match(chunk.text):
        name = list(definition.slots)[slot_index(chunk.text[0])]
    spec = (definition.data.get("params", {}).get(name) or {}) if name else {}
    for key, words in spec.get("wording", {}).items():
        if words == chunk.text:
            return document.place(("params", str(name), "wording", key))
    if name and spec.get("default") == chunk.text and chunk.text:
        return document.place(("params", name, "default"))
    line = origin.node.lineno if origin.node is not None else 1
    lines = origin.source.text.split("\n")
    own = lines[line - 1] if 0 < line <= len(lines) else ""
    found = re.search(rf"\{{\{{[^}}]*\b{re.escape(name)}\b[^}}]*\}}\}}", own) if name else None
    if found is not None:
        return origin.source.place(line, found.start() + 1, found.end() - found.start())
    indent = len(own) - len(own.lstrip())
    return origin.source.place(line, indent + 1, len(own.strip()))
