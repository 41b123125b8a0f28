"""Seats that vanish from a list: which end, which are held until a person confirms, and which stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.models import JobRun
from subscriptions.download import download
from subscriptions.models import Subscription
from tests import factories
from tests.subscriptions import download_world as world
from tests.subscriptions.download_world import current, ids, refresh, rows, seat, seats

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_an_account_the_vendor_calls_removed_has_no_seat(tenant, profile):
    tenant.members = seats(5)
    refresh(profile)
    tenant.members = [*seats(4), seat("u4", status="removed"), seat("u9", status="removed")]
    run = refresh(profile, days=1)
    assert (run.counters["seen"], run.counters["removed"], run.counters["ended"]) == (4, 2, 1)
    assert current(profile) == ids(seats(4))


def test_a_record_that_was_set_aside_keeps_its_seat(tenant, profile):
    tenant.members = seats(6)
    refresh(profile)
    before = rows(profile)
    odd = base.SetAside(reason="status: expected an object", external_id="dbmid:u5")
    tenant.members = [*seats(4), odd]  # u4 is gone, u5 is only unreadable

    run = refresh(profile, days=1)

    assert (run.state, run.counters["set_aside"], run.counters["ended"]) == (JobRun.State.SUCCEEDED, 1, 1)
    assert current(profile) == ids(seats(4)) | {"dbmid:u5"}
    assert rows(profile)[5] == before[5]
    assert run.warnings == ["Skipped dbmid:u5: status: expected an object"]


def test_a_record_without_a_readable_id_lets_nothing_end(tenant, profile):
    tenant.members = seats(6)
    refresh(profile)
    tenant.members = [*seats(5), seat("new"), base.SetAside(reason="no id")]
    run = refresh(profile, days=1)

    assert run.state == JobRun.State.HELD
    assert (run.counters["ended"], run.counters["withheld"], run.counters["new"]) == (0, 1, 1)
    assert "have no readable id" in run.error_message
    assert current(profile) == ids(seats(6)) | {"dbmid:new"}


def test_only_the_first_fifty_records_set_aside_are_noted(tenant, profile):
    tenant.page_size = 500
    tenant.members = [*seats(2), *(base.SetAside(reason="odd", external_id=f"dbmid:o{n}") for n in range(70))]
    run = refresh(profile)
    assert (run.counters["set_aside"], len(run.warnings)) == (70, download.MOST_NOTED)


def test_an_empty_list_of_a_vendor_that_counts_accounts_fails_and_touches_nothing(tenant, profile):
    tenant.members = seats(5)
    refresh(profile)
    before = rows(profile)
    tenant.members, tenant.provisioned = [], 5
    for accept_drop in (False, True):
        run = refresh(profile, days=1, accept_drop=accept_drop)
        assert (run.state, run.error_kind) == (JobRun.State.FAILED, "ProtocolError")
        assert "counts 5" in run.error_message
        assert rows(profile) == before


@pytest.mark.parametrize(("provisioned", "state", "left"), [(None, "held", 5), (0, "succeeded", 0)])
def test_an_empty_list_ends_seats_only_if_the_vendor_counts_none_and_a_person_agrees(
    tenant, profile, provisioned, state, left
):
    tenant.members = seats(5)
    refresh(profile)
    tenant.members, tenant.provisioned = [], provisioned
    assert refresh(profile, days=1).state == JobRun.State.HELD
    assert len(current(profile)) == 5

    assert refresh(profile, days=2, accept_drop=True).state == state
    assert len(current(profile)) == left


def test_a_first_download_of_an_empty_tenant_is_fine(tenant, profile):
    tenant.provisioned = 0
    assert refresh(profile).state == JobRun.State.SUCCEEDED


@pytest.mark.parametrize(
    ("had", "gone", "state"), [(3, 2, "succeeded"), (4, 3, "held"), (50, 5, "succeeded"), (50, 6, "held")]
)
def test_more_than_two_and_a_tenth_may_not_end_unasked(tenant, profile, had, gone, state):
    tenant.members = seats(had)
    refresh(profile)
    tenant.members = seats(had - gone)
    run = refresh(profile, days=1)
    assert run.state == state
    assert len(current(profile)) == (had - gone if state == "succeeded" else had)


def test_a_held_drop_is_explained_publishes_the_rest_and_ends_after_a_confirmation(tenant, profile):
    tenant.members = seats(50)
    refresh(profile)
    tenant.members = [seat("u0", surname="Changed"), *seats(29, first=1), seat("new")]

    held = refresh(profile, days=1)

    assert (held.state, held.counters["withheld"], held.counters["ended"]) == (JobRun.State.HELD, 20, 0)
    assert "20 of 50 current subscriptions" in held.error_message
    assert "confirm" in held.error_message
    assert Subscription.objects.get(external_id="dbmid:u0").surname == "Changed"
    assert len(current(profile)) == 51
    profile.refresh_from_db()
    assert (profile.attention, profile.refreshed_at) == ("refresh_held", world.NOW)

    confirmed = refresh(profile, days=1, accept_drop=True)
    assert (confirmed.state, confirmed.counters["ended"]) == (JobRun.State.SUCCEEDED, 20)
    assert current(profile) == ids(tenant.members)


def test_a_confirmation_covers_only_the_drop_that_was_shown(tenant, profile):
    tenant.members = seats(50)
    refresh(profile)
    tenant.members = seats(30)
    refresh(profile, days=1)
    tenant.members = seats(5)
    run = refresh(profile, days=1, accept_drop=True)
    assert run.state == JobRun.State.HELD
    assert "45 subscriptions are missing now, but only 20 were confirmed" in run.error_message
    assert len(current(profile)) == 50


def test_a_list_shorter_than_the_vendors_own_count_ends_nothing(tenant, profile):
    tenant.members = seats(50)
    refresh(profile)
    tenant.members, tenant.provisioned = seats(46), 60
    run = refresh(profile, days=1)
    assert run.state == JobRun.State.HELD
    assert "listed 46 accounts but counts 60" in run.error_message
    assert len(current(profile)) == 50


def test_a_short_list_with_nothing_to_end_is_published_with_a_warning(tenant, profile):
    tenant.members, tenant.provisioned = seats(40), 60
    run = refresh(profile)
    assert run.state == JobRun.State.SUCCEEDED
    assert run.warnings == ["The vendor counts 60 accounts but listed 40."]


def test_the_accounts_set_aside_count_as_listed(tenant, profile):
    tenant.members = seats(50)
    refresh(profile)
    odd = [base.SetAside(reason="odd", external_id=f"dbmid:u{n}") for n in range(38, 49)]
    tenant.members, tenant.provisioned = [*seats(38), *odd], 49
    run = refresh(profile, days=1)
    assert (run.state, run.counters["ended"]) == (JobRun.State.SUCCEEDED, 1)


def reclaim(profile, *names, ago=timedelta(0)):
    """What a reclaim run does when the vendor has removed the accounts."""
    ours = factories.run(profile=profile, process=base.RECLAIM, state="succeeded")
    removed = Subscription.objects.filter(external_id__in=[f"dbmid:{name}" for name in names])
    at = timezone.now() - ago
    removed.update(ended_at=at, freed_at=at, changed_at=at, ended_by_run=ours, status="removed")


def restore(profile, *names):
    """What a run does when the vendor has taken the accounts back."""
    back = Subscription.objects.filter(external_id__in=[f"dbmid:{name}" for name in names])
    back.update(ended_at=None, freed_at=None, ended_by_run=None, status="active", changed_at=timezone.now())


@pytest.mark.parametrize("names", [("u0",), ("u5",), ("u0", "u3", "u5")])
@pytest.mark.parametrize("page", [1, 3])
def test_a_seat_that_we_removed_while_the_list_is_read_does_not_return(tenant, profile, names, page):
    tenant.members, tenant.provisioned = seats(6), 6
    refresh(profile)
    tenant.before = {page: lambda: reclaim(profile, *names)}
    run = refresh(profile, days=1)
    left = {f"dbmid:u{n}" for n in range(6)} - {f"dbmid:{name}" for name in names}
    assert (run.state, run.counters["returned"], run.counters["seen"]) == (JobRun.State.SUCCEEDED, 0, len(left))
    assert current(profile) == left and run.warnings == []
    assert set(Subscription.objects.ended().values_list("ended_by_run__process", flat=True)) == {base.RECLAIM}


def test_who_was_removed_while_the_list_is_read_hides_nobody_who_is_missing(tenant, profile):
    tenant.page_size = 100
    tenant.members, tenant.provisioned = seats(300), 300
    refresh(profile)

    def remove():
        reclaim(profile, *(f"u{n}" for n in range(50)))
        tenant.provisioned = 250

    tenant.members, tenant.before = seats(250), {2: remove}  # fifty others are cut off
    run = refresh(profile, days=1)
    assert (run.state, run.counters["withheld"], len(current(profile))) == (JobRun.State.HELD, 50, 250)


@pytest.mark.parametrize(("ago", "returned"), [(timedelta(minutes=1), 0), (timedelta(minutes=55), 0), (DAY, 1)])
def test_what_we_removed_returns_only_when_a_list_can_no_longer_lag(tenant, profile, ago, returned):
    tenant.members = seats(6)
    refresh(profile)
    reclaim(profile, "u1", ago=ago)
    assert refresh(profile, days=1).counters["returned"] == returned
    assert ("dbmid:u1" in current(profile)) == bool(returned)


def test_a_seat_that_vanished_by_itself_returns_at_once(tenant, profile):
    tenant.members = seats(6)
    refresh(profile)
    tenant.members = seats(5)
    refresh(profile, days=1)
    Subscription.objects.ended().update(ended_at=timezone.now(), changed_at=timezone.now())
    tenant.members = seats(6)
    assert refresh(profile, days=2).counters["returned"] == 1


@pytest.mark.parametrize("number", [1, 20])
@pytest.mark.parametrize("still_called_removed", [False, True])
def test_a_seat_that_was_restored_while_the_list_is_read_does_not_end(tenant, profile, number, still_called_removed):
    tenant.page_size = 20
    tenant.members, tenant.provisioned = seats(60), 60
    refresh(profile)
    names = [f"u{n}" for n in range(number)]
    reclaim(profile, *names, ago=DAY)
    gone = [seat(name, status="removed") for name in names] if still_called_removed else []
    tenant.members, tenant.provisioned = [*gone, *seats(60 - number, first=number)], 60 - number
    refresh(profile, days=1)

    def back():
        restore(profile, *names)
        tenant.provisioned = 60

    tenant.before = {2: back}
    run = refresh(profile, days=2)
    assert (run.state, run.counters["ended"], run.warnings) == (JobRun.State.SUCCEEDED, 0, [])
    assert len(current(profile)) == 60
    tenant.members = seats(60)
    assert refresh(profile, days=3).counters["seen"] == 60


def test_a_seat_that_was_restored_and_left_again_ends_with_the_next_list(tenant, profile):
    tenant.members = seats(6)
    refresh(profile)
    reclaim(profile, "u0", ago=DAY)
    restore(profile, "u0")
    tenant.members = seats(5, first=1)
    assert refresh(profile, days=1).counters["ended"] == 1
