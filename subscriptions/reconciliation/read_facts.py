# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Read the seats that were listed at a moment into a temporary table, and tell the ones that count from those aside.

`FACTS` has one row for every listed seat with its facts at that moment: the present ones where they stood then already,
else the version that stood then. `TWICE` has the seats of accounts that an earlier profile of the same team holds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.counting import shared_profiles
from subscriptions.history import MATCHES, SEATS, VERSIONS, driver_time, places
from subscriptions.models import SoftwareModel, SubscriptionIdentifier
from subscriptions.question import PositionQuestion

IDENTIFIERS, MODELS = SubscriptionIdentifier._meta.db_table, SoftwareModel._meta.db_table
PROFILES = IntegrationProfile._meta.db_table
FACTS, TWICE = "position_facts", "position_twice"
# Why a listed seat does not count: the first kind that applies.
ASIDE = ("excluded", "no_license", "duplicate", "unrecognized", "not_managed")
COUNTED = "counted"
NAME = "coalesce(nullif(t.display_name, ''), nullif(t.email, ''), t.external_id)"
COLUMNS = f"t.id AS seat_id, t.profile_id, t.external_id, t.assigned_at, {NAME} AS seat_name"


def store_facts(question: PositionQuestion) -> None:
    """Fill `FACTS` and `TWICE`. Call it in one snapshot; `drop_tables` removes both."""
    drop_tables()
    present = (
        f"SELECT {COLUMNS}, t.identifier_id, t.consumes_license, t.excluded, m.person_id "
        f"FROM {SEATS} t LEFT JOIN {MATCHES} m ON m.subscription_id = t.id WHERE t.ended_at IS NULL"
    )
    values: list[Any] = []
    if question.at:
        moment = driver_time(question.at)
        former = (
            f"SELECT {COLUMNS}, v.identifier_id, v.consumes_license, v.excluded, v.person_id "
            f"FROM {VERSIONS} v JOIN {SEATS} t ON t.id = v.subscription_id "
            f"WHERE v.since < %s AND v.until >= %s AND v.listed AND t.valid_since >= %s"
        )
        present = f"{present} AND t.valid_since < %s UNION ALL {former}"
        values = [moment] * 4
    sql.execute(f"CREATE TEMPORARY TABLE {FACTS} AS {present}", values)
    sql.analyze(FACTS)
    _store_twice()


def _store_twice() -> None:
    """Of an account that several profiles of a team list, the profile with the lowest id keeps the seat."""
    shared = shared_profiles()
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {TWICE} AS SELECT seat_id FROM (
            SELECT f.seat_id, row_number() OVER (
                PARTITION BY p.vendor, p.team_id, f.external_id ORDER BY f.profile_id
            ) AS place
            FROM {FACTS} f JOIN {PROFILES} p ON p.id = f.profile_id
            WHERE NOT f.excluded AND f.consumes_license AND f.profile_id IN ({places(shared) or "NULL"})
        ) ranked WHERE place > 1
        """,
        shared,
    )
    sql.analyze(TWICE)


def counted(columns: str, *, join: str = "") -> str:
    """A SELECT of the seats (f) that count, with their seat type (i) and software model (s); conditions may follow."""
    return (
        f"SELECT {columns} FROM {FACTS} f JOIN {IDENTIFIERS} i ON i.id = f.identifier_id "
        f"JOIN {MODELS} s ON s.id = i.software_model_id {join} "
        f"WHERE NOT f.excluded AND f.consumes_license AND s.under_management "
        f"AND f.seat_id NOT IN (SELECT seat_id FROM {TWICE})"
    )


def count_listed() -> dict[int, dict[str, int]]:
    """Listed seats of each profile by what becomes of them: `COUNTED`, or one of `ASIDE`. Also all that `consume`.

    Listed is the sum of counted and aside by the way they are counted: every seat falls under the first that applies.
    """
    rows = sql.fetch_rows(
        f"""
        SELECT f.profile_id, CASE
            WHEN f.excluded THEN 'excluded' WHEN NOT f.consumes_license THEN 'no_license'
            WHEN f.seat_id IN (SELECT seat_id FROM {TWICE}) THEN 'duplicate'
            WHEN i.software_model_id IS NULL THEN 'unrecognized' WHEN NOT s.under_management THEN 'not_managed'
            ELSE '{COUNTED}' END AS kind, count(*), count(CASE WHEN f.consumes_license THEN 1 END)
        FROM {FACTS} f JOIN {IDENTIFIERS} i ON i.id = f.identifier_id
        LEFT JOIN {MODELS} s ON s.id = i.software_model_id
        GROUP BY 1, 2
        """
    )
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys((COUNTED, *ASIDE, "consuming"), 0))
    for profile, kind, number, consuming in rows:
        found[profile][kind] += number
        found[profile]["consuming"] += consuming
    return dict(found)


def count_excluded() -> dict[int, int]:
    """Accounts of each software model that do not count, because they are excluded, and that the vendor bills.

    An account of which another profile of the team has a seat that counts is not among them; others count once. Both
    can only be so in teams that several profiles share, so only their accounts are compared.
    """
    shared = shared_profiles()
    among = f"f.profile_id IN ({places(shared) or 'NULL'})"
    of_profile = f"JOIN {PROFILES} p ON p.id = f.profile_id"
    excluded = (
        f"FROM {FACTS} f JOIN {IDENTIFIERS} i ON i.id = f.identifier_id {of_profile} "
        f"WHERE f.excluded AND f.consumes_license AND i.software_model_id IS NOT NULL"
    )
    account = "p.vendor, p.team_id, f.external_id"
    rows = sql.fetch_rows(
        f"""
        SELECT model_id, count(*) FROM (
            SELECT i.software_model_id AS model_id {excluded} AND NOT coalesce({among}, false)
            UNION ALL
            SELECT e.model_id
            FROM (SELECT DISTINCT i.software_model_id AS model_id, {account} {excluded} AND {among}) e
            LEFT JOIN ({counted(f"DISTINCT {account} AS account", join=of_profile)} AND {among}) c
                ON c.vendor = e.vendor AND c.team_id = e.team_id AND c.account = e.external_id
            WHERE c.account IS NULL
        ) billed GROUP BY model_id
        """,
        shared * 3,
    )
    return dict(rows)


def drop_tables() -> None:
    """Drop both tables, if they are there."""
    sql.drop_table(FACTS, TWICE)
