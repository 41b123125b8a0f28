"""The figures of home: they add up, say what is not known, and keep currencies apart."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.models import IntegrationProfile
from subscriptions.models import SoftwareModel, SubscriptionIdentifier
from tests import factories, pages, worlds
from tests.samsaas.home.home_world import own
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = pytest.mark.django_db


def seats_of(profile: IntegrationProfile, identifier: SubscriptionIdentifier, count: int) -> list[Any]:
    return [factories.subscription(profile=profile, identifier=identifier) for _ in range(count)]


def reconcile() -> None:
    worlds.count_seats()
    reconcile_as_of(None, now=timezone.now())


def tiles(page: str) -> dict[str, str]:
    """The text of every tile by its label."""
    found = {}
    for inside in re.findall(r'<a class="tile[^>]*>(.*?)</a>', page, flags=re.DOTALL):
        label = pages.text_of(re.findall(r'class="label">(.*?)</span>', inside)[0])
        found[label] = pages.text_of(inside).removeprefix(label).strip()
    return found


@pytest.fixture
def types() -> list[SubscriptionIdentifier]:
    return [factories.identifier() for _ in range(4)]


def test_owned_and_missing_are_in_use_reserved_and_not_used_and_currencies_are_kept_apart(
    signed_in: Any, types: list[SubscriptionIdentifier]
) -> None:
    profile, reader = factories.profile(), signed_in("sam_user")
    short, spare, dollars, unlimited = (one.software_model for one in types)
    for one, count in zip(types, (7, 2, 3, 4), strict=True):
        seats_of(profile, one, count)
    own(short, 5)
    reserved = own(spare, 10, unit_cost=120)
    own(dollars, 4, unit_cost=50, currency="USD")
    own(unlimited, 0, unlimited=True, total_cost=900, currency="EUR")
    reserved.allocations.create(person=factories.person(), assigned_on=timezone.localdate() - timedelta(days=9))
    reconcile()
    page = reader.get("/").content.decode()
    shown = tiles(page)
    assert shown["Rights you pay for"] == "19 EUR 2,600.00 USD 200.00 and unlimited ones"
    assert shown["In use"] == "16 EUR 940.00 USD 150.00 4 without a price"
    assert shown["Rights not used"] == "8 EUR 840.00 USD 50.00"
    assert shown["Rights missing"] == "2 EUR 200.00"
    assert (
        "19 owned + 2 missing = 12 in use + 1 reserved for people who do not use them + 8 not used, "
        "and 4 in use under an unlimited license." in pages.text_of(page)
    )
    assert len(shown) == len(set(shown.values())), "no two tiles say the same"


def test_money_that_cannot_be_known_is_not_known_and_never_zero(
    signed_in: Any, types: list[SubscriptionIdentifier]
) -> None:
    seats_of(factories.profile(), types[0], 3)
    own(types[0].software_model, 2, unit_cost=None, currency="")
    reconcile()
    shown = tiles(signed_in("sam_user").get("/").content.decode())
    assert shown["Rights missing"] == "1 cost not known" and shown["Rights you pay for"] == "2 cost not known"
    assert shown["In use"] == "3 cost not known"


def test_without_any_entitlement_the_vendors_say_what_is_paid_for_and_nothing_is_called_missing(
    signed_in: Any, types: list[SubscriptionIdentifier]
) -> None:
    profile, reader = factories.profile(licenses_reported=10), signed_in("sam_user")
    seats_of(profile, types[0], 4)
    SoftwareModel.objects.filter(pk=types[0].software_model_id).update(cost_override=12, currency="JPY")
    reconcile()
    shown = tiles(reader.get("/").content.decode())
    assert shown["Licenses you pay for"].startswith("10 per vendor")
    assert shown["In use"] == "4 JPY 48 counted here" and shown["Licenses not used"] == "6 the difference"
    IntegrationProfile.objects.update(licenses_reported=3)
    assert tiles(reader.get("/").content.decode())["Licenses missing"] == "1 the difference"
    IntegrationProfile.objects.update(licenses_reported=None)
    assert tiles(reader.get("/").content.decode())["Licenses not used"] == "– the difference"


def test_what_is_not_needed_has_its_cost_and_opens_its_rows_and_its_proposals(
    signed_in: Any, types: list[SubscriptionIdentifier]
) -> None:
    profile, reader, now = factories.profile(), signed_in("sam_user"), timezone.now()
    factories.coverage(profile, now - timedelta(days=200), now)
    model = types[0].software_model
    own(model, 20)
    rule = factories.rule(model)
    since = now - timedelta(days=150)
    seats = [
        factories.subscription(profile=profile, identifier=types[0], first_seen_at=since, assigned_at=since)
        for _ in range(6)
    ]
    gone = factories.person(left_on=timezone.localdate() - timedelta(days=1))
    factories.match(seats[0], gone)
    for seat in seats[1:5]:
        factories.match(seat, factories.person())
    for seat, days in zip(seats[:4], (1, 59, 60, 100), strict=True):
        factories.activity(seat, now - timedelta(days=days))
    for seat, reason in ((seats[0], "leaver"), (seats[2], "idle"), (seats[4], "never_active"), (seats[5], "")):
        factories.candidate(seat, reason=reason, rule=rule if reason else None, is_leaver=reason == "leaver")
    reconcile()
    page = reader.get("/").content.decode()
    rows = pages.rows(page, "Subscriptions in use")
    assert rows["User has left the company"] == ["1", "1", "EUR 100.00"]
    assert rows["Idle for 60 days or more"] == ["2", "1", "EUR 200.00"]
    assert rows["Never active"] == ["2", "1", "EUR 200.00"]
    assert rows["Without user"] == ["1", "–", "EUR 100.00"]
    assert rows["Proposed by hand"] == ["–", "1", "EUR 100.00"]
    assert rows["Proposed for removal"] == ["", "4", "EUR 400.00"]
    for url, number in pages.figures(page).items():
        if url.startswith(("/subscriptions", "/removal-candidates")):
            assert pages.rows_behind(reader, url) == number, url


def test_time_that_was_not_read_makes_nobody_idle_or_never_active(
    signed_in: Any, types: list[SubscriptionIdentifier]
) -> None:
    profile, reader, now = factories.profile(), signed_in("sam_user"), timezone.now()
    factories.coverage(profile, now - timedelta(days=30), now)
    seat, other = seats_of(profile, types[0], 2)
    factories.activity(seat, now - timedelta(days=90))
    worlds.count_seats()
    rows = pages.rows(reader.get("/").content.decode(), "Subscriptions in use")
    assert rows["Idle for 60 days or more"][0] == "0"
    assert pages.rows_behind(reader, "/subscriptions/?activity=idle") == 0
    assert other.pk


def test_a_count_of_yesterday_is_made_anew_and_one_that_changed_too(signed_in: Any) -> None:
    """The page opens as quickly with a million subscriptions as with ten: it reads what the beat has counted."""
    reader, profile = signed_in("sam_user"), factories.profile()
    factories.subscription(profile=profile)
    worlds.count_seats()
    factories.subscription(profile=profile)
    shown = pages.rows(reader.get("/").content.decode(), "Profile")
    assert shown[profile.display_name][2] == "1", "opening the page counts nothing"
    worlds.count_seats()
    assert pages.rows(reader.get("/").content.decode(), "Profile")[profile.display_name][2] == "2"


def test_the_currency_that_a_reader_prefers_comes_first(signed_in: Any, types: list[SubscriptionIdentifier]) -> None:
    own(types[0].software_model, 3)
    own(types[1].software_model, 4, unit_cost=50, currency="USD")
    reconcile()
    reader = signed_in("sam_user")
    assert tiles(reader.get("/").content.decode())["Rights you pay for"] == "7 EUR 300.00 USD 200.00"
    reader.get("/license-usage/?currency=USD")
    assert tiles(reader.get("/").content.decode())["Rights you pay for"] == "7 USD 200.00 EUR 300.00"


def test_the_tile_of_what_is_in_use_opens_what_counts(signed_in: Any, types: list[SubscriptionIdentifier]) -> None:
    reader, profile = signed_in("sam_user"), factories.profile()
    seats_of(profile, types[0], 3)
    own(types[0].software_model, 5)
    factories.subscription(profile=profile, identifier=types[1], consumes_license=False)
    factories.subscription(profile=profile, identifier=factories.identifier(software_model=None))
    reconcile()
    page = reader.get("/").content.decode()
    assert tiles(page)["In use"].startswith("3 ")
    assert pages.figures(page)["/subscriptions/?position=counted"] == 3
    assert pages.rows_behind(reader, "/subscriptions/?position=counted") == 3
