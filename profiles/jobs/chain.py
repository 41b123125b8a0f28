"""What follows a run, for the pages that watch it. The daily order itself is the project's, which the settings name."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from profiles.models import JobRun

SOON = timedelta(minutes=2)  # where no beat has gone on with a chain by then, nobody should wait for it


def to_come(run: JobRun, *, now: datetime) -> str:
    """The name of the step that is about to be asked for; empty where the chain is over, was stopped or hangs."""
    fresh = run.finished_at is not None and now - run.finished_at < SOON
    if not (fresh and run.in_chain and run.state == JobRun.State.SUCCEEDED) or hasattr(run, "followed_by"):
        return ""
    following = import_string(settings.JOB_NEXT_STEP)(run)
    return str(JobRun.Process(following).label) if following else ""


def ahead(run: JobRun) -> JobRun | None:
    """The run under way that this one waits for."""
    if run.state != JobRun.State.WAITING:
        return None
    return JobRun.objects.filter(profile=run.profile_id, process=run.process).under_way().first()


def behind(run: JobRun) -> JobRun | None:
    """The run that waits for this one."""
    if not run.is_active or run.state == JobRun.State.WAITING:
        return None
    return JobRun.objects.filter(profile=run.profile_id, process=run.process, state=JobRun.State.WAITING).first()
