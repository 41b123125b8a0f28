"""When a scheduled job runs next, for pages of other apps."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html

from profiles.models import IntegrationProfile, JobRun, ScheduledJob
from samsaas import schedule
from samsaas.templatetags.ui import NOTHING, pill, time_element

register = template.Library()


@register.simple_tag
def next_run(job: ScheduledJob) -> datetime:
    """The next time of a job, in its own zone; a local date that has had its run is over, even if the time moved."""
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


@register.filter
def local_when(moment: datetime | None) -> str:
    """Date and time where the job lives, with its zone, and the exact UTC time behind it."""
    if moment is None:
        return NOTHING
    return format_html("{} {}", time_element(moment, f"{moment:%-d %b %Y, %H:%M}"), moment.tzinfo)
