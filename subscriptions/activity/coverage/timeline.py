"""The time of a profile, from the start of the analysis until now: what of it was read, and what is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from profiles.models import IntegrationProfile
from subscriptions.activity.coverage import intervals


@dataclass(frozen=True)
class Stretch:
    """A piece of the time line. `state` is settled, fresh (late events may still come) or gap (not read)."""

    state: str
    since: datetime
    until: datetime
    share: float


def time_line(profile: IntegrationProfile, now: datetime) -> list[Stretch]:
    """The time from the start of the analysis, or of what was read, until now, as stretches without holes.

    `share` is in percent. The last 72 hours of an interval are fresh for as long as no later pull has read them again.
    """
    read = intervals.of_team(profile)
    start = min(profile.analyze_activity_from, now, *(one.since for one in read))
    found: list[tuple[str, datetime, datetime]] = []
    at = start
    for interval in read:
        since, until = max(interval.since, start), min(interval.until, now)
        if until <= at:
            continue
        if since > at:
            found.append(("gap", at, since))
        since, settled = max(since, at), min(max(interval.settled_until, since, at), until)
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
