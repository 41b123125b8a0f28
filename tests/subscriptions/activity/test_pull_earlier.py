"""Reading the log further back: what is added, what is left alone, who goes first, and what is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import log
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from samsaas.models import AuditEntry
from subscriptions.activity import pull_earlier, read_further_back, reading
from subscriptions.activity.coverage import intervals, plausibility
from subscriptions.activity.pull_earlier import PULL_EARLIER
from subscriptions.models import ActivityDay, LastActivity, ReadDay
from tests import pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
DAY = timedelta(days=1)
EVENTS = "team_log/get_events"


@pytest.fixture
def refreshed(connected: Any, dropbox: Any) -> IntegrationProfile:
    """A profile after its first refresh, analyzed from ten days back. The vendor's time stands still."""
    began = dropbox.now()
    dropbox.now = lambda: began
    connected.analyze_activity_from = timezone.now() - 10 * DAY
    connected.save()
    runs = worlds.work_on()
    assert {run.state for run in runs} == {"succeeded"}, [(run.process, run.error_message) for run in runs]
    connected.refresh_from_db()
    profile: IntegrationProfile = connected
    return profile


def ask(profile: IntegrationProfile, days: int, account: Any) -> JobRun:
    since = (timezone.now() - days * DAY).astimezone(UTC).date()
    run, fresh = read_further_back.run(
        profile, since, by=account("sam_integrator", username="asking"), now=timezone.now()
    )
    assert run and fresh
    return run


def work(run: JobRun) -> JobRun:
    JobRun.objects.update(not_before=None)
    worlds.work()
    run.refresh_from_db()
    return run


def days_in_log(dropbox: Any, since: datetime, until: datetime) -> set[date]:
    team = next(iter(dropbox.teams.values()))
    return {date.fromisoformat(event["timestamp"][:10]) for event in log.events(team, since, until)}


def covered(profile: IntegrationProfile) -> tuple[datetime, datetime]:
    interval = profile.coverage.get()
    return interval.since, interval.until


def test_the_time_before_is_added_and_the_present_is_not_read_again(
    refreshed: IntegrationProfile, dropbox: Any, account: Any
) -> None:
    since, until = covered(refreshed)
    days = dict(ReadDay.objects.values_list("day", "events"))
    last = dict(LastActivity.objects.values_list("subscription", "at"))
    run = work(ask(refreshed, 40, account))
    assert (run.state, run.facts["doubts"]) == ("succeeded", []), run.error_message
    wanted = intervals.midnight_of(timezone.now() - 40 * DAY)
    read = days_in_log(dropbox, wanted, since)
    assert covered(refreshed) == (intervals.midnight_of_day(min(read)), until)
    kept = dict(ReadDay.objects.values_list("day", "events"))
    assert {day: kept[day] for day in days} == days and min(kept) == min(read)
    assert ActivityDay.objects.filter(day__lt=since.date(), events__gt=0).count() > 50
    now_last = dict(LastActivity.objects.values_list("subscription", "at"))
    assert all(now_last[seat] >= at for seat, at in last.items())
    assert not JobRun.objects.get(pk=run.pk).in_chain
    entry = AuditEntry.objects.get(verb="asked to read the log further back")
    assert entry.detail["since"] == wanted.date().isoformat()
    refreshed.refresh_from_db()
    assert pull_earlier.refusal(refreshed, timezone.now()) == ""


