"""Who holds the rights of an entitlement, whether they use them, and what to look at."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from subscriptions.models import Allocation, Entitlement, Subscription

SHOWN = 50


def list_allocations(one: Entitlement) -> QuerySet[Allocation]:
    """Its open allocations by name of the person, each with how many subscriptions of the model they have."""
    seats = (
        Subscription.objects.consuming()
        .filter(match__person=OuterRef("person"), identifier__software_model=one.software_model_id)
        .order_by()
        .values("match__person")
        .annotate(count=Count("pk"))
        .values("count")
    )
    held = Allocation.objects.open().filter(entitlement=one).select_related("person")
    return held.annotate(seats=Coalesce(Subquery(seats), 0)).order_by("person__name", "pk")


def count_allocations(one: Entitlement) -> dict[str, int]:
    """People and rights of its open allocations."""
    return (
        Allocation.objects.open()
        .filter(entitlement=one)
        .aggregate(people=Count("pk"), rights=Coalesce(Sum("quantity"), 0))
    )


def list_allocation_warnings(one: Entitlement, today: date) -> list[str]:
    """What to look at among its allocations: leavers, people without a known subscription, and a term that is over."""
    counted = list_allocations(one).aggregate(
        leavers=Count("pk", filter=Q(person__left_on__lt=today)),
        idle=Count("pk", filter=Q(seats__lt=F("quantity")) & (Q(person__left_on=None) | Q(person__left_on__gte=today))),
        total=Count("pk"),
    )
    found = []
    if counted["leavers"]:
        found.append(f"{_people(counted['leavers'])} who left {_has(counted['leavers'])} rights of it. Release them.")
    if counted["idle"]:
        found.append(
            f"{_people(counted['idle'])} {_has(counted['idle'])} more rights than subscriptions. If a subscription of "
            "theirs has no user, match it: until then both count."
        )
    if counted["total"] and is_over(one, today):
        found.append(
            "It does not count any more, and neither do its allocations. Move them to its renewal, or release them."
        )
    return found


def is_over(one: Entitlement, today: date) -> bool:
    """Whether its term has ended or it was retired."""
    ended = one.end is not None and one.end < today
    return ended or (one.retired_on is not None and one.retired_on <= today)


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"
