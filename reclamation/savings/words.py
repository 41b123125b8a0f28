"""Savings in words: amounts by currency, and what is not known."""

from __future__ import annotations

from decimal import Decimal

from reclamation.savings.figures import SavingsFigure
from samsaas.lib import money

UNKNOWN = "not known"
MINUS = "\N{MINUS SIGN}"


def write_amount(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency and the digits that this has, such as −EUR 180.00."""
    if amount is None:
        return UNKNOWN
    return f"{MINUS if amount < 0 else ''}{currency} {abs(money.rounded(amount, currency)):,}"


def list_amounts(figure: SavingsFigure) -> list[str]:
    """The money of a figure, each currency by itself, and how many have no price. Nothing counted: nothing."""
    parts = [write_amount(amount, currency) for currency, amount in sorted(figure.money.items())]
    if figure.unknown:
        parts.append(f"{figure.unknown:,} without a known price" if parts else UNKNOWN)
    return parts
