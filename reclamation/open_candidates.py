"""The door through which open removal candidates reach the license position: `POSITION_CANDIDATES` names it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from reclamation.models import RemovalCandidate


def find_seats(at: datetime | None) -> QuerySet[RemovalCandidate, Any]:
    """The keys of the seats that have an open candidate now, or had one at that moment."""
    known = RemovalCandidate.objects.order_by().filter(subscription__isnull=False)
    if at is None:
        return known.open().values_list("subscription_id")
    return known.filter(Q(closed_at=None) | Q(closed_at__gte=at), opened_at__lt=at).values_list("subscription_id")
