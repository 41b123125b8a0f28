# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Store folded activity: find the seat of each row, then write its latest activity and its days. Set-based, by batch.

An earlier activity never replaces a later one. A reading that reads a day again counts it again from zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q

from profiles.connectors.activity import name_of
from profiles.connectors.base import Uses
from profiles.models import IntegrationProfile
from samsaas.lib import bulk, sql
from subscriptions.activity import names_in_log
from subscriptions.models import ActivityDay, LastActivity, Subscription, normalize_address

SEATS = Subscription._meta.db_table
LATEST = LastActivity._meta.db_table
DAYS = ActivityDay._meta.db_table
BATCH = "activity_batch"
FOUND = "activity_found"
LOST = "activity_lost"
NAMES = "activity_names"
FACTS = ("day", "latest", "kind", "events")


@dataclass(frozen=True)
class Stored:
    """How many events of a batch belong to a seat we know, and how many to none."""

    known: int
    nobody: int


def store_batch(profile: IntegrationProfile, uses: Uses, *, run_id: int, reading: int, signal: str) -> Stored:
    """Write a batch. Call it in the transaction that stores the batch's cursor.

    `reading` identifies the pass over the vendor's log. The events of a day add up within one reading and replace those
    of an earlier reading. With 0 a day is noted, but not counted: a session says when it was last used, not how often.
    """
    if sql.is_postgresql():
        sql.execute("SET LOCAL jit = off")
    _stage_uses(uses)
    names_in_log.note(profile, _names_alone(uses))
    _find_seats(profile, uses)
    counted, known = sql.fetch_row(f"SELECT (SELECT sum(events) FROM {BATCH}), (SELECT sum(events) FROM {FOUND})")
    _keep_latest(run_id, signal)
    if reading:
        _keep_days(reading)
    else:
        _note_days()
    sql.drop_table(BATCH, FOUND)
    return Stored(known=int(known or 0), nobody=int(counted or 0) - int(known or 0))


def forget_reading(profile: IntegrationProfile, reading: int) -> None:
    """Have the counts of a reading replaced, not added to. Call it before the reading starts again from page one."""
    sql.execute(
        f"UPDATE {DAYS} SET pull = 0, events = 0 WHERE pull = %s "
        f"AND subscription_id IN (SELECT id FROM {SEATS} WHERE profile_id = %s)",
        [reading, profile.pk],
    )


def _stage_uses(uses: Uses) -> None:
    """Stage the rows. An address is staged in the form in which addresses are compared."""
    day, moment = ("date", "timestamptz") if sql.is_postgresql() else ("text", "text")
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {BATCH} (
            external_id text DEFAULT '', account_id text DEFAULT '', compared_email text DEFAULT '',
            day {day}, latest {moment}, kind text, events integer
        )
        """
    )
    named = ((account, normalize_address(email), *facts) for (account, email), *facts in uses.of_names())
    bulk.load(connection, BATCH, ("external_id", *FACTS), _as_stored(uses.of_seats()))
    bulk.load(connection, BATCH, ("account_id", "compared_email", *FACTS), _as_stored(named))
    sql.analyze(BATCH, "external_id")


def _as_stored(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows as the database's driver takes them."""
    if sql.is_postgresql():
        return rows
    return ((*who, day.isoformat(), at.isoformat(" ")[:19], kind, events) for *who, day, at, kind, events in rows)


def _names_alone(uses: Uses) -> Iterator[names_in_log.Name]:
    """The account ids and addresses of uses that do not say the id of their seat."""
    for account, email in {name for name, *_ in uses.of_names()}:
        if account:
            yield names_in_log.ACCOUNT, account
        if address := normalize_address(email):
            yield names_in_log.ADDRESS, address


