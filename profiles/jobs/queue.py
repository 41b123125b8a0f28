"""Asking for job runs, and keeping the queue honest when messages or workers are lost.

The row is committed first; the doorbell, a Celery message with nothing but the row's id, follows. Whatever happens to
the message, the sweeper starts the row, and the claim in `runs` makes sure it starts once.

One run of a profile and process is under way at a time. Where what it reads has changed, one more waits behind it.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
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
    profile: IntegrationProfile | None,
    process: str,
    *,
    trigger: JobRun.Trigger,
    subject: int | None = None,
    by: User | None = None,
    logical_date: date | None = None,
    accept_drop: bool = False,
    in_chain: bool = False,
    after: JobRun | None = None,
    behind: bool = False,
) -> tuple[JobRun | None, bool]:
    """A new run and True, or the run that is already under way (or already ran on that local date) and False.

    `in_chain` runs are followed by the next step of the daily refresh; `after` is the step before. A run `behind` waits
    for the one under way, if any; there is at most one. A process of no profile has a `subject`, the id of what it is
    about; the run under way is then the one of that subject.
    """
    row = JobRun(
        profile=profile,
        profile_name=profile.display_name if profile else "",
        subject=subject,
        process=process,
        trigger=trigger,
        state=JobRun.State.WAITING if behind else JobRun.State.QUEUED,
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
        return JobRun.objects.filter(profile=profile, subject=subject, process=process).under_way().first(), False
    if by:
        # A step of a chain is asked for by us, because the step before it succeeded.
        cause = {"triggered_by": str(after)} if after else {}
        audit.record(None if after else by, "requested run", row, process=process, accept_drop=accept_drop, **cause)
    transaction.on_commit(start_waiting if behind else lambda: ring(row))
    return row, True


def request_anew(
    profile: IntegrationProfile, process: str, *, trigger: JobRun.Trigger, by: User | None
) -> tuple[JobRun | None, bool]:
    """As `request`, for a run that reads what the caller's transaction has changed, whatever is under way.

    A run that has begun may have read what was before, so another one has to wait behind it. One that has not begun is
    enough, and is kept from beginning until the change is committed. A new run never asks for the place of the one at
    work: that one may hold its row, and itself wait for rows of the caller. `None` when the profile is gone.
    """
    while IntegrationProfile.objects.filter(pk=profile.pk).exists():
        with transaction.atomic():
            runs = JobRun.objects.filter(profile=profile, process=process).not_begun()
            if run := runs.select_for_update(no_key=True).first():
                return run, False
        run, fresh = request(profile, process, trigger=trigger, by=by, behind=True)
        if fresh:
            return run, True
    return None, False


def start_waiting() -> int:
    """Queue the runs that waited behind one that is over now; returns how many."""
    ahead = JobRun.objects.filter(profile=OuterRef("profile"), process=OuterRef("process")).under_way()
    free = JobRun.objects.filter(~Exists(ahead), state=JobRun.State.WAITING, profile__isnull=False)
    return sum(_queue(run) for run in free)


def _queue(run: JobRun) -> bool:
    try:
        with transaction.atomic():
            moved = JobRun.objects.filter(pk=run.pk, state=JobRun.State.WAITING).update(state=JobRun.State.QUEUED)
    except IntegrityError:  # somebody asked for another one in this moment; that one goes first
        return False
    if moved:
        ring(run)
    return bool(moved)


def ring(run: JobRun) -> None:
    """Call a worker, within about a second. A broker that is down or silent costs a log line, and a few seconds."""
    JobRun.objects.filter(pk=run.pk).update(rung_at=Now())
    if not _send(settings.JOB_DOORBELLS[run.process], run.pk):
        JobRun.objects.filter(pk=run.pk).update(rung_at=Now() - RING_AGAIN + TRY_AGAIN)


def ring_next(process: str) -> None:
    """Call a worker for the run that waits longest, of a process whose runs go one at a time."""
    if waiting := JobRun.objects.filter(process=process, state=JobRun.State.QUEUED).order_by("pk").first():
        ring(waiting)


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
    """Stop a run that waits at once and a running one at its next page. False when it is already over."""
    unclaimed = (JobRun.State.WAITING, JobRun.State.QUEUED)
    stopped = JobRun.objects.filter(pk=run.pk, state__in=unclaimed).update(
        state=JobRun.State.CANCELED, finished_at=Now(), step="", cancel_requested=True
    )
    asked = JobRun.objects.filter(pk=run.pk, state=JobRun.State.RUNNING).update(cancel_requested=True)
    if stopped or asked:
        audit.record(by, "canceled run", run)
    return bool(stopped or asked)


def stale() -> timedelta:
    """How long a worker may be silent before its run is given to another one."""
    return timedelta(seconds=settings.JOB_STALE_SECONDS)


def sweep() -> dict[str, int]:
    """Take runs from dead workers, queue what waited behind one that is over, ring again for what nobody has claimed.

    Returns how many of each.
    """
    return {"lost": _recover_lost(), "started": start_waiting(), "rung": _ring_unclaimed()}


def _recover_lost() -> int:
    lost = JobRun.objects.filter(state=JobRun.State.RUNNING, heartbeat_at__lt=Now() - stale())
    recovered = 0
    for run in lost:
        again = run.attempts < MAX_ATTEMPTS and not run.is_orphan and not run.cancel_requested
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
        "state": JobRun.State.CANCELED if run.cancel_requested else JobRun.State.FAILED,
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
    waiting = list(JobRun.objects.startable().filter(due, unheard, state=JobRun.State.QUEUED)[:100])
    for run in waiting:
        ring(run)
    return len(waiting)
