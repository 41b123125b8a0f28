"""The only place that knows the daily order, and what the beat does.

Beat ticks; the database decides. A refresh is due when the configured local time of today has passed and today's run
row does not exist yet, so two beats, a late beat or a night with a changed clock still make one run a local date.
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from celery import shared_task
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from profiles import queue
from profiles.connectors import base
from profiles.models import Credential, IntegrationProfile, JobRun
from samsaas.models import Heartbeat
from subscriptions import staging

DAILY_CHAIN = (base.DOWNLOAD,)


@shared_task
def sweep() -> None:
    """Every few seconds: show that the beat lives, take runs from dead workers, ring for the unclaimed ones."""
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": Now()})
    queue.sweep()
    staging.drop_orphans()


@shared_task
def start_due() -> None:
    """Every minute: request today's refresh of every published, connected profile whose time has come."""
    now = timezone.now()
    if not due(now):
        return
    today = now.astimezone(zone()).date()
    for profile in _refreshable():
        if not JobRun.objects.filter(profile=profile, process=DAILY_CHAIN[0], logical_date=today).exists():
            queue.request(profile, DAILY_CHAIN[0], trigger=JobRun.Trigger.SCHEDULE, logical_date=today)


def zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def refresh_time() -> time:
    """The configured local time. Raises ValueError for anything but HH:MM."""
    return datetime.strptime(settings.DAILY_REFRESH_AT, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone


def due(now: datetime) -> bool:
    """Whether today's refresh time has passed. Skipped hour: from its end. Repeated hour: its first pass."""
    local = now.astimezone(zone())
    at = datetime.combine(local.date(), refresh_time(), tzinfo=zone())
    return now >= at


def _refreshable() -> list[IntegrationProfile]:
    return list(
        IntegrationProfile.objects.filter(
            status=IntegrationProfile.Status.PUBLISHED,
            alias__credentials__purpose=Credential.Purpose.SUBSCRIPTIONS,
            alias__credentials__state=Credential.State.CONNECTED,
        )
    )
