"""Who has allocated rights of a software model today, and how many of them they use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from subscriptions import counting
from subscriptions.entitlements.terms import Book
from subscriptions.models import Allocation, Entitlement, Person
from subscriptions.models.entitlement import AllocationQuerySet


def in_force(model_id: int, day: date) -> list[Entitlement]:
    """The limited entitlements of the model that are in force, by number."""
    return [one for one in Book.read(software_model=model_id).in_force(day) if not one.unlimited]


def list_allocations(entitlements: Iterable[Entitlement], day: date) -> AllocationQuerySet:
    """The allocations of these entitlements that count on a day."""
    held = Allocation.objects.held_after(day).filter(assigned_on__lte=day)
    return held.filter(entitlement__in=[one.pk for one in entitlements])


def list_people(model_id: int, day: date) -> Any:
    """People with allocated rights of the model: `rights`, `seats` that count, and `idle`, the rights not in use."""
    held = list_allocations(in_force(model_id, day), day).order_by()
    rights = held.filter(person=OuterRef("pk")).values("person").annotate(total=Sum("quantity")).values("total")
    seats = counting.counted().filter(match__person=OuterRef("pk"), identifier__software_model=model_id)
    counts = seats.order_by().values("match__person").annotate(total=Count("pk")).values("total")
    people = Person.objects.filter(pk__in=held.values("person"))
    people = people.annotate(rights=Coalesce(Subquery(rights), 0), seats=Coalesce(Subquery(counts), 0))
    has_gone = ExpressionWrapper(Q(left_on__isnull=False, left_on__lt=day), output_field=BooleanField())
    return people.annotate(idle=Greatest(F("rights") - F("seats"), 0), has_gone=has_gone)
