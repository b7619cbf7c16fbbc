"""NR140: lettering that doesn't stand in quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.draft import VALUES, Draft, is_value
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import blot, phrases

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.recipe.params import Param

_NOUN = (
    r"(?:text|words?|letters|lettering|inscription|caption|titles?|subtitle|headline|slogan|"
    r"tagline|motto|"
    r"message|greeting|name|names|phrase|wordmark|quote|quotation|initials|monogram|signature|"
    r"following (?:text|words|lines))"
)
_SAYING = (
    r"(?:reading|reads|saying|says|say|stating|states|"
    r"spelling(?: out)?|spells(?: out)?|that read|to read)"
)
_CARRIER = (
    r"(?:sign|signs|banner|plate|plaque|label|board|text|lettering|poster|caption|inscription|"
    r"letters|"
    r"ribbon|cake|neon|sticker|badge|billboard|chalkboard|note|card|tag|title|headline|words?|"
    r"logo|mug|"
    r"shirt|t-shirt|flag|placard|signboard|screen|stamp|engraving|print|patch|cover|jersey|name|"
    r"sash|marquee)"
)
_PLAIN_NEXT = (
    r"(?:is|are|was|were|on|in|at|of|that|and|or|above|below|for|stays?|keeps?|follows?|from|to|"
    r"with|as|"
    r"which|around|across|along|beside|between|over|under|the|a|an|by|into|remains?|has|have|sits?|"
    r"itself|themselves|exactly|appears?|should|must|be|so|look|looks|fills?|only|here|there|tags?|"
    r"plates?|badge|spelled|written|printed|shown|given|already|runs?|reads?|curves?|stands?|one)"
)
_MAKING = re.compile(
    r"\b(?:write|inscribe|typeset|letter|spell(?: out)?|type|chalk|scrawl|caption (?:it|"
    r"the \w+)?)\s+(" + VALUES + r")"
)
_CHANGED = re.compile(
    r"\b(?:change|replace|swap|exchange|correct|update|set|rename|switch|turn)\b[^.;]*?\b"
    + _NOUN
    + r"\b[^.;]*? (?:to|with|by|for|into) ("
    + VALUES
    + r")(?!\w| (?:letter|typeface|font|ink|paint|gold|script))"
)
_PLACED = re.compile(
    r"\b(?:print|paint|engrave|carve|etch|emboss|embroider|stitch|sew|stencil|stamp|add|put|"
    r"place|set|pipe|"
    r"spray|tattoo|display|letter|write)\s+(?:the \w+ )?(" + VALUES + r")"
)
_ABOUT_LETTERING = re.compile(
    r"\b(?:text|lettering|caption|inscription|slogan|headline|wording|tagline|motto|words to|"
    r"(?:the )?words? (?:on|for|of)|letters|message|greeting|exact words|what (?:it|"
    r"the \w+) (?:says|reads))\b"
)


_WORDS = frozenset(
    "text word words letters lettering inscription caption title titles subtitle headline"
    " slogan tagline"
    " motto message greeting name names phrase wordmark quote quotation initials monogram"
    " signature lines"
    " reading reads saying says say stating states spelling spells read write inscribe typeset"
    " letter"
    " spell type chalk scrawl print paint engrave carve etch emboss embroider stitch sew"
    " stencil stamp add"
    " put place set pipe spray tattoo display".split()
)


class UnquotedLettering(Rule):
    """Lettering for the picture stands outside quotes.

    What it does: finds words that shall appear in the picture: behind "reading", "saying", "the
    text", "the words", or as what is written. Typed by the author they have to stand in quotes; as
    a parameter it has to be `format: verbatim`, or printed through the filter `quote`. In examples
    the caller's own words are looked at too.

    Why it matters: without quotes the model can't see where the lettering begins and ends. It
    paraphrases it, or letters the rest of the sentence too.

    Example:

        Add the text Summer Sale across the window.

    Use instead:

        Add the text "Summer Sale" across the window, in red script half as wide as the pane.

    References: rule 23 of the prompt guide.
    """

    code = "NR140"
    name = "unquoted-lettering"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        examples = context.example_drafts(_WORDS, "edit", "details")
        told = context.drafts_with(_WORDS, "edit", "details")
        for draft in [*told, *examples]:
            found = _unquoted(context, draft)
            if found is not None:
                start, end = found
                yield self._fault(context, draft, start, end)

    def _fault(self, context: Context, draft: Draft, start: int, end: int) -> Fault:
        param = next((p for c in draft.text[start:end] if (p := context.param_of(c))), None)
        shown = draft.text[start:end]
        if param is not None:
            message = f"the lettering {{{{ {param.name} }}}} does not stand in quotes"
            advice = f"declare {param.name} as `format: verbatim`"
            if param.type == "array" or param.format == "multiline":
                advice = f"print each line through the filter: {{{{ line | quote }}}}, or {advice}"
        else:
            message = f"the lettering {shown!r} does not stand in quotes"
            advice = 'put what shall be read into quotes, as in: the text "Summer Sale"'
        return Fault(context.place(draft, start, end), message, advice)


def _unquoted(context: Context, draft: Draft) -> tuple[int, int] | None:
    if _WORDS.isdisjoint(draft.words):
        return None
    text = _judged(context, draft)
    lower = text.lower() if len(text.lower()) == len(text) else text
    return _said(text, lower) or _named(text, lower) or _given(context, lower)


def _judged(context: Context, draft: Draft) -> str:
    fine = phrases("lettering_words", "not_lettering").find(draft.lower, context.words)
    return blot(draft.prose, [match.span() for match in fine])


@cache
def _saying() -> re.Pattern[str]:
    return re.compile(
        rf"\b{_CARRIER}\b[^.;:\"“]{{0,60}}?\b{_SAYING}(?: simply| just| only)? "
        rf"(?![\"“‘'«„(]|(?:the|a|an|his|her|its|their|exactly|as|in|so|from|well|clearly|like|"
        rf"more|{VALUES}?['’])\b)"
        rf"(?:([^\W_]+)|({VALUES}))"
    )


@cache
def _any_saying() -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:saying|says|that reads|reading|spelling out|spells)(?: simply|"
        rf" just)? (?=({VALUES})|[A-Z])"
    )


def _said(text: str, lower: str) -> tuple[int, int] | None:
    """What stands behind `saying` or `reading`."""
    found = _saying().search(lower)
    if found is not None:
        start = found.start(1) if found.group(1) else found.start(2)
        return start, _phrase_end(text, start)
    loose = _any_saying().search(text)
    if loose is not None:
        return loose.end(), _phrase_end(text, loose.end())
    return None


@cache
def _noun_then() -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:the|a|an|with|following) (?:\w+ )?{_NOUN}(?: of)?:? (?=({VALUES})|([A-Z][\w’'&]*))"
    )


@cache
def _word_then() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:with|add|write|paint|put|letter|print|place|set|engrave|embroider|carve|stitch|"
        r"spell)"
        rf" the words? (?![\"“‘'«„])(?!{_PLAIN_NEXT}\b)(?=[^\W\d_])(?:with |\w+)"
    )


_RENAMED = re.compile(
    r"\b(?i:change|replace|swap|rename|correct|update|set)\b[^.;\"“]*?\b"
    r"(?:name|word|words|caption|title|headline|slogan|text|inscription|message|greeting|motto)\b"
    r"[^.;\"“]*? (?:to|with|by|for|into) (?=[A-Z])(?!(?:English|French|German|Spanish|Italian|"
    r"Japanese"
    r"|Chinese|Korean|Arabic|Latin|Greek|Cyrillic|Russian|Portuguese|Dutch|Polish|Turkish|Swedish"
    r"|Roman|Gothic|Helvetica|Garamond|Futura|Times|Bodoni|Art|Fraktur)\b)"
)


_WRITTEN = re.compile(
    r"(?:^|[.;:] )(?:Write|Letter|Inscribe|Spell|Typeset) (?=[A-Z][\w’'&]*"
    rf"(?: (?:[A-Z0-9][\w’'&]*|{VALUES}))+ )"
)
"""`Write Damson Jam 2025 on the label`: two words or more that begin large."""


def _named(text: str, lower: str) -> tuple[int, int] | None:
    """What stands behind `the text`, `the words`, `the name`, or behind `write`."""
    written = _WRITTEN.search(text)
    if written is not None:
        return written.end(), _phrase_end(text, written.end())
    for match in _noun_then().finditer(text):
        start = match.end()
        if match.group(1) and _is_noun_of(text, start):
            continue
        return start, _phrase_end(text, start)
    renamed = _RENAMED.search(text)
    if renamed is not None:
        return renamed.end(), _phrase_end(text, renamed.end())
    plain = _word_then().search(lower)
    if plain is not None:
        start = plain.end() - len(plain.group().split()[-1])
        return start, _phrase_end(text, start)
    return None


def _is_noun_of(text: str, at: int) -> bool:
    """`the name {{ brand }} sign`: not lettering alone, but what it belongs to is told."""
    return text[at + 1 : at + 3] in ("'s", "’s")


def _phrase_end(text: str, start: int) -> int:
    """The end of what is likely the lettering: its capitalised words, or one word."""
    if is_value(text[start]):
        return start + 1
    found = re.compile(r"[^\W_][\w’'&.-]*(?:,? (?:[A-Z&][\w’'&-]*))*").match(text, start)
    return found.end() if found is not None else start + 1


def _given(context: Context, lower: str) -> tuple[int, int] | None:
    """A parameter that is written as it stands."""
    for pattern in (_MAKING, _CHANGED):
        for match in pattern.finditer(lower):
            param = context.param_of(match.group(1))
            if param is not None and _is_text(param):
                return match.start(1), match.end(1)
    for match in _PLACED.finditer(lower):
        param = context.param_of(match.group(1))
        if param is not None and _is_text(param) and _is_lettering(param):
            return match.start(1), match.end(1)
    return None


def _is_text(param: Param) -> bool:
    return param.type in ("string", "array") and param.format in ("line", "multiline")


def _is_lettering(param: Param) -> bool:
    about = f"{param.name.replace('_', ' ')} . {param.description}".lower()
    return bool(_ABOUT_LETTERING.search(about))
