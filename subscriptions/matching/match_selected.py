"""Match seats with the one person who has their address, or with somebody named, many at once, and undo it.

1. Take each batch again from the database, locked: seats without a user whose address exactly one person here has, who
   has no subscription in that profile yet (`obstacle`). What is not so any more is left out. For somebody who is named
   (`assign`), having no user yet is enough.
2. Make the matches by hand, each with a line in the audit trail, as a match of one seat has.
3. `restore` removes those that still are as they were made, and lets the rules try again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, OuterRef, QuerySet, Value, When

from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from samsaas import audit
from samsaas.lib.bulk import in_slices
from subscriptions import history, seats_changed
from subscriptions.models import Match, Person, PersonAddress, Subscription
from subscriptions.rematch import MATCH

BATCH = 500
NO_ADDRESS, NOBODY, SEVERAL, HELD = "no_address", "nobody", "several", "held"
PairUp = Callable[[QuerySet[Subscription]], dict[Subscription, Person]]


def owners_here(today: date) -> QuerySet[PersonAddress]:
    """Who has the address of a seat (outer) and has not left."""
    return PersonAddress.objects.filter(address=OuterRef("compared_email")).exclude(person__left_on__lt=today)


def obstacle(today: date) -> Case:
    """The code of what stands in the way of matching a seat by its address; empty if nothing does."""
    owners = owners_here(today).order_by().values("address").annotate(number=Count("person", distinct=True))
    there = Match.objects.of_current_seats().filter(
        subscription__profile=OuterRef("profile"), person__addresses__address=OuterRef("compared_email")
    )
    return Case(
        When(compared_email="", then=Value(NO_ADDRESS)),
        When(Exists(there), then=Value(HELD)),
        default=Case(
            When(Exists(owners.filter(number__gt=1)), then=Value(SEVERAL)),
            When(Exists(owners_here(today)), then=Value("")),
            default=Value(NOBODY),
        ),
        output_field=CharField(),
    )


def people_of(seats: Sequence[Subscription], today: date) -> dict[int, Person]:
    """The person of each seat, by the seat's id, for seats without an obstacle."""
    addresses = {seat.compared_email for seat in seats}
    held = PersonAddress.objects.filter(address__in=addresses).exclude(person__left_on__lt=today)
    owners = {one.address: one.person for one in held.select_related("person")}
    return {seat.pk: owners[seat.compared_email] for seat in seats if seat.compared_email in owners}


def count_verified(keys: Sequence[int]) -> int:
    """Of how many of these seats the vendor has verified the address."""
    verified = Subscription.objects.filter(email_verified=True).order_by()
    return sum(verified.filter(pk__in=batch).count() for batch in in_slices(keys, BATCH))


def run(keys: Sequence[int], *, by: User, now: datetime, today: date) -> list[int]:
    """Match those of the seats that still can be. Returns the ids of those that were."""

    def pair_up(free: QuerySet[Subscription]) -> dict[Subscription, Person]:
        seats = list(free.annotate(obstacle=obstacle(today)).filter(obstacle=""))
        people = people_of(seats, today)
        return {seat: people[seat.pk] for seat in seats}

    return [key for batch in in_slices(keys, BATCH) for key in _match_batch(batch, pair_up, by, now)]


def assign(keys: Sequence[int], person: Person, *, by: User, now: datetime) -> list[int]:
    """Match those of the seats that still have no user with this person. Returns the ids of those that were."""

    def pair_up(free: QuerySet[Subscription]) -> dict[Subscription, Person]:
        return dict.fromkeys(free, person)

    return [key for batch in in_slices(keys, BATCH) for key in _match_batch(batch, pair_up, by, now)]


def restore(keys: Sequence[int], *, made_at: datetime, by: User, now: datetime) -> int:
    """Undo the matches that are still as this person made them then. Returns how many were undone."""
    return sum(_remove_batch(batch, made_at, by, now) for batch in in_slices(keys, BATCH))


@transaction.atomic
def _match_batch(keys: Sequence[int], pair_up: PairUp, by: User, now: datetime) -> list[int]:
    free = Subscription.objects.current().filter(pk__in=keys, match=None)
    locked = list(free.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    people = pair_up(free.filter(pk__in=locked).order_by("pk"))
    history.keep_before_match([seat.pk for seat in people], now=now)
    Match.objects.bulk_create(
        [Match(subscription=seat, person=person, by=by, at=now) for seat, person in people.items()],
        ignore_conflicts=True,
    )
    made = Match.objects.filter(subscription__in=people, rule=None, by=by, at=now).values_list("pk", flat=True)
    done = set(made)  # a run of the rules may have been quicker with one
    matched = [seat for seat in people if seat.pk in done]
    details = ({"person": str(people[seat]), "number": people[seat].key, "before": ""} for seat in matched)
    audit.record_many(by, "matched by hand", zip(matched, details, strict=True))
    seats_changed.note(*(seat.profile_id for seat in matched))
    return [seat.pk for seat in matched]


@transaction.atomic
def _remove_batch(keys: Sequence[int], made_at: datetime, by: User, now: datetime) -> int:
    made = Match.objects.filter(subscription__in=keys, rule=None, by=by, at=made_at)
    found = list(made.select_related("subscription", "person").select_for_update(of=("self",)).order_by("pk"))
    details = [(one.subscription, {"person": str(one.person), "number": one.person.key}) for one in found]
    audit.record_many(by, "removed match", details)
    history.keep_before_match([one.pk for one in found], now=now)
    Match.objects.filter(pk__in=[one.pk for one in found]).delete()
    seats_changed.note(*(one.subscription.profile_id for one in found))
    for profile in IntegrationProfile.objects.filter(pk__in={one.subscription.profile_id for one in found}):
        queue.request_anew(profile, MATCH, trigger=JobRun.Trigger.MANUAL, by=by)
    return len(found)
