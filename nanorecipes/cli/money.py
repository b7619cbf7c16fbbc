"""Amounts of USD on the command line, exact."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _MoneyType = click.ParamType[Decimal]
else:
    _MoneyType = click.ParamType


class Money(_MoneyType):
    """An amount of USD, exact."""

    name = "USD"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"expected an amount such as 0.25, found {value!r}", param, ctx)
        if not amount.is_finite() or amount < 0:
            self.fail(f"expected an amount of 0 or more, found {value!r}", param, ctx)
        return amount
