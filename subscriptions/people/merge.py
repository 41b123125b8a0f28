"""Make two people one, where the directory has somebody twice. Nothing of either is lost but the second number.

1. Move everything that belongs to the other person: seats, rights, exemptions, addresses, direct reports, and the
   former values of seats, so that past positions name who is left.
2. A seat that the rules would not find any more without the other employee number becomes a match by hand.
3. Take what only the other one has: department, manager, cost center, country, account.
4. Delete the other person, record it in the audit trail, and request matching for all profiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from samsaas import audit
from subscriptions import history, rematch, seats_changed
from subscriptions.addresses import MOST_ADDRESSES
from subscriptions.models import FormerAddress, Match, Person, PersonAddress, SubscriptionVersion
from subscriptions.users import compare, overlay
from subscriptions.users.overlay import ChangedPerson

FILLED = ("department", "manager", "cost_center", "country")
MOST_OFFERED = 20
MOST_SEATS = 100_000  # no person has so many: all of them are compared


class CannotMerge(Exception):
    """What stands against it, in words for the reader. Nothing was written."""


@dataclass(frozen=True)
class Moved:
    """What would move to the person who is kept. `by_hand` of the seats become matches by hand."""

    seats: int
    by_hand: int
    rights: int
    addresses: list[str]
    reports: int
    others: int
    obstacles: list[str]


def offer(kept: Person, text: str) -> QuerySet[Person]:
    """Who could be the same person: by a search, or else who has the same name."""
    others = Person.objects.exclude(pk=kept.pk).with_seat_counts().prefetch_related("addresses")
    found = others.search(text) if text else others.named([kept.name])
    return found.order_by("name", "pk")[:MOST_OFFERED]


def preview(kept: Person, other: Person) -> Moved:
    """What merging would move, and what stands against it."""
    return Moved(
        seats=other.matches.count(),
        by_hand=len(_lost_seats(kept, other, timezone.localdate())),
        rights=other.allocations.count(),
        addresses=[one for one in _addresses_of(other) if one not in _addresses_of(kept)],
        reports=_reports_of(other, kept).count(),
        others=sum(rows.count() for rows in _rows_of_others(other)),
        obstacles=list(_find_obstacles(kept, other)),
    )


@transaction.atomic
def run(kept_id: int, other_id: int, *, by: User, now: datetime) -> Person:
    """Merge the other person into the one who is kept. Raises `CannotMerge`, or `Person.DoesNotExist`."""
    both = Person.objects.select_for_update(of=("self",)).order_by("pk").filter(pk__in=(kept_id, other_id))
    locked = {one.pk: one for one in both}
    if len(locked) != 2:
        raise Person.DoesNotExist
    kept, other = locked[kept_id], locked[other_id]
    if obstacles := list(_find_obstacles(kept, other)):
        raise CannotMerge(" ".join(obstacles))
    moved = preview(kept, other)
    _move_seats(kept, other, by, now)
    _move_rest(kept, other)
    account, other.account = other.account, None
    other.delete()
    _fill(kept, other, account)
    told = {"merged": other.name, "number": other.key, "seats": moved.seats, "rights": moved.rights}
    audit.record(by, "merged people", kept, **told, addresses=moved.addresses, by_hand=moved.by_hand)
    rematch.ask_everywhere(by=by)
    return kept


def _find_obstacles(kept: Person, other: Person) -> Iterator[str]:
    held = kept.allocations.open().values("entitlement")
    for one in other.allocations.open().filter(entitlement__in=held).select_related("entitlement"):
        yield f"Both have rights of {one.entitlement}. Release those of one of them first."
    for rows in _rows_of_others(other):
        model = rows.model
        if _clashes(kept, rows):
            yield f"Both have an open {model._meta.verbose_name}. End that of one of them first."
    if len({*_addresses_of(kept), *_addresses_of(other)}) > MOST_ADDRESSES:
        yield f"Together they have more than {MOST_ADDRESSES} e-mail addresses. Remove some first."
    if kept.account_id and other.account_id:
        yield "Both are tied to an account here. Remove that of one of them first."


def _clashes(kept: Person, rows: QuerySet[Any]) -> bool:
    """Whether moving the rows would break a constraint of their table, such as one open row a person."""
    constraints = [one for one in rows.model._meta.constraints if getattr(one, "fields", ()) == ("person",)]
    conditions = [getattr(one, "condition", None) or Q() for one in constraints]
    return any(
        rows.filter(condition).exists() and rows.model._default_manager.filter(condition, person=kept).exists()
        for condition in conditions
    )


def _rows_of_others(person: Person) -> list[QuerySet[Any]]:
    """What other apps keep of a person, such as exemptions: this one does not know them."""
    related = [one for one in Person._meta.related_objects if one.related_model._meta.app_label != "subscriptions"]
    return [one.related_model._default_manager.filter(**{one.field.name: person}) for one in related]


def _addresses_of(person: Person) -> list[str]:
    return [one.address for one in person.addresses.all()]


def _reports_of(other: Person, kept: Person) -> QuerySet[Person]:
    return Person.objects.filter(manager=other.key).exclude(pk__in=(other.pk, kept.pk))


def _lost_seats(kept: Person, other: Person, today: date) -> list[int]:
    """The seats of both that the rules would not give to the person who is kept."""
    stored, gone = overlay.stored_as(kept), overlay.stored_as(other)
    addresses = list(dict.fromkeys([*stored.addresses, *gone.addresses]))
    former = {address: until for address, until in [*gone.former, *stored.former] if address not in addresses}
    whole = replace(stored, addresses=addresses, former=list(former.items()))
    changed = [whole, ChangedPerson(other.pk, other.key, other.name, deleted=True)]
    found = compare.of_people(changed, today=today, most=MOST_SEATS).shown
    mine = set(Match.objects.filter(person__in=(kept, other)).exclude(rule=None).values_list("pk", flat=True))
    return [one.seat.pk for one in found if one.seat.pk in mine and one.after_key != kept.key]


def _move_seats(kept: Person, other: Person, by: User, now: datetime) -> None:
    lost = _lost_seats(kept, other, timezone.localdate(now))
    seats = list(other.matches.values_list("pk", flat=True))
    history.keep_before_match(seats, now=now)
    Match.objects.filter(person=other).update(person=kept)
    Match.objects.filter(pk__in=lost).update(rule=None, by=by, at=now)
    SubscriptionVersion.objects.filter(person=other).update(person=kept)
    for profile in set(Match.objects.filter(pk__in=seats).values_list("subscription__profile", flat=True)):
        seats_changed.note(profile)


def _move_rest(kept: Person, other: Person) -> None:
    other.allocations.update(person=kept)
    for rows in _rows_of_others(other):
        rows.update(person=kept)
    held = set(_addresses_of(kept))
    added = [one for one in _addresses_of(other) if one not in held]
    PersonAddress.objects.bulk_create([PersonAddress(person=kept, address=address) for address in added])
    known = held | set(added) | set(kept.former_addresses.values_list("address", flat=True))
    kept.former_addresses.filter(address__in=added).delete()
    former = [one for one in other.former_addresses.all() if one.address not in known]
    FormerAddress.objects.bulk_create(
        [FormerAddress(person=kept, address=one.address, until=one.until) for one in former]
    )
    _reports_of(other, kept).update(manager=kept.key)


def _fill(kept: Person, other: Person, account: User | None) -> None:
    for name in FILLED:
        value = getattr(other, name)
        if not getattr(kept, name) and value != kept.key:
            setattr(kept, name, value)
    kept.manager = "" if kept.manager == other.key else kept.manager
    kept.account = kept.account or account
    kept.save()
