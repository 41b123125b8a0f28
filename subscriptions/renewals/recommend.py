"""What the renewals of a day should be, by the present position and the candidates that are open now.

Pages, reminders and the draft of a renewal all ask here, so that they give the same number. No seats are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from django.utils import timezone

from subscriptions.entitlements.renewals import (
    HEADROOM_PERCENT,
    HORIZON_DAYS,
    Renewal,
    advise,
    is_due,
    needs_of,
    reduce_by,
    renewal_day,
)
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
    found = _advise(book or read_book(), day, horizon + LONGEST_NOTICE, headroom)
    first, last = day - timedelta(days=horizon), day + timedelta(days=horizon)
    return [one for one in found if _is_within(one.renewal, one.reduce_by, first, last, day)]


def rights_for(one: Entitlement, *, now: datetime, headroom: int = HEADROOM_PERCENT) -> Renewal | None:
    """The advice for its renewal; None where nobody knows what is used, or there is nothing to renew."""
    book = read_book(software_model=one.software_model_id)
    found = _advise(book, timezone.localtime(now).date(), LONGEST_HORIZON, headroom)
    return next((renewal for renewal in found if renewal.entitlement.pk == one.pk), None)


def list_due(book: Book, models: Collection[int], day: date, horizon: int = HORIZON_DAYS) -> list[Entitlement]:
    """The entitlements of `list_renewals`, for a page that wants to know what is due and not how many rights."""
    first, last = day - timedelta(days=horizon), day + timedelta(days=horizon)
    ending = (one for one in book.entitlements if one.end is not None and one.software_model_id in models)
    due = (one for one in ending if is_due(book, one, day, horizon + LONGEST_NOTICE))
    return [one for one in due if _is_within(renewal_day(one), reduce_by(one), first, last, day)]


def _is_within(renewal: date, until: date, first: date, last: date, day: date) -> bool:
    return first < renewal <= last + timedelta(days=1) or (until <= last and renewal > day)


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
