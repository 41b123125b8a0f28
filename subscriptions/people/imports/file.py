"""Read a file of people: CSV or an Excel workbook, one record at a time, as `samsaas.lib.spreadsheets` gives them.

A problem of the whole file (its header, a quote that never closes) raises `Unreadable`, because then no line can be
trusted. A problem of one line is kept with its record and does not affect the other lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, BinaryIO

from samsaas.lib import text_forms
from samsaas.lib.spreadsheets import cells as read_cells, open_sheet
from samsaas.lib.spreadsheets.encodings import UTF_8
from samsaas.lib.spreadsheets.sheet import Cell, Row, Sheet, SheetLimits, Unreadable
from subscriptions.file_columns.table import SAMPLES, Choice, describe_file
from subscriptions.people.imports.columns import (
    COST_CENTER,
    KEY,
    LABELS,
    LEFT_ON,
    MANAGER,
    NAME,
    TABLE,
    choose_columns,
    is_ours,
    join_name,
)

MOST_LINES = 200_000
LONGEST_KEPT, MOST_SURPLUS = 2000, 20
# Numbers that spreadsheets would change, so people guard them: ="00007" or a leading apostrophe.
NUMBERS = (KEY, MANAGER, COST_CENTER)
GUARDED = re.compile(r'="(.*)"', re.DOTALL)
VALUE = re.compile(r"\d+|[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)  # what stands below a heading and never in one


@dataclass(frozen=True)
class Layout:
    """How a file is written, as a person said. What is empty the file says itself."""

    columns: Mapping[str, int] = field(default_factory=dict)
    sheet: str = ""
    encoding: str = ""
    date_order: str = ""


@dataclass(frozen=True)
class Header:
    """Which place holds which column, the headings that are not used, and what a person sees while choosing."""

    choice: Choice
    headings: list[str]
    ignored: list[str]
    shown: dict[str, Any]
    remembered: bool = False

    @property
    def known(self) -> list[str]:
        return sorted(self.choice.places, key=lambda column: self.choice.places[column])


@dataclass(frozen=True)
class Record:
    """One record: its line, its cells by column, what is wrong with some of them, and a problem of its shape.

    `whole` has every cell of a record whose shape is wrong, because nobody knows which of them belongs where.
    """

    line: int
    cells: dict[str, str]
    problem: str = ""
    is_short: bool = False
    bad_cells: dict[str, str] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)

    @property
    def unsure(self) -> bool:
        """Whether this record, if refused, may hide a person: its cells are not those of the header, it has no number,
        or its quotes took in other lines."""
        return (
            bool(self.problem)
            or self.is_short
            or not self.cells.get(KEY)
            or any("\n" in cell for cell in self.cells.values())
        )


class OrderUnknown(Exception):
    """A date such as 03/04/2026 was met, and nobody has said what comes first."""


NO_LAYOUT = Layout()
Remember = Callable[[list[str]], Mapping[str, int]]  # the columns that somebody chose for these headings


def read(
    file: BinaryIO,
    layout: Layout = NO_LAYOUT,
    *,
    remember: Remember = lambda headings: {},
    keep_days: bool = False,
) -> tuple[Header, Iterator[Record]]:
    """The header and an iterator over the records after it.

    Both may raise `Unreadable`, the iterator also `OrderUnknown`. There are no records to read while the choice of the
    header is not complete. With `keep_days` dates stay as they are written.
    """
    sheet = open_sheet.run(
        file, SheetLimits(MOST_LINES), known=TABLE.is_known, name=layout.sheet, encoding=layout.encoding
    )
    rows = iter(sheet.records)
    first = list(islice(rows, SAMPLES))
    header = _find_header(sheet, first, layout, remember)
    order = None if keep_days else layout.date_order
    return header, (_shape_record(row, header, order) for row in chain(first, rows))


def check_beginning(file: BinaryIO) -> None:
    """Check the first bytes, and the header of a CSV file, which is quick for any size. Raises `Unreadable`."""
    is_foreign = open_sheet.list_foreign_lines(open_sheet.read_beginning(file))
    encoding = UTF_8 if is_foreign else ""  # the damaged letters do not matter here: a person will be asked
    sheet = open_sheet.check_beginning(file, SheetLimits(MOST_LINES), known=TABLE.is_known, encoding=encoding)
    if sheet:
        _find_header(sheet, [], NO_LAYOUT, lambda headings: {})


def find_date_order(records: Iterator[Record]) -> str:
    """What comes first in the dates of the file; empty if they do not say so, or contradict each other."""
    orders = {read_cells.find_order(record.cells.get(LEFT_ON, "")) for record in records} - {None, ""}
    return str(orders.pop()) if len(orders) == 1 else ""


def _find_header(sheet: Sheet, first: list[Row], layout: Layout, remember: Remember) -> Header:
    chosen = layout.columns or remember(sheet.headings)
    choice = choose_columns(sheet.headings, chosen)
    unused = TABLE.list_unused(sheet.headings, choice)
    ignored = [heading for heading in unused if not is_ours(heading, sheet.headings)]
    remembered = bool(chosen) and not layout.columns
    header = Header(choice, sheet.headings, ignored[:20], describe_file(sheet, first), remembered)
    if not choice.is_complete and not chosen:
        _refuse_headings(sheet, header)
    return header


def _refuse_headings(sheet: Sheet, header: Header) -> None:
    """Raise `Unreadable` where no choice of a person could help."""
    is_data = any(VALUE.fullmatch(heading) for heading in sheet.headings)
    if header.choice.missing and (is_data or len(sheet.headings) < 2 or not header.ignored):
        missing = "” and no “".join(header.choice.missing)
        raise Unreadable(
            f"The first line must name the columns; there is no “{missing}”. The example file shows all of them."
        )
    folded = [text.casefold() for text in sheet.headings]
    twice = sorted({text for text in folded if folded.count(text) > 1 and TABLE.is_known(text)})
    if twice:
        raise Unreadable(f"More than one column has the heading “{'”, “'.join(twice)}”.")


def _shape_record(row: Row, header: Header, date_order: str | None) -> Record:
    named: dict[str, str] = {}
    bad: dict[str, str] = {}
    for column, place in header.choice.places.items():
        cell = row.cells[place] if place < len(row.cells) else ""
        named[column], problem = _read_cell(column, cell)
        if problem:
            bad[column] = problem
    if NAME not in named:
        named[NAME] = join_name(named)
    if LEFT_ON in named and LEFT_ON not in bad and date_order is not None:
        named[LEFT_ON] = _order_day(named[LEFT_ON], date_order)
    return Record(row.line, named, row.misfit, row.is_short, bad, _all_cells(row, header) if row.misfit else [])


def _all_cells(row: Row, header: Header) -> list[str]:
    """Every cell of a row but those of the columns that our own file of refused lines adds."""
    ours = {place for place, heading in enumerate(header.headings) if is_ours(heading, header.headings)}
    cells = [cell for place, cell in enumerate(row.cells) if place not in ours]
    return [read_cells.show_cell(cell)[:LONGEST_KEPT] for cell in [*cells, *row.surplus[:MOST_SURPLUS]]]


def _order_day(text: str, date_order: str) -> str:
    """A date such as 03/04/2026 in the form that can be read in one way; others as they are."""
    if not text or read_cells.find_order(text) is None:
        return text
    if not date_order:
        raise OrderUnknown
    try:
        day = read_cells.read_last_day(text, order=date_order)
    except read_cells.BadCell:
        return text
    return day.isoformat() if day else ""


def _read_cell(column: str, cell: Cell) -> tuple[str, str]:
    """The text of a cell, and what is wrong with it."""
    try:
        text = cell if isinstance(cell, str) else read_cells.read_text(cell)
    except read_cells.BadCell as problem:
        return read_cells.show_cell(cell)[:LONGEST_KEPT], f"{label_of(column)} {problem}"
    text = _unguarded(column, text)
    long = f"{label_of(column)} is longer than {LONGEST_KEPT} letters." if len(text) > LONGEST_KEPT else ""
    return text[:LONGEST_KEPT], long


def _unguarded(column: str, cell: str) -> str:
    """The cell without what only keeps a spreadsheet from changing it. Numbers are cleaned as they are stored."""
    cell = cell.strip()
    if guarded := GUARDED.fullmatch(cell):
        cell = guarded[1].replace('""', '"')
    if column not in NUMBERS:
        return cell.strip()
    return text_forms.clean_text(cell.removeprefix("'"))


def label_of(column: str) -> str:
    return LABELS[column].capitalize()
