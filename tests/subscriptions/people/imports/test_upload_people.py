"""Uploading people: whatever the file holds, its preview says what it would do, or why it cannot be read."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from profiles.jobs import figures
from profiles.models import JobRun
from samsaas import schedule
from samsaas.lib import stored_file, uploads
from subscriptions.models import Person, PersonImport, PersonImportPiece, PersonImportRow
from subscriptions.people.imports import (
    columns,
    differences as people_differences,
    file as people_file,
    read as stage_people,
)
from subscriptions.people.imports.parse_cells import parse_cells
from tests import factories, pages, worlds
from tests.samsaas.lib.workbooks import make_workbook
from tests.subscriptions.people.people_world import (
    GOOD,
    HEADER,
    NEW,
    applied,
    effects,
    listing,
    press,
    send,
    staged,
    uploaded,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def test_the_click_keeps_the_file_and_its_page_shows_the_lines_until_the_preview_is_there(
    keeper: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(people_differences, "BATCH", 10)
    page = send(keeper, listing(range(25)).encode())
    upload = PersonImport.objects.get()
    assert page.redirect_chain == [(upload.get_absolute_url(), 302)] and not upload.rows.exists()
    said = page.content.decode()
    assert "The file is being read" in said and f'hx-get="/runs/{upload.run_id}/progress/?brief"' in said
    assert "Look again" in said and "Waiting for its turn" in said, "without JavaScript too"
    shown = []
    rows = stage_people._compare_records

    def looked_at(*given: Any) -> Any:
        shown.append(pages.text_of(keeper.get(f"/runs/{upload.run_id}/progress/?brief").content.decode()))
        assert "Apply this file?" not in keeper.get(upload.get_absolute_url()).content.decode()
        return rows(*given)

    monkeypatch.setattr(stage_people, "_compare_records", looked_at)
    worlds.work()
    assert [("10 of 26" in text, "20 of 26" in text) for text in shown] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert keeper.get(f"/runs/{upload.run_id}/progress/?brief").headers["HX-Refresh"] == "true"
    assert "Apply this file?" in keeper.get(upload.get_absolute_url()).content.decode()
    assert not PersonImportPiece.objects.exists(), "a file that has been read is not kept"


def test_a_file_in_many_pieces_is_read_as_one(keeper: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(stored_file, "PIECE", 7)
    text = HEADER + "1,Zoë Müller 李,zoe@example.com,,,,,\n2,Bob,,,,,,\n"
    kept = uploaded(text, keeper.user)
    assert b"".join(stored_file.read_pieces(kept)) == text.encode() and kept.pieces.count() > 10
    worlds.work()
    assert [row.values["cells"]["name"] for row in kept.rows.all()] == ["Zoë Müller 李", "Bob"]


def test_a_reading_that_was_canceled_can_be_taken_up_again(keeper: Any, integrator: Any) -> None:
    upload = uploaded(listing(range(3)), keeper.user)
    integrator.post(f"/runs/{upload.run_id}/cancel/")
    said = keeper.get(upload.get_absolute_url()).content.decode()
    assert "Reading it was canceled" in said and "Not read" in keeper.get(NEW).content.decode()
    assert "Apply this file?" in press(keeper, upload, "read")
    assert "already" in press(keeper, upload, "read")


def test_job_results_say_what_the_counters_of_an_import_mean(keeper: Any) -> None:
    upload = staged(HEADER + GOOD + "2,,,,,,,\n", keeper.user, everybody=True)
    read = upload.run
    done = applied(upload, keeper.user).run
    assert read and done and set(read.counters) | set(done.counters) == set(read.declared.counters)
    shown = {figure.label: figure.value for figure in figures.figures_of(read)}
    assert shown["Lines read"] == 2 and shown["New people"] == 1 == shown["Refused lines"]
    assert {figure.label: figure.value for figure in figures.figures_of(done)}["Added"] == 1
    for run, word in ((read, "read into a preview"), (done, "The file was applied")):
        assert word in keeper.get(run.get_absolute_url()).content.decode()


SPELLINGS = {
    "comma": b"Employee number,Name,E-mails\n7,Ann,ann@example.com\n",
    "semicolon": b"Employee number;Name;E-mails\n7;Ann;ann@example.com\n",
    "tab": b"Employee number\tName\tE-mails\n7\tAnn\tann@example.com\n",
    "UTF-16 with its mark": "Employee number,Name,E-mails\n7,Ann,ann@example.com\n".encode("utf-16"),
    "byte order mark": "\ufeffEmployee number,Name,E-mails\n7,Ann,ann@example.com\n".encode(),
    "mark and quotes": '\ufeff"Employee number","Name","E-mails"\r\n"7","Ann","ann@example.com"\r\n'.encode(),
    "case, blanks and order": b"E-MAIL ADDRESS , full  NAME, Employee ID\nann@example.com , Ann , 7\n",
    "Excel's separator line": b"sep=;\r\nEmployee number;Name;E-mails\r\n7;Ann;ann@example.com\r\n",
    "empty lines": b"\n\nEmployee number,Name,E-mails\n\n,,\n7,Ann,ann@example.com\n\n",
    "no line end": b"Employee number,Name,E-mails\n7,Ann,ann@example.com",
    "a column nobody knows": b"Employee number,Name,Shoe size,E-mails\n7,Ann,38,ann@example.com\n",
    "separator inside quotes": b'Employee number,Name,E-mails\n7,Ann,"ann@example.com,ann@example.com"\n',
    "old Macintosh line ends": b"Employee number,Name,E-mails\r7,Ann,ann@example.com\r",
    "empty cells left out at the end": b"Employee number,Name,E-mails,Department\n7,Ann,ann@example.com\n",
    "an address a line": b'Employee number,Name,E-mails\n7,Ann,"ann@example.com\nANN@example.com"\n',
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_files_are_read_however_a_spreadsheet_writes_them(keeper: Any, spelling: str) -> None:
    applied(staged(SPELLINGS[spelling], keeper.user), keeper.user)
    ann = Person.objects.get()
    assert (ann.key, ann.name, [one.address for one in ann.addresses.all()]) == ("7", "Ann", ["ann@example.com"])


def test_a_workbook_of_people_is_read_like_a_file_of_theirs(keeper: Any) -> None:
    rows = [["Employee ID", "Name", "E-mails", "Last day"], [7, "Ann", "ann@example.com", None]]
    rows += [["0008", "Bob", "", date(2026, 3, 31)], [9, "=1+1", "", ""]]
    upload = staged(make_workbook(rows), keeper.user, name="people.xlsx")
    refused = upload.rows.get(effect="refused")
    assert (refused.line, refused.problem) == (4, "Name is a formula. Replace it with its value.")
    applied(upload, keeper.user)
    people = list(Person.objects.order_by("name").values_list("key", "name", "left_on"))
    assert people == [("7", "Ann", None), ("0008", "Bob", date(2026, 3, 31))]


def test_our_own_example_file_is_accepted_as_it_is(keeper: Any) -> None:
    example = keeper.get("/people/imports/example/").getvalue()
    upload = staged(example, keeper.user)
    assert set(effects(upload).values()) == {"new"} and len(effects(upload)) == len(columns.EXAMPLE) - 1
    assert upload.counters["columns"] == list(columns.EXAMPLE[0])


UNREADABLE = {
    "empty": (b"", "empty"),
    "only blanks": (b"\n \n\n", "empty"),
    "only a header": (HEADER.encode(), "no line below its header"),
    "no header": (GOOD.encode(), "must name the columns"),
    "half a header": (b"Name,E-mails\nAnna,anna@example.com\n", "there is no “employee number”"),
    "a column twice": (b"Employee number,Name,name\n1,A,B\n", "More than one column has the heading “name”"),
    "half a UTF-16 letter": ((HEADER + GOOD).encode("utf-16")[:-1], "begins as UTF-16"),
    "UTF-16 without a mark": ((HEADER + GOOD).encode("utf-16-le"), "UTF-16"),
    "a workbook": (b"PK\x03\x04" + b"\0" * 5000, "workbook is damaged"),
    "gzip": (b"\x1f\x8b\x08" + b"\0" * 99, "an archive, but no Excel workbook"),
    "an open quote": ((HEADER + GOOD + '2,"Bob\n' + "3,Cleo\n" * 9).encode(), "record on line 3 do not match"),
    "an open quote before much more": (
        (HEADER + '2,"Bob\n' + "3,Cleo,,,,,,\n" * 90_000).encode(),
        "line 2 is never closed",
    ),
    "text behind a quote": ((HEADER + '2,"Bob" Smith,,,,,,\n').encode(), "record on line 2"),
    "one endless line": (HEADER.encode() + b"a" * 3_000_000, "Line 2 is longer than 64 KB"),
    "an endless header": (b"a," * 500_000, "Line 1 is longer than 64 KB"),
    "HTML": (b"<!doctype html><title>Sign in</title>", "must name the columns"),
    "binary": (bytes(range(1, 256)) * 20, "must name the columns"),
    "two thousand empty lines": (b"\n" * 2000 + HEADER.encode(), "its first 1,000 lines are"),
}
AT_ONCE = UNREADABLE.keys() - {
    "only a header",
    "half a UTF-16 letter",
    "an open quote",
    "an open quote before much more",
    "text behind a quote",
    "one endless line",
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason_and_leaves_nothing(keeper: Any, case: str) -> None:
    """What its beginning tells is said at once, on the form; the rest by the job, on the import's page."""
    content, reason = UNREADABLE[case]
    page = send(keeper, content)
    if upload := PersonImport.objects.first():
        worlds.work()
        upload.refresh_from_db()
        assert upload.state == "unreadable" and upload.run and upload.run.error_message == upload.problem
        page = keeper.get(upload.get_absolute_url())
        assert f'href="{NEW}">Upload another file' in page.content.decode()
    assert (case in AT_ONCE) == (upload is None) and page.status_code == 200
    assert reason in pages.text_of(page.content.decode()), pages.text_of(page.content.decode())[:2000]
    assert not any(model.objects.exists() for model in (PersonImportRow, PersonImportPiece, Person))


