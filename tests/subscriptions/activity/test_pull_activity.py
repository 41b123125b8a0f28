"""Pulling user activity: who was active when, what the knowledge covers, and never a step backwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault, log
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from reclamation.find_candidates import FIND
from reclamation.reexamine import REEXAMINE
from subscriptions.activity import last_used, reading, store as activity
from subscriptions.activity.coverage import intervals, timeline
from subscriptions.models import ActivityCoverage, ActivityDay, LastActivity, Subscription
from subscriptions.rematch import MATCH
from tests import worlds

pytestmark = pytest.mark.django_db
EVENTS, MORE = "team_log/get_events", "team_log/get_events/continue"
LONG_WAIT = {"Retry-After": "600"}


@pytest.fixture
def connected(connected: Any, dropbox: Any) -> IntegrationProfile:
    """As a profile is made by default: analyzed from 60 days back. The vendor's time stands still, so its log does."""
    profile: IntegrationProfile = connected
    began = dropbox.now()
    dropbox.now = lambda: began
    profile.analyze_activity_from = timezone.now() - timedelta(days=60)
    profile.save()
    return profile


@pytest.fixture
def refreshed(connected: Any) -> IntegrationProfile:
    """A profile after its first whole refresh."""
    runs = worlds.work_on()
    assert [run.state for run in runs] == ["succeeded"] * 5, [(run.process, run.error_message) for run in runs]
    profile: IntegrationProfile = connected
    profile.refresh_from_db()
    return profile


def pull(profile: IntegrationProfile) -> JobRun:
    run, _ = queue.request(queue.Request(base.ACTIVITY, JobRun.Trigger.MANUAL, profile=profile))
    assert run
    worlds.work()
    run.refresh_from_db()
    return run


def clear() -> None:
    """As if nothing had been pulled yet."""
    ActivityDay.objects.all().delete()
    ActivityCoverage.objects.all().delete()
    JobRun.objects.filter(process=base.ACTIVITY).delete()


def latest() -> dict[str, datetime]:
    return dict(LastActivity.objects.values_list("subscription__external_id", "at"))


def days() -> dict[tuple[str, date], int]:
    found = ActivityDay.objects.values_list("subscription__external_id", "day", "events")
    return {(external_id, day): events for external_id, day, events in found}


def true_activity(dropbox: Any, since: datetime, until: datetime) -> dict[str, list[str]]:
    """What the sandbox's log says of its members, read by other means: every moment that counts, by member."""
    team, found = next(iter(dropbox.teams.values())), {}
    for event in log.events(team, since, until):
        actor = event.get("actor") or {}
        who = (actor.get("user") or actor.get("admin") or {}).get("team_member_id")
        worn = event["origin"]["access_method"][".tag"] == "sign_in_as"
        if who and not worn and event["event_type"][".tag"] != "login_fail":
            found.setdefault(who, []).append(event["timestamp"])
    return found


def test_after_connecting_every_active_seat_has_its_latest_activity_and_its_days(
    refreshed: IntegrationProfile, dropbox: Any
) -> None:
    since = intervals.midnight_of(refreshed.analyze_activity_from)
    truth = true_activity(dropbox, since, dropbox.now())
    seats = set(Subscription.objects.current().values_list("external_id", flat=True))
    counted = {who: moments for who, moments in truth.items() if who in seats}
    assert len(counted) > 100
    by_day: dict[tuple[str, date], int] = {}
    for who, moments in counted.items():
        for moment in moments:
            key = (who, date.fromisoformat(moment[:10]))
            by_day[key] = by_day.get(key, 0) + 1
    assert days() == by_day
    events = LastActivity.objects.filter(signal="event").values_list("subscription__external_id", "at")
    for who, at in events:
        assert at.strftime("%Y-%m-%dT%H:%M:%SZ") == max(counted[who])
    run = JobRun.objects.get(process=base.ACTIVITY)
    figures = run.counters
    not_counted = ("not_use", "not_member", "signed_in_as", "no_actor", "unknown_actor", "repeated", "set_aside")
    assert figures["read"] == figures["counted"] + sum(figures.get(name, 0) for name in not_counted)
    assert figures["of_seats"] + figures["of_nobody"] == figures["counted"]
    assert figures["of_seats"] == sum(by_day.values())


