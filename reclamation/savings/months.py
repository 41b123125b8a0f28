"""Charts of what was freed and saved by month: in subscriptions, and in the money of each currency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from reclamation.models import SavingsEntry
from reclamation.savings.ledger import Kind
from samsaas.lib.charts import Chart, Drawing, Series, draw

MONTHS = 12
MOST_CURRENCIES = 3


def draw_months(today: date) -> list[Drawing]:
    """Freed and saved in each of the last 12 months: subscriptions first, then money by currency. One query."""
    months = last_months(today)
    counts: dict[tuple[str, date], int] = {}
    amounts: dict[str, dict[tuple[str, date], Decimal]] = {}
    for row in _read(months[0]):
        place = (row["kind"], row["month"])
        counts[place] = counts.get(place, 0) + row["lines"]
        if row["total"] is not None:
            amounts.setdefault(row["currency"], {})[place] = row["total"]
    drawings = [_draw("Subscriptions freed and saved by month", months, counts, "{:,.0f}".format)]
    for currency in sorted(amounts)[:MOST_CURRENCIES]:
        title = f"{currency} a year, freed and saved by month"
        drawings.append(_draw(title, months, amounts[currency], f"{currency} {{:,.0f}}".format))
    return drawings


def last_months(today: date) -> list[date]:
    """The first days of this month and the 11 before it, oldest first."""
    place = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(place - MONTHS + 1, place + 1)]


def _read(since: date) -> Any:
    lines = SavingsEntry.objects.filter(kind__in=(Kind.FREED, Kind.SAVED), on__gte=since).order_by()
    rows = lines.annotate(month=TruncMonth("on")).values("month", "kind", "currency")
    return rows.annotate(lines=Count("pk"), total=Sum("amount"))


def _draw(title: str, months: list[date], values: Any, write: Callable[[float], str]) -> Drawing:
    def series(kind: Kind) -> list[float]:
        return [float(values.get((kind, month), 0)) for month in months]

    return draw(
        Chart(
            title=title,
            description="What went back is not taken off. Saved stands in the month in which the renewal began.",
            axis="Month",
            points=[f"{month:%b %Y}" for month in months],
            bars=Series("Freed", series(Kind.FREED), write),
            line=Series("Saved", series(Kind.SAVED), write),
            one_scale=True,
        )
    )
