"""Software models: the seats and licenses counted here, beside what the vendor says, and the way down to the rows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from subscriptions.models import Subscription
from tests import factories, pages

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST = "/software-models/"


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def world() -> SimpleNamespace:
    """Full: 3 seats in Europe (one an invitation) and 2 in Asia, by two identifiers. Limited: 1 seat without a license.

    One seat of Full ended; one seat is unrecognized; a third model has no seat.
    """
    europe = factories.profile(display_name="Europe", licenses_reported=40, seats_used_reported=17)
    asia = factories.profile(display_name="Asia")
    full, limited = factories.software_model(edition="Full"), factories.software_model(edition="Limited")
    unused = factories.software_model(edition="Unused")
    kind, other = (factories.identifier(identifier=name, software_model=full) for name in ("full", "full_2"))
    for place, number in ((europe, 2), (asia, 1)):
        for _ in range(number):
            factories.subscription(profile=place, identifier=kind)
    factories.subscription(profile=europe, identifier=kind, status="invited")
    factories.subscription(profile=asia, identifier=other, status="suspended", consumes_license=False)
    factories.subscription(profile=asia, identifier=kind, ended_at=timezone.now())
    factories.subscription(
        profile=europe,
        identifier=factories.identifier(identifier="limited", software_model=limited),
        consumes_license=False,
    )
    factories.subscription(profile=europe, identifier=factories.identifier(identifier="hologram", software_model=None))
    return SimpleNamespace(europe=europe, asia=asia, full=full, limited=limited, unused=unused)


def test_the_list_counts_current_seats_and_the_licenses_they_use(reader: Any, world: Any) -> None:
    counted = pages.rows(reader.get(LIST).content.decode(), "Software model")
    assert counted["Dropbox Business Full"][2:5] == ["5", "4", "0"]
    assert counted["Dropbox Business Limited"][2:5] == ["1", "0", "0"]
    assert counted["Dropbox Business Unused"][2:5] == ["0", "0", "0"]


def test_every_figure_leads_to_exactly_as_many_rows(reader: Any, world: Any) -> None:
    for path in (LIST, world.full.get_absolute_url(), world.limited.get_absolute_url()):
        figures = pages.figures(reader.get(path).content.decode())
        to_seats = {url: number for url, number in figures.items() if url.startswith("/subscriptions/")}
        assert len(to_seats) >= 4, path
        for url, number in to_seats.items():
            assert pages.rows_behind(reader, url) == number, url


def test_what_the_vendor_reports_stands_beside_what_is_counted_here(reader: Any, world: Any) -> None:
    page = reader.get(world.full.get_absolute_url()).content.decode()
    by_profile = pages.rows(page, "Profile")
    assert by_profile["Europe"] == ["3", "3", "0", "17", "40"]
    assert by_profile["Asia"] == ["2", "1", "0", "–", "–"]
    assert by_profile["Total"][:2] == ["5", "4"]


def test_the_parts_of_a_model_add_up_to_the_whole(reader: Any, world: Any) -> None:
    page = reader.get(world.full.get_absolute_url()).content.decode()
    by_status = pages.rows(page, "Status")
    assert {name: cells[0] for name, cells in by_status.items()} == {
        "Active": "3",
        "Invited": "1",
        "Suspended": "1",
        "Total": "5",
    }
    assert "Subscriptions by status: 3 active, 1 invited, 1 suspended" in page
    by_profile = pages.rows(page, "Profile")
    for column in (0, 1):
        total = int(by_profile["Total"][column])
        assert total == sum(int(cells[column]) for name, cells in by_profile.items() if name != "Total")


def test_a_model_names_the_identifiers_it_is_recognized_by(reader: Any, world: Any) -> None:
    page = reader.get(world.full.get_absolute_url()).content.decode()
    said = pages.text_of(page)
    assert "full_2" in said and "hologram" not in said
    assert "Dropbox Business Full" in said


def test_seats_that_ended_count_nowhere_and_stay_as_history(reader: Any, world: Any) -> None:
    Subscription.objects.update(ended_at=timezone.now())
    listed = pages.rows(reader.get(LIST).content.decode(), "Software model")
    assert listed["Dropbox Business Full"][2:5] == ["0", "0", "0"]
    page = reader.get(world.full.get_absolute_url()).content.decode()
    assert "No current subscription" in page and "Europe" not in pages.rows(page, "Profile")
    assert pages.rows_behind(reader, f"/subscriptions/?model={world.full.pk}&seats=ended") == 6


def test_figures_can_be_sorted_and_models_searched(reader: Any, world: Any) -> None:
    def order(query: str) -> list[str]:
        return [
            name.rsplit(" ", 1)[1]
            for name in pages.rows(reader.get(f"{LIST}?{query}").content.decode(), "Software model")
        ]

    assert order("sort=-current") == ["Full", "Limited", "Unused"]
    assert order("sort=consuming")[-1] == "Full"
    assert order("q=limi") == ["Limited"]
    assert order("q=dropbox&sort=edition") == ["Full", "Limited", "Unused"]


def test_before_the_first_download_the_list_says_where_models_come_from(reader: Any) -> None:
    page = reader.get(LIST).content.decode()
    assert "No software model yet" in page and "first subscription" in page


@pytest.mark.parametrize("many", ["models", "profiles and identifiers of one model"])
def test_thirty_cost_as_many_queries_as_one(reader: Any, many: str) -> None:
    model = factories.software_model()
    path = LIST if many == "models" else model.get_absolute_url()
    factories.subscription(identifier=factories.identifier(software_model=model))
    one = pages.cost(reader, path)
    for _ in range(29):
        owner = factories.software_model() if many == "models" else model
        factories.subscription(identifier=factories.identifier(software_model=owner))
    assert pages.cost(reader, path) == one
    assert pages.rows_behind(reader, f"/subscriptions/?model={model.pk}") == (1 if many == "models" else 30)
