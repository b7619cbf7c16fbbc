"""The guide's rules, one a file, in the order of their codes."""

from __future__ import annotations

from nanorecipes.prompt.lint.rule import Rule

RULES: tuple[Rule, ...] = ()
