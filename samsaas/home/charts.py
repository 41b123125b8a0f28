"""The charts of home: what was owned and in use, and what removals freed and saved. No chart counts seats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.db.models import Count, Min
from django.db.models.functions import TruncMonth

from reclamation.models import SavingsEntry
from samsaas.lib.charts import Chart, Drawing, Series, draw
from subscriptions.entitlements.terms import Book
from subscriptions.models import MetricResult, UseDay
from subscriptions.reconciliation import use_by_day

MONTHS, YEAR = 12, timedelta(days=365)
MOST_DAILY = 62  # a longer time is drawn week by week
Kind = SavingsEntry.Kind


def owned_and_used(metrics: Sequence[MetricResult], book: Book, today: date) -> Drawing | None:
    """Subscriptions in use and rights owned over the last twelve months; None while no day is over that was counted.

    Software models under an unlimited license are left out, since nobody can say how much of it is owned.
    """
    models = [key for one in metrics if (key := one.model_result.software_model_id) and not one.unlimited]
    first = UseDay.objects.filter(day__gte=today - YEAR).aggregate(first=Min("day"))["first"]
    if first is None or not models:
        return None
    step = 1 if (today - first).days <= MOST_DAILY else 7
    days = [first + timedelta(days=place) for place in range((today - first).days % step, (today - first).days, step)]
    days_known = [one for one in use_by_day.on_days(models, days, book) if one.in_use is not None]
    if not days_known:
        return None
    chart = Chart(
        title="In use and owned",
        description="Subscriptions in use at the end of a day, and the rights that were owned on it, of all software "
        "models without an unlimited license.",
        axis="Day",
        points=[f"{one.day:%-d %b %Y}" for one in days_known],
        bars=Series("In use", [one.in_use for one in days_known]),
        line=Series("Rights owned", [one.owned for one in days_known]),
        one_scale=True,
    )
    return draw(chart)


def freed_and_saved(today: date) -> Drawing | None:
    """Subscriptions that removals freed, and rights that renewals saved; None where nothing was freed."""
    months = _months_until(today)
    lines = SavingsEntry.objects.filter(on__gte=months[0], on__lte=today, kind__in=(Kind.FREED, Kind.SAVED)).order_by()
    by_month = lines.annotate(month=TruncMonth("on")).values_list("month", "kind").annotate(Count("pk"))
    counts = {(month, kind): count for month, kind, count in by_month}
    if not counts:
        return None
    chart = Chart(
        title="Freed and saved",
        description="Subscriptions that removals freed, and rights that a renewal did not buy again because of that. "
        "What went back later is in the ledger.",
        axis="Month",
        points=[f"{month:%b %Y}" for month in months],
        bars=Series("Freed", [counts.get((month, Kind.FREED.value), 0) for month in months]),
        line=Series("Saved", [counts.get((month, Kind.SAVED.value), 0) for month in months]),
        one_scale=True,
    )
    return draw(chart)


def _months_until(today: date) -> list[date]:
    """The first days of the last twelve months, this one included."""
    last = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]
