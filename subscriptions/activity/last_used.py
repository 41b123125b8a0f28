"""When seats were last used, in bands of days, and whether that can be said at all.

A day is one of the installation's zone. Time that no pull has covered is unknown, never idle: a seat is *watched* when
every moment since its latest known activity (without one: since it was assigned, or since the analysis began) was read.
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

STALE = timedelta(hours=48)  # a daily pull is never further behind, unless one failed
NO_ACTIVITY, NOT_COVERED = "none", "uncovered"
GAP = "gap"
GAP_LABEL = "Not covered since the last known activity"


@dataclass(frozen=True)
class Band:
    """Seats last used between `newest` and `oldest` days ago; an `oldest` of None has no end."""

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
    """The beginning of the day that was `days_ago`, in the installation's zone."""
    day = timezone.localtime(now).date() - timedelta(days=days_ago)
    return datetime.combine(day, time(0), tzinfo=timezone.get_current_timezone())


def inactive_days(at: datetime, now: datetime) -> int:
    """Whole days between the day of the latest activity and today; never negative, whatever the vendor's clock says."""
    return max(0, (timezone.localtime(now).date() - timezone.localtime(at).date()).days)


@dataclass(frozen=True)
class Knowledge:
    """What the coverage allows to say: profiles known since their analysis began, and others since a later moment."""

    whole: list[int] = field(default_factory=list)
    later: dict[int, datetime] = field(default_factory=dict)

    def inactivity_known(self) -> Q:
        """Seats whose time since the latest known activity was read without a gap."""
        parts = [Q(profile__in=self.whole)]
        for profile, since in self.later.items():
            used_since = Q(last_activity__at__gte=since)
            never_used_but_new = Q(last_activity=None, assigned_at__gte=since)
            parts.append(Q(profile=profile) & (used_since | never_used_but_new))
        return reduce(or_, parts)


def read_knowledge(now: datetime) -> Knowledge:
    """One query: per profile the beginning of the unbroken stretch that reaches until now."""
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
    """For `annotate`: whether days of inactivity can be counted for a seat."""
    return Case(
        When(read_knowledge(now).inactivity_known(), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


def band_condition(key: str, now: datetime, known: Knowledge | None = None) -> Q:
    """The seats of one band. Raises KeyError for a band there is not."""
    if key in (NO_ACTIVITY, NOT_COVERED):
        is_watched = (known or read_knowledge(now)).inactivity_known()
        return Q(last_activity=None) & (is_watched if key == NO_ACTIVITY else ~is_watched)
    return next(band for band in KNOWN if band.key == key).as_condition(now)


def count_by_band(seats: SubscriptionQuerySet, now: datetime) -> list[dict[str, Any]]:
    """Current seats per band, all bands, for a chart. `gaps` are those of them whose time since is not covered."""
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
