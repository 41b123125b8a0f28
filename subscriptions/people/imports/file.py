"""Read a file of people: CSV or an Excel workbook, one record at a time, as `samsaas.lib.spreadsheets` gives them.

A problem of the whole file (its encoding, its header, a quote that never closes) raises `Unreadable`, because then no
line can be trusted. A problem of one line is reported by `parse_cells` and does not affect the other lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

from samsaas.lib import text_forms
from samsaas.lib.spreadsheets import cells as read_cells, open_sheet
from samsaas.lib.spreadsheets.sheet import OWN_COLUMNS, Cell, Row, Sheet, SheetLimits, Unreadable, simplify_heading
from subscriptions.addresses import CONTROL, checked_addresses
from subscriptions.models import Person
from subscriptions.people import directory

MOST_LINES = 200_000
LONGEST_KEPT = 2000

KEY, NAME, EMAILS, MANAGER, LEFT_ON = "key", "name", "emails", "manager", "left_on"
# Column -> its headings. The first one is used in the files we write.
HEADINGS = {
    KEY: ("employee number", "employee no", "employee id", "personnel number"),
    NAME: ("name", "full name", "display name"),
    EMAILS: ("e-mails", "e-mail", "emails", "email", "e-mail addresses", "e-mail address", "email address", "mail"),
    "department": ("department",),
    MANAGER: ("manager", "manager’s employee number", "manager's employee number", "manager employee number"),
    "cost_center": ("cost center", "cost centre"),
    "country": ("country", "country code"),
    LEFT_ON: ("left on", "leaving date", "last day"),
}
EXAMPLE = (
    ("1001", "Anna Müller", "anna.mueller@example.com; anna@example.com", "Sales", "1000", "CC-20", "DE", ""),
    ("1000", "José Peña", "jose.pena@example.com", "Sales", "", "CC-20", "ES", ""),
    ("0999", "Kim Lee", "kim.lee@example.com", "IT", "1000", "CC-10", "GB", "2026-03-31"),
)
COLUMNS_OF = {heading: column for column, headings in HEADINGS.items() for heading in headings}
LONGEST = {field.name: field.max_length or 0 for field in Person._meta.fields}
# Numbers that spreadsheets would change, so people guard them: ="00007" or a leading apostrophe.
NUMBERS = (KEY, MANAGER, "cost_center")
GUARDED = re.compile(r'="(.*)"', re.DOTALL)


@dataclass(frozen=True)
class Header:
    """Which cell holds which column, and which headings are unknown."""

    columns: tuple[str | None, ...]
    ignored: list[str] = field(default_factory=list)

    @property
    def known(self) -> list[str]:
        return [column for column in self.columns if column]


@dataclass(frozen=True)
class Record:
    """One record: the number of its line, its cells by column, and a problem of its shape, if there is one."""

    line: int
    cells: dict[str, str]
    problem: str = ""

    @property
    def unsure(self) -> bool:
        """Whether this record, if refused, may hide a person: it has no number, or its quotes took in other lines."""
        return bool(self.problem) or not self.cells.get(KEY) or any("\n" in cell for cell in self.cells.values())


@dataclass(frozen=True)
class Values:
    """The values of a person on a line: fields by name, and addresses if the file has that column, else None."""

    fields: dict[str, Any]
    addresses: list[str] | None


def read(file: BinaryIO) -> tuple[Header, Iterator[Record]]:
    """The header and an iterator over the records after it. Both may raise `Unreadable`."""
    sheet = open_sheet.run(file, SheetLimits(MOST_LINES), known=COLUMNS_OF.__contains__)
    header = _find_header(sheet)
    return header, (_shape_record(row, header) for row in sheet.rows)


def check_beginning(file: BinaryIO) -> None:
    """Check the first bytes, and the header of a CSV file, which is quick for any size. Raises `Unreadable`."""
    sheet = open_sheet.check_beginning(file, SheetLimits(MOST_LINES), known=COLUMNS_OF.__contains__)
    if sheet:
        _find_header(sheet)


def _find_header(sheet: Sheet) -> Header:
    names = [simplify_heading(heading) for heading in sheet.headings]
    columns = tuple(COLUMNS_OF.get(name) for name in names)
    known = {"", *COLUMNS_OF, *(OWN_COLUMNS if sheet.is_own else ())}
    ignored = [heading for heading, name in zip(sheet.headings, names, strict=True) if name not in known]
    header = Header(columns, ignored[:20])
    missing = [HEADINGS[column][0] for column in (KEY, NAME) if column not in columns]
    if missing:
        raise Unreadable(
            f"The first line must name the columns; there is no “{'” and no “'.join(missing)}”. "
            "The example file shows all of them."
        )
    twice = sorted({HEADINGS[column][0] for column in header.known if header.known.count(column) > 1})
    if twice:
        raise Unreadable(f"More than one column has the heading “{'”, “'.join(twice)}”.")
    return header


def _shape_record(row: Row, header: Header) -> Record:
    named: dict[str, str] = {}
    problems = [row.problem]
    for column, cell in zip(header.columns, row.cells, strict=False):
        if column:
            named[column], problem = _read_cell(column, cell)
            problems.append(problem)
    return Record(row.line, named, next(filter(None, problems), ""))


def _read_cell(column: str, cell: Cell) -> tuple[str, str]:
    """The text of a cell, and what is wrong with it."""
    try:
        text = cell if isinstance(cell, str) else read_cells.read_text(cell)
    except read_cells.BadCell as problem:
        return read_cells.show_cell(cell)[:LONGEST_KEPT], f"{_column_label(column)} {problem}"
    text = _unguarded(column, text)
    long = f"{_column_label(column)} is longer than {LONGEST_KEPT} letters." if len(text) > LONGEST_KEPT else ""
    return text[:LONGEST_KEPT], long


def _unguarded(column: str, cell: str) -> str:
    """The cell without what only keeps a spreadsheet from changing it. Numbers are cleaned as they are stored."""
    cell = cell.strip()
    if guarded := GUARDED.fullmatch(cell):
        cell = guarded[1].replace('""', '"')
    if column not in NUMBERS:
        return cell.strip()
    return text_forms.clean_text(cell.removeprefix("'"))


def parse_cells(cells: dict[str, str]) -> Values:
    """The cells of a line as values of a person. Raises `ValueError` with all problems, in words for the reader."""
    problems: list[str] = []
    fields: dict[str, Any] = {}
    for column, cell in cells.items():
        if column == EMAILS:
            continue
        try:
            fields[column] = _parse_value(column, cell)
        except ValueError as error:
            problems.append(str(error))
    try:
        addresses = _parse_addresses(cells[EMAILS]) if EMAILS in cells else None
    except ValueError as error:
        problems.append(str(error))
        addresses = None
    if fields.get(MANAGER) and fields[MANAGER] == fields.get(KEY):
        problems.append(directory.OWN_MANAGER)
    if problems:
        raise ValueError(" ".join(problems))
    return Values(fields, addresses)


def _parse_value(column: str, cell: str) -> Any:
    if CONTROL.search(cell):
        raise ValueError(f"{_column_label(column)} contains a line break or a control character.")
    cell = text_forms.clean_text(cell)
    if column == LEFT_ON:
        return _parse_day(cell)
    if column == "country":
        if cell and not re.fullmatch(r"[A-Za-z]{2}", cell):
            raise ValueError(f"Country “{cell[:20]}” is not two letters, such as DE.")
        return cell.upper()
    if column in (KEY, NAME) and not cell:
        raise ValueError(f"{_column_label(column)} is empty.")
    most = LONGEST[column]
    if len(cell) > most:
        raise ValueError(f"{_column_label(column)} is longer than {most} letters.")
    return cell


def _parse_day(cell: str) -> date | None:
    try:
        return read_cells.read_day(cell, order=None)
    except read_cells.BadCell as problem:
        raise ValueError(f"{_column_label(LEFT_ON)} {problem}") from None


def _parse_addresses(cell: str) -> list[str]:
    """The addresses of the cell: normalized, each once, in their order."""
    return checked_addresses(re.split(r"[;,\s]+", cell.strip()))


def _column_label(column: str) -> str:
    return HEADINGS[column][0].capitalize()
