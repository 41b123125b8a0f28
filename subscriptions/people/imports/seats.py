# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""What applying a file of people would do to the users of seats, and which lines have an address or number of others.

1. Lay the changed people of the file over the directory, in temporary tables.
2. Compare whose each seat is now with whose it would be (`subscriptions.users.compare`).
3. Keep the seats that change, and the lines that overlap with somebody else, for the preview.

Applying the file does the first two steps again, to check that no other seat is taken off its user meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db.models import TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from samsaas.lib import sql
from subscriptions.models import (
    FormerAddress,
    Person,
    PersonImport,
    PersonImportOverlap,
    PersonImportRow,
    PersonImportSeat,
)
from subscriptions.people.imports import differences as people_differences
from subscriptions.people.imports.columns import KEY, LEFT_ON, NAME
from subscriptions.people.imports.differences import ADDRESSES, Known
from subscriptions.people.imports.parse_cells import Values
from subscriptions.users import claims, compare, overlay
from subscriptions.users.claims import PEOPLE, Lookup
from subscriptions.users.overlay import CHANGED, CHANGED_ADDRESSES, OVERLAID, ChangedPerson

SEATS, OVERLAPS = PersonImportSeat._meta.db_table, PersonImportOverlap._meta.db_table
TEXTS, HELD, SHARED = "import_new_addresses", "import_held_texts", "import_shared_texts"
Effect, Kind = PersonImportRow.Effect, PersonImportOverlap.Kind


@contextmanager
def found_effects(upload: PersonImport, *, today: date) -> Iterator[None]:
    """Within it what applying the file would do is in temporary tables. Nothing is locked meanwhile."""
    with compare.found_for_people(changed_people(upload, today), today=today):
        yield


def store_effects(upload: PersonImport, *, today: date) -> None:
    """Keep what was found, and put the figures into the import's counters. The caller saves the import."""
    forget_effects(upload)
    figures = compare.read_changes(0)
    columns = "effect, before_key, before_name, after_key, after_name"
    sql.execute(
        f"INSERT INTO {SEATS} (upload_id, subscription_id, {columns}) "
        f"SELECT %s, seat_id, {columns} FROM {compare.FOUND} ORDER BY {compare.ORDER}",
        [upload.pk],
    )
    _store_shared_addresses(upload, today)
    _store_similar_numbers(upload)
    upload.counters["seats"] = {name: getattr(figures, name) for name in ("loses", "changes", "gains", "taken")}
    upload.counters["leavers_with_seats"] = _count_leavers_with_seats(upload)
    upload.counters["overlaps"] = upload.overlaps.order_by().values("line").distinct().count()


def _count_leavers_with_seats(upload: PersonImport) -> int:
    """People who are here, leave by this file, and have a subscription: missing from it, or with a last day in it."""
    here = Person.objects.not_leavers().holding_seats()
    last_day = Cast(KT(f"values__cells__{LEFT_ON}"), TextField())
    rows = upload.rows.filter(effect=Effect.CHANGED).annotate(last_day=last_day)
    rows = rows.filter(values__before__has_key=LEFT_ON).exclude(last_day="").order_by()
    leaving = here.filter(key__in=rows.values("key"))
    missing = people_differences.missing_people(upload).holding_seats().count() if upload.mark_leavers else 0
    return missing + leaving.count()


def forget_effects(upload: PersonImport) -> None:
    """Delete what was kept."""
    upload.seats.all().delete()
    upload.overlaps.all().delete()


def takes_others(upload: PersonImport, *, today: date) -> bool:
    """Whether applying the file now would take a seat off its user that the preview does not show so."""
    with found_effects(upload, today=today):
        shown = f"SELECT 1 FROM {SEATS} s WHERE s.upload_id = %s AND s.subscription_id = f.seat_id AND s.effect <> %s"
        found = sql.fetch_rows(
            f"SELECT 1 FROM {compare.FOUND} f WHERE f.taken = 1 AND NOT EXISTS ({shown}) LIMIT 1",
            [upload.pk, compare.GAINS],
        )
    return bool(found)


def changed_people(upload: PersonImport, today: date) -> Iterator[ChangedPerson]:
    """The people of the file who are new, or whose addresses or last day it changes, as they would be."""
    changing = upload.rows.filter(effect__in=(Effect.NEW, Effect.CHANGED, Effect.BACK))
    for batch in people_differences.read_batches(changing):
        people = people_differences.find_known(row.key for row in batch)
        former = _former_addresses(people.values())
        for row in batch:
            known = people.get(row.key)
            if known is None or {ADDRESSES, LEFT_ON} & row.values["before"].keys():
                values = people_differences.parse_line(row, known, upload, today=today)
                yield _as_changed(row, known, values, former, today)


