"""Potential savings as of now: open removal candidates on subscriptions that count, at the price of their model.

They change between two runs, so pages ask anew. A past position shows what its run has stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from samsaas.lib import money
from subscriptions.models import MetricResult
from subscriptions.reconciliation import live
from subscriptions.reconciliation.tiers import add_amounts

Words = tuple[str, str]


@dataclass
class Potential:
    """Open candidates, their amounts by currency, and how many software models among them have no price."""

    candidates: int = 0
    amounts: dict[str, str] = field(default_factory=dict)
    unpriced: int = 0

    def add(self, other: Potential) -> None:
        self.candidates += other.candidates
        self.amounts = add_amounts((self.amounts, other.amounts))
        self.unpriced += other.unpriced


def of_metric(metric: MetricResult, candidates: int) -> Potential:
    """What so many candidates of one software model come to."""
    if not candidates:
        return Potential()
    if metric.price is None:
        return Potential(candidates, unpriced=1)
    amount = money.rounded(metric.price * candidates, metric.currency)
    return Potential(candidates, {metric.currency: str(amount)})


def by_product() -> dict[Words, Potential]:
    """The live potential of every product with open candidates, by publisher and product. Two queries."""
    counts = live.open_candidates()
    rows = MetricResult.objects.filter(model_result__current=True, model_result__software_model__in=counts)
    found: dict[Words, Potential] = {}
    for metric in rows.select_related("model_result"):
        of_model = metric.model_result
        candidates = counts[of_model.software_model_id or 0]
        found.setdefault((of_model.publisher, of_model.product), Potential()).add(of_metric(metric, candidates))
    return found
