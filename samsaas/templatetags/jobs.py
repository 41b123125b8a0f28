"""Template tags for the next run of a scheduled job."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html

from profiles.models import IntegrationProfile, JobRun, ScheduledJob
from samsaas import schedule
from samsaas.lib.markup import NOTHING, pill
from samsaas.templatetags.ui import time_element

register = template.Library()


def next_run(job: ScheduledJob) -> datetime:
    """When the job runs next, in its own zone. A date that already had its run is skipped, even if the time moved."""
    moment = schedule.next_due(job, timezone.now())
    done = JobRun.objects.filter(profile=job.profile_id, process=job.process, logical_date=moment.date())
    return schedule.next_due(job, moment) if done.exists() else moment


@register.simple_tag
def next_start(job: ScheduledJob, *, connected: bool = True, leads: bool = True) -> str:
    """When a job starts next, or what comes first; `leads` says that it has a time, and does not follow another."""
    if job.paused:
        return pill("held", "Paused")
    if job.profile.status == IntegrationProfile.Status.DRAFT:
        return "Once the profile is validated"
    if not connected:
        return "Once it is authorized"
    return local_when(next_run(job)) if leads else "After the download"


def local_when(moment: datetime | None) -> str:
    """Date and time in the job's zone, with the zone. The exact UTC time is the tooltip."""
    if moment is None:
        return NOTHING
    return format_html("{} {}", time_element(moment, f"{moment:%-d %b %Y, %H:%M}"), moment.tzinfo)
