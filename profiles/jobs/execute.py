"""Executing a job run: claim the row, keep its lease alive, run the verb, store how it ended.

1. Claim: one conditional update takes a queued row and gives it an owner and a new generation, by database time.
2. Heartbeat: a thread shows that the worker lives; the sweeper takes over rows that are silent for too long.
3. Every write of the verb is fenced by owner and generation, so a zombie can change nothing.
4. The verb's end, or its error by remedy, is stored on the row and on the profile; what waited behind it is queued. Of
   a process of no profile, whose runs go one at a time, the next one is called.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from profiles.connection import credentials
from profiles.connectors import base
from profiles.jobs import queue
from profiles.jobs.job import (
    OUTAGE_PAUSES as OUTAGE_PAUSES,
    REFRESHING as REFRESHING,
    Canceled as Canceled,
    Held as Held,
    Job as Job,
    LeaseLost as LeaseLost,
    Verb as Verb,
)
from profiles.models import IntegrationProfile, JobRun
from profiles.models.run import OF_NO_PROFILE

log = logging.getLogger(__name__)

TELL_EVERY_SECONDS = 2.0


def claim(run_id: int) -> Job | None:
    """Take a queued row that may start now. `None` when it is taken, over, not due, not yet its turn or gone."""
    owner = str(uuid.uuid4())
    due = Q(not_before=None) | Q(not_before__lte=Now())
    waiting = JobRun.objects.startable().filter(due, pk=run_id, state=JobRun.State.QUEUED)
    try:
        with transaction.atomic():
            taken = waiting.update(
                state=JobRun.State.RUNNING,
                owner=owner,
                generation=F("generation") + 1,
                attempts=F("attempts") + 1,
                heartbeat_at=Now(),
                started_at=Now(),
                not_before=None,
            )
    except IntegrityError:  # another run of its process is at work, whose end calls this one
        return None
    if not taken:
        return None
    # Canceled in this very moment, as by the deletion of its profile, it is nobody's any more.
    mine = JobRun.objects.select_related("profile__alias__parent").filter(pk=run_id, owner=owner).first()
    return Job(mine) if mine else None


@contextmanager
def heartbeat(job: Job) -> Iterator[None]:
    """Show again and again that this worker lives, from a thread of its own, while the verb waits for pages."""
    over = threading.Event()

    def beat() -> None:
        shown, last = job.told, time.monotonic()
        try:
            while not over.wait(min(TELL_EVERY_SECONDS, settings.JOB_STALE_SECONDS / 4)):
                if job.told == shown and time.monotonic() < last + settings.JOB_STALE_SECONDS / 4:
                    continue
                shown, last = job.told, time.monotonic()
                # A late beat may follow the verb's last word: it never takes a number back.
                done = {} if shown is None else {"items": Greatest(F("items"), shown)}
                try:
                    job._mine().update(heartbeat_at=Now(), **done)
                except DatabaseError:
                    log.warning("Run %s: heartbeat could not be written, trying again.", job.run.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.run.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=settings.JOB_STALE_SECONDS)


def execute(run_id: int, verb: Verb, *, clock: Callable[[], datetime] = timezone.now) -> None:
    """Run `verb` under the lease of a queued run; a no-op for a run that cannot be claimed."""
    job = claim(run_id)
    if job is None:
        return
    with heartbeat(job):
        try:
            verb(job, now=clock())
        except LeaseLost as lost:
            log.warning("%s", lost)
        except Canceled:
            job.finish(JobRun.State.CANCELED)
        except Held as held:
            if job.finish(JobRun.State.HELD, error_kind="Held", error_message=str(held)):
                _attend(job.run)
        except base.Throttled as throttled:
            job.throttled(throttled.retry_after)
        except base.TryLater as outage:
            if not job.stay_away(outage):
                _fail(job, outage)
        except base.ConnectorError as error:
            _fail(job, error)
        except Exception:
            log.exception("Run %s failed unexpectedly.", run_id)
            _fail(job, base.ConnectorError(UNEXPECTED, remedy=UNEXPECTED_REMEDY), kind="Unexpected")
        else:
            if job.finish(JobRun.State.SUCCEEDED):
                _attend(job.run)
                if job.run.in_chain:
                    queue.announce_end(job.run)
    queue.start_waiting()
    if job.run.process in OF_NO_PROFILE:
        queue.ring_next(job.run.process)


UNEXPECTED = "The application met an error of its own. The previous data is unchanged."
UNEXPECTED_REMEDY = "Look for this run's number in the worker's log and report the error; the next run tries again."


def _fail(job: Job, error: base.ConnectorError, kind: str = "") -> None:
    failure = error.failure
    ours = job.finish(
        JobRun.State.FAILED,
        error_kind=kind or type(error).__name__,
        error_scope=error.scope[:120] if isinstance(error, base.MissingScope) else "",
        error_message=str(error),
        error_remedy=error.remedy,
        error_endpoint=failure.endpoint[:120],
        error_status=failure.status,
        error_body=failure.body[:2000],
        error_request_id=failure.request_id[:120],
    )
    if not ours:
        return  # its profile was deleted, perhaps, which took the credential along
    if isinstance(error, base.Reconnect) and job.run.profile:
        credentials.mark_needs_authorization(job.run.profile, base.SUBSCRIPTIONS, reason=str(error))
    else:
        _attend(job.run)


ATTENTION = {
    JobRun.State.FAILED: IntegrationProfile.Attention.REFRESH_FAILED,
    JobRun.State.HELD: IntegrationProfile.Attention.REFRESH_HELD,
}


def _attend(run: JobRun) -> None:
    """What the profile's page says first, from the last end of each step; a missing grant outranks a failed refresh."""
    if run.profile_id is None:
        return
    ended = JobRun.objects.filter(
        profile=run.profile_id, process__in=REFRESHING, state__in=(JobRun.State.SUCCEEDED, *ATTENTION)
    )
    last = ended.order_by().values("process").annotate(last=Max("pk")).values("last")
    states = set(JobRun.objects.filter(pk__in=last).values_list("state", flat=True))
    attention = next((word for state, word in ATTENTION.items() if state in states), IntegrationProfile.Attention.NONE)
    profiles = IntegrationProfile.objects.filter(runs=run.pk)
    profiles.exclude(attention=IntegrationProfile.Attention.NEEDS_AUTHORIZATION).update(attention=attention)
