"""Importing people: what the preview says is what is applied, all of it or nothing, whatever the file holds."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from profiles.models import JobRun
from samsaas.lib import uploads
from samsaas.models import AuditEntry
from subscriptions import import_people, people_file, stage_people
from subscriptions.models import Person, PersonAddress, PersonImport, PersonImportRow
from tests import factories, pages

pytestmark = pytest.mark.django_db
NEW = "/people/imports/"
HEADER = "Employee number,Name,E-mails,Department,Manager,Cost centre,Country,Left on\n"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def staged(text: str | bytes, account: Any, *, everybody: bool = False, name: str = "people.csv") -> PersonImport:
    content = text if isinstance(text, bytes) else text.encode()
    return stage_people.run(io.BytesIO(content), file_name=name, mark_leavers=everybody, by=account, now=timezone.now())


def applied(upload: PersonImport, account: Any, *, confirmed: bool = False) -> PersonImport:
    return import_people.run(upload.pk, confirmed=confirmed, by=account, now=timezone.now())


def send(client: Any, content: bytes, name: str = "people.csv", **fields: str) -> Any:
    return client.post(NEW, {**fields, "file": SimpleUploadedFile(name, content, "text/csv")}, follow=True)


def effects(upload: PersonImport) -> dict[str, str]:
    return dict(upload.rows.values_list("key", "effect"))


def everybody() -> list[dict[str, Any]]:
    """The whole directory, to be compared with itself."""
    return [
        {**row, "addresses": sorted(PersonAddress.objects.filter(person=row["id"]).values_list("address", flat=True))}
        for row in Person.objects.order_by("key").values()
    ]


def test_a_file_is_shown_first_and_applied_then(keeper: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    kept = factories.person("bob@example.com", key="2", name="Bob")
    changed = factories.person("cleo@example.com", "old@example.com", key="3", name="Cleo", department="Sales")
    text = HEADER + (
        "1,Anna Müller,Anna.Mueller@Example.com; anna@example.com,IT,2,CC-1,de,\n"
        "2,Bob,bob@example.com,,,,,\n"
        "3,Cleo,cleo@example.com new@example.com,Legal,,,,31.12.2026\n"
        "4,,no address,,,,Germany,yesterday\n"
    )
    page = send(keeper, text.encode()).content.decode()
    upload = PersonImport.objects.get()
    assert effects(upload) == {"1": "new", "2": "same", "3": "changed", "4": "refused"}
    assert Person.objects.count() == 2, "nothing is written yet"
    said = pages.text_of(page)
    assert "Sales Legal" in said and "old@example.com" in said
    assert "Name is empty." in said and "“no” is not an e-mail address." in said
    assert "Country “Germany” is not two letters" in said and "Left on “yesterday” is not a date" in said

    answer = keeper.post(f"{upload.get_absolute_url()}apply/", follow=True)
    assert "1 people added, 1 changed, 0 marked as leavers" in answer.content.decode()
    anna = Person.objects.get(key="1")
    assert (anna.name, anna.department, anna.manager, anna.country) == ("Anna Müller", "IT", "2", "DE")
    assert [one.address for one in anna.addresses.all()] == ["anna.mueller@example.com", "anna@example.com"]
    kept_before = kept.updated_at
    kept.refresh_from_db(), changed.refresh_from_db()
    assert kept.updated_at == kept_before, "what is the same is not written"
    assert (changed.department, changed.left_on) == ("Legal", date(2026, 12, 31))
    assert [one.address for one in changed.addresses.all()] == ["cleo@example.com", "new@example.com"]
    assert JobRun.objects.active().filter(process="match_people").count() == 1
    assert AuditEntry.objects.get(verb="imported people").detail["new"] == 1
    assert effects(upload) == {"4": "refused"}, "only what the error file needs is kept"


def test_the_same_file_again_changes_nothing(keeper: Any) -> None:
    text = HEADER + "1,Anna,anna@example.com,IT,,,DE,\n2,Bob,,,,,,2026-01-31\n"
    applied(staged(text, keeper.user), keeper.user)
    before = everybody()
    again = staged(text, keeper.user)
    assert set(effects(again).values()) == {"same"}
    applied(again, keeper.user)
    assert everybody() == before


def test_a_column_that_is_missing_leaves_its_values_alone_and_an_empty_cell_empties_them(keeper: Any) -> None:
    factories.person("ann@example.com", key="1", name="Ann", department="IT", country="DE", left_on=date(2026, 1, 1))
    applied(staged("employee number;name;country\n1;Ann B.;\n", keeper.user), keeper.user)
    ann = Person.objects.get()
    assert (ann.name, ann.country, ann.department, ann.left_on) == ("Ann B.", "", "IT", date(2026, 1, 1))
    assert ann.addresses.count() == 1
    applied(staged("employee number;name;e-mails;left on\n1;Ann B.;;\n", keeper.user), keeper.user)
    ann.refresh_from_db()
    assert ann.left_on is None and ann.addresses.count() == 0


SPELLINGS = {
    "comma": b"Employee number,Name,E-mails\n7,Ann,ann@example.com\n",
    "semicolon": b"Employee number;Name;E-mails\n7;Ann;ann@example.com\n",
    "tab": b"Employee number\tName\tE-mails\n7\tAnn\tann@example.com\n",
    "byte order mark": "\ufeffEmployee number,Name,E-mails\n7,Ann,ann@example.com\n".encode(),
    "mark and quotes": '\ufeff"Employee number","Name","E-mails"\r\n"7","Ann","ann@example.com"\r\n'.encode(),
    "case, blanks and order": b"E-MAIL ADDRESS , full  NAME, Employee ID\nann@example.com , Ann , 7\n",
    "Excel's separator line": b"sep=;\r\nEmployee number;Name;E-mails\r\n7;Ann;ann@example.com\r\n",
    "empty lines": b"\n\nEmployee number,Name,E-mails\n\n,,\n7,Ann,ann@example.com\n\n",
    "no line end": b"Employee number,Name,E-mails\n7,Ann,ann@example.com",
    "a column nobody knows": b"Employee number,Name,Shoe size,E-mails\n7,Ann,38,ann@example.com\n",
    "separator inside quotes": b'Employee number,Name,E-mails\n7,Ann,"ann@example.com,ann@example.com"\n',
    "an address a line": b'Employee number,Name,E-mails\n7,Ann,"ann@example.com\nANN@example.com"\n',
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_files_are_read_however_a_spreadsheet_writes_them(keeper: Any, spelling: str) -> None:
    applied(staged(SPELLINGS[spelling], keeper.user), keeper.user)
    ann = Person.objects.get()
    assert (ann.key, ann.name, [one.address for one in ann.addresses.all()]) == ("7", "Ann", ["ann@example.com"])


def test_our_own_example_file_is_accepted_as_it_is(keeper: Any) -> None:
    example = keeper.get("/people/imports/example/").getvalue()
    upload = staged(example, keeper.user)
    assert set(effects(upload).values()) == {"new"} and len(effects(upload)) == len(people_file.EXAMPLE)
    assert upload.counters["columns"] == list(people_file.HEADINGS)


GOOD = "1,Anna,anna@example.com,,,,,\n"
UNREADABLE = {
    "empty": (b"", "empty"),
    "only blanks": (b"\n \n\n", "empty"),
    "only a header": (HEADER.encode(), "no line below its header"),
    "no header": (GOOD.encode(), "must name the columns"),
    "half a header": (b"Name,E-mails\nAnna,anna@example.com\n", "there is no “employee number”"),
    "a column twice": (b"Employee number,Name,name\n1,A,B\n", "More than one column is headed “name”"),
    "UTF-16": ((HEADER + GOOD).encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": ((HEADER + GOOD).encode("utf-16-le"), "UTF-16"),
    "Windows-1252": ((HEADER + "1,Müller,,,,,,\n").encode("cp1252"), "Line 2 is not UTF-8"),
    "a late byte that is no UTF-8": ((HEADER + GOOD * 3000).encode() + b"2,\xff\n", "Line 3002 is not UTF-8"),
    "a workbook": (b"PK\x03\x04" + b"\0" * 5000, "workbook or an archive"),
    "gzip": (b"\x1f\x8b\x08" + b"\0" * 99, "workbook or an archive"),
    "an open quote": ((HEADER + GOOD + '2,"Bob\n' + "3,Cleo\n" * 9).encode(), "record on line 3 do not match"),
    "an open quote before much more": ((HEADER + '2,"Bob\n' + "3,Cleo,,,,,,\n" * 90_000).encode(), "line 2 does not"),
    "text behind a quote": ((HEADER + '2,"Bob" Smith,,,,,,\n').encode(), "record on line 2"),
    "one endless line": (HEADER.encode() + b"a" * 3_000_000, "Line 2 is longer than 64 KB"),
    "an endless header": (b"a," * 500_000, "Line 1 is longer than 64 KB"),
    "old Macintosh line ends": (HEADER.encode().replace(b"\n", b"\r") + b"1,A,,,,,,\r" * 20_000, "CSV UTF-8"),
    "HTML": (b"<!doctype html><title>Sign in</title>", "must name the columns"),
    "binary": (bytes(range(1, 256)) * 20, "must name the columns"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason_and_leaves_nothing(keeper: Any, case: str) -> None:
    content, reason = UNREADABLE[case]
    page = send(keeper, content)
    assert page.status_code == 200
    assert reason in pages.text_of(page.content.decode()), pages.text_of(page.content.decode())[:2000]
    assert not PersonImport.objects.exists() and not PersonImportRow.objects.exists() and not Person.objects.exists()


LINES = {
    "a NUL": ("2,Bo\0b,,,,,,", "Name holds a line break or a control character"),
    "a line break": ('2,"Bo\nb",,,,,,', "Name holds a line break or a control character"),
    "no number": (",Bob,,,,,,", "Employee number is empty"),
    "too few cells": ("2,Bob", "2 cells, the first line has 8"),
    "too many cells": ("2,Bob,,,,,,,,", "10 cells"),
    "a long name": (f"2,{'B' * 201},,,,,,", "Name is longer than 200 letters"),
    "a very long cell": (f"2,{'B' * 9000},,,,,,", "Name is longer than"),
    "a long number": (f"{'2' * 81},Bob,,,,,,", "Employee number is longer than 80 letters"),
    "a country of another script": ("2,Bob,,,,,ＤＥ,", "is not two letters"),
    "three letters": ("2,Bob,,,,,DEU,", "is not two letters"),
    "an American date": ("2,Bob,,,,,,12/31/2026", "is not a date"),
    "a day there is not": ("2,Bob,,,,,,2026-02-30", "is not a date"),
    "digits of another script": ("2,Bob,,,,,,٢٠٢٦-٠١-٠١", "is not a date"),
    "a far century": ("2,Bob,,,,,,0026-01-01", "not in this century"),
    "no at": ("2,Bob,bob.example.com,,,,,", "is not an e-mail address"),
    "two at": ("2,Bob,bob@x@example.com,,,,,", "is not an e-mail address"),
    "no domain": ("2,Bob,bob@,,,,,", "is not an e-mail address"),
    "a hidden character": ("2,Bob,bob\u200b@example.com,,,,,", "is not an e-mail address"),
    "a long address": (f"2,Bob,{'b' * 320}@example.com,,,,,", "is not an e-mail address"),
    "too many addresses": (
        f"2,Bob,{' '.join(f'b{number}@example.com' for number in range(21))},,,,,",
        "More than 20 e-mail addresses",
    ),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_makes_no_sense_is_refused_with_the_reason_and_the_others_count(keeper: Any, case: str) -> None:
    line, reason = LINES[case]
    upload = staged(f"{HEADER}1,Anna,,,,,,\n{line}\n3,Cleo,,,,,,\n", keeper.user)
    refused = upload.rows.get(effect="refused")
    assert refused.line == 3 and reason in refused.problem
    applied(upload, keeper.user)
    assert list(Person.objects.order_by("key").values_list("name", flat=True)) == ["Anna", "Cleo"]


def test_lines_with_the_same_number_are_all_refused(keeper: Any) -> None:
    factories.person(key="1", name="Anna")
    upload = staged(HEADER + "1,Anna A.,,,,,,\n2,Bob,,,,,,\n1,Anna B.,,,,,,\n", keeper.user)
    assert list(upload.rows.filter(effect="refused").values_list("line", flat=True)) == [2, 4]
    applied(upload, keeper.user)
    assert Person.objects.get(key="1").name == "Anna"


def test_the_error_file_holds_the_refused_lines_safe_for_a_spreadsheet_and_ready_to_be_sent_again(keeper: Any) -> None:
    text = "Employee number,Name,Country\n1,Anna,DE\n2,=HYPERLINK(1),Spain\n3,Cleo,Peru\n"
    upload = staged(text, keeper.user, name='staff "new"\n.csv')
    applied(upload, keeper.user)
    answer = keeper.get(f"{upload.get_absolute_url()}errors/")
    content = answer.getvalue().decode()
    rows = list(csv.reader(io.StringIO(content.lstrip("\ufeff"))))
    assert rows[0] == ["employee number", "name", "country", "line", "problem"]
    assert rows[1][:4] == ["2", "'=HYPERLINK(1)", "Spain", "3"] and "two letters" in rows[1][4]
    assert "\n" not in answer["Content-Disposition"] and '"new"' not in answer["Content-Disposition"]
    corrected = content.replace("Spain", "ES").replace("Peru", "PE")
    again = staged(corrected, keeper.user)
    assert effects(again) == {"2": "new", "3": "new"} and again.counters["ignored"] == ["line", "problem"]


def crowd(number: int) -> None:
    Person.objects.bulk_create([Person(key=f"P{place:05}", name=f"Person {place}") for place in range(number)])


def listing(numbers: Iterator[int] | range) -> str:
    return "employee number,name\n" + "".join(f"P{place:05},Person {place}\n" for place in numbers)


def test_a_file_that_lists_everybody_marks_the_others_as_leavers_today(keeper: Any) -> None:
    crowd(30)
    upload = staged(listing(range(3, 30)), keeper.user, everybody=True)
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert upload.counters["leavers"] == 3 and "Who would be marked" in page and "Person 2" in page
    applied(upload, keeper.user)
    gone = Person.objects.exclude(left_on=None)
    assert sorted(gone.values_list("key", "left_on")) == [(f"P{place:05}", timezone.localdate()) for place in range(3)]


def test_without_that_tick_nobody_leaves(keeper: Any) -> None:
    crowd(30)
    applied(staged(listing(range(1)), keeper.user), keeper.user)
    assert Person.objects.active().count() == 30


@pytest.mark.parametrize(("active", "missing", "asked"), [(10, 2, False), (10, 3, True), (50, 5, False), (50, 6, True)])
def test_more_leavers_than_two_or_a_tenth_need_a_second_tick(
    keeper: Any, active: int, missing: int, asked: bool
) -> None:
    crowd(active)
    upload = staged(listing(range(missing, active)), keeper.user, everybody=True)
    address = f"{upload.get_absolute_url()}apply/"
    answer = keeper.post(address, follow=True)
    assert Person.objects.active().count() == (active if asked else active - missing)
    assert ("Nothing was applied: tick the box" in answer.content.decode()) == asked
    if asked:
        keeper.post(address, {"confirmed": "on"})
        assert Person.objects.active().count() == active - missing


def test_refused_lines_shield_the_people_they_name(keeper: Any) -> None:
    crowd(30)
    text = listing(range(2, 30)) + "P00000,\nP00001,Person 1,too many\n"
    upload = staged(text, keeper.user, everybody=True)
    assert upload.counters["refused"] == 2 and upload.counters["leavers"] == 0


@pytest.mark.parametrize("line", [",Nameless\n", '"P00001\nP00000",Person\n', "P00001\n"])
def test_a_line_that_may_hide_somebody_makes_leavers_ask_for_a_second_tick(keeper: Any, line: str) -> None:
    crowd(30)
    upload = staged(listing(range(2, 30)) + line, keeper.user, everybody=True)
    with pytest.raises(import_people.Unconfirmed, match="cannot be read well enough"):
        applied(upload, keeper.user)
    assert Person.objects.active().count() == 30


def test_somebody_who_is_listed_again_is_back(keeper: Any) -> None:
    crowd(3)
    announced = timezone.localdate() + timedelta(days=30)
    Person.objects.filter(key="P00000").update(left_on=timezone.localdate())
    Person.objects.filter(key="P00001").update(left_on=announced)
    applied(staged(listing(range(3)), keeper.user, everybody=True), keeper.user)
    assert list(Person.objects.order_by("key").values_list("left_on", flat=True)) == [None, announced, None]


@pytest.mark.parametrize("what", ["changed", "deleted", "created", "address", "a leaver more"])
def test_a_directory_that_changed_meanwhile_is_shown_again_before_anything_is_written(keeper: Any, what: str) -> None:
    crowd(30)
    ann = factories.person("ann@example.com", key="ann", name="Ann")
    text = listing(range(1, 30)) + "ann,Ann B.\nnew,New\n"
    upload = staged(text, keeper.user, everybody=True)
    meanwhile = {
        "changed": lambda: Person.objects.filter(pk=ann.pk).update(name="Anne"),
        "deleted": lambda: Person.objects.filter(pk=ann.pk).delete(),
        "created": lambda: factories.person(key="new", name="Somebody else"),
        "address": lambda: PersonAddress.objects.filter(person=ann).update(address="x@example.com"),
        "a leaver more": lambda: factories.person(key="late", name="Late"),
    }
    meanwhile[what]()
    before = everybody()
    answer = keeper.post(f"{upload.get_absolute_url()}apply/", follow=True)
    if what == "address":
        assert Person.objects.get(key="ann").name == "Ann B.", "the file says nothing of addresses"
        return
    assert "Nothing was applied; look at it once more" in pages.text_of(answer.content.decode())
    assert everybody() == before
    upload.refresh_from_db()
    assert upload.state == "preview"
    keeper.post(f"{upload.get_absolute_url()}apply/")
    assert Person.objects.get(key="ann").name == "Ann B." and Person.objects.get(key="new").name == "New"


def test_somebody_created_in_the_very_moment_of_applying_undoes_all_of_it(keeper: Any, monkeypatch: Any) -> None:
    upload = staged(listing(range(5)), keeper.user)
    known = import_people.people_differences.known

    def blind(keys: Any, *, lock: bool = False) -> Any:
        """The other writer commits between our look and our write."""
        return {} if lock else known(keys)

    factories.person(key="P00003", name="Theirs")
    monkeypatch.setattr("subscriptions.people_differences.known", blind)
    with pytest.raises(import_people.Stale):
        applied(upload, keeper.user)
    assert [person.name for person in Person.objects.all()] == ["Theirs"]
    assert effects(upload)["P00003"] == "changed"


def test_a_file_is_applied_or_thrown_away_once(keeper: Any) -> None:
    upload = staged(listing(range(3)), keeper.user)
    address = upload.get_absolute_url()
    keeper.post(f"{address}apply/")
    Person.objects.all().delete()
    assert "already" in keeper.post(f"{address}apply/", follow=True).content.decode()
    assert "already" in keeper.post(f"{address}discard/", follow=True).content.decode()
    assert not Person.objects.exists()


def test_what_is_thrown_away_keeps_no_personal_data(keeper: Any) -> None:
    upload = staged(listing(range(3)), keeper.user)
    keeper.post(f"{upload.get_absolute_url()}discard/")
    assert not upload.rows.exists() and not Person.objects.exists()
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert "Thrown away" in page and "Apply" not in page


def test_a_preview_nobody_confirmed_for_a_week_is_forgotten(keeper: Any) -> None:
    old, recent = (staged(listing(range(3)), keeper.user) for _ in range(2))
    PersonImport.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - timedelta(days=8))
    staged(listing(range(1)), keeper.user)
    assert not old.rows.exists() and recent.rows.exists()


def test_a_file_beyond_the_limit_is_dropped_while_it_arrives(keeper: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 200_000)
    answer = send(keeper, (HEADER + GOOD * 20_000).encode())
    assert "The file is larger than" in pages.text_of(answer.content.decode())
    assert not PersonImport.objects.exists()


def test_no_file_and_too_many_lines_are_said(keeper: Any, monkeypatch: Any) -> None:
    assert "This field is required" in keeper.post(NEW, {}).content.decode()
    monkeypatch.setattr(people_file, "MOST_LINES", 3)
    assert "more than 3 lines" in send(keeper, listing(range(4)).encode()).content.decode()


def test_a_hundred_times_the_lines_are_read_in_the_same_memory() -> None:
    def peak(number: int) -> int:
        lines = b"".join(b"P%06d,Person %d,p%d@example.com\n" % (place, place, place) for place in range(number))
        file = io.BytesIO(b"employee number,name,e-mails\n" + lines)
        tracemalloc.start()
        header, records = people_file.read(file)
        assert sum(1 for record in records if people_file.parsed(record.cells)) == number
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(50_000) < peak(500) + 200_000


def test_staging_and_applying_thousands_of_lines_takes_few_queries(
    keeper: Any, django_assert_max_num_queries: Any
) -> None:
    text = listing(range(5_000))
    crowd(2_500)
    Person.objects.update(name="Before")
    with django_assert_max_num_queries(60):
        upload = staged(text, keeper.user)
    with django_assert_max_num_queries(90):
        applied(upload, keeper.user)
    assert Person.objects.exclude(name__startswith="Person ").count() == 0 and Person.objects.count() == 5_000


def test_preview_pages_cost_the_same_for_one_line_and_for_many(keeper: Any) -> None:
    one, many = staged(listing(range(1)), keeper.user), staged(listing(range(60)), keeper.user)
    assert pages.cost(keeper, one.get_absolute_url()) == pages.cost(keeper, many.get_absolute_url())
    filtered = keeper.get(f"{many.get_absolute_url()}?effect=new&q=P00007").content.decode()
    assert "Person 7" in filtered and "Person 8" not in filtered
