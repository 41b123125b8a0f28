"""Job runs: one row, one owner, nothing lost, whatever happens to messages and workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db.models.functions import Now
from django.utils import timezone

from profiles import delete_profile
from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault
from profiles.jobs import execute, queue
from profiles.jobs.job import OUTAGE_PAUSES, Held, Job, LeaseLost
from profiles.models import ConnectionAlias, IntegrationProfile, JobRun, ScheduledJob
from samsaas import schedule
from tests import worlds

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(draft) -> JobRun:
    return queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=draft))[0]


def after(run: JobRun) -> JobRun:
    return JobRun.objects.get(pk=run.pk)


def silent(run: JobRun, seconds: int = 61) -> None:
    JobRun.objects.filter(pk=run.pk).update(heartbeat_at=Now() - timedelta(seconds=seconds))


def test_a_run_is_claimed_once(run):
    first = execute.claim(run.pk)
    assert first is not None and execute.claim(run.pk) is None
    assert after(run).state == "running" and after(run).generation == 1


def test_a_second_request_finds_the_active_run(run, draft):
    again, fresh = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=draft))
    assert again == run and not fresh and JobRun.objects.count() == 1


def test_success_and_progress_are_stored(run):
    def verb(job, *, now):
        job.progress(pages=2, items=7, counters={"seen": 7}, cursor="c", expected=9)
        job.warn("one odd record")

    execute.run(run.pk, verb)
    ended = after(run)
    assert ended.state == "succeeded" and ended.finished_at and not ended.owner
    assert (ended.pages, ended.items, ended.expected_items, ended.cursor) == (2, 7, 9, "c")
    assert ended.warnings == ["one odd record"] and ended.counters == {"seen": 7}


def test_a_failure_is_stored_by_remedy_with_the_vendors_request_id(run, draft):
    failure = base.Failure(endpoint="team/get_info", status=403, tag="x", body="no" * 5000, request_id="abc")

    def verb(job, *, now):
        raise base.Refused("The vendor refused.", failure=failure)

    execute.run(run.pk, verb)
    ended = after(run)
    assert ended.state == "failed" and ended.error_kind == "Refused" and ended.error_status == 403
    assert ended.error_request_id == "abc" and ended.error_remedy and len(ended.error_body) <= 2000
    draft.refresh_from_db()
    assert draft.attention == "refresh_failed"


def test_an_unexpected_error_tells_nothing_secret(run):
    def verb(job, *, now):
        raise RuntimeError("token sl.u.SECRET")

    execute.run(run.pk, verb)
    assert after(run).state == "failed" and "SECRET" not in after(run).error_message


def test_throttling_puts_the_run_back_with_its_cursor(run):
    def verb(job, *, now):
        job.progress(cursor="page 3", pages=3)
        raise base.Throttled("wait", retry_after=300)

    execute.run(run.pk, verb)
    waiting = after(run)
    assert waiting.state == "queued" and waiting.cursor == "page 3" and waiting.throttled_seconds == 300
    assert timezone.now() + timedelta(seconds=250) < waiting.not_before
    assert execute.claim(run.pk) is None
    JobRun.objects.update(not_before=Now() - timedelta(seconds=1))
    assert execute.claim(run.pk) is not None and after(run).attempts == 1


def test_a_held_run_waits_for_a_person(run, draft):
    def verb(job, *, now):
        raise Held("40 of 100 seats are gone.")

    execute.run(run.pk, verb)
    draft.refresh_from_db()
    assert after(run).state == "held" and draft.attention == "refresh_held"


def test_a_zombie_can_change_nothing(run):
    job = execute.claim(run.pk)
    silent(run)
    queue.sweep()
    newer = execute.claim(run.pk)
    with pytest.raises(LeaseLost):
        job.progress(pages=99)
    job.finish(JobRun.State.SUCCEEDED)
    assert after(run).state == "running" and after(run).pages == 0 and after(run).owner == newer.run.owner


def test_the_sweeper_leaves_a_living_worker_alone(run):
    execute.claim(run.pk)
    silent(run, seconds=50)
    assert queue.sweep()["lost"] == 0 and after(run).state == "running"


@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        ({"heartbeat_at": Now()}, "running"),
        ({"state": "succeeded"}, "succeeded"),
        ({"generation": 7, "owner": "a newer worker"}, "running"),
    ],
    ids=["it has shown itself", "it is over", "another worker has it"],
)
@pytest.mark.parametrize("attempts", [1, queue.MAX_ATTEMPTS], ids=["to be replaced", "to be given up"])
def test_the_sweeper_looks_a_second_time_before_it_takes_a_run(run, monkeypatch, meanwhile, state, attempts):
    """The worker was silent when the sweeper looked, and something happened until it wrote."""
    execute.claim(run.pk)
    silent(run)
    JobRun.objects.filter(pk=run.pk).update(attempts=attempts)

    def happen_before(decide):
        def decided(lost):
            JobRun.objects.filter(pk=run.pk).update(**meanwhile)
            return decide(lost)

        return decided

    for decision in ("_values_to_requeue", "_values_to_give_up"):
        monkeypatch.setattr(queue, decision, happen_before(getattr(queue, decision)))
    assert queue.sweep()["lost"] == 0 and after(run).state == state
    assert after(run).owner and not after(run).error_kind and queue.LOST not in after(run).warnings


def test_a_lost_worker_is_replaced_and_at_last_given_up(run):
    for attempt in (1, 2):
        execute.claim(run.pk)
        silent(run)
        assert queue.sweep()["lost"] == 1 and after(run).state == "queued", attempt
    execute.claim(run.pk)
    silent(run)
    queue.sweep()
    ended = after(run)
    assert ended.state == "failed" and ended.error_kind == "WorkerLost" and ended.error_remedy


def test_cancel_stops_a_queued_run_at_once_and_a_running_one_at_its_next_page(run, draft, integrator):
    assert queue.cancel(run, by=integrator.user) and after(run).state == "canceled"
    second = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=draft))[0]

    def verb(job, *, now):
        queue.cancel(second, by=integrator.user)
        job.progress(pages=1)

    execute.run(second.pk, verb)
    assert after(second).state == "canceled" and not queue.cancel(second, by=integrator.user)


def test_a_run_of_a_deleted_profile_stops(run, draft, integrator):
    from profiles import delete_profile  # noqa: PLC0415

    def verb(job, *, now):
        delete_profile.run(draft, by=integrator.user)
        job.progress(pages=1)

    execute.run(run.pk, verb)
    assert after(run).state == "canceled" and after(run).profile is None


def test_a_dead_broker_does_not_stop_the_request_and_the_sweeper_rings_again(draft, monkeypatch, settings):
    rung = []

    def no_broker(*arguments, **options):
        rung.append(arguments)
        raise ConnectionError("broker is down")

    monkeypatch.setattr("celery.Celery.send_task", no_broker)
    run, fresh = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=draft))
    assert fresh
    JobRun.objects.update(rung_at=None)
    assert queue.sweep()["rung"] == 1 and rung
    assert queue.sweep()["rung"] == 0


@pytest.mark.parametrize(
    ("zone", "at", "utc", "is_due"),
    [
        ("UTC", "02:00", "2026-11-23T01:59:00+00:00", False),
        ("UTC", "02:00", "2026-11-23T02:00:00+00:00", True),
        ("America/New_York", "02:30", "2026-03-08T07:29:00+00:00", False),
        ("America/New_York", "02:30", "2026-03-08T07:30:00+00:00", True),
        ("America/New_York", "01:30", "2026-11-01T05:30:00+00:00", True),
        ("America/New_York", "01:30", "2026-11-01T05:29:00+00:00", False),
    ],
)
def test_due_follows_local_time_whatever_the_clocks_do(settings, zone, at, utc, is_due):
    from datetime import datetime  # noqa: PLC0415

    settings.TIME_ZONE, settings.DAILY_REFRESH_AT = zone, at
    job = ScheduledJob(profile=IntegrationProfile(alias=ConnectionAlias()))
    assert schedule.due(job, datetime.fromisoformat(utc)) is is_due


def outage(job: Job, *, now: object) -> None:
    raise base.TryLater("The vendor answered with status 503.", failure=base.Failure(request_id="req-503"))


def test_a_refresh_nobody_waits_for_stays_away_from_a_vendor_in_trouble_and_fails_in_the_end(draft):
    run, _ = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.SCHEDULE, profile=draft))
    pauses = []
    for _ in OUTAGE_PAUSES:
        execute.run(run.pk, outage)
        waits = after(run)
        assert waits.state == "queued" and "req-503" in waits.warnings[-1] and waits.attempts == 0
        pauses.append(round((waits.not_before - timezone.now()).total_seconds() / 60))
        execute.run(run.pk, outage)  # too early: a message that comes twice changes nothing
        JobRun.objects.update(not_before=Now() - timedelta(seconds=1))
    execute.run(run.pk, outage)
    assert pauses == [5, 15, 30, 60, 120]
    assert after(run).state == "failed" and after(run).error_request_id == "req-503"


@pytest.mark.parametrize("error", [base.TryLater("Down."), base.Throttled("Slow.", retry_after=60)])
def test_a_canceled_run_does_not_wait_for_the_vendor_to_recover(draft, integrator, error):
    run, _ = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.SCHEDULE, profile=draft))

    def canceled_meanwhile(job: Job, *, now: object) -> None:
        queue.cancel(run, by=integrator.user)
        raise error

    execute.run(run.pk, canceled_meanwhile)
    assert after(run).state == "canceled"


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between the tries of a call are not waited for; `tests/connectors` proves how long they are."""
    monkeypatch.setattr(Job, "wait", lambda job, seconds, reason: None)


