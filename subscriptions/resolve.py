# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""User resolution rules as statements: which person each seat leads to, and making the matches say so.

Addresses are compared as `models.normalised` writes them: trimmed, ASCII letters lowered. A rule finds a person only
where its value leads to exactly one; what an earlier rule or a hand has matched is left alone.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from profiles.models import IntegrationProfile
from subscriptions.models import Match, Person, PersonAddress, ResolutionRule, Subscription

SEATS, MATCHES = Subscription._meta.db_table, Match._meta.db_table
PEOPLE, ADDRESSES = Person._meta.db_table, PersonAddress._meta.db_table
WANTED = "match_wanted"
SAMPLE = 20


@dataclass(frozen=True)
class Changes:
    """How many matches by rule are new, lead to another person or rule now, or are gone."""

    new: int
    changed: int
    gone: int


@dataclass(frozen=True)
class Preview:
    """What a rule would match on its own: how many seats of how many people, and the first of them."""

    seats: int
    people: int
    sample: list[tuple[int, int]]


def normal(expression: str) -> str:
    """SQL for `models.normalised`: PostgreSQL's own lower() knows more letters than ours, SQLite's just ASCII."""
    if connection.vendor == "postgresql":
        return f"translate(btrim({expression}), '{string.ascii_uppercase}', '{string.ascii_lowercase}')"
    return f"lower(trim({expression}))"


def apply(rules: list[ResolutionRule], profile: IntegrationProfile, *, now: datetime) -> Changes:
    """Bring the profile's matches by rule up to date, touching only those that differ. Call it in a transaction."""
    _execute(f"DROP TABLE IF EXISTS {WANTED}")
    _execute(f"CREATE TEMPORARY TABLE {WANTED} (seat_id bigint PRIMARY KEY, person_id bigint, rule_id bigint)")
    for rule in rules:
        select, values = _leads(rule, profile)
        by_hand = f"SELECT 1 FROM {MATCHES} m WHERE m.subscription_id = t.id AND m.rule_id IS NULL"
        earlier = f"SELECT 1 FROM {WANTED} w WHERE w.seat_id = t.id"
        _execute(
            f"INSERT INTO {WANTED} (seat_id, person_id, rule_id) {select} "
            f"AND NOT EXISTS ({by_hand}) AND NOT EXISTS ({earlier}) {ONE_PERSON}",
            [rule.pk, *values],
        )
    changes = _write(profile, now)
    _execute(f"DROP TABLE {WANTED}")
    return changes


ONE_PERSON = "GROUP BY t.id HAVING count(DISTINCT p.person_id) = 1"


def preview(rule: ResolutionRule, profiles: list[IntegrationProfile]) -> Preview:
    """What the rule, saved or not, would find among all current seats of these profiles."""
    seats, people = 0, set[int]()
    sample: list[tuple[int, int]] = []
    for profile in profiles:
        select, values = _leads(rule, profile)
        named = f"WITH found (seat_id, person_id, rule_id) AS ({select} {ONE_PERSON})"
        found = f"{named} SELECT seat_id, person_id FROM found"
        given = [rule.pk or 0, *values]
        with connection.cursor() as cursor:
            cursor.execute(f"{named} SELECT count(*) FROM found", given)
            seats += int(cursor.fetchone()[0])
            cursor.execute(f"{named} SELECT DISTINCT person_id FROM found", given)
            people |= {person for (person,) in cursor.fetchall()}
            if len(sample) < SAMPLE:
                cursor.execute(f"{found} ORDER BY seat_id LIMIT {SAMPLE - len(sample)}", given)
                sample += [(int(seat), int(person)) for seat, person in cursor.fetchall()]
    return Preview(seats, len(people), sample)


def _leads(rule: ResolutionRule, profile: IntegrationProfile) -> tuple[str, list[Any]]:
    """SELECT seat, person, rule … WHERE …, to be narrowed and grouped by the caller."""
    column = "employee_id" if rule.source == ResolutionRule.Source.EMPLOYEE_ID else "email"
    value, values = _transformed(rule, normal(f"t.{column}"))
    if rule.lookup == ResolutionRule.Lookup.KEY:
        people = f"SELECT id AS person_id, {normal('key')} AS found_by FROM {PEOPLE}"
    else:
        people = f"SELECT person_id, address AS found_by FROM {ADDRESSES}"
    verified = "AND t.email_verified" if rule.source == ResolutionRule.Source.EMAIL else ""
    select = (
        f"SELECT t.id, min(p.person_id), %s FROM {SEATS} t JOIN ({people}) p ON p.found_by = {value} "
        f"WHERE t.profile_id = %s AND t.ended_at IS NULL AND NOT t.excluded AND t.{column} <> '' {verified}"
    )
    return select.replace("%s FROM", "CAST(%s AS bigint) FROM"), [*values, profile.pk]


def _transformed(rule: ResolutionRule, value: str) -> tuple[str, list[Any]]:
    if rule.transform == ResolutionRule.Transform.NONE:
        return value, []
    if connection.vendor == "postgresql":
        local = f"split_part({value}, '@', 1)"
    else:
        local = f"CASE WHEN instr({value}, '@') > 0 THEN substr({value}, 1, instr({value}, '@') - 1) ELSE {value} END"
    if rule.transform == ResolutionRule.Transform.REMOVE_DOMAIN:
        return f"({local})", []
    return f"({local} || '@' || %s)", [rule.new_domain]


def _write(profile: IntegrationProfile, now: datetime) -> Changes:
    ours = f"m.rule_id IS NOT NULL AND m.subscription_id IN (SELECT id FROM {SEATS} WHERE profile_id = %s)"
    gone = _execute(
        f"DELETE FROM {MATCHES} WHERE rule_id IS NOT NULL "
        f"AND subscription_id IN (SELECT m.subscription_id FROM {MATCHES} m WHERE {ours} "
        f"AND NOT EXISTS (SELECT 1 FROM {WANTED} w WHERE w.seat_id = m.subscription_id))",
        [profile.pk],
    )
    moment = connection.ops.adapt_datetimefield_value(now)
    changed = _execute(
        f"UPDATE {MATCHES} AS m SET person_id = w.person_id, rule_id = w.rule_id, at = %s FROM {WANTED} w "
        f"WHERE w.seat_id = m.subscription_id AND m.rule_id IS NOT NULL "  # one made by hand just now stays
        f"AND (m.person_id <> w.person_id OR m.rule_id <> w.rule_id)",
        [moment],
    )
    new = _execute(
        f"INSERT INTO {MATCHES} (subscription_id, person_id, rule_id, by_id, at) "
        f"SELECT w.seat_id, w.person_id, w.rule_id, NULL, %s FROM {WANTED} w "
        f"WHERE NOT EXISTS (SELECT 1 FROM {MATCHES} m WHERE m.subscription_id = w.seat_id) "
        f"ON CONFLICT (subscription_id) DO NOTHING",
        [moment],
    )
    return Changes(new=new, changed=changed, gone=gone)


def _execute(statement: str, values: list[Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
