"""Have the log of a profile's team read again from a chosen day. The run waits if a pull is at work."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import User

from profiles.connectors import base
from profiles.jobs import queue, start
from profiles.models import IntegrationProfile, JobRun
from samsaas import audit
from subscriptions.activity.coverage.intervals import midnight_of_day
from subscriptions.activity.reading import WANTED


def run(profile: IntegrationProfile, since: date, *, by: User) -> tuple[JobRun | None, bool]:
    """Request the run, and return it with True; False if another one waits already.

    Raises `start.NotReady` if a pull would be refused.
    """
    if reason := start.refusal(profile, base.ACTIVITY):
        raise start.NotReady(reason)
    asked = queue.Request(
        base.ACTIVITY,
        JobRun.Trigger.MANUAL,
        profile=profile,
        by=by,
        facts={WANTED: midnight_of_day(since).isoformat()},
    )
    requested, fresh = queue.request(asked, behind=True)
    if fresh:
        audit.record(by, "asked to read the log again", profile, since=since.isoformat())
    return requested, fresh
