"""A file of people who are exempt: CSV or a workbook with the columns person, reason and until.

The file is small, and read at once. Its lines go through the form of the preview as text. What is wrong with one line
refuses that line only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import BinaryIO

from reclamation.models import Exemption
from samsaas.lib.spreadsheets import cells, open_sheet
from samsaas.lib.spreadsheets.cells import BadCell
from samsaas.lib.spreadsheets.sheet import Cell, Row, Sheet, SheetLimits, Unreadable, simplify_heading
from subscriptions.models import Person
from subscriptions.people.find_person import find_person

MOST_LINES = 500
LARGEST_TEXT = 60_000  # letters: the lines go through the form of the preview
LONGEST_CELL = 320
PERSON, REASON, UNTIL = COLUMNS = ("person", "reason", "until")
LONGEST_REASON = Exemption._meta.get_field("reason").max_length or 0
NO_HEADER = "The first line must name the columns: person, reason and until."


@dataclass(frozen=True)
class ExemptionLine:
    """A line of the file. With a `problem` it is refused, otherwise `person` is who it means."""

    number: int
    text: str
    reason: str = ""
    until: date | None = None
    person: Person | None = None
    problem: str = ""


def read_file(file: BinaryIO) -> str:
    """The lines of a file as text, for the form of the preview. Raises `Unreadable`."""
    sheet = open_sheet.run(file, SheetLimits(MOST_LINES), known=COLUMNS.__contains__)
    places = _find_columns(sheet)
    text = io.StringIO()
    writer = csv.writer(text)
    for row in sheet.rows:
        shown, problem = _read_row(row, places)
        writer.writerow([row.line, *shown, row.problem or problem])
    if not text.tell():
        raise Unreadable("The file has no line below its header.")
    if text.tell() > LARGEST_TEXT:
        raise Unreadable("The file is too large. Upload it in parts.")
    return text.getvalue()


def _find_columns(sheet: Sheet) -> list[int | None]:
    names = [simplify_heading(heading) for heading in sheet.headings]
    if not {PERSON, REASON} <= set(names):
        raise Unreadable(NO_HEADER)
    if any(names.count(name) > 1 for name in COLUMNS):
        raise Unreadable("Two columns have the same name. Keep one of each.")
    return [names.index(name) if name in names else None for name in COLUMNS]


def _read_row(row: Row, places: list[int | None]) -> tuple[list[str], str]:
    """The cells as they are shown, and what no text can be read of."""
    found: list[Cell] = [row.cells[at] if at is not None and at < len(row.cells) else "" for at in places]
    problems = []
    for name, cell in zip(COLUMNS, found, strict=True):
        try:
            cells.read_text(cell)
        except BadCell as bad:
            problems.append(f"{name.capitalize()} {bad}")
    return [cells.show_cell(cell)[:LONGEST_CELL] for cell in found], " ".join(problems)


def read_lines(text: str, today: date) -> list[ExemptionLine]:
    """The lines, each with the person it means or what is wrong."""
    found: list[ExemptionLine] = []
    seen: set[int] = set()
    for row in _split_lines(text):
        line = _read_line(row, today)
        if line.person and line.person.pk in seen:
            line = replace(line, person=None, problem="This person is on an earlier line already.")
        if line.person:
            seen.add(line.person.pk)
        found.append(line)
    return found


def _split_lines(text: str) -> Iterator[list[str]]:
    for row in list(csv.reader(io.StringIO(text)))[:MOST_LINES]:
        if len(row) == 2 + len(COLUMNS) and row[0].isascii() and row[0].isdigit() and len(row[0]) < 10:
            yield row


def _read_line(row: list[str], today: date) -> ExemptionLine:
    number, problem = int(row[0]), row[-1]
    whom, reason, last = (" ".join(text.split()) for text in row[1:-1])
    if problem:
        return ExemptionLine(number, whom, reason, problem=problem)
    until, bad_day = _read_day(last)
    person, unknown = find_person(whom)
    problems = [
        unknown,
        "" if reason else "It gives no reason.",
        f"The reason is longer than {LONGEST_REASON} letters." if len(reason) > LONGEST_REASON else "",
        bad_day,
        "The last day is over." if until and until < today else "",
    ]
    problem = " ".join(filter(None, problems))
    return ExemptionLine(number, whom, reason, until, None if problem else person, problem)


def _read_day(text: str) -> tuple[date | None, str]:
    try:
        return cells.read_day(text, order=None), ""
    except BadCell as bad:
        return None, f"Until {bad}"
