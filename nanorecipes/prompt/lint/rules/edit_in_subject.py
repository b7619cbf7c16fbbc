"""NR103: a subject that orders, or tells what shall be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint import english
from nanorecipes.prompt.lint.rule import Fault, Rule

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft

_FUTURE = re.compile(
    r"\b(?:should|shall|must|will|ought to|needs? to|has to|have to|is to|are to|would) "
    r"(?:\w+ly |now |then |also |not |never )*(?:be|become|have|look|show|get|turn|wear|stand|hang|"
    r"appear|change|stay|remain|disappear|vanish|go|come|sit|lie|hold|match|contain|feature|\w+)\b"
    r"|\b(?:after|following|once|upon) (?:the |this |that )?(?:edit|editing|change|retouch\w*|"
    r"replacement|removal|edited|changed|replaced|removed)\b"
    r"|\bin the (?:result|output|final (?:image|picture|photo|version)|finished (?:image|"
    r"picture|photo)"
    r"|edited (?:image|picture|photo))\b"
    r"|\b(?:is|are) (?:now |then |being )?(?:replaced|swapped|exchanged|turned|changed|converted|"
    r"transformed) (?:by|with|for|into|to)\b"
    r"|\bbecomes?\b|\bturns? into\b"
    r"|\bnow (?:wears?|has|have|holds?|stands?|shows?|sits?|carr(?:y|ies)|is|are)\b"
    r"|\b(?:is|are) now\b"
    r"|\b(?:make|making|be) sure\b|\bplease\b|\bensure\b|\bdo not\b|\bdon['’]t\b"
)
_TELLING = frozenset(
    "should shall must will ought need needs has have is are would after following once upon result"
    " output final finished edited become becomes turn turns now make making be please ensure"
    " do don".split()
)
"""Without any of these no change is told."""
_FINE = re.compile(
    r"\bis to (?:the (?:left|right)|one side)\b|\b(?:needs? to|is to|are to|has to) be "
    r"(?:edited|changed|replaced|removed|restored|recolou?red|retouched|extended|furnished|"
    r"repaired|"
    r"mended|kept|dressed|used|placed)\b|\bthe will\b|\ba will\b|\bmust-\w+"
)
_STARTS = frozenset("also then please now instead".split())


class EditInSubject(Rule):
    """The subject orders a change, or tells the picture as it will be.

    What it does: looks in the subject for orders, for "should", "will", "must", "becomes", and for
    words about the time after the edit. What people in the picture do, and what was done to things
    long ago, is the picture as it is.

    Why it matters: the subject tells the model what is there, so that it can leave it. An order
    hidden in it competes with the edit, or is taken for something that is there already.

    Example:

        {{ garden | capitalize }} shows a kitchen garden. The path should become wider.

    Use instead: the picture as it is in `subject`, and the order in `edit`.

    References: rule 3 of the prompt guide.
    """

    code = "NR103"
    name = "edit-in-subject"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        telling = context.drafts_with(_TELLING, "subject")
        for draft in context.drafts("subject"):
            found = (_told(draft) if draft in telling else None) or _ordered(draft)
            if found is not None:
                start, end = found
                message = f"{draft.text[start:end]!r} tells a change, not the picture as it is"
                advice = "describe what is there before the edit; put the order into `edit`"
                yield Fault(context.place(draft, start, end), message, advice)


def _told(draft: Draft) -> tuple[int, int] | None:
    text = draft.lower
    for fine in _FINE.finditer(text):
        text = f"{text[: fine.start()]}{'_' * (fine.end() - fine.start())}{text[fine.end() :]}"
    found = _FUTURE.search(text)
    return None if found is None else found.span()


def _ordered(draft: Draft) -> tuple[int, int] | None:
    for sentence in draft.sentences:
        words = sentence.tokens
        at = 1 if words[0].word in _STARTS and len(words) > 1 else 0
        order = english.order_at(words, at, strict=True)
        if order is None:
            order = _after_comma(draft, words)
        if order is not None:
            first = words[order.first]
            last = words[min(order.first + order.length + 1, len(words) - 1)]
            return first.start, last.end
        if words[at].word in ("keep", "preserve", "remove", "delete", "add") and at + 1 < len(
            words
        ):
            return words[at].start, words[at + 1].end
    return None


def _after_comma(draft: Draft, words: list[english.Token]) -> english.Order | None:
    """An order behind a mark or `; then`; behind a bare comma only a verb that is nothing else."""
    for index in range(1, len(words)):
        if _may_order(draft, words[index - 1], words[index]):
            found = english.order_at(words, index, strict=True)
            if found is not None:
                return found
    return None


def _may_order(draft: Draft, before: english.Token, word: english.Token) -> bool:
    if before.word in _LEADING or (before.word in _STARTS and word.word in _PLAIN):
        return True
    if word.start - before.end < 2:
        return False
    between = draft.lower[before.end : word.start]
    return ("," in between and word.word in _PLAIN) or not _MARKS.isdisjoint(between)


_LEADING = frozenset(("then", "please"))
_MARKS = frozenset(":–—(")
_PLAIN = frozenset(
    "remove replace add erase delete swap recolour recolor insert change make turn restyle".split()
)
