"""Execute a job run: claim its row, keep the lease alive, run the verb of its process, store how it ended.

1. Claim: one conditional update takes a queued row and gives it an owner and a new generation, by database time.
2. Heartbeat: a thread shows that the worker lives; the sweeper takes runs from workers that are silent for too long.
3. Every write of the verb is fenced by owner and generation, so a worker that lost its lease can change nothing.
   A run that the database failed goes back into the queue, at once or after its lease, and goes on at its cursor.
4. The verb's end, or its error with its remedy, is stored on the row and on the profile. The run that waited behind it
   is queued. Runs of a subject go one at a time, so the next one of the process is called.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import (
    Error as DatabaseError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F, Max, Q
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from profiles.connection import refresh_token
from profiles.connectors import base
from profiles.jobs import queue
from profiles.jobs.job import Canceled, Held, Job, LeaseLost, MakeWay, Verb
from profiles.jobs.process import find_process, refreshing_keys
from profiles.models import IntegrationProfile, JobRun
from samsaas.lib.log_context import note_run

log = logging.getLogger(__name__)

SHOW_EVERY_SECONDS = 2.0
_at_work: set[str] = set()


def claim(run_id: int) -> Job | None:
    """Take a queued run that may start now. `None` when it is taken, over, not due, not yet its turn or gone."""
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
    except IntegrityError:  # another run of the process is at work; when it ends, it calls this one
        return None
    if not taken:
        return None
    # The run may have been canceled since the update, for example because its profile was deleted.
    claimed = JobRun.objects.select_related("profile__alias__parent").filter(pk=run_id, owner=owner).first()
    return Job(claimed) if claimed else None


@contextmanager
def keep_alive(job: Job) -> Iterator[None]:
    """Show from a thread of its own, again and again, that this worker lives, whatever the verb waits for."""
    over = threading.Event()

    def beat() -> None:
        shown, last = job.items_to_show, time.monotonic()
        try:
            while not over.wait(min(SHOW_EVERY_SECONDS, settings.JOB_STALE_SECONDS / 4)):
                if job.items_to_show == shown and time.monotonic() < last + settings.JOB_STALE_SECONDS / 4:
                    continue
                shown, last = job.items_to_show, time.monotonic()
                # This beat may be late and follow the verb's last write, so it must not lower the number.
                done = {} if shown is None else {"items": Greatest(F("items"), shown)}
                try:
                    job.leased_row().update(heartbeat_at=Now(), **done)
                except DatabaseError:
                    log.warning("Run %s: heartbeat could not be written, trying again.", job.run.pk)
                    connection.close()  # the next beat opens a new one
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.run.pk}", daemon=True)
    thread.start()
    _at_work.add(job.run.owner)
    try:
        yield
    finally:
        _at_work.discard(job.run.owner)
        over.set()
        thread.join(timeout=settings.JOB_STALE_SECONDS)


def owners_at_work() -> list[str]:
    """The owners of the runs that this process executes now."""
    return list(_at_work)


def run(run_id: int, verb: Verb | None = None, *, clock: Callable[[], datetime] = timezone.now) -> None:
    """Execute a queued run by the verb of its process, or by another one. Nothing happens to a run that is not free."""
    if verb is None and (verb := find_verb(run_id)) is None:
        return
    job = claim(run_id)
    if job is None:
        return
    with note_run(run_id), keep_alive(job):
        _call_verb(job, verb, clock())
    queue.start_waiting()
    if job.run.subject is not None:
        queue.ring_next(job.run.process)


def find_verb(run_id: int) -> Verb | None:
    """What executes a run. `None` leaves it in the queue, for a worker of a version that knows its process."""
    key = JobRun.objects.filter(pk=run_id).values_list("process", flat=True).first()
    verb = find_process(key).verb if key else None
    if key and verb is None:
        log.warning("Run %s stays in the queue: this worker does not know the process %s.", run_id, key)
    return verb


def _call_verb(job: Job, verb: Verb, now: datetime) -> None:
    try:
        verb(job, now=now)
    except LeaseLost as lost:
        log.warning("%s", lost)
    except Canceled:
        job.finish(JobRun.State.CANCELED)
    except Held as held:
        if job.finish(JobRun.State.HELD, error_kind="Held", error_message=str(held)):
            _update_attention(job.run)
    except MakeWay as others:
        job.requeue_behind(others)
    except base.Throttled as throttled:
        job.requeue_throttled(throttled.retry_after)
    except (base.TryLater, base.UnreadableAnswer) as outage:
        if not job.requeue_after_outage(outage):
            _fail(job, job.final_error(outage))
    except base.ConnectorError as error:
        _fail(job, error)
    except (OperationalError, InterfaceError, InternalError) as error:
        _requeue_after_database_failure(job, error)
    except Exception:
        log.exception("Run %s failed unexpectedly.", job.run.pk)
        _fail(job, base.ConnectorError(UNEXPECTED, remedy=UNEXPECTED_REMEDY), kind="Unexpected")
    else:
        if job.finish(JobRun.State.SUCCEEDED):
            _update_attention(job.run)
            if job.run.in_chain:
                queue.announce_end()


def _requeue_after_database_failure(job: Job, error: DatabaseError) -> None:
    """The database was restarted, fails over, takes no writes, is locked or full. The attempt counts, so it ends."""
    log.warning("Run %s: the database failed.", job.run.pk, exc_info=error)
    connection.close()
    try:
        if job.run.attempts < queue.MAX_ATTEMPTS:
            job.requeue(DATABASE_PAUSE, "Waiting for the database", attempts=F("attempts"))
        else:
            _fail(job, base.ConnectorError(DATABASE_FAILED, remedy=DATABASE_REMEDY), kind="DatabaseFailed")
    except DatabaseError:
        log.warning("Run %s waits for the sweep: the database does not take its end either.", job.run.pk)
        connection.close()


DATABASE_PAUSE = timedelta(seconds=5)
DATABASE_FAILED = f"The database failed {queue.MAX_ATTEMPTS} times during this run. The previous data is unchanged."
DATABASE_REMEDY = "Check the database (manage.py doctor), then start the run again."
UNEXPECTED = "The application met an error of its own. The previous data is unchanged."
UNEXPECTED_REMEDY = "Look for this run's number in the worker's log and report the error; the next run tries again."


def _fail(job: Job, error: base.ConnectorError, kind: str = "") -> None:
    failure = error.failure
    ended = job.finish(
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
    if ended:  # otherwise the lease was lost, or the profile was deleted
        _update_attention(job.run)


ATTENTION = {
    JobRun.State.FAILED: IntegrationProfile.Attention.REFRESH_FAILED,
    JobRun.State.HELD: IntegrationProfile.Attention.REFRESH_HELD,
}


def _update_attention(run: JobRun) -> None:
    """Store on the profile how the last run of each refreshing process ended. A refused grant outranks it."""
    if run.profile_id is None:
        return
    refreshing = refreshing_keys()
    ended = JobRun.objects.filter(
        profile=run.profile_id, process__in=refreshing, state__in=(JobRun.State.SUCCEEDED, *ATTENTION)
    )
    last = ended.order_by().values("process").annotate(last=Max("pk")).values("last")
    states = set(JobRun.objects.filter(pk__in=last).values_list("state", flat=True))
    attention = next((word for state, word in ATTENTION.items() if state in states), IntegrationProfile.Attention.NONE)
    profiles = IntegrationProfile.objects.filter(runs=run.pk)
    profiles.exclude(attention__in=refresh_token.OUTRANKING).update(attention=attention)
