"""Amounts for people: with the digits of their currency, the one a reader prefers first, and never added over two."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.http import HttpRequest

from samsaas.lib import money
from samsaas.lib.http import SignedInRequest
from subscriptions.models import PreferredCurrency

UNKNOWN = "not known"
READ = "_preferred_currency"  # attribute of the request, so that a page reads it once


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
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    if not hasattr(request, READ):
        chosen = PreferredCurrency.objects.filter(user=user).values_list("currency", flat=True).first()
        setattr(request, READ, chosen or "")
    return str(getattr(request, READ))


def prefer_currency(request: SignedInRequest, currency: str) -> None:
    """Show this currency first to the reader, here and whenever they come back."""
    if currency != preferred_currency(request):
        PreferredCurrency.objects.update_or_create(user=request.user, defaults={"currency": currency})
        setattr(request, READ, currency)
