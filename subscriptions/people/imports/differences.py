"""What a file of people would change: each line compared with its person, who is missing, whose manager is unknown.

The comparison makes the preview. It is repeated when the file is applied, to check that the preview still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from samsaas.lib import sql
from subscriptions.models import Person, PersonAddress, PersonImport, PersonImportRow
from subscriptions.models.person import PersonQuerySet, has_left
from subscriptions.people.imports.columns import LEFT_ON, MANAGER
from subscriptions.people.imports.parse_cells import Values, parse_cells

BATCH = 1000
ADDRESSES = "addresses"
Effect = PersonImportRow.Effect


@dataclass(frozen=True)
class Known:
    """A person of the directory, with the ids of their addresses by address (`held`)."""

    person: Person
    held: dict[str, int]


def find_known(keys: Iterable[str], *, lock: bool = False) -> dict[str, Known]:
    """The people with these employee numbers, by number. With `lock` they stay locked until the transaction ends."""
    people = Person.objects.filter(key__in=list(keys))
    found = {person.pk: Known(person, {}) for person in (people.select_for_update() if lock else people)}
    # Read as plain rows: Django's prefetching would take as long as the rest of the import.
    addresses = PersonAddress.objects.filter(person__in=list(found)).order_by("pk")
    for pk, person_id, address in addresses.values_list("pk", "person_id", "address"):
        found[person_id].held[address] = pk
    return {one.person.key: one for one in found.values()}


def parse_line(row: PersonImportRow, known: Known | None, upload: PersonImport, *, today: date) -> Values:
    """The values of a stored line. In a file that lists everybody, a leaver who is listed has returned.

    So has somebody whose last day is today: an earlier file of today may have left them out by mistake.
    Raises `ValueError` with all problems of the line.
    """
    values = parse_cells(row.good_cells)
    lists_everybody = upload.mark_leavers and LEFT_ON not in row.values["cells"]
    if lists_everybody and known and known.person.left_on and known.person.left_on <= today:
        values.fields[LEFT_ON] = None
    return values


def compare_line(values: Values, known: Known | None, *, today: date) -> tuple[Effect, dict[str, Any]]:
    """The effect of a line, and the present values of the columns that it would change, fit for JSON."""
    if known is None:
        return Effect.NEW, {}
    present = known.person.__dict__
    before = {name: _json_value(present[name]) for name, value in values.fields.items() if present[name] != value}
    if values.addresses is not None and known.held.keys() != set(values.addresses):
        before[ADDRESSES] = list(known.held)
    if LEFT_ON in before and has_left(present[LEFT_ON], today) and not has_left(values.fields[LEFT_ON], today):
        return Effect.BACK, before
    return (Effect.CHANGED if before else Effect.SAME), before


def _json_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def read_batches(rows: QuerySet[PersonImportRow]) -> Iterator[list[PersonImportRow]]:
    """The lines in order, `BATCH` at a time. The caller may change them between two batches."""
    line = 0
    while batch := list(rows.filter(line__gt=line).order_by("line")[:BATCH]):
        yield batch
        line = batch[-1].line


def accepted_lines(upload: PersonImport) -> QuerySet[PersonImportRow]:
    """The lines that are not refused."""
    return upload.rows.exclude(effect=Effect.REFUSED)


def missing_people(upload: PersonImport) -> PersonQuerySet:
    """Active people whose employee number is on no line of the file, not even on a refused one."""
    listed = PersonImportRow.objects.filter(upload=upload)
    if sql.is_postgresql():
        return Person.objects.active().filter(~Exists(listed.filter(key=OuterRef("key"))))
    return Person.objects.active().exclude(key__in=listed.values("key"))  # SQLite would run an EXISTS for every row


def mark_unknown_managers(upload: PersonImport) -> None:
    """Mark the lines that name a manager whom neither the directory nor an accepted line of the file has.

    Call it when all lines are stored: a manager may come later in the file than the people who name them.
    """
    lines = accepted_lines(upload)
    lines.filter(unknown_manager=True).update(unknown_manager=False)
    if MANAGER not in upload.counters["columns"]:
        return
    number = Cast(KT(f"values__cells__{MANAGER}"), TextField())
    naming = lines.order_by().annotate(named=number).filter(named__gt="")
    for having in (Person.objects.order_by(), lines.order_by()):
        if sql.is_postgresql():
            naming = naming.filter(~Exists(having.filter(key=OuterRef("named"))))
        else:  # as in `missing_people`
            naming = naming.exclude(named__in=having.values("key"))
    naming.update(unknown_manager=True)


def count_figures(upload: PersonImport) -> dict[str, Any]:
    """The figures of the preview: lines by effect, missing and active people, unknown managers."""
    by_effect = dict(upload.rows.order_by().values_list("effect").annotate(Count("pk")))
    figures = {effect.value: by_effect.get(effect.value, 0) for effect in Effect}
    leavers = missing_people(upload).count() if upload.mark_leavers else 0
    unknown = upload.rows.filter(unknown_manager=True).count()
    figures |= {"leavers": leavers, "active": Person.objects.active().count(), "unknown_managers": unknown}
    return {**upload.counters, **figures, "left_out": accepted_lines(upload).filter(with_left_out()).count()}


def with_left_out() -> Q:
    """The lines with cells that are left out."""
    return Q(values__has_key="left_out")
