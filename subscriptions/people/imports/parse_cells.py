"""The cells of a line as values of a person.

A cell that cannot be read costs its line where the employee number or the name is wrong, or where a person asked for
that. Otherwise it is left out, and the person keeps what the directory has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from samsaas.lib import text_forms
from samsaas.lib.spreadsheets import cells as read_cells
from subscriptions.addresses import CONTROL, checked_addresses, split_addresses
from subscriptions.models import Person
from subscriptions.people import directory
from subscriptions.people.imports import countries
from subscriptions.people.imports.columns import COUNTRY, EMAILS, GIVEN, KEY, LEFT_ON, MANAGER, NAME, REQUIRED, SURNAME
from subscriptions.people.imports.file import Record, label_of

LONGEST = {field.name: field.max_length or 0 for field in Person._meta.fields}
NUMBER = re.compile(r"[\d.,' ]+")  # such as the last line of a report: “Total”, “40”
JOINED = (GIVEN, SURNAME)  # the name is made of them when the line is read


@dataclass(frozen=True)
class Values:
    """The values of a person on a line: fields by name, and addresses if the file has that column, else None."""

    fields: dict[str, Any]
    addresses: list[str] | None


def parse_cells(cells: Mapping[str, str]) -> Values:
    """The cells of a line as values of a person. Raises `ValueError` with all problems, in words for the reader."""
    values, problems = _parse_each(cells)
    if problems:
        raise ValueError(" ".join(problems.values()))
    addresses = values.pop(EMAILS, None)
    return Values(values, addresses)


def find_left_out(record: Record, *, strict: bool) -> dict[str, str]:
    """The cells of a record that are left out, each with its problem.

    Raises `ValueError` with all problems if the whole line is refused.
    """
    if record.problem:
        raise ValueError(record.problem)
    good = {column: cell for column, cell in record.cells.items() if column not in record.bad_cells}
    problems = {**record.bad_cells, **_parse_each(good)[1]}
    is_refused = strict or problems.keys() & {*REQUIRED, *JOINED}
    if problems and is_refused:
        raise ValueError(" ".join(problems.values()))
    return problems


def _parse_each(cells: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values by column, and the problems of those that have none."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for column, cell in cells.items():
        if column in JOINED:
            continue
        try:
            values[column] = _parse_value(column, cell)
        except ValueError as error:
            problems[column] = str(error)
    if values.get(MANAGER) and values[MANAGER] == values.get(KEY):
        problems[MANAGER] = directory.OWN_MANAGER
    return values, problems


def _parse_value(column: str, cell: str) -> Any:
    if column == EMAILS:
        return checked_addresses(split_addresses(cell))
    if CONTROL.search(cell):
        raise ValueError(f"{label_of(column)} contains a line break or a control character.")
    cell = text_forms.clean_text(cell)
    if column == LEFT_ON:
        return _parse_day(cell)
    if column == COUNTRY:
        return _parse_country(cell)
    if column in REQUIRED and not cell:
        raise ValueError(f"{label_of(column)} is empty.")
    if column == NAME and NUMBER.fullmatch(cell):
        raise ValueError(f"{label_of(column)} “{cell[:20]}” is a number.")
    most = LONGEST[column]
    if len(cell) > most:
        raise ValueError(f"{label_of(column)} is longer than {most} letters.")
    return cell


def _parse_country(cell: str) -> str:
    if cell and not (code := countries.find_code(cell)):
        raise ValueError(f"Country “{cell[:20]}” is not two letters, such as DE, and no name of a country.")
    return code if cell else ""


def _parse_day(cell: str) -> date | None:
    try:
        return read_cells.read_last_day(cell, order=None)
    except read_cells.BadCell as problem:
        raise ValueError(f"{label_of(LEFT_ON)} {problem}") from None
