"""Rights that are allocated to people: by hand, from a file, released, and moved to a renewal."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from samsaas.models import AuditEntry
from subscriptions.entitlements import allocate, edit
from subscriptions.models import Allocation, Entitlement, ReconciliationRun
from tests import factories, pages
from tests.samsaas.lib.workbooks import make_workbook
from tests.subscriptions.entitlements.owned_world import LIST, day, drafted, published, seat_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def owned(keeper: Any) -> Entitlement:
    return published(keeper.user, purchased_rights=3)


def told(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def place(one: Entitlement) -> str:
    return f"{one.get_absolute_url()}allocations/"


def allocated(client: Any, one: Entitlement, who: str, quantity: int = 1, on: str = "") -> str:
    sent = {"who": who, "quantity": quantity, "on": on or day(0).isoformat()}
    return told(client.post(f"{place(one)}new/", sent, follow=True))


def test_rights_are_allocated_by_number_or_address_and_the_position_follows(keeper: Any, owned: Entitlement) -> None:
    factories.person("ann@example.com", key="7", name="Ann")
    assert "Ann has 2 of the rights" in allocated(keeper, owned, "ANN@example.com", 2)
    held = Allocation.objects.get()
    assert (held.person.name, held.quantity, held.source) == ("Ann", 2, "hand")
    assert "1 of 3 rights are not allocated" in told(keeper.get(place(owned)))
    assert AuditEntry.objects.filter(verb="allocated rights").exists()
    assert ReconciliationRun.objects.filter(software_model=owned.software_model).exists()


REFUSED = {
    "nobody": ({"who": "8"}, "Nobody in the directory has “8”"),
    "too many": ({"quantity": "4"}, "has 3 rights left that are not allocated"),
    "none": ({"quantity": "0"}, "greater than or equal to 1"),
    "half": ({"quantity": "0.5"}, "Enter a whole number"),
    "no day": ({"on": "soon"}, "Enter a valid date"),
    "a leaver": ({"who": "9"}, "left on"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_allocated_is_refused_and_nothing_is_stored(keeper: Any, owned: Entitlement, case: str) -> None:
    factories.person(key="7")
    factories.person(key="9", left_on=day(-5))
    change, reason = REFUSED[case]
    sent = {"who": "7", "quantity": "1", "on": day(0).isoformat(), **change}
    assert reason in told(keeper.post(f"{place(owned)}new/", sent))
    assert not Allocation.objects.exists()


def test_a_second_allocation_for_the_same_person_and_the_last_right_twice_are_refused(keeper: Any) -> None:
    one = published(keeper.user, purchased_rights=1)
    for key in "12":
        factories.person(key=key)
    allocated(keeper, one, "1")
    assert "has rights of" in allocated(keeper, one, "1") and "has 0 rights left" in allocated(keeper, one, "2")
    assert Allocation.objects.count() == 1


def test_unlimited_rights_cannot_be_allocated(keeper: Any) -> None:
    one = published(keeper.user, unlimited=True, purchased_rights=0, unit_cost=None, currency="")
    factories.person(key="7")
    assert "An unlimited license has no rights to allocate." in allocated(keeper, one, "7")


def test_the_list_tells_who_uses_their_right_and_who_left(keeper: Any, owned: Entitlement) -> None:
    people = {name: factories.person(name=name) for name in ("Ann", "Bob", "Cleo")}
    seat_of(people["Ann"], owned.software_model)
    for person in people.values():
        Allocation.objects.create(entitlement=owned, person=person, assigned_on=owned.start)
    people["Cleo"].left_on = day(-3)
    people["Cleo"].save()
    use = {name: row[3] for name, row in pages.rows(keeper.get(place(owned)).content.decode(), "Person").items()}
    assert use["Ann"] == "In use" and use["Bob"] == "Not in use"
    assert {
        query: pages.rows_behind(keeper, place(owned) + query) for query in ("?use=yes", "?use=left", "?q=bob")
    } == {
        "?use=yes": 1,
        "?use=left": 1,
        "?q=bob": 1,
    }
    page = told(keeper.get(owned.get_absolute_url()))
    assert "1 person who left has rights of it. Release them." in page
    assert "1 person has more rights than subscriptions" in page


def test_allocations_cost_the_same_for_one_and_for_thirty(keeper: Any) -> None:
    one = published(keeper.user, purchased_rights=40)
    Allocation.objects.create(entitlement=one, person=factories.person(), assigned_on=one.start)
    few = pages.cost(keeper, place(one))
    for _ in range(29):
        Allocation.objects.create(entitlement=one, person=factories.person(), assigned_on=one.start)
    assert pages.cost(keeper, place(one)) == few


def test_rights_are_released_from_a_day_on_and_the_days_before_keep_them(keeper: Any, owned: Entitlement) -> None:
    held = Allocation.objects.create(entitlement=owned, person=factories.person(name="Ann"), assigned_on=day(-10))
    path = f"/allocations/{held.pk}/release/"
    assert "The days before keep the allocation" in told(keeper.get(path))
    assert "They were assigned on" in told(keeper.post(path, {"on": day(-20).isoformat()}))
    assert "are free again" in told(keeper.post(path, {"on": day(-1).isoformat()}, follow=True))
    held.refresh_from_db()
    assert held.released_on == day(-1)
    assert "It was released already." in told(keeper.post(path, {"on": day(0).isoformat()}))


def imported(client: Any, one: Entitlement, content: bytes, name: str = "people.csv") -> Any:
    return client.post(f"/allocations/import/?entitlement={one.pk}", {"file": SimpleUploadedFile(name, content)})


def confirm(client: Any, one: Entitlement, page: Any, **fields: str) -> Any:
    text = page.context["preview"].cleaned_data["text"]
    sent = {"text": text, "apply": "1", **fields}
    return client.post(f"/allocations/import/?entitlement={one.pk}", sent, follow=True)


@pytest.mark.parametrize("kind", ["CSV", "a workbook"])
def test_a_file_is_shown_line_by_line_before_it_allocates(keeper: Any, owned: Entitlement, kind: str) -> None:
    factories.person("ann@example.com", key="0007", name="Ann")
    factories.person(key="8", name="Bob")
    rows = [["Employee number", "Quantity"], ["0007", "2"], ["8", ""]]
    content = make_workbook(rows) if kind == "a workbook" else "\n".join(";".join(row) for row in rows).encode()
    page = imported(keeper, owned, content, "people.xlsx" if kind == "a workbook" else "people.csv")
    assert "2 of 2 lines would allocate rights" in told(page) and not Allocation.objects.exists()
    done = told(confirm(keeper, owned, page))
    assert "2 people have rights of" in done and "Ann" in done
    assert list(Allocation.objects.order_by("pk").values_list("quantity", "source")) == [(2, "csv"), (1, "csv")]


BAD = """person;quantity
7;1
7;1
nobody;1
8;-1
8;1,5
8;1.234
9;1
=1+1;1
10;5
11;1
"""


def test_nothing_is_allocated_while_a_line_is_refused_unless_they_are_left_out(keeper: Any, owned: Entitlement) -> None:
    for key in ("7", "8", "10", "11"):
        factories.person(key=key)
    factories.person(key="9", left_on=day(-5))
    Allocation.objects.create(entitlement=owned, person=factories.person(key="12"), assigned_on=owned.start)
    page = imported(keeper, owned, f"{BAD}12;1\n".encode())
    problems = [line.problem for line in page.context["preview"].lines]
    words = ["", "on line 2 already", "Nobody", "negative", "whole", "could be", "has left", "formula", "2 rights left"]
    words = [word if word != "2 rights left" else "1 rights left" for word in words] + ["", "has rights of"]
    assert [word in problem if word else not problem for word, problem in zip(words, problems, strict=True)] == [
        True
    ] * 11
    assert "Nothing was allocated: some lines are refused" in told(confirm(keeper, owned, page))
    assert Allocation.objects.count() == 1
    assert "2 people have rights" in told(confirm(keeper, owned, page, good="on"))


def test_refused_lines_come_back_as_a_file_that_a_spreadsheet_cannot_run(keeper: Any, owned: Entitlement) -> None:
    page = imported(keeper, owned, b"person\n=cmd|' /C calc'!A0\nnobody\n")
    sent = {"text": page.context["preview"].cleaned_data["text"], "errors": "1"}
    text = keeper.post(f"/allocations/import/?entitlement={owned.pk}", sent).getvalue().decode().lstrip("\ufeff")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["person", "quantity", "line", "problem"] and rows[1][0].startswith("'=cmd")
    again = imported(keeper, owned, text.replace("nobody", "7").encode())
    assert [line.text for line in again.context["preview"].lines] == ["=cmd|' /C calc'!A0", "7"]


UNREADABLE = {
    "nothing": (b"", "The file is empty"),
    "no person": (b"quantity\n1\n", "must name the columns"),
    "two persons": (b"person,user\n1,2\n", "Two columns have the same meaning"),
    "only a header": (b"person\n", "no line below its header"),
    "too many": (b"person\n" + b"7\n" * 1001, "more than 1,000 lines"),
    "not text": ("person\nMüller\n".encode("cp1252"), "not UTF-8"),
    "no workbook": (b"PK\x03\x04" + b"\0" * 999, "damaged"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(keeper: Any, owned: Entitlement, case: str) -> None:
    content, reason = UNREADABLE[case]
    assert reason in told(imported(keeper, owned, content))


def test_a_made_up_preview_is_judged_like_a_file(keeper: Any, owned: Entitlement) -> None:
    factories.person(key="7")
    for text in ("2,7,99,\r\n", "x,7,1,\r\n", "2,7\r\n", "\r\n" * 50, "2,7,1,no\r\n"):
        answer = keeper.post(f"/allocations/import/?entitlement={owned.pk}", {"text": text, "apply": "1", "good": "on"})
        assert answer.status_code in (200, 302)
    assert not Allocation.objects.filter(quantity__gt=3).exists()


@pytest.mark.parametrize("asked", ["", "0", "x", "9" * 30, "99999"])
def test_an_import_of_no_entitlement_is_not_found(keeper: Any, asked: str) -> None:
    assert keeper.get(f"/allocations/import/?entitlement={asked}").status_code == 404


def test_who_comes_for_the_import_without_an_entitlement_is_told_to_choose_one(keeper: Any, owned: Entitlement) -> None:
    answer = keeper.get("/allocations/import/", follow=True)
    assert answer.redirect_chain == [("/entitlements/", 302)] and "Open the entitlement" in told(answer)


def renewed(keeper: Any, rights: int) -> tuple[Entitlement, Entitlement]:
    before = published(keeper.user, purchased_rights=4, start=day(-300), end=day(10))
    after = edit.draft_renewal(before)
    after.purchased_rights = rights
    return before, edit.publish(
        edit.save_draft(after, by=keeper.user, now=timezone.now()), by=keeper.user, now=timezone.now()
    )


def test_renewing_moves_allocations_on_the_first_day_of_the_renewal(keeper: Any) -> None:
    one = published(keeper.user, purchased_rights=3, start=day(-300), end=day(10))
    Allocation.objects.create(entitlement=one, person=factories.person(name="Ann"), assigned_on=day(-30))
    page = keeper.get(f"{one.get_absolute_url()}renew/")
    assert "Move 1 allocation of" in told(page)
    from tests.subscriptions.entitlements.owned_world import form_of  # noqa: PLC0415

    done = told(
        keeper.post(
            f"{one.get_absolute_url()}renew/", {**form_of(page.context["form"].instance), "carry": "on"}, follow=True
        )
    )
    renewal = Entitlement.objects.latest("pk")
    assert f"The rights of 1 person go on in {renewal.number}." in done
    old, new = Allocation.objects.order_by("pk")
    assert (old.released_on, new.entitlement, new.assigned_on) == (renewal.start, renewal, renewal.start)
    assert allocate.free_rights(one, day(0)) == 2, "they are reserved until then"


def test_leavers_and_those_for_whom_no_right_is_left_stay_behind_and_are_counted(keeper: Any) -> None:
    before, after = renewed(keeper, rights=2)
    for name, left in (("Ann", None), ("Bob", None), ("Cleo", None), ("Dan", day(-1))):
        person = factories.person(name=name, left_on=left)
        Allocation.objects.create(entitlement=before, person=person, assigned_on=day(-30))
    assert allocate.carry_over(before, after, by=keeper.user, now=timezone.now()) == (2, 2)
    assert sorted(after.allocations.values_list("person__name", flat=True)) == ["Ann", "Bob"]
    assert allocate.carry_over(before, after, by=keeper.user, now=timezone.now()) == (0, 2), (
        "a second time moves nobody"
    )


def test_when_a_term_is_over_its_allocations_are_offered_to_the_renewal(keeper: Any) -> None:
    before = published(keeper.user, start=date(2025, 1, 1), end=date(2025, 12, 31))
    after = published(keeper.user, before.software_model, start=date(2026, 1, 1), end=day(300), renews=before)
    Allocation.objects.create(entitlement=before, person=factories.person(name="Ann"), assigned_on=date(2025, 3, 1))
    page = keeper.get(before.get_absolute_url()).content.decode()
    assert "neither do its allocations" in page and f"Move to {after.number}" in page
    assert f"go on in {after.number}" in told(keeper.post(f"{place(before)}carry/", follow=True))
    assert "has no renewal" in told(keeper.post(f"{place(after)}carry/", follow=True))


def test_a_removal_frees_a_right_that_waits_in_the_renewal_as_well(keeper: Any) -> None:
    before, after = renewed(keeper, rights=4)
    ann = factories.person()
    Allocation.objects.create(entitlement=before, person=ann, assigned_on=day(-30), quantity=2)
    allocate.carry_over(before, after, by=keeper.user, now=timezone.now())
    allocate.release_with_seat(ann, before.software_model, 1, now=timezone.now())
    today = Allocation.objects.held_after(day(0)).filter(entitlement=before)
    coming = Allocation.objects.open().filter(entitlement=after)
    assert [one.quantity for one in today] == [1] and today[0].released_on == after.start
    assert [one.quantity for one in coming] == [1]


def test_a_draft_can_have_allocations_which_count_when_it_does(keeper: Any) -> None:
    one = drafted(keeper.user)
    factories.person(key="7")
    allocated(keeper, one, "7")
    assert not ReconciliationRun.objects.exists() and one.allocations.count() == 1
    assert keeper.get(LIST).status_code == 200
