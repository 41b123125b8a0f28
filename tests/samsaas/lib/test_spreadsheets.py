"""Files of strangers as tables: what programs write is read as it was meant, and what does harm is refused in words."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from samsaas.lib.spreadsheets import cells, open_sheet
from samsaas.lib.spreadsheets.cells import BadCell
from samsaas.lib.spreadsheets.sheet import CellError, Formula, Sheet, SheetLimits, Unreadable
from tests.samsaas.lib.workbooks import make_workbook, replace_part, with_renamed_sheet, with_sheet

pytestmark = pytest.mark.one_database

ROW = '<sheetData><row r="1">{}</row></sheetData>'
CELL = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))


def opened(content: bytes, *, rows: int = 100, columns: int = 100, name: str = "") -> Sheet:
    known = {"name", "number"}.__contains__
    return open_sheet.run(io.BytesIO(content), SheetLimits(rows, columns), known=known, name=name)


def table(content: bytes, **options: Any) -> list[list[Any]]:
    sheet = opened(content, **options)
    return [sheet.headings, *(list(row.cells) for row in sheet.rows)]


SAME = {
    "commas": b"Name,Number\nAnn,7\n",
    "semicolons": b"Name;Number\nAnn;7\n",
    "tabs": b"Name\tNumber\nAnn\t7\n",
    "Excel's line": b"sep=;\r\nName;Number\r\nAnn;7\r\n",
    "a mark": "\ufeffName,Number\nAnn,7\n".encode(),
    "UTF-16 of Windows": "\ufeffName\tNumber\r\nAnn\t7\r\n".encode("utf-16-le"),
    "UTF-16, the other way": "\ufeffName,Number\nAnn,7\n".encode("utf-16-be"),
    "empty lines": b"\n\nName,Number\n\nAnn,7\n,\n",
    "a workbook": make_workbook([["Name", "Number"], ["Ann", "7"]]),
    "a workbook with gaps": make_workbook([[], ["Name", "Number"], [], ["Ann", "7"], ["", None]]),
    "a workbook with numbers shown as 7": make_workbook([["Name", "Number"], [" Ann ", "7"]]),
}


@pytest.mark.parametrize("how", SAME)
def test_one_table_is_read_however_a_program_writes_it(how: str) -> None:
    assert table(SAME[how]) == [["Name", "Number"], ["Ann", "7"]]


def test_cells_of_a_workbook_keep_their_kind_and_formulas_stay_formulas() -> None:
    made = make_workbook(
        [["Name", "a", "b", "c", "d", "e"], ["x", 1.5, date(2026, 3, 4), True, "=1+1", '=HYPERLINK("x")']]
    )
    row = table(made)[1]
    assert row[:2] == ["x", 1.5] and row[2] == datetime(2026, 3, 4) and row[3] is True  # noqa: DTZ001 - as it is read
    assert row[4:] == [Formula("=1+1"), Formula('=HYPERLINK("x")')]
    error = with_sheet(f'<sheetData><row r="1">{CELL.format("A1", "Name")}</row><row r="2"><c r="A2" t="e"><v>#REF!</v>'
                       "</c></row></sheetData>")  # fmt: skip
    assert table(error)[1] == [CellError("#REF!")]


def test_a_number_that_is_shown_with_leading_zeros_keeps_them() -> None:
    import openpyxl  # noqa: PLC0415

    book = openpyxl.load_workbook(io.BytesIO(make_workbook([["Number"], [7]])))
    book.active["A2"].number_format = "00000"
    file = io.BytesIO()
    book.save(file)
    assert table(file.getvalue())[1] == ["00007"]


def test_the_sheet_is_the_first_that_is_shown_unless_another_is_named() -> None:
    made = make_workbook([["Name"], ["Ann"]], sheet="Staff", more=("Notes",))
    assert (opened(made).name, opened(made).names) == ("Staff", ["Staff", "Notes"])
    with pytest.raises(Unreadable, match="“Notes” is empty"):
        opened(made, name="Notes")


def test_rows_know_their_lines_and_values_beside_the_table_are_seen() -> None:
    rows = list(opened(make_workbook([["Name"], [], ["Ann"], ["Bob", "", "stray"]])).rows)
    assert [(row.line, bool(row.problem)) for row in rows] == [(3, False), (4, True)]
    rows = list(opened(b'Name,Number\n"A\nB",1\nC\n').rows)
    assert [(row.line, bool(row.problem)) for row in rows] == [(2, False), (4, True)]


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", b"\0" * 60_000_000)
    return file.getvalue()


def encrypted() -> bytes:
    content = bytearray(make_workbook([["Name"]]))
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1  # the flag in the table of contents
    return bytes(content)


HARMFUL = {
    "a zip bomb": (bomb(), "more than 50 MB"),
    "a part of the workbook is no XML": (replace_part(make_workbook([["Name"]]), "xl/workbook.xml", b"<a>"), "damaged"),
    "a cut file": (make_workbook([["Name"]])[:2000], "damaged"),
    "noise behind the signature": (b"PK\x03\x04" + b"\0" * 5000, "damaged"),
    "a password": (encrypted(), "protected by a password"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 3000, "old .xls"),
    "gzip": (b"\x1f\x8b\x08" + b"\0" * 99, "no Excel workbook"),
    "entities in entities": (with_sheet("<a>&e11;</a>", f"<!DOCTYPE x [<!ENTITY e0 'x'>{ENTITIES}]>"), "damaged"),
    "a foreign entity": (with_sheet("<a>&x;</a>", '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "damaged"),
    "a row without an end": (with_sheet(ROW.format("<c/>" * 30_000)), "more than 50 MB"),
    "a row without an end by another name": (
        with_renamed_sheet(ROW.format("<c/>" * 30_000)),
        "more than 50 MB",
    ),
    "boxes in boxes": (with_sheet("<a>" * 5000 + "</a>" * 5000), "more than 50 MB"),
    "a text that is not there": (with_sheet(ROW.format('<c r="A1" t="s"><v>99</v></c>')), "damaged"),
    "a cell that is nowhere": (with_sheet(ROW.format('<c r="!!"><v>1</v></c>')), "damaged"),
    "a number of no end": (with_sheet(ROW.format(f'<c r="A1"><v>{"9" * 5000}</v></c>')), "damaged"),
    "no cell at all": (with_sheet("<sheetData/>"), "is empty"),
    "a heading that is computed": (make_workbook([["=1+1"], ["x"]]), "has a formula"),
    "too many columns": (make_workbook([[f"h{n}" for n in range(101)], ["x"]]), "more than 100 columns"),
    "too many columns of CSV": (b"h," * 101 + b"\nx\n", "102 columns"),
    "too many lines": (make_workbook([["Name"], *(["x"] for _ in range(101))]), "more than 100 lines"),
    "too many lines of CSV": (b"Name\n" + b"x\n" * 101, "more than 100 lines"),
    "Windows-1252": ("Name\nMüller\n".encode("cp1252"), "not UTF-8"),
    "UTF-16 without a mark": ("Name,Number\nAnn,7\n".encode("utf-16-le"), "UTF-16 without its mark"),
    "half UTF-16": ("Name\nAnn\n".encode("utf-16")[:-1], "begins as UTF-16"),
    "a quote without end": (b'Name\n"Ann\n', "do not match"),
    "nothing": (b"", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", HARMFUL)
def test_a_harmful_or_broken_file_is_refused_in_words_and_quickly(case: str) -> None:
    content, word = HARMFUL[case]
    began = time.monotonic()
    with pytest.raises(Unreadable) as refused:
        table(content)
    assert word in str(refused.value) and len(str(refused.value)) < 300
    assert time.monotonic() - began < 5


def test_pictures_and_parts_with_other_names_are_no_harm() -> None:
    rows = (f'<row r="{n}">{CELL.format(f"A{n}", text)}</row>' for n, text in ((1, "Name"), (2, "Ann")))
    sheet = f"<sheetData>{''.join(rows)}</sheetData>"
    assert table(with_renamed_sheet(sheet)) == [["Name"], ["Ann"]]


def test_a_cell_at_the_far_end_of_the_sheet_costs_nothing() -> None:
    far = with_sheet(
        f'<sheetData><row r="1">{CELL.format("A1", "Name")}</row><row r="2">{CELL.format("A2", "Ann")}</row>'
        f'<row r="1048576">{CELL.format("XFD1048576", "far")}</row></sheetData>'
    )
    tracemalloc.start()
    assert table(far) == [["Name"], ["Ann"]]
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_what_a_form_says_at_once_is_what_the_beginning_tells() -> None:
    def look(content: bytes) -> Sheet | None:
        return open_sheet.check_beginning(io.BytesIO(content), SheetLimits(10), known={"name"}.__contains__)

    assert look(make_workbook([["Name"]])) is None and look(b"Name\n" + b"x\n" * 900_000) is not None
    for content, word in (HARMFUL["a zip bomb"], HARMFUL["a password"], HARMFUL["nothing"], HARMFUL["gzip"]):
        with pytest.raises(Unreadable, match=word):
            look(content)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234", "1234"), ("1,5", "1.5"), ("1.5", "1.5"), ("1.234,50", "1234.5"), ("1,234.50", "1234.5"),
        ("1 234,5", "1234.5"), ("1\u00a0234", "1234"), ("1'234.50", "1234.5"), ("1’234", "1234"), ("0.125", "0.125"),
        ("1,234,567", "1234567"), ("1234.567", "1234.567"), ("-3", "-3"), (7, "7"), (0.1 + 0.2, "0.3"), ("007", "7"),
    ],
)  # fmt: skip
def test_numbers_are_read_when_they_can_mean_one_thing_only(text: Any, value: str) -> None:
    assert cells.read_number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["1.234", "1,234", "12.500", "999,000"])
def test_a_number_with_two_readings_is_refused_with_both_until_the_sign_is_named(text: str) -> None:
    with pytest.raises(BadCell) as refused:
        cells.read_number(text)
    large, small = (cells.read_number(text, decimal_sign=sign) for sign in (",." if "." in text else ".,"))
    assert large and small and large == small * 1000
    assert f"{cells.write_number(large)} or {cells.write_number(small)}" in str(refused.value)
    assert cells.list_readings(cells.write_number(small), (".", ",")) == [small]


@pytest.mark.parametrize(
    "text",
    ["abc", "1.2.3", "1,23,456", "1..5", "1e5", "٣", "--1", "1 2", "$5", "9" * 50, "1.234.5", "1\n", True,
     Formula("=1"), CellError("#N/A"), float("inf"), float("nan")],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: Any) -> None:
    with pytest.raises(BadCell):
        cells.read_number(text)


@pytest.mark.parametrize("cell", ["-1", -1, "1.5", 1.5, "1,5"])
def test_a_count_is_whole_and_not_negative(cell: Any) -> None:
    with pytest.raises(BadCell, match="negative|whole"):
        cells.read_whole(cell)
    assert cells.read_whole("10.0") == 10 == cells.read_whole(10.0) and cells.read_whole("") is None


def test_days_are_read_as_written_and_the_order_is_asked_for() -> None:
    day = date(2026, 4, 3)
    same: tuple[Any, ...] = ("2026-04-03", "3.4.2026", "2026-04-03 00:00:00", day, datetime(2026, 4, 3, 9))  # noqa: DTZ001
    assert all(cells.read_day(cell) == day for cell in same)
    assert cells.read_day("03/04/2026", order="day") == day == cells.read_day("04/03/2026", order="month")
    assert cells.read_day("") is None
    for text in ("03/04/2026", "31/12/2026"):
        with pytest.raises(BadCell, match="whether the day or the month comes first"):
            cells.read_day(text)
    for cell in ("2026-02-30", "31/31/2026", "26-01-01", "0026-01-01", "tomorrow", Formula("=TODAY()"), 46000):
        with pytest.raises(BadCell):
            cells.read_day(cell, order="day")


def test_yes_and_no_in_the_words_of_spreadsheets() -> None:
    assert all(cells.read_yes(cell) for cell in ("yes", "Y", "TRUE", "x", "1", True, 1))
    assert not any(cells.read_yes(cell) for cell in ("no", "", "False", "0", False, 0))
    with pytest.raises(BadCell, match="neither yes nor no"):
        cells.read_yes("perhaps")
