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
        _of_vendor(vendor, {key: figures[key] for key in sorted(keys) if key in figures})
        for vendor, keys in sorted(models.items())
    ]


def _of_vendor(vendor: str, rows: Mapping[int, MetricResult]) -> dict[str, Any]:
    """What the difference is made of is kept with it: the rights of every model, and the licenses of every team."""
    models = [{"model": key, "owned": _owned(row)} for key, row in rows.items()]
    teams = _list_teams(vendor)
    owned, reported = (
        _add([one["owned"] for one in models]),
        _add([one["reported"] for one in teams]) if teams else None,
    )
    found = {"vendor": vendor, "owned": owned, "reported": reported, "drift": _difference(owned, reported)}
    return {**found, "models": models, "teams": teams}


def _owned(row: MetricResult) -> int | None:
    return None if row.unlimited else row.owned


def _list_teams(vendor: str) -> list[dict[str, Any]]:
    """The licenses of every team of the vendor, each team once, by the first profile that was told a number."""
    teams: dict[str, dict[str, Any]] = {}
    for one in IntegrationProfile.objects.filter(vendor=vendor).order_by("pk"):
        team = one.team_id or f"profile {one.pk}"
        if team not in teams or teams[team]["reported"] is None:
            teams[team] = {"profile": one.pk, "name": one.display_name, "reported": one.licenses_reported}
    return list(teams.values())


def _add(numbers: Sequence[int | None]) -> int | None:
    """The sum; None if one of them is not known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _difference(here: int | None, there: int | None) -> int | None:
    return None if here is None or there is None else here - there
