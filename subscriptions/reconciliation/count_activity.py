# ruff: noqa: S608, S611 - the name of the table is our own constant, and nothing of a reader is in the text
"""Count the seats that are in use by their last activity, when a position is computed: pages do not count seats."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Count
from django.db.models.expressions import RawSQL
from django.utils import timezone

from subscriptions.activity import last_used
from subscriptions.activity.coverage import reach
from subscriptions.models import Subscription
from subscriptions.question import PositionQuestion
from subscriptions.reconciliation.cover_seats import RANKED


def count_by_model(question: PositionQuestion) -> dict[int, dict[str, int]]:
    """How many counted seats of each software model are in each band of `last_used`, as of now.

    Every seat is in exactly one band. Nothing is known of days that are over: activity is kept as the latest one only.
    """
    if question.at is not None:
        return {}
    now = timezone.now()
    known = reach.read_knowledge(now)
    bands = {key: Count("pk", filter=last_used.band_condition(key, now, known)) for key in last_used.LABELS}
    counted = Subscription.objects.filter(pk__in=RawSQL(f"SELECT seat_id FROM {RANKED}", []))
    rows = counted.order_by().values_list("identifier__software_model").annotate(**bands)
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(bands, 0))
    for model, *numbers in rows:
        for key, number in zip(bands, numbers, strict=True):
            found[model][key] += number
    return dict(found)
