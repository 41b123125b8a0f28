"""The runs of the story: the daily refresh of the days between, which found nothing worth telling, and removals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from samsaas import schedule

AT = time(2, 0)
STEPS = schedule.DAILY_ORDER


def note(profile: IntegrationProfile, days: Iterable[date]) -> None:
    """For each day a run of every step of its refresh, as the last one of its kind ended. One query, one statement."""
    runs = JobRun.objects.filter(profile=profile, process__in=STEPS).order_by("-pk")[: 2 * len(STEPS)]
    last = {run.process: run for run in runs}
    JobRun.objects.bulk_create(
        _run_like(last[process], day, place) for day in days for place, process in enumerate(STEPS) if process in last
    )


def note_removals(profile: IntegrationProfile, *, by: User) -> JobRun:
    """The run that removes what was reclaimed today."""
    now = timezone.now()
    return JobRun.objects.create(
        profile=profile,
        profile_name=profile.display_name,
        process=base.RECLAIM,
        trigger=JobRun.Trigger.MANUAL,
        requested_by=by,
        state=JobRun.State.SUCCEEDED,
        created_at=now,
        started_at=now,
        finished_at=now,
    )


def _run_like(last: JobRun, day: date, place: int) -> JobRun:
    began = timezone.make_aware(datetime.combine(day, AT)) + timedelta(seconds=20 * place)
    return JobRun(
        profile=last.profile,
        profile_name=last.profile_name,
        process=last.process,
        trigger=JobRun.Trigger.CHAIN if place else JobRun.Trigger.SCHEDULE,
        logical_date=None if place else day,
        in_chain=False,  # nothing is to follow any more
        state=JobRun.State.SUCCEEDED,
        created_at=began,
        started_at=began + timedelta(seconds=1),
        finished_at=began + timedelta(seconds=8),
        attempts=1,
        items=last.items,
        counters=last.counters,
    )
