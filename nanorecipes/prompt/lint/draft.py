"""A piece of prompt as the rules read it: plain text, and for each place of it where it came from.

Values that only a caller knows stand in it as single letters that no author writes: `IMAGES` for
attached images, `VALUES` for parameters. A rule so sees the author's words and what stands between.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.lint import english, grammar
from nanorecipes.prompt.lint.lazy import lazy
from nanorecipes.prompt.pieces import pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import nodes

    from nanorecipes.prompt.pieces import Piece
    from nanorecipes.recipe.model import Definition
    from nanorecipes.recipe.source import Document, Place

IMAGE_BASE, IMAGES_OF_SLOT = ord(english.FIRST_IMAGE), 16
VALUE_BASE, VALUE_COUNT = ord(english.FIRST_VALUE), 0x2B0
IMAGES = f"[{chr(IMAGE_BASE)}-{chr(VALUE_BASE - 1)}]"
"""A character class: one attached image, or all of a list slot together."""
VALUES = f"[{chr(VALUE_BASE)}-{chr(VALUE_BASE + VALUE_COUNT - 1)}]"
"""A character class: the value of one parameter."""
_MARKS = tuple(",.'-’:;\"()!?/“”–—‘…[]*#%&+=_‑")
_IMAGE, _VALUE = re.compile(IMAGES), re.compile(VALUES)


def image_letter(slot: int, item: int | None = None) -> str:
    """The letter of a slot's image, or of all its images together."""
    return chr(IMAGE_BASE + IMAGES_OF_SLOT * min(slot, 27) + (15 if item is None else item % 15))


def slot_index(letter: str) -> int:
    """Which slot an image's letter stands for."""
    return (ord(letter) - IMAGE_BASE) // IMAGES_OF_SLOT


def value_letter(index: int) -> str:
    """The letter of a parameter."""
    return chr(VALUE_BASE + index % VALUE_COUNT)


is_image = english.is_image


def is_value(letter: str) -> bool:
    """Whether a letter stands for a parameter's value."""
    return VALUE_BASE <= ord(letter) < VALUE_BASE + VALUE_COUNT


def words_of(lower: str) -> frozenset[str]:
    """The different words of a text; a hyphen and an apostrophe part them."""
    for mark in _MARKS:  # many times as fast as one pattern or table for all
        lower = lower.replace(mark, " ")
    return frozenset(lower.split())


class Origin(NamedTuple):
    """Where a chunk of text comes from."""

    source: Source
    node: nodes.Node | None
    """The part of the template; None for a text without any template in it."""
    param: str | None = None
    """The parameter whose value it is."""


