"""When seats were last used, in bands of days, and for how long they are surely unused.

Days are days of the installation's time zone. Time that no pull has read is unknown, never idle. A seat is idle for
exactly so many days if all the time since its last use was read; otherwise for at least as many as the coverage that
reaches until now vouches for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, When
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile
from subscriptions.activity.coverage import reach
from subscriptions.models import Subscription
from subscriptions.models.subscription import SubscriptionQuerySet

NEVER_ACTIVE, NOT_COVERED = "none", "uncovered"
GAP = "gap"
GAP_LABEL = "Not covered since the last known activity"
IDLE, IDLE_DAYS = "idle", 60
IDLE_LABEL = f"Idle for {IDLE_DAYS} days or more"
SESSION_FACT = "last_session"  # in the facts of a pull: the latest use of a device it read


@dataclass(frozen=True)
class Band:
    """Seats last used between `newest` and `oldest` days ago. Without an `oldest` the band is open to the past."""

    key: str
    label: str
    tone: str
    newest: int
    oldest: int | None

    def as_condition(self, now: datetime) -> Q:
        until = Q(last_activity__at__lt=midnight(now, self.newest - 1)) if self.newest else Q()
        since = Q() if self.oldest is None else Q(last_activity__at__gte=midnight(now, self.oldest))
        return until & since


KNOWN = (
    Band("today", "Today", "good", 0, 0),
    Band("week", "1 to 7 days ago", "good", 1, 7),
    Band("month", "8 to 30 days ago", "info", 8, 30),
    Band("two_months", "31 to 60 days ago", "warn", 31, 60),
    Band("three_months", "61 to 90 days ago", "warn", 61, 90),
    Band("older", "More than 90 days ago", "bad", 91, None),
)
LABELS = {band.key: band.label for band in KNOWN} | {
    NEVER_ACTIVE: "Never active",
    NOT_COVERED: "Not covered",
}
TONES = {band.key: band.tone for band in KNOWN} | {NEVER_ACTIVE: "idle", NOT_COVERED: "hatch"}


def midnight(now: datetime, days_ago: int = 0) -> datetime:
    """The beginning of the day `days_ago` days before today, in the installation's time zone."""
    day = timezone.localtime(now).date() - timedelta(days=days_ago)
    return datetime.combine(day, time(0), tzinfo=timezone.get_current_timezone())


def inactive_days(at: datetime, now: datetime) -> int:
    """Whole days between the day of the latest activity and today.

    Never negative, even if the vendor's clock is ahead.
    """
    return max(0, (timezone.localtime(now).date() - timezone.localtime(at).date()).days)


@dataclass(frozen=True)
class Idle:
    """For how long a seat is surely unused.

    `days` are exact if all the time since `since` (its last use, or the day it was assigned later) was read, else they
    are the least: nothing was seen since `since`, and before that nobody looked. `never_used`: no use is known since it
    was assigned.
    """

    days: int
    since: datetime
    is_exact: bool
    never_used: bool


def with_idle_facts(seats: QuerySet[Subscription], now: datetime) -> Any:
    """The seats with `vouched_from` and `unused_since`, see `coverage.reach`. One query more."""
    known = reach.read_knowledge(now)
    return seats.annotate(vouched_from=known.vouched_from(), unused_since=known.unused_since())


def inactivity_rank(*, most_first: bool) -> Case:
    """For `order_by`, on seats of `with_idle_facts`: no activity in all the time that was read, days, not known.

    The first is a fact that no number of days says, and stands before the most days. It is not said of a seat that was
    assigned within that time: it is unused for exactly so many days. What is not known comes last in both directions.
    """
    never = Q(last_activity=None) & ~Q(assigned_at__gt=F("vouched_from"))
    days = 1 if most_first else 0
    return Case(
        When(unused_since=None, then=2),
        When(never, then=1 - days),
        default=days,
        output_field=IntegerField(),
    )


def idle(seat: Any, now: datetime) -> Idle | None:
    """How long a seat of `with_idle_facts` is surely unused; None if nothing can be said, or it has ended."""
    if seat.ended_at is not None or seat.unused_since is None:
        return None
    latest = getattr(seat, "last_activity", None)
    start = max(filter(None, (latest and latest.at, seat.assigned_at)), default=None)
    return Idle(
        days=inactive_days(seat.unused_since, now),
        since=seat.unused_since,
        is_exact=start is not None and start >= seat.vouched_from,
        never_used=latest is None or (seat.assigned_at is not None and latest.at < seat.assigned_at),
    )


def has_read_sessions(profile: IntegrationProfile) -> bool:
    """Whether a pull ever read a device session of the team that the profile is connected to."""
    pulls = profile.runs.filter(process=base.ACTIVITY, facts__has_key=SESSION_FACT)
    return (pulls.filter(created_at__gte=profile.team_since) if profile.team_since else pulls).exists()


def band_condition(key: str, now: datetime, known: reach.Knowledge | None = None) -> Q:
    """The condition for the seats of one band, or of one of the two groups without activity, by its key in `LABELS`."""
    if key in (NEVER_ACTIVE, NOT_COVERED):
        is_known = (known or reach.read_knowledge(now)).vouched()
        return Q(last_activity=None) & (is_known if key == NEVER_ACTIVE else ~is_known)
    return next(band for band in KNOWN if band.key == key).as_condition(now)


def idle_condition(now: datetime) -> Q:
    """The condition for seats that were used once and are surely unused since, for `IDLE_DAYS` at least.

    They need `unused_since` of `coverage.reach`.
    """
    return Q(last_activity__isnull=False, unused_since__lt=midnight(now, IDLE_DAYS - 1))


def bands_and_gaps(now: datetime, known: reach.Knowledge) -> Iterator[tuple[str, Q, Q]]:
    """Every band by its key, with its condition, and that for those of its seats whose time was not fully read."""
    gaps = {NEVER_ACTIVE: Q(pk__in=[]), NOT_COVERED: Q()}
    for key in LABELS:
        yield key, band_condition(key, now, known), gaps.get(key, ~known.exact())


def count_by_band(seats: SubscriptionQuerySet, now: datetime) -> list[dict[str, Any]]:
    """Current seats in every band. `gaps` are the seats of a band whose time since then was not fully read."""
    asked = {}
    for key, of_band, of_gap in bands_and_gaps(now, reach.read_knowledge(now)):
        asked[f"{key}_all"] = Count("pk", filter=of_band)
        asked[f"{key}_gaps"] = Count("pk", filter=of_band & of_gap)
    counted = seats.current().order_by().aggregate(**asked)
    return [describe_band(key, counted[f"{key}_all"], counted[f"{key}_gaps"]) for key in LABELS]


def describe_band(key: str, value: int, gaps: int) -> dict[str, Any]:
    """A band with its numbers, for a chart."""
    return {"key": key, "label": LABELS[key], "tone": TONES[key], "value": value, "gaps": gaps}
