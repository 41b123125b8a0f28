"""Allocate rights to people and release them. Open allocations of an entitlement never exceed its purchased rights.

Every way in locks the entitlement first, so two people cannot allocate the last right.
"""

from __future__ import annotations

from collections.abc import Iterable
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
from subscriptions.models.entitlement import AllocationQuerySet
from subscriptions.models.person import has_left

Source = Allocation.Source


@transaction.atomic
def assign(
    entitlement: Entitlement, person: Person, quantity: int, *, on: date, by: User | None, source: Source = Source.HAND
) -> Allocation:
    """Reserve rights for a person from that day on. Raises `ValidationError`."""
    locked = Entitlement.objects.select_for_update(of=("self",)).get(pk=entitlement.pk)
    left = free_rights(locked, on)
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
    """Free the rights from that day on, maybe earlier than planned. Raises `ValidationError` if they are free then."""
    Entitlement.objects.select_for_update(of=("self",)).get(pk=allocation.entitlement_id)
    stored = Allocation.objects.held_after(on).filter(pk=allocation.pk).select_related("person", "entitlement").first()
    if stored is None:
        raise ValidationError("It was released already.")
    stored.released_on = max(on, stored.assigned_on)
    stored.save(update_fields=["released_on"])
    person, quantity = stored.person, stored.quantity
    audit.record(by, "released rights", stored.entitlement, person=str(person), number=person.key, quantity=quantity)
    return stored


def free_rights(entitlement: Entitlement, on: date | None = None) -> int:
    """Purchased rights that are allocated to nobody; of a day those that nobody holds after it."""
    held = Allocation.objects.filter(entitlement=entitlement)
    held = held.open() if on is None else held.held_after(on)
    return entitlement.purchased_rights - (held.aggregate(total=Sum("quantity"))["total"] or 0)


@transaction.atomic
def assign_by_hand(
    entitlement: Entitlement, person: Person, quantity: int, *, on: date, by: User, now: datetime
) -> Allocation:
    """Reserve rights for a person, and have the position of the model computed anew. Raises `ValidationError`."""
    made = assign(entitlement, person, quantity, on=on, by=by)
    _recompute(entitlement, by, now)
    return made


@transaction.atomic
def assign_lines(
    entitlement: Entitlement, lines: Iterable[tuple[Person, int]], *, on: date, by: User, now: datetime
) -> int:
    """Reserve rights for several people, all or nothing. Raises `ValidationError`."""
    made = [assign(entitlement, person, quantity, on=on, by=by, source=Source.CSV) for person, quantity in lines]
    _recompute(entitlement, by, now)
    return len(made)


@transaction.atomic
def release_by_hand(allocation: Allocation, *, on: date, by: User, now: datetime) -> Allocation:
    """Free the rights, and have the position of the model computed anew. Raises `ValidationError`."""
    released = release(allocation, on=on, by=by)
    _recompute(released.entitlement, by, now)
    return released


@transaction.atomic
def carry_over(before: Entitlement, after: Entitlement, *, by: User, now: datetime) -> tuple[int, int]:
    """Move the open allocations of an entitlement to its renewal, on the day on which that one begins.

    Returns how many people were moved, and how many were not: leavers, and those assigned last where the renewal has
    fewer rights. Raises `ValidationError` where `after` does not renew `before`.
    """
    if after.renews_id != before.pk:
        raise ValidationError(f"{after} does not renew {before}.")
    if after.unlimited:
        raise ValidationError("An unlimited license has no rights to allocate.")
    locked = {one.pk: one for one in _lock_both(before, after)}
    renewal, moved, left = locked[after.pk], 0, 0
    for held in (
        Allocation.objects.open().filter(entitlement=before).order_by("assigned_on", "pk").select_related("person")
    ):
        day = max(renewal.start, held.assigned_on)
        is_gone = has_left(held.person.left_on, day)
        if is_gone or held.quantity > free_rights(renewal) or _holds(renewal, held.person_id):
            left += 1
            continue
        release(held, on=renewal.start, by=by)
        assign(renewal, held.person, held.quantity, on=day, by=by, source=Source(held.source))
        moved += 1
    _recompute(before, by, now)
    return moved, left


def _holds(entitlement: Entitlement, person_id: int) -> bool:
    return Allocation.objects.open().filter(entitlement=entitlement, person=person_id).exists()


def _lock_both(*entitlements: Entitlement) -> list[Entitlement]:
    keys = [one.pk for one in entitlements]
    return list(Entitlement.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))


def _recompute(entitlement: Entitlement, by: User, now: datetime) -> None:
    if not entitlement.is_draft:
        recompute.request_for_model(entitlement.software_model_id, by=by, now=now)


def release_with_seat(person: Person, model: SoftwareModel, remaining: int, *, now: datetime) -> Allocation | None:
    """A seat of the person was removed: free one allocated right of the model, else nothing would be won by it.

    Where they have as many seats `remaining` as rights, the seat that is gone was not an allocated one.
    """
    today = timezone.localtime(now).date()
    held = Allocation.objects.held_after(today).filter(person=person, entitlement__software_model=model)
    released = _take_one(held.filter(assigned_on__lte=today), remaining, today)
    coming = _take_one(held.filter(assigned_on__gt=today), remaining, today)  # carried over to a renewal
    if released or coming:
        recompute.request_for_model(model.pk, by=None, now=now)
    return released or coming


def _take_one(held: AllocationQuerySet, remaining: int, today: date) -> Allocation | None:
    """Free one right of the latest of these allocations, if they are more than the seats that remain."""
    if (held.aggregate(total=Sum("quantity"))["total"] or 0) <= remaining:
        return None
    last = held.select_related("entitlement", "person").order_by("-entitlement", "-pk").first()
    if last is None:
        return None
    released = release(last, on=today, by=None)
    if last.quantity > 1:
        rest = assign(
            last.entitlement,
            last.person,
            last.quantity - 1,
            on=released.released_on or today,
            by=None,
            source=Source.RECLAIM,
        )
        Allocation.objects.filter(pk=rest.pk).update(released_on=last.released_on)
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