class Source(ABC):
    """A text that an author wrote: a piece of a recipe's prompt, or a macro file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.index = -1

    @abstractmethod
    def place(self, line: int, column: int, length: int) -> Place:
        """Where a stretch of the text stands; lines and columns count from 1."""

    def exact_place(self, start: int, end: int) -> Place | None:
        """Where a stretch within a line surely stands, to be changed there; None in any doubt."""
        return None


class PieceSource(Source):
    """A piece of the recipe's own prompt, or of its parent's; its place is only looked up if asked.

    Places need the file's nodes, which are let go after loading; a clean recipe never needs them.
    """

    def __init__(self, text: str, definition: Definition, index: int) -> None:
        super().__init__(text)
        self._definition = definition
        self.index = index
        """Which piece of the prompt it is."""

    @lazy
    def piece(self) -> Piece:
        """The piece with its place."""
        return pieces(self._definition)[self.index]

    @property
    def document(self) -> Document:
        """The file that it stands in."""
        own = self._definition.document
        return self.piece.document if own.others else own

    def place(self, line: int, column: int, length: int) -> Place:
        start = self.piece.place(line)
        own = self.text.split("\n")[line - 1]
        begin = start.column + column - 1 - (len(own) - len(own.lstrip()))
        wanted = own[column - 1 : column - 1 + length]
        document = self.piece.document
        if start.excerpt[begin - 1 : begin - 1 + length] == wanted:
            return document.place_at(start.line, begin, start.line, begin + max(length, 1))
        return self._found_elsewhere(start, wanted)

    def exact_place(self, start: int, end: int) -> Place | None:
        """In the recipe's own file: within a literal block, or a scalar that needs no reading."""
        piece, own = self.piece, self._definition
        node = own.document.node(piece.path)
        if piece.document.path != own.path or node.style == ">":
            return None
        first = self.text.rfind("\n", 0, start) + 1
        line = self.text[first:].split("\n")[0]
        number = piece.first_line + self.text.count("\n", 0, start)
        excerpt = piece.source_line(number)
        if node.style == "|":
            column = len(excerpt) - len(line)
            is_sure = excerpt.endswith(line) and not excerpt[:column].strip(" ")
        else:
            column = node.end_mark.column - bool(node.style) - len(line)
            is_sure = (
                line == self.text
                and node.start_mark.line == node.end_mark.line
                and column >= node.start_mark.column
                and excerpt[column : column + len(line)] == line
            )
        at = column + start - first
        return piece.at(number, at, at + end - start) if is_sure else None

    def _found_elsewhere(self, start: Place, wanted: str) -> Place:
        """In a folded or quoted scalar the file breaks its lines elsewhere: look below."""
        document = self.piece.document
        words = wanted.strip()
        for line in range(start.line, start.line + 60):
            excerpt = document.place_at(line, 1, line, 1).excerpt
            found = excerpt.find(words)
            if words and found >= 0:
                return document.place_at(line, found + 1, line, found + 1 + len(words))
        return start


class Chunk(NamedTuple):
    """A stretch of text from one origin."""

    text: str
    origin: Origin


class Draft:
    """One piece as it comes out with certain values; white space is folded."""

    def __init__(
        self, section: str, image: str | None, source: Source, chunks: Sequence[Chunk]
    ) -> None:
        self.section = section
        self.image = image
        self.source = source
        self.chunks = chunks

        text = " ".join("".join([chunk.text for chunk in chunks]).split())
        self.text = text
        """The text on one line."""
        self.prose = prose = english.blot_quotes(text)
        """The same, as long, with what stands in quotes blotted out."""
        lowered = prose.lower()
        self.lower = lowered if len(lowered) == len(prose) else prose
        """The prose in small letters; as long as the text."""

    @lazy
    def tokens(self) -> list[english.Token]:
        """The words of the prose."""
        return english.tokens(self.lower)

    @lazy
    def words(self) -> frozenset[str]:
        """The different words of the prose; a hyphen and an apostrophe part them."""
        return words_of(self.lower)

    @lazy
    def sentences(self) -> list[english.Sentence]:
        """The sentences, each with its words."""
        return english.sentences(self.prose, self.tokens)

    @lazy
    def images(self) -> list[int]:
        """Where images are spoken of."""
        if self.text.isascii():
            return []
        return [match.start() for match in _IMAGE.finditer(self.text)]

    @lazy
    def values(self) -> list[str]:
        """The letters of the parameters in it."""
        if self.text.isascii():
            return []
        return _VALUE.findall(self.text)

    @lazy
    def commands(self) -> list[grammar.Command]:
        """The orders in it."""
        return list(grammar.commands(self))

    @lazy
    def things(self) -> list[grammar.Thing]:
        """The things that it lists."""
        return list(grammar.list_things(self, self.tokens))

    @property
    def is_plain(self) -> bool:
        """Whether no parameter prints anything in it."""
        return all(chunk.origin.param is None for chunk in self.chunks)

    def chunk_at(self, offset: int) -> tuple[Chunk, int]:
        """The chunk that holds a place of the text, and the place within the chunk."""
        rank = sum(not char.isspace() for char in self.text[:offset])
        for chunk in self.chunks:
            for index, char in enumerate(chunk.text):
                if not char.isspace():
                    if rank == 0:
                        return chunk, index
                    rank -= 1
        return self.chunks[0], 0
