"""What a run reads changes while it is at work: exactly one more run follows it, whatever becomes of the first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from profiles import delete_profile
from profiles.connectors import base
from profiles.jobs import execute, queue
from profiles.jobs.job import Canceled, Job
from profiles.models import IntegrationProfile, JobRun
from samsaas import schedule
from subscriptions.matching import by_hand as match_by_hand, edit_rules, match as match_people
from subscriptions.models import Match, ResolutionRule
from subscriptions.people import edit as edit_people
from subscriptions.rematch import MATCH
from tests import factories, worlds

pytestmark = pytest.mark.django_db
Verb = Callable[..., None]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def profile() -> IntegrationProfile:
    return factories.profile(refreshed_at=timezone.now())


@pytest.fixture
def by(account: Any) -> Any:
    return account("sam_integrator")


def at_work(profile: IntegrationProfile, process: str = MATCH) -> Job:
    """A run of the profile that a worker has just claimed."""
    run, _ = queue.request(queue.Request(process, JobRun.Trigger.MANUAL, profile=profile))
    assert run
    job = execute.claim(run.pk)
    assert job
    return job


def ask(profile: IntegrationProfile, by: Any) -> tuple[JobRun | None, bool]:
    return queue.request_anew(profile, MATCH, trigger=JobRun.Trigger.MANUAL, by=by)


def states() -> list[str]:
    return list(JobRun.objects.order_by("pk").values_list("state", flat=True))


def test_a_rule_written_while_people_are_matched_counts_without_waiting_for_tomorrow(
    profile: IntegrationProfile, by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = factories.person("ann@example.com")
    seat = factories.subscription(profile=profile, email="ann@example.com", email_verified=False)
    read = match_people.rules_for

    def written_after_reading(of: IntegrationProfile) -> list[ResolutionRule]:
        old = read(of)
        if JobRun.objects.count() == 1:
            edit_rules.save(ResolutionRule(name="Any address", source="any_email"), [], by=by)
        return old

    monkeypatch.setattr(match_people, "rules_for", written_after_reading)
    queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=profile))
    worlds.work()
    assert not Match.objects.exists() and states() == ["succeeded", "queued"]
    worlds.work_on()
    assert Match.objects.get(subscription=seat).person == ann and states() == ["succeeded"] * 2


CHANGES: dict[str, Callable[..., object]] = {
    "rule saved": lambda rule, person, by, seat: edit_rules.save(rule, [], by=by),
    "rule moved": lambda rule, person, by, seat: edit_rules.move(rule, edit_rules.UP, by=by),
    "rule deleted": lambda rule, person, by, seat: edit_rules.delete(rule, by=by),
    "person deleted": lambda rule, person, by, seat: edit_people.delete(person, by=by),
    "match by hand removed": lambda rule, person, by, seat: match_by_hand.remove(seat, by=by),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_of_what_matching_reads_is_followed_by_one_more_run(
    profile: IntegrationProfile, by: Any, change: Callable[..., object]
) -> None:
    rule = edit_rules.save(ResolutionRule(name="Any address", source="any_email"), [], by=by)
    person, seat = factories.person("ann@example.com"), factories.subscription(profile=profile)
    match_by_hand.run(seat, person, by=by, now=timezone.now())
    worlds.work_on()
    JobRun.objects.all().delete()
    job = at_work(profile)
    change(rule, person, by, seat)
    assert states() == ["running", "waiting"]
    job.finish(JobRun.State.SUCCEEDED)
    assert [run.process for run in worlds.work_on()] == [MATCH] and states() == ["succeeded"] * 2


def test_many_changes_during_one_run_are_followed_by_one_run(profile: IntegrationProfile, by: Any) -> None:
    job = at_work(profile)
    answers = [ask(profile, by) for _ in range(3)]
    assert [fresh for _, fresh in answers] == [True, False, False] and len({run for run, _ in answers}) == 1
    job.finish(JobRun.State.SUCCEEDED)
    worlds.work_on()
    assert states() == ["succeeded"] * 2


def test_a_run_that_is_only_queued_reads_the_change_itself(profile: IntegrationProfile, by: Any) -> None:
    queued, _ = queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=profile))
    assert ask(profile, by) == (queued, False) and JobRun.objects.count() == 1


def test_a_queued_run_that_goes_on_at_its_cursor_has_read_the_old_data_already(
    profile: IntegrationProfile, by: Any
) -> None:
    """Waiting for the vendor's rate limit, it looks queued."""
    job = at_work(profile)
    job.progress(cursor="page 3")
    job.requeue_throttled(60)
    assert ask(profile, by)[1] and states() == ["queued", "waiting"]
    assert queue.start_waiting() == 0


