"""Each rule of the guide as an author meets it: what is printed, and what is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import rule_cases_images
import rule_cases_making
import rule_cases_order

from nanorecipes.prompt.lint.rules import RULES

if TYPE_CHECKING:
    from lint_desk import Desk
    from rule_case import Case

CASES = [*rule_cases_order.CASES, *rule_cases_images.CASES, *rule_cases_making.CASES]

every_rule = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


@every_rule
def test_a_breach_is_shown_where_it_stands(case: Case, desk: Desk) -> None:
    """The author mends what the caret points at, with the help below it."""
    said = desk.lint(case.bad)
    assert said.out == case.expected


@every_rule
def test_a_near_relation_is_left_alone(case: Case, desk: Desk) -> None:
    """A rule that hits what is fine teaches authors to ignore it."""
    said = desk.lint(case.good)
    assert (said.out, said.code) == ("", 0)


def test_no_rule_is_left_out() -> None:
    """A rule without an example is one that nobody has looked at."""
    assert [case.rule for case in CASES] == [rule.name for rule in RULES]
