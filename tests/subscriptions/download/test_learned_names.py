"""A name that moves to a seat may bring use with it that the log was read for before: it is read again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from samsaas.lib import sql
from subscriptions.activity import last_used, store
from subscriptions.activity.coverage import intervals
from subscriptions.models import NameInLog, Subscription
from tests.subscriptions.download_world import TEAM, refresh, seat

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEW = {"email": {"email": "NEW@x.example"}, "account": {"account_id": "dbid:new"}}
GETS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a main address": ({"email": "new@x.example"}, NEW["email"]),
    "a secondary address": ({"secondary_emails": ("other@x.example", "New@x.example")}, NEW["email"]),
    "an account": ({"account_id": "dbid:new"}, NEW["account"]),
}


@pytest.fixture(autouse=True)
def analyzed_for_long(profile: IntegrationProfile) -> None:
    profile.analyze_activity_from = timezone.now() - 100 * DAY
    profile.save()


def read_log(profile: IntegrationProfile, *, member_id: str = "", account_id: str = "", email: str = "") -> None:
    """A reading of 60 days that is believed, with one event of ten days ago that says this much of its actor."""
    now = timezone.now()
    at, uses, started = now - 10 * DAY, base.Uses(), sql.database_now()
    uses.held[at.toordinal()] = {member_id or (account_id, email): base.DayUse(1, at, "login_success")}
    since = intervals.next_since(profile, now)
    with transaction.atomic():
        store.store_batch(profile, uses, run_id=1, reading=1, signal="event")
        intervals.add_reading(
            profile, intervals.Reading(team_id=TEAM, since=since, until=now, started=started, run_id=None)
        )


def idle(name: str) -> last_used.Idle | None:
    now = timezone.now()
    seats = last_used.with_idle_facts(Subscription.objects.select_related("last_activity"), now)
    return last_used.idle(seats.get(external_id=f"dbmid:{name}"), now)


def list_members(tenant: Any, profile: IntegrationProfile, *members: base.Seat, days: int = 0) -> None:
    tenant.members = list(members)
    assert refresh(profile, days=days).state == JobRun.State.SUCCEEDED


@pytest.mark.parametrize("gets", GETS)
def test_use_by_a_name_that_a_seat_gets_later_is_not_missed(
    tenant: Any, profile: IntegrationProfile, signed_in: Any, gets: str
) -> None:
    change, sent = GETS[gets]
    list_members(tenant, profile, seat("ann"), seat("bob"))
    read_log(profile, **sent)
    assert idle("ann") and idle("bob"), "nobody knows yet whose use it was"

    list_members(tenant, profile, seat("ann", **change), seat("bob"), days=1)
    assert idle("ann") is None and idle("bob")
    page = (
        signed_in("sam_user").get(Subscription.objects.get(external_id="dbmid:ann").get_absolute_url()).content.decode()
    )
    assert "The next pull reads the log again for it." in page

    read_log(profile, **sent)
    shown = idle("ann")
    assert shown and (shown.days, shown.is_exact) == (10, True)
    assert idle("bob")
    list_members(tenant, profile, seat("ann", **change), seat("bob"), days=2)
    assert idle("ann") == shown, "nothing has moved"


@pytest.mark.parametrize("gets", GETS)
@pytest.mark.parametrize("sent", [{"member_id": "dbmid:ann"}, {"email": "else@x.example"}, {"account_id": "dbid:else"}])
def test_a_name_that_the_log_does_not_hold_alone_costs_no_reading(
    tenant: Any, profile: IntegrationProfile, gets: str, sent: dict[str, str]
) -> None:
    list_members(tenant, profile, seat("ann"), seat("bob"))
    read_log(profile, **sent)
    before = Subscription.objects.get(external_id="dbmid:ann").known_since
    list_members(tenant, profile, seat("ann", **GETS[gets][0]), seat("bob"), days=1)
    assert idle("ann") and Subscription.objects.get(external_id="dbmid:ann").known_since == before


@pytest.mark.parametrize("gets", GETS)
@pytest.mark.parametrize("how", ["loses it", "leaves"])
def test_use_by_a_name_that_another_seat_no_longer_has_is_not_missed(
    tenant: Any, profile: IntegrationProfile, gets: str, how: str
) -> None:
    """Two had it, so it led to neither of them, or to the other one."""
    change, sent = GETS[gets]
    others = [seat(f"u{number}") for number in range(9)]
    list_members(tenant, profile, seat("ann", **change), seat("bob", **change), *others)
    read_log(profile, **sent)
    left = [seat("bob")] if how == "loses it" else []
    list_members(tenant, profile, seat("ann", **change), *left, *others, days=1)
    assert idle("ann") is None and idle("u1")
    read_log(profile, **sent)
    shown = idle("ann")
    assert shown and (shown.days, shown.is_exact) == (10, True)


def test_a_former_seat_that_is_listed_again_gets_what_its_names_lead_to(
    tenant: Any, profile: IntegrationProfile
) -> None:
    sent = {"email": "new@x.example"}
    list_members(tenant, profile, seat("ann", secondary_emails=("new@x.example",)), seat("bob", email="new@x.example"))
    list_members(tenant, profile, seat("ann", secondary_emails=("new@x.example",)), days=1)
    read_log(profile, **sent)
    list_members(tenant, profile, seat("ann"), seat("bob", email="new@x.example"), days=2)
    assert idle("bob") is None
    read_log(profile, **sent)
    shown = idle("bob")
    assert shown and shown.days == 10


def test_a_withheld_ending_takes_no_name_from_its_seat(tenant: Any, profile: IntegrationProfile) -> None:
    tenant.page_size = 100
    shared = {"secondary_emails": ("new@x.example",)}
    tenant.members = [seat("ann", **shared), *(seat(f"u{number}", **shared) for number in range(20))]
    refresh(profile)
    read_log(profile, email="new@x.example")
    tenant.members = tenant.members[:1]
    assert refresh(profile, days=1).state == JobRun.State.HELD
    assert idle("ann")


def test_names_are_not_kept_themselves_and_each_team_has_its_own(tenant: Any, profile: IntegrationProfile) -> None:
    list_members(tenant, profile, seat("ann"))
    read_log(profile, account_id="dbid:new", email="new@x.example")
    read_log(profile, account_id="dbid:new", email="new@x.example")
    kept = list(NameInLog.objects.values_list("team_id", "digest"))
    assert len(kept) == 2 and {team for team, _ in kept} == {TEAM}
    assert not any("new" in digest for _, digest in kept)
    profile.team_id = tenant.team_id = "dbtid:other"
    profile.save()
    before = Subscription.objects.get().known_since
    list_members(tenant, profile, seat("ann", email="new@x.example"), days=1)
    assert Subscription.objects.get().known_since == before
