# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Exclusion rules as one statement: which seats are left out, and marking those that changed sides."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from profiles.models import IntegrationProfile
from subscriptions.models import IdentifierExclusion, Subscription, UserExclusion
from subscriptions.resolve import normal

SEATS = Subscription._meta.db_table
ESCAPE = "\\"


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


def _condition(profile: IntegrationProfile) -> tuple[str, list[Any]]:
    mine = Q(active=True) & (Q(profile=None) | Q(profile=profile))
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
