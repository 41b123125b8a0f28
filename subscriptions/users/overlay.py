# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""The directory as it would be after a change: the changed people in temporary tables, laid over the stored ones.

Nothing that is stored is written, so other writers do not wait while a change is previewed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import connection

from samsaas.lib import bulk, sql
from samsaas.lib.text_forms import normalize_identifier
from subscriptions.models import Person
from subscriptions.users.claims import ADDRESSES, FORMER, NEVER, PEOPLE, Directory, Lookup

CHANGED, CHANGED_ADDRESSES, VALUES = "users_changed_people", "users_changed_addresses", "users_changed_values"
COLUMNS = ("person_id", "key", "name", "compared_key", "left_on", "deleted", "line")
ADDRESS_COLUMNS = ("person_id", "address", "until")

UNCHANGED = f"NOT EXISTS (SELECT 1 FROM {CHANGED} c WHERE c.person_id = {{person}}) AND {{{{among}}}}"
STORED_PERSON, STORED_HOLDER = UNCHANGED.format(person="s.id"), UNCHANGED.format(person="s.person_id")
# The directory with the changed people as they would be.
OVERLAID = Directory(
    {
        Lookup.KEY: (
            f"SELECT s.id AS person_id, s.compared_key AS value, {NEVER} AS until FROM {PEOPLE} s "
            f"WHERE {STORED_PERSON} "
            f"UNION ALL SELECT s.person_id, s.compared_key, {NEVER} FROM {CHANGED} s WHERE s.deleted = 0 AND {{among}}"
        ),
        Lookup.ADDRESS: (
            f"SELECT s.person_id, s.address AS value, {NEVER} AS until FROM {ADDRESSES} s WHERE {STORED_HOLDER} "
            f"UNION ALL SELECT s.person_id, s.address, s.until FROM {FORMER} s WHERE {STORED_HOLDER} "
            f"UNION ALL SELECT s.person_id, s.address, s.until FROM {CHANGED_ADDRESSES} s WHERE {{among}}"
        ),
    },
    changed=CHANGED,
)
DELETED = f"SELECT person_id FROM {CHANGED} WHERE deleted = 1"


@dataclass(frozen=True)
class ChangedPerson:
    """A person as they would be. `person_id` is negative for somebody new.

    `former` holds former addresses with the day until which they had them, `line` the line of a file that says so.
    """

    person_id: int
    key: str = ""
    name: str = ""
    left_on: date | None = None
    addresses: list[str] = field(default_factory=list)
    former: list[tuple[str, date]] = field(default_factory=list)
    deleted: bool = False
    line: int = 0


def lay(people: Iterable[ChangedPerson]) -> None:
    """Fill the temporary tables with these people, and with every value that leads to them before or after.

    `remove` drops the tables.
    """
    remove()
    day = "date" if sql.is_postgresql() else "text"
    sql.execute(
        f"CREATE TEMPORARY TABLE {CHANGED} (person_id bigint PRIMARY KEY, key text, name text, compared_key text, "
        f"left_on {day}, deleted integer, line integer)"
    )
    sql.execute(f"CREATE TEMPORARY TABLE {CHANGED_ADDRESSES} (person_id bigint, address text, until {day})")
    for batch in _batches(people):
        _load(CHANGED, COLUMNS, [_person_row(one) for one in batch])
        _load(CHANGED_ADDRESSES, ADDRESS_COLUMNS, [row for one in batch for row in _address_rows(one)])
    sql.analyze(CHANGED)
    sql.analyze(CHANGED_ADDRESSES)
    _store_values()


def remove() -> None:
    """Drop the temporary tables, if they are there."""
    sql.drop_table(CHANGED, CHANGED_ADDRESSES, VALUES)


def stored_as(person: Person) -> ChangedPerson:
    """The person as the directory has them, to be changed with `dataclasses.replace`."""
    return ChangedPerson(
        person.pk,
        person.key,
        person.name,
        person.left_on,
        [one.address for one in person.addresses.all()],
        [(one.address, one.until) for one in person.former_addresses.all()],
    )


def rename_addresses(person: ChangedPerson, addresses: list[str], today: date) -> ChangedPerson:
    """The person with these addresses. Those that are taken off become former ones."""
    given = set(addresses)
    former = {address: until for address, until in person.former if address not in given}
    former |= {address: today for address in person.addresses if address not in given}
    return replace(person, addresses=addresses, former=list(former.items()))


def _store_values() -> None:
    among = f"(SELECT person_id FROM {CHANGED})"
    sql.execute(f"CREATE TEMPORARY TABLE {VALUES} (value text PRIMARY KEY)")
    sql.execute(
        f"INSERT INTO {VALUES} (value) SELECT value FROM ("
        f"SELECT compared_key AS value FROM {PEOPLE} WHERE id IN {among} UNION SELECT compared_key FROM {CHANGED} "
        f"UNION SELECT address FROM {ADDRESSES} WHERE person_id IN {among} "
        f"UNION SELECT address FROM {FORMER} WHERE person_id IN {among} "
        f"UNION SELECT address FROM {CHANGED_ADDRESSES}) v WHERE value <> ''"
    )
    sql.analyze(VALUES)


def _load(table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    if sql.is_postgresql():
        bulk.load(connection, table, columns, rows)
        return
    with connection.cursor() as cursor:  # without a transaction, which on SQLite would wait for a writer
        places = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)


def _batches(people: Iterable[ChangedPerson]) -> Iterable[list[ChangedPerson]]:
    batch: list[ChangedPerson] = []
    for person in people:
        batch.append(person)
        if len(batch) == bulk.SLICE:
            yield batch
            batch = []
    yield batch


def _person_row(one: ChangedPerson) -> tuple[Any, ...]:
    left_on = connection.ops.adapt_datefield_value(one.left_on)
    return one.person_id, one.key, one.name, normalize_identifier(one.key), left_on, int(one.deleted), one.line


def _address_rows(one: ChangedPerson) -> Iterable[tuple[Any, ...]]:
    yield from ((one.person_id, address, None) for address in one.addresses)
    yield from ((one.person_id, address, connection.ops.adapt_datefield_value(until)) for address, until in one.former)
