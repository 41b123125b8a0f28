"""A position as a file and on paper, and one command that says what was changed in it."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from samsaas.lib import signatures
from samsaas.models import AuditEntry
from subscriptions.models import (
    Entitlement,
    MetricResult,
    PositionDocument,
    ProductResult,
    ReconciliationRun,
    SoftwareModel,
)
from subscriptions.reconciliation.exports import signed_text
from tests import factories
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def entitlement(model: SoftwareModel, rights: int, **fields: Any) -> Entitlement:
    given = {"state": "in_use", "start": date(2020, 1, 1), "unit_cost": 110, "currency": "USD", **fields}
    return Entitlement.objects.create(software_model=model, purchased_rights=rights, **given)


def model_in_use(edition: str, seats: int, product: str = "Mail", profile: Any = None) -> SoftwareModel:
    model = factories.software_model(publisher="Acme", product=product, edition=edition)
    kind = factories.identifier(software_model=model)
    profile = profile or factories.profile(refreshed_at=timezone.now() - timedelta(hours=2))
    for _ in range(seats):
        factories.subscription(profile=profile, identifier=kind, first_seen_at=timezone.now() - timedelta(days=40))
    return model


@pytest.fixture
def run() -> ReconciliationRun:
    """Five subscriptions and two rights of one model, no price for another, and no limit for a third."""
    profile = factories.profile(refreshed_at=timezone.now() - timedelta(hours=2))
    entitlement(model_in_use("Full", 5, profile=profile), 2)
    model_in_use("=HYPERLINK(1)", 2, profile=profile)
    entitlement(model_in_use("", 1, "Board", profile), 0, unlimited=True, unit_cost=None, total_cost=900)
    return reconcile_as_of(None, now=timezone.now())


def read_csv(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def download(client: Any, run: ReconciliationRun, folder: Path, kind: str = "csv") -> Path:
    answer = client.get(f"/reconciliations/{run.pk}/position.{kind}")
    path = folder / f"position.{kind}"
    path.write_bytes(b"".join(answer.streaming_content))
    return path


def verify(*arguments: str) -> tuple[int, str]:
    """The exit code of the command, and what it says."""
    out = io.StringIO()
    try:
        call_command("verify_position", *arguments, stdout=out, stderr=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


def test_the_figures_of_the_csv_are_those_of_the_position(reader, run):
    rows = read_csv(reader.get(f"/reconciliations/{run.pk}/position.csv"))
    full = next(row for row in rows if row["Edition"] == "Full")
    assert (full["Rights owned"], full["In use"], full["Rights needed"], full["Not covered"]) == ("2", "5", "3", "3")
    assert Decimal(full["True-up cost"]) == 330 and full["Currency"] == "USD"
    assert full["Status"] == "Not compliant"


def test_what_is_not_known_is_said_and_is_never_0(reader, run):
    rows = read_csv(reader.get(f"/reconciliations/{run.pk}/position.csv"))
    unpriced = next(row for row in rows if "HYPERLINK" in row["Edition"])
    assert unpriced["Price of a right and a year"] == unpriced["True-up cost"] == "not known"
    board = next(row for row in rows if row["Product"] == "Board" and row["Row"] == "License metric")
    assert (board["Rights available"], board["Unlimited license"]) == ("unlimited", "yes")
    mail = next(row for row in rows if row["Row"] == "Product" and row["Product"] == "Mail")
    assert mail["True-up cost"] == "USD 330.00" and "1 of 2 software models have no price" in mail["Notes"]


def test_rows_of_products_and_of_all_are_the_sums_of_the_rows_above(reader, run):
    rows = read_csv(reader.get(f"/reconciliations/{run.pk}/position.csv"))
    for name in ("In use", "Rights used", "Rights needed", "Not covered"):
        of_models = sum(int(row[name]) for row in rows if row["Row"] == "License metric")
        of_products = sum(int(row[name]) for row in rows if row["Row"] == "Product")
        assert of_models == of_products == int(next(row[name] for row in rows if row["Row"] == "All products"))


def test_the_age_of_each_input_stands_in_the_file(reader, run):
    rows = read_csv(reader.get(f"/reconciliations/{run.pk}/position.csv"))
    about = {row["Publisher"]: row["Product"] for row in rows if row["Row"] == "About"}
    assert about["Reconciliation"] == run.number
    assert next(value for what, value in about.items() if what.startswith("Input: ")).endswith("2 h 0 min before")
    assert about["Subscriptions listed"] == "8"


def test_the_past_says_which_day_it_is_of_and_has_no_total_where_a_profile_is_not_known(reader, run):
    factories.profile(refreshed_at=timezone.now(), status="published")
    day = timezone.localdate() - timedelta(days=3)
    past = reconcile_as_of(day, now=timezone.now())
    rows = read_csv(reader.get(f"/reconciliations/{past.pk}/position.csv"))
    about = {row["Publisher"]: row["Product"] for row in rows if row["Row"] == "About"}
    assert about["As of"] == f"the end of {day.isoformat()}"
    assert "Not known, so no total is whole" in about
    assert not [row for row in rows if row["Row"] == "All products"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_name_becomes_a_formula(reader, run, tmp_path, kind):
    path = download(reader, run, tmp_path, kind)
    if kind == "csv":
        assert '"\'=HYPERLINK(1)"' in path.read_text("utf-8-sig")
        return
    cells = [cell for sheet in openpyxl.load_workbook(path) for line in sheet.iter_rows() for cell in line]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert any(cell.value == "=HYPERLINK(1)" and cell.data_type == "s" for cell in cells)


def test_numbers_of_the_workbook_are_numbers_and_its_sheets_are_named(reader, run, tmp_path):
    workbook = openpyxl.load_workbook(download(reader, run, tmp_path, "xlsx"))
    assert workbook.sheetnames == ["Position", "About", "Signature"]
    header, *lines = workbook["Position"].iter_rows(values_only=True)
    full = dict(zip(header, next(line for line in lines if line[3] == "Full"), strict=True))
    assert (full["In use"], full["True-up cost"]) == (5, 330)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_is_audited_with_the_number_of_the_reconciliation(reader, run, tmp_path, kind):
    download(reader, run, tmp_path, kind)
    entry = AuditEntry.objects.get(verb="exported")
    assert entry.detail["filters"] == {"reconciliation": run.number} and entry.detail["rows"] == 3


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_as_it_was_downloaded_is_sound(reader, run, tmp_path, kind):
    code, says = verify("--file", str(download(reader, run, tmp_path, kind)))
    assert code == 0, says
    assert f"({run.number}) is as it was signed" in says and f"The stored {run.number}" in says


def change_csv(path: Path, change: Any) -> Path:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    rows = change(header, rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def set_figure(heading: str, value: str) -> Any:
    def change(header: list[str], rows: list[list[str]]) -> list[list[str]]:
        next(row for row in rows if row[3] == "Full")[header.index(heading)] = value
        return rows

    return change


def without(place: int, text: str) -> Any:
    """The file without the rows that have this text in this column."""
    return lambda header, rows: [row for row in rows if row[place] != text]


def rename_heading(header: list[str], rows: list[list[str]]) -> list[list[str]]:
    header[6] = "Rights lost"
    return rows


def change_count(header: list[str], rows: list[list[str]]) -> list[list[str]]:
    return [["About", row[1], "9"] if row[1] == "Subscriptions listed" else row for row in rows]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (set_figure("Rights needed", "0"), "Acme | Mail | Full | User Subscription: Rights needed is 0. Signed was 3."),
        (set_figure("True-up cost", "0.00"), "True-up cost is 0.00. Signed was 330.0000."),
        (set_figure("Status", "Compliant"), "Status is Compliant. Signed was Not compliant."),
        (without(3, "Full"), "Acme | Mail | Full | User Subscription was taken out"),
        (lambda header, rows: [*rows, ["License metric", "Acme", "More"]], "Acme | More was added."),
        (lambda header, rows: [rows[0], *rows], "is there twice"),
        (rename_heading, "The headings of the file were changed"),
        (change_count, "Subscriptions listed: it is 9. Signed was 8."),
        (without(0, "Signed content"), "signed content of the file was changed or is missing"),
    ],
)
def test_what_was_changed_in_a_file_is_named(reader, run, tmp_path, change, named):
    code, says = verify("--file", str(change_csv(download(reader, run, tmp_path), change)))
    assert code == 1 and named in says, says


def test_a_changed_cell_of_a_workbook_is_named(reader, run, tmp_path):
    path = download(reader, run, tmp_path, "xlsx")
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["Position"]
    place = [cell.value for cell in sheet[1]].index("In use") + 1
    row = next(line[0].row for line in sheet.iter_rows() if line[3].value == "Full")
    sheet.cell(row, place).value = 12
    workbook.save(path)
    code, says = verify("--file", str(path))
    assert code == 1 and "In use is 12. Signed was 5." in says


def test_what_a_spreadsheet_program_writes_differently_is_no_change(reader, run, tmp_path):
    def shorten(header: list[str], rows: list[list[str]]) -> list[list[str]]:
        place = header.index("True-up cost")
        for row in rows:
            row[place] = "330" if row[place] == "330.0000" else row[place]
        return list(reversed(rows))

    code, says = verify("--file", str(change_csv(download(reader, run, tmp_path), shorten)))
    assert code == 0, says


def test_a_forged_text_is_not_believed(reader, run, tmp_path):
    """Somebody changes the figures and the text that should be signed, so that both agree."""
    forged = PositionDocument.objects.get().text.replace('"needed":3', '"needed":0')

    def forge(header: list[str], rows: list[list[str]]) -> list[list[str]]:
        rows = set_figure("Rights needed", "0")(header, [row for row in rows if row[0] != "Signed content"])
        return [*rows, *(["Signed content", place, piece] for place, piece in signed_text.split(forged))]

    code, says = verify("--file", str(change_csv(download(reader, run, tmp_path), forge)))
    assert code == 1 and "is not as it was signed" in says
    assert f"The stored {run.number}, compared with the file" in says and "needed" in says.lower()


def test_a_key_that_is_not_known_here_is_named_and_may_be_given(reader, run, tmp_path, settings):
    path, public = download(reader, run, tmp_path), signatures.signing_key().public
    settings.AUDIT_SIGNING_KEY = ""
    code, says = verify("--file", str(path))
    assert code == 3 and public.id in says and "--key" in says
    assert verify("--file", str(path), "--key", public.text)[0] == 0
    assert verify("--file", str(path), "--key", "AUDIT")[0] == 2


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\x01\x02", b"PK\x03\x04broken"])
def test_what_is_no_position_is_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    code, says = verify("--file", str(path))
    assert code in (1, 2) and "Traceback" not in says


def test_stored_positions_are_sound_until_somebody_changes_them(run):
    assert verify() == (0, f"{run.number} is as it was signed with the key {run.key_id}.\n")
    MetricResult.objects.filter(needed=3).update(needed=0, true_up=0)
    ProductResult.objects.filter(product="Mail").update(status="compliant")
    code, says = verify(run.number)
    assert code == 1
    assert "Acme | Mail | Full: Rights needed is 0. Signed was 3." in says
    assert "Product | Acme | Mail: Status is compliant. Signed was not_compliant." in says


def test_a_result_that_was_deleted_or_inputs_that_were_changed_are_named(run):
    MetricResult.objects.filter(needed=3).delete()
    inputs = {**run.inputs, "entitlements": 7}
    ReconciliationRun.objects.filter(pk=run.pk).update(inputs=inputs)
    code, says = verify(run.number, "--json")
    changes = json.loads(says)[run.number]["changes"]
    assert code == 1
    assert "Acme | Mail | Full was deleted." in changes
    assert "The inputs: entitlements is 7. Signed was 2." in changes


def test_results_and_their_text_changed_together_still_break_the_signature(reader, run, tmp_path):
    path = download(reader, run, tmp_path)
    MetricResult.objects.filter(needed=3).update(needed=0)
    signed = PositionDocument.objects.get()
    PositionDocument.objects.update(text=signed.text.replace('"needed":3', '"needed":0'))
    code, says = verify(run.number)
    assert code == 1 and "is not as it was signed" in says
    code, says = verify("--file", str(path))
    assert code == 1 and "Rights needed is 0. Signed was 3." in says, "the file still knows what was signed"


def test_without_a_signing_key_it_says_that_nothing_was_signed(settings, run):
    settings.AUDIT_SIGNING_KEY = ""
    unsigned = reconcile_as_of(None, now=timezone.now())
    code, says = verify(unsigned.number)
    assert code == 3 and "never signed" in says
    assert verify("REC9999999")[0] == 2


def test_the_page_to_print_has_date_age_figures_and_signature(reader, run):
    page = reader.get(f"/reconciliations/{run.pk}/print/").content.decode()
    assert run.number in page and "2 h 0 min before" in page
    assert "USD 330.00" in page and "not known" in page and "unlimited" in page
    assert run.signature[:20] in page.replace("<wbr>", "") and run.key_id in page
    assert "not as they were signed" not in page
    MetricResult.objects.filter(needed=3).update(needed=0)
    changed = reader.get(f"/reconciliations/{run.pk}/print/").content.decode()
    assert "The stored results are not as they were signed" in changed and "Signed was 3." in changed


@pytest.mark.parametrize("page", ["position.csv", "position.xlsx", "print/"])
def test_a_run_without_results_has_nothing_to_export(reader, run, page):
    ReconciliationRun.objects.filter(pk=run.pk).update(state="failed")
    assert reader.get(f"/reconciliations/{run.pk}/{page}").status_code == 404
    assert reader.get(f"/reconciliations/99999/{page}").status_code == 404


@pytest.mark.parametrize("page", ["position.csv", "position.xlsx", "print/"])
def test_many_models_cost_as_many_queries_as_one(reader, page):
    def cost(run: ReconciliationRun) -> int:
        with CaptureQueriesContext(connection) as asked:
            answer = reader.get(f"/reconciliations/{run.pk}/{page}")
            b"".join(answer.streaming_content if answer.streaming else [answer.content])
        return len(asked)

    profile = factories.profile(refreshed_at=timezone.now())
    model_in_use("One", 1, profile=profile)
    first = reconcile_as_of(None, now=timezone.now())
    cost(first)  # the first request of a session reads more
    few = cost(first)
    for number in range(29):
        model_in_use(f"Number {number}", 1, f"Product {number}", profile)
    assert cost(reconcile_as_of(None, now=timezone.now())) == few