LINES = {
    "a NUL": ("2,Bo\0b,,,,,,", "Name contains a line break or a control character"),
    "a NUL in the number": ("2\0,Bob,,,,,,", "Employee number contains a line break or a control character"),
    "a NUL for a number": ("\0,Bob,,,,,,", "Employee number contains a line break or a control character"),
    "a NUL in an address": ("2,Bob,b\0b@example.com,,,,,", "is not an e-mail address"),
    "a NUL in a country": ("2,Bob,,,,,D\0E,", "Country contains a line break or a control character"),
    "a NUL in a date": ("2,Bob,,,,,,2026-\0-01", "Left on contains a line break or a control character"),
    "a NUL in one cell too many": ("2,Bob,,,,,,,\0", "9 cells, the first line has 8"),
    "an escape": ("2,Bo\x1b[31mb,,,,,,", "Name contains a line break or a control character"),
    "a line break": ('2,"Bo\nb",,,,,,', "Name contains a line break or a control character"),
    "no number": (",Bob,,,,,,", "Employee number is empty"),
    "the last line of a report": ("Total,1 234,,,,,,", "Name “1 234” is a number"),
    "too many cells": ("2,Bob,,,,,,,,", "10 cells"),
    "a long name": (f"2,{'B' * 201},,,,,,", "Name is longer than 200 letters"),
    "a very long cell": (f"2,{'B' * 9000},,,,,,", "Name is longer than"),
    "a long number": (f"{'2' * 81},Bob,,,,,,", "Employee number is longer than 80 letters"),
    "a country of another script": ("2,Bob,,,,,ＤＥ,", "is not two letters"),
    "three letters": ("2,Bob,,,,,DEU,", "is not two letters"),
    "a date of two readings that is of no calendar": ("2,Bob,,,,,,31/31/2026", "is not a date"),
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
    upload = staged(f"{HEADER}1,Anna,,,,,,\n{line}\n3,Cleo,,,,,,\n", keeper.user, strict=True)
    refused = upload.rows.get(effect="refused")
    assert refused.line == 3 and reason in refused.problem
    applied(upload, keeper.user)
    assert list(Person.objects.order_by("key").values_list("name", flat=True)) == ["Anna", "Cleo"]


def test_a_heading_with_control_characters_is_an_unused_column_and_no_more(keeper: Any) -> None:
    upload = staged("Employee number,Name,Sh\0oe \x1bsize\n1,Anna,4\0\n2,Bob,5\n", keeper.user)
    assert effects(upload) == {"1": "new", "2": "new"} and upload.counters["ignored"] == ["Shoe size"]


def test_lines_with_the_same_number_are_all_refused(keeper: Any) -> None:
    factories.person(key="1", name="Anna")
    upload = staged(HEADER + "1,Anna A.,,,,,,\n2,Bob,,,,,,\n1,Anna B.,,,,,,\n", keeper.user)
    assert list(upload.rows.filter(effect="refused").values_list("line", flat=True)) == [2, 4]
    applied(upload, keeper.user)
    assert Person.objects.get(key="1").name == "Anna"


def test_the_error_file_holds_the_refused_lines_safe_for_a_spreadsheet_and_ready_to_be_sent_again(keeper: Any) -> None:
    text = "Employee number,Name,Country\n1,Anna,DE\n2,=HYPERLINK(1),Spayn\n3,Cleo,Peruu\n"
    upload = staged(text, keeper.user, strict=True, name='staff "new"\n.csv')
    applied(upload, keeper.user)
    answer = keeper.get(f"{upload.get_absolute_url()}errors/")
    content = answer.getvalue().decode()
    rows = list(csv.reader(io.StringIO(content.lstrip("\ufeff"))))
    assert rows[0] == ["employee number", "name", "country", "line", "problem"]
    assert rows[1][:4] == ["2", "'=HYPERLINK(1)", "Spayn", "3"] and "two letters" in rows[1][4]
    assert "\n" not in answer["Content-Disposition"] and '"new"' not in answer["Content-Disposition"]
    corrected = content.replace("Spayn", "ES").replace("Peruu", "Peru")
    again = staged(corrected, keeper.user)
    assert effects(again) == {"2": "new", "3": "new"} and again.counters["ignored"] == []


def test_what_is_thrown_away_keeps_no_personal_data(keeper: Any) -> None:
    upload = staged(listing(range(3)), keeper.user)
    keeper.post(f"{upload.get_absolute_url()}discard/")
    assert not upload.rows.exists() and not upload.pieces.exists() and not Person.objects.exists()
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert "Discarded" in page and "Apply" not in page


def test_a_preview_nobody_confirmed_for_a_week_is_forgotten(keeper: Any) -> None:
    old, recent = (staged(listing(range(3)), keeper.user) for _ in range(2))
    PersonImport.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - timedelta(days=8))
    staged(listing(range(1)), keeper.user)
    assert not old.rows.exists() and recent.rows.exists()


