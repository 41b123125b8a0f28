"""Count the seats of the profiles whose facts have changed, or whose count is of another day.

1. Claim the profile, so that no other worker counts it at the same time.
2. Read which changes were noted, then count in one statement over the profile's listed seats.
3. Replace the stored counts, and forget the changes that were read before the count. A later one has it made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from profiles.models import IntegrationProfile
from subscriptions import counting, seats_changed
from subscriptions.activity import last_used
from subscriptions.activity.coverage import reach
from subscriptions.models import SeatCount, SeatCounting, SeatsChanged, Subscription

CLAIM = timedelta(minutes=10)
CURRENT, EXCLUDED, IN_USE = "current", "excluded", "in_use"
LEFT, LEFT_ADMINS, WITHOUT_USER, NEVER, IDLE = "left", "left_admins", "without_user", "never", "idle"
BAND, GAPS, USED = "band_", "gaps_", "used_"


def run_due(now: datetime) -> int:
    """Count every profile that needs it. Returns how many were counted."""
    return sum(_count_claimed(key, now) for key in _due(timezone.localtime(now).date()))


def _due(today: Any) -> list[int]:
    """The keys of the profiles that changed, or were counted on another day or never."""
    counted = SeatCounting.objects.filter(day=today).values("profile")
    old = IntegrationProfile.objects.filter(refreshed_at__isnull=False).exclude(pk__in=counted)
    changed = {*SeatsChanged.objects.order_by().values_list("profile", flat=True).distinct()}
    return sorted({*old.order_by().values_list("pk", flat=True), *changed, *_later_of_team(changed)})


def _later_of_team(changed: set[int]) -> set[int]:
    """Profiles of a team whose accounts may count no longer, or again, since an earlier profile of it has changed."""
    shared = IntegrationProfile.objects.filter(pk__in=counting.shared_profiles())
    teams = {key: (vendor, team) for key, vendor, team in shared.values_list("pk", "vendor", "team_id")}
    of_changed = [(key, teams[key]) for key in changed if key in teams]
    later = {key for key, team in teams.items() if any(one < key and of == team for one, of in of_changed)} - changed
    seats_changed.note(*later)
    return later


def _count_claimed(profile: int, now: datetime) -> bool:
    """Count one profile, unless somebody else does, or it was deleted."""
    if not IntegrationProfile.objects.filter(pk=profile).exists():
        return False
    SeatCounting.objects.bulk_create([SeatCounting(profile_id=profile)], ignore_conflicts=True)
    mine = SeatCounting.objects.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), profile=profile)
    if not mine.update(claimed_until=now + CLAIM):
        return False
    try:
        _replace_counts(profile, now)
    finally:
        SeatCounting.objects.filter(profile=profile).update(claimed_until=None)
    return True


def _replace_counts(profile: int, now: datetime) -> None:
    noted = list(SeatsChanged.objects.filter(profile=profile).values_list("pk", flat=True))
    rows = [SeatCount(profile_id=profile, identifier_id=key, counts=counts) for key, counts in _count(profile, now)]
    with transaction.atomic():
        SeatCount.objects.filter(profile=profile).delete()
        SeatCount.objects.bulk_create(rows)
        SeatsChanged.objects.filter(pk__in=noted).delete()
        SeatCounting.objects.filter(profile=profile).update(counted_at=now, day=timezone.localtime(now).date())


def _count(profile: int, now: datetime) -> Iterator[tuple[int, dict[str, int]]]:
    """The counts of each seat type, without those that are zero. One statement, and one for the coverage."""
    known = reach.read_knowledge(now)
    of_profile = reach.Knowledge(tuple(one for one in known.reaches if one.profile_id == profile))
    conditions = conditions_by_name(of_profile, now)
    seats = Subscription.objects.filter(profile=profile).listed().alias(unused_since=of_profile.unused_since())
    # A name of its own for each count: "excluded" would stand for the column in the next condition.
    asked = {f"count_{name}": Count("pk", filter=condition) for name, condition in conditions.items()}
    for key, *counted in seats.order_by().values_list("identifier").annotate(**asked):
        yield key, {name: number for name, number in zip(conditions, counted, strict=True) if number}


def conditions_by_name(known: reach.Knowledge, now: datetime) -> dict[str, Q]:
    """What is counted, as conditions for listed seats that have `unused_since`.

    What somebody pays for is in use, so users who left, seats without user, and those that are not used are counted
    among the seats in use only. Those of `USED` count in the license position, each account once.
    """
    current = Q(excluded=False)
    in_use = current & Q(consumes_license=True)
    has_left = Q(match__person__left_on__lt=timezone.localtime(now).date())
    counted = {
        CURRENT: current,
        EXCLUDED: Q(excluded=True),
        IN_USE: in_use,
        LEFT: in_use & has_left,
        LEFT_ADMINS: current & has_left & Q(is_admin=True),
        WITHOUT_USER: in_use & Q(match=None),
        NEVER: in_use & last_used.band_condition(last_used.NEVER_ACTIVE, now, known),
        IDLE: in_use & last_used.idle_condition(now),
    }
    twice = counting.is_twice()
    once = in_use & ~twice if twice else in_use
    for key, of_band, of_gap in last_used.bands_and_gaps(now, known):
        counted[BAND + key] = current & of_band
        counted[GAPS + key] = current & of_band & of_gap
        counted[USED + key] = once & of_band
    return counted
