"""Read a sheet of an Excel workbook, row by row. Formulas are not computed, and the values that a program stored beside
them are not read: they may be years old.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import openpyxl

from samsaas.lib.spreadsheets.archive import DAMAGED, check_archive, check_part
from samsaas.lib.spreadsheets.sheet import (
    MOST_EMPTY,
    Cell,
    CellError,
    Formula,
    Row,
    Sheet,
    SheetLimits,
    Unreadable,
    is_own_file,
    printable_heading,
)

# What it leaves out of a workbook, such as drawings, is of no interest here.
warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")


def read(file: BinaryIO, limits: SheetLimits, *, name: str = "") -> Sheet:
    """The headings and the rows of the sheet of that name, or of the first one that is not hidden."""
    check_archive(file)
    _check_parts(file)
    workbook = _open_workbook(file)
    shown = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"] or workbook.worksheets
    names = [sheet.title for sheet in shown]
    sheet = next((sheet for sheet in shown if sheet.title == name), shown[0] if shown else None)
    if sheet is None:
        raise Unreadable("The workbook has no sheet with cells.")
    rows = _read_rows(sheet, limits)
    headings = _read_headings(rows, sheet.title)
    body = _below_header(rows, len(headings), limits)
    return Sheet([printable_heading(text) for text in headings], body, sheet.title, names, is_own_file(headings))


def _check_parts(file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        for part in archive.infolist():
            try:
                stream = archive.open(part)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
                raise Unreadable(DAMAGED) from None
            with stream:
                check_part(stream)


def _open_workbook(file: BinaryIO) -> Any:
    file.seek(0)
    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except Exception:  # whatever it stumbles over in a file that somebody made up
        raise Unreadable(DAMAGED) from None


def _read_rows(sheet: Any, limits: SheetLimits) -> Iterator[tuple[int, list[Cell]]]:
    """The number and the cells of each row that is not empty. One row and one column more than allowed are read."""
    last = limits.rows + MOST_EMPTY + 2
    try:
        for number, cells in enumerate(sheet.iter_rows(max_row=last, max_col=limits.columns + 1), start=1):
            values = [_read_cell(cell) for cell in cells]
            if any(value != "" for value in values):
                yield number, values
    except Unreadable:
        raise
    except Exception:
        raise Unreadable(DAMAGED) from None


def _read_cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return Formula(value if isinstance(value, str) else "=")
    if cell.data_type == "e":
        return CellError(str(value))
    if isinstance(value, str):
        return value.strip()
    if type(value) is int and set(cell.number_format) == {"0"}:
        return str(value).zfill(len(cell.number_format))  # shown with leading zeros, such as an employee number
    return value


def _read_headings(rows: Iterator[tuple[int, list[Cell]]], title: str) -> list[str]:
    number, cells = next(rows, (0, []))
    if not cells or number > MOST_EMPTY:
        raise Unreadable(f"The sheet “{title}” is empty, or its first {MOST_EMPTY:,} lines are.")
    last = max(place for place, cell in enumerate(cells) if cell != "")
    if any(isinstance(cell, Formula | CellError) for cell in cells):
        raise Unreadable(f"Line {number} of the sheet “{title}” must name the columns, and has a formula.")
    return [str(cell) for cell in cells[: last + 1]]


def _below_header(rows: Iterator[tuple[int, list[Cell]]], wanted: int, limits: SheetLimits) -> Iterator[Row]:
    if wanted > limits.columns:
        raise Unreadable(f"The sheet has more than {limits.columns} columns.")
    for count, (number, cells) in enumerate(rows, start=1):
        if count > limits.rows:
            raise Unreadable(f"The sheet has more than {limits.rows:,} lines. Upload it in parts.")
        problem = _shape_problem(cells[wanted:])
        yield Row(number, cells[:wanted], problem, surplus=cells[wanted:] if problem else ())


def _shape_problem(beside: Sequence[Cell]) -> str:
    is_wide = any(cell != "" for cell in beside)
    return "There is a value beside the table, in a column without a heading." if is_wide else ""
