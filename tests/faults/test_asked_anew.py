"""What a run reads changes in the very moment it begins, works or ends: the change is read, and by one run more."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from profiles.jobs import execute, queue
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile, JobRun
from samsaas import schedule
from subscriptions.matching import edit_rules
from subscriptions.models import ResolutionRule
from subscriptions.rematch import MATCH
from tests import factories, worlds
from tests.faults.crowd import at_once, together

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROUNDS = 20


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


class Reader:
    """A profile, the name that its runs read, and what each of them saw."""

    def __init__(self, by: User) -> None:
        self.profile, self.by = factories.profile(refreshed_at=timezone.now()), by
        self.seen: list[str] = []

    def read(self, job: Job, *, now: Any) -> None:
        """A verb that reads first and is slow to end."""
        self.seen.append(IntegrationProfile.objects.values_list("team_name", flat=True).get(pk=self.profile.pk))
        job.progress(items=1)

    def work(self) -> None:
        """A worker's turn."""
        for pk in JobRun.objects.filter(state=JobRun.State.QUEUED).values_list("pk", flat=True):
            execute.run(pk, self.read)

    def write(self, name: str) -> None:
        """A change and its request in one transaction, as the pages make them."""
        with transaction.atomic():
            IntegrationProfile.objects.filter(pk=self.profile.pk).update(team_name=name)
            self.ask()

    def ask(self) -> tuple[JobRun | None, bool]:
        return queue.request_anew(self.profile, MATCH, trigger=JobRun.Trigger.MANUAL, by=self.by)

    def begin(self) -> Job:
        run, _ = queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=self.profile))
        assert run
        job = execute.claim(run.pk)
        assert job
        return job

    def drain(self) -> int:
        """Beats and turns until nothing is left; how many runs there were."""
        before = len(self.seen)
        while JobRun.objects.active().exists():
            schedule.sweep()
            self.work()
        return len(self.seen) - before


@pytest.fixture
def reader(account: Any) -> Reader:
    return Reader(account("sam_integrator"))


def test_a_change_is_never_lost_between_the_beginning_and_the_end_of_a_run(reader: Reader, measured: Any) -> None:
    """A queued run is claimed, runs and ends while somebody writes; another beat sweeps."""
    lost = 0
    for number in range(ROUNDS):
        queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=reader.profile))
        name = f"Team {number}"
        answers = together(reader.work, lambda name=name: reader.write(name), schedule.sweep)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
        reader.drain()
        lost += reader.seen[-1] != name
    measured("F34", f"a change in the moment a run begins and ends, {ROUNDS} times", "changes nobody read", lost)


def test_one_run_follows_however_many_changes_and_beats_meet_its_end(reader: Reader, measured: Any) -> None:
    most = 0
    for number in range(ROUNDS // 4):
        job = reader.begin()
        reader.write(f"Team {number}")
        changes = [reader.ask] * 3
        ended = together(lambda job=job: job.finish(JobRun.State.SUCCEEDED), *changes, *[queue.start_waiting] * 3)
        assert [answer for answer in ended if isinstance(answer, Exception)] == []
        most = max(most, reader.drain())
        assert reader.seen[-1] == f"Team {number}"
    measured("F34", "3 changes more and 3 beats at the end of a run", "runs that follow", most, must="= 1")


def test_eight_beats_start_what_waits_once(reader: Reader, measured: Any) -> None:
    job = reader.begin()
    reader.ask()
    job.finish(JobRun.State.SUCCEEDED)
    started = at_once(8, queue.start_waiting)
    measured("F34", "8 beats find a run whose turn has come", "times it is queued", sum(started), must="= 1")


def test_a_queued_run_does_not_begin_before_the_change_it_has_to_read_is_committed(reader: Reader) -> None:
    queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=reader.profile))

    def work() -> None:
        reader.work()
        connection.close()

    worker = threading.Thread(target=work)
    with transaction.atomic():
        reader.ask()
        IntegrationProfile.objects.filter(pk=reader.profile.pk).update(team_name="New")
        worker.start()
        worker.join(1)
    worker.join(20)
    assert reader.seen == ["New"] and reader.drain() == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
def test_a_person_never_waits_for_the_run_at_work(reader: Reader, measured: Any) -> None:
    """The run holds its own row and, for its matches, wants the rule that the person is just deleting."""
    rule = edit_rules.save(ResolutionRule(name="Any address", source="any_email"), [], by=reader.by)
    worlds.work_on()
    job, stored, go_on = reader.begin(), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            job.progress(items=1)
            stored.set()
            go_on.wait(20)
        connection.close()

    worker = threading.Thread(target=hold)
    worker.start()
    assert stored.wait(20)
    began = time.monotonic()
    edit_rules.delete(rule, by=reader.by)
    spent = time.monotonic() - began
    go_on.set()
    worker.join(20)
    assert JobRun.objects.filter(state=JobRun.State.WAITING).count() == 1
    measured("F34", "a rule deleted while a run holds its row", "page", spent, must="≤ 2 s")
