"""Runs the guide's rules on a recipe, and takes out what the recipe allows itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nanorecipes import codes
from nanorecipes.prompt.lint.rules import RULES
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.rule import Rule
    from nanorecipes.recipe.model import Definition


class Guide:
    """The rules that are wanted.

    Args:
        takes: whether findings of a code and name are wanted.
    """

    def __init__(self, takes: Callable[[str, str], bool]) -> None:
        self.takes = takes
        self.rules = [rule for rule in RULES if takes(rule.code, rule.name)]

    def check(self, context: Context) -> Iterator[Diagnostic]:
        """Every breach of the guide in a recipe whose templates are sound."""
        definition = context.definition
        allowed = definition.data.get("allow", {})
        used: set[str] = set()
        for rule in self._fitting(context):
            for fault in rule.check(context):
                if rule.name in allowed:
                    used.add(rule.name)
                    break
                yield fault.place.diagnostic(
                    rule.about, fault.message, help=fault.help, severity=rule.severity
                )
        yield from self._needless(definition, context, used)

    def _fitting(self, context: Context) -> list[Rule]:
        if context.is_english:
            return self.rules
        return [rule for rule in self.rules if not rule.reads_english]

    def _needless(
        self, definition: Definition, context: Context, used: set[str]
    ) -> Iterator[Diagnostic]:
        """What `allow` says for nothing: a rule that isn't one, or that the recipe keeps."""
        document = definition.document
        names = {rule.name for rule in RULES}
        ran = {rule.name for rule in self._fitting(context)}
        for name in definition.data.get("allow", {}):
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
