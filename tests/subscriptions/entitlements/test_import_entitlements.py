"""A file of entitlements: read whatever its columns are called, shown line by line, and recorded once or not at all."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db.models.functions import Now
from django.utils import timezone

from profiles.models import JobRun
from samsaas import schedule
from samsaas.models import AuditEntry
from subscriptions.entitlements import edit
from subscriptions.entitlements.columns import COLUMNS, write_row
from subscriptions.entitlements.imports import forms as import_forms, read as read_file, steps
from subscriptions.entitlements.words import write_yearly_cost
from subscriptions.file_imports import Over, Unconfirmed
from subscriptions.models import (
    Entitlement,
    EntitlementImport,
    EntitlementImportPiece,
    EntitlementImportRow,
    EntitlementVersion,
    SoftwareModel,
)
from tests import factories, pages, worlds
from tests.samsaas.lib.test_spreadsheets import HARMFUL
from tests.samsaas.lib.workbooks import make_workbook
from tests.subscriptions.entitlements.owned_world import (
    GOOD,
    HEADER,
    UPLOAD,
    changed,
    csv_of,
    published,
    recorded,
    refusals,
    send,
    staged,
    workbook_of,
)

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def standard(db: None) -> SoftwareModel:
    return factories.software_model(edition="Standard")


def told(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def test_from_the_upload_to_drafts_in_the_list(keeper: Any, standard: SoftwareModel) -> None:
    page = send(keeper, csv_of(GOOD, changed(edition="Advanced", unit_cost="180")))
    upload = EntitlementImport.objects.get()
    assert page.redirect_chain == [(upload.get_absolute_url(), 302)] and "The file is being read" in told(page)
    assert not Entitlement.objects.exists()
    worlds.work()
    preview = told(keeper.get(upload.get_absolute_url()))
    assert "Import this file?" in preview and "1 software model is not there yet" in preview
    refused = told(keeper.post(f"{upload.get_absolute_url()}apply/", follow=True))
    assert "Confirm that they are created. Nothing was imported." in refused
    keeper.post(f"{upload.get_absolute_url()}apply/", {"make_models": "on"})
    worlds.work()
    done = told(keeper.get(upload.get_absolute_url()))
    assert "The entitlements are recorded as drafts" in done
    first, second = Entitlement.objects.order_by("pk")
    assert (first.software_model, str(second.software_model)) == (standard, "Dropbox Business Advanced")
    assert (first.state, first.purchased_rights, first.unit_cost, first.currency) == ("build", 10, Decimal(120), "EUR")
    assert (first.start, first.end, first.created_by) == (date(2026, 1, 1), date(2026, 12, 31), keeper.user)
    assert [one.version for one in EntitlementVersion.objects.all()] == [1, 1]
    line = AuditEntry.objects.get(verb="imported entitlements").detail
    assert (line["new"], line["first"], line["last"]) == (2, first.number, second.number)
    assert not EntitlementImportPiece.objects.exists() and pages.rows_behind(keeper, "/entitlements/?state=build") == 2


def test_the_template_comes_back_filled_in_with_typed_cells(keeper: Any, standard: SoftwareModel) -> None:
    book = openpyxl.load_workbook(io.BytesIO(keeper.get(f"{UPLOAD}template/").getvalue()))
    assert book.sheetnames == ["Entitlements", "How to fill it in"]
    sheet = book["Entitlements"]
    headings = [cell.value for cell in sheet[1]]
    assert headings == [column.label for column in COLUMNS] and sheet.max_row == 1
    values = {"Publisher": "Dropbox", "Product": "Dropbox Business", "Edition": "standard", "Purchased rights": 12}
    values |= {"Start date": datetime(2026, 1, 1), "Period": "Monthly", "Unit cost": 12.5, "Currency": "EUR"}  # noqa: DTZ001
    values |= {"Unlimited": False, "Renews by itself": True, "Notice period": 45}
    for place, heading in enumerate(headings, start=1):
        sheet.cell(row=2, column=place, value=values.get(heading))
    file = io.BytesIO()
    book.save(file)
    recorded(staged(file.getvalue(), keeper.user, "filled.xlsx"), keeper.user)
    one = Entitlement.objects.get()
    assert (one.software_model, one.purchased_rights, one.end, one.period) == (standard, 12, None, "monthly")
    assert (one.unit_cost, one.auto_renew, one.notice_days, one.minimum_rights) == (Decimal("12.5"), True, 45, 0)
    text = keeper.get(f"{UPLOAD}template/?as=csv").getvalue().decode().lstrip("\ufeff")
    assert next(csv.reader(io.StringIO(text))) == headings


OTHERS = ("Firma", "Software", "Menge", "Von wann", "Bis wann", "Turnus", "Preis")


@pytest.mark.parametrize(
    "header",
    [
        "Hersteller;Produkt;Anzahl Lizenzen;Vertragsbeginn;Vertragsende;Abrechnungszeitraum;Einzelpreis;Kostenstelle",
        "Éditeur;Logiciel;Quantité;Date de début;Date de fin;Période;Prix unitaire;Centre de coûts",
        "Fabricante;Producto;Cantidad;Fecha de inicio;Fecha de fin;Período;Precio unitario;Centro de costo",
    ],
)
def test_headings_of_other_languages_are_known(keeper: Any, standard: SoftwareModel, header: str) -> None:
    row = ("Dropbox", "Dropbox Business", "120", "2026-01-01", "2026-12-31", "Annually", "EUR;144", "CC-20")
    upload = staged(csv_of(row, header=tuple(header.split(";")), separator=";"), keeper.user)
    assert upload.state == "preview" and upload.counters["new"] == 1
    recorded(upload, keeper.user)
    one = Entitlement.objects.get()
    assert (one.purchased_rights, one.unit_cost, one.cost_center) == (120, 144, "CC-20")


def test_columns_with_other_names_are_chosen_by_hand(keeper: Any, standard: SoftwareModel) -> None:
    rows = [("Dropbox", "Dropbox Business", "1.200", "03/04/2026", "02/04/2027", "annually", "EUR;1.234,50")]
    upload = staged(csv_of(*rows, header=OTHERS, separator=";"), keeper.user)
    page = keeper.get(upload.get_absolute_url())
    assert upload.state == "choosing" and "Which column is Publisher, which is Start date, which is Period" in told(
        page
    )
    assert "Menge: 1.200" in page.content.decode() and "Software: Dropbox Business" in page.content.decode()
    chosen = {f"column_{key}": str(place) for place, key in enumerate(
        ("publisher", "product", "purchased_rights", "start", "end", "period", "unit_cost"))}  # fmt: skip
    again = keeper.post(f"{upload.get_absolute_url()}columns/", chosen | {"column_notes": "0"})
    assert "This column is Publisher already." in told(again)
    keeper.post(f"{upload.get_absolute_url()}columns/", chosen)
    worlds.work()
    problems = refusals(upload)[2]
    assert "Purchased rights “1.200” could be 1200 or 1.2." in problems
    assert "say whether the day or the month comes first" in problems
    keeper.post(f"{upload.get_absolute_url()}columns/", chosen | {"decimal_sign": ",", "date_order": "day"})
    worlds.work()
    upload.refresh_from_db()
    assert upload.counters["new"] == 1, refusals(upload)
    recorded(upload, keeper.user)
    one = Entitlement.objects.get()
    assert (one.purchased_rights, one.start, one.unit_cost, one.currency) == (
        1200,
        date(2026, 4, 3),
        Decimal("1234.5"),
        "EUR",
    )


def test_the_example_of_the_documentation_is_true(keeper: Any) -> None:
    text = (ROOT / "docs" / "entitlements.md").read_text()
    example = "\n".join(line.strip() for line in text.splitlines() if line.startswith("    "))
    upload = staged(example.encode(), keeper.user)
    assert "8 cells, the first line has 7" in refusals(upload)[2]
    assert "not a whole number: 1.5" in refusals(upload)[3] and "whether the day or the month" in refusals(upload)[3]
    mended = example.replace("EUR;87,50", '"EUR;87,50"').replace(";1,5;", ";2;")
    upload = staged(mended.encode(), keeper.user)
    places = {key: str(place) for key, place in upload.counters["places"].items()}
    keeper.post(
        f"{upload.get_absolute_url()}columns/", {f"column_{k}": v for k, v in places.items()} | {"date_order": "day"}
    )
    worlds.work()
    upload.refresh_from_db()
    recorded(upload, keeper.user)
    first = Entitlement.objects.order_by("pk")[0]
    assert write_yearly_cost(first) == "EUR 3,500.00" and first.start == date(2026, 2, 1)


def test_two_columns_that_could_be_the_same_are_asked_about(keeper: Any) -> None:
    header = (*HEADER[:3], "Quantity", "Seats", *HEADER[4:])
    upload = staged(csv_of((*GOOD[:3], "10", "12", *GOOD[4:]), header=header), keeper.user)
    assert upload.state == "choosing" and "More than one column could be Purchased rights" in told(
        keeper.get(upload.get_absolute_url())
    )
    exact = staged(csv_of((*GOOD[:4], "99", *GOOD[4:]), header=(*HEADER[:4], "Seats", *HEADER[4:])), keeper.user)
    assert exact.counters["ignored"] == ["Seats"] and exact.counters["new"] == 1


def test_another_sheet_of_a_workbook_can_be_chosen(keeper: Any) -> None:
    book = openpyxl.Workbook()
    book.active.append(["nothing", "here"])
    book.active.append([1, 2])
    sheet = book.create_sheet("Owned")
    sheet.append(HEADER)
    sheet.append(GOOD)
    file = io.BytesIO()
    book.save(file)
    upload = staged(file.getvalue(), keeper.user, "owned.xlsx")
    assert upload.state == "choosing" and "Owned" in keeper.get(upload.get_absolute_url()).content.decode()
    keeper.post(f"{upload.get_absolute_url()}columns/", {"sheet": "Owned"})
    worlds.work()
    upload.refresh_from_db()
    assert upload.counters["new"] == 1 and upload.counters["sheet"] == "Owned"


REFUSED = {
    "negative rights": ({"purchased_rights": "-5"}, "Purchased rights is negative: -5"),
    "half a right": ({"purchased_rights": "1,5"}, "Purchased rights is not a whole number: 1.5"),
    "huge rights": ({"purchased_rights": "10000001"}, "less than or equal to 10000000"),
    "absurd rights": ({"purchased_rights": "9" * 39}, "less than or equal to 10000000"),
    "no rights": ({"purchased_rights": ""}, "Purchased rights is empty, and Unlimited is not yes"),
    "words for rights": ({"purchased_rights": "many"}, "“many” is not a number"),
    "two readings": ({"purchased_rights": "1.234"}, "could be 1234 or 1.2340"),
    "a formula": ({"purchased_rights": "=1+1"}, "is not a number"),
    "a formula as a name": ({"product": "=HYPERLINK(1)"}, "Product is a formula"),
    "an end before the start": ({"end_date": "2025-12-31"}, "End date 31 Dec 2025 is before start date 1 Jan 2026"),
    "a day that is none": ({"start_date": "2026-02-30"}, "is not a date of the calendar"),
    "a day in two orders": ({"start_date": "03/04/2026"}, "whether the day or the month comes first"),
    "a far century": ({"start_date": "0026-01-01"}, "not in this century"),
    "no start": ({"start_date": ""}, "Start date is empty"),
    "no publisher": ({"publisher": " "}, "Publisher is empty"),
    "a long product": ({"product": "x" * 121}, "Product is longer than 120 letters"),
    "no period": ({"period": ""}, "Period is empty"),
    "a made-up period": ({"period": "weekly"}, "“weekly” is none of Monthly, Quarterly"),
    "a negative cost": ({"unit_cost": "-1"}, "Unit cost is negative"),
    "a cost with five decimals": ({"unit_cost": "1.00001"}, "more than four decimals"),
    "a huge cost": ({"unit_cost": "10000001"}, "less than or equal to 10000000"),
    "an absurd cost": ({"unit_cost": "9" * 39}, "too large"),
    "a cost a year beyond reason": (
        {"unit_cost": "9000000", "purchased_rights": "9000000", "period": "monthly"}, "too large"),
    "no currency": ({"currency": ""}, "A cost needs its currency"),
    "no currency of people": ({"currency": "XXX"}, "“XXX” is not a currency"),
    "two currencies": ({"unit_cost": "USD;120"}, "Currency says EUR, Unit cost says USD"),
    "a currency in the cost that is none": ({"unit_cost": "XXX;120", "currency": ""}, "“XXX” is not a currency"),
    "a control character": ({"product": "Drop\x1bbox"}, "Product contains a line break or a control character"),
    "a NUL": ({"product": "Drop\0box"}, "Product contains a line break or a control character"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_line_that_cannot_be_is_refused_with_the_reason_and_nothing_is_recorded(keeper: Any, case: str) -> None:
    cells, reason = REFUSED[case]
    upload = staged(csv_of(GOOD, changed(**cells), separator=";"), keeper.user)
    assert list(refusals(upload)) == [3] and reason in refusals(upload)[3], refusals(upload)
    with pytest.raises(Unconfirmed, match="nothing is imported while one of them is"):
        steps.confirm(upload.pk, good_lines=False, make_models=True, by=keeper.user)
    assert not Entitlement.objects.exists() and not SoftwareModel.objects.exists()
    recorded(upload, keeper.user, good_lines=True)
    assert Entitlement.objects.count() == 1 and list(refusals(upload)) == [3], (
        "the good line, and the file of the other"
    )


def test_all_reasons_of_a_line_are_told_at_once(keeper: Any) -> None:
    upload = staged(csv_of(changed(purchased_rights="-1", start_date="soon", currency="XXX")), keeper.user)
    assert all(word in refusals(upload)[2] for word in ("negative", "“soon”", "“XXX”"))


def test_formulas_and_errors_of_a_workbook_are_refused_as_values(keeper: Any) -> None:
    rows = [list(GOOD), list(GOOD), list(GOOD)]
    rows[0][3], rows[1][7], rows[2][1] = "=5*2", "=1/0", '=HYPERLINK("http://x.example","Dropbox")'
    upload = staged(workbook_of(*rows), keeper.user, "owned.xlsx")
    words = {2: "Purchased rights is a formula", 3: "Unit cost is a formula", 4: "Product is a formula"}
    assert {line: word for line, word in words.items() if word in refusals(upload)[line]} == words


def test_a_bad_pair_of_values_is_refused_by_the_rules_of_the_form(keeper: Any) -> None:
    header = (*HEADER, "Unlimited", "Commitment", "Notice period", "Agreement type", "Owner", "Renews")
    lines = {
        ("yes", "", "", "", "", ""): "An unlimited license has no number",
        ("no", "11", "", "", "", ""): "Commitment is more than the purchased rights",
        ("perhaps", "", "", "", "", ""): "neither yes nor no",
        ("", "", "400", "", "", ""): "less than or equal to 365",
        ("", "", "", "Barter", "", ""): "“Barter” is none of Standard",
        ("", "", "", "", "ghost", ""): "“ghost” is not the user name",
        ("", "", "", "", "", "ENT0000099"): "is not the number of an entitlement",
        ("", "", "", "", "", "yes"): "is not the number of an entitlement",
    }
    upload = staged(csv_of(*((*GOOD, *more) for more in lines), header=header), keeper.user)
    found = refusals(upload)
    assert [reason in found[line] for line, reason in enumerate(lines.values(), start=2)] == [True] * len(lines), found


def test_an_unlimited_license_may_be_told_in_either_column(keeper: Any) -> None:
    header = (*HEADER, "Unlimited")
    rows = [
        (*changed(purchased_rights="", unit_cost=""), "yes"),
        (*changed(purchased_rights="Unlimited", edition="Pro"), ""),
    ]
    recorded(staged(csv_of(*rows, header=header), keeper.user), keeper.user)
    assert list(Entitlement.objects.values_list("unlimited", "purchased_rights")) == [(True, 0), (True, 0)]


def test_the_same_line_again_is_skipped_and_the_same_twice_in_a_file_is_refused(keeper: Any) -> None:
    first = recorded(staged(csv_of(GOOD), keeper.user), keeper.user)
    again = staged(
        csv_of(changed(publisher="DROPBOX"), changed(purchased_rights="11"), changed(purchased_rights="11")),
        keeper.user,
    )
    assert (again.counters["same"], again.counters["new"], again.counters["refused"]) == (1, 1, 1)
    number = Entitlement.objects.get().number
    assert (
        again.rows.get(effect="same").note == f"It is {number} already."
        and "Line 3 says the same" in refusals(again)[4]
    )
    nothing = staged(csv_of(GOOD), keeper.user)
    assert "Nothing to import" in told(keeper.get(nothing.get_absolute_url()))
    assert Entitlement.objects.count() == 1 == first.counters["new"]


def test_a_renewal_in_a_file_is_checked_like_one_by_hand(keeper: Any, standard: SoftwareModel) -> None:
    one = published(keeper.user, standard, start=date(2025, 1, 1), end=date(2025, 12, 31))
    other = published(keeper.user)
    header = (*HEADER, "Renews")
    rows = [
        (*GOOD, one.number),
        (*changed(purchased_rights="11"), one.number.lower()),
        (*changed(purchased_rights="12"), other.number),
        (*changed(purchased_rights="13", start_date="2024-01-01"), one.number),
    ]
    upload = staged(csv_of(*rows, header=header), keeper.user)
    found = refusals(upload)
    assert "has a renewal already" in found[3] and "another software model" in found[4]
    assert "starts after the entitlement that it renews" in found[5]
    recorded(upload, keeper.user, good_lines=True)
    assert Entitlement.objects.get(renews=one).purchased_rights == 10


def test_terms_that_overlap_and_currencies_that_differ_are_told_and_imported_all_the_same(
    keeper: Any, standard: SoftwareModel
) -> None:
    one = published(keeper.user, standard, start=date(2025, 6, 1), end=date(2026, 5, 31), currency="USD")
    later = changed(start_date="2026-07-01", end_date="2027-06-30", purchased_rights="4")
    free = changed(start_date="2028-01-01", end_date="2028-06-30", edition="Pro")
    upload = staged(csv_of(GOOD, later, free), keeper.user)
    notes = dict(upload.rows.values_list("line", "note"))
    assert one.number in notes[2] and "in USD" in notes[2] and "overlaps with line 2" in notes[3] and notes[4] == ""
    assert upload.counters["notes"] == 2 and pages.rows_behind(keeper, f"{upload.get_absolute_url()}?note=yes") == 2
    recorded(upload, keeper.user)
    assert Entitlement.objects.count() == 4


UNREADABLE = {
    **{name: HARMFUL[name] for name in HARMFUL.keys() - {"too many lines", "too many lines of CSV"}},
    "only a header": (csv_of(), "no line below its header"),
    "only a header in a workbook": (workbook_of(), "no line below its header"),
}


@pytest.mark.parametrize("case", sorted(UNREADABLE))
def test_a_file_that_cannot_be_read_is_refused_with_the_reason_and_leaves_nothing(keeper: Any, case: str) -> None:
    content, reason = UNREADABLE[case]
    page = send(keeper, content, "owned.xlsx" if content.startswith(b"PK") else "owned.csv")
    if upload := EntitlementImport.objects.first():
        worlds.work()
        upload.refresh_from_db()
        assert upload.state == "unreadable" and upload.run and upload.run.error_message == upload.problem
        page = keeper.get(upload.get_absolute_url())
    assert page.status_code == 200 and reason in told(page)
    models = (EntitlementImportRow, EntitlementImportPiece, Entitlement, SoftwareModel)
    assert not any(model.objects.exists() for model in models)


def test_limits_of_size_and_lines_are_said(keeper: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(import_forms, "LARGEST", 100)
    assert "The file is larger than" in told(send(keeper, csv_of(*[GOOD] * 50)))
    monkeypatch.setattr(read_file, "LIMITS", read_file.SheetLimits(rows=2))
    assert "more than 2 lines" in staged(csv_of(GOOD, GOOD, GOOD), keeper.user).problem


def test_refused_lines_come_back_as_a_file_that_is_safe_and_can_be_uploaded_again(keeper: Any) -> None:
    bad = changed(product="=cmd|' /C calc'!A0"), changed(start_date="soon", edition="+Pro")
    upload = staged(csv_of(*bad), keeper.user, "my list.csv")
    answer = keeper.get(f"{upload.get_absolute_url()}errors/")
    text = answer.getvalue().decode()
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert rows[0][-2:] == ["line", "problem"] and rows[1][1] == "'=cmd|' /C calc'!A0"
    assert rows[2][2] == "'+Pro" and rows[2][-2] == "3" and "“soon”" in rows[2][-1]
    assert "my-list" in answer["Content-Disposition"]
    again = staged(text.replace("soon", "2026-01-01").encode(), keeper.user)
    assert (again.counters["new"], again.counters["refused"], again.counters["ignored"]) == (1, 1, [])
    assert again.rows.get(effect="new").values["parsed"]["edition"] == "+Pro"


def test_a_number_of_a_workbook_survives_the_way_through_the_file_of_refused_lines(keeper: Any) -> None:
    row = [*GOOD]
    row[7], row[4] = 1.234, "soon"  # type: ignore[call-overload]
    upload = staged(workbook_of(row), keeper.user, "owned.xlsx")
    content = keeper.get(f"{upload.get_absolute_url()}errors/").getvalue().decode()
    recorded(staged(content.replace("soon", "2026-01-01").encode(), keeper.user), keeper.user)
    assert Entitlement.objects.get().unit_cost == Decimal("1.234")


def test_what_changed_since_the_preview_makes_a_new_preview_and_records_nothing(
    keeper: Any, standard: SoftwareModel
) -> None:
    one = published(keeper.user, standard, start=date(2025, 1, 1), end=date(2025, 12, 31))
    upload = staged(csv_of((*GOOD, one.number), header=(*HEADER, "Renews")), keeper.user)
    renewal = edit.draft_renewal(one)
    renewal.purchased_rights = 77
    edit.save_draft(renewal, by=keeper.user, now=timezone.now())
    recorded(upload, keeper.user)
    page = told(keeper.get(upload.get_absolute_url()))
    assert "Nothing was imported. Look at the new preview" in page and "has a renewal already" in page
    assert Entitlement.objects.count() == 2 and upload.run and upload.run.state == "held"


def test_a_worker_that_dies_while_recording_leaves_nothing_and_can_be_followed(keeper: Any, monkeypatch: Any) -> None:
    upload = staged(csv_of(GOOD, changed(edition="Pro")), keeper.user)
    steps.confirm(upload.pk, good_lines=False, make_models=True, by=keeper.user)
    monkeypatch.setattr(EntitlementVersion.objects, "bulk_create", lambda rows: (_ for _ in ()).throw(MemoryError()))
    worlds.work()
    assert not Entitlement.objects.exists() and not SoftwareModel.objects.exists()
    monkeypatch.undo()
    upload.refresh_from_db()
    assert upload.waits and "Nothing was imported" in told(keeper.get(upload.get_absolute_url()))
    recorded(upload, keeper.user)
    assert Entitlement.objects.count() == 2


def test_a_reading_that_was_canceled_can_be_taken_up_again(keeper: Any, integrator: Any) -> None:
    upload = steps.store_upload(io.BytesIO(csv_of(GOOD)), file_name="x.csv", by=keeper.user, now=timezone.now())
    integrator.post(f"/runs/{upload.run_id}/cancel/")
    assert "Reading it was canceled" in told(keeper.get(upload.get_absolute_url()))
    keeper.post(f"{upload.get_absolute_url()}read/")
    worlds.work()
    assert "Import this file?" in told(keeper.get(upload.get_absolute_url()))
    assert "already" in told(keeper.post(f"{upload.get_absolute_url()}read/", follow=True))


def test_what_is_over_cannot_be_applied_chosen_or_discarded_again(keeper: Any) -> None:
    upload = recorded(staged(csv_of(GOOD), keeper.user), keeper.user)
    for press in (
        lambda: steps.confirm(upload.pk, good_lines=True, make_models=True, by=keeper.user),
        lambda: steps.discard(upload.pk, by=keeper.user),
        lambda: steps.choose(upload.pk, {}, sheet="", date_order="", decimal_sign="", by=keeper.user),
    ):
        with pytest.raises(Over):
            press()
    assert "cannot be chosen now" in told(keeper.get(f"{upload.get_absolute_url()}columns/", follow=True))
    assert Entitlement.objects.count() == 1


def test_a_discarded_file_keeps_nothing_of_its_content(keeper: Any) -> None:
    for content in (csv_of(GOOD), csv_of(GOOD, header=tuple("abcdefghi"))):
        upload = staged(content, keeper.user)
        keeper.post(f"{upload.get_absolute_url()}discard/")
        assert not upload.rows.exists() and not upload.pieces.exists()
        assert "Discarded" in told(keeper.get(upload.get_absolute_url()))


@pytest.mark.parametrize("stuck", ["choosing", "preview", "reading", "applying"])
def test_what_nobody_goes_on_with_for_a_week_is_dropped_by_the_sweep(keeper: Any, stuck: str) -> None:
    upload = staged(csv_of(GOOD), keeper.user)
    EntitlementImport.objects.update(state=stuck, uploaded_at=timezone.now() - timedelta(days=8))
    JobRun.objects.update(state="running", heartbeat_at=Now())
    schedule.sweep()
    assert upload.rows.exists(), "a job works on it"
    JobRun.objects.update(state="failed")
    schedule.sweep()
    upload.refresh_from_db()
    assert upload.state == "discarded" and not upload.rows.exists()


def test_what_is_exported_says_the_same_when_it_is_imported(keeper: Any) -> None:
    model = factories.software_model(publisher="Slack", product="Slack", edition="")
    one = published(keeper.user, model, unit_cost=Decimal("12.34"), invoice="0017", notes="Two\nlines", contract="C;1")
    row = [value if value is not None else "" for value in write_row(one)]
    upload = staged(make_workbook([[column.label for column in COLUMNS], row]), keeper.user, "x.xlsx")
    assert upload.counters["same"] == 1, refusals(upload)


def test_many_lines_take_as_many_questions_as_few(keeper: Any, django_assert_max_num_queries: Any) -> None:
    rows = [changed(edition=f"E{place % 7}", purchased_rights=str(place + 1)) for place in range(400)]
    upload = steps.store_upload(io.BytesIO(csv_of(*rows)), file_name="x.csv", by=keeper.user, now=timezone.now())
    with django_assert_max_num_queries(90):
        worlds.work()
    upload.refresh_from_db()
    assert upload.counters["new"] == 400
    steps.confirm(upload.pk, good_lines=False, make_models=True, by=keeper.user)
    with django_assert_max_num_queries(140):
        worlds.work()
    assert Entitlement.objects.count() == 400 and SoftwareModel.objects.count() == 7


def test_job_results_say_what_the_counters_mean(keeper: Any) -> None:
    upload = staged(csv_of(GOOD, changed(currency="XXX")), keeper.user)
    read = upload.run
    done = recorded(upload, keeper.user, good_lines=True).run
    assert read and done and set(read.counters) | set(done.counters) <= set(read.declared.counters)
    for run, word in ((read, "read into a preview"), (done, "recorded as drafts")):
        assert word in keeper.get(run.get_absolute_url()).content.decode()


def test_pages_of_an_import_cost_the_same_for_one_line_and_for_many(keeper: Any) -> None:
    few = staged(csv_of(GOOD), keeper.user)
    many = staged(csv_of(*(changed(purchased_rights=str(place)) for place in range(11, 60))), keeper.user)
    assert pages.cost(keeper, few.get_absolute_url()) == pages.cost(keeper, many.get_absolute_url())
    for query in worlds.nonsense(("q", "effect", "note", "sort", "page")):
        assert keeper.get(f"{many.get_absolute_url()}?{query}").status_code == 200
