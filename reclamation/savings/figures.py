"""What the ledger comes to on a day: every figure in subscriptions and in money, with the lines behind it.

Amounts of two currencies are never added. Lines without a known price are counted apart: unknown is not 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum, Value
from django.urls import reverse

from reclamation.models import SavingsEntry
from reclamation.savings.balance import FreedState, freed_entries
from reclamation.savings.ledger import GONE_BACK, Kind
from samsaas.lib import money
from subscriptions.models import MetricResult
from subscriptions.reconciliation import live
from subscriptions.renewals import recommend

SAVED_NET = (Kind.SAVED, Kind.SAVED_OFFSET)


@dataclass
class SavingsFigure:
    """A number of subscriptions, and their money a year. `unknown` of them have no price."""

    count: int = 0
    unknown: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)

    def add(self, count: int, currency: str, amount: Decimal | None, unknown: int) -> None:
        """Add what lines of one currency come to."""
        self.count += count
        self.unknown += unknown
        if amount is not None:
            self.money[currency] = self.money.get(currency, Decimal(0)) + amount


@dataclass
class Ledger:
    """The equation of the page: freed, less what has gone back, is saved, pending and lapsed."""

    freed: SavingsFigure = field(default_factory=SavingsFigure)
    gone_back: SavingsFigure = field(default_factory=SavingsFigure)
    saved: SavingsFigure = field(default_factory=SavingsFigure)
    pending: SavingsFigure = field(default_factory=SavingsFigure)
    lapsed: SavingsFigure = field(default_factory=SavingsFigure)

    @property
    def adds_up(self) -> bool:
        """Whether it does. It always has to."""
        return self.freed.count - self.gone_back.count == self.saved.count + self.pending.count + self.lapsed.count


def describe_ledger(day: date) -> Ledger:
    """The ledger as of the end of a day. Two queries."""
    return by_group(day, Value("")).get("", Ledger())


def by_group(day: date, group: Any) -> dict[Any, Ledger]:
    """The ledger divided by an expression over its lines. The lines of one removal have the same columns."""
    found: dict[Any, Ledger] = {}
    for row in _add_up(SavingsEntry.objects.filter(on__lte=day), group, "kind"):
        _take_line(found.setdefault(row["group"], Ledger()), row)
    for row in _add_up(freed_entries(day), group, "became"):
        _take_state(found.setdefault(row["group"], Ledger()), row)
    return found


def _add_up(lines: QuerySet[Any], group: Any, name: str) -> Iterable[dict[str, Any]]:
    rows = lines.order_by().annotate(group=group).values("group", name, "currency")
    return rows.annotate(lines=Count("pk"), known=Count("amount"), total=Sum("amount"))


def _take_line(ledger: Ledger, row: dict[str, Any]) -> None:
    unknown = row["lines"] - row["known"]
    if row["kind"] == Kind.FREED:
        ledger.freed.add(row["lines"], row["currency"], row["total"], unknown)
    elif row["kind"] in GONE_BACK:  # these lines are negative, and the figure is how much has gone back
        total = None if row["total"] is None else -row["total"]
        ledger.gone_back.add(row["lines"], row["currency"], total, unknown)
    elif row["kind"] in SAVED_NET:
        sign = 1 if row["kind"] == Kind.SAVED else -1
        ledger.saved.add(sign * row["lines"], row["currency"], row["total"], sign * unknown)


def _take_state(ledger: Ledger, row: dict[str, Any]) -> None:
    figures = {FreedState.PENDING: ledger.pending, FreedState.LAPSED: ledger.lapsed}
    figure = figures.get(row["became"])
    if figure is not None:
        figure.add(row["lines"], row["currency"], row["total"], row["lines"] - row["known"])


def describe_potential() -> SavingsFigure:
    """Open candidates at the present price of their models: what could be freed. Counted anew, two queries."""
    found, candidates = SavingsFigure(), live.open_candidates()
    figures = recommend.read_figures(candidates)
    for model, count in candidates.items():
        one = figures.get(model)
        amount = _worth(one, count)
        found.add(count, one.currency if one else "", amount, count if amount is None else 0)
    return found


def _worth(one: MetricResult | None, count: int) -> Decimal | None:
    try:
        return None if one is None or one.price is None else money.rounded(one.price * count, one.currency)
    except money.TooLarge:
        return None


def entries_url(**filters: Any) -> str:
    """The lines behind a figure."""
    return f"{reverse('savings_entries')}?{urlencode(filters)}"
