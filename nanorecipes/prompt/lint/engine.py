"""Runs the guide's rules on a recipe, and takes out what the recipe allows itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nanorecipes import codes
from nanorecipes.prompt.lint.mending import doubled_blanks
from nanorecipes.prompt.lint.rules import RULES
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.mending import Edit
    from nanorecipes.prompt.lint.rule import Rule


TIDYING = "doubled-blanks"
"""The name of the one mend that no rule asks for: the prompt shows single blanks anyway."""


class Mend(NamedTuple):
    """An edit, and why it is made."""

    rule: str
    edit: Edit
    finding: Diagnostic | None
    """What it mends, or stands beside in the same text; None for `TIDYING`."""


class Guide:
    """The rules that are wanted.

    Args:
        takes: whether findings of a code and name are wanted.
        mends: whether what mends them is wanted too.
    """

    def __init__(self, takes: Callable[[str, str], bool], *, mends: bool = False) -> None:
        self.mends: list[Mend] | None = [] if mends else None
        self.wanted = {rule.name for rule in RULES if takes(rule.code, rule.name)}
        self.doubts_allow = takes(codes.UNUSED_ALLOW.code, codes.UNUSED_ALLOW.name)

    def check(self, contexts: Sequence[Context]) -> Iterator[Diagnostic]:
        """Every breach of the guide in some recipes whose templates are sound, rule by rule."""
        used: set[tuple[int, str]] = set()
        for rule in RULES:
            wanted = rule.name in self.wanted
            for number, context in enumerate(contexts):
                allowed = rule.name in context.allowed
                if not (self.doubts_allow if allowed else wanted) or not _reads(rule, context):
                    continue
                for fault in rule.check(context):
                    if allowed:
                        used.add((number, rule.name))
                        break
                    finding = fault.place.diagnostic(
                        rule.about, fault.message, help=fault.help, severity=rule.severity
                    )
                    yield finding
                    if self.mends is not None:
                        self.mends += [Mend(rule.name, edit, finding) for edit in fault.edits]
        if self.mends is not None:
            self.mends += _tidying(contexts)
        for number, context in enumerate(contexts):
            yield from _needless(context, {name for at, name in used if at == number})


def _tidying(contexts: Sequence[Context]) -> Iterator[Mend]:
    """Doubled blanks of all templates."""
    for context in contexts:
        for template in context.made.templates.all:
            for edit in doubled_blanks(template.source):
                yield Mend(TIDYING, edit, None)


def _reads(rule: Rule, context: Context) -> bool:
    """Whether a rule can judge the language that a recipe is written in."""
    return context.is_english or not rule.reads_english


def _needless(context: Context, used: set[str]) -> Iterator[Diagnostic]:
    """What `allow` says for nothing: no rule, no reason, or a rule that the recipe keeps."""
    definition = context.definition
    document = definition.document
    rules = {rule.name: rule for rule in RULES}
    for name in definition.data.get("allow", ()):
        place = document.place(("allow", name), key=True)
        if place.file != definition.path:
            continue  # a parent's, which its own file answers for
        if name not in rules:
            message = f"the guide has no rule {name!r}"
            yield place.diagnostic(codes.UNKNOWN_RULE, message, help=_right_name(name))
        elif name not in context.allowed:
            place = document.place(("allow", name))
            message = f"the reason for allowing {name!r} is blank"
            yield place.diagnostic(codes.WRONG_VALUE, message, help="say why the recipe breaks it")
        elif name not in used and _reads(rules[name], context):
            message = f"nothing here breaks {name!r}: it need not be allowed"
            yield place.diagnostic(
                codes.UNUSED_ALLOW, message, help="remove it", severity="warning"
            )


def _right_name(name: str) -> str:
    """The rule that is probably meant; its code stands for its name on the command line only."""
    for rule in RULES:
        if rule.code == name.upper():
            return f"write its name: {rule.name}"
    near = did_you_mean(name, [rule.name for rule in RULES])
    return near or "`nanorecipes lint --explain` lists the rules"
