"""Seats that are listed again: when they returned, and that a list too old to know of our removal brings none back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from profiles.models import IntegrationProfile, JobRun
from samsaas.lib import sql
from subscriptions.models import Subscription
from tests.subscriptions.download_world import NOW, current, execute, ids, queue_run, refresh, seat, seats

pytestmark = pytest.mark.django_db


def stored(name: str) -> Subscription:
    return Subscription.objects.get(external_id=f"dbmid:{name}")


def remove_ourselves(name: str, *, at: Any) -> None:
    """As our own removal ends a seat."""
    Subscription.objects.filter(external_id=f"dbmid:{name}").update(freed_at=at, ended_at=at, status="removed")


def listed_at(profile: IntegrationProfile, hours: float) -> JobRun:
    """A download whose list began so many hours after the story's beginning, however early it was requested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "database_now", lambda: NOW + timedelta(hours=hours))
        return execute(queue_run(profile), days=hours / 24)


def test_a_seat_that_ended_and_is_listed_again_has_returned_then(tenant: Any, profile: IntegrationProfile) -> None:
    tenant.members = seats(5)
    refresh(profile)
    tenant.members = seats(4)
    refresh(profile, days=1)
    tenant.members = [seat("u3", surname="Married"), *seats(3), seat("u4")]
    run = refresh(profile, days=2)
    assert (run.counters["returned"], run.counters["changed"]) == (1, 1)
    assert stored("u4").returned_at == NOW + timedelta(days=2)
    assert stored("u3").returned_at is None, "it only changed"
    refresh(profile, days=3)
    assert stored("u4").returned_at == NOW + timedelta(days=2)


@pytest.mark.parametrize(
    ("hours", "returns"), [(-0.5, False), (0, False), (0.99, False), (1, True), (24, True)], ids=str
)
def test_a_list_from_before_or_shortly_after_our_removal_does_not_bring_the_seat_back(
    tenant: Any, profile: IntegrationProfile, hours: float, returns: bool
) -> None:
    """The vendor's list may lag behind its removal, and a download may have begun before it."""
    tenant.members = seats(5)
    refresh(profile)
    remove_ourselves("u4", at=NOW)
    run = listed_at(profile, hours)
    assert run.state == "succeeded" and run.counters["returned"] == returns
    assert (stored("u4").ended_at is None) is returns
    assert (stored("u4").returned_at is not None) is returns
    counted = sum(run.counters[key] for key in ("new", "changed", "returned", "unchanged"))
    assert run.counters["seen"] == counted == 4 + returns, "what is older than our removal is no news of the account"


def test_who_vanishes_ends_although_the_list_still_shows_whom_we_removed(
    tenant: Any, profile: IntegrationProfile
) -> None:
    tenant.members = seats(5)
    refresh(profile)
    remove_ourselves("u4", at=NOW)
    tenant.members = [*seats(3), seat("u4")]
    run = listed_at(profile, 0.5)
    assert run.counters["ended"] == 1 and current(profile) == ids(seats(3))


def test_a_seat_that_the_vendor_removed_returns_whenever_it_is_listed(tenant: Any, profile: IntegrationProfile) -> None:
    tenant.members = seats(5)
    refresh(profile)
    Subscription.objects.filter(external_id="dbmid:u4").update(ended_at=NOW)
    assert listed_at(profile, 0.1).counters["returned"] == 1
