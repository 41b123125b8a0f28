"""Files of people as spreadsheets and HR systems write them. The comments name the case of the field log."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from subscriptions.models import Person, PersonAddress, PersonImport
from tests.subscriptions.people import people_world as world

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
FILES = Path(__file__).parent / "files"


@pytest.fixture
def admin(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def staged(name: str, client: Any) -> PersonImport:
    return world.staged((FILES / name).read_bytes(), client.user)


def test_f01_a_last_delimiter_that_a_spreadsheet_leaves_out_is_an_empty_cell(admin: Any) -> None:
    assert set(world.effects(staged("f01_last_delimiter_missing.csv", admin)).values()) == {"new"}


def test_f02_the_end_of_time_is_no_last_day(admin: Any) -> None:
    upload = staged("f02_open_end.csv", admin)
    assert world.effects(upload) == {"1": "new", "2": "new"}
    world.applied(upload, admin.user)
    assert set(Person.objects.values_list("left_on", flat=True)) == {None}


def test_f03_a_date_with_a_midnight_is_that_date(admin: Any) -> None:
    upload = staged("f03_date_with_time.csv", admin)
    assert world.effects(upload) == {"1": "new", "2": "new"}
    world.applied(upload, admin.user)
    assert set(Person.objects.values_list("left_on", flat=True)) == {date(2026, 3, 31)}


@pytest.mark.parametrize("name", ["f04_carriage_returns.csv", "f04_two_marks.csv"])
def test_f04_a_file_is_read_or_refused_for_what_is_wrong_with_it(admin: Any, name: str) -> None:
    page = world.send(admin, (FILES / name).read_bytes()).content.decode()
    assert "there is no “employee number”" not in page
    assert set(world.effects(staged(name, admin)).values()) == {"new"}


def test_f05_addresses_as_a_mail_server_lists_them(admin: Any) -> None:
    upload = staged("f05_proxy_addresses.csv", admin)
    assert world.effects(upload) == {"1": "new"}
    world.applied(upload, admin.user)
    assert set(PersonAddress.objects.values_list("address", flat=True)) == {
        "ann.lee@acme.example",
        "ann@acme.example",
    }


def test_f06_a_number_guarded_against_the_spreadsheet_is_that_number_or_is_refused(admin: Any) -> None:
    world.applied(staged("f06_guarded_numbers.csv", admin), admin.user)
    assert list(Person.objects.values_list("key", flat=True)) in (["00007"], [])


def test_f17_the_file_of_refused_lines_keeps_every_cell(admin: Any) -> None:
    """Uploaded as it is, it must not be taken for something else."""
    upload = staged("f17_surplus_cell.csv", admin)
    refused = b"".join(admin.get(f"{upload.get_absolute_url()}errors/").streaming_content)
    again = world.staged(refused, admin.user)
    assert "Sales" in refused.decode()
    assert world.effects(again) == {"1001": "refused"}


def test_f19_a_header_in_the_middle_is_nobody(admin: Any) -> None:
    upload = staged("f19_header_repeated.csv", admin)
    assert world.effects(upload).get("employee number") != "new"


def test_f21_two_lines_that_say_the_same_are_one(admin: Any) -> None:
    """An employee with two positions stands twice in many exports. Lines that differ are another matter."""
    upload = world.staged("employee number,name,department\n1,Ann,Sales\n1,Ann,Sales\n2,Bob,IT\n2,Bob,HR\n", admin.user)
    assert sorted(upload.rows.values_list("key", "effect")).count(("1", "new")) == 1
    assert set(upload.rows.filter(key="2").values_list("effect", flat=True)) == {"refused"}
