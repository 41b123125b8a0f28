"""The same text is the same wherever it comes from: names that are suggested, departments, numbers, addresses."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from subscriptions.matching import suggest
from subscriptions.models import Person, Subscription, UserExclusion
from tests import factories, pages
from tests.subscriptions.people import people_world as world
from tests.subscriptions.users.users_world import seat, user_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.mark.parametrize(
    ("given", "surname", "directory"),
    [
        ("José", "Peña", unicodedata.normalize("NFD", "José Peña")),
        ("Anna", "Müller", "MÜLLER, Anna"),
        ("Anna", "Müller", "Müller Anna"),
        ("Siobhán", "O’Brien", "Siobhán O'Brien"),
        ("Lee", "Spaces", "Lee\u00a0 Spaces"),
        ("Uwe", "Weiß", "WEISS, Uwe"),
        ("Jean\u2011Luc", "Petit", "Jean-Luc Petit"),
    ],
)
def test_the_same_name_written_in_another_usual_way_is_suggested(given: str, surname: str, directory: str) -> None:
    person = factories.person(name=directory)
    one = seat("somebody@acme.example", given_name=given, surname=surname, display_name=f"{given} {surname}")
    assert [(hint.person, hint.reason) for hint in suggest.run([one])[one.pk]] == [(person, "Same name")]


def test_a_dotless_i_is_no_i() -> None:
    factories.person("mike@acme.example", name="Mike Smith")
    one = seat("mıke@acme.example", display_name="Mıke Smith")
    assert user_of(one) == "" and suggest.run([one])[one.pk] == []


@pytest.mark.parametrize("address", ["oﬃce@acme.example", "ＯＦＦＩＣＥ@acme.example", "OFFICE@acme.example"])
def test_an_address_in_compatible_letters_is_suggested_and_only_the_same_one_is_matched(address: str) -> None:
    person = factories.person("office@acme.example", key="1")
    one = seat(address)
    assert user_of(one) == ("1" if address.isascii() else "")
    assert [hint.person for hint in suggest.run([one])[one.pk]] == [person]


def test_a_department_is_stored_and_offered_once(keeper: Any) -> None:
    file = "employee number,name,department,cost center\n1,Ann,K\u00f6ln,A\u00a0 1\n2,Bob,Ko\u0308ln,A 1\n"
    file += "3,Cleo,Ko\u0308ln ,\n"
    world.applied(world.staged(file, keeper.user), keeper.user)
    keeper.post("/people/new/", {"key": "4", "name": "Dora", "department": "\u00a0Ko\u0308ln", "cost_center": "A  1"})
    assert list(Person.objects.order_by().values_list("department").distinct()) == [("K\u00f6ln",)]
    assert set(Person.objects.values_list("cost_center", flat=True)) == {"A 1", ""}
    assert keeper.get("/people/").content.decode().count('<option value="K\u00f6ln"') == 1
    assert pages.rows_behind(keeper, "/people/?department=K%C3%B6ln") == 4
    again = world.staged(file, keeper.user)
    assert set(world.effects(again).values()) == {"same"}


@pytest.mark.parametrize("number", ['="00007"', "'00007", " 00007\u00a0", '"=""00007"""', "\ufeff00007"])
def test_a_number_that_is_guarded_against_a_spreadsheet_is_the_number(keeper: Any, number: str) -> None:
    factories.person(key="00007", name="Zoe")
    file = f"employee number,name,manager\n{number},Zoe,\n8,Ann,{number}\n"
    upload = world.staged(file, keeper.user)
    assert world.effects(upload) == {"00007": "same", "8": "new"}
    world.applied(upload, keeper.user)
    assert Person.objects.get(key="8").manager == "00007"


def test_a_guard_around_other_cells_is_no_part_of_them(keeper: Any) -> None:
    file = 'employee number,name,e-mails,left on\n="7",="Ann ""A"" Lee",="ann@acme.example",="2026-03-31"\n'
    world.applied(world.staged(file, keeper.user), keeper.user)
    ann = Person.objects.get()
    assert (ann.key, ann.name, str(ann.left_on)) == ("7", 'Ann "A" Lee', "2026-03-31")
    assert [one.address for one in ann.addresses.all()] == ["ann@acme.example"]


@pytest.mark.parametrize("written", ["JOSÉ@ACME.example", "jose\u0301@acme.example", "José@acme.example"])
def test_an_address_is_the_same_for_the_rules_the_exclusions_and_the_list(keeper: Any, written: str) -> None:
    factories.person("jos\u00e9@acme.example", key="1")
    one = seat(written)
    assert user_of(one) == "1"
    assert pages.rows_behind(keeper, "/subscriptions/?address=jos%C3%A9@acme.example") == 1
    for other in ("a@acme.example", "b@acme.example"):
        seat(other, profile=one.profile)
    keeper.post("/exclusions/users/new/", {"pattern": "JOSE\u0301@*", "active": "on"})
    assert UserExclusion.objects.get().pattern == "jos\u00e9@*"
    assert list(Subscription.objects.left_out()) == [one]
