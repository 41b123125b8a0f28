# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Storing folded activity: who is meant, their latest activity, and their days. Set-based, a batch at a time.

A later activity never gives way to an earlier one, and a day that is read again is counted again from nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from profiles.connectors.base import Use
from profiles.models import IntegrationProfile
from samsaas.lib import bulk
from subscriptions.models import ActivityDay, LastActivity, Subscription

SEATS = Subscription._meta.db_table
LATEST = LastActivity._meta.db_table
DAYS = ActivityDay._meta.db_table
BATCH = "activity_batch"
FOUND = "activity_found"
COLUMNS = ("external_id", "account_id", "email", "day", "latest", "kind", "events")


@dataclass(frozen=True)
class Stored:
    """Events of a batch whose account is a known seat, and events of nobody we know."""

    known: int
    nobody: int


def store(profile: IntegrationProfile, uses: Iterable[Use], *, run_id: int, reading: int, signal: str) -> Stored:
    """Write a batch. Call it in a transaction with the batch's cursor.

    `reading` names the pass over the vendor's log: a day's events add up within it, and replace those of another.
    A reading of 0 keeps no days (a session says when it was last used, not how often).
    """
    _stage(uses)
    _find(profile)
    known, everybody = _one(
        f"SELECT coalesce(sum(b.events) FILTER (WHERE f.position IS NOT NULL), 0), coalesce(sum(b.events), 0) "
        f"FROM {BATCH} b LEFT JOIN {FOUND} f ON f.position = b.position"
    )
    _keep_latest(run_id, signal)
    if reading:
        _keep_days(reading)
    _execute(f"DROP TABLE {BATCH}")
    _execute(f"DROP TABLE {FOUND}")
    return Stored(known=int(known), nobody=int(everybody - known))


def forget_reading(profile: IntegrationProfile, reading: int) -> None:
    """A reading that starts again from its first page: what it counted so far is replaced, not added to."""
    _execute(
        f"UPDATE {DAYS} SET pull = 0 WHERE pull = %s "
        f"AND subscription_id IN (SELECT id FROM {SEATS} WHERE profile_id = %s)",
        [reading, profile.pk],
    )


def _stage(uses: Iterable[Use]) -> None:
    postgresql = connection.vendor == "postgresql"
    day, moment = ("date", "timestamptz") if postgresql else ("text", "text")
    options = "ON COMMIT DROP" if postgresql else ""
    _execute(
        f"""
        CREATE TEMPORARY TABLE {BATCH} (
            position integer, external_id text, account_id text, email text, day {day}, latest {moment}, kind text,
            events integer
        ) {options}
        """
    )
    bulk.load(connection, BATCH, ("position", *COLUMNS), _rows(uses, postgresql))


def _rows(uses: Iterable[Use], postgresql: bool) -> Iterable[tuple[Any, ...]]:
    for position, use in enumerate(uses):
        if postgresql:
            day: Any = date.fromisoformat(use.day)
            latest: Any = datetime.fromisoformat(use.latest)
        else:
            day, latest = use.day, use.latest[:10] + " " + use.latest[11:19]
        yield position, use.external_id, use.account_id, use.email, day, latest, use.kind, use.events


def _find(profile: IntegrationProfile) -> None:
    """Whose each row is: by the seat's id, else by the account's, else by an address only one seat has."""
    options = "ON COMMIT DROP" if connection.vendor == "postgresql" else ""
    _execute(
        f"""
        CREATE TEMPORARY TABLE {FOUND} {options} AS
        SELECT b.position, t.id AS seat_id FROM {BATCH} b
        JOIN {SEATS} t ON t.profile_id = %s AND t.external_id = b.external_id
        WHERE b.external_id <> ''
        """,
        [profile.pk],
    )
    for column in ("account_id", "email"):
        earlier = {"account_id": "b.external_id = ''", "email": "b.external_id = '' AND b.account_id = ''"}[column]
        if _one(f"SELECT count(*) FROM {BATCH} b WHERE {earlier} AND b.{column} <> ''")[0]:
            _execute(
                f"""
                INSERT INTO {FOUND} (position, seat_id)
                SELECT b.position, min(t.id) FROM {BATCH} b
                JOIN {SEATS} t ON t.profile_id = %s AND t.{column} = b.{column}
                WHERE {earlier} AND b.{column} <> '' GROUP BY b.position HAVING count(*) = 1
                """,
                [profile.pk],
            )


def _keep_latest(run_id: int, signal: str) -> None:
    """The greatest moment per seat; of equal ones the kind that sorts last, whatever the order of reading was."""
    _execute(
        f"""
        INSERT INTO {LATEST} (subscription_id, at, kind, signal, run_id)
        SELECT seat_id, latest, kind, %s, %s FROM (
            SELECT f.seat_id, b.latest, b.kind,
                   row_number() OVER (PARTITION BY f.seat_id ORDER BY b.latest DESC, b.kind DESC) AS place
            FROM {FOUND} f JOIN {BATCH} b ON b.position = f.position
        ) ranked WHERE place = 1
        ON CONFLICT (subscription_id) DO UPDATE
        SET at = excluded.at, kind = excluded.kind, signal = excluded.signal, run_id = excluded.run_id
        WHERE excluded.at > {LATEST}.at
        """,
        [signal, run_id],
    )


def _keep_days(reading: int) -> None:
    _execute(
        f"""
        INSERT INTO {DAYS} (subscription_id, day, events, pull)
        SELECT f.seat_id, b.day, sum(b.events), %s
        FROM {FOUND} f JOIN {BATCH} b ON b.position = f.position
        WHERE true GROUP BY f.seat_id, b.day
        ON CONFLICT (subscription_id, day) DO UPDATE
        SET events = CASE WHEN {DAYS}.pull = excluded.pull THEN {DAYS}.events ELSE 0 END + excluded.events,
            pull = excluded.pull
        """,
        [reading],
    )


def _execute(statement: str, values: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _one(statement: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row: tuple[Any, ...] = cursor.fetchone()
        return row
