# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Decide which right covers which seat, as temporary tables over the facts of `read_facts`.

1. `RIGHTS`: the entitlements in force. `ALLOCATED`: their allocations of the day, each person's in one row of numbers.
2. `MODELS`: the software models in question, with the rights that are left beside the allocations.
3. `BY_ALLOCATION`: the first seats of each person, as many as are allocated to them.
4. `RANKED`: every seat that counts, with what covers it. The others get the rights that are left, in their order.

The order is: with a user before without, longest assigned first (unknown last), then the number of the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.db import connection

from samsaas.lib import bulk, sql
from subscriptions.models import Allocation, Entitlement, Person, PositionGroup
from subscriptions.question import PositionQuestion
from subscriptions.reconciliation.read_facts import PROFILES, counted

ALLOCATIONS, PEOPLE = Allocation._meta.db_table, Person._meta.db_table
RIGHTS, ALLOCATED, MODELS = "position_rights", "position_allocated", "position_models"
BY_ALLOCATION, RANKED = "position_by_allocation", "position_ranked"
ORDER = "f.assigned_at NULLS LAST, f.seat_id"
NO_USER, NO_VALUE = "user", "value"


def store_allocations(in_force: Iterable[Entitlement], day: date) -> dict[int, int]:
    """Fill `RIGHTS` and `ALLOCATED`. Returns the allocated rights of each software model."""
    sql.execute(f"CREATE TEMPORARY TABLE {RIGHTS} (entitlement_id bigint, model_id bigint)")
    bulk.load(connection, RIGHTS, ("entitlement_id", "model_id"), ((e.pk, e.software_model_id) for e in in_force))
    sql.analyze(RIGHTS)
    on = connection.ops.adapt_datefield_value(day)
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {ALLOCATED} AS
        SELECT r.model_id, a.person_id, a.entitlement_id, a.quantity, sum(a.quantity) OVER (
            PARTITION BY r.model_id, a.person_id ORDER BY a.entitlement_id, a.id
        ) AS upto
        FROM {ALLOCATIONS} a JOIN {RIGHTS} r ON r.entitlement_id = a.entitlement_id
        WHERE a.assigned_on <= %s AND (a.released_on IS NULL OR a.released_on > %s)
        """,
        [on, on],
    )
    sql.analyze(ALLOCATED)
    rows = sql.fetch_rows(f"SELECT model_id, sum(quantity) FROM {ALLOCATED} GROUP BY model_id")
    return {model: int(number) for model, number in rows}


def store_models(free: Mapping[int, int | None]) -> None:
    """Fill `MODELS`: what is left of each model's rights; None is without limit."""
    sql.execute(f"CREATE TEMPORARY TABLE {MODELS} (model_id bigint PRIMARY KEY, free bigint)")
    bulk.load(connection, MODELS, ("model_id", "free"), free.items())
    sql.analyze(MODELS)


def cover_by_allocation() -> None:
    """Fill `BY_ALLOCATION`: of each person with allocated rights the first seats, and of which entitlement."""
    of_people = counted(
        f"f.seat_id, i.software_model_id AS model_id, f.person_id, row_number() OVER ("
        f"PARTITION BY i.software_model_id, f.person_id ORDER BY {ORDER}) AS place",
        join=f"JOIN {MODELS} m ON m.model_id = i.software_model_id",
    )
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {BY_ALLOCATION} AS
        SELECT n.seat_id, n.place, a.entitlement_id
        FROM ({of_people} AND f.person_id IN (SELECT person_id FROM {ALLOCATED})) n
        JOIN {ALLOCATED} a ON a.model_id = n.model_id AND a.person_id = n.person_id
            AND n.place > a.upto - a.quantity AND n.place <= a.upto
        """
    )
    sql.analyze(BY_ALLOCATION)


def rank_seats(question: PositionQuestion) -> None:
    """Fill `RANKED` with every seat that counts: by what it is covered, and its place among those covered that way."""
    covered = "c.seat_id IS NOT NULL"
    columns = f"""
        f.seat_id, f.profile_id, f.seat_name, p.display_name AS profile_name, i.software_model_id AS model_id,
        f.person_id, coalesce(u.name, '') AS person_name, coalesce(u.left_on < %s, false) AS is_leaver,
        {_group_columns("value", "missing", question.group)},
        {_group_columns("subvalue", "submissing", question.subgroup)},
        c.entitlement_id, m.free, row_number() OVER (
            PARTITION BY i.software_model_id, {covered} ORDER BY f.person_id IS NULL, {ORDER}
        ) AS place
    """
    join = f"""
        JOIN {MODELS} m ON m.model_id = i.software_model_id JOIN {PROFILES} p ON p.id = f.profile_id
        LEFT JOIN {PEOPLE} u ON u.id = f.person_id LEFT JOIN {BY_ALLOCATION} c ON c.seat_id = f.seat_id
    """
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {RANKED} AS
        SELECT r.*, CASE WHEN entitlement_id IS NOT NULL THEN 'allocation'
            WHEN free IS NULL OR place <= free THEN 'right' ELSE 'none' END AS covered_by
        FROM ({counted(columns, join=join)}) r
        """,
        [connection.ops.adapt_datefield_value(question.day)],
    )
    sql.analyze(RANKED)


def _group_columns(value: str, missing: str, group: str) -> str:
    """Two columns: the value by which a seat's user is grouped, and why there is none."""
    if group == PositionGroup.NONE:
        return f"'' AS {value}, '' AS {missing}"
    column = f"u.{PositionGroup(group).value}"
    return (
        f"coalesce({column}, '') AS {value}, CASE WHEN f.person_id IS NULL THEN '{NO_USER}' "
        f"WHEN coalesce({column}, '') = '' THEN '{NO_VALUE}' ELSE '' END AS {missing}"
    )


def drop_tables() -> None:
    """Drop all tables of this module that are there."""
    sql.drop_table(RIGHTS, ALLOCATED, MODELS, BY_ALLOCATION, RANKED)