def succeed(job: Job, by: Any) -> None:
    job.finish(JobRun.State.SUCCEEDED)


def fail(job: Job, by: Any) -> None:
    execute._fail(job, base.Refused("No."))


def hold(job: Job, by: Any) -> None:
    job.finish(JobRun.State.HELD)


def cancel(job: Job, by: Any) -> None:
    queue.cancel(job.run, by=by)
    with pytest.raises(Canceled):
        job.fence()
    job.finish(JobRun.State.CANCELED)


def lose_for_good(job: Job, by: Any) -> None:
    for _ in range(queue.MAX_ATTEMPTS):
        JobRun.objects.filter(pk=job.run.pk).update(heartbeat_at=Now() - timedelta(seconds=61))
        assert queue.sweep()["lost"] == 1
        execute.claim(job.run.pk)


ENDS = {"succeeded": succeed, "failed": fail, "held": hold, "canceled": cancel, "lost three times": lose_for_good}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_next_run_comes_however_the_first_one_ends(profile: IntegrationProfile, by: Any, end: Any) -> None:
    job = at_work(profile)
    ask(profile, by)
    end(job, by)
    for _ in range(3):
        schedule.sweep()
    ended, following = states()
    assert ended not in JobRun.ACTIVE and following == "queued"
    worlds.work_on()
    assert states() == [ended, "succeeded"]


def test_a_run_taken_over_by_another_worker_is_followed_once_and_not_overtaken(
    profile: IntegrationProfile, by: Any
) -> None:
    zombie = at_work(profile)
    ask(profile, by)
    JobRun.objects.filter(pk=zombie.run.pk).update(heartbeat_at=Now() - timedelta(seconds=61))
    assert queue.sweep() == {"lost": 1, "started": 0, "rung": 1} and states() == ["queued", "waiting"]
    zombie.finish(JobRun.State.SUCCEEDED)
    assert queue.start_waiting() == 0, "a worker that was given up ends nothing"
    worlds.work_on()
    assert states() == ["succeeded"] * 2


def test_a_second_press_of_a_button_leads_to_the_run_at_work_and_asks_for_no_other(
    integrator: Any, connected: IntegrationProfile
) -> None:
    worlds.work_on()
    job = at_work(connected, base.DOWNLOAD)
    answer = integrator.post(f"/integration-profiles/{connected.pk}/download/")
    assert answer["Location"] == job.run.get_absolute_url()
    assert list(JobRun.objects.active()) == [job.run]
    matching = at_work(connected)
    ask(connected, integrator.user)
    assert queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=connected)) == (matching.run, False)


def test_a_waiting_run_can_be_canceled_and_goes_with_its_profile(integrator: Any, draft: IntegrationProfile) -> None:
    job = at_work(draft)
    first, _ = ask(draft, integrator.user)
    assert first
    integrator.post(f"/runs/{first.pk}/cancel/")
    assert states() == ["running", "canceled"]
    assert ask(draft, integrator.user)[1]
    delete_profile.run(draft, by=integrator.user)
    assert set(states()) == {"canceled"}
    job.finish(JobRun.State.SUCCEEDED)
    assert queue.start_waiting() == 0 and ask(draft, integrator.user) == (None, False)