def test_it_lets_other_jobs_go_first_and_goes_on_where_it_was(
    refreshed: IntegrationProfile, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_USES", 1)
    monkeypatch.setattr("profiles.connectors.dropbox.connector.EVENTS_A_PAGE", 200)
    since, until = covered(refreshed)
    run = ask(refreshed, 30, account)
    pull, _ = queue.request(queue.Request(base.ACTIVITY, JobRun.Trigger.SCHEDULE, profile=refreshed))
    assert pull
    JobRun.objects.filter(pk=pull.pk).update(not_before=timezone.now() + DAY)
    worlds.work()
    run.refresh_from_db()
    assert (run.state, run.pages) == ("queued", 1) and "go first" in run.step and run.not_before
    first = run.cursor
    JobRun.objects.filter(pk=pull.pk).update(state="canceled")
    run = work(run)
    assert run.state == "succeeded" and run.pages > 2 and run.cursor != first
    assert covered(refreshed)[0] < since - 15 * DAY and covered(refreshed)[1] == until


def test_started_again_it_reads_the_same_time_and_goes_on_at_the_cursor(
    refreshed: IntegrationProfile, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_USES", 1)
    monkeypatch.setattr("profiles.connectors.dropbox.connector.EVENTS_A_PAGE", 200)

    def broken(self: Any) -> None:
        raise base.Refused("No.")

    with monkeypatch.context() as patch:
        patch.setattr(pull_earlier.EarlierReading, "_make_way", broken)
        failed = work(ask(refreshed, 30, account))
    assert failed.state == "failed" and failed.cursor
    again, _ = queue.request(queue.Request(PULL_EARLIER, JobRun.Trigger.MANUAL, profile=refreshed))
    assert again
    again = work(again)
    assert again.state == "succeeded" and again.facts["reading"] == failed.pk
    assert again.facts["since"] == failed.facts["since"]


def test_what_is_read_belongs_to_the_team_of_the_profile(
    refreshed: IntegrationProfile, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = covered(refreshed)

    def replace(self: Any) -> None:
        IntegrationProfile.objects.update(team_id="dbtid:other")

    monkeypatch.setattr(pull_earlier.EarlierReading, "_make_way", replace)
    run = work(ask(refreshed, 30, account))
    assert run.state == "failed" and "another team" in run.error_message
    assert covered(refreshed) == before


@pytest.mark.parametrize("team", [20, 10**6], ids=["judged", "too small to be judged"])
@pytest.mark.parametrize("reaches", [0, 13], ids=["nothing", "13 days"])
def test_a_log_that_does_not_reach_back_so_far_covers_only_what_it_holds(
    refreshed: IntegrationProfile, dropbox: Any, account: Any, monkeypatch: Any, reaches: int, team: int
) -> None:
    monkeypatch.setattr(plausibility, "TEAM", team)
    since, until = covered(refreshed)
    whole, first = log.events, since - reaches * DAY

    def short(team: Any, begin: datetime, end: datetime) -> Iterator[Any]:
        return (event for event in whole(team, begin, end) if datetime.fromisoformat(event["timestamp"]) >= first)

    monkeypatch.setattr("profiles.connectors.dropbox.sandbox.log.events", short)
    run = work(ask(refreshed, 60, account))
    assert run.state == "succeeded", run.error_message
    start, end = covered(refreshed)
    assert end == until
    if reaches:
        assert first <= start < first + 3 * DAY
    else:
        said = " ".join(run.warnings)
        assert start == since and ("holds no use" in said or "holds nothing since" in said)


def test_silence_that_reaches_into_the_known_time_is_not_believed(
    refreshed: IntegrationProfile, account: Any, monkeypatch: Any
) -> None:
    """Ten silent days before what is known, and five at its beginning, are one silence of fifteen."""
    since, _ = covered(refreshed)
    ReadDay.objects.filter(day__lt=(since + 5 * DAY).date()).delete()
    whole = log.events

    def silent(team: Any, begin: datetime, end: datetime) -> Iterator[Any]:
        limit = since - 10 * DAY
        return (event for event in whole(team, begin, end) if datetime.fromisoformat(event["timestamp"]) < limit)

    monkeypatch.setattr("profiles.connectors.dropbox.sandbox.log.events", silent)
    run = work(ask(refreshed, 60, account))
    assert run.state == "succeeded" and "holds nothing since" in " ".join(run.warnings)
    assert covered(refreshed)[0] == since


def test_it_is_refused_where_it_makes_no_sense(refreshed: IntegrationProfile, monkeypatch: Any) -> None:
    now = timezone.now()
    assert pull_earlier.refusal(refreshed, now) == ""
    monkeypatch.setattr(intervals, "FURTHEST", 9 * DAY)
    assert pull_earlier.refusal(refreshed, now) == pull_earlier.ALL_KNOWN
    monkeypatch.undo()
    refreshed.coverage.update(since=now - 2 * DAY)
    assert pull_earlier.refusal(refreshed, now) == pull_earlier.NOT_FINAL
    refreshed.coverage.all().delete()
    assert pull_earlier.refusal(refreshed, now) == pull_earlier.NOTHING_KNOWN
    monkeypatch.setattr(type(refreshed), "vendor_info", type("V", (), {"bounded_log": False})())
    assert pull_earlier.refusal(refreshed, now) == pull_earlier.NOT_BOUNDED


def test_the_page_asks_for_a_day_before_what_is_known(refreshed: IntegrationProfile, integrator: Any) -> None:
    since, _ = covered(refreshed)
    address = f"/integration-profiles/{refreshed.pk}/further-back/"
    profile_page = integrator.get(refreshed.jobs_url).content.decode()
    assert address in profile_page
    page = pages.text_of(integrator.get(address).content.decode())
    assert "The log is known from" in page
    for refused in (since.date(), (since - 400 * DAY).date(), "soon"):
        answer = integrator.post(address, {"since": str(refused)})
        assert answer.status_code == 200 and "invalid" in answer.content.decode()
    assert not JobRun.objects.filter(process=PULL_EARLIER).exists()
    answer = integrator.post(address, {"since": str((since - 20 * DAY).date())})
    run = JobRun.objects.get(process=PULL_EARLIER)
    assert answer["Location"] == run.get_absolute_url()
    assert work(run).state == "succeeded"
    shown = pages.text_of(integrator.get(run.get_absolute_url()).content.decode())
    assert "Pull earlier activity" in shown and "Read from" in shown


def test_what_cannot_be_read_further_back_says_so_and_offers_no_button(
    refreshed: IntegrationProfile, integrator: Any
) -> None:
    refreshed.coverage.update(since=timezone.now() - 366 * DAY)
    assert "Read further back" not in integrator.get(refreshed.jobs_url).content.decode()
    answer = integrator.get(f"/integration-profiles/{refreshed.pk}/further-back/", follow=True)
    assert pull_earlier.ALL_KNOWN in answer.content.decode()
