"""Asking for job runs, and keeping the queue honest when messages or workers are lost.

The row is committed first; the doorbell, a Celery message with nothing but the row's id, follows. Whatever happens to
the message, the sweeper starts the row, and the claim in `runs` makes sure it starts once.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from samsaas import audit

log = logging.getLogger(__name__)

RING_AGAIN = timedelta(seconds=60)
TRY_AGAIN = timedelta(seconds=5)  # after a bell that surely nobody heard
BRIEFLY = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0, "connect_retries_timeout": 1}
MAX_ATTEMPTS = 3
LOST = "The worker stopped showing itself; the run goes on where it can."


def request(
    profile: IntegrationProfile,
    process: str,
    *,
    trigger: JobRun.Trigger,
    by: User | None = None,
    logical_date: date | None = None,
    accept_drop: bool = False,
    in_chain: bool = False,
    after: JobRun | None = None,
) -> tuple[JobRun | None, bool]:
    """A queued run and True, or the run that is already active (or already ran on that local date) and False.

    `in_chain` runs are followed by the next step of the daily refresh; `after` is the step before.
    """
    row = JobRun(
        profile=profile,
        profile_name=profile.display_name,
        process=process,
        trigger=trigger,
        requested_by=by,
        logical_date=logical_date,
        accept_drop=accept_drop,
        in_chain=in_chain,
        after=after,
        created_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return JobRun.objects.filter(profile=profile, process=process).active().first(), False
    if by:
        # A step of a chain is asked for by us, because the step before it succeeded.
        cause = {"triggered_by": str(after)} if after else {}
        audit.record(None if after else by, "requested run", row, process=process, accept_drop=accept_drop, **cause)
    transaction.on_commit(lambda: ring(row))
    return row, True


def ring(run: JobRun) -> None:
    """Call a worker, within about a second. A broker that is down or silent costs a log line, and a few seconds."""
    JobRun.objects.filter(pk=run.pk).update(rung_at=Now())
    if not _send(settings.JOB_DOORBELLS[run.process], run.pk):
        JobRun.objects.filter(pk=run.pk).update(rung_at=Now() - RING_AGAIN + TRY_AGAIN)


def announce_end(run: JobRun) -> None:
    """Say that a step is over, so that the next one need not wait for the sweeper."""
    _send(settings.JOB_FINISHED_DOORBELL)


def _send(task: str, *arguments: int) -> bool:
    try:
        with current_app.connection_for_write() as link:
            link.transport_options = {**link.transport_options, **BRIEFLY}
            current_app.send_task(task, args=arguments, connection=link, retry=False)
    except Exception as error:  # every transport has its own family of errors, and none may reach the page
        log.warning("No doorbell for %s %s (%s); the sweeper sees to it.", task, arguments, type(error).__name__)
        return False
    return True


def cancel(run: JobRun, *, by: User) -> bool:
    """Stop a queued run at once and a running one at its next page. False when it is already over."""
    stopped = JobRun.objects.filter(pk=run.pk, state=JobRun.State.QUEUED).update(
        state=JobRun.State.CANCELLED, finished_at=Now(), step="", cancel_requested=True
    )
    asked = JobRun.objects.filter(pk=run.pk, state=JobRun.State.RUNNING).update(cancel_requested=True)
    if stopped or asked:
        audit.record(by, "cancelled run", run)
    return bool(stopped or asked)


def stale() -> timedelta:
    """How long a worker may be silent before its run is given to another one."""
    return timedelta(seconds=settings.JOB_STALE_SECONDS)


def sweep() -> dict[str, int]:
    """Take runs from dead workers, and ring again for queued runs nobody has claimed. Returns how many of each."""
    return {"lost": _recover_lost(), "rung": _ring_unclaimed()}


def _recover_lost() -> int:
    lost = JobRun.objects.filter(state=JobRun.State.RUNNING, heartbeat_at__lt=Now() - stale())
    recovered = 0
    for run in lost:
        again = run.attempts < MAX_ATTEMPTS and run.profile_id and not run.cancel_requested
        recovered += _same(run).update(**(_requeued(run) if again else _given_up(run)))
    return recovered


def _same(run: JobRun) -> Any:
    """The row only while it is still the silent one: a heartbeat or a new owner in between wins."""
    return JobRun.objects.filter(
        pk=run.pk, generation=run.generation, state=JobRun.State.RUNNING, heartbeat_at__lt=Now() - stale()
    )


def _requeued(run: JobRun) -> dict[str, Any]:
    return {
        "state": JobRun.State.QUEUED,
        "owner": "",
        "generation": F("generation") + 1,
        "rung_at": None,
        "step": "Waiting for a worker",
        "warnings": [*run.warnings, LOST],
    }


def _given_up(run: JobRun) -> dict[str, Any]:
    return {
        "state": JobRun.State.CANCELLED if run.cancel_requested else JobRun.State.FAILED,
        "owner": "",
        "generation": F("generation") + 1,
        "finished_at": Now(),
        "step": "",
        "error_kind": "WorkerLost",
        "error_message": f"The worker was lost {run.attempts} times. The previous data is unchanged.",
        "error_remedy": "Check the worker's memory limit and log (manage.py doctor), then start the run again.",
    }


def _ring_unclaimed() -> int:
    due = Q(not_before=None) | Q(not_before__lte=Now())
    unheard = Q(rung_at=None) | Q(rung_at__lt=Now() - RING_AGAIN)
    waiting = list(JobRun.objects.filter(due, unheard, state=JobRun.State.QUEUED, profile__isnull=False)[:100])
    for run in waiting:
        ring(run)
    return len(waiting)