def _as_changed(
    row: PersonImportRow,
    known: Known | None,
    values: Values,
    former: dict[int, list[tuple[str, date]]],
    today: date,
) -> ChangedPerson:
    told = {"key": values.fields[KEY], "name": values.fields[NAME], "line": row.line}
    if known is None:
        return ChangedPerson(-row.line, left_on=values.fields.get(LEFT_ON), addresses=values.addresses or [], **told)
    person = known.person
    left_on = values.fields.get(LEFT_ON, person.left_on)
    stored = ChangedPerson(person.pk, left_on=left_on, addresses=list(known.held), former=former[person.pk], **told)
    return stored if values.addresses is None else overlay.rename_addresses(stored, values.addresses, today)


def _former_addresses(people: Iterable[Known]) -> dict[int, list[tuple[str, date]]]:
    found: dict[int, list[tuple[str, date]]] = defaultdict(list)
    held = FormerAddress.objects.filter(person__in=[known.person.pk for known in people]).order_by("pk")
    for person, address, until in held.values_list("person", "address", "until"):
        found[person].append((address, until))
    return found


def _store_shared_addresses(upload: PersonImport, today: date) -> None:
    """The addresses of changed people that somebody else who is here has now, too."""
    new = f"SELECT DISTINCT address AS text FROM {CHANGED_ADDRESSES} WHERE until IS NULL"
    _fill_table(TEXTS, "value text PRIMARY KEY", new)
    claimed, values = claims.select_claims(Lookup.ADDRESS, OVERLAID, today, only=TEXTS)
    held = f"SELECT person_id, found_by FROM ({claimed}) c WHERE ended IS NULL"
    _store_overlaps(upload, Kind.ADDRESS, held, values)
    sql.drop_table(TEXTS)


def _store_similar_numbers(upload: PersonImport) -> None:
    """The numbers of new people that differ from another one only in leading zeros or in capitals."""
    number = "ltrim(compared_key, '0')"
    people = f"SELECT id AS person_id, {number} AS text FROM {PEOPLE}"
    new = f"SELECT person_id, {number} FROM {CHANGED} WHERE person_id < 0"
    held = f"SELECT person_id, text FROM ({people} UNION ALL {new}) n WHERE text <> ''"
    _store_overlaps(upload, Kind.NUMBER, held, condition="AND c.person_id < 0")


def _store_overlaps(
    upload: PersonImport, kind: str, held: str, values: Sequence[Any] = (), *, condition: str = ""
) -> None:
    """Keep the texts of changed people that somebody else holds, too. `held` selects person and text.

    Of the others one is named, if possible one in the directory: those have the ids above 0. The steps are tables of
    their own, because PostgreSQL would take a hundred thousand texts for a handful and join them one by one.
    """
    _fill_table(HELD, "person_id bigint, text text", held, values)
    shared = "SELECT text, count(*), max(person_id), min(person_id)"
    columns = "text text PRIMARY KEY, holders bigint, first_id bigint, last_id bigint"
    _fill_table(SHARED, columns, f"{shared} FROM {HELD} GROUP BY text HAVING count(*) > 1")
    other = "CASE WHEN s.first_id = h.person_id THEN s.last_id ELSE s.first_id END"
    sql.execute(
        f"INSERT INTO {OVERLAPS} (upload_id, line, kind, text, others, key, name) "
        f"SELECT %s, c.line, %s, h.text, s.holders - 1, coalesce(n.key, o.key), coalesce(n.name, o.name) "
        f"FROM {HELD} h JOIN {CHANGED} c ON c.person_id = h.person_id JOIN {SHARED} s ON s.text = h.text "
        f"LEFT JOIN {PEOPLE} o ON o.id = {other} LEFT JOIN {CHANGED} n ON n.person_id = {other} "
        f"WHERE c.line > 0 {condition}",
        [upload.pk, kind],
    )
    sql.drop_table(HELD, SHARED)


def _fill_table(table: str, columns: str, select: str, values: Sequence[Any] = ()) -> None:
    sql.drop_table(table)
    sql.execute(f"CREATE TEMPORARY TABLE {table} ({columns})")
    sql.execute(f"INSERT INTO {table} {select}", list(values))
    sql.analyze(table)


def attach_overlaps(upload: PersonImport, rows: Sequence[PersonImportRow]) -> None:
    """Give each of these lines its `overlaps`, in one query."""
    found: dict[int, list[PersonImportOverlap]] = defaultdict(list)
    for overlap in upload.overlaps.filter(line__in=[row.line for row in rows]):
        found[overlap.line].append(overlap)
    for row in rows:
        row.overlaps = found[row.line]  # type: ignore[attr-defined]
