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
    """What people have, by look-up, as SELECTs of person_id, value and until; and a table of changed people, if any.

    `until` is NULL for what somebody has now. Each SELECT has its rows as `s`, and {among} where they can be narrowed.
    `changed` names the table (person_id, left_on) of people who are other than stored.
    """

    held: dict[str, str]
    changed: str = ""


NEVER = "CAST(NULL AS date)"
STORED = Directory(
    {
        Lookup.KEY: (
            f"SELECT s.id AS person_id, s.compared_key AS value, {NEVER} AS until FROM {PEOPLE} s WHERE {{among}}"
        ),
        Lookup.ADDRESS: (
            f"SELECT s.person_id, s.address AS value, {NEVER} AS until FROM {ADDRESSES} s WHERE {{among}} "
            f"UNION ALL SELECT s.person_id, s.address, s.until FROM {FORMER} s WHERE {{among}}"
        ),
    }
)


def store_claims(lookups: Iterable[str], directory: Directory, today: date, *, only: str = "") -> None:
    """Fill a temporary table for each kind of look-up: value, person, and whether the claim has ended (`past`).

    With `only`, a table with a column `value`, no other values are looked at. `drop_claims` removes the tables.
    """
    drop_claims()
    for lookup in set(lookups):
        claims, values = select_claims(lookup, directory, today, only=only)
        ended = "CASE WHEN ended IS NULL THEN 0 ELSE 1 END"
        ranked = f"rank() OVER (PARTITION BY found_by ORDER BY {ended}, ended DESC) AS place"
        sql.execute(
            f"CREATE TEMPORARY TABLE {TABLES[lookup]} (found_by text PRIMARY KEY, person_id bigint, past integer)"
        )
        sql.execute(
            f"INSERT INTO {TABLES[lookup]} (found_by, person_id, past) SELECT found_by, min(person_id), min({ended}) "
            f"FROM (SELECT found_by, person_id, ended, {ranked} FROM ({claims}) c) r "
            f"WHERE place = 1 GROUP BY found_by HAVING min(person_id) = max(person_id)",
            values,
        )
        sql.analyze(TABLES[lookup])


def drop_claims() -> None:
    """Drop the temporary tables, if they are there."""
    sql.drop_table(*TABLES.values())


def select_claims(lookup: str, directory: Directory, today: date, *, only: str = "") -> tuple[str, list[Any]]:
    """A SELECT of every claim, with its values: found_by, person_id, and the day it ended (NULL: it has not).

    `only` is as in `store_claims`.
    """
    column = "s.compared_key" if lookup == Lookup.KEY else "s.address"
    held = directory.held[lookup].format(among=f"{column} IN (SELECT value FROM {only})" if only else f"{column} <> ''")
    left_on, joined = "st.left_on", ""
    if directory.changed:
        left_on = "CASE WHEN ch.person_id IS NULL THEN st.left_on ELSE ch.left_on END"
        joined = f"LEFT JOIN {directory.changed} ch ON ch.person_id = h.person_id"
    gone_on = f"CASE WHEN {left_on} < %s THEN {left_on} END"
    held = f"SELECT h.*, {gone_on} AS gone_on FROM ({held}) h LEFT JOIN {PEOPLE} st ON st.id = h.person_id {joined}"
    ended = "CASE WHEN until < gone_on THEN until ELSE coalesce(gone_on, until) END"
    values = [connection.ops.adapt_datefield_value(today)]
    return f"SELECT value AS found_by, person_id, {ended} AS ended FROM ({held}) x", values
