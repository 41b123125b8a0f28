"""Have the log of a profile's team read from an earlier day up to the time that is known already."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User

from profiles.connectors import base
from profiles.jobs import queue, start
from profiles.models import IntegrationProfile, JobRun
from samsaas import audit
from subscriptions.activity import pull_earlier
from subscriptions.activity.coverage.intervals import midnight_of_day
from subscriptions.activity.reading import WANTED


def refusal(profile: IntegrationProfile, now: datetime) -> str:
    """Why it cannot be asked for now; empty if it can."""
    return start.refusal(profile, base.ACTIVITY) or pull_earlier.refusal(profile, now)


def run(profile: IntegrationProfile, since: date, *, by: User, now: datetime) -> tuple[JobRun | None, bool]:
    """Request the run, and return it with True; the one under way with False. Raises `start.NotReady`."""
    if reason := refusal(profile, now):
        raise start.NotReady(reason)
    asked = queue.Request(
        pull_earlier.PULL_EARLIER,
        JobRun.Trigger.MANUAL,
        profile=profile,
        by=by,
        facts={WANTED: midnight_of_day(since).isoformat()},
    )
    requested, fresh = queue.request(asked)
    if fresh:
        audit.record(by, "asked to read the log further back", profile, since=since.isoformat())
    return requested, fresh
