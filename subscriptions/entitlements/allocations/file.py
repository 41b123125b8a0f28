"""A file of people who get rights: CSV or a workbook with the columns person and quantity.

The file is small, and read at once. Its lines go through the form of the preview as text, and nothing is stored while
one of them is refused.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from samsaas.lib import text_forms
from samsaas.lib.spreadsheets import cells, open_sheet
from samsaas.lib.spreadsheets.cells import BadCell
from samsaas.lib.spreadsheets.sheet import Row, Sheet, SheetLimits, Unreadable, simplify_heading
from subscriptions.models import Entitlement, Person
from subscriptions.people.find_person import find_person

MOST_LINES = 1000
LARGEST_TEXT = 60_000  # letters: the lines go through the form of the preview
LONGEST_CELL = 320
PERSON, QUANTITY = "person", "quantity"
HEADINGS = {
    PERSON: (PERSON, "user", "employee number", "e-mail", "email", "e-mail address", "name"),
    QUANTITY: (QUANTITY, "rights", "number"),
}
KEY_OF = {heading: key for key, headings in HEADINGS.items() for heading in headings}
NO_PERSON = "The first line must name the columns: person and, if you like, quantity."


@dataclass(frozen=True)
class AllocationLine:
    """A line of the file. With a `problem` it is refused, otherwise `person` is who gets `quantity` rights."""

    number: int
    text: str
    quantity_text: str
    quantity: int = 1
    person: Person | None = None
    problem: str = ""


def read_file(file: BinaryIO) -> str:
    """The lines of a file as text, for the form of the preview. Raises `Unreadable`."""
    sheet = open_sheet.run(file, SheetLimits(MOST_LINES), known=KEY_OF.__contains__)
    columns = _find_columns(sheet)
    text = io.StringIO()
    writer = csv.writer(text)
    for row in sheet.rows:
        writer.writerow([row.line, *(_show(row, columns.get(key)) for key in HEADINGS), row.problem])
    if not text.tell():
        raise Unreadable("The file has no line below its header.")
    if text.tell() > LARGEST_TEXT:
        raise Unreadable("The file is too large. Upload it in parts.")
    return text.getvalue()


def _find_columns(sheet: Sheet) -> dict[str, int]:
    keys = [KEY_OF.get(simplify_heading(heading)) for heading in sheet.headings]
    if PERSON not in keys:
        raise Unreadable(NO_PERSON)
    if any(keys.count(key) > 1 for key in HEADINGS):
        raise Unreadable("Two columns have the same meaning. Keep one for person, and one for quantity.")
    return {key: place for place, key in enumerate(keys) if key}


def _show(row: Row, place: int | None) -> str:
    cell = row.cells[place] if place is not None and place < len(row.cells) else ""
    return cells.show_cell(cell)[:LONGEST_CELL]


def read_lines(text: str, entitlement: Entitlement, free: int, holders: set[int]) -> list[AllocationLine]:
    """The lines, each with its person or what is wrong. `holders` have rights of the entitlement already."""
    found: list[AllocationLine] = []
    seen: dict[int, int] = {}
    for line in map(_read_line, _split_lines(text)):
        if line.person and not line.problem:
            line = _check_twice(line, seen, holders, entitlement)
        if line.person and not line.problem and line.quantity > free:
            line = _refuse(line, f"{entitlement} has {max(free, 0):,} rights left for this line.")
        if line.person and not line.problem:
            free -= line.quantity
        found.append(line)
    return found


def _split_lines(text: str) -> Iterator[list[str]]:
    for row in list(csv.reader(io.StringIO(text)))[:MOST_LINES]:
        if len(row) == 2 + len(HEADINGS) and row[0].isascii() and row[0].isdigit() and len(row[0]) < 10:
            yield row


def _read_line(row: list[str]) -> AllocationLine:
    number, text, quantity_text, problem = int(row[0]), *row[1:]
    line = AllocationLine(number, text, quantity_text)
    if problem:
        return _refuse(line, problem)
    try:
        quantity = cells.read_whole(quantity_text)
    except BadCell as bad:
        return _refuse(line, f"Quantity {bad}")
    if text.startswith("="):
        return _refuse(line, "Person is a formula. Replace it with its value.")
    person, unknown = find_person(text_forms.clean_text(text))
    if quantity == 0:
        return _refuse(line, "Quantity is 0: allocate one right at least.")
    return AllocationLine(number, text, quantity_text, quantity or 1, person, unknown)


def _check_twice(
    line: AllocationLine, seen: dict[int, int], holders: set[int], entitlement: Entitlement
) -> AllocationLine:
    key = line.person.pk if line.person else 0
    if key in seen:
        return _refuse(line, f"This person is on line {seen[key]} already.")
    seen[key] = line.number
    if key in holders:
        return _refuse(line, f"This person has rights of {entitlement} already.")
    if line.person and line.person.has_left:
        return _refuse(line, "This person has left.")
    return line


def _refuse(line: AllocationLine, problem: str) -> AllocationLine:
    return AllocationLine(line.number, line.text, line.quantity_text, line.quantity, line.person, problem)