def test_a_refresh_that_stays_away_is_told_on_the_profile_and_at_home(no_backoff, connected, integrator, dropbox):
    dropbox.faults.add("team/members/list_v2", None, Fault(status=503))
    worlds.work()
    for page in (connected.get_absolute_url(), "/"):
        told = integrator.get(page).content.decode()
        assert "The vendor is in trouble: Download subscriptions" in told, page
    assert "status 503" in integrator.get(connected.get_absolute_url()).content.decode()


def test_a_refresh_somebody_waits_for_fails_at_once(run):
    execute.run(run.pk, outage)
    assert after(run).state == "failed"


def test_what_the_vendor_cost_is_kept_when_a_run_fails(no_backoff, connected, dropbox):
    dropbox.faults.add("team/members/list_v2", None, Fault(status=503))
    JobRun.objects.filter(state="queued").update(trigger="manual")
    worlds.work()
    run = JobRun.objects.get(process=base.DOWNLOAD)
    assert run.state == "failed" and run.retries == 3


def test_a_grant_that_ends_with_its_profile_ends_the_run_in_peace(connected, integrator, caplog):
    run = JobRun.objects.get(process=base.DOWNLOAD)

    def deleted_meanwhile(job: Job, *, now: object) -> None:
        delete_profile.run(connected, by=integrator.user)
        raise base.Reconnect("The credential is gone.")

    execute.run(run.pk, deleted_meanwhile)
    assert after(run).state == "canceled" and "Traceback" not in caplog.text