def test_no_trace_of_an_event_is_kept_beyond_who_when_and_what_kind(refreshed: IntegrationProfile) -> None:
    fields = {field.name for model in (LastActivity, ActivityDay) for field in model._meta.get_fields()}
    assert fields == {"subscription", "at", "kind", "signal", "run", "pk", "day", "events", "earlier", "pull"}
    assert set(LastActivity.objects.values_list("kind", flat=True)) <= {kind for _, kind, _ in log.DOINGS} | {
        "member_change_status",
        "desktop_client",
    }


def test_coverage_is_what_was_read_to_the_end_and_the_last_day_may_still_change(refreshed: IntegrationProfile) -> None:
    interval = refreshed.coverage.get()
    run = JobRun.objects.get(process=base.ACTIVITY)
    assert interval.since <= refreshed.analyze_activity_from
    assert abs(interval.until - run.started_at) < timedelta(minutes=1)
    assert interval.settled_until == interval.until - timedelta(hours=72)
    assert refreshed.activity_refreshed_at and refreshed.file_events is True
    figures = timeline.time_line_with_days(refreshed, timezone.now())
    assert figures["days"]["gap"] < 0.1 and 2.9 < figures["days"]["fresh"] <= 3.1
    assert sum(one.share for one in figures["stretches"]) == pytest.approx(100, abs=0.2)


