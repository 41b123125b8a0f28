# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""The set-based statements of a publish: find what differs between a staged listing and the seats, and write only that.

The cost of a statement grows with the rows listed or, if it writes, with the rows that differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from django.db import connection

from profiles.models import IntegrationProfile, JobRun
from samsaas.lib import sql
from subscriptions import history
from subscriptions.download import staging
from subscriptions.models import Subscription

SEATS = Subscription._meta.db_table
REMOVED = Subscription.Status.REMOVED.value
FOUND = "download_differences"
GONE = "download_gone"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# A vendor's list may lag: for this long after a removal of ours it may still show the account.
LAG = timedelta(hours=1)


@dataclass
class Listed:
    """What is in staging when each account is in it once. `live` does not count accounts the vendor calls removed.

    `by_status` has the live ones; `shields` are records that could not be read and keep their seat from ending.
    """

    duplicates: int = 0
    live: int = 0
    removed: int = 0
    by_identifier: dict[str, int] = field(default_factory=dict)
    by_status: dict[str, int] = field(default_factory=dict)
    shields: int = 0


def tune_planner(stage: str) -> None:
    """Prepare PostgreSQL's planner for the statements of this transaction.

    Hash tables of a million rows get enough memory. Plans are not compiled, which costs more than it gains. The planner
    learns that there are many ids and few seat types; otherwise it would look up seats one by one.
    """
    if sql.is_postgresql():
        sql.execute("SET LOCAL work_mem = '128MB'")
        sql.execute("SET LOCAL jit = off")
    sql.analyze(stage, "external_id", "identifier", "status")


def correct_by_own_changes(stage: str, profile: IntegrationProfile, began: datetime) -> None:
    """Bring the staged listing up to date with what we did ourselves since it began; call it before it is compared.

    An account that we removed since then, or so shortly before that the list may lag, is taken out: it does not return.
    One that is listed later was restored at the vendor, and does. A seat that was restored since then, and is not
    listed, is shielded like one whose record could not be read.
    """
    sql.execute(
        f"""
        DELETE FROM {stage} WHERE (status IS NULL OR status <> %s) AND external_id IN (
            SELECT t.external_id FROM {SEATS} t
            WHERE t.profile_id = %s AND t.ended_at IS NOT NULL AND t.freed_at > %s
        )
        """,
        [REMOVED, profile.pk, _driver_time(began - LAG)],
    )
    restored = "t.profile_id = %s AND t.ended_at IS NULL AND t.changed_at > %s"
    since = [profile.pk, _driver_time(began)]
    sql.execute(
        f"DELETE FROM {stage} "
        f"WHERE status = %s AND external_id IN (SELECT t.external_id FROM {SEATS} t WHERE {restored})",
        [REMOVED, *since],
    )
    sql.execute(
        f"""
        INSERT INTO {stage} (position, external_id)
        SELECT -row_number() OVER (ORDER BY t.id), t.external_id FROM {SEATS} t
        WHERE {restored} AND {_not_staged(stage)}
        """,
        [*since, REMOVED],
    )


def _not_staged(stage: str) -> str:
    """The condition for seats `t` that the listing does not hold. Its parameter is the status *removed*."""
    return f"""NOT EXISTS (
            SELECT 1 FROM {stage} s WHERE s.external_id = t.external_id AND (s.status <> %s OR s.status IS NULL)
        )"""


def collapse_and_total(stage: str) -> Listed:
    """Keep one row of each account in staging and count what was listed.

    Of two rows the later one is kept, but a readable one is kept before an unreadable one.
    """
    best = "coalesce(max(position) FILTER (WHERE identifier IS NOT NULL), max(position))"
    twice = f"FROM {stage} GROUP BY external_id HAVING count(*) > 1"
    duplicates = sql.execute(
        f"""
        DELETE FROM {stage}
        WHERE external_id IN (SELECT external_id {twice}) AND position NOT IN (SELECT {best} {twice})
        """
    )
    listed = Listed(duplicates=duplicates)
    totals = sql.fetch_rows(
        f"""
        SELECT identifier, status, count(*) FROM {stage} GROUP BY identifier, status
        """
    )
    for identifier, status, number in totals:
        if identifier is None:
            listed.shields += number
            continue
        if status == REMOVED:
            listed.removed += number
            continue
        listed.live += number
        listed.by_status[status] = listed.by_status.get(status, 0) + number
        listed.by_identifier[identifier] = listed.by_identifier.get(identifier, 0) + number
    return listed


