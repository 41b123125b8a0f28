"""Excel workbooks to download. Text is text: nothing in a cell is ever a formula, and no link is made of it.

They are written row by row in constant memory, into a temporary file.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.http import FileResponse
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
LONGEST_CELL = 32_767  # letters, as Excel takes them
MOST_DIGITS = 15  # a longer number is written as text: a spreadsheet would round it
WIDEST, NARROWEST = 40, 10


@dataclass(frozen=True)
class WrittenSheet:
    """One sheet of a workbook: its name, the headings, and its rows."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Any]] = field(default_factory=list)


def respond(filename: str, sheets: Sequence[WrittenSheet]) -> FileResponse:
    """A download of a workbook with these sheets."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write_workbook(file, sheets)
    return send(file, filename)


def send(file: Any, filename: str) -> FileResponse:
    """A download of a workbook that was written into this file."""
    name = re.sub(r"\.(csv|xlsx)$", "", filename, flags=re.IGNORECASE)
    name = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.") or "export"
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=CONTENT_TYPE)


def write_workbook(file: Any, sheets: Sequence[WrittenSheet]) -> None:
    """Write the sheets, one after the other."""
    with Workbook(file, OPTIONS) as workbook:
        formats = {
            "header": workbook.add_format({"bold": True, "bottom": 1}),
            "day": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "moment": workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        for one in sheets:
            _write_sheet(workbook.add_worksheet(one.name), one, formats)


def _write_sheet(sheet: Worksheet, written: WrittenSheet, formats: dict[str, Any]) -> None:
    for place, heading in enumerate(written.header):
        sheet.set_column(place, place, min(max(len(heading) + 2, NARROWEST), WIDEST))
    sheet.freeze_panes(1, 0)
    for place, heading in enumerate(written.header):
        sheet.write_string(0, place, _plain_text(heading), formats["header"])
    for number, row in enumerate(written.rows, start=1):
        for place, value in enumerate(row):
            _write_cell(sheet, number, place, value, formats)


def _write_cell(sheet: Worksheet, row: int, place: int, value: Any, formats: dict[str, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_string(row, place, "yes" if value else "no")
    elif isinstance(value, datetime):
        sheet.write_datetime(row, place, value.astimezone(UTC).replace(tzinfo=None), formats["moment"])
    elif isinstance(value, date):
        sheet.write_datetime(row, place, value, formats["day"])
    elif isinstance(value, int | float | Decimal) and len(str(abs(value))) <= MOST_DIGITS:
        sheet.write_number(row, place, value)
    else:
        sheet.write_string(row, place, _plain_text(value))


def _plain_text(value: Any) -> str:
    return UNWRITABLE.sub("", str(value))[:LONGEST_CELL]
