"""Read a file of people: CSV in UTF-8 from any program. The file is streamed, one record at a time.

A problem of the whole file (its encoding, its header, a quote that never closes) raises `Unreadable`, because then no
line can be trusted. A problem of one line is reported by `parse_cells` and does not affect the other lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, BinaryIO

from samsaas.lib import csv_export, text_forms
from subscriptions.addresses import CONTROL, checked_addresses
from subscriptions.models import Person
from subscriptions.people import directory

MOST_LINES = 200_000
MOST_EMPTY = 1000  # lines before the header
LONGEST_LINE = 64 * 1024
LONGEST_RECORD = 2 * LONGEST_LINE  # the csv module takes no longer cell
LONGEST_KEPT = 2000
DELIMITERS = ",;\t"
EARLIEST, LATEST = date(1950, 1, 1), date(2100, 1, 1)

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
# The columns that our own file of refused lines adds. A file that has both was written by `csv_export`.
OWN_COLUMNS = ("line", "problem")
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
ISO, DOTTED = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII), re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})", re.ASCII)
EXCEL_SEPARATOR = re.compile(r"sep=.", re.IGNORECASE)
SAVE_AS_UTF8 = "Save it as CSV in UTF-8 (in Excel: “CSV UTF-8”) and upload it again."


class Unreadable(Exception):
    """The file as a whole cannot be read. The message says why, where, and what to do."""


@dataclass(frozen=True)
class Header:
    """Which cell holds which column, which headings are unknown, and whether we wrote the file (`is_own`)."""

    delimiter: str
    columns: tuple[str | None, ...]
    ignored: list[str] = field(default_factory=list)
    is_own: bool = False

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


class _Source:
    """The lines of the file as text. `number` is that of the last line read, for messages."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.number, self.began, self.since = file, 0, 1, 0

    def begin_record(self) -> int:
        """Start a new record and return the number of its first line."""
        self.began, self.since = self.number + 1, 0
        return self.began

    def __iter__(self) -> Iterator[str]:
        while raw := self.file.readline(LONGEST_LINE + 1):
            self.number += 1
            self.since += len(raw)
            if len(raw) > LONGEST_LINE:
                raise Unreadable(f"Line {self.number} is longer than 64 KB. {self._long_line_hint(raw)}")
            if self.since > LONGEST_RECORD:
                raise Unreadable(f"A quote in the record that begins on line {self.began} is never closed.")
            yield self._decode_line(raw.removeprefix(b"\xef\xbb\xbf") if self.number == 1 else raw)

    def _decode_line(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Unreadable(f"Line {self.number} is not UTF-8. {SAVE_AS_UTF8}") from None

    def _long_line_hint(self, raw: bytes) -> str:
        return SAVE_AS_UTF8 if b"\r" in raw.rstrip(b"\r\n") else "This is not a list of people."


def read(file: BinaryIO) -> tuple[Header, Iterator[Record]]:
    """The header and an iterator over the records after it. Both may raise `Unreadable`."""
    source = _Source(file)
    begins = islice(source, MOST_EMPTY)
    first = next((line for line in begins if line.strip() and not EXCEL_SEPARATOR.fullmatch(line.strip())), None)
    if first is None:
        raise Unreadable(f"The file is empty, or its first {MOST_EMPTY:,} lines are.")
    header = _find_header(first)
    return header, _read_records(source, header)


def check_beginning(file: BinaryIO) -> None:
    """Check the first bytes and the header, which is quick for a file of any size. Raises `Unreadable`."""
    head = file.read(4096)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(f"This is a workbook or an archive, not a CSV file. {SAVE_AS_UTF8}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(0) > len(head) // 4:
        raise Unreadable(f"The file is written in UTF-16 or is not text. {SAVE_AS_UTF8}")
    read(file)


def _find_header(line: str) -> Header:
    found = [_parse_header(line, delimiter) for delimiter in DELIMITERS]
    best = max(found, key=lambda header: len(header.known))
    missing = [HEADINGS[column][0] for column in (KEY, NAME) if column not in best.known]
    if missing:
        raise Unreadable(
            f"The first line must name the columns; there is no “{'” and no “'.join(missing)}”. "
            "The example file shows all of them."
        )
    twice = sorted({HEADINGS[column][0] for column in best.known if best.known.count(column) > 1})
    if twice:
        raise Unreadable(f"More than one column has the heading “{'”, “'.join(twice)}”.")
    return best


def _parse_header(line: str, delimiter: str) -> Header:
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return Header(delimiter, ())
    names = [" ".join(cell.lower().split()) for cell in cells]
    is_own = set(OWN_COLUMNS) <= set(names)
    known = {"", *COLUMNS_OF, *(OWN_COLUMNS if is_own else ())}
    ignored = [_printable(cell)[:60] for cell, name in zip(cells, names, strict=True) if name not in known]
    return Header(delimiter, tuple(COLUMNS_OF.get(name) for name in names), ignored[:20], is_own)


def _printable(cell: str) -> str:
    return "".join(letter for letter in cell.strip() if letter.isprintable())


def _read_records(source: _Source, header: Header) -> Iterator[Record]:
    reader = csv.reader(iter(source), delimiter=header.delimiter, strict=True)
    count = 0
    while True:
        line = source.begin_record()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Unreadable(f"The quotes of the record on line {line} do not match ({error}).") from None
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MOST_LINES:
            raise Unreadable(f"The file has more than {MOST_LINES:,} lines. Upload it in parts.")
        yield _shape_record(
            line, [csv_export.plain_cell(cell.strip()) for cell in cells] if header.is_own else cells, header
        )


def _shape_record(line: int, cells: list[str], header: Header) -> Record:
    named = {
        column: _unguarded(column, cell)[:LONGEST_KEPT]
        for column, cell in zip(header.columns, cells, strict=False)
        if column
    }
    wanted, there = len(header.columns), len(cells)
    if there != wanted:
        hint = f"The line has {there} cells, the first line has {wanted}: quote a cell that contains a separator."
        return Record(line, named, hint)
    long = [column for column, cell in zip(header.columns, cells, strict=True) if column and len(cell) > LONGEST_KEPT]
    return Record(line, named, f"{_column_label(long[0])} is longer than {LONGEST_KEPT} letters." if long else "")


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
    if not cell:
        return None
    try:
        if iso := ISO.fullmatch(cell):
            day = date(int(iso[1]), int(iso[2]), int(iso[3]))
        elif dotted := DOTTED.fullmatch(cell):
            day = date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
        else:
            raise ValueError
    except ValueError:
        raise ValueError(f"Left on “{cell[:20]}” is not a date such as 2026-03-31.") from None
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"Left on “{cell[:20]}” is not in this century or the last.")
    return day


def _parse_addresses(cell: str) -> list[str]:
    """The addresses of the cell: normalized, each once, in their order."""
    return checked_addresses(re.split(r"[;,\s]+", cell.strip()))


def _column_label(column: str) -> str:
    return HEADINGS[column][0].capitalize()
