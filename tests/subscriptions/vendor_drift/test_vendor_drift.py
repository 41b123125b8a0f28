"""Where vendors count otherwise than we do: how much, since when, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from profiles.models import IntegrationProfile
from subscriptions.models import Subscription
from tests import factories, pages
from tests.subscriptions.renewals.renewal_world import ending, reconcile, use

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PAGE = "/vendor-drift/"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def calendar() -> Iterator[Any]:
    with time_machine.travel("2026-06-01 09:00:00+00:00", tick=False) as moved:
        yield moved


@pytest.fixture
def reader(calendar: Any, signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def profile(calendar: Any) -> IntegrationProfile:
    """12 subscriptions use a license, 2 of them are excluded; 10 are owned, and the vendor agrees."""
    made = factories.profile(refreshed_at=timezone.now(), display_name="Team", team_id="dbtid:1")
    say(made, used=12, licenses=10)
    return made


def say(profile: IntegrationProfile, *, used: int | None, licenses: int | None) -> None:
    IntegrationProfile.objects.filter(pk=profile.pk).update(seats_used_reported=used, licenses_reported=licenses)


def fill(profile: IntegrationProfile, by: Any, **fields: Any) -> Any:
    model = factories.software_model(product="Files", edition="A")
    use(model, 10, excluded=2, profile=profile)
    return ending(by, 60, model, purchased_rights=10, **fields)


def shown(client: Any) -> tuple[list[str], list[str]]:
    page = client.get(PAGE).content.decode()
    return pages.rows(page, "Profile")["Team"], pages.rows(page, "Vendor")["Dropbox"]


def test_before_the_first_reconciliation_it_says_what_compares(reader: Any) -> None:
    assert "Nothing was compared yet" in pages.text_of(reader.get(PAGE).content.decode())
    assert "Vendor drift" in reader.get("/").content.decode(), "in the navigation"


def test_where_both_count_the_same_nothing_differs(reader: Any, profile: Any) -> None:
    fill(profile, reader.user)
    reconcile()
    use_row, rights_row = shown(reader)
    assert use_row[:5] == ["Agrees", "12", "12", "0", "–"]
    assert rights_row[:5] == ["Agrees", "10 10 Dropbox Files A", "10 10 Team", "0", "–"]
    page = reader.get(PAGE).content.decode()
    assert "Nothing differs" in page
    counted = f"/subscriptions/?profile={profile.pk}&seats=all&license=billed"
    assert pages.figures(page)[counted] == pages.rows_behind(reader, counted) == 12


@pytest.mark.parametrize(
    ("used", "licenses", "differences", "words"),
    [
        (10, 10, ["+2", "0"], "More are listed than the vendor says are in use"),
        (15, 10, ["−3", "0"], "The vendor says that more are in use than it lists"),
        (12, 7, ["0", "+3"], "More rights are recorded than the vendor says were purchased"),
        (12, 1000, ["0", "−990"], "The vendor says that more licenses were purchased than are recorded"),
        (None, 10, ["–", "0"], "The vendor has not said how many licenses are in use"),
        (12, None, ["0", "–"], "The vendor has not said how many licenses were purchased"),
    ],
)
def test_each_difference_says_what_to_do(
    reader: Any, profile: Any, used: Any, licenses: Any, differences: list[str], words: str
) -> None:
    """What the vendor has not said is not known, and never 0."""
    fill(profile, reader.user)
    say(profile, used=used, licenses=licenses)
    reconcile()
    use_row, rights_row = shown(reader)
    assert [use_row[3], rights_row[3]] == differences
    assert words in use_row[5] + rights_row[5]
    states = {"0": "Agrees", "–": "Not known"}
    assert [use_row[0], rights_row[0]] == [states.get(one, "Differs") for one in differences]


def test_an_unlimited_license_is_no_number_to_compare(reader: Any, profile: Any) -> None:
    fill(profile, reader.user)
    model = Subscription.objects.first().identifier.software_model  # type: ignore[union-attr]
    ending(reader.user, 60, model, purchased_rights=0, unlimited=True, unit_cost=None, currency="")
    reconcile()
    assert shown(reader)[1][:4] == ["Not known", "unlimited unlimited Dropbox Files A", "10 10 Team", "–"]


def test_it_says_since_when_they_differ(calendar: Any, reader: Any, profile: Any) -> None:
    fill(profile, reader.user)
    for used, days in ((12, 1), (11, 3), (12, 1), (9, 1), (8, 1), (14, 5)):
        say(profile, used=used, licenses=4)
        reconcile()
        calendar.shift(timedelta(days=days))
    reader.force_login(reader.user)
    use_row, rights_row = shown(reader)
    assert use_row[4] == "6 Jun 2026", "since the run after the last one that agreed"
    assert rights_row[4] == "at least 1 Jun 2026", "every run that is kept found it"


def test_two_profiles_of_one_team_have_its_licenses_once(reader: Any, profile: Any) -> None:
    fill(profile, reader.user)
    second = factories.profile(refreshed_at=timezone.now(), display_name="Second", team_id="dbtid:1")
    say(second, used=0, licenses=10)
    reconcile()
    assert shown(reader)[1][:4] == ["Agrees", "10 10 Dropbox Files A", "10 10 Team", "0"]


def test_a_profile_that_is_gone_leads_nowhere(reader: Any, profile: Any) -> None:
    fill(profile, reader.user)
    other = factories.profile(display_name="Gone")
    reconcile()
    IntegrationProfile.objects.filter(pk=other.pk).delete()
    page = reader.get(PAGE).content.decode()
    assert "Gone" in page and f'href="/integration-profiles/{other.pk}/"' not in page.split("<main")[1].split("Gone")[0]


def test_the_page_costs_the_same_for_one_profile_and_for_thirty(reader: Any, profile: Any) -> None:
    fill(profile, reader.user)
    reconcile()
    before = pages.cost(reader, PAGE)
    for _ in range(29):
        use(factories.software_model(), 1, profile=factories.profile(refreshed_at=timezone.now()))
    reconcile()
    assert pages.cost(reader, PAGE) == before
