"""Publishing a staged list: what changes and what does not, and that it is all or nothing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from subscriptions.download import differences, publish
from subscriptions.models import Subscription
from tests.subscriptions import download_world as world
from tests.subscriptions.download_world import NOW, current, execute, ids, queue_run, refresh, rows, seat, seats

pytestmark = pytest.mark.django_db


def adds_up(run: JobRun) -> bool:
    counted = run.counters
    return counted["seen"] == sum(counted[key] for key in ("new", "changed", "returned", "unchanged"))


def test_unchanged_data_writes_no_row(tenant, profile):
    tenant.members = seats(30)
    refresh(profile)
    before = rows(profile)

    run = refresh(profile, days=1)

    assert rows(profile) == before
    assert (run.counters["unchanged"], run.counters["seen"]) == (30, 30)
    assert adds_up(run)
    profile.refresh_from_db()
    assert profile.refreshed_at == world.NOW + timedelta(days=1)


def test_only_what_differs_is_touched_and_the_counters_add_up(tenant, profile):
    tenant.members = seats(40)
    refresh(profile)
    tenant.members = [seat("u1", surname="Married"), *seats(36, first=2), *seats(2, first=90)]
    # u0 is gone, u1 changed, u38 and u39 are gone too, u90 and u91 are new
    run = refresh(profile, days=1)

    assert run.state == JobRun.State.SUCCEEDED
    assert {key: run.counters[key] for key in ("seen", "new", "changed", "returned", "unchanged", "ended")} == {
        "seen": 39,
        "new": 2,
        "changed": 1,
        "returned": 0,
        "unchanged": 36,
        "ended": 3,
    }
    touched = Subscription.objects.filter(changed_at__gt=world.NOW).values_list("external_id", flat=True)
    assert {name.removeprefix("dbmid:") for name in touched} == {"u0", "u1", "u38", "u39", "u90", "u91"}
    ended = Subscription.objects.get(external_id="dbmid:u0")
    assert (ended.ended_at, ended.ended_by_run_id) == (world.NOW + timedelta(days=1), run.pk)
    assert current(profile) == ids(tenant.members)


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": "limited"},
        {"email_verified": True},
        {"secondary_emails": ("x@example.com",)},
        {"is_admin": True, "roles": ("Team",)},
        {"consumes_license": False},
        {"assigned_at": None},
        {"suspended_at": world.NOW, "status": "suspended", "vendor_status": "suspended"},
    ],
)
def test_a_change_of_any_field_there_and_back_is_seen(tenant, profile, change):
    tenant.members = seats(4)
    refresh(profile)
    first = rows(profile)
    tenant.members = [seat("u0", **change), *seats(3, first=1)]
    assert refresh(profile, days=1).counters["changed"] == 1
    tenant.members = seats(4)
    assert refresh(profile, days=2).counters["changed"] == 1

    moments = {"changed_at": None, "valid_since": None}
    assert [{**row, **moments} for row in rows(profile)] == [{**row, **moments} for row in first]


def test_a_seat_that_returns_is_the_row_it_was(tenant, profile):
    tenant.members = seats(5)
    refresh(profile)
    known = Subscription.objects.get(external_id="dbmid:u4")
    tenant.members = seats(4)
    assert refresh(profile, days=1).counters["ended"] == 1
    tenant.members = [*seats(4), seat("u4", surname="Back")]

    run = refresh(profile, days=2)

    back = Subscription.objects.get(external_id="dbmid:u4")
    assert (run.counters["returned"], run.counters["new"], adds_up(run)) == (1, 0, True)
    assert (back.pk, back.first_seen_at, back.surname) == (known.pk, known.first_seen_at, "Back")
    assert (back.ended_at, back.ended_by_run) == (None, None)


def test_a_seat_that_another_team_had_is_known_anew_and_nothing_was_read_for_it(tenant, profile):
    tenant.members = seats(3)
    refresh(profile)
    long_ago = NOW - timedelta(days=90)
    Subscription.objects.update(known_since=long_ago, read_from=long_ago)
    profile.team_since = timezone.now() - timedelta(hours=1)
    profile.save()
    tenant.members = seats(2)
    refresh(profile, days=1)
    by_now = {seat.external_id: (seat.read_from, seat.known_since >= profile.team_since) for seat in found()}
    assert by_now == {"dbmid:u0": (None, True), "dbmid:u1": (None, True), "dbmid:u2": (long_ago, False)}

    Subscription.objects.update(read_from=long_ago)
    since = {seat.external_id: seat.known_since for seat in found()}
    tenant.members = [seat("u0", surname="Changed"), seat("u1")]
    refresh(profile, days=2)
    assert {seat.external_id: (seat.read_from, seat.known_since) for seat in found()} == {
        name: (long_ago, known) for name, known in since.items()
    }


def found():
    return list(Subscription.objects.order_by("external_id"))


def test_an_account_listed_twice_is_one_seat_and_the_later_record_counts(tenant, profile):
    tenant.members = [seat("ada", surname="Old"), seat("bob"), seat("ada", surname="New"), seat("ada", surname="Last")]
    run = refresh(profile)

    assert (run.counters["seen"], run.counters["duplicates"]) == (2, 2)
    assert Subscription.objects.get(external_id="dbmid:ada").surname == "Last"


def test_two_accounts_whose_mail_differs_in_case_stay_two_seats(tenant, profile):
    tenant.members = [seat("one", email="Ada@example.com"), seat("two", email="ada@EXAMPLE.com"), seat("ONE")]
    assert refresh(profile).counters["seen"] == 3
    assert refresh(profile).counters["unchanged"] == 3
    assert Subscription.objects.count() == 3


def test_profiles_do_not_touch_each_other(tenant, profile):
    other = world.make_profile("Other")
    tenant.members = seats(5)
    refresh(profile)
    refresh(other)
    tenant.members = seats(4)
    refresh(profile, days=1)
    assert current(other) == ids(seats(5))
    assert current(profile) == ids(seats(4))


@pytest.mark.parametrize("step", ["update_changed", "insert_new", "find_gone", "end_gone", "clean_up"])
def test_an_error_in_the_middle_of_publishing_leaves_the_old_list(tenant, profile, monkeypatch, step):
    tenant.members = seats(6)
    refresh(profile)
    before = rows(profile)
    tenant.members = [seat("u0", surname="Changed"), *seats(4, first=1), seat("new")]
    real = getattr(differences, step)

    def broken(*args, **kwargs):
        real(*args, **kwargs)
        raise DatabaseError("disk full")

    monkeypatch.setattr(differences, step, broken)
    run = refresh(profile, days=1)
    assert run.state == JobRun.State.FAILED
    assert rows(profile) == before
    profile.refresh_from_db()
    assert profile.refreshed_at == world.NOW


def test_a_lease_lost_while_publishing_undoes_it(tenant, profile, monkeypatch):
    tenant.members = seats(6)
    refresh(profile)
    before = rows(profile)
    tenant.members = [*seats(5), seat("new")]
    run = queue_run(profile)
    real = differences.insert_new

    def taken_over(*args, **kwargs):
        real(*args, **kwargs)
        JobRun.objects.filter(pk=run.pk).update(generation=99)

    monkeypatch.setattr(differences, "insert_new", taken_over)
    execute(run)
    assert rows(profile) == before


def test_publishing_again_after_a_crash_behind_the_commit_changes_nothing(tenant, profile, monkeypatch):
    tenant.members = seats(6)
    run = queue_run(profile)
    real = publish.run

    def publish_and_die(*args, **kwargs):
        real(*args, **kwargs)
        raise world.Killed

    with monkeypatch.context() as patch, pytest.raises(world.Killed):
        patch.setattr(publish, "run", publish_and_die)
        execute(run)
    published = rows(profile)
    assert len(published) == 6
    world.lose_worker(run)

    assert execute(run).state == JobRun.State.SUCCEEDED
    assert rows(profile) == published


def test_a_thousand_accounts_cost_as_many_queries_as_thirty(tenant, profile):
    tenant.page_size = 2000
    tenant.members = seats(1)
    refresh(profile)
    counts = []
    for number in (30, 1000):
        tenant.members = seats(number)
        target = world.make_profile(f"Profile {number}")
        with CaptureQueriesContext(connection) as queries:
            refresh(target)
        counts.append(len(queries))
        assert Subscription.objects.filter(profile=target).count() == number
    assert counts[0] == counts[1]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite's own machine")
def test_four_times_the_rows_cost_about_four_times_the_steps(tenant, profile):
    def steps(number: int) -> int:
        target = world.make_profile(f"Profile {number}")
        tenant.members = seats(number)
        refresh(target)
        tenant.members = [*seats(number - number // 20), *seats(number // 4), *seats(number // 20, first=number)]
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        connection.connection.set_progress_handler(step, 100)
        run = refresh(target, days=1)
        connection.connection.set_progress_handler(None, 0)
        assert (run.counters["ended"], run.counters["duplicates"]) == (number // 20, number // 4)
        return count

    tenant.page_size = 5000
    steps(40)
    assert steps(4000) < 6 * steps(1000)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a second connection to the test database")
def test_while_one_publishes_readers_see_the_old_list_and_another_publisher_waits(tenant, profile, monkeypatch):
    tenant.members = seats(6)
    refresh(profile)
    tenant.members = [*seats(5), seat("new")]
    written, go_on = threading.Event(), threading.Event()
    real = differences.insert_new

    def pause(*args, **kwargs):
        real(*args, **kwargs)
        written.set()
        assert go_on.wait(20)

    monkeypatch.setattr(differences, "insert_new", pause)

    run = queue_run(profile)

    def work() -> None:
        try:
            execute(run, days=1)
        finally:
            connection.close()

    publisher = threading.Thread(target=work)
    publisher.start()
    assert written.wait(20)
    try:
        assert current(profile) == ids(seats(6))
        with pytest.raises(OperationalError), transaction.atomic():
            IntegrationProfile.objects.select_for_update(no_key=True, nowait=True).get(pk=profile.pk)
        with transaction.atomic():  # the heartbeat is not held up
            assert JobRun.objects.select_for_update(nowait=True).get(pk=run.pk)
    finally:
        go_on.set()
        publisher.join(20)
    assert current(profile) == ids(tenant.members)
