"""Seats that vanish from a list: which end, which are held until a person confirms, and which stay."""

from __future__ import annotations

import pytest

from profiles.connectors import base
from profiles.models import JobRun
from subscriptions.download import download
from subscriptions.models import Subscription
from tests.subscriptions import download_world as world
from tests.subscriptions.download_world import current, ids, refresh, rows, seat, seats

pytestmark = pytest.mark.django_db


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
