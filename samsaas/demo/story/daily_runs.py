"""The runs of the days between: the daily refresh of each, which found nothing worth telling."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from samsaas import schedule

AT = time(2, 0)


def note(profile: IntegrationProfile, day: date) -> None:
    """One run for every step of the day's refresh, as the last one of its kind ended."""
    began = timezone.make_aware(datetime.combine(day, AT))
    before = JobRun.objects.filter(profile=profile, process__in=schedule.DAILY_ORDER).order_by("pk")
    last = {run.process: run for run in before}
    JobRun.objects.bulk_create(
        JobRun(
            profile=profile,
            profile_name=profile.display_name,
            process=process,
            trigger=JobRun.Trigger.CHAIN if place else JobRun.Trigger.SCHEDULE,
            logical_date=None if place else day,
            in_chain=False,  # nothing is to follow any more
            state=JobRun.State.SUCCEEDED,
            created_at=began + timedelta(seconds=20 * place),
            started_at=began + timedelta(seconds=20 * place + 1),
            finished_at=began + timedelta(seconds=20 * place + 8),
            attempts=1,
            items=last[process].items,
            counters=last[process].counters,
        )
        for place, process in enumerate(schedule.DAILY_ORDER)
        if process in last
    )
