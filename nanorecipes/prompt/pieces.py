"""The template texts of a recipe's prompt, each with its section and its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.source import Document, Path_, Place
    from nanorecipes.request import SectionName

_DELIMITED = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)", re.DOTALL)


class Piece(NamedTuple):
    """One template text: a section, or one entry of a section that is a list."""

    section: SectionName
    image: str | None
    """The image that a protected thing is taken from, where the recipe says which."""
    text: str
    path: Path_
    document: Document
    """The file that the text stands in: a parent's text stands in the parent's file."""
    first_line: int
    """The file's line on which the text begins."""
    last_line: int
    """The one on which it ends, or the next."""

    def place(self, line: int = 1, word: str | None = None) -> Place:
        """Where a line of the template stands in the file, and in it the first use of a word.

        Args:
            line: the template's line, from 1.
            word: a name to point at; without one, or where it isn't found, the line's begin.
        """
        lines = self.text.split("\n")
        own = lines[line - 1] if 0 < line <= len(lines) else ""
        number = self.first_line + line - 1
        source = self.source_line(number)
        base = source.find(own.strip()) if own.strip() else -1
        if base >= 0:
            start, end = _find_word(own.strip(), word) or (0, len(own.strip()))
            return self.at(number, base + start, base + end)
        # Quotes and folded lines look other in the file than in the text.
        for other in range(number, self.last_line + 1) if word else ():
            span = _find_word(self.source_line(other), word)
            if span is not None:
                return self.at(other, *span)
        return self.at(number, len(source) - len(source.lstrip()), len(source.rstrip()))

    def source_line(self, number: int) -> str:
        """A line of the file."""
        return self.document.place_at(number, 1, number, 1).excerpt

    def at(self, number: int, start: int, end: int) -> Place:
        """A place by line, and columns from 0."""
        return self.document.place_at(number, start + 1, number, max(end, start + 1) + 1)


def _find_word(line: str, word: str | None) -> tuple[int, int] | None:
    """Where a word stands in a line, rather within braces; an attribute's begins with a dot."""
    if not word:
        return None
    name = word.lstrip(".")
    before = r"(?<=\.)" if word != name else r"(?<![\w./])"
    pattern = re.compile(rf"{before}{re.escape(name)}(?!\w)")
    spans = (pattern.search(line, *span.span()) for span in _DELIMITED.finditer(line))
    found = next(filter(None, spans), None) or pattern.search(line)
    return found.span() if found else None


def pieces(definition: Definition) -> list[Piece]:
    """Every template text of a recipe, in the order of the prompt."""
    return [_piece(definition, *found) for found in _texts(definition.data["prompt"])]


_Found = tuple["SectionName", "str | None", str, "Path_"]


def _texts(prompt: Any) -> Iterator[_Found]:
    yield "edit", None, prompt["edit"], ("prompt", "edit")
    if "subject" in prompt:
        yield "subject", None, prompt["subject"], ("prompt", "subject")
    details = prompt.get("details", ())
    if isinstance(details, str):
        yield "details", None, details, ("prompt", "details")
    else:
        for index, text in enumerate(details):
            yield "details", None, text, ("prompt", "details", index)
    protect = prompt["protect"]
    groups = protect.items() if isinstance(protect, dict) else [(None, protect)]
    for image, items in groups:
        way = ("prompt", "protect") if image is None else ("prompt", "protect", image)
        for index, text in enumerate(items):
            yield "protect", image, text, (*way, index)


def _piece(
    definition: Definition, section: SectionName, image: str | None, text: str, path: Path_
) -> Piece:
    document = definition.document
    node = document.node(path)
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    line = node.start_mark.line + (2 if block else 1)
    last = node.end_mark.line + 1
    return Piece(section, image, text, path, document.document_of(node), line, last)
