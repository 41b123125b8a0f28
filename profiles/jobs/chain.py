"""What comes before and after a run, for its page. A setting names the function that knows the daily order."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from profiles.jobs.process import label_of
from profiles.models import JobRun

NEXT_STEP_TIMEOUT = timedelta(minutes=2)  # after this we stop promising a next step; the beat is probably down


def next_step_label(run: JobRun, *, now: datetime) -> str:
    """The name of the step that is about to be requested; empty where the chain is over, was stopped or hangs."""
    fresh = run.finished_at is not None and now - run.finished_at < NEXT_STEP_TIMEOUT
    if not (fresh and run.in_chain and run.state == JobRun.State.SUCCEEDED) or hasattr(run, "followed_by"):
        return ""
    following = import_string(settings.JOB_NEXT_STEP)(run)
    return label_of(following) if following else ""


def run_ahead(run: JobRun) -> JobRun | None:
    """The run that this one waits for."""
    if run.state != JobRun.State.WAITING:
        return None
    return JobRun.objects.filter(profile=run.profile_id, process=run.process).under_way().first()


def run_behind(run: JobRun) -> JobRun | None:
    """The run that waits for this one."""
    if not run.is_active or run.state == JobRun.State.WAITING:
        return None
    return JobRun.objects.filter(profile=run.profile_id, process=run.process, state=JobRun.State.WAITING).first()
