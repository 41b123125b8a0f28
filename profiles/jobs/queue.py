"""Request job runs, and keep the queue right when messages or workers are lost.

The row is committed first; the doorbell, a Celery message with nothing but the row's id, follows. Whatever happens to
the message, the sweeper calls a worker for the row, and the claim in `execute` makes sure that it starts once.

One run of a profile and process is under way at a time. When what it reads has changed, one more waits behind it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
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

DOORBELL = "profiles.tasks.execute"
RING_AGAIN = timedelta(seconds=60)
TRY_AGAIN = timedelta(seconds=5)  # after a message that the broker did not take
SHORT_TIMEOUTS = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0, "connect_retries_timeout": 1}
MAX_ATTEMPTS = 3
LOST = "The worker fell silent; another one takes the run over."


@dataclass(frozen=True)
class Request:
    """A run to ask for: the process, and the profile or the subject it is about.

    `subject` is for a process of no profile, and means something to its own app only. `logical_date` is the local date
    of a scheduled run, of which there is one. `accept_drop` is a person's word that so many seats may end. A run
    `in_chain` is followed by the next step of the daily refresh; `after` is the run of the step before. `facts`
    are what the process needs to know of the request.
    """

    process: str
    trigger: JobRun.Trigger
    profile: IntegrationProfile | None = None
    subject: int | None = None
    by: User | None = None
    logical_date: date | None = None
    accept_drop: bool = False
    in_chain: bool = False
    after: JobRun | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def as_row(self, state: JobRun.State) -> JobRun:
        """The run, not yet in the database."""
        return JobRun(
            profile=self.profile,
            profile_name=self.profile.display_name if self.profile else "",
            subject=self.subject,
            process=self.process,
            trigger=self.trigger,
            state=state,
            requested_by=self.by,
            logical_date=self.logical_date,
            accept_drop=self.accept_drop,
            in_chain=self.in_chain,
            after=self.after,
            facts=self.facts,
            created_at=timezone.now(),
        )

    def run_under_way(self) -> JobRun | None:
        """The run that this one would have to share its profile and process, or its subject and process, with."""
        runs = JobRun.objects.filter(profile=self.profile, subject=self.subject, process=self.process)
        return runs.under_way().first()


def request(asked: Request, *, behind: bool = False) -> tuple[JobRun | None, bool]:
    """A new run and True, or the run that is already under way (or already ran on that local date) and False.

    A run `behind` waits for the one under way, if there is one; at most one waits.
    """
    run = asked.as_row(JobRun.State.WAITING if behind else JobRun.State.QUEUED)
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        return asked.run_under_way(), False
    if asked.by:
        _record_request(run, asked)
    transaction.on_commit(start_waiting if behind else lambda: ring(run))
    return run, True


def _record_request(run: JobRun, asked: Request) -> None:
    """A step of a chain is requested by the product, because the step before it succeeded, and not by a person."""
    cause = {"triggered_by": str(asked.after)} if asked.after else {}
    actor = None if asked.after else asked.by
    audit.record(actor, "requested run", run, process=run.process, accept_drop=run.accept_drop, **cause)


def request_anew(
    profile: IntegrationProfile, process: str, *, trigger: JobRun.Trigger, by: User | None
) -> tuple[JobRun | None, bool]:
    """As `request`, for a run that reads what the caller's transaction has changed. `None` when the profile is gone.

    A run that has begun may have read the old values, so another one has to wait behind it. One that has not begun is
    enough; we lock it, so that it begins after the caller's commit. Do not lock the running row: its worker may wait
    for rows that this transaction holds (deadlock).
    """
    asked = Request(process, trigger, profile=profile, by=by)
    while IntegrationProfile.objects.filter(pk=profile.pk).exists():
        with transaction.atomic():
            runs = JobRun.objects.filter(profile=profile, process=process).not_begun()
            if run := runs.select_for_update(no_key=True).first():
                return run, False
        run, fresh = request(asked, behind=True)
        if fresh:
            return run, True
    return None, False


def start_waiting() -> int:
    """Queue the runs whose predecessor is over; returns how many."""
    running = JobRun.objects.filter(profile=OuterRef("profile"), process=OuterRef("process")).under_way()
    free = JobRun.objects.filter(~Exists(running), state=JobRun.State.WAITING, profile__isnull=False)
    return sum(_queue_waiting(run) for run in free)


def _queue_waiting(run: JobRun) -> bool:
    try:
        with transaction.atomic():
            moved = JobRun.objects.filter(pk=run.pk, state=JobRun.State.WAITING).update(state=JobRun.State.QUEUED)
    except IntegrityError:  # somebody requested another run at the same moment; that one goes first
        return False
    if moved:
        ring(run)
    return bool(moved)


def ring(run: JobRun) -> None:
    """Call a worker for a run, within about a second. A broker that is down costs a log line and a few seconds."""
    JobRun.objects.filter(pk=run.pk).update(rung_at=Now())
    if not _send_task(DOORBELL, run.pk):
        JobRun.objects.filter(pk=run.pk).update(rung_at=Now() - RING_AGAIN + TRY_AGAIN)


def ring_next(process: str) -> None:
    """Call a worker for the oldest queued run of a process whose runs go one at a time."""
    if waiting := JobRun.objects.filter(process=process, state=JobRun.State.QUEUED).order_by("pk").first():
        ring(waiting)


def announce_end() -> None:
    """Have the next step of a chain requested now; without this message the sweeper does it within seconds."""
    _send_task(settings.JOB_FINISHED_DOORBELL)


def _send_task(task: str, *arguments: int) -> bool:
    try:
        with current_app.connection_for_write() as link:
            link.transport_options = {**link.transport_options, **SHORT_TIMEOUTS}
            current_app.send_task(task, args=arguments, connection=link, retry=False)
    except Exception as error:  # each transport raises errors of its own, and none may reach the page
        log.warning("No message for %s %s (%s); the sweeper will call again.", task, arguments, type(error).__name__)
        return False
    return True


def cancel(run: JobRun, *, by: User) -> bool:
    """Stop a waiting or queued run at once, a running one at its next page. False when it was already over."""
    unclaimed = (JobRun.State.WAITING, JobRun.State.QUEUED)
    stopped = JobRun.objects.filter(pk=run.pk, state__in=unclaimed).update(
        state=JobRun.State.CANCELED, finished_at=Now(), step="", cancel_requested=True
    )
    asked = JobRun.objects.filter(pk=run.pk, state=JobRun.State.RUNNING).update(cancel_requested=True)
    if stopped or asked:
        audit.record(by, "canceled run", run)
    return bool(stopped or asked)


def lease_time() -> timedelta:
    """How long a worker may be silent before another one gets its run."""
    return timedelta(seconds=settings.JOB_STALE_SECONDS)


def sweep() -> dict[str, int]:
    """Take runs from silent workers, queue what waited, call again for what nobody has claimed; how many of each."""
    return {"lost": _recover_lost(), "started": start_waiting(), "rung": _ring_unclaimed()}


def _recover_lost() -> int:
    lost = JobRun.objects.filter(state=JobRun.State.RUNNING, heartbeat_at__lt=Now() - lease_time())
    recovered = 0
    for run in lost:
        again = run.attempts < MAX_ATTEMPTS and not run.is_orphan and not run.cancel_requested
        recovered += _still_silent(run).update(**(_values_to_requeue(run) if again else _values_to_give_up(run)))
    return recovered


def _still_silent(run: JobRun) -> Any:
    """The run's row, unless its worker has shown itself or another worker has taken it meanwhile."""
    return JobRun.objects.filter(
        pk=run.pk, generation=run.generation, state=JobRun.State.RUNNING, heartbeat_at__lt=Now() - lease_time()
    )


def _values_to_requeue(run: JobRun) -> dict[str, Any]:
    return {
        "state": JobRun.State.QUEUED,
        "owner": "",
        "generation": F("generation") + 1,
        "rung_at": None,
        "step": "Waiting for a worker",
        "warnings": [*run.warnings, LOST],
    }


def _values_to_give_up(run: JobRun) -> dict[str, Any]:
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
