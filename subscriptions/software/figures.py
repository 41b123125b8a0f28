"""Counts of seats by software model and by subscription identifier."""

from __future__ import annotations

from collections import Counter

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from subscriptions.figures import SIDE_CONDITIONS, SIDES
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier

PER_STATUS = {
    f"current_{status}": Count("pk", filter=Q(ended_at=None, excluded=False, status=status))
    for status in Subscription.Status.values
}


def software_models() -> QuerySet[SoftwareModel]:
    """Every software model with its current seats, the licenses they use, and its excluded seats."""
    totals: dict[int, Counter[str]] = {}
    models = dict(SubscriptionIdentifier.objects.values_list("pk", "software_model"))
    for identifier, counts in _by_identifier().items():
        if model := models.get(identifier):
            totals.setdefault(model, Counter()).update(counts)
    return SoftwareModel.objects.annotate(**{name: _count_by_key(totals, name) for name in SIDES})


def identifiers() -> QuerySet[SubscriptionIdentifier]:
    """Every subscription identifier with its current seats, also by status, its excluded and its ended ones."""
    totals = _by_identifier()
    names = ("current", "left_out", "ended", *PER_STATUS)
    return SubscriptionIdentifier.objects.select_related("software_model").annotate(
        **{name: _count_by_key(totals, name) for name in names}
    )


def _by_identifier() -> dict[int, Counter[str]]:
    """All seats, counted in one narrow pass. Joining them to their models first would cost several times as much."""
    listed = Q(ended_at=None)
    asked = {name: Count("pk", filter=listed & side) for name, side in SIDE_CONDITIONS.items()}
    asked |= {"ended": Count("pk", filter=~listed)} | PER_STATUS
    grouped = Subscription.objects.order_by().values_list("identifier").annotate(**asked)
    return {identifier: Counter(dict(zip(asked, counts, strict=True))) for identifier, *counts in grouped}


def _count_by_key(totals: dict[int, Counter[str]], name: str) -> Case:
    found = [When(pk=pk, then=Value(counts[name])) for pk, counts in totals.items() if counts[name]]
    return Case(*found, default=Value(0), output_field=IntegerField())


def count_unrecognized() -> dict[str, int]:
    """How many identifiers have no software model, and how many current seats they have."""
    waiting = SubscriptionIdentifier.objects.filter(software_model=None)
    current = Q(subscriptions__isnull=False, subscriptions__ended_at=None, subscriptions__excluded=False)
    return waiting.aggregate(identifiers=Count("pk", distinct=True), seats=Count("subscriptions", filter=current))
