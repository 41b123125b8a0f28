"""What the benchmark of reconciliations looks at: models, entitlements, allocations, and subscriptions with their past.

Two profiles share the seats of the software models. Nine in ten have a user, most have activity, one in fifty is
excluded, and one in five had other facts before a day of the last year. Of ten entitlements of a model three are in
force, one of them a renewal; the others are over, drafts, pending or retired. There are as many allocations as a tenth
of the seats.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from benchmarks import lists_data
from profiles.models import IntegrationProfile, JobRun
from reclamation.models import ReclamationRule, RemovalCandidate, StateChange
from reclamation.rules import make_rules
from subscriptions.models import (
    Allocation,
    Entitlement,
    EntitlementVersion,
    LastActivity,
    Match,
    Person,
    ReconciliationRun,
    ResolutionRule,
    SeatResult,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
    SubscriptionVersion,
    UseDay,
)
from subscriptions.seat_counts import count

YEAR = timedelta(days=365)
IN_FORCE = 3  # of the entitlements of a model
PUBLISHERS = 10
EMPTIED = (
    LastActivity,
    UseDay,
    SeatResult,
    StateChange,
    RemovalCandidate,
    SubscriptionVersion,
    Match,
    Allocation,
    EntitlementVersion,
)


def prepare(seats: int, models: int, entitlements: int) -> None:
    """Migrate, empty the database and fill it."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    _empty()
    profiles = [lists_data._profile(number, now) for number in range(2)]
    IntegrationProfile.objects.update(status="published", refreshed_at=now)
    made = [_make_model(number) for number in range(models)]
    kinds = list(SubscriptionIdentifier.objects.order_by("pk").values_list("pk", flat=True))
    lists_data._load(Subscription, _list_seats(seats, profiles, kinds, now))
    lists_data._load(Person, lists_data._people(max(seats // 2, 10), now))
    keys = list(Subscription.objects.order_by("pk").values_list("pk", flat=True))
    people = list(Person.objects.order_by("pk").values_list("pk", flat=True))
    lists_data._load(Match, lists_data._matches(keys, people, ResolutionRule.objects.all()[0], now))
    lists_data._load(LastActivity, lists_data._activity(keys, now))
    lists_data._load(SubscriptionVersion, _list_versions(keys, kinds, now))
    lists_data._load(RemovalCandidate, lists_data._candidates(keys[::50], profiles * 2, now))
    make_rules.run(now)
    RemovalCandidate.objects.update(rule=ReclamationRule.objects.order_by("pk")[0])
    lists_data._load(UseDay, _list_days(kinds, now))
    rights = _make_entitlements(made, entitlements, seats, now)
    lists_data._load(Allocation, _list_allocations(rights, people, seats // 10, now))
    count.run_due(now)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _empty() -> None:
    for model in EMPTIED:
        model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
    ReconciliationRun.objects.all().delete()
    Subscription._base_manager.all()._raw_delete("default")
    Person._base_manager.all()._raw_delete("default")
    Entitlement.objects.filter(renews__isnull=False).update(renews=None)
    for kind in (Entitlement, IntegrationProfile, SubscriptionIdentifier, SoftwareModel, JobRun):
        kind._base_manager.all().delete()  # type: ignore[attr-defined]


def _make_model(number: int) -> SoftwareModel:
    product = f"Product {number // 2:02}"
    edition = ("Standard", "Advanced")[number % 2]
    publisher = f"Publisher {number // 2 % PUBLISHERS:02}"
    model = SoftwareModel.objects.create(publisher=publisher, product=product, edition=edition)
    SubscriptionIdentifier.objects.create(vendor="dropbox", identifier=f"kind-{number}", software_model=model)
    return model


def _list_seats(
    seats: int, profiles: list[IntegrationProfile], kinds: list[int], now: datetime
) -> Iterator[dict[str, Any]]:
    old = now - 2 * YEAR
    for number in range(seats):
        since = now - timedelta(days=number % 360 + 1) if number % 5 == 0 else old
        yield {
            "profile_id": profiles[number % len(profiles)].pk,
            "external_id": f"dbmid:{number:08}",
            "identifier_id": kinds[number % len(kinds)],
            "display_name": f"Person {number:07}",
            "email": f"person{number}@large.example",
            "status": "active",
            "excluded": number % 53 == 0,
            "consumes_license": True,
            "assigned_at": now - timedelta(days=number % 700, minutes=number % 1440) if number % 40 else None,
            "first_seen_at": old,
            "known_since": old,
            "changed_at": since,
            "valid_since": since,
        }


def _list_versions(keys: list[int], kinds: list[int], now: datetime) -> Iterator[dict[str, Any]]:
    """Every fifth seat was of another seat type before."""
    for number, key in enumerate(keys):
        if number % 5 == 0:
            yield {
                "subscription_id": key,
                "since": now - 2 * YEAR,
                "until": now - timedelta(days=number % 360 + 1),
                "identifier_id": kinds[(number + 1) % len(kinds)],
                "status": "active",
                "consumes_license": True,
                "excluded": number % 7 == 0,
                "person_id": None,
                "listed": True,
            }


def _list_days(kinds: list[int], now: datetime) -> Iterator[dict[str, Any]]:
    """The days that earlier runs have counted: a run of today counts yesterday at most."""
    today = timezone.localdate(now)
    for back in range(1, 366):
        day = connection.ops.adapt_datefield_value(today - timedelta(days=back))
        yield from ({"day": day, "identifier_id": kind, "in_use": 100 + back % 30} for kind in kinds)


def _make_entitlements(models: list[SoftwareModel], count: int, seats: int, now: datetime) -> list[int]:
    """The entitlements, and the keys of those in force to which rights may be allocated."""
    today, each = timezone.localtime(now).date(), count // len(models)
    rows = []
    for number, model in enumerate(models):
        share = max(seats // len(models) // IN_FORCE, 5)
        for place in range(each):
            start, end, state = _term(place, today)
            rows.append(
                Entitlement(
                    software_model=model,
                    state=state,
                    retired_on=today - timedelta(days=40) if state == "retired" else None,
                    purchased_rights=share + (number % 5 - 2) * share // 20,
                    start=start,
                    end=end,
                    unit_cost=100 + place,
                    currency="USD",
                )
            )
    Entitlement.objects.bulk_create(rows)
    firsts = [rows[number * each] for number in range(len(models))]
    for first, renewed in zip(firsts, (rows[number * each + IN_FORCE] for number in range(len(models))), strict=True):
        first.renews = renewed
    Entitlement.objects.bulk_update(firsts, ["renews"])
    return [one.pk for place, one in enumerate(rows) if place % each < IN_FORCE]


def _term(place: int, today: Any) -> tuple[Any, Any, str]:
    day = timedelta(days=1)
    if place < IN_FORCE:
        return today - 100 * day, today + (100 + place) * day, "in_use"
    if place == IN_FORCE:  # renewed before its end
        return today - 400 * day, today + 20 * day, "in_use"
    others = ((-800, -400, "in_use"), (30, 400, "in_use"), (-50, 300, "build"), (-300, 60, "retired"))
    start, end, state = others[place % len(others)]
    return today + start * day, today + end * day, state


def _list_allocations(rights: list[int], people: list[int], count: int, now: datetime) -> Iterator[dict[str, Any]]:
    each = max(count // len(rights), 1)
    on = connection.ops.adapt_datefield_value((now - timedelta(days=90)).date())
    for place, entitlement in enumerate(rights):
        for number in range(min(each, len(people))):
            person = people[(place * 997 + number * 3) % len(people)]
            if number == 0 or person != people[place * 997 % len(people)]:
                yield {
                    "entitlement_id": entitlement,
                    "person_id": person,
                    "quantity": 1,
                    "assigned_on": on,
                    "source": "csv",
                }
