# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""What a position rests on, and how old that is: kept with the run, printed with every figure, and signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.history import SEATS
from subscriptions.models import Entitlement
from subscriptions.question import PositionQuestion


def describe(
    question: PositionQuestion, listed: Mapping[int, Mapping[str, int]], in_force: Iterable[Entitlement]
) -> dict[str, Any]:
    """The inputs. `unknown` profiles have nothing to say of that day, so a total without them is not whole.

    `recorded_later` are entitlements that were in force on that day and were recorded after it.
    """
    first = _first_listings() if question.at else {}
    profiles = [
        {
            "id": one.pk,
            "name": one.display_name,
            "vendor": one.vendor,
            "refreshed_at": one.refreshed_at.isoformat() if one.refreshed_at else None,
            "known": _is_known(one, question, first),
            "counts": dict(listed.get(one.pk, {})),
        }
        for one in IntegrationProfile.objects.order_by("pk")
        if one.status == IntegrationProfile.Status.PUBLISHED or one.pk in listed
    ]
    rights = sorted(in_force, key=lambda one: one.pk)
    return {
        "profiles": profiles,
        "unknown": [one["name"] for one in profiles if not one["known"]],
        "entitlements": len(rights),
        "entitlement_versions": sha256(" ".join(f"{one.pk}.{one.version}" for one in rights).encode()).hexdigest(),
        "recorded_later": [one.number for one in rights if question.at and one.created_at >= question.at],
    }


def _is_known(profile: IntegrationProfile, question: PositionQuestion, first: Mapping[int, datetime]) -> bool:
    """Whether a list of the profile had been published by then."""
    if question.at is None:
        return profile.refreshed_at is not None
    return profile.pk in first and first[profile.pk] < question.at


def _first_listings() -> dict[int, datetime]:
    """When each profile first listed seats."""
    rows = sql.fetch_rows(f"SELECT profile_id, min(first_seen_at) FROM {SEATS} GROUP BY profile_id")
    return {profile: sql.as_moment(moment) for profile, moment in rows}
