"""When seats were last used, in bands of days, and for which seats that is known.

Days are days of the installation's time zone. Time that no pull has read is unknown, never idle. The inactivity of a
seat is *known* when all the time since its latest known activity was read. A seat without activity counts from the day
it was assigned, or from the start of the analysis.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Case, Count, Q, Value, When
from django.utils import timezone

from subscriptions.models import ActivityCoverage
from subscriptions.models.subscription import SubscriptionQuerySet

STALE = timedelta(hours=48)  # coverage that ends earlier than this means that a daily pull has failed
NO_ACTIVITY, NOT_COVERED = "none", "uncovered"
GAP = "gap"
GAP_LABEL = "Not covered since the last known activity"


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
    NO_ACTIVITY: "No activity known",
    NOT_COVERED: "Not covered",
}
TONES = {band.key: band.tone for band in KNOWN} | {NO_ACTIVITY: "idle", NOT_COVERED: "hatch"}


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
class Knowledge:
    """Since when each profile was read without a gap: since its analysis began (`whole`), or since a `later` moment."""

    whole: list[int] = field(default_factory=list)
    later: dict[int, datetime] = field(default_factory=dict)

    def inactivity_known(self) -> Q:
        """The condition for seats whose time since their latest known activity was read without a gap."""
        parts = [Q(profile__in=self.whole)]
        for profile, since in self.later.items():
            used_since = Q(last_activity__at__gte=since)
            never_used_but_new = Q(last_activity=None, assigned_at__gte=since)
            parts.append(Q(profile=profile) & (used_since | never_used_but_new))
        return reduce(or_, parts)


def read_knowledge(now: datetime) -> Knowledge:
    """For each profile, where the unbroken coverage that reaches until now begins. One query."""
    found = Knowledge()
    reaching = ActivityCoverage.objects.filter(until__gte=now - STALE).order_by("until")
    latest = {
        profile: (since, wanted)
        for profile, since, wanted in reaching.values_list("profile", "since", "profile__analyze_activity_from")
    }
    for profile, (since, wanted) in latest.items():
        if since <= wanted:
            found.whole.append(profile)
        else:
            found.later[profile] = since
    return found


def inactivity_known(now: datetime) -> Case:
    """For `annotate`: whether the days of inactivity of a seat can be counted. One query."""
    return Case(
        When(read_knowledge(now).inactivity_known(), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


def band_condition(key: str, now: datetime, known: Knowledge | None = None) -> Q:
    """The condition for the seats of one band, or of one of the two groups without activity, by its key in `LABELS`."""
    if key in (NO_ACTIVITY, NOT_COVERED):
        is_known = (known or read_knowledge(now)).inactivity_known()
        return Q(last_activity=None) & (is_known if key == NO_ACTIVITY else ~is_known)
    return next(band for band in KNOWN if band.key == key).as_condition(now)


def count_by_band(seats: SubscriptionQuerySet, now: datetime) -> list[dict[str, Any]]:
    """Current seats in every band. `gaps` are the seats of a band whose time since then was not fully read."""
    known = read_knowledge(now)
    asked = {}
    for key in LABELS:
        asked[f"{key}_all"] = Count("pk", filter=band_condition(key, now, known))
        asked[f"{key}_gaps"] = Count("pk", filter=band_condition(key, now, known) & ~known.inactivity_known())
    counted = seats.current().order_by().aggregate(**asked)
    return [
        {
            "key": key,
            "label": label,
            "tone": TONES[key],
            "value": counted[f"{key}_all"],
            "gaps": counted[f"{key}_gaps"],
        }
        for key, label in LABELS.items()
    ]
