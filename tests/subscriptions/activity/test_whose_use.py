"""Whose use an event is: what it says of the account leads to one seat, or to nobody."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile
from subscriptions.activity import store as activity
from subscriptions.models import LastActivity
from tests import factories

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def profile() -> IntegrationProfile:
    """Connected to its team an hour ago; before that to another one."""
    return factories.profile(team_id="dbtid:now", team_since=timezone.now() - AN_HOUR)


def whose(profile: IntegrationProfile, *, member_id: str = "", account_id: str = "", email: str = "") -> str:
    """Who is credited with an event of which the log says this much; empty for nobody."""
    now, uses = timezone.now(), base.Uses()
    key = member_id or (account_id, email)
    if member_id:
        uses.names[member_id] = SimpleNamespace(account_id=account_id, email=email)
    uses.held[now.toordinal()] = {key: base.DayUse(1, now, "login_success")}
    with transaction.atomic():
        stored = activity.store_batch(profile, uses, run_id=1, reading=1, signal="event")
    found = list(LastActivity.objects.values_list("subscription__display_name", flat=True))
    assert stored.known == len(found) and stored.known + stored.nobody == 1
    return found[0] if found else ""


def add_seat(profile: IntegrationProfile, name: str, **fields: Any) -> None:
    """A seat: listed, `gone`, or still listed `of_before`, which is another team."""
    now = timezone.now()
    gone = {"ended_at": now} if fields.pop("gone", False) else {}
    before = {"known_since": now - 2 * AN_HOUR} if fields.pop("of_before", False) else {}
    factories.subscription(profile=profile, display_name=name, **fields, **gone, **before)


IDENTITIES = {"email": "x@a.example", "account_id": "dbid:x", "secondary_emails": "y@a.example\nX@A.example"}
SENT = {"email": {"email": "x@A.example"}, "account_id": {"account_id": "dbid:x"}}
SENT["secondary_emails"] = SENT["email"]
BY_EACH = pytest.mark.parametrize("by", IDENTITIES)


@BY_EACH
def test_what_one_listed_seat_has_leads_to_it(profile: IntegrationProfile, by: str) -> None:
    add_seat(profile, "one", **{by: IDENTITIES[by]})
    add_seat(profile, "two")
    assert whose(profile, **SENT[by]) == "one"


@BY_EACH
@pytest.mark.parametrize("third", [False, True], ids=["", "and one that ended"])
def test_what_two_listed_seats_have_leads_to_neither(profile: IntegrationProfile, by: str, third: bool) -> None:
    add_seat(profile, "one", **{by: IDENTITIES[by]})
    add_seat(profile, "two", **{by: IDENTITIES[by]})
    if third:
        add_seat(profile, "three", **{by: IDENTITIES[by]}, gone=True)
    assert whose(profile, **SENT[by]) == ""


@BY_EACH
@pytest.mark.parametrize("former", [{"gone": True}, {"of_before": True}], ids=["ended", "of the team before"])
def test_the_listed_seat_comes_before_former_ones(profile: IntegrationProfile, by: str, former: dict[str, Any]) -> None:
    for name in ("former", "even earlier"):
        add_seat(profile, name, **{by: IDENTITIES[by]}, **former)
    assert whose(profile, **SENT[by]) == "", "two of before, and none of now"
    add_seat(profile, "now", **{by: IDENTITIES[by]})
    assert whose(profile, **SENT[by]) == "now"


@BY_EACH
@pytest.mark.parametrize("former", [{"gone": True}, {"of_before": True}], ids=["ended", "of the team before"])
def test_what_only_one_former_seat_has_leads_to_it(
    profile: IntegrationProfile, by: str, former: dict[str, Any]
) -> None:
    add_seat(profile, "former", **{by: IDENTITIES[by]}, **former)
    assert whose(profile, **SENT[by]) == "former"


@pytest.mark.parametrize(
    ("main", "second", "expected"),
    [
        ({}, {}, "main"),
        ({"gone": True}, {}, "second"),
        ({"of_before": True}, {}, "second"),
        ({}, {"gone": True}, "main"),
        ({"gone": True}, {"gone": True}, "main"),
        ({"gone": True}, {"of_before": True}, "main"),
    ],
)
def test_a_main_address_comes_before_a_secondary_one_but_the_listed_seat_before_all(
    profile: IntegrationProfile, main: dict[str, Any], second: dict[str, Any], expected: str
) -> None:
    """Somebody was renamed and keeps the address of a former self: what is sent by it is theirs, not history's."""
    add_seat(profile, "main", email="x@a.example", **main)
    add_seat(profile, "second", secondary_emails="x@a.example", **second)
    assert whose(profile, email="x@a.example") == expected


def test_a_secondary_address_of_two_listed_seats_is_not_given_to_a_former_seat(profile: IntegrationProfile) -> None:
    add_seat(profile, "former", email="x@a.example", gone=True)
    for name in ("one", "two"):
        add_seat(profile, name, secondary_emails="x@a.example")
    assert whose(profile, email="x@a.example") == ""


def test_the_member_id_decides_alone_even_of_a_seat_that_ended(profile: IntegrationProfile) -> None:
    add_seat(profile, "by id", external_id="dbmid:x", gone=True)
    add_seat(profile, "by account", account_id="dbid:x", email="x@a.example")
    assert whose(profile, member_id="dbmid:x", account_id="dbid:x", email="x@a.example") == "by id"


@pytest.mark.parametrize(("account_id", "expected"), [("dbid:x", "by account"), ("dbid:nobody", "by address")])
def test_behind_an_unknown_member_id_the_account_comes_before_the_address(
    profile: IntegrationProfile, account_id: str, expected: str
) -> None:
    add_seat(profile, "by account", account_id="dbid:x")
    add_seat(profile, "by address", email="x@a.example")
    assert whose(profile, member_id="dbmid:new", account_id=account_id, email="x@a.example") == expected


def test_another_profile_has_its_own_seats(profile: IntegrationProfile) -> None:
    other = factories.profile()
    for given in (IDENTITIES["email"], "z@a.example"):
        add_seat(other, "elsewhere", external_id=f"dbmid:{given}", email=given, secondary_emails="w@a.example")
    assert whose(profile, email="x@a.example") == "" == whose(profile, email="w@a.example")
    assert whose(profile, member_id="dbmid:z@a.example") == ""
