# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Who an e-mail address or an employee number leads to: one person, or nobody.

A *claim* is a person with an address or a number. A claim ends on the last day of the person, or when the address was
taken off them. Claims that have not ended count first; otherwise the one that ended last. If several people are left,
the value leads to nobody. So whoever left, and whoever had an address once, never competes with who is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from samsaas.lib import sql
from subscriptions.models import FormerAddress, Person, PersonAddress, ResolutionRule

PEOPLE, ADDRESSES, FORMER = (model._meta.db_table for model in (Person, PersonAddress, FormerAddress))
Lookup = ResolutionRule.Lookup
TABLES: dict[str, str] = {Lookup.ADDRESS: "users_by_address", Lookup.KEY: "users_by_key"}


@dataclass(frozen=True)
class Directory:
    """Two SELECTs: of people (person_id, compared_key, left_on) and of addresses (person_id, address, until).

    `until` is NULL for an address that the person has now.
    """

    people: str
    addresses: str


STORED = Directory(
    people=f"SELECT id AS person_id, compared_key, left_on FROM {PEOPLE}",
    addresses=(
        f"SELECT person_id, address, CAST(NULL AS date) AS until FROM {ADDRESSES} "
        f"UNION ALL SELECT person_id, address, until FROM {FORMER}"
    ),
)


def store_claims(lookups: Iterable[str], directory: Directory, today: date, *, only: str = "") -> None:
    """Fill a temporary table for each kind of look-up: value, person, and whether the claim has ended (`past`).

    With `only`, a table with a column `value`, no other values are looked at. `drop_claims` removes the tables.
    """
    drop_claims()
    for lookup in set(lookups):
        claims, values = select_claims(lookup, directory, today)
        wanted = f"WHERE found_by IN (SELECT value FROM {only})" if only else "WHERE found_by <> ''"
        ended = "CASE WHEN ended IS NULL THEN 0 ELSE 1 END"
        ranked = f"rank() OVER (PARTITION BY found_by ORDER BY {ended}, ended DESC) AS place"
        sql.execute(
            f"CREATE TEMPORARY TABLE {TABLES[lookup]} (found_by text PRIMARY KEY, person_id bigint, past integer)"
        )
        sql.execute(
            f"INSERT INTO {TABLES[lookup]} (found_by, person_id, past) SELECT found_by, min(person_id), min({ended}) "
            f"FROM (SELECT found_by, person_id, ended, {ranked} FROM ({claims}) c {wanted}) r "
            f"WHERE place = 1 GROUP BY found_by HAVING min(person_id) = max(person_id)",
            values,
        )
        sql.analyze(TABLES[lookup])


def drop_claims() -> None:
    """Drop the temporary tables, if they are there."""
    for table in TABLES.values():
        sql.drop_table(table)


def select_claims(lookup: str, directory: Directory, today: date) -> tuple[str, list[Any]]:
    """A SELECT of every claim, with its values: found_by, person_id, and the day it ended (NULL: it has not)."""
    gone_on = "CASE WHEN left_on < %s THEN left_on END AS gone_on"
    left = f"SELECT person_id, compared_key, {gone_on} FROM ({directory.people}) x"
    values = [connection.ops.adapt_datefield_value(today)]
    if lookup == Lookup.KEY:
        return f"SELECT compared_key AS found_by, person_id, gone_on AS ended FROM ({left}) p", values
    ended = "CASE WHEN a.until < p.gone_on THEN a.until ELSE coalesce(p.gone_on, a.until) END"
    return (
        f"SELECT a.address AS found_by, a.person_id, {ended} AS ended "
        f"FROM ({directory.addresses}) a JOIN ({left}) p ON p.person_id = a.person_id"
    ), values
