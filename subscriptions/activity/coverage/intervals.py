"""The time whose log was read to a believable end, and where the next pull has to begin. Each team has its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from profiles.models import IntegrationProfile
from subscriptions.models import ActivityCoverage, Subscription
from subscriptions.models.activity import LATE
from subscriptions.models.subscription import SubscriptionQuerySet

GAP_TRIED_AGAIN = timedelta(days=90)
FURTHEST = timedelta(days=365)  # how far back a person may have the log read again


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A reading of a team's log that came to its end: since ≤ t < until. It began at `started`, by the database's
    clock; seats that became known after that moment may lack what it found.
    """

    team_id: str
    since: datetime
    until: datetime
    started: datetime
    run_id: int | None


def of_team(profile: IntegrationProfile) -> list[ActivityCoverage]:
    """The intervals of the team that the profile is connected to, in the order of time."""
    return sorted((one for one in profile.coverage.all() if one.team_id == profile.team_id), key=lambda one: one.since)


def latest_of_team(profile: IntegrationProfile) -> ActivityCoverage | None:
    """The interval of the profile's team that reaches furthest; None if nothing was read yet."""
    return max(of_team(profile), key=lambda one: one.until, default=None)


def next_since(profile: IntegrationProfile, now: datetime) -> datetime:
    """Where the next pull begins: the midnight 72 hours before the end of what is covered without a gap.

    Earlier if the log holds nothing after an earlier day, or if it was not read for every seat; never before the start
    of the analysis. It is a midnight, because the count of a day is replaced as a whole.
    """
    start = midnight_of(profile.analyze_activity_from)
    known = _covered_without_gap(profile, start, now)
    again = min([known - LATE, *_quiet_since(profile), *_unread_since(profile)])
    return max(start, midnight_of(again))


def _covered_without_gap(profile: IntegrationProfile, start: datetime, now: datetime) -> datetime:
    """The end of the time since `start` that is covered. A gap that ended long ago is not tried again by itself."""
    known = start
    for interval in of_team(profile):
        if interval.since > known and interval.since > now - GAP_TRIED_AGAIN:
            break
        known = max(known, interval.until)
    return known


def _quiet_since(profile: IntegrationProfile) -> list[datetime]:
    """The last day with use that the log held. To read again from there costs nothing, if nothing is there."""
    last = profile.read_days.filter(team_id=profile.team_id, events__gt=0).order_by("-day").first()
    return [midnight_of(datetime.combine(last.day, time(0), tzinfo=UTC))] if last else []


def _unread_since(profile: IntegrationProfile) -> list[datetime]:
    """From when the log has to be read for active seats that became known after it was read; none if there are none."""
    latest = latest_of_team(profile)
    if latest is None:
        return []
    wanted = Greatest(Coalesce("assigned_at", "first_seen_at"), profile.analyze_activity_from)
    late = seats_of_team(profile).filter(status=Subscription.Status.ACTIVE, known_since__gt=latest.known_by)
    unread = late.annotate(wanted=wanted).filter(Q(read_from=None) | Q(read_from__gt=F("wanted")))
    found = unread.aggregate(earliest=Min("wanted"))["earliest"]
    return [found] if found else []


def seats_of_team(profile: IntegrationProfile) -> SubscriptionQuerySet:
    """The seats that are listed now, by the team that the profile is connected to now."""
    listed = Subscription.objects.filter(profile=profile).listed()
    return listed.filter(known_since__gte=profile.team_since) if profile.team_since else listed


@transaction.atomic
def add_reading(profile: IntegrationProfile, reading: Reading) -> None:
    """Store the interval of a reading that is believed, merged with the intervals it touches.

    The whole interval vouches for the seats that were known to each of its readings; seats that became known since
    keep from when on the log was read for them.
    """
    if reading.until <= reading.since:
        return
    touching = _of_same_team(profile, reading.team_id).filter(since__lte=reading.until, until__gte=reading.since)
    found = list(touching.select_for_update())
    touching.delete()
    known_by = reading.started
    if found and reading.since > min(one.since for one in found):
        known_by = min(one.known_by for one in found)
    whole = ActivityCoverage.objects.create(
        profile=profile,
        team_id=reading.team_id,
        since=min([reading.since, *(one.since for one in found)]),
        until=max([reading.until, *(one.until for one in found)]),
        known_by=known_by,
        run_id=reading.run_id,
    )
    late = Subscription.objects.filter(
        profile=profile, known_since__gt=whole.known_by, known_since__lte=reading.started
    )
    late.filter(Q(read_from=None) | Q(read_from__gt=reading.since)).update(read_from=reading.since)


@transaction.atomic
def add_earlier(profile: IntegrationProfile, reading: Reading) -> bool:
    """Store the interval of a believed reading that ended where the team's latest interval begins, merged with it.

    What was vouched for stays vouched for: a seat that the reading did not know keeps from when on the log was read for
    it. False, and nothing is stored, if the latest interval is another one meanwhile.
    """
    of_team = _of_same_team(profile, reading.team_id).select_for_update()
    latest = of_team.order_by("-until").first()
    if latest is None or not latest.since <= reading.until <= latest.until:
        return False
    touching = list(of_team.filter(since__lte=reading.until, until__gte=reading.since))
    known_by = min([reading.started, *(one.known_by for one in touching)])
    _set_read_from(profile, reading, latest, known_by)
    since = min([reading.since, *(one.since for one in touching)])
    of_team.filter(pk__in=[one.pk for one in touching if one.pk != latest.pk]).delete()
    ActivityCoverage.objects.filter(pk=latest.pk).update(since=since, known_by=known_by)
    return True


def _set_read_from(profile: IntegrationProfile, reading: Reading, latest: ActivityCoverage, known_by: datetime) -> None:
    """From when on the log was read for those who became known after `known_by`, once the intervals are one."""
    late = Subscription.objects.filter(profile=profile, known_since__gt=known_by)
    was_known = Q(known_since__lte=latest.known_by)
    unread = late.filter(known_since__gt=reading.started).filter(was_known | Q(read_from__lt=latest.since))
    unread.update(read_from=latest.since)
    read = late.filter(known_since__lte=reading.started).filter(was_known | Q(read_from__lte=reading.until))
    read.update(read_from=reading.since)


@transaction.atomic
def withdraw_after(profile: IntegrationProfile, team_id: str, moment: datetime) -> None:
    """Take back the coverage of a team from a moment on: what was read of that time is no longer believed."""
    of_same_team = _of_same_team(profile, team_id)
    of_same_team.filter(since__gte=moment).delete()
    of_same_team.filter(until__gt=moment).update(until=moment)


def _of_same_team(profile: IntegrationProfile, team_id: str) -> QuerySet[ActivityCoverage]:
    return ActivityCoverage.objects.filter(profile=profile, team_id=team_id)


def midnight_of(moment: datetime) -> datetime:
    """The beginning of the moment's UTC day."""
    return midnight_of_day(moment.astimezone(UTC).date())


def midnight_of_day(day: date) -> datetime:
    """The beginning of a UTC day."""
    return datetime.combine(day, time(0), tzinfo=UTC)
