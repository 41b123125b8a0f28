# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Count the ranked seats: per software model, and per group. Nothing but sums leaves the database."""

from __future__ import annotations

from dataclasses import dataclass

from samsaas.lib import sql
from subscriptions.question import PositionQuestion
from subscriptions.reconciliation import candidates
from subscriptions.reconciliation.cover_seats import RANKED
from subscriptions.reconciliation.read_facts import PROFILES


@dataclass(frozen=True)
class ModelUse:
    """How the seats of one software model that count are used and covered."""

    in_use: int = 0
    with_user: int = 0
    of_leavers: int = 0
    by_allocation: int = 0
    unlicensed: int = 0
    open_candidates: int = 0


@dataclass(frozen=True)
class GroupUse:
    """What one group has of a model. `missing` and `submissing` are those of `GroupResult`."""

    value: str
    missing: str
    subvalue: str
    submissing: str
    in_use: int
    unlicensed: int


def count_by_model(question: PositionQuestion) -> dict[int, ModelUse]:
    """The use of every software model that has seats."""
    statement, values = candidates.open_seats(question.at)
    rows = sql.fetch_rows(
        f"""
        SELECT r.model_id, count(*), count(r.person_id), count(CASE WHEN r.is_leaver THEN 1 END),
            count(CASE WHEN r.covered_by = 'allocation' THEN 1 END), count(CASE WHEN r.covered_by = 'none' THEN 1 END),
            count(o.seat_id)
        FROM {RANKED} r LEFT JOIN (SELECT DISTINCT subscription_id AS seat_id FROM ({statement}) d) o
            ON o.seat_id = r.seat_id
        GROUP BY r.model_id
        """,
        values,
    )
    return {model: ModelUse(*numbers) for model, *numbers in rows}


def count_by_group() -> dict[int, list[GroupUse]]:
    """The use of every model by the groups of the question."""
    columns = "value, missing, subvalue, submissing"
    rows = sql.fetch_rows(
        f"SELECT model_id, {columns}, count(*), count(CASE WHEN covered_by = 'none' THEN 1 END) "
        f"FROM {RANKED} GROUP BY model_id, {columns} ORDER BY model_id, missing, value, submissing, subvalue"
    )
    found: dict[int, list[GroupUse]] = {}
    for model, *group in rows:
        found.setdefault(model, []).append(GroupUse(*group))
    return found


def models_by_vendor() -> dict[str, list[int]]:
    """The software models that have counted seats at each vendor."""
    rows = sql.fetch_rows(
        f"SELECT DISTINCT p.vendor, r.model_id FROM {RANKED} r JOIN {PROFILES} p ON p.id = r.profile_id"
    )
    found: dict[str, list[int]] = {}
    for vendor, model in rows:
        found.setdefault(vendor, []).append(model)
    return found
