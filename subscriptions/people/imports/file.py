"""Reading a file of people: CSV in UTF-8, whoever wrote it. Streams, and never holds more than one record.

What concerns the whole file (its encoding, its header, a quote that never closes) raises `Unreadable`: nobody can say
then what its lines mean. What concerns one line is told by `parsed`, and the other lines count.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, BinaryIO

from samsaas.lib import csv_export
from subscriptions.addresses import CONTROL, checked_addresses
from subscriptions.models import Person
from subscriptions.people import directory

MOST_LINES = 200_000
MOST_EMPTY = 1000  # lines before the header
LONGEST_LINE = 64 * 1024
LONGEST_RECORD = 2 * LONGEST_LINE  # the most csv takes as one cell
LONGEST_KEPT = 2000
DELIMITERS = ",;\t"
EARLIEST, LATEST = date(1950, 1, 1), date(2100, 1, 1)

KEY, NAME, EMAILS, MANAGER, LEFT_ON = "key", "name", "emails", "manager", "left_on"
# Column -> its headings; the first is the one we write ourselves.
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
# What our file of refused lines says beside them. A file with both is ours, as `csv_export` has written it.
OWN_COLUMNS = ("line", "problem")
EXAMPLE = (
    ("1001", "Anna Müller", "anna.mueller@example.com; anna@example.com", "Sales", "1000", "CC-20", "DE", ""),
    ("1000", "José Peña", "jose.pena@example.com", "Sales", "", "CC-20", "ES", ""),
    ("0999", "Kim Lee", "kim.lee@example.com", "IT", "1000", "CC-10", "GB", "2026-03-31"),
)
COLUMNS_OF = {heading: column for column, headings in HEADINGS.items() for heading in headings}
LONGEST = {field.name: field.max_length or 0 for field in Person._meta.fields}
ISO, DOTTED = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII), re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})", re.ASCII)
EXCEL_SEPARATOR = re.compile(r"sep=.", re.IGNORECASE)
SAVE_AS_UTF8 = "Save it as CSV in UTF-8 (in Excel: “CSV UTF-8”) and upload it again."


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says why, where, and what to do."""


@dataclass(frozen=True)
class Header:
    """Which cell holds which column, the headings nobody asked for, and whether it is our file of refused lines."""

    delimiter: str
    columns: tuple[str | None, ...]
    ignored: list[str] = field(default_factory=list)
    ours: bool = False

    @property
    def known(self) -> list[str]:
        return [column for column in self.columns if column]


@dataclass(frozen=True)
class Record:
    """One line: its number in the file, its cells by column, and what is wrong with its shape, if anything is."""

    line: int
    cells: dict[str, str]
    problem: str = ""

    @property
    def unsure(self) -> bool:
        """Whether this line, if refused, may hide a person: it has no number, or swallowed others by its quotes."""
        return bool(self.problem) or not self.cells.get(KEY) or any("\n" in cell for cell in self.cells.values())


@dataclass(frozen=True)
class Values:
    """What a line says of a person: fields by name, and the addresses where the file has a column of them."""

    fields: dict[str, Any]
    addresses: list[str] | None


