"""The database fails while a run is at work: it is put back and goes on, and does not try forever."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, InterfaceError, InternalError, OperationalError, connection
from django.db.models.functions import Now

from profiles.jobs import execute, queue
from profiles.models import JobRun
from tests import factories
from tests.faults.crowd import until

pytestmark = pytest.mark.django_db(transaction=True)
FAILURES = [
    OperationalError("terminating connection due to administrator command"),
    OperationalError("database is locked"),
    InterfaceError("the connection is closed"),
    InternalError("cannot execute UPDATE in a read-only transaction"),
]


def failing(error: Error, *, pages: int = 3) -> Any:
    def verb(job: Any, *, now: Any) -> None:
        job.progress(cursor="page 3", pages=pages)
        raise error

    return verb


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_a_run_that_the_database_failed_waits_a_moment_and_goes_on_at_its_cursor(error: Error) -> None:
    run = factories.run(state=JobRun.State.QUEUED)
    execute.run(run.pk, failing(error))
    run.refresh_from_db()
    assert (run.state, run.cursor, run.step) == (JobRun.State.QUEUED, "page 3", "Waiting for the database")
    assert run.not_before and not run.error_kind
    JobRun.objects.filter(pk=run.pk).update(not_before=Now() - timedelta(seconds=1))
    seen = []
    execute.run(run.pk, lambda job, *, now: seen.append(job.run.cursor))
    run.refresh_from_db()
    assert seen == ["page 3"] and run.state == JobRun.State.SUCCEEDED


def test_a_database_that_fails_every_time_fails_the_run_and_says_so() -> None:
    run = factories.run(state=JobRun.State.QUEUED)
    for _ in range(queue.MAX_ATTEMPTS):
        JobRun.objects.filter(pk=run.pk).update(not_before=None)
        execute.run(run.pk, failing(OperationalError("disk full")))
    run.refresh_from_db()
    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "DatabaseFailed")
    assert "failed 3 times" in run.error_message and "doctor" in run.error_remedy


def test_a_database_that_takes_no_end_either_leaves_the_run_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    run = factories.run(state=JobRun.State.QUEUED)

    def refuse(*given: Any, **changes: Any) -> None:
        raise OperationalError("the database system is starting up")

    with monkeypatch.context() as patch:
        patch.setattr("profiles.jobs.job.Job.requeue", refuse)
        execute.run(run.pk, failing(OperationalError("server closed the connection")))
    JobRun.objects.filter(pk=run.pk).update(heartbeat_at=Now() - 2 * queue.lease_time())
    assert queue.sweep()["lost"] == 1
    run.refresh_from_db()
    assert run.state == JobRun.State.QUEUED and run.cursor == "page 3"


def test_a_canceled_run_is_not_put_back() -> None:
    run = factories.run(state=JobRun.State.QUEUED)

    def verb(job: Any, *, now: Any) -> None:
        JobRun.objects.filter(pk=run.pk).update(cancel_requested=True)
        raise OperationalError("server closed the connection")

    execute.run(run.pk, verb)
    run.refresh_from_db()
    assert run.state == JobRun.State.CANCELED


@pytest.mark.parametrize("error", FAILURES, ids=str)
def test_the_heartbeat_goes_on_with_a_new_connection(
    error: Error, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The thread has a connection of its own, which nobody else would ever replace."""
    settings.JOB_STALE_SECONDS = 1
    run = factories.run(state=JobRun.State.QUEUED)
    job = execute.claim(run.pk)
    assert job
    used: list[int] = []
    real = job.leased_row

    def fail_once() -> Any:
        if threading.current_thread() is not threading.main_thread():
            connection.ensure_connection()
            used.append(id(connection.connection))
            if len(used) == 1:
                raise error
        return real()

    monkeypatch.setattr(job, "leased_row", fail_once)
    with execute.keep_alive(job):
        before = JobRun.objects.get(pk=run.pk).heartbeat_at
        until(lambda: JobRun.objects.filter(pk=run.pk, heartbeat_at__gt=before).exists(), 15)
    assert execute.owners_at_work() == []