def _find_seats(profile: IntegrationProfile, uses: Uses) -> None:
    """Find the seat of each row: by the seat's id, else by the account's id, else by an address that only one seat has.

    A seat that is listed now comes before those that ended: somebody who got a new account with the same address, or
    came back with the same account, is not mixed up with their former self. Addresses are compared in one form. A
    secondary address counts only if no seat that is listed has it as its main address.
    """
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {FOUND} AS
        SELECT t.id AS seat_id, b.day, b.latest, b.kind, b.events FROM {BATCH} b
        JOIN {SEATS} t ON t.profile_id = %s AND t.external_id = b.external_id
        WHERE b.external_id <> ''
        """,
        [profile.pk],
    )
    if sql.count_rows(FOUND) < sql.count_rows(BATCH):
        _collect_lost(profile, uses)
        _find_lost(profile, "account_id")
        _find_by_secondary_address(profile, listed=True)
        _find_lost(profile, "compared_email")
        _find_by_secondary_address(profile, listed=False)
        sql.execute(
            f"INSERT INTO {FOUND} (seat_id, day, latest, kind, events) "
            f"SELECT seat_id, day, latest, kind, events FROM {LOST} WHERE seat_id IS NOT NULL"
        )
        sql.drop_table(LOST)
    sql.analyze(FOUND, "seat_id", "day")


def _collect_lost(profile: IntegrationProfile, uses: Uses) -> None:
    """Collect the rows whose seat's id is not given, or not known, with the account and address that came with it."""
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {LOST} AS
        SELECT b.*, CAST(NULL AS bigint) AS seat_id FROM {BATCH} b WHERE NOT EXISTS (
            SELECT 1 FROM {SEATS} t WHERE t.profile_id = %s AND t.external_id = b.external_id
        )
        """,
        [profile.pk],
    )
    unknown = {key for (key,) in sql.fetch_rows(f"SELECT DISTINCT external_id FROM {LOST} WHERE external_id <> ''")}
    if not unknown:
        return
    columns = ("external_id", "account_id", "compared_email")
    sql.execute(f"CREATE TEMPORARY TABLE {NAMES} (external_id text, account_id text, compared_email text)")
    named = ((key, *name_of(actor)) for key, actor in uses.names.items() if key in unknown)
    rows = ((key, account, normalize_address(email)) for key, account, email in named)
    bulk.load(connection, NAMES, columns, rows)
    sql.execute(
        f"""
        UPDATE {LOST} SET account_id = n.account_id, compared_email = n.compared_email FROM {NAMES} n
        WHERE n.external_id = {LOST}.external_id
        """
    )
    sql.drop_table(NAMES)


def _find_lost(profile: IntegrationProfile, column: str) -> None:
    """Find seats by one column: the only listed seat of the profile's team that has the value, or the only one at all.

    If two listed seats have it, or no listed one but two that ended, it leads to nobody.
    """
    owners, values = _owners(profile, column, f"SELECT {column} FROM {LOST} WHERE seat_id IS NULL AND {column} <> ''")
    sql.execute(
        f"UPDATE {LOST} SET seat_id = owner.seat_id FROM ({owners}) owner "
        f"WHERE {LOST}.seat_id IS NULL AND owner.found_by = {column}",
        values,
    )


def _owners(profile: IntegrationProfile, column: str, wanted: str) -> tuple[str, list[Any]]:
    """The query for the one seat that each wanted value of a column leads to, with its parameters."""
    listed, values = _listed_condition(profile)
    query = f"""
        SELECT {column} AS found_by, CASE
            WHEN count(CASE WHEN {listed} THEN 1 END) = 1 THEN min(CASE WHEN {listed} THEN id END)
            WHEN count(CASE WHEN {listed} THEN 1 END) = 0 AND count(*) = 1 THEN min(id)
        END AS seat_id
        FROM {SEATS} WHERE profile_id = %s AND {column} IN ({wanted}) GROUP BY {column}
    """
    return query, [*values * 3, profile.pk]


def _listed_condition(profile: IntegrationProfile) -> tuple[str, list[Any]]:
    """The condition for seats that the profile's team lists now, with its parameters."""
    if not profile.team_since:
        return "ended_at IS NULL", []
    return "ended_at IS NULL AND known_since >= %s", [connection.ops.adapt_datetimefield_value(profile.team_since)]


