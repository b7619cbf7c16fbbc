"""What an example's `expect` says, held against the request that came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from nanorecipes.testing.lines import BREAK, split_text

if TYPE_CHECKING:
    from nanorecipes.recipe.source import Path_
    from nanorecipes.request import Request

NEAR = 0.5
"""How alike a sentence must be to the expected text to be shown as what was meant."""


class Broken(NamedTuple):
    """An expectation that does not hold; `path` leads to it from `expect`."""

    path: Path_
    message: str
    expected: str
    found: str


def broken_expectations(expect: Mapping[str, Any], request: Request) -> Iterator[Broken]:
    """Every expectation that the request breaks, in the order of the format's keys.

    Texts are compared letter by letter, but white space of any kind and length is the same.
    """
    prompt = _folded(request.prompt)
    for index, wanted in enumerate(expect.get("contains", ())):
        if _folded(wanted) not in prompt:
            found = _nearest(_folded(wanted), request)
            shown = f"the nearest is {found!r}" if found else "nothing like it"
            message = f"expected the prompt to hold {wanted!r}, found {shown}"
            yield Broken(("contains", index), message, wanted, found)
    for index, unwanted in enumerate(expect.get("not_contains", ())):
        if _folded(unwanted) in prompt:
            found = _sentence_with(_folded(unwanted), request)
            message = f"expected the prompt not to hold {unwanted!r}, found it in {found!r}"
            yield Broken(("not_contains", index), message, unwanted, found)
    yield from _measures(expect, request)


def _measures(expect: Mapping[str, Any], request: Request) -> Iterator[Broken]:
    most, chars = expect.get("max_chars"), len(request.prompt)
    if most is not None and chars > most:
        message = f"expected a prompt of at most {most} characters, found {chars}"
        yield Broken(("max_chars",), message, str(most), str(chars))
    slots = [image.slot for image in request.images]
    if "images" in expect and list(expect["images"]) != slots:
        wanted, found = (", ".join(names) or "none" for names in (expect["images"], slots))
        message = f"expected the images {wanted}, found {found}"
        yield Broken(("images",), message, wanted, found)


def _folded(text: str) -> str:
    return " ".join(text.split())


def _sentences(request: Request) -> Iterator[str]:
    """The prompt's sentences, for a message that quotes one."""
    for section in request.sections:
        yield from (_folded(line.removesuffix(BREAK)) for line in split_text(section.text))


def _nearest(wanted: str, request: Request) -> str:
    """The sentence that looks most like the text, or nothing."""
    best, score = "", NEAR
    for sentence in _sentences(request):
        matcher = SequenceMatcher(None, wanted, sentence, autojunk=False)
        same = sum(block.size for block in matcher.get_matching_blocks() if block.size > 2)
        if same / len(wanted) > score:
            best, score = sentence, same / len(wanted)
    return best


def _sentence_with(text: str, request: Request) -> str:
    """The sentence that holds the text, or the text where it runs over several."""
    return next((line for line in _sentences(request) if text in line), text)
