"""People with more than one subscription of a product, and what those beyond one cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from subscriptions.models import Match, Person, SoftwareModel, Subscription
from tests import factories, pages

pytestmark = pytest.mark.django_db
PAGE = "/people/several-subscriptions/"


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


def hold(person: Person, model: SoftwareModel, number: int, **fields: Any) -> list[Subscription]:
    """So many current subscriptions of a software model."""
    given = {"identifier": factories.identifier(software_model=model), "consumes_license": True, **fields}
    seats = [factories.subscription(**given) for _ in range(number)]
    Match.objects.bulk_create([Match(subscription=seat, person=person, at=timezone.now()) for seat in seats])
    return seats


def test_editions_of_a_product_count_together_and_the_dearest_is_kept(reader: Any) -> None:
    ann, bob = factories.person(key="1", name="Ann"), factories.person(key="2", name="Bob")
    plain = factories.software_model(publisher="P", product="Box", edition="A", cost_override="100", currency="EUR")
    better = factories.software_model(publisher="P", product="Box", edition="B", cost_override="150", currency="EUR")
    other = factories.software_model(publisher="P", product="Pad", cost_override="7", currency="EUR")
    hold(ann, plain, 2)
    hold(ann, better, 1)
    hold(bob, plain, 1)
    hold(bob, other, 1)
    text = pages.text_of(reader.get(PAGE).content.decode())
    assert "Ann" in text and "P Box 3 2 EUR 200.00" in text and "Bob" not in text
    assert "They cost EUR 200.00 a year" in text
    export = b"".join(reader.get(f"{PAGE}export/").streaming_content).decode()
    assert '"1","Ann",' in export and "EUR 200.00" in export


def test_what_takes_no_license_or_is_over_does_not_count(reader: Any) -> None:
    ann = factories.person(key="1", name="Ann")
    model = factories.software_model(publisher="P", product="Box")
    hold(ann, model, 1)
    hold(ann, model, 1, consumes_license=False)
    hold(ann, model, 1, ended_at=timezone.now())
    assert "Nobody" in reader.get(PAGE).content.decode()


def test_an_unknown_price_is_said_and_the_page_costs_the_same_for_many(reader: Any) -> None:
    model = factories.software_model(publisher="P", product="Box")
    hold(factories.person(key="0", name="Person 0"), model, 2)
    cost = pages.cost(reader, PAGE)
    for number in range(1, 9):
        hold(factories.person(key=str(number), name=f"Person {number}"), model, 2)
    assert pages.cost(reader, PAGE) == cost
    assert "not known" in reader.get(PAGE).content.decode()


@pytest.mark.parametrize("query", ["page=x", "page=-1", "page=999999999999999999999", "per_page=-5", "page=\0"])
def test_an_address_that_makes_no_sense_shows_a_page(reader: Any, query: str) -> None:
    assert reader.get(f"{PAGE}?{query}").status_code in (200, 400)
