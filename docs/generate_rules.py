"""The reference of the guide's rules, made from the pages that `lint --explain` prints."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanorecipes.prompt.lint.rule import Rule

_LEADS = ("What it does", "Why it matters", "Example", "Use instead", "References")
_LEAD = re.compile(rf"(?P<lead>{'|'.join(_LEADS)}):\s*(?P<rest>.*)", re.DOTALL)


def rules() -> str:
    """A table of the rules, and a section for each."""
    from docs.generate import code, table
    from nanorecipes.prompt.lint.rules import RULES

    rows = [
        (f"[{code(rule.code)}](#{_anchor(rule)})", code(rule.name), rule.severity, rule.status,
         rule.about.about)
        for rule in RULES
    ]  # fmt: skip
    overview = table(["code", "name", "severity", "status", "the fault"], rows)
    return "\n".join([overview, *map(_section, RULES)])


def _anchor(rule: Rule) -> str:
    return f"{rule.code}-{rule.name}".lower()


def _section(rule: Rule) -> str:
    language = "" if rule.reads_english else ", for recipes in every language"
    head = f"## {rule.code}: {rule.name}\n\n{rule.severity.capitalize()}, {rule.status}{language}."
    return "\n\n".join([head, *_parts(rule.page())]) + "\n"


def _parts(page: str) -> Iterator[str]:
    """The paragraphs of a page in Markdown; what is indented becomes a block to read."""
    block: list[str] = []
    for paragraph in [*page.split("\n\n"), ""]:
        if paragraph.startswith("    "):
            block.append(textwrap.dedent(paragraph))
            continue
        if block:
            yield "```text\n" + "\n\n".join(block) + "\n```"
            block = []
        if paragraph:
            yield _prose(paragraph)


def _prose(paragraph: str) -> str:
    found = _LEAD.fullmatch(paragraph)
    if found is None:
        return paragraph
    return f"**{found['lead']}:** {found['rest']}".rstrip()
