"""Allocate rights to people and release them. Open allocations of an entitlement never exceed its purchased rights.

Every way in locks the entitlement first, so two people cannot allocate the last right.
"""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from samsaas import audit
from subscriptions import recompute
from subscriptions.entitlements.terms import Book
from subscriptions.models import Allocation, Entitlement, Person, SoftwareModel

Source = Allocation.Source


@transaction.atomic
def assign(
    entitlement: Entitlement, person: Person, quantity: int, *, on: date, by: User | None, source: Source = Source.HAND
) -> Allocation:
    """Reserve rights for a person from that day on. Raises `ValidationError`."""
    locked = Entitlement.objects.select_for_update(of=("self",)).get(pk=entitlement.pk)
    left = free_rights(locked)
    if locked.unlimited:
        raise ValidationError("An unlimited license has no rights to allocate.")
    if quantity < 1:
        raise ValidationError("Allocate one right at least.")
    if Allocation.objects.open().filter(entitlement=locked, person=person).exists():
        raise ValidationError(f"{person} has rights of {locked} already. Change that allocation.")
    if source in (Source.HAND, Source.CSV) and person.left_on is not None and person.left_on < on:
        raise ValidationError(f"{person} left on {person.left_on:%-d %b %Y}.")
    if quantity > left:
        raise ValidationError(f"{locked} has {left:,} rights left that are not allocated.")
    made = Allocation.objects.create(
        entitlement=locked, person=person, quantity=quantity, assigned_on=on, by=by, source=source
    )
    audit.record(by, "allocated rights", locked, person=str(person), number=person.key, quantity=quantity)
    return made


@transaction.atomic
def release(allocation: Allocation, *, on: date, by: User | None) -> Allocation:
    """Free the rights from that day on. Raises `ValidationError` where they are free already."""
    Entitlement.objects.select_for_update(of=("self",)).get(pk=allocation.entitlement_id)
    stored = Allocation.objects.open().filter(pk=allocation.pk).select_related("person", "entitlement").first()
    if stored is None:
        raise ValidationError("It was released already.")
    stored.released_on = max(on, stored.assigned_on)
    stored.save(update_fields=["released_on"])
    person, quantity = stored.person, stored.quantity
    audit.record(by, "released rights", stored.entitlement, person=str(person), number=person.key, quantity=quantity)
    return stored


def free_rights(entitlement: Entitlement) -> int:
    """Purchased rights that are allocated to nobody."""
    taken = Allocation.objects.open().filter(entitlement=entitlement).aggregate(total=Sum("quantity"))["total"]
    return entitlement.purchased_rights - (taken or 0)


def release_with_seat(person: Person, model: SoftwareModel, remaining: int, *, now: datetime) -> Allocation | None:
    """A seat of the person was removed: free one allocated right of the model, else nothing would be won by it.

    Where they have as many seats `remaining` as rights, the seat that is gone was not an allocated one.
    """
    today = timezone.localtime(now).date()
    open_ones = Allocation.objects.open().filter(person=person, entitlement__software_model=model)
    if (open_ones.aggregate(total=Sum("quantity"))["total"] or 0) <= remaining:
        return None
    last = open_ones.select_related("entitlement").order_by("-entitlement", "-pk").first()
    if last is None:
        return None
    released = release(last, on=today, by=None)
    if released.quantity > 1:
        assign(last.entitlement, person, released.quantity - 1, on=today, by=None, source=Source.RECLAIM)
    recompute.request_for_model(model.pk, by=None, now=now)
    return released


def give_back_with_seat(person: Person, model: SoftwareModel, freed_on: date, *, now: datetime) -> Allocation | None:
    """The seat was restored: allocate the right again that its removal freed, if it is still in force and free."""
    today = timezone.localtime(now).date()
    released = Allocation.objects.filter(person=person, entitlement__software_model=model, released_on=freed_on)
    last = released.select_related("entitlement").order_by("-pk").first()
    if last is None or not Book.read(software_model=model).is_in_force(last.entitlement, today):
        return None
    kept = Allocation.objects.open().filter(person=person, entitlement=last.entitlement).first()
    quantity = 1 + (kept.quantity if kept else 0)
    with transaction.atomic():
        Entitlement.objects.select_for_update(of=("self",)).get(pk=last.entitlement_id)
        if free_rights(last.entitlement) < 1:
            return None
        if kept:
            release(kept, on=today, by=None)
        made = assign(last.entitlement, person, quantity, on=today, by=None, source=Source.RECLAIM)
    recompute.request_for_model(model.pk, by=None, now=now)
    return made