class _Source:
    """The file's lines as text, with the number of the last one, for messages."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.number, self.began, self.since = file, 0, 1, 0

    def begin(self) -> int:
        """A record begins on the next line, whose number this is."""
        self.began, self.since = self.number + 1, 0
        return self.began

    def __iter__(self) -> Iterator[str]:
        while raw := self.file.readline(LONGEST_LINE + 1):
            self.number += 1
            self.since += len(raw)
            if len(raw) > LONGEST_LINE:
                raise Unreadable(f"Line {self.number} is longer than 64 KB. {self._hint(raw)}")
            if self.since > LONGEST_RECORD:
                raise Unreadable(f"A quote of the record that begins on line {self.began} does not close.")
            yield self._text(raw.removeprefix(b"\xef\xbb\xbf") if self.number == 1 else raw)

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Unreadable(f"Line {self.number} is not UTF-8. {SAVE_AS_UTF8}") from None

    def _hint(self, raw: bytes) -> str:
        return SAVE_AS_UTF8 if b"\r" in raw.rstrip(b"\r\n") else "This is no list of people."


def read(file: BinaryIO) -> tuple[Header, Iterator[Record]]:
    """The header, and the lines behind it, still unread. Raises `Unreadable`, the iterator too."""
    source = _Source(file)
    begins = islice(source, MOST_EMPTY)
    first = next((line for line in begins if line.strip() and not EXCEL_SEPARATOR.fullmatch(line.strip())), None)
    if first is None:
        raise Unreadable(f"The file is empty, or its first {MOST_EMPTY:,} lines are.")
    header = _header(first)
    return header, _records(source, header)


def recognize(file: BinaryIO) -> None:
    """Look at the first bytes and at the header, which is quick whatever the size. Raises `Unreadable`."""
    head = file.read(4096)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(f"This is a workbook or an archive, not a CSV file. {SAVE_AS_UTF8}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(0) > len(head) // 4:
        raise Unreadable(f"The file is written in UTF-16 or is no text. {SAVE_AS_UTF8}")
    read(file)


def _header(line: str) -> Header:
    found = [_read_header(line, delimiter) for delimiter in DELIMITERS]
    best = max(found, key=lambda header: len(header.known))
    missing = [HEADINGS[column][0] for column in (KEY, NAME) if column not in best.known]
    if missing:
        raise Unreadable(
            f"The first line must name the columns; there is no “{'” and no “'.join(missing)}”. "
            "The example file shows all of them."
        )
    twice = sorted({HEADINGS[column][0] for column in best.known if best.known.count(column) > 1})
    if twice:
        raise Unreadable(f"More than one column is headed “{'”, “'.join(twice)}”.")
    return best


def _read_header(line: str, delimiter: str) -> Header:
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return Header(delimiter, ())
    names = [" ".join(cell.lower().split()) for cell in cells]
    ours = set(OWN_COLUMNS) <= set(names)
    known = {"", *COLUMNS_OF, *(OWN_COLUMNS if ours else ())}
    ignored = [cell.strip()[:60] for cell, name in zip(cells, names, strict=True) if name not in known]
    return Header(delimiter, tuple(COLUMNS_OF.get(name) for name in names), ignored[:20], ours)


def _records(source: _Source, header: Header) -> Iterator[Record]:
    reader = csv.reader(iter(source), delimiter=header.delimiter, strict=True)
    count = 0
    while True:
        line = source.begin()
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
        yield _record(line, [csv_export.unguarded(cell.strip()) for cell in cells] if header.ours else cells, header)


def _record(line: int, cells: list[str], header: Header) -> Record:
    named = {column: cell.strip()[:LONGEST_KEPT] for column, cell in zip(header.columns, cells, strict=False) if column}
    wanted, there = len(header.columns), len(cells)
    if there != wanted:
        hint = f"The line has {there} cells, the first line has {wanted}: quote a cell that holds a separator."
        return Record(line, named, hint)
    long = [column for column, cell in zip(header.columns, cells, strict=True) if column and len(cell) > LONGEST_KEPT]
    return Record(line, named, f"{_words(long[0])} is longer than {LONGEST_KEPT} letters." if long else "")


def parsed(cells: dict[str, str]) -> Values:
    """The cells of a line as a person's values. Raises `ValueError` with words for the reader, all problems in one."""
    problems: list[str] = []
    fields: dict[str, Any] = {}
    for column, cell in cells.items():
        if column == EMAILS:
            continue
        try:
            fields[column] = _value(column, cell)
        except ValueError as error:
            problems.append(str(error))
    try:
        addresses = _addresses(cells[EMAILS]) if EMAILS in cells else None
    except ValueError as error:
        problems.append(str(error))
        addresses = None
    if fields.get(MANAGER) and fields[MANAGER] == fields.get(KEY):
        problems.append(directory.OWN_MANAGER)
    if problems:
        raise ValueError(" ".join(problems))
    return Values(fields, addresses)


def _value(column: str, cell: str) -> Any:
    if CONTROL.search(cell):
        raise ValueError(f"{_words(column)} holds a line break or a control character.")
    if column == LEFT_ON:
        return _day(cell)
    if column == "country":
        if cell and not re.fullmatch(r"[A-Za-z]{2}", cell):
            raise ValueError(f"Country “{cell[:20]}” is not two letters, such as DE.")
        return cell.upper()
    if column in (KEY, NAME) and not cell:
        raise ValueError(f"{_words(column)} is empty.")
    most = LONGEST[column]
    if len(cell) > most:
        raise ValueError(f"{_words(column)} is longer than {most} letters.")
    return cell


def _day(cell: str) -> date | None:
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


def _addresses(cell: str) -> list[str]:
    """Normalized, each once, in the order given."""
    return checked_addresses(re.split(r"[;,\s]+", cell.strip()))


def _words(column: str) -> str:
    return HEADINGS[column][0].capitalize()
