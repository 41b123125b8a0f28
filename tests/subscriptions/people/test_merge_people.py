"""Somebody who is twice in the directory becomes one person, and nothing of either is lost but the second number."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from reclamation.models import Exemption
from samsaas.models import AuditEntry
from subscriptions.models import Match, Person, ResolutionRule
from subscriptions.people import merge
from tests import factories, pages
from tests.subscriptions.users.users_world import user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def twice() -> tuple[Person, Person]:
    """Anna came back under a new number; the directory has her twice."""
    kept = factories.person("anna@acme.example", key="900", name="Anna Lee", department="", manager="100")
    other = factories.person("a.lee@acme.example", key="100", name="Lee, Anna", department="Sales", country="DE")
    return kept, other


def test_everything_moves_to_the_person_who_is_kept(keeper: Any, twice: tuple[Person, Person]) -> None:
    kept, other = twice
    profile = factories.profile(refreshed_at=timezone.now())
    by_address = factories.subscription(profile=profile, email="a.lee@acme.example", email_verified=True)
    assert user_of(by_address) == "100"
    report = factories.person(key="7", name="Bob", manager="100")
    page = pages.text_of(keeper.get(f"/people/{kept.pk}/merge/?other={other.pk}").content.decode())
    assert "1 subscription moves" in page and "a.lee@acme.example" in page and "1 direct report" in page
    done = keeper.post(f"/people/{kept.pk}/merge/", {"other": other.pk}, follow=True)
    assert "was merged into Anna Lee" in done.content.decode()
    assert not Person.objects.filter(pk=other.pk).exists() and Match.objects.get().person == kept
    kept.refresh_from_db()
    report.refresh_from_db()
    assert (kept.name, kept.department, kept.country, kept.manager) == ("Anna Lee", "Sales", "DE", "")
    assert report.manager == "900"
    assert {one.address for one in kept.addresses.all()} == {"anna@acme.example", "a.lee@acme.example"}
    assert user_of(by_address) == "900", "the rules say so as well"
    entry = AuditEntry.objects.filter(verb="merged people").get()
    assert entry.detail["number"] == "100" and entry.detail["seats"] == 1


def test_a_subscription_found_by_the_number_that_goes_becomes_a_match_by_hand(
    keeper: Any, twice: tuple[Person, Person]
) -> None:
    kept, other = twice
    ResolutionRule.objects.create(name="by number", source="employee_id", lookup="key", order=1)
    profile = factories.profile(refreshed_at=timezone.now())
    seat = factories.subscription(profile=profile, email="x@elsewhere.example", employee_id="100")
    assert user_of(seat) == "100"
    assert merge.preview(kept, other).by_hand == 1
    keeper.post(f"/people/{kept.pk}/merge/", {"other": other.pk})
    assert Match.objects.get().by_hand and user_of(seat) == "900"


def test_what_stands_against_it_is_said_and_nothing_is_written(keeper: Any, twice: tuple[Person, Person]) -> None:
    kept, other = twice
    for number in range(20):
        other.addresses.create(address=f"a{number}@acme.example")
    page = keeper.get(f"/people/{kept.pk}/merge/?other={other.pk}").content.decode()
    assert "more than 20 e-mail addresses" in page and ">Merge</button>" not in page
    keeper.post(f"/people/{kept.pk}/merge/", {"other": other.pk})
    assert Person.objects.count() == 2 and not AuditEntry.objects.filter(verb="merged people").exists()


def test_two_open_exemptions_are_an_obstacle_and_one_moves(keeper: Any, twice: tuple[Person, Person]) -> None:
    kept, other = twice
    exempted = Exemption.objects.create(person=other, reason="On leave", at=timezone.now())
    assert merge.preview(kept, other).others == 1
    another = Exemption.objects.create(person=kept, reason="Auditor", at=timezone.now())
    assert any("open exemption" in one for one in merge.preview(kept, other).obstacles)
    another.delete()
    keeper.post(f"/people/{kept.pk}/merge/", {"other": other.pk})
    exempted.refresh_from_db()
    assert exempted.person_id == kept.pk


def test_people_of_the_same_name_are_offered_and_others_found(keeper: Any, twice: tuple[Person, Person]) -> None:
    kept, other = twice
    bob = factories.person("bob@acme.example", key="5", name="Bob")
    page = keeper.get(f"/people/{kept.pk}/merge/").content.decode()
    assert f"?other={other.pk}" in page and f"?other={bob.pk}" not in page, "Lee, Anna is Anna Lee"
    assert f"?other={bob.pk}" in keeper.get(f"/people/{kept.pk}/merge/?q=bob").content.decode()


@pytest.mark.parametrize("given", ["x", "0", "-1", "self", "99999999999999999999"])
def test_nobody_and_the_same_person_are_no_choice(keeper: Any, twice: tuple[Person, Person], given: str) -> None:
    kept, _ = twice
    asked = {"other": str(kept.pk) if given == "self" else given}
    for answer in (keeper.get(f"/people/{kept.pk}/merge/", asked), keeper.post(f"/people/{kept.pk}/merge/", asked)):
        assert answer.status_code == 200 and "Who is the same person?" in answer.content.decode()
    assert Person.objects.count() == 2
