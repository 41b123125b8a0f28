"""A file of people who are exempt: CSV in UTF-8 with the columns person, reason and until.

The file is small, and read at once. What is wrong with one line refuses that line only.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.dateparse import parse_date

from reclamation.models import Exemption
from samsaas.lib import text_forms
from subscriptions.models import Person, PersonAddress, normalize_address

MOST_LINES = 500
LARGEST = 40_000  # bytes: the text goes through the form of the preview
CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
COLUMNS = ("person", "reason", "until")
DELIMITERS = ",;\t"
LONGEST_REASON = Exemption._meta.get_field("reason").max_length or 0
NO_HEADER = "The first line must name the columns: person, reason and until."
NOT_UTF8 = "The file is not UTF-8. Save it as CSV in UTF-8 (in Excel: “CSV UTF-8”) and upload it again."


class UnreadableList(Exception):
    """The file as a whole cannot be read. The message says why and what to do."""


@dataclass(frozen=True)
class ExemptionLine:
    """A line of the file. With a `problem` it is refused, otherwise `person` is who it means."""

    number: int
    text: str
    reason: str = ""
    until: date | None = None
    person: Person | None = None
    problem: str = ""


def decode(raw: bytes) -> str:
    """The text of an uploaded file. Raises `UnreadableList`."""
    if len(raw) > LARGEST:
        raise UnreadableList(f"The file is larger than {LARGEST // 1000} KB. Upload it in parts.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableList(NOT_UTF8) from None
    if "\x00" in text:
        raise UnreadableList(NOT_UTF8)
    if CONTROL.search(text):
        raise UnreadableList("The file contains a control character, which no person’s number, address or reason has.")
    return text


def read(text: str, today: date) -> list[ExemptionLine]:
    """The lines below the header, each with the person it means or what is wrong. Raises `UnreadableList`."""
    rows = list(_rows(text))
    found: list[ExemptionLine] = []
    seen: set[int] = set()
    for number, cells in rows:
        line = _read_line(number, cells, today)
        if line.person and line.person.pk in seen:
            line = ExemptionLine(number, line.text, problem="This person is on an earlier line already.")
        if line.person:
            seen.add(line.person.pk)
        found.append(line)
    return found


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), "")
    delimiter = next((mark for mark in DELIMITERS if mark in header), ",")
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UnreadableList(f"The file cannot be read as CSV: {error}.") from None
    numbered = [(number, row) for number, row in enumerate(rows, start=1) if any(cell.strip() for cell in row)]
    names = [cell.strip().lower() for cell in numbered[0][1]] if numbered else []
    if not set(COLUMNS[:2]) <= set(names):
        raise UnreadableList(NO_HEADER)
    if len(numbered) - 1 > MOST_LINES:
        raise UnreadableList(f"The file has more than {MOST_LINES} lines. Upload it in parts.")
    for number, row in numbered[1:]:
        yield number, dict(zip(names, (text_forms.clean_text(cell) for cell in row), strict=False))


def _read_line(number: int, cells: dict[str, str], today: date) -> ExemptionLine:
    whom, reason, last = (cells.get(name, "") for name in COLUMNS)
    until = _parse_day(last)
    person, unknown = find_person(whom)
    problems = [
        unknown,
        "" if reason else "It gives no reason.",
        f"The reason is longer than {LONGEST_REASON} letters." if len(reason) > LONGEST_REASON else "",
        f"“{last[:20]}” is not a date such as 2026-03-31." if last and until is None else "",
        "The last day is over." if until and until < today else "",
    ]
    problem = " ".join(filter(None, problems))
    return ExemptionLine(number, whom, reason, until, None if problem else person, problem)


def _parse_day(cell: str) -> date | None:
    try:
        return parse_date(cell)
    except ValueError:
        return None


def find_person(text: str) -> tuple[Person | None, str]:
    """The one person with this employee number or address, or what is wrong. Who is here comes before leavers."""
    shown = text[:60]
    if not text:
        return None, "It names no person."
    if "@" in text:
        addresses = PersonAddress.objects.filter(address=normalize_address(text))
        people = Person.objects.filter(pk__in=addresses.values("person"))
    else:
        exact = Person.objects.filter(key=text)
        people = exact if exact.exists() else Person.objects.filter(compared_key=text_forms.normalize_identifier(text))
    found = list(people.not_leavers()[:2]) or list(people[:2])
    if not found:
        return None, f"Nobody in the directory has “{shown}”."
    return (found[0], "") if len(found) == 1 else (None, f"More than one person has “{shown}”.")
