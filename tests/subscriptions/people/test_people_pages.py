"""The directory's pages: finding a person, what is known of them, and changing it by hand."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from profiles.models import JobRun
from samsaas.lib import sql
from samsaas.lib.sql import Expected
from samsaas.models import AuditEntry
from subscriptions.models import LastActivity, Match, Person, Subscription
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST = "/people/"
NAMES = ("q", "department", "country", "state", "seats", "sort", "page", "per_page")


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def world() -> SimpleNamespace:
    """Anna leads Sales from Germany and holds two seats; Bob reports to her and holds one that ended; Cleo left."""
    anna = factories.person("anna@example.com", "a@example.org", name="Anna", key="1", department="Sales", country="DE")
    bob = factories.person("a@example.org", name="Bob", key="2", department="Sales", manager="1", country="ES")
    gone = timezone.localdate() - timedelta(days=1)
    cleo = factories.person(name="Cleo", key="3", department="IT & Law", left_on=gone, country="DE")
    dora = factories.person(name="Dora", key="4", left_on=timezone.localdate() + timedelta(days=9))
    profile, kind = factories.profile(display_name="Europe"), factories.identifier()
    seats = [factories.subscription(profile=profile, identifier=kind, display_name=f"Seat {n}") for n in range(4)]
    for seat, person in zip(seats, (anna, anna, bob, cleo), strict=True):
        factories.match(seat, person)
    Subscription.objects.filter(pk=seats[2].pk).update(ended_at=timezone.now())
    LastActivity.objects.create(subscription=seats[0], at=timezone.now() - timedelta(days=3), kind="login")
    return SimpleNamespace(anna=anna, bob=bob, cleo=cleo, dora=dora, seats=seats)


def shown(client: Any, query: str) -> list[str]:
    page = client.get(f"{LIST}?{query}").content.decode()
    try:
        return [name.split()[0] for name in pages.rows(page, "Name")]
    except StopIteration:
        return []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "Anna Bob Cleo Dora"),
        ("q=ann", "Anna"),
        ("q=EXAMPLE.org", "Anna Bob"),
        ("q=law", "Cleo"),
        ("department=Sales", "Anna Bob"),
        ("department=IT+%26+Law", "Cleo"),
        ("country=DE", "Anna Cleo"),
        ("state=active", "Anna Bob Dora"),
        ("state=left", "Cleo"),
        ("seats=with", "Anna Cleo"),
        ("seats=without", "Bob Dora"),
        ("sort=-seats&state=active", "Anna Bob Dora"),
        ("q=nobody", ""),
    ],
)
def test_people_are_found_by_what_is_known_of_them(reader: Any, world: Any, query: str, expected: str) -> None:
    assert shown(reader, query) == expected.split()


@pytest.mark.parametrize(("text", "expected"), [("EXAMPLE.org", "Anna Bob"), ("law", "Cleo"), ("a", "Anna Bob")])
def test_a_text_that_very_many_have_finds_the_same_people_one_after_another(
    reader: Any, world: Any, monkeypatch: Any, text: str, expected: str
) -> None:
    assert shown(reader, f"q={text}") == expected.split()
    monkeypatch.setattr(sql, "expect", lambda ask: Expected(1, 100_000))
    assert shown(reader, f"q={text}") == expected.split()


def test_the_list_counts_current_seats(reader: Any, world: Any) -> None:
    rows = pages.rows(reader.get(LIST).content.decode(), "Name")
    assert {name.split()[0]: cells[-1] for name, cells in rows.items()} == {
        "Anna": "2",
        "Bob": "0",
        "Cleo": "1",
        "Dora": "0",
    }
    assert "and 1 more" in " ".join(rows["Anna"])


def test_a_person_is_shown_with_their_seats_reports_and_shared_addresses(reader: Any, world: Any) -> None:
    said = pages.text_of(reader.get(world.anna.get_absolute_url()).content.decode())
    used = timezone.localtime() - timedelta(days=3)
    assert "Seat 0" in said and "Europe" in said and f"{used:%-d %b %Y}" in said and "Not covered" in said
    assert "a @example.org Shared" in said and "anna @example.com Shared" not in said
    assert "Direct reports Bob" in said
    bob = pages.text_of(reader.get(world.bob.get_absolute_url()).content.decode())
    assert "Manager Anna" in bob and "Ended" in bob
    orphan = factories.person(manager="nobody")
    assert "(not in the directory)" in reader.get(orphan.get_absolute_url()).content.decode()


def test_thirty_people_seats_and_reports_cost_as_many_queries_as_one(reader: Any) -> None:
    boss = factories.person("boss@example.com", key="boss")
    kind, profile = factories.identifier(), factories.profile()
    factories.person("x@example.com", manager="boss")
    factories.match(factories.subscription(profile=profile, identifier=kind), boss)
    one = [pages.cost(reader, path) for path in (LIST, boss.get_absolute_url())]
    for number in range(29):
        factories.person(f"p{number}@example.com", f"q{number}@example.com", manager="boss")
        factories.match(factories.subscription(profile=factories.profile(), identifier=factories.identifier()), boss)
    assert [pages.cost(reader, path) for path in (LIST, boss.get_absolute_url())] == one


def test_nonsense_in_the_address_never_breaks_the_list(reader: Any, world: Any) -> None:
    for query in worlds.nonsense(NAMES):
        assert reader.get(f"{LIST}?{query}").status_code == 200, query


def test_an_empty_directory_says_what_to_do(reader: Any, keeper: Any) -> None:
    assert "sam_admin imports" in reader.get(LIST).content.decode()
    page = keeper.get(LIST).content.decode()
    assert "Import people" in page and "/people/imports/" in page


def form(**fields: str) -> dict[str, str]:
    return {"key": "77", "name": "Zoë", "addresses": "", "department": "", "country": "", "left_on": "", **fields}


def test_a_person_is_added_with_normalized_addresses_and_matching_is_asked_for(keeper: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    lines = " Zoe@Example.COM \r\n\r\nZÖE@example.com\r\nzoe@example.com"
    answer = keeper.post("/people/new/", form(addresses=lines, country="fr"))
    zoe = Person.objects.get()
    assert answer["Location"] == zoe.get_absolute_url()
    assert [one.address for one in zoe.addresses.all()] == ["zoe@example.com", "zöe@example.com"]
    assert zoe.country == "FR"
    assert AuditEntry.objects.filter(verb="created person", object_id=str(zoe.pk)).exists()
    assert JobRun.objects.filter(process="match_people").count() == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"key": ""}, "required"),
        ({"key": "1"}, "already exists"),
        ({"name": "a\u202eb"}, "cannot be shown"),
        ({"addresses": "nobody"}, "is not an e-mail address"),
        ({"addresses": "a@b.example <a@b.example>"}, "is not an e-mail address"),
        ({"country": "D1"}, "two capital letters"),
        ({"left_on": "2026-02-30"}, "valid date"),
        ({"name": "x" * 201}, "at most 200"),
    ],
)
def test_a_form_that_makes_no_sense_stores_nothing_and_says_why(keeper: Any, fields: Any, reason: str) -> None:
    factories.person(key="1")
    answer = keeper.post("/people/new/", form(**fields))
    assert answer.status_code == 200 and reason in pages.text_of(answer.content.decode())
    assert Person.objects.count() == 1


def opened(client: Any, person: Person) -> dict[str, str]:
    """The form as the page fills it."""
    page = client.get(f"{person.get_absolute_url()}edit/")
    values = {name: page.context["form"][name].value() for name in page.context["form"].fields}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def test_a_change_of_address_asks_for_matches_and_a_change_of_department_does_not(keeper: Any, world: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    edit = f"{world.anna.get_absolute_url()}edit/"
    keeper.post(edit, {**opened(keeper, world.anna), "department": "Marketing"})
    world.anna.refresh_from_db()
    assert world.anna.department == "Marketing" and world.anna.addresses.count() == 2
    assert not JobRun.objects.filter(process="match_people").exists()
    keeper.post(edit, {**opened(keeper, world.anna), "addresses": "new@example.com"})
    assert [one.address for one in world.anna.addresses.all()] == ["new@example.com"]
    assert JobRun.objects.filter(process="match_people").count() == 1
    told = AuditEntry.objects.filter(verb="changed person").latest("pk").detail
    assert told["before"] == {"addresses": "anna@example.com, a@example.org"}


def test_two_who_edit_the_same_person_do_not_overwrite_each_other(keeper: Any, world: Any) -> None:
    mine, edit = opened(keeper, world.anna), f"{world.anna.get_absolute_url()}edit/"
    keeper.post(edit, {**opened(keeper, world.anna), "department": "Theirs"})
    answer = keeper.post(edit, {**mine, "department": "Mine"})
    assert "Somebody else saved this person meanwhile" in answer.content.decode()
    assert Person.objects.get(key="1").department == "Theirs"


def test_deleting_asks_first_and_leaves_the_seats_without_user(keeper: Any, world: Any) -> None:
    delete = f"{world.anna.get_absolute_url()}delete/"
    said = pages.text_of(keeper.get(delete).content.decode())
    assert "2 current subscriptions" in said and "2 matches made by hand" in said
    assert Person.objects.filter(key="1").exists()
    keeper.post(delete)
    assert not Person.objects.filter(key="1").exists() and Match.objects.count() == 2
    assert Subscription.objects.count() == 4
    assert AuditEntry.objects.get(verb="deleted person").detail["matches"] == 2


def test_readers_look_and_only_sam_admins_and_admins_change(signed_in: Any, world: Any) -> None:
    detail = world.anna.get_absolute_url()
    for role, allowed in {"sam_user": False, "sam_integrator": False, "sam_admin": True, "admin": True}.items():
        client = signed_in(role)
        assert client.get(LIST).status_code == client.get(detail).status_code == 200
        for path in (f"{LIST}new/", f"{detail}edit/", f"{detail}delete/", f"{LIST}imports/"):
            assert (client.get(path).status_code == 200) == allowed, (role, path)
        assert ("edit/" in client.get(detail).content.decode()) == allowed