def test_the_next_pull_reads_a_day_again_counts_nothing_twice_and_finds_what_came_late(
    refreshed: IntegrationProfile, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, known = days(), latest()
    seat = Subscription.objects.current().filter(status="active").order_by("pk").last()
    assert seat
    yesterday = dropbox.now().date() - timedelta(days=1)
    late = log.make_event(
        yesterday,
        23 * 3600,
        log.DOINGS[0],
        {".tag": "user", "user": {".tag": "team_member", "team_member_id": seat.external_id}},
    )
    real = log.events
    monkeypatch.setattr(log, "events", lambda *given: [late, *real(*given)])
    run = pull(refreshed)
    assert run.state == "succeeded"
    added = (seat.external_id, yesterday)
    after = days()
    assert after.pop(added) == before.pop(added, 0) + 1
    assert after == before
    assert latest()[seat.external_id] >= datetime.fromisoformat(late["timestamp"])
    assert all(at >= known[who] for who, at in latest().items() if who in known)
    assert refreshed.coverage.count() == 1


def test_an_activity_never_moves_backwards(refreshed: IntegrationProfile) -> None:
    future = timezone.now() + timedelta(hours=3)
    LastActivity.objects.update(at=future, kind="from a later pull")
    pull(refreshed)
    assert set(LastActivity.objects.values_list("at", "kind")) == {(future, "from a later pull")}


def test_pages_that_are_empty_with_more_to_come_end_nothing(
    refreshed: IntegrationProfile, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    from profiles.connectors.dropbox.sandbox import routes  # noqa: PLC0415

    plain = days()
    clear()

    def one_empty_page(call: Any) -> Any:
        place = {"since": call.sandbox.now() - timedelta(days=62), "until": call.sandbox.now()}
        cursor = {name: moment.isoformat() for name, moment in place.items()}
        cursor |= {"limit": 1000, "whole": False, "ends": False, "start": 0}
        return {"events": [], "cursor": routes.make_cursor(call, "events", cursor), "has_more": True}

    monkeypatch.setitem(routes.ROUTES, EVENTS, replace(routes.ROUTES[EVENTS], answer=one_empty_page))
    run = pull(refreshed)
    assert run.state == "succeeded" and run.pages > 1
    assert {key: n for key, n in days().items() if key in plain} == plain


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_forgotten_cursor_is_a_restart_that_counts_nothing_twice(connected: Any, dropbox: Any, nth: int) -> None:
    """F46: `reset` in the middle; what the first attempt counted is replaced."""
    worlds.work()
    told = {"error_summary": "reset/..", "error": {".tag": "reset", "reset": "2026-10-01T00:00:00Z"}}
    dropbox.faults.add(MORE, nth, Fault(status=409, body=told))
    worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    assert run.state == "succeeded" and len([w for w in run.warnings if "read again" in w]) == 1
    restarted = days()
    connected.refresh_from_db()
    clear()
    pull(connected)
    assert days() == restarted


def test_a_restart_forgets_what_the_batches_before_it_counted(
    connected: Any, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page is stored by itself, the third one is followed by a `reset`: the figures are those of one pass."""
    monkeypatch.setattr(reading, "BATCH_USES", 1)
    worlds.work()
    told = {"error_summary": "reset/..", "error": {".tag": "reset", "reset": "2026-10-01T00:00:00Z"}}
    dropbox.faults.add(MORE, 3, Fault(status=409, body=told))
    worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    found, figures = days(), {name: run.facts[name] for name in ("totals", "by_day", "last_use")}
    clear()
    plain = pull(connected)
    assert days() == found
    assert {name: plain.facts[name] for name in figures} == figures
    assert figures["totals"]["read"] == plain.counters["read"] == run.counters["read"]


def test_a_vendor_that_forgets_every_time_fails_the_run_and_proves_nothing(connected: Any, dropbox: Any) -> None:
    worlds.work()
    told = {"error_summary": "bad_cursor/..", "error": {".tag": "bad_cursor"}}
    dropbox.faults.add(MORE, None, Fault(status=409, body=told))
    worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    connected.refresh_from_db()
    assert run.state == "failed" and run.error_kind == "ListingReset"
    assert not connected.coverage.exists() and not connected.activity_refreshed_at
    assert connected.attention == "refresh_failed"


def test_a_pull_that_broke_off_goes_on_at_its_cursor(connected: Any, dropbox: Any, monkeypatch: Any) -> None:
    """F13, F43: the batch before the failure is stored with its cursor; the next run reads on from there."""
    monkeypatch.setattr(reading, "BATCH_USES", 1)
    worlds.work()
    dropbox.faults.add(MORE, 3, Fault(status=403, body={"error_summary": "x", "error": {".tag": "no_permission"}}))
    worlds.work_on()
    broken = JobRun.objects.get(process=base.ACTIVITY)
    assert broken.state == "failed" and broken.pages == 3 and broken.cursor and not connected.coverage.exists()
    asked = [route for route, _ in dropbox.log].count(EVENTS)
    run = pull(connected)
    assert run.state == "succeeded"
    assert [route for route, _ in dropbox.log].count(EVENTS) == asked, "it did not begin again"
    counted = days()
    clear()
    pull(connected)
    assert days() == counted


@pytest.mark.parametrize("days_later", [0.1, 1.9, 2.1, 30])
def test_a_run_whose_worker_was_lost_counts_nothing_twice_however_late_another_one_goes_on(
    connected: Any, dropbox: Any, monkeypatch: Any, days_later: float
) -> None:
    """Within two days the run goes on at its cursor; later it reads from the first page again."""
    monkeypatch.setattr(reading, "BATCH_USES", 1)
    worlds.work()
    dropbox.faults.add(MORE, 3, Fault(status=429, body={"error": {".tag": "too_many_requests"}}, headers=LONG_WAIT))
    worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    assert run.state == "queued" and run.pages == 3 and run.cursor
    asked = [route for route, _ in dropbox.log].count(EVENTS)
    JobRun.objects.filter(pk=run.pk).update(not_before=None, cursor_at=Now() - timedelta(days=days_later))
    worlds.work_on()
    assert JobRun.objects.get(pk=run.pk).state == "succeeded"
    assert [route for route, _ in dropbox.log].count(EVENTS) == asked + (days_later > 2)
    counted = days()
    clear()
    pull(connected)
    assert days() == counted


@pytest.mark.parametrize("back", [0.9, 0.4, 0.0], ids=["most of the page", "a part of it", "nothing"])
def test_a_vendor_that_repeats_a_page_to_the_next_worker_makes_no_day_look_busier(
    connected: Any, dropbox: Any, monkeypatch: pytest.MonkeyPatch, back: float
) -> None:
    """A count that is too high would be held against every later reading, and nothing be covered any more."""
    from dataclasses import replace  # noqa: PLC0415

    from profiles.connectors.dropbox.sandbox import routes  # noqa: PLC0415

    monkeypatch.setattr(reading, "BATCH_USES", 1)
    real, places = routes.ROUTES[MORE], []

    def go_back(call: Any) -> Any:
        place = routes.read_cursor(call, "events", call.argument["cursor"])
        places.append(place)
        if len(places) == 3:
            earlier = {**place, "start": place["start"] - int(back * place["limit"])}
            call = replace(call, argument={"cursor": routes.make_cursor(call, "events", earlier)})
        return real.answer(call)

    monkeypatch.setitem(routes.ROUTES, MORE, replace(real, answer=go_back))
    worlds.work()
    dropbox.faults.add(MORE, 3, Fault(status=429, body={"error": {".tag": "too_many_requests"}}, headers=LONG_WAIT))
    worlds.work_on()
    run = JobRun.objects.get(process=base.ACTIVITY)
    assert run.state == "queued" and len(run.facts["last_page"]) > 500
    JobRun.objects.filter(pk=run.pk).update(not_before=None)
    worlds.work_on()
    run.refresh_from_db()
    assert run.state == "succeeded" and run.facts["last_page"] == [] and len(places) > 3
    assert (run.counters["repeated"] >= int(back * 500)) and run.facts["by_day"]
    found, by_day = days(), run.facts["by_day"]
    clear()
    plain = pull(connected)
    assert days() == found and plain.facts["by_day"] == by_day


def test_a_gap_stays_a_gap_until_it_has_been_read(refreshed: IntegrationProfile) -> None:
    """A fortnight without a pull is unknown; the next pull reads from before the gap, and closes it."""
    now = timezone.now()
    refreshed.coverage.update(until=now - timedelta(days=14))
    assert timeline.time_line_with_days(refreshed, now)["days"]["gap"] == pytest.approx(14, abs=0.1)
    assert intervals.next_since(refreshed, now) <= now - timedelta(days=15)
    pull(refreshed)
    assert timeline.time_line_with_days(refreshed, timezone.now())["days"]["gap"] < 0.1
    assert refreshed.coverage.count() == 1


def test_intervals_that_touch_become_one_and_a_hole_between_them_stays(draft: Any) -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)

    def add(start: int, end: int) -> list[tuple[int, int]]:
        since, until = day + timedelta(days=start), day + timedelta(days=end)
        intervals.add_reading(
            draft, intervals.Reading(team_id="", since=since, until=until, started=until, run_id=None)
        )
        return [((one.since - day).days, (one.until - day).days) for one in draft.coverage.order_by("since")]

    assert add(0, 2) == [(0, 2)]
    assert add(5, 6) == [(0, 2), (5, 6)]
    assert add(2, 3) == [(0, 3), (5, 6)]
    assert add(1, 9) == [(0, 9)]
    assert add(4, 4) == [(0, 9)]


def allow_sessions(client: Any, profile: Any, dropbox: Any) -> None:
    """As an administrator does it: the button, the consent page, the way back."""
    client.get(worlds.consent(dropbox, worlds.press(client, profile, sessions="1")))


def test_a_plan_without_file_events_is_seen_said_and_device_sessions_help(
    connected: Any, dropbox: Any, integrator: Any, monkeypatch: Any
) -> None:
    from profiles.connectors.dropbox.sandbox import routes  # noqa: PLC0415

    off = {".tag": "enabled", "enabled": False}
    monkeypatch.setitem(routes.FEATURES, "has_team_file_events", off)
    monkeypatch.setattr("profiles.connectors.dropbox.sandbox.log.events", lambda *given: iter(()))
    allow_sessions(integrator, connected, dropbox)
    worlds.work_on()
    connected.refresh_from_db()
    run = JobRun.objects.filter(process=base.ACTIVITY).first()
    assert run is not None and run.state == "succeeded"
    assert connected.file_events is False and any("no file events" in warning for warning in run.warnings)
    assert LastActivity.objects.filter(signal="session", kind="desktop_client").count() > 50
    sessions = dict(LastActivity.objects.filter(signal="session").values_list("subscription", "at"))
    days = ActivityDay.objects.values_list("subscription", "day", "events", "earlier")
    assert {(seat, at.date(), 0, 0) for seat, at in sessions.items()} <= set(days)
    assert not ActivityDay.objects.exclude(events=0, earlier=0).exists(), "a session says when, not how often"
    assert last_used.has_read_sessions(connected)
    connected.team_since = timezone.now() + timedelta(days=1)
    assert not last_used.has_read_sessions(connected), "those of another team"


@pytest.mark.parametrize(("times", "told"), [(1, False), (3, True)])
def test_a_forgotten_place_among_the_devices_costs_no_events(
    connected: Any, dropbox: Any, integrator: Any, times: int, told: bool
) -> None:
    """`reset` of list_members_devices: looked at again from the start, and given up with a warning."""
    allow_sessions(integrator, connected, dropbox)
    body = {"error_summary": "reset/.", "error": {".tag": "reset"}}
    for nth in range(1, times + 1):
        dropbox.faults.add("team/devices/list_members_devices", nth, Fault(status=409, body=body))
    worlds.work_on()
    run = JobRun.objects.filter(process=base.ACTIVITY).last()
    assert run is not None and run.state == "succeeded" and connected.coverage.exists()
    assert any("Device sessions could not be read" in warning for warning in run.warnings) is told


@pytest.mark.parametrize("spell", [str, str.upper, str.title])
def test_an_actor_known_by_an_address_only_is_found_in_whatever_case(
    refreshed: IntegrationProfile, spell: Callable[[str], str]
) -> None:
    own, second = [refreshed.subscriptions.filter(email__gt="").order_by("pk")[at] for at in (0, 1)]
    refreshed.subscriptions.filter(pk=second.pk).update(secondary_emails="x@other.example\nAlt@Other.example")
    LastActivity.objects.all().delete()
    found = stored(refreshed, spell(own.email), spell("alt@other.example"), "guest@elsewhere.example")
    assert (found.known, found.nobody) == (2, 1)
    assert set(LastActivity.objects.values_list("subscription_id", flat=True)) == {own.pk, second.pk}


def test_a_kind_nobody_knows_counts_and_the_run_says_so(refreshed: IntegrationProfile, dropbox: Any) -> None:
    seat = refreshed.subscriptions.order_by("pk")[0]
    LastActivity.objects.all().delete()
    event = {
        "timestamp": "2026-11-01T10:00:00Z",
        "event_category": {".tag": "telepathy"},
        "event_type": {".tag": "thought_shared"},
        "details": {".tag": "thought_shared_details"},
        "actor": {".tag": "user", "user": {".tag": "team_member", "team_member_id": seat.external_id}},
    }
    dropbox.faults.add(EVENTS, 1, Fault(status=200, body={"events": [event], "cursor": "c", "has_more": False}))
    run = pull(refreshed)
    assert LastActivity.objects.get().subscription_id == seat.pk
    assert run.warnings[0] == "Unknown kind of event, counted as use to be safe: telepathy: thought_shared"
    assert "for which it held" in run.warnings[1], "and a log with one event where hundreds were is not believed"


def test_an_address_that_two_seats_have_credits_neither(refreshed: IntegrationProfile) -> None:
    pks = list(refreshed.subscriptions.values_list("pk", flat=True)[:2])
    refreshed.subscriptions.filter(pk__in=pks).update(secondary_emails="both@other.example")
    assert stored(refreshed, "both@other.example").nobody == 1


def test_an_address_is_found_however_it_is_composed_and_a_dotless_i_is_no_i(refreshed: IntegrationProfile) -> None:
    jose, mike, paul = refreshed.subscriptions.order_by("pk")[:3]
    for one, address in ((jose, "jos\u00e9@acme.example"), (mike, "mike@acme.example")):
        refreshed.subscriptions.filter(pk=one.pk).update(email=address)
    refreshed.subscriptions.filter(pk=paul.pk).update(secondary_emails="Zo\u00eb@acme.example")
    LastActivity.objects.all().delete()
    found = stored(refreshed, "JOSE\u0301@acme.example", "m\u0131ke@acme.example", "ZOE\u0308@acme.example")
    assert (found.known, found.nobody) == (2, 1)
    assert set(LastActivity.objects.values_list("subscription_id", flat=True)) == {jose.pk, paul.pk}


def stored(profile: IntegrationProfile, *addresses: str) -> activity.Stored:
    now, uses = timezone.now(), base.Uses()
    uses.held[now.toordinal()] = {("", address): base.DayUse(1, now, "login_success") for address in addresses}
    with transaction.atomic():
        return activity.store_batch(profile, uses, run_id=JobRun.objects.latest("pk").pk, reading=0, signal="event")


def test_without_the_scope_for_sessions_nobody_asks_for_them(refreshed: IntegrationProfile, dropbox: Any) -> None:
    assert "team/devices/list_members_devices" not in [route for route, _ in dropbox.log]


def test_a_failed_download_stops_the_chain_before_people_and_activity(connected: Any, dropbox: Any) -> None:
    dropbox.faults.add("team/members/list_v2", None, Fault(status=403, body={"error": {".tag": "no_permission"}}))
    worlds.work_on()
    assert JobRun.objects.get(process=base.DOWNLOAD).state == "failed"
    assert not JobRun.objects.filter(process__in=[MATCH, base.ACTIVITY]).exists()


def test_a_switched_off_process_is_not_pulled(connected: Any) -> None:
    IntegrationProfile.objects.update(pull_activity=False)
    runs = worlds.work_on()
    assert {run.process for run in runs} == {base.DOWNLOAD, MATCH, REEXAMINE, FIND}
