"""How many rights the renewal of one entitlement should have, by the present position of its software model."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from subscriptions.entitlements.renewals import Renewal, advise, needs_of
from subscriptions.entitlements.terms import Book
from subscriptions.models import Entitlement, MetricResult

LONGEST_HORIZON = 36_500  # days: whoever opens the page wants the advice, however far the end is


def rights_for(one: Entitlement, *, now: datetime) -> Renewal | None:
    """The advice for its renewal; None where nobody knows what is used, or there is nothing to renew."""
    today = timezone.localtime(now).date()
    figures = MetricResult.objects.filter(
        model_result__current=True, model_result__software_model=one.software_model_id
    ).first()
    if figures is None:
        return None
    book = Book.read(software_model=one.software_model_id)
    found = advise(book, needs_of({one.software_model_id: figures}), today, horizon=LONGEST_HORIZON)
    return next((renewal for renewal in found if renewal.entitlement.pk == one.pk), None)
