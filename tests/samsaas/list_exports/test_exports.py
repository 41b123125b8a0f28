"""Every list as a file: its rows in its order, the columns shown, for who may open it, and in the audit trail."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from openpyxl import load_workbook

from profiles.jobs import execute
from profiles.models import JobRun
from samsaas import policy
from samsaas.list_exports import answer, write
from samsaas.models import AuditEntry, ExportedList
from tests import factories, pages

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PEOPLE, SEATS = "/people/", "/subscriptions/"


def read_csv(found: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(found.getvalue().decode("utf-8-sig"), newline="")))


def read_workbook(found: Any) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(found.getvalue()), read_only=True).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


TWICE = re.compile(r'<button type="submit" form="selection-form".*?</button>', re.DOTALL)


def every_list() -> list[str]:
    """The addresses of all pages that everybody with a role may open and that need nothing in their address."""
    found = []
    for name in policy.POLICY:
        try:
            found.append(reverse(name))
        except NoReverseMatch:
            continue
    return sorted(set(found))


@pytest.fixture
def used() -> list[Any]:
    """Three seats. Ada's and Bob's have a user, who has a department, a cost center and a country."""
    seats = [factories.subscription(display_name=name, email=f"{name}@one.example") for name in ("ada", "bob", "cid")]
    for seat, place in zip(seats, ("Sales", "=Ops"), strict=False):
        person = factories.person(name=seat.display_name.title(), department=place, cost_center="C-1", country="DE")
        factories.match(seat, person)
    return seats


def test_every_list_offers_both_files_and_they_have_the_columns_of_the_page(signed_in: Any, used: Any) -> None:
    administrator, lists = signed_in("sam_admin"), 0
    for path in every_list():
        page = administrator.get(path)
        if page.status_code != 200 or page.streaming or f'href="{path}?export=csv"' not in page.content.decode():
            continue
        lists += 1
        header, *rows = read_csv(administrator.get(f"{path}?export=csv"))
        text = page.content.decode()
        # Of a list whose rows can be ticked, the button that sorts without scripts says the same once more.
        headings = re.findall(r'<th scope="col" class="(?!col-tick)[^>]*>(.*?)</th>', TWICE.sub("", text), re.DOTALL)
        assert {*header} >= {*map(pages.text_of, headings)} - {"Suggestions", ""}, path
        assert rows and not any("<" in cell for row in rows for cell in row), path
        assert read_workbook(administrator.get(f"{path}?export=xlsx"))[0] == header
    assert lists >= 6


def test_a_file_has_the_rows_of_the_filter_in_the_order_of_the_list_with_whose_they_are(
    signed_in: Any, used: Any
) -> None:
    reader = signed_in("sam_user")
    header, *rows = read_csv(reader.get(f"{SEATS}?export=csv&sort=-display_name&q=one.example"))
    assert [row[0] for row in rows] == ["cid", "bob", "ada"]
    assert header[-3:] == ["Department", "Cost center", "Country"]
    assert [row[-3:] for row in rows] == [["", "", ""], ["'=Ops", "C-1", "DE"], ["Sales", "C-1", "DE"]]
    entry = AuditEntry.objects.get(verb="exported")
    assert entry.detail["rows"] == 3 and entry.detail["filters"] == {"q": "one.example", "export": "csv"}
    book = read_workbook(reader.get(f"{SEATS}?export=xlsx&q=ada"))
    assert [row[0] for row in book] == [header[0], "ada"] and len(book[0]) == len(header)


def test_a_hidden_column_is_not_in_the_file(signed_in: Any, used: Any) -> None:
    reader = signed_in("sam_user")
    reader.post("/lists/columns/", {"list": "SubscriptionTable", "column": ["email", "status"], "back": SEATS})
    header = read_csv(reader.get(f"{SEATS}?export=csv"))[0]
    assert header[:3] == ["Display name", "User principal name", "Status"] and "Inactive days" not in header


def test_thirty_rows_cost_as_many_queries_as_a_few(signed_in: Any, used: Any) -> None:
    reader = signed_in("sam_admin")
    for path in (SEATS, PEOPLE, "/subscriptions-without-user/"):
        counts = []
        for more in (0, 30):
            for number in range(more):
                seat = factories.subscription(display_name=f"{path} {number}", email=f"{number}@two.example")
                if number % 2:
                    factories.match(seat, factories.person())
            counts.append(pages.cost(reader, f"{path}?export=csv"))
        assert counts[0] == counts[1], path


def test_a_filter_that_cannot_be_used_leads_to_the_list_which_says_so(signed_in: Any, used: Any) -> None:
    told = signed_in("sam_user").get(f"{SEATS}?export=csv&status=nonsense", follow=True)
    assert told.request["QUERY_STRING"] == "status=nonsense" and b"was ignored" in told.content
    assert not AuditEntry.objects.filter(verb="exported").exists()


def test_who_may_not_open_a_list_does_not_get_its_file(client: Any, signed_in: Any, used: Any) -> None:
    assert client.get(f"{SEATS}?export=csv").status_code == 302
    assert signed_in("").get(f"{SEATS}?export=csv").status_code == 403


def test_a_long_workbook_is_written_by_a_job_and_only_who_asked_downloads_it(
    signed_in: Any, used: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(answer, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(write, "MOST_LINES", 2)
    reader = signed_in("sam_user")
    page = reader.get(f"{SEATS}?export=xlsx&sort=-display_name", follow=True)
    run = JobRun.objects.get(process="export_list")
    assert page.request["PATH_INFO"] == f"/runs/{run.pk}/"
    execute.run(run.pk)
    run.refresh_from_db()
    assert run.state == JobRun.State.SUCCEEDED and "first of 3" in run.warnings[0]
    address = f"/exports/{run.subject}/"
    assert address in reader.get(f"/runs/{run.pk}/").content.decode()
    assert [row[0] for row in read_workbook(reader.get(address))] == ["Display name", "cid", "bob"]
    assert signed_in("sam_admin").get(address).status_code == 404
    assert write.discard_old(timezone.now() + timedelta(days=8)) and not ExportedList.objects.exists()


def test_somebody_whose_role_was_taken_meanwhile_gets_no_workbook(signed_in: Any, used: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(answer, "MOST_AT_ONCE", 0)
    reader = signed_in("sam_user")
    reader.get(f"{SEATS}?export=xlsx")
    reader.user.groups.clear()
    run = JobRun.objects.get(process="export_list")
    execute.run(run.pk)
    run.refresh_from_db()
    assert run.state == JobRun.State.FAILED and "may not open the list" in run.error_message
