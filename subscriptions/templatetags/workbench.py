"""Amounts on the pages of License Workbench. What is not known is said, and currencies are never added."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django import template

from samsaas.lib import money as currencies

register = template.Library()
NOT_KNOWN, NOTHING = "not known", "none"


@register.filter
def amounts(found: Mapping[str, str]) -> str:
    """Amounts by currency, beside each other."""
    return ", ".join(f"{code} {Decimal(found[code]):,f}" for code in sorted(found)) or NOTHING


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> str:
    """An amount with the digits of its currency."""
    return NOT_KNOWN if amount is None else f"{currency} {currencies.rounded(amount, currency):,f}"
