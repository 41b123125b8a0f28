"""What *covered* vouches for: the seats of the team whose log was read, that were known when it was read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault, log
from profiles.jobs import queue
from profiles.models import Credential, IntegrationProfile, JobRun
from samsaas.models import AuditEntry
from subscriptions.activity import last_used
from subscriptions.activity.coverage import intervals
from subscriptions.models import ActivityDay, LastActivity, Subscription
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

EVENTS = "team_log/get_events"
DAY = timedelta(days=1)


@pytest.fixture
def refreshed(connected: Any) -> IntegrationProfile:
    """The profile after its first whole chain: downloaded, matched, pulled."""
    worlds.work_on()
    profile: IntegrationProfile = connected
    profile.refresh_from_db()
    return profile


def pull(profile: IntegrationProfile, **facts: Any) -> JobRun:
    asked = queue.Request(base.ACTIVITY, JobRun.Trigger.MANUAL, profile=profile, facts=facts)
    run, _ = queue.request(asked)
    assert run
    worlds.work()
    run.refresh_from_db()
    return run


def idle(seat: Subscription) -> last_used.Idle | None:
    now = timezone.now()
    return last_used.idle(last_used.with_idle_facts(Subscription.objects.all(), now).get(pk=seat.pk), now)


def covered() -> int:
    """How many listed seats are shown with any knowledge of their use until now."""
    return last_used.with_idle_facts(Subscription.objects.listed(), timezone.now()).exclude(unused_since=None).count()


def an_event(dropbox: Any, days_ago: float, **user: str) -> dict[str, Any]:
    at = dropbox.now() - timedelta(days=days_ago)
    who = {".tag": "user", "user": {".tag": "team_member", **user}}
    event = log.make_event(at.date(), 0, log.DOINGS[0], who)
    return {**event, "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def also_in_the_log(monkeypatch: pytest.MonkeyPatch, *events: dict[str, Any]) -> None:
    real = log.events

    def with_more(team: Any, since: Any, until: Any) -> Any:
        yield from (one for one in events if since <= datetime.fromisoformat(one["timestamp"]) < until)
        yield from real(team, since, until)

    monkeypatch.setattr(log, "events", with_more)


def a_member(profile: IntegrationProfile) -> Subscription:
    seat = profile.subscriptions.filter(status="active", ended_at=None).order_by("pk").first()
    assert seat
    return seat


# Seats that became known after the log was read


def test_what_was_read_before_a_seat_was_known_vouches_for_nothing_and_is_read_again(
    refreshed: IntegrationProfile, dropbox: Any, reader: Any
) -> None:
    """F11: its record could not be read for some days, say, and the log was read meanwhile."""
    seat = a_member(refreshed)
    before = set(seat.activity_days.values_list("day", "events"))
    assert before and idle(seat)
    Subscription.objects.filter(pk=seat.pk).update(known_since=timezone.now(), assigned_at=timezone.now() - 80 * DAY)
    ActivityDay.objects.filter(subscription=seat).delete()
    LastActivity.objects.filter(subscription=seat).delete()
    assert idle(seat) is None
    page = pages.text_of(reader.get(seat.get_absolute_url()).content.decode())
    assert "Not covered" in page and "after the log was read. The next pull reads the log again for it." in page
    run = pull(refreshed)
    assert datetime.fromisoformat(run.facts["since"]) == intervals.midnight_of(refreshed.analyze_activity_from)
    assert set(seat.activity_days.values_list("day", "events")) == before
    known = idle(seat)
    assert known and known.days == last_used.inactive_days(seat.last_activity.at, timezone.now())


def test_the_log_is_not_read_from_far_back_for_somebody_who_just_joined(refreshed: IntegrationProfile) -> None:
    seat, now = a_member(refreshed), timezone.now()
    Subscription.objects.filter(pk=seat.pk).update(known_since=now, assigned_at=now - DAY)
    refreshed.coverage.update(since=now - 31 * DAY)
    IntegrationProfile.objects.update(analyze_activity_from=now - 30 * DAY)
    run = pull(refreshed)
    assert now - datetime.fromisoformat(run.facts["since"]) < 5 * DAY
    seat.refresh_from_db()
    assert seat.read_from and idle(seat)


def test_a_seat_that_appears_while_the_log_is_being_read_waits_for_the_next_reading(
    refreshed: IntegrationProfile, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seats = log.events, []

    def published_meanwhile(*given: Any) -> Any:
        if not seats:
            seats.append(factories.subscription(profile=refreshed, assigned_at=timezone.now() - 20 * DAY))
        return real(*given)

    monkeypatch.setattr(log, "events", published_meanwhile)
    pull(refreshed)
    assert idle(seats[0]) is None
    pull(refreshed)
    assert idle(seats[0]) is not None


# Another team


def replace_team(profile: IntegrationProfile, team_id: str) -> None:
    """As Get OAuth Token with a confirmed replacement does it."""
    from profiles.oauth import grants  # noqa: PLC0415

    credential = Credential.objects.get(alias=profile.alias, purpose=base.SUBSCRIPTIONS)
    credential.team_id = team_id
    credential.save()
    grants._settle_team(profile, credential)
    profile.save()


def test_the_log_of_one_team_never_vouches_for_another(refreshed: IntegrationProfile, reader: Any) -> None:
    """A1: the seats of the team before are listed until the new one's list is accepted."""
    seat, first = a_member(refreshed), refreshed.team_id
    assert covered()
    replace_team(refreshed, "dbtid:ANOTHER")
    assert not covered() and intervals.of_team(refreshed) == []
    assert intervals.next_since(refreshed, timezone.now()) == intervals.midnight_of(refreshed.analyze_activity_from)
    page = pages.text_of(reader.get(seat.get_absolute_url()).content.decode())
    assert "It was listed by another team." in page
    factories.coverage(refreshed, timezone.now() - 30 * DAY, timezone.now())
    assert not covered(), "the new team's log says nothing of them either"
    newcomer = factories.subscription(profile=refreshed)
    assert idle(newcomer) is not None
    replace_team(refreshed, first)
    assert not covered(), "back again, and nobody has listed them since"


