# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Exclusion rules as one statement: which seats are left out, by which rule, and marking those that changed sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from profiles.models import IntegrationProfile
from subscriptions.models import IdentifierExclusion, Subscription, UserExclusion
from subscriptions.resolve import normal

SEATS = Subscription._meta.db_table
ESCAPE = "\\"
SAMPLE = 10


@dataclass(frozen=True)
class Preview:
    """What a rule leaves out on its own: how many listed seats, `already` of them left out now, where, and a few."""

    total: int
    already: int
    by_profile: list[tuple[IntegrationProfile, int]]
    sample: list[Subscription]


def apply(profile: IntegrationProfile) -> int:
    """Mark and unmark the profile's listed seats; returns how many changed sides."""
    condition, values = _condition(profile)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {SEATS} SET excluded = NOT excluded "
            f"WHERE profile_id = %s AND ended_at IS NULL AND excluded <> ({condition})",
            [profile.pk, *values],
        )
        return int(cursor.rowcount)


def left_out_by(rule: IdentifierExclusion | UserExclusion) -> QuerySet[Subscription]:
    """The listed seats this rule, saved or not, leaves out on its own: its preview."""
    seats = Subscription.objects.listed()
    if rule.profile_id:
        seats = seats.filter(profile=rule.profile_id)
    if isinstance(rule, IdentifierExclusion):
        return seats.filter(identifier=rule.identifier_id)
    return seats.extra(where=[f"{normal('email')} LIKE %s ESCAPE '{ESCAPE}'"], params=[_like(rule)])  # noqa: S610


def preview(rule: IdentifierExclusion | UserExclusion) -> Preview:
    """What the rule, saved or not, would leave out."""
    seats = left_out_by(rule)
    grouped = (
        seats.order_by().values_list("profile").annotate(Count("pk"), already=Count("pk", filter=Q(excluded=True)))
    )
    counted = {profile: (total, already) for profile, total, already in grouped}
    return Preview(
        total=sum(total for total, _ in counted.values()),
        already=sum(already for _, already in counted.values()),
        by_profile=[(one, counted[one.pk][0]) for one in IntegrationProfile.objects.filter(pk__in=counted)],
        # Not by name: looking for a rare address along that index reads every row in no order.
        sample=list(seats.order_by("pk")[:SAMPLE]),
    )


def rules_for(seat: Subscription) -> list[IdentifierExclusion | UserExclusion]:
    """The active rules that leave this seat out, each on its own. Three queries, however many rules there are."""
    mine = _mine(seat.profile_id)
    by_type = IdentifierExclusion.objects.filter(mine, identifier=seat.identifier_id).select_related("identifier")
    by_user = list(UserExclusion.objects.filter(mine))
    if not by_user:
        return [*by_type]
    patterns, values = _patterns(by_user)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{patterns} SELECT r.position FROM rules r JOIN {SEATS} t ON {normal('t.email')} LIKE r.pattern "
            f"ESCAPE '{ESCAPE}' WHERE t.id = %s ORDER BY r.position",
            [*values, seat.pk],
        )
        return [*by_type, *(by_user[position] for (position,) in cursor.fetchall())]


def count_by_identifier(rules: Sequence[IdentifierExclusion]) -> dict[int, int]:
    """How many seats each active rule leaves out now, by the rule's key. One query."""
    wanted = [rule for rule in rules if rule.active]
    left_out = Subscription.objects.left_out().filter(identifier__in={rule.identifier_id for rule in wanted})
    counted = list(left_out.order_by().values_list("identifier", "profile").annotate(Count("pk")))
    return {
        rule.pk: sum(
            count
            for identifier, profile, count in counted
            if identifier == rule.identifier_id and rule.profile_id in (None, profile)
        )
        for rule in wanted
    }


def count_by_user(rules: Sequence[UserExclusion]) -> dict[int, int]:
    """How many seats each active rule leaves out now, by the rule's key. One query over the seats left out."""
    wanted = [rule for rule in rules if rule.active]
    if not wanted:
        return {}
    patterns, values = _patterns(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{patterns} SELECT r.position, count(t.id) FROM rules r LEFT JOIN {SEATS} t ON t.excluded "
            f"AND t.ended_at IS NULL AND (r.profile_id = 0 OR r.profile_id = t.profile_id) "
            f"AND {normal('t.email')} LIKE r.pattern ESCAPE '{ESCAPE}' GROUP BY r.position",
            values,
        )
        return {wanted[position].pk: count for position, count in cursor.fetchall()}


def _patterns(rules: Sequence[UserExclusion]) -> tuple[str, list[Any]]:
    """The rules as a table: their place in the sequence, their profile (0: every one), and what an address is like."""
    row = "(CAST(%s AS integer), CAST(%s AS bigint), CAST(%s AS text))"
    values: list[Any] = []
    for position, rule in enumerate(rules):
        values += [position, rule.profile_id or 0, _like(rule)]
    return f"WITH rules (position, profile_id, pattern) AS (VALUES {', '.join([row] * len(rules))})", values


def _mine(profile_id: int) -> Q:
    return Q(active=True) & (Q(profile=None) | Q(profile=profile_id))


def _condition(profile: IntegrationProfile) -> tuple[str, list[Any]]:
    mine = _mine(profile.pk)
    parts: list[str] = []
    values: list[Any] = []
    identifiers = list(IdentifierExclusion.objects.filter(mine).values_list("identifier", flat=True))
    if identifiers:
        parts.append(f"identifier_id IN ({', '.join(['%s'] * len(identifiers))})")
        values += identifiers
    for rule in UserExclusion.objects.filter(mine):
        parts.append(f"{normal('email')} LIKE %s ESCAPE '{ESCAPE}'")
        values.append(_like(rule))
    nobody = "1 = 0"
    return " OR ".join(parts) or nobody, values


def _like(rule: UserExclusion) -> str:
    """The rule as a LIKE pattern; only * is special to its author."""
    text = f"*@{rule.domain}" if rule.domain else rule.pattern
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text.replace("*", "%")