@pytest.mark.parametrize("stuck", ["preview", "reading", "applying"])
def test_what_nobody_goes_on_with_is_forgotten_by_the_sweep_too(keeper: Any, stuck: str) -> None:
    upload = staged(listing(range(3)), keeper.user)
    stored_file.store_pieces(upload, io.BytesIO(b"theirs"))
    PersonImport.objects.update(state=stuck, uploaded_at=timezone.now() - timedelta(days=8))
    JobRun.objects.update(state="running", heartbeat_at=Now())
    schedule.sweep()
    assert upload.rows.exists(), "a job works on it"
    JobRun.objects.update(state="failed")
    schedule.sweep()
    upload.refresh_from_db()
    assert upload.state == "discarded" and not upload.rows.exists() and not upload.pieces.exists()


def test_a_file_beyond_the_limit_is_dropped_while_it_arrives(keeper: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 200_000)
    answer = send(keeper, (HEADER + GOOD * 20_000).encode())
    assert "The file is larger than" in pages.text_of(answer.content.decode())
    assert not PersonImport.objects.exists()


def test_no_file_and_too_many_lines_are_said(keeper: Any, monkeypatch: Any) -> None:
    assert "This field is required" in keeper.post(NEW, {}).content.decode()
    monkeypatch.setattr(people_file, "MOST_LINES", 3)
    assert "more than 3 lines" in staged(listing(range(4)), keeper.user).problem


def test_a_hundred_times_the_lines_are_read_in_the_same_memory() -> None:
    def peak(number: int) -> int:
        lines = b"".join(b"P%06d,Person %d,p%d@example.com\n" % (place, place, place) for place in range(number))
        file = io.BytesIO(b"employee number,name,e-mails\n" + lines)
        tracemalloc.start()
        header, records = people_file.read(file)
        assert sum(1 for record in records if parse_cells(record.cells)) == number
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(50_000) < peak(500) + 200_000


def test_preview_pages_cost_the_same_for_one_line_and_for_many(keeper: Any) -> None:
    one, many = staged(listing(range(1)), keeper.user), staged(listing(range(60)), keeper.user)
    assert pages.cost(keeper, one.get_absolute_url()) == pages.cost(keeper, many.get_absolute_url())
    filtered = keeper.get(f"{many.get_absolute_url()}?effect=new&q=P00007").content.decode()
    assert "Person 7" in filtered and "Person 8" not in filtered
