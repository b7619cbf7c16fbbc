"""The word lists that the rules read, from `data/words/`, in the forms that they are searched"
" in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[2] / "data" / "words"


@cache
def word_list(name: str) -> Mapping[str, Any]:
    """One file of words: lists and mappings by name."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    data: Mapping[str, Any] = yaml.load(text, Loader=loader)  # noqa: S506  # a safe loader
    return data


@cache
def listed(name: str, *keys: str) -> frozenset[str]:
    """The entries of some lists of a file, in small letters."""
    return frozenset(str(item).lower() for key in keys for item in word_list(name)[key])


@cache
def any_of(name: str, *keys: str) -> re.Pattern[str]:
    """One pattern for all regular expressions of some lists."""
    parts = [f"(?:{item})" for key in keys for item in word_list(name)[key]]
    return re.compile("|".join(parts), re.IGNORECASE)


class Phrases:
    """Many phrases at once, found by their first words: text without any of those costs nothing."""

    def __init__(self, phrases: Iterable[str]) -> None:
        ordered = sorted({phrase.lower() for phrase in phrases}, key=len, reverse=True)
        self._by_first: dict[str, list[frozenset[str]]] = {}
        for phrase in ordered:
            words = _WORDS.findall(phrase)
            if words:
                self._by_first.setdefault(words[0], []).append(frozenset(words))
        self._first = frozenset(self._by_first)
        self.pattern = re.compile(
            r"(?<![\w-])(?:" + "|".join(map(re.escape, ordered)) + r")(?![\w-]|['’]\w)"
        )

    def find(self, lower: str, words: frozenset[str]) -> Iterator[re.Match[str]]:
        """Each occurrence in a text in small letters, of which the words are known."""
        if self.may_stand_in(words):
            yield from self.pattern.finditer(lower)

    def may_stand_in(self, words: frozenset[str]) -> bool:
        """Whether all words of some phrase are among these."""
        return any(
            wanted <= words for first in self._first & words for wanted in self._by_first[first]
        )


_WORDS = re.compile(r"[^\W_]+")


@cache
def phrases(name: str, *keys: str) -> Phrases:
    """The phrases of some lists of a file."""
    return Phrases(listed(name, *keys))


def blot(text: str, spans: Iterable[tuple[int, int]], mark: str = "_") -> str:
    """The text with some stretches covered, as long as before."""
    for start, end in spans:
        text = f"{text[:start]}{mark * (end - start)}{text[end:]}"
    return text


class Verb(NamedTuple):
    """A verb of the guide, and the kinds of operation that it can begin."""

    base: str
    classes: frozenset[str]


@cache
def verbs() -> Mapping[str, Verb]:
    """The verbs that name a picture operation, by base form; several words count as one."""
    return {
        str(base): Verb(str(base), frozenset(classes))
        for base, classes in word_list("operation_verbs").items()
    }


@cache
def verb_starts() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """By first word, the words of each verb, longest first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for base in verbs():
        words = tuple(base.split())
        found.setdefault(words[0], []).append(words)
    return {first: tuple(sorted(items, key=len, reverse=True)) for first, items in found.items()}


def third_person(base: str) -> str:
    """`carry`: `carries`."""
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return f"{base}es"
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return f"{base[:-1]}ies"
    return f"{base}s"


def gerund(base: str) -> str:
    """`move`: `moving`."""
    if base.endswith("e") and not base.endswith(("ee", "ye", "oe")):
        return f"{base[:-1]}ing"
    if re.search(r"[^aeiou][aeiou][bdgklmnprt]$", base) and len(base) <= 4:
        return f"{base}{base[-1]}ing"
    return f"{base}ing"


@cache
def third_persons() -> frozenset[str]:
    """Forms such as `replaces`, of every verb of one word."""
    return frozenset(third_person(base) for base in verbs() if " " not in base)


def singular(noun: str) -> str:
    """A noun without its plural ending, roughly: enough to compare two of them."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun.endswith("ies") and len(noun) > 4:
        return f"{noun[:-3]}y"
    if noun.endswith(("ches", "shes", "xes", "sses")):
        return noun[:-2]
    if noun.endswith("ves") and len(noun) > 4:
        return f"{noun[:-3]}f"
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3:
        return noun[:-1]
    return noun


def plural(noun: str) -> str:
    """The plural of a noun, roughly: `child` has `children` in the word lists."""
    if noun.endswith("man"):
        return f"{noun[:-3]}men"
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


_IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "feet": "foot",
    "teeth": "tooth", "mice": "mouse", "geese": "goose", "leaves": "leaf", "knives": "knife",
    "glasses": "glasses", "clothes": "clothes", "eaves": "eaves", "colours": "colour",
}  # fmt: skip
