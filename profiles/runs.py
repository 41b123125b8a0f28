"""Executing a job run: claim the row, keep its lease alive, run the verb, store how it ended.

1. Claim: one conditional update takes a queued row and gives it an owner and a new generation, by database time.
2. Heartbeat: a thread shows that the worker lives; the sweeper takes over rows that are silent for too long.
3. Every write of the verb is fenced by owner and generation, so a zombie can change nothing.
4. The verb's end, or its error by remedy, is stored on the row and on the profile.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import Error as DatabaseError, connection
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from profiles import connections, queue
from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun

log = logging.getLogger(__name__)

WAIT_SLICE_SECONDS = 2.0


class LeaseLost(Exception):
    """Another worker owns the run, or its profile is gone: stop without writing anything more."""


class Cancelled(Exception):
    """A person asked the run to stop."""


class Held(Exception):
    """The safe part is stored; the rest waits for a person. The text says why and what to do."""


class Verb(Protocol):
    def __call__(self, job: Job, *, now: datetime) -> None: ...


class Job:
    """A claimed run, handed to a verb: its row, its progress, its connector and its lease."""

    def __init__(self, run: JobRun) -> None:
        self.run = run

    def _mine(self) -> Any:
        return JobRun.objects.filter(
            pk=self.run.pk, owner=self.run.owner, generation=self.run.generation, state=JobRun.State.RUNNING
        )

    def _write(self, **changes: Any) -> None:
        if not self._mine().filter(cancel_requested=False).update(heartbeat_at=Now(), **changes):
            if self._mine().exists():
                raise Cancelled
            raise LeaseLost(f"Run {self.run.pk} is no longer ours.")

    def fence(self) -> None:
        """Raises `LeaseLost` or `Cancelled` unless the run is still ours; call it last inside a transaction."""
        self._write()

    def progress(self, *, expected: int | None = None, **changes: Any) -> None:
        """Store progress (cursor, pages, items, step, retries, throttled_seconds, counters; `expected` members).

        Raises `LeaseLost` or `Cancelled`; inside a transaction that undoes the work it belongs to.
        """
        changes = {key: value for key, value in changes.items() if value is not None}
        if expected is not None:
            changes["expected_items"] = expected
        if "cursor" in changes:
            self._write(cursor_at=Now(), **changes)
        else:
            self._write(**changes)
        for key, value in changes.items():
            setattr(self.run, key, value)

    def warn(self, text: str) -> None:
        """Add a sentence to the run's warnings; they are shown on its page."""
        self.run.warnings = [*self.run.warnings, text[:500]]
        self._write(warnings=self.run.warnings)

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep for the vendor's sake in slices, so that a cancelled run stops waiting."""
        until = time.monotonic() + seconds
        self.progress(step=f"{reason} ({seconds:.0f} s)"[:120])
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, WAIT_SLICE_SECONDS))
            self.fence()

    def connector(self, purpose: str = base.SUBSCRIPTIONS) -> base.Connector:
        """The profile's connector, waiting with this run's lease. Raises `Reconnect` without a usable token."""
        if self.run.profile is None:
            raise LeaseLost("The profile is gone.")
        return connections.open_connector(self.run.profile, purpose, wait=self.wait)

    def finish(self, state: JobRun.State, **changes: Any) -> None:
        """The last write of this run. A lost lease is not an error here: somebody else will finish it."""
        self._mine().update(state=state, finished_at=Now(), heartbeat_at=Now(), owner="", step="", **changes)

    def requeue(self, seconds: float) -> None:
        """Back into the queue with the cursor kept, not to be claimed before the vendor's waiting time is over."""
        self._mine().update(
            state=JobRun.State.QUEUED,
            owner="",
            step="Waiting for the vendor's rate limit",
            not_before=Now() + timedelta(seconds=seconds),
            rung_at=None,
            attempts=F("attempts") - 1,
            throttled_seconds=F("throttled_seconds") + seconds,
        )


def claim(run_id: int) -> Job | None:
    """Take a queued row that may start now. `None` when it is taken, over, not due or gone."""
    owner = str(uuid.uuid4())
    due = Q(not_before=None) | Q(not_before__lte=Now())
    taken = JobRun.objects.filter(due, pk=run_id, state=JobRun.State.QUEUED, profile__isnull=False).update(
        state=JobRun.State.RUNNING,
        owner=owner,
        generation=F("generation") + 1,
        attempts=F("attempts") + 1,
        heartbeat_at=Now(),
        started_at=Now(),
        not_before=None,
    )
    if not taken:
        return None
    # Cancelled in this very moment, as by the deletion of its profile, it is nobody's any more.
    mine = JobRun.objects.select_related("profile__alias__parent").filter(pk=run_id, owner=owner).first()
    return Job(mine) if mine else None


@contextmanager
def heartbeat(job: Job) -> Iterator[None]:
    """Show again and again that this worker lives, from a thread of its own, while the verb waits for pages."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(settings.JOB_STALE_SECONDS / 4):
                try:
                    job._mine().update(heartbeat_at=Now())
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
        except Cancelled:
            job.finish(JobRun.State.CANCELLED)
        except Held as held:
            job.finish(JobRun.State.HELD, error_kind="Held", error_message=str(held))
            _attend(job.run)
        except base.Throttled as throttled:
            job.requeue(throttled.retry_after)
        except base.ConnectorError as error:
            _fail(job, error)
        except Exception:
            log.exception("Run %s failed unexpectedly.", run_id)
            _fail(job, base.ConnectorError(UNEXPECTED, remedy=UNEXPECTED_REMEDY), kind="Unexpected")
        else:
            job.finish(JobRun.State.SUCCEEDED)
            _attend(job.run)
            if job.run.in_chain:
                queue.announce_end(job.run)


UNEXPECTED = "The application met an error of its own. The previous data is unchanged."
UNEXPECTED_REMEDY = "Look for this run's number in the worker's log and report the error; the next run tries again."


def _fail(job: Job, error: base.ConnectorError, kind: str = "") -> None:
    failure = error.failure
    job.finish(
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
    if isinstance(error, base.Reconnect) and job.run.profile:
        connections.mark_needs_authorisation(job.run.profile, base.SUBSCRIPTIONS, reason=str(error))
    else:
        _attend(job.run)


REFRESHING = (base.DOWNLOAD, base.MATCH, base.ACTIVITY)
ATTENTION = {
    JobRun.State.FAILED: IntegrationProfile.Attention.REFRESH_FAILED,
    JobRun.State.HELD: IntegrationProfile.Attention.REFRESH_HELD,
}


def _attend(run: JobRun) -> None:
    """What the profile's page says first, from the last end of each step; a missing grant outranks a failed refresh."""
    ended = JobRun.objects.filter(
        profile=run.profile_id, process__in=REFRESHING, state__in=(JobRun.State.SUCCEEDED, *ATTENTION)
    )
    last = ended.order_by().values("process").annotate(last=Max("pk")).values("last")
    states = set(JobRun.objects.filter(pk__in=last).values_list("state", flat=True))
    attention = next((word for state, word in ATTENTION.items() if state in states), IntegrationProfile.Attention.NONE)
    profiles = IntegrationProfile.objects.filter(runs=run.pk)
    profiles.exclude(attention=IntegrationProfile.Attention.NEEDS_AUTHORISATION).update(attention=attention)
