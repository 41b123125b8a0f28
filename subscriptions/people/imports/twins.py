"""Lines of a file that share an employee number.

Many exports list an employee with two positions twice. Lines that say the same count once; lines that contradict each
other are all refused, because nobody can tell which is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.db.models import Count

from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.people.imports.parse_cells import Values, parse_cells

TWINS = "Another line of the file has the same employee number."
BATCH = 500
Effect = PersonImportRow.Effect


def settle(upload: PersonImport) -> int:
    """Drop the lines that repeat another one, and refuse those that contradict one. Returns how many are dropped."""
    lines = upload.rows.exclude(key="")
    shared = lines.order_by().values("key").annotate(lines=Count("pk")).filter(lines__gt=1)
    twins = lines.filter(key__in=shared.values("key")).order_by("key", "line").iterator(chunk_size=BATCH)
    repeated: list[int] = []
    contradicting: list[str] = []
    for key, group in groupby(twins, key=lambda row: row.key):
        again, is_same = _compare(group)
        if is_same:
            repeated += again
        else:
            contradicting.append(key)
    for keys in _batches(contradicting):
        upload.rows.filter(key__in=keys).exclude(effect=Effect.REFUSED).update(effect=Effect.REFUSED, problem=TWINS)
    for numbers in _batches(repeated):
        upload.rows.filter(pk__in=numbers).delete()
    return len(repeated)


def _compare(group: Iterable[PersonImportRow]) -> tuple[list[int], bool]:
    """The ids of all lines but the first, and whether they all say the same."""
    first: PersonImportRow | None = None
    again: list[int] = []
    is_same = True
    for row in group:
        if first is None:
            first = row
            continue
        again.append(row.pk)
        is_same = is_same and _say_the_same(first, row)
    return again, is_same


def _say_the_same(one: PersonImportRow, other: PersonImportRow) -> bool:
    if Effect.REFUSED in (one.effect, other.effect) or one.left_out != other.left_out:
        return False
    return one.values["cells"] == other.values["cells"] or _comparable(one) == _comparable(other)


def _comparable(row: PersonImportRow) -> Values:
    values = parse_cells(row.good_cells)
    return Values(values.fields, None if values.addresses is None else sorted(values.addresses))


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
