"""Change when a scheduled job runs, or pause it. The beat reads the stored time at its next tick.

A change is refused when somebody else changed the time since the form was opened. A pause does not change the time.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from profiles.models import ScheduledJob
from samsaas import audit
from samsaas.lib import edits

FIELDS = ("refresh_at", "zone")


@transaction.atomic
def change(job_id: int, data: dict[str, Any], *, by: User) -> ScheduledJob:
    """Store the job's own time of day and zone; an empty one is inherited from the alias.

    Raises `edits.EditConflict` without writing anything.
    """
    job = _lock_job(job_id)
    edits.refuse_stale(data.get("version"), job.version)
    changes = edits.set_changed(job, data, FIELDS, empty="inherited")
    if changes:
        job.version += 1
        job.save(update_fields=[*changes.after, "version"])
        audit.record(by, "changed schedule", job, before=changes.before, after=changes.after)
    return job


@transaction.atomic
def pause(job_id: int, *, paused: bool, by: User) -> ScheduledJob:
    """Pause or resume the daily runs. A run under way is not touched, and *run now* still works."""
    job = _lock_job(job_id)
    if job.paused != paused:
        job.paused = paused
        job.save(update_fields=["paused"])
        audit.record(by, "paused schedule" if paused else "resumed schedule", job)
    return job


def _lock_job(job_id: int) -> ScheduledJob:
    return ScheduledJob.objects.select_for_update(of=("self",)).select_related("profile__alias__parent").get(pk=job_id)
