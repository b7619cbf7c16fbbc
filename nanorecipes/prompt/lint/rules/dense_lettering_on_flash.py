"""NR141: much lettering to be made by a model that isn't made for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.catalogue import catalogue
from nanorecipes.prompt.lint import english
from nanorecipes.prompt.lint.draft import is_value
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import listed

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

LONG_LINE = 60
"""Characters of one lettering beyond which it is dense."""
MANY = 3
"""So many letterings at once, when they are longer than single words together."""
MUCH = 60
_REPLACED = re.compile(
    r"\b(?:replace|change|swap|exchange|remove|erase|delete|correct|rename|cover|paint over|"
    r"take)\b[^.;\"“]*\Z"
)


class DenseLetteringOnFlash(Rule):
    """Much lettering is to be made, and the recipe asks for flash.

    What it does: adds up the lettering that the edit and the details ask for, at its longest: a
    line beyond 60 characters, a list of lines, or several letterings at once count as dense.
    Lettering that only stays doesn't count.

    Why it matters: flash loses letters in dense text. A picture with a wrong letter is a picture
    paid for twice.

    Example:

        params:
          inscription: {format: verbatim, description: The inscription.}
        settings: {model: flash}

    Use instead: `model: pro`, or `maxLength: 60` for the lettering.

    References: rule 23 of the prompt guide.
    """

    code = "NR141"
    name = "dense-lettering-on-flash"

    def check(self, context: Context) -> Iterator[Fault]:
        models = catalogue().models
        if context.model is None or context.model is not models.get("flash"):
            return
        for variant in context.variants:
            for draft in variant.of("edit") + variant.of("details"):
                found = _dense(context, draft)
                if found is not None:
                    start, end, why = found
                    message = f"{why}, to be lettered by {context.model.alias}"
                    advice = "use model: pro, or bound the lettering with maxLength: 60"
                    yield Fault(context.place(draft, start, end), message, advice)
                    return


def _dense(context: Context, draft: Draft) -> tuple[int, int, str] | None:
    """Where a text asks for much lettering, and how much."""
    lengths = []
    for start, end in english.quotes(draft.text):
        if not _is_made(draft, start - 1):
            continue
        length = _longest(context, draft.text[start:end])
        if length > LONG_LINE:
            return start, end, f"a lettering of up to {length} characters"
        lengths.append((start, end, length))
    total = sum(length for _, _, length in lengths)
    count = len(lengths) + _listed(context, draft)
    if lengths and (count > MANY or (count >= MANY and total > MUCH)):
        return lengths[0][0], lengths[-1][1], f"{count} letterings or more"
    return _named(draft)


def _longest(context: Context, quoted: str) -> int:
    total = 0
    for char in quoted:
        param = context.param_of(char) if is_value(char) else None
        if param is None:
            total += 1
        elif param.type in ("integer", "number"):
            total += 6
        elif param.enum is not None:
            total += max(len(str(value)) for value in param.enum)
        else:
            total += param.max_length
    return total


def _listed(context: Context, draft: Draft) -> int:
    """How many more lines a list in quotes can have than the drafts show."""
    shown = draft.values
    more = 0
    for char in dict.fromkeys(shown):
        param = context.param_of(char)
        if param is not None and param.type == "array" and f'"{char}"' in draft.text:
            more += max(0, param.max_items - shown.count(char))
    return more


def _is_made(draft: Draft, at: int) -> bool:
    """Whether a lettering is to be made: not the old one that is replaced, nor one that is told."""
    lead = draft.lower[:at]
    sentence = re.split(r"[.;]\s", lead)[-1]
    if re.search(
        r"\b(?:that|which|now|still|already|present(?:ly)?|currently) (?:now )?(?:reads?|"
        r"says?)\s*\Z",
        sentence,
    ):
        return False
    if '"' in sentence or "”" in sentence:
        return True
    return not (
        _REPLACED.search(sentence)
        and not re.search(r"\b(?:with|to|by|into|for|as)\b[^\"]*\Z", sentence)
    )


def _named(draft: Draft) -> tuple[int, int, str] | None:
    """`print a poem`: a dense kind of lettering as what is written."""
    if draft.section != "edit":
        return None
    for match in re.finditer(
        r"\b(?:write|print|letter|typeset|type|inscribe|engrave)\b ((?:[\w’'-]+ ){0,4}?)"
        r"("
        + "|".join(sorted(map(re.escape, _DENSE), key=len, reverse=True))
        + r")\b(?! (?:on|card|board))",
        draft.lower,
    ):
        if not re.search(r"\b(?:on|onto|in|into|over|across)\b", match.group(1)):
            return match.start(2), match.end(2), f"{match.group(2)!r}"
    return None


_DENSE = listed("lettering_words", "dense") - {"program", "programme", "menu card", "menu board"}
