"""What a person chooses for lists is theirs, comes back on the next day, and cannot break a page."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.test import RequestFactory

from samsaas.lib import tables
from samsaas.lib.list_choices import always_shown, columns_shown, list_key
from samsaas.models import AuditEntry, ListPreference
from subscriptions.people.tables import PersonTable
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PEOPLE, DENSITY, COLUMNS = "/people/", "/lists/density/", "/lists/columns/"


@pytest.fixture
def reader(signed_in: Any) -> Any:
    factories.person(name="Anna Müller", department="Sales")
    return signed_in("sam_user")


def headings(client: Any, address: str = PEOPLE) -> list[str]:
    page = client.get(address).content.decode()
    found = re.findall(r"<th scope=\"col\".*?</th>", page.split("<thead", 1)[1].split("</thead>", 1)[0], re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def test_the_columns_a_person_chose_are_shown_to_that_person_only(reader: Any, signed_in: Any) -> None:
    colleague = signed_in("sam_admin")
    answer = reader.post(COLUMNS, {"list": "PersonTable", "column": ["seats", "key"], "back": f"{PEOPLE}?q=Anna"})
    assert (answer.status_code, answer["Location"]) == (302, f"{PEOPLE}?q=Anna")
    assert headings(reader) == ["Name", "Employee number", "Subscriptions"]
    assert "Department" in headings(colleague)
    assert AuditEntry.objects.get(verb="changed columns of list").detail == {
        "list": "People",
        "columns": ["key", "seats"],
    }


def test_a_reset_brings_back_the_columns_of_the_list(reader: Any) -> None:
    before = headings(reader)
    reader.post(COLUMNS, {"list": "PersonTable", "back": PEOPLE})
    assert headings(reader) == ["Name"], "the first column opens the row, so it cannot be hidden"
    reader.post(COLUMNS, {"list": "PersonTable", "do": "reset", "back": PEOPLE})
    assert headings(reader) == before


def test_a_hidden_column_costs_no_query_and_no_order(reader: Any, django_assert_max_num_queries: Any) -> None:
    def asked(address: str) -> str:
        with django_assert_max_num_queries(100) as queries:
            reader.get(address)
        return " ".join(one["sql"] for one in queries.captured_queries)

    assert "subscriptions_match" in asked(PEOPLE) and "subscriptions_personaddress" in asked(PEOPLE)
    reader.post(COLUMNS, {"list": "PersonTable", "column": ["key"], "back": PEOPLE})
    hidden = asked(f"{PEOPLE}?sort=-seats")
    assert "subscriptions_match" not in hidden and "subscriptions_personaddress" not in hidden


def test_the_density_holds_for_every_list_and_goes_back_to_the_page(reader: Any) -> None:
    assert 'id="listing" class="compact"' in reader.get(PEOPLE).content.decode()
    answer = reader.post(DENSITY, {"density": "comfortable", "back": PEOPLE})
    assert answer["Location"] == PEOPLE
    for address in (PEOPLE, "/runs/"):
        assert 'class="compact"' not in reader.get(address).content.decode()
    reader.post(DENSITY, {"density": "compact", "back": "//evil.example/"})
    assert 'class="compact"' in reader.get("/runs/").content.decode()


@pytest.mark.parametrize("key", ["", "Table", "NoSuchTable", "x" * 5000, "PersonTable.objects"])
def test_a_list_that_does_not_exist_is_refused_and_stores_nothing(reader: Any, key: str) -> None:
    answer = reader.post(COLUMNS, {"list": key, "column": ["name"], "back": "//evil.example/"}, follow=True)
    assert "There is no such list" in answer.content.decode()
    assert answer.redirect_chain[0][0] == "/"
    assert not ListPreference.objects.exists()


def test_columns_that_no_table_has_are_not_stored(reader: Any) -> None:
    reader.post(COLUMNS, {"list": "PersonTable", "column": ["key", "password", "x" * 900], "back": PEOPLE})
    assert ListPreference.objects.get().columns == {"PersonTable": ["key"]}


def test_stored_columns_that_a_new_version_lacks_are_left_out(reader: Any) -> None:
    ListPreference.objects.create(account=reader.user, columns={"PersonTable": ["gone", "country"], "GoneTable": ["x"]})
    assert headings(reader) == ["Name", "Country"]


def test_every_list_has_a_name_of_its_own_and_hides_only_columns_it_has() -> None:
    ours = [one for one in tables.every_table() if not one.__module__.startswith("tests.")]
    assert [key for key, count in Counter(map(list_key, ours)).items() if count > 1] == []
    for one in ours:
        assert set(one.hidden_at_first) <= set(one.base_columns), one
        assert not set(one.hidden_at_first) & set(always_shown(one)), one


def test_without_a_signed_in_person_the_columns_are_those_of_the_table() -> None:
    assert columns_shown(RequestFactory().get("/"), PersonTable)[0] == "name"
