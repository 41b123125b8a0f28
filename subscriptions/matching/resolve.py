# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Update the matches that user resolution rules make: find the person of each seat, and write what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions import history
from subscriptions.models import ResolutionRule
from subscriptions.users import claims, find
from subscriptions.users.find import MATCHES, SEATS, WANTED

CHANGING = "match_changing"


@dataclass(frozen=True)
class Changes:
    """How many matches by rule are new, how many changed their person or rule, and how many are gone."""

    new: int
    changed: int
    gone: int


def update_matches(rules: list[ResolutionRule], profile: IntegrationProfile, *, now: datetime) -> Changes:
    """Update the profile's matches by rule and write only those that differ. Call it in a transaction."""
    claims.store_claims((rule.lookup for rule in rules), claims.STORED, timezone.localdate(now))
    find.store_wanted([(rule, [profile]) for rule in rules])
    changes = _write_matches(profile, now)
    find.drop_wanted()
    claims.drop_claims()
    return changes


def _keep_former(profile: IntegrationProfile, now: datetime) -> None:
    """Keep the facts of seats whose user is about to change. First users are no change, so a first matching keeps none.

    The table is made first, because the planner knows nothing of the seats that will pass.
    """
    earlier, values = history.has_earlier_user(now)
    sql.drop_table(CHANGING)
    sql.execute(
        f"""
        CREATE TEMPORARY TABLE {CHANGING} AS SELECT t.id
        FROM {SEATS} t LEFT JOIN {MATCHES} m ON m.subscription_id = t.id LEFT JOIN {WANTED} w ON w.seat_id = t.id
        WHERE t.profile_id = %s AND t.valid_since < %s AND {earlier}
            AND (m.subscription_id IS NULL OR m.rule_id IS NOT NULL)
            AND coalesce(m.person_id, 0) <> coalesce(w.person_id, 0)
        """,
        [profile.pk, history.driver_time(history.midnight(now)), *values],
    )
    if sql.count_rows(CHANGING):
        history.keep_former(f"SELECT id FROM {CHANGING}", [], now=now)
    sql.drop_table(CHANGING)


def _write_matches(profile: IntegrationProfile, now: datetime) -> Changes:
    _keep_former(profile, now)
    by_rule = f"m.rule_id IS NOT NULL AND m.subscription_id IN (SELECT id FROM {SEATS} WHERE profile_id = %s)"
    gone = sql.execute(
        f"DELETE FROM {MATCHES} WHERE rule_id IS NOT NULL "
        f"AND subscription_id IN (SELECT m.subscription_id FROM {MATCHES} m WHERE {by_rule} "
        f"AND NOT EXISTS (SELECT 1 FROM {WANTED} w WHERE w.seat_id = m.subscription_id))",
        [profile.pk],
    )
    moment = connection.ops.adapt_datetimefield_value(now)
    changed = sql.execute(
        f"UPDATE {MATCHES} AS m SET person_id = w.person_id, rule_id = w.rule_id, at = %s FROM {WANTED} w "
        f"WHERE w.seat_id = m.subscription_id AND m.rule_id IS NOT NULL "  # not those made by hand meanwhile
        f"AND (m.person_id <> w.person_id OR m.rule_id <> w.rule_id)",
        [moment],
    )
    # No NOT EXISTS: PostgreSQL would scan a table that was empty before anew for every row it inserts.
    new = sql.execute(
        f"INSERT INTO {MATCHES} (subscription_id, person_id, rule_id, by_id, at) "
        f"SELECT w.seat_id, w.person_id, w.rule_id, NULL, %s FROM {WANTED} w WHERE true "
        f"ON CONFLICT (subscription_id) DO NOTHING",
        [moment],
    )
    return Changes(new=new, changed=changed, gone=gone)
