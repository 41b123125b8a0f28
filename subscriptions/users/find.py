# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""User resolution rules as SQL: which person each seat leads to, as a temporary table.

A rule matches a seat if the value it reads leads to one person (see `claims`). The first rule that finds somebody
decides. Only a rule that finds somebody who is here goes before an earlier one that finds somebody of the past.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.models import Match, ResolutionRule, Subscription
from subscriptions.users import claims

SEATS, MATCHES = Subscription._meta.db_table, Match._meta.db_table
WANTED, NOBODY = "match_wanted", "SELECT 0"
Source, Transform = ResolutionRule.Source, ResolutionRule.Transform
ScopedRule = tuple[ResolutionRule, Sequence[IntegrationProfile]]


def rules_for(profile: IntegrationProfile) -> list[ResolutionRule]:
    """The active rules that apply to a profile, in order."""
    return [rule for rule, profiles in scoped_rules([profile]) if profiles]


def scoped_rules(profiles: Sequence[IntegrationProfile]) -> list[ScopedRule]:
    """The active rules in order, each with those of the given profiles that it applies to."""
    rules = ResolutionRule.objects.filter(active=True).prefetch_related("profiles")
    return [(rule, applicable(rule.scoped, rule.profiles.all(), profiles)) for rule in rules]


def applicable(
    scoped: bool, chosen: Iterable[IntegrationProfile], profiles: Sequence[IntegrationProfile]
) -> list[IntegrationProfile]:
    """Those of the profiles that a rule applies to: the chosen ones if it was made for chosen ones (`scoped`)."""
    keys = {profile.pk for profile in chosen}
    return [profile for profile in profiles if not scoped or profile.pk in keys]


def store_wanted(rules: Sequence[ScopedRule], *, asked: str = "", freed: str = NOBODY) -> None:
    """Fill the table `WANTED`: seat, person, rule, and whether that is of the past. `claims` must be stored.

    With `asked`, a table with a column `seat_id`, only those seats are looked at. Seats that were matched by hand are
    left out, unless it was with somebody of `freed`, a SELECT of people. `drop_wanted` removes the table.
    """
    drop_wanted()
    sql.execute(
        f"CREATE TEMPORARY TABLE {WANTED} (seat_id bigint PRIMARY KEY, person_id bigint, rule_id bigint, past integer)"
    )
    by_hand = f"SELECT 1 FROM {MATCHES} m WHERE m.subscription_id = t.id AND m.rule_id IS NULL"
    earlier = f"SELECT 1 FROM {WANTED} w WHERE w.seat_id = t.id AND w.past = 0"
    among = f"AND t.id IN (SELECT seat_id FROM {asked})" if asked else ""
    for rule, profiles in rules:
        if not profiles:
            continue
        select, values = select_matches(rule, profiles)
        sql.execute(
            f"INSERT INTO {WANTED} (seat_id, person_id, rule_id, past) {select} {among} "
            f"AND NOT EXISTS ({by_hand} AND m.person_id NOT IN ({freed})) AND NOT EXISTS ({earlier}) "
            f"ON CONFLICT (seat_id) DO UPDATE SET person_id = excluded.person_id, rule_id = excluded.rule_id, "
            f"past = excluded.past WHERE {WANTED}.past = 1 AND excluded.past = 0",
            [rule.pk or 0, *values],
        )
    sql.analyze(WANTED)


def drop_wanted() -> None:
    """Drop the temporary table, if it is there."""
    sql.drop_table(WANTED)


def select_matches(rule: ResolutionRule, profiles: Sequence[IntegrationProfile]) -> tuple[str, list[Any]]:
    """SELECT seat, person, rule, past … WHERE …, with its values. The caller may add conditions.

    The first parameter of the statement is the rule's key, which the caller puts before the returned values.
    """
    value, values = looked_up_value(rule)
    condition, keys = seats_condition(rule, profiles)
    select = f"SELECT t.id AS seat_id, c.person_id, CAST(%s AS bigint) AS rule_id, c.past FROM {SEATS} t"
    return f"{select} JOIN {claims.TABLES[rule.lookup]} c ON c.found_by = {value} WHERE {condition}", [*values, *keys]


def seats_condition(rule: ResolutionRule, profiles: Sequence[IntegrationProfile]) -> tuple[str, list[Any]]:
    """The condition for current seats (t) of these profiles, at least one, that have the value the rule reads."""
    keys = [profile.pk for profile in profiles]
    verified = "AND t.email_verified" if rule.source == Source.EMAIL else ""
    in_profiles = f"t.profile_id IN ({', '.join(['%s'] * len(keys))})"
    return f"{in_profiles} AND t.ended_at IS NULL AND NOT t.excluded AND {compared_column(rule)} <> '' {verified}", keys


def compared_column(rule: ResolutionRule) -> str:
    """The column of the seat (t) with the value that the rule reads, as it is compared."""
    return "t.compared_employee_id" if rule.source == Source.EMPLOYEE_ID else "t.compared_email"


def looked_up_value(rule: ResolutionRule) -> tuple[str, list[Any]]:
    """The value that the rule looks up: its source column, transformed, with parameters."""
    value = compared_column(rule)
    if rule.transform == Transform.NONE:
        return value, []
    if sql.is_postgresql():
        local = f"split_part({value}, '@', 1)"
    else:
        local = f"CASE WHEN instr({value}, '@') > 0 THEN substr({value}, 1, instr({value}, '@') - 1) ELSE {value} END"
    if rule.transform == Transform.REMOVE_DOMAIN:
        return f"({local})", []
    return f"({local} || '@' || %s)", [rule.new_domain]