def find_changes(stage: str, profile: IntegrationProfile, identifiers: dict[str, int]) -> tuple[int, int, int]:
    """Find the staged rows that are new, changed or returned, and return how many of each.

    Their positions go into a temporary table; the other rows are not looked at again. `identifiers` are the keys of the
    listed seat types. They are passed as values, because the planner takes a table without statistics for a strong
    filter and would then look up every seat one by one. Rows are compared as a whole; NULL is equal to NULL. A seat
    that was last listed by another team counts as changed.
    """
    staged = ", ".join(["i.column2", *(f"s.{name}" for name in staging.VALUES)])
    stored = ", ".join(["t.identifier_id", *(f"t.{name}" for name in staging.VALUES)])
    types = ", ".join(["(%s, %s)"] * len(identifiers))
    differ = "IS DISTINCT FROM" if sql.is_postgresql() else "IS NOT"
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {FOUND} AS
        SELECT s.position, i.column2 AS identifier_id, t.id AS seat_id, t.ended_at IS NOT NULL AS returned
        FROM {stage} s
        JOIN (VALUES {types}) i ON i.column1 = s.identifier
        LEFT JOIN {SEATS} t ON t.profile_id = %s AND t.external_id = s.external_id
        WHERE s.status <> %s AND (
            t.id IS NULL OR t.ended_at IS NOT NULL OR t.known_since < %s OR ({staged}) {differ} ({stored})
        )
        """,
        [
            *chain.from_iterable(identifiers.items()),
            *(profile.pk, REMOVED, _team_since(profile)),
        ],
    )
    total, new, returned = sql.fetch_row(
        f"SELECT count(*), count(*) - count(seat_id), count(CASE WHEN returned THEN 1 END) FROM {FOUND}"
    )
    return new, total - new - returned, returned


def update_changed(stage: str, profile: IntegrationProfile, now: datetime) -> None:
    """Write changed and returned seats. A seat that returns keeps its row.

    One that was last listed by another team is known to this one from now on. One that had ended has returned now.
    What a position rests on is kept before it changes.
    """
    history.keep_former(
        f"""
        SELECT d.seat_id FROM {FOUND} d JOIN {stage} s ON s.position = d.position JOIN {SEATS} f ON f.id = d.seat_id
        WHERE d.returned OR f.identifier_id <> d.identifier_id OR f.status <> s.status
            OR f.consumes_license <> s.consumes_license
        """,
        [],
        now=now,
    )
    values = ", ".join(f"{name} = s.{name}" for name in staging.WRITTEN)
    sql.execute(
        f"""
        UPDATE {SEATS} AS t
        SET identifier_id = d.identifier_id, {values}, changed_at = %s, ended_at = NULL, ended_by_run_id = NULL,
            returned_at = CASE WHEN t.ended_at IS NULL THEN t.returned_at ELSE %s END,
            read_from = CASE WHEN t.known_since < %s THEN NULL ELSE t.read_from END,
            known_since = CASE WHEN t.known_since < %s THEN %s ELSE t.known_since END
        FROM {FOUND} d JOIN {stage} s ON s.position = d.position
        WHERE t.id = d.seat_id
        """,
        [*[_driver_time(now)] * 2, *[_team_since(profile)] * 2, _driver_time(sql.database_now())],
    )


def insert_new(stage: str, profile: IntegrationProfile, now: datetime) -> None:
    """Write new seats."""
    given = {
        "profile_id": profile.pk,
        "first_seen_at": _driver_time(now),
        "known_since": _driver_time(sql.database_now()),
        "changed_at": _driver_time(now),
        "valid_since": _driver_time(now),
        **_column_defaults(),
    }
    values = ", ".join(staging.WRITTEN)
    places = ", ".join(["%s"] * len(given))
    sql.execute(
        f"""
        INSERT INTO {SEATS} ({", ".join(given)}, identifier_id, external_id, {values})
        SELECT {places}, d.identifier_id, s.external_id, {", ".join(f"s.{name}" for name in staging.WRITTEN)}
        FROM {FOUND} d JOIN {stage} s ON s.position = d.position
        WHERE d.seat_id IS NULL
        """,
        list(given.values()),
    )


def _column_defaults() -> dict[str, Any]:
    """The defaults of the required columns that a download does not set. Raw SQL does not get them from Django."""
    moments = ("first_seen_at", "known_since", "changed_at", "valid_since")
    downloaded = {"profile_id", "identifier_id", "external_id", *moments, *staging.WRITTEN}
    others = [f for f in Subscription._meta.concrete_fields if not (f.null or f.primary_key or f.column in downloaded)]
    return {str(f.column): f.get_db_prep_save(f.get_default(), connection) for f in others}


def find_gone(stage: str, profile: IntegrationProfile) -> dict[str, int]:
    """Find the seats that are no longer listed, and return how many there are by their last known status.

    A record that could not be read shields its seat. PostgreSQL hashes both sides. SQLite would read all of staging for
    every seat, so it gets an index first.
    """
    if not sql.is_postgresql():
        sql.execute(f"CREATE INDEX {stage}_by_account ON {stage} (external_id, status)")
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {GONE} AS
        SELECT t.id FROM {SEATS} t
        WHERE t.profile_id = %s AND t.ended_at IS NULL AND {_not_staged(stage)}
        """,
        [profile.pk, REMOVED],
    )
    by_status = sql.fetch_rows(
        f"SELECT status, count(*) FROM {SEATS} WHERE id IN (SELECT id FROM {GONE}) GROUP BY status"
    )
    return dict(by_status)


def end_gone(run: JobRun, now: datetime) -> None:
    """End the seats that `find_gone` found. They stay as history, with the run that ended them."""
    history.keep_former(f"SELECT id FROM {GONE}", [], now=now)
    sql.execute(
        f"""
        UPDATE {SEATS} SET ended_at = %s, changed_at = %s, ended_by_run_id = %s
        WHERE id IN (SELECT id FROM {GONE})
        """,
        [_driver_time(now), _driver_time(now), run.pk],
    )


def clean_up() -> None:
    """Drop the temporary tables. A transaction that is rolled back drops them anyway."""
    sql.drop_table(FOUND, GONE)


def _team_since(profile: IntegrationProfile) -> Any:
    return _driver_time(profile.team_since or BEGINNING)


def _driver_time(now: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(now)