def test_going_back_to_a_team_starts_from_what_its_own_log_said(refreshed: IntegrationProfile) -> None:
    first = refreshed.team_id
    until = refreshed.coverage.get().until
    replace_team(refreshed, "dbtid:ANOTHER")
    replace_team(refreshed, first)
    assert intervals.next_since(refreshed, timezone.now()) <= intervals.midnight_of(until - 3 * DAY)
    run, _ = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=refreshed))
    worlds.work()
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert not covered(), "they are listed again, and the log was read before that"
    pull(refreshed)
    assert covered() == Subscription.objects.listed().count()


def test_an_interrupted_reading_of_one_team_is_not_continued_for_another(
    connected: Any, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from subscriptions.activity import reading  # noqa: PLC0415

    monkeypatch.setattr(reading, "BATCH_USES", 1)
    worlds.work()
    more = "team_log/get_events/continue"
    dropbox.faults.add(more, 3, Fault(status=403, body={"error_summary": "x", "error": {".tag": "no_permission"}}))
    worlds.work_on()
    broken = JobRun.objects.get(process=base.ACTIVITY)
    assert broken.cursor
    broken.facts["team"] = "dbtid:ANOTHER"
    broken.save()
    run = pull(connected)
    assert run.state == "succeeded" and run.facts["reading"] == run.pk


def test_a_token_of_another_team_reads_nothing(refreshed: IntegrationProfile, dropbox: Any) -> None:
    asked = [route for route, _ in dropbox.log].count(EVENTS)
    IntegrationProfile.objects.update(team_id="dbtid:ANOTHER")
    run = pull(refreshed)
    assert run.state == "failed" and "this profile belongs to" in run.error_message
    assert [route for route, _ in dropbox.log].count(EVENTS) == asked


# Identities


@pytest.mark.parametrize("known_as", ["email", "account_id", "a new id and the address", "a new id and the account"])
def test_an_account_made_anew_gets_the_events_addressed_to_it(
    refreshed: IntegrationProfile, dropbox: Any, monkeypatch: pytest.MonkeyPatch, known_as: str
) -> None:
    """F10: the ended membership is history; it makes neither the address nor the account ambiguous."""
    whose = {"email": "nora@acme.example", "account_id": "dbid:NORA"}
    factories.subscription(profile=refreshed, **whose, ended_at=timezone.now())
    anew = factories.subscription(profile=refreshed, **whose)
    one = {
        "email": {"email": "Nora@ACME.example"},
        "account_id": {"account_id": "dbid:NORA"},
        "a new id and the address": {"team_member_id": "dbmid:UNKNOWN", "email": "nora@acme.example"},
        "a new id and the account": {"team_member_id": "dbmid:UNKNOWN", "account_id": "dbid:NORA"},
    }
    also_in_the_log(monkeypatch, an_event(dropbox, 0.01, **one[known_as]))
    pull(refreshed)
    assert LastActivity.objects.filter(subscription=anew).exists()


@pytest.mark.parametrize("shared", ["email", "account_id", "secondary_emails"])
def test_what_two_listed_seats_share_credits_neither(
    refreshed: IntegrationProfile, dropbox: Any, monkeypatch: pytest.MonkeyPatch, shared: str
) -> None:
    two = [factories.subscription(profile=refreshed, **{shared: "both@acme.example"}) for _ in range(2)]
    sent = {"account_id" if shared == "account_id" else "email": "both@acme.example"}
    also_in_the_log(monkeypatch, an_event(dropbox, 0.01, **sent))
    run = pull(refreshed)
    assert not LastActivity.objects.filter(subscription__in=two).exists() and run.counters["of_nobody"]


# Logs that end too early


def test_a_log_that_ends_too_early_covers_nothing_is_said_and_heals_by_itself(
    connected: Any, dropbox: Any, reader: Any
) -> None:
    """A2: 200, few events, no more to come, in the first pull."""
    IntegrationProfile.objects.update(analyze_activity_from=timezone.now() - 60 * DAY)
    Subscription.objects.update(assigned_at=None)
    cut = {"events": [], "cursor": "c", "has_more": False}
    dropbox.faults.add(EVENTS, None, Fault(status=200, body=cut))
    worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    assert run.state == "succeeded" and not connected.coverage.exists() and not covered()
    assert any("Not called covered: The log holds nothing" in warning for warning in run.warnings)
    page = pages.text_of(reader.get(connected.jobs_url).content.decode())
    assert "The last reading of the log is not believed" in page
    assert "not all of it is believed" in pages.text_of(reader.get(run.get_absolute_url()).content.decode())
    dropbox.faults.clear()
    connected.refresh_from_db()
    healed = pull(connected)
    assert healed.facts["since"] == run.facts["since"] and not healed.facts["doubts"]
    assert covered() == Subscription.objects.listed().count()
    page = pages.text_of(reader.get(connected.jobs_url).content.decode())
    assert "The last reading of the log is not believed" not in page


def test_a_daily_log_that_lost_most_of_its_events_takes_nothing_away(
    refreshed: IntegrationProfile, dropbox: Any
) -> None:
    """What was covered stays covered and keeps its counts; the time since is not called covered."""
    days = dict(ActivityDay.objects.values_list("pk", "events"))
    until = refreshed.coverage.get().until - timedelta(hours=1)  # pulls of one second end at the same moment
    refreshed.coverage.update(until=until)
    member = a_member(refreshed)
    event = an_event(dropbox, 1, team_member_id=member.external_id)
    dropbox.faults.add(EVENTS, 1, Fault(status=200, body={"events": [event], "cursor": "c", "has_more": False}))
    run = pull(refreshed)
    assert run.facts["doubts"] and refreshed.coverage.get().until == until
    shown = {one.pk: max(one.events, one.earlier) for one in ActivityDay.objects.all()}
    assert all(shown[pk] >= events for pk, events in days.items())
    healed = pull(refreshed)
    assert not healed.facts["doubts"] and refreshed.coverage.get().until > until


def test_while_actors_of_an_unknown_kind_are_many_nothing_is_called_covered(
    connected: Any, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A10."""
    strange = {".tag": "agent", "agent": {".tag": "team_member", "team_member_id": "dbmid:X"}}
    events = [{**an_event(dropbox, 0.1 + n / 100), "actor": strange} for n in range(300)]
    with monkeypatch.context() as vendor:
        also_in_the_log(vendor, *events)
        worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    assert run.counters["unknown_actor"] == 300 and not connected.coverage.exists()
    assert any("Unknown kind of actor" in warning and "agent" in warning for warning in run.warnings)
    connected.refresh_from_db()
    pull(connected)
    assert connected.coverage.exists()


def spoiled(event: dict[str, Any], how: str) -> dict[str, Any]:
    strange = {".tag": "agent", "agent": {".tag": "team_member", "team_member_id": "dbmid:X"}}
    change = {
        "unknown kind of actor": {"actor": strange},
        "no actor": {"actor": None},
        "another shape": {"origin": "somewhere"},
        "another shape and no time": {"origin": "somewhere", "timestamp": "someday"},
        "no possible time": {"timestamp": "0001-01-01T00:00:00Z"},
    }
    return {**event, **change[how]}


# Of the last two days, every so many events: much of the end of the reading, hardly anything of the whole.
@pytest.mark.parametrize(
    ("how", "every"),
    [
        ("unknown kind of actor", 6),
        ("no actor", 1),
        ("another shape", 6),
        ("another shape and no time", 6),
        ("no possible time", 6),
    ],
)
def test_what_is_wrong_with_the_last_days_does_not_drown_in_a_long_reading(
    connected: Any, dropbox: Any, monkeypatch: pytest.MonkeyPatch, how: str, every: int
) -> None:
    """As if the vendor had changed its format days before: of months hardly anything is unclear, of today much."""
    IntegrationProfile.objects.update(analyze_activity_from=timezone.now() - 60 * DAY)
    real = log.events
    changed = (dropbox.now() - 2 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")

    def with_more(team: Any, since: Any, until: Any) -> Any:
        for number, one in enumerate(real(team, since, until)):
            lately = one["timestamp"] >= changed
            yield spoiled(one, how) if lately and number % every == 0 else one

    with monkeypatch.context() as vendor:
        vendor.setattr(log, "events", with_more)
        worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    assert any("of the last 72 hours" in doubt for doubt in run.facts["doubts"]), (run.counters, run.facts["doubts"])
    assert not connected.coverage.exists()
    pull(IntegrationProfile.objects.get())
    assert connected.coverage.exists()


def test_an_event_that_comes_three_days_late_is_found(
    refreshed: IntegrationProfile, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A9."""
    seat = factories.subscription(profile=refreshed, known_since=timezone.now() - 9 * DAY)
    also_in_the_log(monkeypatch, an_event(dropbox, 2.9, team_member_id=seat.external_id))
    pull(refreshed)
    assert LastActivity.objects.filter(subscription=seat).exists()


# Read again


@pytest.fixture
def reader(integrator: Any) -> Any:
    return integrator


def test_a_person_has_the_log_read_again_from_a_day(refreshed: IntegrationProfile, reader: Any, dropbox: Any) -> None:
    path = f"/integration-profiles/{refreshed.pk}/read-again/"
    assert f'href="{path}"' in reader.get(refreshed.jobs_url).content.decode()
    day = (timezone.now() - 40 * DAY).astimezone(UTC).date()
    counts = dict(ActivityDay.objects.values_list("pk", "events"))
    answer = reader.post(path, {"since": day.isoformat()})
    run = JobRun.objects.filter(process=base.ACTIVITY).latest("pk")
    assert answer["Location"] == run.get_absolute_url()
    worlds.work()
    run.refresh_from_db()
    assert run.state == "succeeded" and run.facts["since"].startswith(day.isoformat())
    again = {pk: events for pk, events in ActivityDay.objects.values_list("pk", "events") if pk in counts}
    assert again == counts, "no day is counted twice"
    assert refreshed.coverage.get().since.date() == day
    entry = AuditEntry.objects.get(verb="asked to read the log again")
    assert entry.detail["since"] == day.isoformat()
    page = pages.text_of(reader.get(refreshed.jobs_url).content.decode())
    assert re.search(r"final until \d+ \w+ \d{4}", page)


def test_a_later_day_than_the_next_pull_needs_leaves_no_gap(refreshed: IntegrationProfile, reader: Any) -> None:
    before = refreshed.coverage.get()
    needed = intervals.next_since(refreshed, timezone.now())
    today = timezone.now().astimezone(UTC).date()
    assert needed.date() < today
    reader.post(f"/integration-profiles/{refreshed.pk}/read-again/", {"since": today.isoformat()})
    worlds.work()
    run = JobRun.objects.filter(process=base.ACTIVITY).latest("pk")
    assert run.state == "succeeded" and run.facts["since"] == needed.isoformat()
    after = refreshed.coverage.get()
    assert after.since == before.since and after.until >= before.until


@pytest.mark.parametrize(
    ("given", "said"),
    [("", "required"), ("soon", "valid date"), ("2019-01-01", "The earliest day is"), ("2999-01-01", "not come yet")],
)
def test_a_day_that_cannot_be_read_is_refused(
    refreshed: IntegrationProfile, reader: Any, given: str, said: str
) -> None:
    runs = JobRun.objects.count()
    answer = reader.post(f"/integration-profiles/{refreshed.pk}/read-again/", {"since": given})
    assert answer.status_code == 200 and said in answer.content.decode() and JobRun.objects.count() == runs


def test_reading_again_waits_for_the_pull_at_work_and_a_second_wish_is_told(
    refreshed: IntegrationProfile, reader: Any
) -> None:
    queue.request(queue.Request(base.ACTIVITY, JobRun.Trigger.MANUAL, profile=refreshed))
    path, day = f"/integration-profiles/{refreshed.pk}/read-again/", timezone.now().date().isoformat()
    reader.post(path, {"since": day})
    assert JobRun.objects.filter(process=base.ACTIVITY, state=JobRun.State.WAITING).count() == 1
    answer = reader.post(path, {"since": day}, follow=True)
    assert "Another pull waits already" in answer.content.decode()
    worlds.work_on()
    assert JobRun.objects.filter(process=base.ACTIVITY, state=JobRun.State.SUCCEEDED).count() == 3
