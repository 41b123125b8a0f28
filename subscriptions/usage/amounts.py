"""Amounts for people: with the digits of their currency, the one a reader prefers first, and never added over two."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.http import HttpRequest

from samsaas.lib import money

UNKNOWN = "not known"
PREFERRED = "preferred_currency"  # in the session


def write_amount(amount: Decimal | None, currency: str) -> str:
    """An amount such as EUR 1,200.00; not known where there is none."""
    return UNKNOWN if amount is None else f"{currency} {money.rounded(amount, currency):,}"


def write_price(amount: Decimal | None, currency: str) -> str:
    """The price of a right, with up to four digits behind the point."""
    return UNKNOWN if amount is None else f"{currency} {money.trim(amount):,}"


def write_amounts(found: Mapping[str, str], preferred: str = "") -> list[str]:
    """One text for each currency, the preferred one first."""
    ordered = sorted(found, key=lambda currency: (currency != preferred, currency))
    return [write_amount(Decimal(found[currency]), currency) for currency in ordered]


def preferred_currency(request: HttpRequest | None) -> str:
    """The currency that the reader wants to see first; empty where they have not said."""
    return str(request.session.get(PREFERRED, "")) if request is not None and hasattr(request, "session") else ""
