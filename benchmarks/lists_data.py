"""What the benchmark of lists looks at: a large installation, made once and kept in its database.

Four profiles share the seats, as the product's own decoder reads them; nine in ten seats have a user and most have
activity; a fifth as many people as seats; as many audit entries as seats; a removal candidate for every ten, most of
them open; a job result for every hundred seats.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from profiles.aliases import choose as aliases
from profiles.connectors import base
from profiles.connectors.dropbox import members
from profiles.connectors.dropbox.sandbox.team import LargeTeam
from profiles.models import IntegrationProfile, JobRun
from reclamation.models import RemovalCandidate
from reclamation.states import CLOSED, OPEN
from samsaas import audit
from samsaas.lib import append_only, bulk
from samsaas.lib.text_forms import normalize_name
from samsaas.models import AuditEntry
from subscriptions.download import staging
from subscriptions.models import (
    ActivityCoverage,
    LastActivity,
    Match,
    Person,
    PersonAddress,
    ResolutionRule,
    Subscription,
    SubscriptionIdentifier,
)
from subscriptions.software import recognize

PAGE = 1000
PROFILES = 4
OLDEST_DAY = 120
MADE = (
    RemovalCandidate,
    LastActivity,
    Match,
    ActivityCoverage,
    Subscription,
    PersonAddress,
    Person,
    JobRun,
    AuditEntry,
)


def prepare(seats: int) -> None:
    """Migrate, and make the installation unless the database holds one of this size."""
    call_command("migrate", verbosity=0)
    made = Subscription.objects.count(), RemovalCandidate.objects.count()
    if made != (seats, seats // 10) or AuditEntry.objects.count() < seats:  # who signs in adds some
        _make(seats, timezone.now())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def reader() -> Client:
    """A browser that somebody who may see every list has signed in with."""
    user, _ = User.objects.get_or_create(username="benchmark-reader")
    user.groups.add(Group.objects.get(name="sam_admin"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _make(seats: int, now: datetime) -> None:
    for model in MADE:
        with append_only.allow_deleting(audit.TABLE, before=datetime.max.replace(tzinfo=UTC)):
            model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
    IntegrationProfile.objects.all().delete()
    profiles = [_profile(number, now) for number in range(PROFILES)]
    recognize.run(profiles[0].vendor_info, ["full", "limited"])
    kinds = dict(SubscriptionIdentifier.objects.values_list("identifier", "pk"))
    _load(Subscription, _seats(seats, profiles, kinds, now))
    _load(Person, _people(seats // 5, now))
    keys = {model: list(model.objects.order_by("pk").values_list("pk", flat=True)) for model in (Subscription, Person)}
    addresses = dict(Person.objects.values_list("key", "pk"))
    _load(PersonAddress, ({"person_id": pk, "address": f"{key}@large.example"} for key, pk in addresses.items()))
    _load(LastActivity, _activity(keys[Subscription], now))
    _load(Match, _matches(keys[Subscription], keys[Person], ResolutionRule.objects.all()[0], now))
    _load(AuditEntry, _audit(seats, now))
    _load(JobRun, _runs(seats // 100, profiles, now))
    _load(RemovalCandidate, _candidates(keys[Subscription][::10][: seats // 10], profiles, now))
    for profile in profiles[:2]:
        since = profile.analyze_activity_from if profile is profiles[0] else now - timedelta(days=45)
        until = now + timedelta(days=3650)
        ActivityCoverage.objects.create(profile=profile, since=since, until=until, known_by=until)


def _load(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Rows by column; what a row leaves out is what Django would fill in."""
    rows = iter(rows)
    first = next(rows)
    given = [f for f in model._meta.concrete_fields if f.column not in first and not f.primary_key]
    defaults = {f.column: f.get_db_prep_save(f.get_default(), connection) for f in given}
    columns = (*first, *defaults)
    others = tuple(_stored(value) for value in defaults.values())

    def values() -> Iterator[tuple[Any, ...]]:
        yield (*map(_stored, first.values()), *others)
        for row in rows:
            yield (*map(_stored, row.values()), *others)

    bulk.load(connection, model._meta.db_table, columns, values())


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def _profile(number: int, now: datetime) -> IntegrationProfile:
    return IntegrationProfile.objects.create(
        vendor="dropbox",
        display_name=f"Region {number}",
        alias=aliases.free_alias("dropbox", f"Region {number}"),
        analyze_activity_from=now - timedelta(days=OLDEST_DAY),
    )


