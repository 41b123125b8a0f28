# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Keep what seats were before: call it in the transaction that changes a fact, before the change is written.

The facts are the seat type, the status, whether it consumes a license, whether it is excluded, whose it is, and whether
the vendor lists it. The present value is the seat's own row, valid since `valid_since`. A value is kept, and
`valid_since` moves, only if the value stood at the end of a local day: a position is asked for as of that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from samsaas.lib import sql
from subscriptions.models import Match, Subscription, SubscriptionVersion

SEATS, MATCHES = Subscription._meta.db_table, Match._meta.db_table
VERSIONS = SubscriptionVersion._meta.db_table


def midnight(now: datetime) -> datetime:
    """The moment at which the local day of `now` began."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def keep_former(seats: str, values: Sequence[Any], *, now: datetime) -> int:
    """Keep the facts of these seats, one of which is about to change. Returns how many were kept.

    `seats` is a SELECT of ids, `values` are its parameters.
    """
    began = driver_time(midnight(now))
    kept = sql.execute(
        f"""
        INSERT INTO {VERSIONS} (subscription_id, since, until, identifier_id, status, consumes_license, excluded,
            person_id, listed)
        SELECT t.id, t.valid_since, %s, t.identifier_id, t.status, t.consumes_license, t.excluded,
            m.person_id, t.ended_at IS NULL
        FROM {SEATS} t LEFT JOIN {MATCHES} m ON m.subscription_id = t.id
        WHERE t.valid_since < %s AND t.id IN ({seats})
        """,
        [driver_time(now), began, *values],
    )
    if kept:
        sql.execute(
            f"UPDATE {SEATS} SET valid_since = %s WHERE valid_since < %s AND id IN ({seats})",
            [driver_time(now), began, *values],
        )
    return kept


def keep_former_of(seats: Iterable[int], *, now: datetime) -> int:
    """As `keep_former`, for a few seats that are known by their ids."""
    keys = list(seats)
    return keep_former(f"SELECT id FROM {SEATS} WHERE id IN ({places(keys)})", keys, now=now) if keys else 0


def has_earlier_user(now: datetime) -> tuple[str, list[Any]]:
    """The condition for seats (t), joined with their matches (m), whose change of user is a change of facts.

    The first user a seat gets is taken for its user from the beginning: whose it was was only not found out yet. So is
    one that takes the place of the first one on the same day.
    """
    return "(t.valid_since <> t.first_seen_at OR m.at < %s)", [driver_time(midnight(now))]


def keep_before_match(seats: Iterable[int], *, now: datetime) -> int:
    """Keep the facts of these few seats, whose user is about to change, unless they get their first one."""
    keys = list(seats)
    condition, values = has_earlier_user(now)
    chosen = (
        f"SELECT t.id FROM {SEATS} t LEFT JOIN {MATCHES} m ON m.subscription_id = t.id "
        f"WHERE t.id IN ({places(keys)}) AND {condition}"
    )
    return keep_former(chosen, [*keys, *values], now=now) if keys else 0


def places(values: Sequence[Any]) -> str:
    """As many placeholders as there are values."""
    return ", ".join(["%s"] * len(values))


def driver_time(moment: datetime) -> Any:
    """The moment in the form the database's driver takes."""
    return connection.ops.adapt_datetimefield_value(moment)
