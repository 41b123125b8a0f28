"""Money of several subscriptions: amounts by currency, which are never added up, and how many have no price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from samsaas.lib import money
from subscriptions.models import MetricResult


@dataclass(frozen=True)
class Amounts:
    """What something costs a year. `unknown` of it have no price, so that their money is in no amount."""

    by_currency: Mapping[str, Decimal] = field(default_factory=dict)
    unknown: int = 0

    @property
    def shown(self) -> Mapping[str, Decimal]:
        """The amounts for a reader: those of 0 give way to others."""
        return {currency: amount for currency, amount in self.by_currency.items() if amount} or self.by_currency


@dataclass(frozen=True)
class PriceList:
    """What a right of each software model costs a year, where that is known."""

    prices: Mapping[int, tuple[Decimal, str]]

    @classmethod
    def from_metrics(cls, metrics: Iterable[MetricResult]) -> PriceList:
        """The prices in the license position."""
        known = ((one.model_result.software_model_id, one.price, one.currency) for one in metrics)
        return cls({model: (price, currency) for model, price, currency in known if model and price is not None})

    def cost_of(self, counts: Mapping[int | None, int]) -> Amounts:
        """What so many subscriptions of each software model cost a year; None is an unrecognized one.

        It is rounded for each software model, as everywhere. One of which there is none has no part in it.
        """
        sums: dict[str, Decimal] = {}
        unknown = 0
        for model, count in counts.items():
            if not count:
                continue
            if model is None or model not in self.prices:
                unknown += count
                continue
            price, currency = self.prices[model]
            sums[currency] = sums.get(currency, Decimal(0)) + money.rounded(price * count, currency)
        return Amounts(sums, unknown)


def add_up(figures: Iterable[tuple[Decimal | None, str, int]]) -> Amounts:
    """The sum of amounts with their currencies. One that is not known counts as unknown if its number is not 0."""
    sums: dict[str, Decimal] = {}
    unknown = 0
    for amount, currency, number in figures:
        if amount is not None:
            sums[currency] = sums.get(currency, Decimal(0)) + amount
        else:
            unknown += number
    return Amounts({currency: money.rounded(amount, currency) for currency, amount in sums.items()}, unknown)


def read_texts(amounts: Mapping[str, str]) -> Amounts:
    """Amounts that are stored as texts by currency."""
    return Amounts({currency: Decimal(text) for currency, text in amounts.items()})