def _seats(
    seats: int, profiles: list[IntegrationProfile], kinds: dict[str, int], now: datetime
) -> Iterator[dict[str, Any]]:
    team = LargeTeam(seats)
    names = staging.COLUMNS
    for numbers in (range(start, min(start + PAGE, seats)) for start in range(0, seats, PAGE)):
        answer = {"members": [team.make_member(number) for number in numbers], "cursor": "", "has_more": False}
        items = members.page(json.dumps(answer).encode()).items
        for row in staging.driver_rows(items, start=numbers[0]):
            seat = dict(zip(names, row, strict=True))
            number = seat.pop("position") - 1
            kind = seat.pop("identifier")
            ended = now if number % 50 == 7 else None
            yield seat | {
                "profile_id": profiles[number % PROFILES].pk,
                "identifier_id": kinds[kind],
                "excluded": number % 100 == 8,
                "first_seen_at": now,
                "known_since": now,
                "changed_at": now,
                "valid_since": now,
                "ended_at": ended,
            }


def _people(people: int, now: datetime) -> Iterator[dict[str, Any]]:
    team = LargeTeam(people)
    for number in range(people):
        name = team.make_member(number)["profile"]["name"]["display_name"]
        yield {
            "key": f"emp-{number:06d}",
            "name": name,
            "compared_key": f"emp-{number:06d}",
            "compared_name": normalize_name(name),
            "department": f"Department {number % 190}",
            "country": ("DE", "FR", "JP", "US", "BR")[number % 5],
            "left_on": now.date() - timedelta(days=30) if number % 25 == 3 else None,
            "updated_at": now,
        }


def _activity(seats: list[int], now: datetime) -> Iterator[dict[str, Any]]:
    for number, seat in enumerate(seats):
        if number % 8:
            days = min(number * 7919 % OLDEST_DAY, number * 104729 % OLDEST_DAY)
            yield {"subscription_id": seat, "at": now - timedelta(days=days), "kind": "file_edit", "signal": "event"}


def _matches(seats: list[int], people: list[int], rule: ResolutionRule, now: datetime) -> Iterator[dict[str, Any]]:
    for number, seat in enumerate(seats):
        if number % 10:
            yield {"subscription_id": seat, "person_id": people[number % len(people)], "rule_id": rule.pk, "at": now}


def _audit(entries: int, now: datetime) -> Iterator[dict[str, Any]]:
    empty = _json({})
    for number in range(entries):
        yield {
            "at": now - timedelta(minutes=number),
            "actor_name": f"operator.{number % 40}" if number % 3 else "",
            "verb": ("matched", "changed", "imported", "excluded", "downloaded")[number % 5],
            "object_type": "Software Subscription",
            "object_id": str(number),
            "object_name": f"person.{number}@large.example",
            "detail": empty,
        }


def _runs(runs: int, profiles: list[IntegrationProfile], now: datetime) -> Iterator[dict[str, Any]]:
    empty, none = _json({}), _json([])
    for number in range(runs):
        at = now - timedelta(hours=number)
        yield {
            "profile_id": profiles[number % PROFILES].pk,
            "profile_name": profiles[number % PROFILES].display_name,
            "process": (base.DOWNLOAD, base.ACTIVITY)[number // PROFILES % 2],
            "trigger": JobRun.Trigger.SCHEDULE.value,
            "state": (JobRun.State.FAILED if number % 50 == 3 else JobRun.State.SUCCEEDED).value,
            "created_at": at,
            "started_at": at,
            "finished_at": at + timedelta(minutes=2),
            "counters": empty,
            "facts": empty,
            "warnings": none,
        }


def _candidates(seats: list[int], profiles: list[IntegrationProfile], now: datetime) -> Iterator[dict[str, Any]]:
    evidence = _json({"last_activity": None, "kind": "", "covered": True, "inactive_days": 80})
    for number, seat in enumerate(seats):
        profile = profiles[number % PROFILES]
        state = CLOSED[number % len(CLOSED)] if number % 5 == 4 else OPEN[number % len(OPEN)]
        yield {
            "subscription_id": seat,
            "profile_id": profile.pk,
            "profile_name": profile.display_name,
            "display_name": f"Person {number * 7919 % len(seats):06d}",
            "email": f"person{number}@large.example",
            "external_id": f"dbmid:{number}",
            "state": state.value,
            "reason": ("idle", "never_active", "leaver")[number % 3],
            "evidence": evidence,
            "opened_at": now,
            "closed_at": now if state in CLOSED else None,
        }


def _json(value: Any) -> Any:
    """As the database's driver takes it."""
    adapted: Callable[[Any, Any], Any] = connection.ops.adapt_json_value
    return adapted(value, None)
