"""Charts of the license position: owned and used by day, in use by last activity, spend by month.

Nothing is counted when a page is opened: use by day is stored by reconciliations, use by last activity when facts
change, and what was owned and spent follows from the entitlements, as they are known today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any

from samsaas.lib import charts, money
from samsaas.lib.charts import Chart, Drawing, Series
from subscriptions import links
from subscriptions.activity import last_used
from subscriptions.entitlements.terms import Book, add_months, yearly_cost
from subscriptions.reconciliation import use_by_day
from subscriptions.reconciliation.use_by_day import DayOfUse
from subscriptions.seat_counts import stored

DAYS = 90
MONTHS = 12
ONE_DAY = timedelta(days=1)


def draw_use(models: Iterable[int], until: date, book: Book) -> Drawing | None:
    """What was in use and what was owned at the end of each day until that one; None if no day is known.

    The book has the entitlements of these software models.
    """
    days = use_by_day.days_of(models, until - timedelta(days=DAYS - 1), until, book)
    known = [place for place, one in enumerate(days) if one.in_use is not None]
    if not known:
        return None
    shown = days[known[0] : known[-1] + 1]
    return charts.draw(
        Chart(
            title="Owned and in use by day",
            description=_describe_use(shown),
            axis="Day",
            points=[f"{one.day:%-d %b}" for one in shown],
            bars=Series("In use", [one.in_use for one in shown]),
            line=Series("Owned", [one.owned for one in shown]),
            one_scale=True,
        )
    )


def _describe_use(days: Sequence[DayOfUse]) -> str:
    first, last = days[0].day, days[-1].day
    text = f"At the end of each day from {first:%-d %b %Y} to {last:%-d %b %Y}, as counted then."
    return f"{text} Rights without limit have no line." if any(one.owned is None for one in days) else text


def list_bands(models: Iterable[int], **filters: Any) -> list[dict[str, Any]]:
    """In use now by last activity, as it is counted when facts change: for each band its number, width and rows.

    Empty where nothing was counted yet.
    """
    sums = stored.read().used_by_band(models)
    if not sums:
        return []
    most = max(sums.values()) or 1
    return [
        {
            "key": key,
            "label": label,
            "tone": last_used.TONES[key],
            "value": sums.get(key, 0),
            "width": f"{100 * sums.get(key, 0) / most:.2f}",
            "url": links.list_url(**filters, position="counted", activity=key),
        }
        for key, label in last_used.LABELS.items()
    ]


def draw_spend(book: Book, until: date, currency: str) -> Drawing | None:
    """What a year costs in one currency, at the end of each of the last months; None if nothing is known."""
    days = _ends_of_months(until)
    amounts = _spend_on(days, book, currency)
    if not currency or not any(amounts):
        return None
    return charts.draw(
        Chart(
            title=f"Spend a year, {currency}",
            description="What the entitlements in force at the end of each month cost a year, as far as it is known.",
            axis="Month",
            points=[f"{day:%b %Y}" for day in days],
            bars=Series("Spend a year", [None if one is None else float(one) for one in amounts], _writer(currency)),
        )
    )


def _spend_on(days: Sequence[date], book: Book, currency: str) -> list[Decimal | None]:
    """What is in force on each of the days costs a year; None where that is too large to be written."""
    changes = [Fraction()] * (len(days) + 1)
    for one in book.entitlements:
        places = book.places_in(one, days) if one.currency == currency else ()
        if places and (cost := yearly_cost(one)) is not None:
            changes[places[0]] += cost
            changes[places[-1] + 1] -= cost
    return [_write_or_none(amount, currency) for amount in list(accumulate(changes))[:-1]]


def _write_or_none(amount: Fraction, currency: str) -> Decimal | None:
    try:
        return money.rounded(amount, currency)
    except money.TooLarge:
        return None


def _ends_of_months(until: date) -> list[date]:
    """The ends of the months before, and the day itself."""
    first = until.replace(day=1)
    return [add_months(first, -back) - ONE_DAY for back in range(MONTHS - 2, -1, -1)] + [until]


def _writer(currency: str) -> Any:
    return lambda value: f"{currency} {value:,.0f}"


def main_currency(spend: Mapping[str, str], preferred: str) -> str:
    """The currency that a chart is in: the preferred one where something costs it, else that of the largest amount."""
    if preferred in spend:
        return preferred
    return max(spend, key=lambda currency: (Decimal(spend[currency]), currency), default="")
