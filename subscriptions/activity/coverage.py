"""For which time the activity is known, and where the next pull has to begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction

from profiles.models import IntegrationProfile
from subscriptions.models import ActivityCoverage
from subscriptions.models.activity import LATE


def next_since(profile: IntegrationProfile) -> datetime:
    """Where the next pull begins: the midnight before the last settled moment, or the start of the analysis if later.

    Events arrive up to a day late, so the last day is read again. It is read from midnight, because the count of a day
    is replaced as a whole.
    """
    start = _midnight_of(profile.analyze_activity_from)
    known = start
    for interval in profile.coverage.order_by("since"):
        if interval.since > known:
            break
        known = max(known, interval.until)
    return max(start, _midnight_of(known - LATE))


@transaction.atomic
def add_interval(profile: IntegrationProfile, since: datetime, until: datetime, *, run_id: int) -> None:
    """Store an interval that was read to its end, merged with the intervals it touches."""
    if until <= since:
        return
    touching = profile.coverage.select_for_update().filter(since__lte=until, until__gte=since)
    found = list(touching)
    touching.delete()
    ActivityCoverage.objects.create(
        profile=profile,
        since=min([since, *(one.since for one in found)]),
        until=max([until, *(one.until for one in found)]),
        run_id=run_id,
    )


@dataclass(frozen=True)
class Stretch:
    """A piece of the time line. `state` is settled, fresh (late events may still come) or gap (not read)."""

    state: str
    since: datetime
    until: datetime
    share: float


def time_line(profile: IntegrationProfile, now: datetime) -> list[Stretch]:
    """The time from the start of the analysis until now, as stretches without holes. `share` is in percent.

    A stretch is fresh only if the pull that read it ended less than a day ago; older ones are settled.
    """
    start = min(profile.analyze_activity_from, now)
    found: list[tuple[str, datetime, datetime]] = []
    at = start
    for interval in profile.coverage.all():
        since, until = max(interval.since, start), min(interval.until, now)
        if until <= at:
            continue
        if since > at:
            found.append(("gap", at, since))
        settled = interval.settled_until if now - interval.until < LATE else until
        since, settled = max(since, at), min(max(settled, since, at), until)
        found += [("settled", since, settled), ("fresh", settled, until)]
        at = until
    found.append(("gap", at, now))
    whole = max((now - start).total_seconds(), 1.0)
    return [
        Stretch(state, since, until, 100 * (until - since).total_seconds() / whole)
        for state, since, until in found
        if until - since > timedelta(minutes=1)
    ]


def time_line_with_days(profile: IntegrationProfile, now: datetime) -> dict[str, Any]:
    """The stretches of the time line, and how many days each state takes up."""
    stretches = time_line(profile, now)
    seconds = {state: 0.0 for state in ("settled", "fresh", "gap")}
    for one in stretches:
        seconds[one.state] += (one.until - one.since).total_seconds()
    return {"stretches": stretches, "days": {state: total / 86400 for state, total in seconds.items()}}


def _midnight_of(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time(0), tzinfo=moment.tzinfo)