def _find_by_secondary_address(profile: IntegrationProfile, *, listed: bool) -> None:
    """Find the one seat that has an address as a secondary one: among the listed seats of the team, or the others.

    For a listed seat, no other listed seat may have it as its main address; for another seat, none at all. An address
    that two listed seats have leads to nobody, so it is not looked for any further.
    """
    among, values = _listed_condition(profile) if listed else ("1 = 1", [])
    lost = sql.fetch_rows(
        f"""
        SELECT DISTINCT b.compared_email FROM {LOST} b
        WHERE seat_id IS NULL AND b.compared_email <> '' AND NOT EXISTS (
            SELECT 1 FROM {SEATS} t WHERE t.profile_id = %s AND t.compared_email = b.compared_email AND {among}
        )
        """,
        [profile.pk, *values],
    )
    for address, owners in secondary_owners(profile, {address for (address,) in lost}, listed=listed).items():
        change, value = ("seat_id", owners[0]) if len(owners) == 1 else ("compared_email", "")
        sql.execute(f"UPDATE {LOST} SET {change} = %s WHERE seat_id IS NULL AND compared_email = %s", [value, address])


def secondary_owners(profile: IntegrationProfile, wanted: set[str], *, listed: bool) -> dict[str, list[int]]:
    """The seats that have each wanted address as a secondary one."""
    if not wanted:
        return {}
    now_listed = Q(ended_at=None)
    if profile.team_since:
        now_listed &= Q(known_since__gte=profile.team_since)
    seats = Subscription.objects.filter(now_listed if listed else ~now_listed, profile=profile)
    rows = seats.exclude(secondary_emails="").values_list("pk", "secondary_emails")
    owners: dict[str, list[int]] = {}
    for pk, addresses in rows.iterator():
        for address in wanted.intersection(map(normalize_address, addresses.split("\n"))):
            owners.setdefault(address, []).append(pk)
    return owners


def _keep_latest(run_id: int, signal: str) -> None:
    """Store the latest moment of each seat.

    Of equal moments the kind that sorts last wins, in whatever order they came.
    """
    sql.execute(
        f"""
        INSERT INTO {LATEST} (subscription_id, at, kind, signal, run_id)
        SELECT seat_id, latest, kind, %s, %s FROM (
            SELECT f.*, row_number() OVER (PARTITION BY f.seat_id ORDER BY f.latest DESC, f.kind DESC) AS place
            FROM {FOUND} f LEFT JOIN {LATEST} t ON t.subscription_id = f.seat_id
            WHERE t.at IS NULL OR t.at < f.latest
        ) ranked WHERE place = 1 ORDER BY seat_id
        ON CONFLICT (subscription_id) DO UPDATE
        SET at = excluded.at, kind = excluded.kind, signal = excluded.signal, run_id = excluded.run_id
        WHERE excluded.at > {LATEST}.at
        """,
        [signal, run_id],
    )


def _keep_days(reading: int) -> None:
    """Add up the days. Rows are written in the order of the key, so that each page of its index is visited once."""
    larger = f"CASE WHEN {DAYS}.events > {DAYS}.earlier THEN {DAYS}.events ELSE {DAYS}.earlier END"
    sql.execute(
        f"""
        INSERT INTO {DAYS} (subscription_id, day, events, earlier, pull)
        SELECT seat_id, day, sum(events), 0, %s FROM {FOUND}
        WHERE true GROUP BY seat_id, day ORDER BY seat_id, day
        ON CONFLICT (subscription_id, day) DO UPDATE
        SET earlier = CASE WHEN {DAYS}.pull = excluded.pull THEN {DAYS}.earlier ELSE {larger} END,
            events = CASE WHEN {DAYS}.pull = excluded.pull THEN {DAYS}.events ELSE 0 END + excluded.events,
            pull = excluded.pull
        """,
        [reading],
    )


def _note_days() -> None:
    """Note that there was use on these days. Where events of a day were counted, nothing changes."""
    sql.execute(
        f"""
        INSERT INTO {DAYS} (subscription_id, day, events, earlier, pull)
        SELECT seat_id, day, 0, 0, 0 FROM {FOUND}
        WHERE true GROUP BY seat_id, day ORDER BY seat_id, day
        ON CONFLICT (subscription_id, day) DO NOTHING
        """
    )
