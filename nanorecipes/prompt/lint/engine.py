"""Runs the guide's rules on a recipe, and takes out what the recipe allows itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from nanorecipes import codes
from nanorecipes.prompt.lint.rules import RULES
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.rule import Rule


class Guide:
    """The rules that are wanted.

    Args:
        takes: whether findings of a code and name are wanted.
    """

    def __init__(self, takes: Callable[[str, str], bool]) -> None:
        self.takes = takes
        self.rules = [rule for rule in RULES if takes(rule.code, rule.name)]

    def check(self, contexts: Sequence[Context]) -> Iterator[Diagnostic]:
        """Every breach of the guide in some recipes whose templates are sound, rule by rule."""
        used: set[tuple[int, str]] = set()
        for rule in self.rules:
            for number, context in enumerate(contexts):
                if rule.reads_english and not context.is_english:
                    continue
                for fault in rule.check(context):
                    if rule.name in context.allowed:
                        used.add((number, rule.name))
                        break
                    yield fault.place.diagnostic(
                        rule.about, fault.message, help=fault.help, severity=rule.severity
                    )
        for number, context in enumerate(contexts):
            yield from self._needless(context, {name for at, name in used if at == number})

    def _fitting(self, context: Context) -> list[Rule]:
        if context.is_english:
            return self.rules
        return [rule for rule in self.rules if not rule.reads_english]

    def _needless(self, context: Context, used: set[str]) -> Iterator[Diagnostic]:
        """What `allow` says for nothing: a rule that isn't one, or that the recipe keeps."""
        if not context.allowed:
            return
        definition = context.definition
        document = definition.document
        names = {rule.name for rule in RULES}
        ran = {rule.name for rule in self._fitting(context)}
        for name in context.allowed:
            place = document.place(("allow", name), key=True)
            if place.file != definition.path:
                continue  # a parent's, which its own file answers for
            if name not in names:
                advice = did_you_mean(name, names) or "`nanorecipes lint --explain` lists the rules"
                message = f"the guide has no rule {name!r}"
                yield place.diagnostic(codes.UNKNOWN_RULE, message, help=advice)
            elif name in ran and name not in used:
                message = f"nothing here breaks {name!r}: it need not be allowed"
                yield place.diagnostic(
                    codes.UNUSED_ALLOW, message, help="remove it", severity="warning"
                )
