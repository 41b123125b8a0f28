"""What the renewals of a day should be, by the present position and the candidates that are open now.

Pages, reminders and the draft of a renewal all ask here, so that they give the same number. No seats are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.utils import timezone

from subscriptions.entitlements.renewals import HEADROOM_PERCENT, HORIZON_DAYS, Renewal, advise, needs_of
from subscriptions.entitlements.terms import Book
from subscriptions.models import Entitlement, MetricResult
from subscriptions.reconciliation import live

LONGEST_NOTICE = 365
LONGEST_HORIZON = 36_500  # days: whoever opens one entitlement wants the advice, however far the end is


def list_renewals(
    day: date, *, horizon: int = HORIZON_DAYS, headroom: int = HEADROOM_PERCENT, book: Book | None = None
) -> list[Renewal]:
    """What ends within the horizon, and what the vendor must be told of within it although it ends later.

    Overdue ones are first. Only software models of the position are in it: see `MetricResult`.
    """
    return _within(_advise(book or read_book(), day, horizon + LONGEST_NOTICE, headroom), day, horizon)


def _within(found: Iterable[Renewal], day: date, horizon: int) -> list[Renewal]:
    first, last = day - timedelta(days=horizon), day + timedelta(days=horizon)
    return [
        one
        for one in found
        if first < one.renewal <= last + timedelta(days=1) or (one.reduce_by <= last and not one.is_overdue(day))
    ]


def rights_for(one: Entitlement, *, now: datetime, headroom: int = HEADROOM_PERCENT) -> Renewal | None:
    """The advice for its renewal; None where nobody knows what is used, or there is nothing to renew."""
    book = read_book(software_model=one.software_model_id)
    found = _advise(book, timezone.localtime(now).date(), LONGEST_HORIZON, headroom)
    return next((renewal for renewal in found if renewal.entitlement.pk == one.pk), None)


def list_due(metrics: Iterable[MetricResult], day: date) -> list[Renewal]:
    """As `list_renewals`, for a page that wants to know what is due and not how many rights: it asks no candidates."""
    known = {one.model_result.software_model_id or 0: one for one in metrics}
    return _within(advise(read_book(), needs_of(known), day, horizon=HORIZON_DAYS + LONGEST_NOTICE), day, HORIZON_DAYS)


def read_book(**filters: object) -> Book:
    """The published entitlements with their software models, or some of them."""
    rows = Entitlement.objects.published().filter(**filters).select_related("software_model")
    return Book(rows)


def _advise(book: Book, day: date, horizon: int, headroom: int) -> list[Renewal]:
    ending = {one.software_model_id for one in book.entitlements if one.end is not None}
    needs = needs_of(read_figures(ending), live.open_candidates())
    return advise(book, needs, day, horizon=horizon, headroom=headroom)


def read_figures(models: Iterable[int]) -> dict[int, MetricResult]:
    """The present figures of these software models, as far as they are in the position."""
    rows = MetricResult.objects.filter(model_result__current=True, model_result__software_model__in=list(models))
    return {one.model_result.software_model_id or 0: one for one in rows.select_related("model_result")}
