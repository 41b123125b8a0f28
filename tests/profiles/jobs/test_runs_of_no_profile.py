"""Runs of a process that belongs to no profile: one per subject, one at a time, and nothing of the others lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from profiles.jobs import execute, queue
from profiles.jobs.job import Canceled, Job, LeaseLost
from profiles.models import JobRun
from samsaas import diagnosis
from subscriptions.models import Person
from subscriptions.people.imports.steps import IMPORT
from tests import factories, pages
from tests.faults.crowd import until

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs a worker was called for, in order."""
    calls: list[int] = []
    monkeypatch.setattr("profiles.jobs.queue._send_task", lambda task, *arguments: not calls.append(arguments[0]))  # type: ignore[func-returns-value]
    return calls


def ask(subject: int) -> JobRun:
    run, fresh = queue.request(queue.Request(IMPORT, JobRun.Trigger.MANUAL, subject=subject))
    assert run and fresh
    return run


def state(run: JobRun) -> str:
    run.refresh_from_db()
    return run.state


def nothing(job: Job, *, now: Any) -> None:
    """A verb that has nothing to do."""


def test_a_second_request_for_the_same_subject_finds_the_active_run() -> None:
    run = ask(1)
    assert queue.request(queue.Request(IMPORT, JobRun.Trigger.MANUAL, subject=1)) == (run, False)
    assert ask(2) != run
    execute.run(run.pk, nothing)
    assert state(run) == "succeeded" and ask(1) != run


def test_one_runs_at_a_time_and_its_end_calls_the_one_that_waits_longest(rung: list[int]) -> None:
    first, second, third = (ask(number) for number in (1, 2, 3))

    def verb(job: Job, *, now: Any) -> None:
        assert execute.claim(third.pk) is None and state(third) == "queued"

    execute.run(first.pk, verb)
    assert state(first) == "succeeded" and rung == [second.pk]
    execute.run(second.pk, nothing)
    execute.run(third.pk, nothing)
    assert (state(second), state(third), rung) == ("succeeded", "succeeded", [second.pk, third.pk])


def test_a_lost_worker_gives_way_to_the_others_and_is_replaced(rung: list[int]) -> None:
    lost, other = ask(1), ask(2)
    execute.claim(lost.pk)
    assert execute.claim(other.pk) is None
    JobRun.objects.filter(pk=lost.pk).update(heartbeat_at=Now() - timedelta(seconds=61))
    assert queue.sweep() == {"lost": 1, "started": 0, "rung": 2} and sorted(rung) == [lost.pk, other.pk]
    execute.run(other.pk, nothing)
    execute.run(lost.pk, nothing)
    assert (state(lost), state(other), lost.attempts) == ("succeeded", "succeeded", 2)


def test_a_run_whose_profile_is_gone_is_still_nobodys(rung: list[int]) -> None:
    orphan = factories.run(state="queued", created_at=timezone.now() - timedelta(hours=1))
    JobRun.objects.update(profile=None)
    assert execute.claim(orphan.pk) is None and queue.sweep()["rung"] == 0 == len(rung)
    assert not [one for one in diagnosis.run() if one.check == "job runs" and one.message.startswith("1 due")]
    JobRun.objects.update(process=IMPORT, subject=1)
    assert queue.sweep()["rung"] == 1 and execute.claim(orphan.pk)


def test_its_result_is_listed_shown_and_canceled_like_any_other(integrator: Any) -> None:
    run = ask(77)
    row = pages.rows(integrator.get(f"/runs/?process={IMPORT}").content.decode(), "Number")[f"#{run.pk}"]
    assert row[0].startswith("Import people") and "–" in row
    said = pages.text_of(integrator.get(run.get_absolute_url()).content.decode())
    assert f"Import people #{run.pk}" in said and "since deleted" not in said and "Run again" not in said
    assert integrator.get("/").status_code == 200 == integrator.get(f"/runs/{run.pk}/progress/?brief").status_code
    integrator.post(f"/runs/{run.pk}/cancel/")
    assert state(run) == "canceled" and execute.claim(run.pk) is None
    said = integrator.post(f"/runs/{run.pk}/again/", follow=True).content.decode()
    assert "from its own page" in said and JobRun.objects.count() == 1


def test_only_who_may_open_the_file_is_led_to_it(integrator: Any, signed_in: Any) -> None:
    run, link = ask(77), "/people/imports/77/"
    assert link in signed_in("sam_admin").get(run.get_absolute_url()).content.decode()
    assert link not in integrator.get(run.get_absolute_url()).content.decode()


def test_an_end_inside_a_transaction_is_there_with_the_work_or_not_at_all() -> None:
    run = ask(1)

    def verb(job: Job, *, now: Any) -> None:
        with transaction.atomic():
            factories.person(key="1")
            JobRun.objects.filter(pk=run.pk).update(cancel_requested=True)
            job.close(JobRun.State.SUCCEEDED, counters={"added": 1})

    execute.run(run.pk, verb)
    assert state(run) == "canceled" and run.counters == {}
    assert not Person.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_an_open_transaction_has_done_is_shown_by_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite nobody else writes meanwhile, so it is shown when the transaction is over."""
    monkeypatch.setattr("profiles.jobs.execute.SHOW_EVERY_SECONDS", 0.02)
    run = ask(1)

    def shown() -> int:
        return JobRun.objects.get(pk=run.pk).items

    def verb(job: Job, *, now: Any) -> None:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                job.show_progress(5)
                until(lambda: shown() == 5, 10)
        job.show_progress(7)
        until(lambda: shown() == 7, 10)
        job.progress(items=9)
        job.show_progress(8)
        until(lambda: JobRun.objects.filter(pk=run.pk, heartbeat_at__gt=job.run.heartbeat_at).exists(), 10)

    execute.run(run.pk, verb)
    assert (state(run), run.items) == ("succeeded", 9), "a late beat takes nothing back"


def test_a_long_transaction_learns_that_it_was_canceled_or_given_up() -> None:
    run = ask(1)
    job = execute.claim(run.pk)
    assert job
    JobRun.objects.update(cancel_requested=True)
    with pytest.raises(Canceled):
        job.show_progress(1)
    JobRun.objects.update(generation=9)
    with pytest.raises(LeaseLost):
        job.show_progress(2)
