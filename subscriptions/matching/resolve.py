# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""User resolution rules as SQL: find the person of each seat, and update the matches.

Addresses are compared as `models.normalize_address` writes them: trimmed, with ASCII letters in lower case. A rule
matches a seat only if its value leads to exactly one person. Seats that an earlier rule or somebody by hand has matched
are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.addresses import normalized_sql
from subscriptions.models import Match, Person, PersonAddress, ResolutionRule, Subscription

SEATS, MATCHES = Subscription._meta.db_table, Match._meta.db_table
PEOPLE, ADDRESSES = Person._meta.db_table, PersonAddress._meta.db_table
WANTED = "match_wanted"


@dataclass(frozen=True)
class Changes:
    """How many matches by rule are new, how many changed their person or rule, and how many are gone."""

    new: int
    changed: int
    gone: int


def update_matches(rules: list[ResolutionRule], profile: IntegrationProfile, *, now: datetime) -> Changes:
    """Update the profile's matches by rule and write only those that differ. Call it in a transaction."""
    sql.drop_table(WANTED)
    sql.execute(f"CREATE TEMPORARY TABLE {WANTED} (seat_id bigint PRIMARY KEY, person_id bigint, rule_id bigint)")
    for rule in rules:
        select, values = select_matches(rule, [profile])
        by_hand = f"SELECT 1 FROM {MATCHES} m WHERE m.subscription_id = t.id AND m.rule_id IS NULL"
        earlier = f"SELECT 1 FROM {WANTED} w WHERE w.seat_id = t.id"
        sql.execute(
            f"INSERT INTO {WANTED} (seat_id, person_id, rule_id) {select} "
            f"AND NOT EXISTS ({by_hand}) AND NOT EXISTS ({earlier}) {ONE_PERSON}",
            [rule.pk, *values],
        )
    changes = _write_matches(profile, now)
    sql.drop_table(WANTED)
    return changes


ONE_PERSON = "GROUP BY t.id HAVING count(DISTINCT p.person_id) = 1"


def select_matches(rule: ResolutionRule, profiles: Sequence[IntegrationProfile]) -> tuple[str, list[Any]]:
    """SELECT seat, person, rule … WHERE …, with its values. The caller adds conditions and the GROUP BY.

    The first parameter of the statement is the rule's key, which the caller puts before the returned values.
    """
    value, values = looked_up_value(rule)
    asked, keys = seats_condition(rule, profiles)
    select = f"SELECT t.id, min(p.person_id), CAST(%s AS bigint) FROM {SEATS} t JOIN ({select_people(rule)}) p"
    return f"{select} ON p.found_by = {value} WHERE {asked}", [*values, *keys]


def select_people(rule: ResolutionRule) -> str:
    """A SELECT of every person with every value by which the rule could find them."""
    if rule.lookup == ResolutionRule.Lookup.KEY:
        return f"SELECT id AS person_id, {normalized_sql('key')} AS found_by FROM {PEOPLE}"
    return f"SELECT person_id, address AS found_by FROM {ADDRESSES}"


def seats_condition(rule: ResolutionRule, profiles: Sequence[IntegrationProfile]) -> tuple[str, list[Any]]:
    """The condition for current seats (t) of these profiles, at least one, that have the value the rule reads."""
    keys = [profile.pk for profile in profiles]
    verified = "AND t.email_verified" if rule.source == ResolutionRule.Source.EMAIL else ""
    in_profiles = f"t.profile_id IN ({', '.join(['%s'] * len(keys))})"
    return f"{in_profiles} AND t.ended_at IS NULL AND NOT t.excluded AND {source_column(rule)} <> '' {verified}", keys


def source_column(rule: ResolutionRule) -> str:
    """The column of the seat (t) that the rule reads."""
    return "t.employee_id" if rule.source == ResolutionRule.Source.EMPLOYEE_ID else "t.email"


def looked_up_value(rule: ResolutionRule) -> tuple[str, list[Any]]:
    """The value that the rule looks up: its source column, normalized and transformed, with parameters."""
    return _transform_value(rule, normalized_sql(source_column(rule)))


def _transform_value(rule: ResolutionRule, value: str) -> tuple[str, list[Any]]:
    if rule.transform == ResolutionRule.Transform.NONE:
        return value, []
    if sql.is_postgresql():
        local = f"split_part({value}, '@', 1)"
    else:
        local = f"CASE WHEN instr({value}, '@') > 0 THEN substr({value}, 1, instr({value}, '@') - 1) ELSE {value} END"
    if rule.transform == ResolutionRule.Transform.REMOVE_DOMAIN:
        return f"({local})", []
    return f"({local} || '@' || %s)", [rule.new_domain]


def _write_matches(profile: IntegrationProfile, now: datetime) -> Changes:
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
    new = sql.execute(
        f"INSERT INTO {MATCHES} (subscription_id, person_id, rule_id, by_id, at) "
        f"SELECT w.seat_id, w.person_id, w.rule_id, NULL, %s FROM {WANTED} w "
        f"WHERE NOT EXISTS (SELECT 1 FROM {MATCHES} m WHERE m.subscription_id = w.seat_id) "
        f"ON CONFLICT (subscription_id) DO NOTHING",
        [moment],
    )
    return Changes(new=new, changed=changed, gone=gone)
