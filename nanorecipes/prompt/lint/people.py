"""How many people a picture shows, and how many of them a recipe asks the model to keep."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.draft import IMAGES
from nanorecipes.prompt.lint.words import listed, plural, word_list

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.recipe.params import Slot

NUMBERS = {
    "two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12, "fifteen": 15, "twenty": 20,
}  # fmt: skip
_THINGS_TOO = listed("people_words", "things_too")
"""Words for people that as often name a thing, or that name many as one."""
_SCENERY = re.compile(r"\b(?:crowd|audience|onlookers|spectators|passers-by|background people)\b")


@cache
def _one() -> str:
    words = listed("people_words", "one") - _THINGS_TOO
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


@cache
def _many() -> str:
    words = listed("people_words", "many") - {"family", "families", "staff"}
    words |= {plural(word) for word in listed("people_words", "one") - _THINGS_TOO}
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


@cache
def _pairs() -> re.Pattern[str]:
    words = listed("people_words", "pairs") - {"pair", "couple"}
    items = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(
        rf"\b(?:{items})\b|\b(?:a|the|young|old|married|elderly|bridal) couple\b(?! of)"
    )


@cache
def _counted() -> re.Pattern[str]:
    numbers = "|".join([*NUMBERS, r"\d+"])
    return re.compile(
        rf"\b({numbers})(?: (?:of the|the|different|young|old|elderly|small|other|[\w-]+))? "
        rf"({_many()})\b"
    )


@cache
def _joined() -> re.Pattern[str]:
    """`a mechanic ... and an apprentice`: two people told apart by their nouns."""
    return re.compile(
        rf"\b(?:a|an|one|the) (?:[\w-]+ ){{0,2}}({_one()})\b(?!'s)[^.;]*?,? and (?:a|an|one|the|"
        rf"another) "
        rf"(?:[\w-]+ ){{0,2}}({_one()})\b(?!'s)"
    )


def people_shown(context: Context) -> int:
    """How many people the recipe's words say that its pictures show; 0 or 1 when none is told."""
    most = 0
    if _person_words().isdisjoint(context.words):
        return 0
    for draft in context.drafts("subject", "edit"):
        text = draft.lower
        for match in _counted().finditer(text):
            most = max(most, _number(match.group(1)))
        if most < 2 and (_pairs().search(text) or _joined().search(text)):
            most = 2
    return most


@cache
def _person_words() -> frozenset[str]:
    """Without any of these nobody is told of."""
    words = listed("people_words", "one", "many", "pairs")
    return frozenset(word.split("-")[0].split()[-1] for word in words) - _THINGS_TOO


def _number(word: str) -> int:
    return NUMBERS.get(word) or (int(word) if word.isdigit() else 1)


def people_kept(context: Context) -> int:
    """How many people the fullest call asks the model to keep as they are."""
    slots = sum(_people_of(context, slot) for slot in context.slots.values())
    return max(slots, _told(context))


def _told(context: Context) -> int:
    """People counted in words whose identity comes from an image, or is kept one by one."""
    if context.capability not in ("consistency", "composition"):
        return 0
    most = 0
    for draft in context.drafts("edit", "protect"):
        text = _SCENERY.sub("_", draft.lower)
        for match in _counted().finditer(text):
            behind = text[match.end() : match.end() + 40]
            bound = re.match(rf"[^.,;]*?\b(?:of|from|in) {IMAGES}", behind)
            kept = draft.section == "protect" and re.search(r"\b(?:each|every|all)\b", text)
            if bound or kept:
                most = max(most, _number(match.group(1)))
    return most


def _people_of(context: Context, slot: Slot) -> int:
    """How many people a slot brings whose looks are kept: its images, or none."""
    letters = _letters(context, slot.name)
    many = rf"(?:{_many()}|portraits|headshots|selfies)"
    one = rf"(?:{_one()}|{'|'.join(_PEOPLE_HERE)})"
    text = " . ".join(draft.lower for draft in context.drafts())
    about = f"{slot.name.replace('_', ' ')} {slot.label} {slot.description}".lower()
    tie = rf"(?: [^.,;]{{0,40}}?)? ?(?:of|from|in|shown in|known from|seen in) {letters}"
    if not slot.is_list:
        told = re.search(rf"\b{one}\b{tie}", text) or re.match(
            rf"[^.;]*(?:\b{one}\b(?!'s)|\b(?:portrait|headshot|selfie|passport photo)\b)", about
        )
        return int(bool(told) and _keeps(context, slot, text))
    if re.search(
        r"\bsame (?:\w+ )?(?:person|man|woman|child|character|face|model|figure)\b", about
    ):
        return 1
    several = re.search(rf"\b{many}\b{tie}", text) or re.search(rf"\b{many}\b", about)
    each = re.search(
        rf"\b(?:each|every|per|one)\b.*\b{one}\b"
        r"|\b(?:one|a) (?:portrait|headshot|selfie) (?:per|for (?:each|every)|of (?:each|every))\b",
        about,
    )
    if (several and not re.search(rf"\bthe {one}\b{tie}", text)) or each:
        return slot.max
    return int(bool(re.search(rf"\b{one}\b", text)))


_PEOPLE_HERE = ("character", "figure", "model", "sitter", "runner", "keeper", "face", "conductor",
                "rider", "cook", "driver", "pilot", "captain", "swimmer", "skater")  # fmt: skip


def _keeps(context: Context, slot: Slot, text: str) -> bool:
    """Whether somebody's looks are to be kept at all."""
    keeping = listed("people_words", "keeping")
    words = set(re.findall(r"\w+", " ".join(d.lower for d in context.drafts("protect"))))
    return bool(words & {word for word in keeping if " " not in word} | words & {"likeness"})


def _letters(context: Context, name: str) -> str:
    """A character class: the letters of a slot."""
    from nanorecipes.prompt.lint.draft import image_letter

    index = list(context.slots).index(name)
    return f"[{image_letter(index, 0)}-{image_letter(index)}]"


def sizes() -> dict[str, int]:
    """Words for groups of a known size."""
    found: dict[str, int] = word_list("people_words")["sizes"]
    return found
