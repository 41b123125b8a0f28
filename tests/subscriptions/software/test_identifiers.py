"""Subscription identifiers: the work list, mapping with its back-fill, unmapping, and figures that add up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from samsaas.models import AuditEntry
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier
from tests import factories, pages, worlds

pytestmark = pytest.mark.django_db

LIST = "/subscription-identifiers/"


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def world() -> SimpleNamespace:
    """An unrecognized seat type in two profiles (3 current, 1 left out, 1 ended), and a recognized one with 1 seat."""
    europe, asia = factories.profile(display_name="Europe"), factories.profile(display_name="Asia")
    full = factories.software_model(edition="Full")
    known = factories.identifier(identifier="full", software_model=full)
    strange = factories.identifier(identifier="hologram", software_model=None)
    factories.subscription(profile=europe, identifier=known)
    factories.subscription(profile=europe, identifier=strange)
    factories.subscription(profile=asia, identifier=strange)
    factories.subscription(profile=asia, identifier=strange, status="invited")
    factories.subscription(profile=asia, identifier=strange, excluded=True)
    factories.subscription(profile=asia, identifier=strange, ended_at=timezone.now())
    return SimpleNamespace(europe=europe, asia=asia, full=full, known=known, strange=strange)


def mapped(client: Any, identifier: SubscriptionIdentifier, **fields: Any) -> Any:
    return client.post(f"{LIST}{identifier.pk}/map/", fields)


def test_unrecognized_identifiers_come_first_with_their_seats_per_state(manager: Any, world: Any) -> None:
    table = pages.rows(manager.get(LIST).content.decode(), "Identifier")
    assert list(table) == ["hologram", "full"]
    assert table["hologram"][1:] == ["Unrecognized", "3", "2 active , 1 invited", "1", "1"]
    assert table["full"][1] == "Dropbox Business Full"


def test_every_figure_of_an_identifier_leads_to_as_many_rows(manager: Any, world: Any) -> None:
    for path in (LIST, world.strange.get_absolute_url()):
        figures = pages.figures(manager.get(path).content.decode())
        to_seats = {url: number for url, number in figures.items() if url.startswith("/subscriptions/")}
        assert len(to_seats) >= 5, path
        for url, number in to_seats.items():
            assert pages.rows_behind(manager, url) == number, url


def test_home_says_that_identifiers_wait_until_none_does(manager: Any, world: Any) -> None:
    assert "1 Subscription identifier of no software model" in pages.text_of(manager.get("/").content.decode())
    mapped(manager, world.strange, software_model=world.full.pk)
    assert "of no software model" not in pages.text_of(manager.get("/").content.decode())


def test_mapping_moves_the_seats_of_every_profile_at_once(manager: Any, world: Any) -> None:
    before = pages.text_of(manager.get(f"{LIST}{world.strange.pk}/map/").content.decode())
    assert "Current subscriptions 3 Excluded 1 Ended 1 From Unrecognized" in before
    answer = mapped(manager, world.strange, software_model=world.full.pk)
    assert answer["Location"] == world.strange.get_absolute_url()
    model_page = manager.get(world.full.get_absolute_url()).content.decode()
    by_profile = pages.rows(model_page, "Profile")
    assert by_profile["Europe"][:3] == ["2", "2", "0"] and by_profile["Asia"][:3] == ["2", "2", "1"]
    assert pages.rows_behind(manager, f"/subscriptions/?model={world.full.pk}&seats=all") == 6
    line = AuditEntry.objects.get(verb="mapped subscription identifier")
    assert line.object_name == "hologram" and line.actor_id == manager.user.pk
    assert line.detail["software_model"] == {"before": "unrecognized", "after": "Dropbox Business Full"}
    assert line.detail["current"] == 3


def test_a_new_software_model_is_described_in_place_and_made_once(manager: Any, world: Any) -> None:
    parts = {"publisher": "Dropbox", "product": "Dropbox Sign", "edition": "Team"}
    mapped(manager, world.strange, **parts)
    mapped(manager, world.known, **parts)
    model = SoftwareModel.objects.get(product="Dropbox Sign")
    assert set(model.identifiers.all()) == {world.strange, world.known}
    assert Subscription.objects.filter(identifier__software_model=model).current().count() == 4


def test_a_model_that_differs_only_in_case_is_the_one_there_is(manager: Any, world: Any) -> None:
    written = {"publisher": " dropbox ", "product": "dropbox BUSINESS", "edition": "full"}
    said = manager.post(f"{LIST}{world.strange.pk}/map/", written, follow=True).content.decode()
    assert "hologram is Dropbox Business Full now" in said
    assert SoftwareModel.objects.get() == world.full


def test_a_download_takes_the_model_that_somebody_wrote_in_small_letters(connected: Any, manager: Any) -> None:
    written = factories.software_model(publisher="dropbox", product="dropbox business", edition="full")
    worlds.work_on()
    assert SubscriptionIdentifier.objects.get(identifier="full").software_model == written


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"edition": "Team"}, "A new software model needs a publisher."),
        ({"publisher": "Dropbox"}, "A new software model needs a product."),
        ({"publisher": " ", "product": "Sign"}, "A new software model needs a publisher."),
        ({"software_model": "full", "product": "Sign"}, "not both"),
        ({"software_model": "4711"}, "Select a valid choice"),
        ({"publisher": "x" * 121, "product": "Sign"}, "at most 120"),
    ],
)
def test_a_mapping_that_says_too_little_or_too_much_moves_nothing(
    manager: Any, world: Any, fields: dict[str, str], said: str
) -> None:
    if fields.get("software_model") == "full":
        fields = {**fields, "software_model": world.full.pk}
    answer = mapped(manager, world.strange, **fields)
    assert answer.status_code == 200 and said in answer.content.decode()
    world.strange.refresh_from_db()
    assert world.strange.software_model is None and SoftwareModel.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_mapping_to_the_same_model_again_leaves_no_second_line(manager: Any, world: Any) -> None:
    for _ in range(2):
        mapped(manager, world.strange, software_model=world.full.pk)
    assert AuditEntry.objects.filter(verb="mapped subscription identifier").count() == 1


def test_unmapping_asks_first_and_then_the_seats_are_a_work_list_again(manager: Any, world: Any) -> None:
    path = f"{LIST}{world.known.pk}/unmap/"
    assert "instead of Dropbox Business Full" in pages.text_of(manager.get(path).content.decode())
    world.known.refresh_from_db()
    assert world.known.software_model == world.full
    manager.post(path)
    assert pages.rows_behind(manager, f"{LIST}?recognized=no") == 2
    assert pages.rows_behind(manager, f"/subscriptions/?model={world.full.pk}") == 0
    assert AuditEntry.objects.filter(verb="unmapped subscription identifier", object_name="full").exists()


def test_a_download_keeps_a_chosen_model_and_maps_an_unmapped_known_identifier_again(
    connected: Any, manager: Any
) -> None:
    worlds.work_on()
    identifier = SubscriptionIdentifier.objects.filter(subscriptions__profile=connected).first()
    assert identifier is not None
    vendors_own = identifier.software_model
    mapped(manager, identifier, publisher="Us", product="Storage")
    manager.post(f"/integration-profiles/{connected.pk}/download/")
    worlds.work_on()
    identifier.refresh_from_db()
    assert str(identifier.software_model) == "Us Storage"

    page = pages.text_of(manager.get(f"{LIST}{identifier.pk}/unmap/").content.decode())
    assert f"The next download maps it again The vendor’s own table names it {vendors_own}" in page
    manager.post(f"{LIST}{identifier.pk}/unmap/")
    again(connected)
    identifier.refresh_from_db()
    assert identifier.software_model == vendors_own


def again(profile: Any) -> None:
    """Another download, as the schedule asks for it."""
    from profiles.jobs import queue  # noqa: PLC0415
    from profiles.models import JobRun  # noqa: PLC0415

    queue.request(queue.Request("download_subscriptions", JobRun.Trigger.SCHEDULE, profile=profile))
    worlds.work_on()


def test_a_reader_sees_identifiers_and_cannot_map_them(signed_in: Any, world: Any) -> None:
    reader = signed_in("sam_user")
    assert "/map/" not in reader.get(world.strange.get_absolute_url()).content.decode()
    assert reader.get(f"{LIST}{world.strange.pk}/map/").status_code == 403
    assert mapped(reader, world.strange, software_model=world.full.pk).status_code == 403
    world.strange.refresh_from_db()
    assert world.strange.software_model is None


def test_identifiers_are_found_by_name_model_and_profile(manager: Any, world: Any) -> None:
    def found(query: str) -> list[str]:
        return list(pages.rows(manager.get(f"{LIST}?{query}").content.decode(), "Identifier"))

    assert found("q=holo") == ["hologram"] and found("q=Full") == ["full"]
    assert found("recognized=yes") == ["full"] and found(f"profile={world.asia.pk}") == ["hologram"]
    assert found("sort=-current") == ["hologram", "full"] and found("sort=-software_model") == ["full", "hologram"]


def test_thirty_identifiers_cost_as_many_queries_as_one(manager: Any) -> None:
    seat = factories.subscription()
    paths = (LIST, seat.identifier.get_absolute_url(), f"{LIST}{seat.identifier.pk}/map/")
    one = [pages.cost(manager, path) for path in paths]
    for _ in range(29):
        factories.subscription(identifier=factories.identifier())
        factories.subscription(identifier=seat.identifier)
    assert [pages.cost(manager, path) for path in paths] == one


def test_nonsense_in_the_address_gives_a_page(manager: Any, world: Any) -> None:
    for query in worlds.nonsense(("q", "recognized", "profile", "sort", "page", "per_page")):
        assert manager.get(f"{LIST}?{query}").status_code == 200, query[:200]
    for key in ("0", "4711", str(2**63)):
        assert manager.get(f"{LIST}{key}/").status_code == 404