def test_the_daily_refresh_makes_one_run_a_local_date(connected, settings):
    settings.DAILY_REFRESH_AT = "00:00"
    worlds.work()
    worlds.since_yesterday()
    for _ in range(3):
        schedule.start_due()
        worlds.work()
    scheduled = JobRun.objects.filter(trigger="schedule")
    assert scheduled.count() == 1 and scheduled.get().state == "succeeded"


def test_the_first_refresh_after_connecting_is_todays_unless_it_failed(connected, settings):
    settings.DAILY_REFRESH_AT = "00:00"
    schedule.start_due()
    worlds.work_on()
    schedule.start_due()
    assert not JobRun.objects.filter(trigger="schedule").exists()
    JobRun.objects.filter(process=base.DOWNLOAD).update(state="failed")
    schedule.start_due()
    assert JobRun.objects.filter(trigger="schedule").count() == 1


def test_a_refresh_by_hand_before_the_time_of_day_does_not_stand_for_todays(connected, settings):
    settings.DAILY_REFRESH_AT = "12:00"
    worlds.work_on()
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    JobRun.objects.update(created_at=noon - timedelta(minutes=1))
    with time_machine.travel(noon + timedelta(minutes=1), tick=False):
        schedule.start_due()
    assert JobRun.objects.filter(trigger="schedule").count() == 1


def test_a_draft_or_unauthorized_profile_is_not_refreshed(draft, settings):
    settings.DAILY_REFRESH_AT = "00:00"
    schedule.start_due()
    IntegrationProfile.objects.update(status="published")
    schedule.start_due()
    assert not JobRun.objects.exists()


def test_the_run_page_shows_progress_and_refreshes_when_it_ends(integrator, run):
    page = integrator.get(f"/runs/{run.pk}/").content.decode()
    assert f"/runs/{run.pk}/progress/" in page
    assert "HX-Refresh" not in integrator.get(f"/runs/{run.pk}/progress/").headers
    JobRun.objects.update(state="failed", error_message="It broke.", error_remedy="Mend it.", error_request_id="req-1")
    assert integrator.get(f"/runs/{run.pk}/progress/").headers["HX-Refresh"] == "true"
    page = integrator.get(f"/runs/{run.pk}/").content.decode()
    assert "It broke." in page and "Mend it." in page and "req-1" in page


def test_confirming_a_held_run_downloads_again_with_that_permission(integrator, connected):
    worlds.work()
    run = JobRun.objects.get(process=base.DOWNLOAD)
    JobRun.objects.filter(pk=run.pk).update(state="held")
    answer = integrator.post(f"/runs/{run.pk}/confirm/")
    again = JobRun.objects.get(state="queued")
    assert again.accept_drop and answer["Location"] == f"/runs/{again.pk}/"
    assert integrator.post(f"/runs/{again.pk}/confirm/").status_code == 302
