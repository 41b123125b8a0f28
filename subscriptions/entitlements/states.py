"""What people call the state of an entitlement, for the database: the same as `terms.Book.state_on` says in Python."""

from __future__ import annotations

from datetime import date

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When

from subscriptions.entitlements.terms import DerivedState
from subscriptions.models import Entitlement


def with_state_on(entitlements: QuerySet[Entitlement], day: date) -> QuerySet[Entitlement]:
    """The entitlements with their state on that day as `shown_state`."""
    ever = Q(retired_on=None) | Q(retired_on__gt=F("start"))
    begun = Entitlement.objects.published().filter(ever, renews=OuterRef("pk"), start__lte=day)
    states = [
        When(state=Entitlement.State.BUILD, then=Value(DerivedState.BUILD.value)),
        When(retired_on__lte=day, then=Value(DerivedState.RETIRED.value)),
        When(start__gt=day, then=Value(DerivedState.PENDING.value)),
        When(Exists(begun), then=Value(DerivedState.SUPERSEDED.value)),
        When(end__lt=day, then=Value(DerivedState.EXPIRED.value)),
    ]
    shown = Case(*states, default=Value(DerivedState.IN_USE.value), output_field=CharField())
    return entitlements.annotate(shown_state=shown)
