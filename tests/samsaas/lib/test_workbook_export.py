"""Workbooks we write: numbers and days are values, text is text, and nothing in them is ever executed."""

from __future__ import annotations

import io
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from samsaas.lib import workbook_export
from samsaas.lib.workbook_export import WrittenSheet

pytestmark = pytest.mark.one_database


def read_back(*sheets: WrittenSheet) -> Any:
    file = io.BytesIO()
    workbook_export.write_workbook(file, sheets)
    return openpyxl.load_workbook(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK('x')", "\t=1", "{=1}", "http://x.example", "mailto:a@b", "ftp://x"]
)  # fmt: skip
def test_no_text_becomes_a_formula_or_a_link(text: str) -> None:
    book = read_back(WrittenSheet("Rows", ["=Heading"], [[text]]))
    for cell in (book["Rows"]["A1"], book["Rows"]["A2"]):
        assert cell.data_type == "s" and cell.hyperlink is None
    assert book["Rows"]["A2"].value == text


def test_numbers_days_and_moments_stay_values() -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    row = [7, Decimal("12.3456"), date(2026, 3, 4), moment, True, None, Decimal("12345678901234567890"), "a\0b"]
    shown = [cell.value for cell in read_back(WrittenSheet("Rows", list("abcdefgh"), [row]))["Rows"][2]]
    assert shown[:2] == [7, 12.3456] and shown[2].date() == date(2026, 3, 4)
    assert shown[3].isoformat() == "2026-03-04T05:06:07"
    assert shown[4:] == ["yes", None, "12345678901234567890", "ab"]


def test_a_workbook_of_many_rows_is_written_in_the_same_memory() -> None:
    def peak(number: int) -> int:
        rows = (["some text that is long enough", place, date(2026, 1, 1)] for place in range(number))
        tracemalloc.start()
        with open("/dev/null", "wb") as nowhere:
            workbook_export.write_workbook(nowhere, [WrittenSheet("Rows", list("abc"), rows)])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(8000) < peak(500) + 1_000_000


def test_the_download_has_a_harmless_name() -> None:
    answer = workbook_export.respond('a "b"\r\n.xlsx', [WrittenSheet("Rows", ["a"])])
    assert answer["Content-Disposition"] == 'attachment; filename="a-b.xlsx"'
    assert b"".join(answer.streaming_content).startswith(b"PK")  # type: ignore[arg-type]
