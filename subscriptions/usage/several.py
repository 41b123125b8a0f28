"""People with more than one subscription of a product: the saving that hurts nobody.

A product is what a publisher calls so, in whichever edition. Somebody keeps the dearest subscription; the others are
more than they need, and cost what a right of their software model costs a year.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Count

from subscriptions.entitlements.price import Price, read_prices
from subscriptions.models import Match

MODEL = "subscription__identifier__software_model"
PRODUCT = (f"{MODEL}__publisher", f"{MODEL}__product")
MOST = 20_000  # people


@dataclass
class Several:
    """One person and product: how many subscriptions of each software model, and what those beyond one cost a year."""

    person_id: int
    product: str
    models: Counter[int] = field(default_factory=Counter)
    cost: dict[str, Decimal] = field(default_factory=dict)
    has_unknown: bool = False

    @property
    def count(self) -> int:
        return self.models.total()

    @property
    def extra(self) -> int:
        return self.count - 1


def find(today: date) -> list[Several]:
    """All of them, those that cost most first. In four queries, however many there are."""
    found = _find_rows()
    prices = read_prices({model for one in found for model in one.models}, today)
    for one in found:
        _add_cost(one, prices)
    return sorted(found, key=lambda one: (-max(one.cost.values(), default=Decimal()), -one.extra, one.product))


def total(rows: Iterable[Several]) -> dict[str, Decimal]:
    """What all of them cost, by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in rows:
        for currency, amount in one.cost.items():
            sums[currency] += amount
    return dict(sums)


def _find_rows() -> list[Several]:
    in_use = Match.objects.of_current_seats().filter(subscription__consumes_license=True)
    in_use = in_use.exclude(**{MODEL: None}).order_by()
    several = in_use.values("person", *PRODUCT).annotate(seats=Count("pk")).filter(seats__gt=1)
    counted = in_use.filter(person__in=several.values("person")[:MOST]).values_list("person", *PRODUCT, MODEL)
    rows: dict[tuple[int, str, str], Several] = {}
    for person, publisher, product, model, seats in counted.annotate(seats=Count("pk")):
        one = rows.setdefault((person, publisher, product), Several(person, f"{publisher} {product}"))
        one.models[model] += seats
    return [one for one in rows.values() if one.extra]


def _add_cost(one: Several, prices: dict[int, Price]) -> None:
    each = [prices[model] for model, seats in one.models.items() for _ in range(seats)]
    known = sorted((price for price in each if price.amount is not None), key=lambda price: price.amount or 0)
    one.has_unknown = len(known) < len(each)
    for price in known[:-1]:
        one.cost[price.currency] = one.cost.get(price.currency, Decimal()) + (price.amount or 0)
