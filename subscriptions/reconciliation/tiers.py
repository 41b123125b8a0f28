"""Products and publishers: sums of the figures of their software models, and nothing else.

Models do not net: one that is short stays short beside one that has rights to spare. Amounts are kept by currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from samsaas.lib import money
from subscriptions.models import ComplianceStatus, MetricResult, ProductResult

COUNTS = ("in_use", "used", "needed", "unlicensed")
AMOUNTS = ("true_up", "over_licensed", "potential_savings")
SPEND = "annual_spend"


def sum_models(metrics: Iterable[MetricResult]) -> dict[str, Any]:
    """The figures of a product, as the fields of its row."""
    rows = list(metrics)
    out = [row for row in rows if row.is_out_of_compliance]
    figures: dict[str, Any] = {name: sum(getattr(row, name) for row in rows) for name in COUNTS}
    figures |= {name: _amounts_of(rows, name) for name in AMOUNTS}
    figures[SPEND] = add_amounts(row.annual_spend for row in rows)
    return {
        **figures,
        "model_count": len(rows),
        "out_of_compliance": len(out),
        "unlimited": any(row.unlimited for row in rows),
        "owned": sum(row.owned for row in rows if not row.unlimited),
        "unpriced": sum(row.price is None for row in rows),
        "status": _status_of_product(rows),
    }


def sum_products(products: Iterable[ProductResult]) -> dict[str, Any]:
    """The figures of a publisher: as those of a product, and how many of its products are compliant."""
    rows = list(products)
    figures: dict[str, Any] = {
        name: sum(getattr(row, name) for row in rows)
        for name in (*COUNTS, "model_count", "out_of_compliance", "owned", "unpriced")
    }
    figures |= {name: add_amounts(getattr(row, name) for row in rows) for name in (*AMOUNTS, SPEND)}
    compliant = sum(row.status == ComplianceStatus.COMPLIANT for row in rows)
    is_compliant = compliant == len(rows)
    return {
        **figures,
        "unlimited": any(row.unlimited for row in rows),
        "products": len(rows),
        "compliant_products": compliant,
        "status": ComplianceStatus.COMPLIANT if is_compliant else ComplianceStatus.NOT_COMPLIANT,
    }


def add_amounts(amounts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The sums of amounts by currency, as texts with the digits that the currency has."""
    sums: dict[str, Decimal] = {}
    for one in amounts:
        for currency, amount in one.items():
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return {currency: str(money.rounded(sums[currency], currency)) for currency in sorted(sums)}


def _amounts_of(rows: list[MetricResult], name: str) -> dict[str, str]:
    known = ((row.currency, getattr(row, name)) for row in rows)
    return add_amounts({currency: str(amount)} for currency, amount in known if amount is not None)


def _status_of_product(rows: list[MetricResult]) -> ComplianceStatus:
    if rows and all(row.status == ComplianceStatus.NOT_ENTITLED for row in rows):
        return ComplianceStatus.NOT_ENTITLED
    is_out = any(row.is_out_of_compliance for row in rows)
    return ComplianceStatus.NOT_COMPLIANT if is_out else ComplianceStatus.COMPLIANT
