"""What a right of a software model costs a year: its own override, else the average of the entitlements in force."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from samsaas.lib import money
from subscriptions.entitlements.terms import PRICE_DIGITS, Book, yearly_cost
from subscriptions.models import Entitlement, SoftwareModel

OVERRIDE = "override"
MIXED_CURRENCY = "mixed_currency"
NO_PRICE = "no_price"
WITHOUT_PRICE = "entitlement_without_price"


@dataclass(frozen=True)
class Price:
    """The price of a right and a year; `amount` is None where it is not known. `flags` say how it came about."""

    amount: Decimal | None
    currency: str
    flags: tuple[str, ...] = ()

    def times(self, rights: int) -> Decimal | None:
        """The money for so many rights; None where the price is not known. Raises `money.TooLarge`."""
        return None if self.amount is None else money.rounded(self.amount * rights, self.currency)


def price_of(model: SoftwareModel, in_force: Iterable[Entitlement]) -> Price:
    """The price of a model by its entitlements in force. Raises `money.TooLarge`.

    Amounts of two currencies are never added: the currency of most rights gives the price, and a flag says so. An
    entitlement without a known cost is left out, and a flag says that as well.
    """
    rights = list(in_force)
    unknown = (WITHOUT_PRICE,) if any(yearly_cost(one) is None for one in rights) else ()
    if model.cost_override is not None:
        return Price(model.cost_override, model.currency, (OVERRIDE, *unknown))
    costs: dict[str, tuple[int, Fraction]] = {}
    for one in rights:
        cost = yearly_cost(one)
        if cost is not None and not one.unlimited and one.purchased_rights:
            owned, total = costs.get(one.currency, (0, Fraction()))
            costs[one.currency] = (owned + one.purchased_rights, total + cost)
    if not costs:
        return Price(None, "", (NO_PRICE, *unknown))
    currency = min(costs, key=lambda code: (-costs[code][0], code))
    owned, total = costs[currency]
    mixed = (MIXED_CURRENCY,) if len(costs) > 1 else ()
    return Price(money.round_half_up(total / owned, PRICE_DIGITS), currency, (*mixed, *unknown))


def price_on(model: SoftwareModel, day: date) -> Price:
    """The price of a model on a day, by what is known of its entitlements today."""
    return price_of(model, Book.read(software_model=model).in_force(day))


def read_prices(models: Iterable[int], today: date) -> dict[int, Price]:
    """What a right of each of these software models costs today. Two queries, however many there are."""
    keys, in_force = set(models), defaultdict(list)
    for one in Book.read(software_model__in=keys).in_force(today):
        in_force[one.software_model_id].append(one)
    prices: dict[int, Price] = {}
    for model in SoftwareModel.objects.filter(pk__in=keys):
        try:
            prices[model.pk] = price_of(model, in_force[model.pk])
        except money.TooLarge:
            prices[model.pk] = Price(None, "")
    return prices
