"""The refused lines of an import as a file that can be corrected and uploaded again.

A line keeps every cell that was read of it. One whose shape is wrong keeps all of them, in their places, so that it is
refused again as long as nobody has mended it; then the columns that are not used stand in the file, too, and are empty
on the other lines: their cells are not stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from samsaas.lib.spreadsheets.sheet import OWN_COLUMNS
from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.people.imports.columns import EXAMPLE, LABELS, is_ours


def write(upload: PersonImport, refused: QuerySet[PersonImportRow]) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The header of the file, and its lines."""
    places = _places(upload)
    if not refused.filter(values__has_key="whole").exists():
        places = {place: column for place, column in places.items() if column in LABELS}
    header = [LABELS.get(name, name) for name in places.values()]
    return [*header, *OWN_COLUMNS], _write_lines(refused, list(places.values()))


def _places(upload: PersonImport) -> dict[int, str]:
    """What stands in each place of the file: one of our columns, or the heading of one that is not used."""
    chosen = {place: column for column, place in upload.counters.get("places", {}).items()}
    headings = upload.counters.get("headings") or [LABELS[column] for column in EXAMPLE[0]]
    if not chosen:  # an import from before the places were kept
        chosen = dict(enumerate(upload.counters.get("columns", EXAMPLE[0])))
    named = {**dict(enumerate(headings)), **chosen}
    return {place: named[place] for place in sorted(named) if not is_ours(named[place], headings)}


def _write_lines(refused: QuerySet[PersonImportRow], columns: list[str]) -> Iterator[tuple[Any, ...]]:
    for row in refused.iterator(chunk_size=2000):
        cells = row.values.get("cells", {})
        told = row.values.get("whole") or [cells.get(column, "") for column in columns]
        yield (*told[: len(columns)], row.line, row.problem, *told[len(columns) :])
