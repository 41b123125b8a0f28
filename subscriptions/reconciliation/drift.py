"""How far the vendor's own counts are from what is counted here. What the vendor did not say is not known, never 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from profiles.models import IntegrationProfile
from subscriptions.models import MetricResult


def in_use(consuming: Mapping[int, int]) -> list[dict[str, Any]]:
    """For each profile: subscriptions that consume a license here, and per vendor, and the difference."""
    return [
        {
            "profile": one.pk,
            "name": one.display_name,
            "counted": consuming.get(one.pk, 0),
            "reported": one.seats_used_reported,
            "drift": _difference(consuming.get(one.pk, 0), one.seats_used_reported),
        }
        for one in IntegrationProfile.objects.order_by("pk")
    ]


def in_rights(models: Mapping[str, Sequence[int]], figures: Mapping[int, MetricResult]) -> list[dict[str, Any]]:
    """For each vendor with subscriptions: rights owned of their models, licenses per vendor, and the difference."""
    return [
        _of_vendor(vendor, [figures[key] for key in sorted(keys) if key in figures])
        for vendor, keys in sorted(models.items())
    ]


def _of_vendor(vendor: str, rows: Sequence[MetricResult]) -> dict[str, Any]:
    owned = None if any(row.unlimited for row in rows) else sum(row.owned for row in rows)
    reported = _licenses_reported(vendor)
    return {"vendor": vendor, "owned": owned, "reported": reported, "drift": _difference(owned, reported)}


def _licenses_reported(vendor: str) -> int | None:
    """The licenses of all teams of the vendor, each team once; None if one of them has not said."""
    teams: dict[str, int | None] = {}
    for one in IntegrationProfile.objects.filter(vendor=vendor).order_by("pk"):
        team = one.team_id or f"profile {one.pk}"
        if teams.get(team) is None:
            teams[team] = one.licenses_reported
    numbers = [number for number in teams.values() if number is not None]
    return sum(numbers) if teams and len(numbers) == len(teams) else None


def _difference(here: int | None, there: int | None) -> int | None:
    return None if here is None or there is None else here - there
