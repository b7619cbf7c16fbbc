"""A piece of prompt as the rules read it: plain text, and for each place of it where it came from.

Values that only a caller knows stand in it as single letters that no author writes: `IMAGES` for
attached images, `VALUES` for parameters. A rule so sees the author's words and what stands between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes.prompt.lint import english

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import nodes

    from nanorecipes.prompt.pieces import Piece
    from nanorecipes.recipe.source import Place

IMAGE_BASE, IMAGES_OF_SLOT = 0xA000, 16
VALUE_BASE, VALUE_COUNT = 0xA1D0, 0x2B0
IMAGES = f"[{chr(IMAGE_BASE)}-{chr(VALUE_BASE - 1)}]"
"""A character class: one attached image, or all of a list slot together."""
VALUES = f"[{chr(VALUE_BASE)}-{chr(VALUE_BASE + VALUE_COUNT - 1)}]"
"""A character class: the value of one parameter."""


def image_letter(slot: int, item: int | None = None) -> str:
    """The letter of a slot's image, or of all its images together."""
    return chr(IMAGE_BASE + IMAGES_OF_SLOT * min(slot, 27) + (15 if item is None else item % 15))


def slot_index(letter: str) -> int:
    """Which slot an image's letter stands for."""
    return (ord(letter) - IMAGE_BASE) // IMAGES_OF_SLOT


def value_letter(index: int) -> str:
    """The letter of a parameter."""
    return chr(VALUE_BASE + index % VALUE_COUNT)


def is_image(letter: str) -> bool:
    """Whether a letter stands for an attached image."""
    return IMAGE_BASE <= ord(letter) < VALUE_BASE


def is_value(letter: str) -> bool:
    """Whether a letter stands for a parameter's value."""
    return VALUE_BASE <= ord(letter) < VALUE_BASE + VALUE_COUNT


class Origin(NamedTuple):
    """Where a chunk of text comes from."""

    source: Source
    node: nodes.Node
    param: str | None = None
    """The parameter whose value it is."""


class Source:
    """A text that an author wrote: a piece of a recipe's prompt, or a macro file."""

    def __init__(self, text: str) -> None:
        self.text = text

    def place(self, line: int, column: int, length: int) -> Place:
        """Where a stretch of the text stands; lines and columns count from 1."""
        raise NotImplementedError


class PieceSource(Source):
    """A piece of the recipe's own prompt, or of its parent's."""

    def __init__(self, piece: Piece) -> None:
        super().__init__(piece.text)
        self.piece = piece

    def place(self, line: int, column: int, length: int) -> Place:
        start = self.piece.place(line)
        own = self.text.split("\n")[line - 1]
        begin = start.column + column - 1
        if start.excerpt[begin - 1 : begin - 1 + length] != own[column - 1 : column - 1 + length]:
            # A folded or quoted scalar: the file breaks its lines elsewhere.
            found = start.excerpt.find(own[column - 1 : column - 1 + length])
            begin = found + 1 if found >= 0 else start.column
        return self.piece.document.place_at(start.line, begin, start.line, begin + max(length, 1))


class Chunk(NamedTuple):
    """A stretch of text from one origin."""

    text: str
    origin: Origin


@dataclass(frozen=True, slots=False, eq=False)
class Draft:
    """One piece as it comes out with certain values; white space is folded."""

    section: str
    image: str | None
    source: Source
    chunks: Sequence[Chunk]

    @cached_property
    def text(self) -> str:
        """The text on one line."""
        return " ".join("".join([chunk.text for chunk in self.chunks]).split())

    @cached_property
    def prose(self) -> str:
        """The same, as long, with what stands in quotes blotted out."""
        return english.blot_quotes(self.text)

    @cached_property
    def lower(self) -> str:
        """The prose in small letters; as long as the text."""
        lowered = self.prose.lower()
        return lowered if len(lowered) == len(self.prose) else self.prose

    @cached_property
    def tokens(self) -> list[english.Token]:
        """The words of the prose."""
        return english.tokens(self.lower)

    @cached_property
    def sentences(self) -> list[english.Sentence]:
        """The sentences, each with its words."""
        return english.sentences(self.prose, self.tokens)

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
