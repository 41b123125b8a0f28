"""Counts of seats for the pages. They are computed from the published rows each time a page is shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from profiles.models import IntegrationProfile
from subscriptions.activity import last_used
from subscriptions.links import EXCLUDED, UNRECOGNIZED, USES, list_url
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier
from subscriptions.models.subscription import SubscriptionQuerySet

TONES = {
    Subscription.Status.ACTIVE: "good",
    Subscription.Status.INVITED: "info",
    Subscription.Status.SUSPENDED: "warn",
    Subscription.Status.REMOVED: "idle",
    Subscription.Status.UNKNOWN: "idle",
}
# Listed seats are either current or excluded: current + left_out = listed.
SIDE_CONDITIONS = {
    "current": Q(excluded=False),
    "consuming": Q(excluded=False, consumes_license=True),
    "left_out": Q(excluded=True),
}
SIDES = {name: Count("pk", filter=condition) for name, condition in SIDE_CONDITIONS.items()}


def by_status(seats: SubscriptionQuerySet, **filters: Any) -> list[dict[str, Any]]:
    """How many current seats have each status, for a stacked bar. A status that no seat has is omitted."""
    counted = dict(seats.current().order_by().values_list("status").annotate(Count("pk")))
    return [
        {
            "label": status.label,
            "value": counted[status.value],
            "tone": TONES[status],
            "url": list_url(status=status.value, **filters),
        }
        for status in Subscription.Status
        if counted.get(status.value)
    ]


def of_profile(profile: IntegrationProfile) -> dict[str, Any]:
    """Listed seats of one profile by software model, unrecognized ones last, with totals and links to the lists.

    Listed = current + excluded.
    """
    grouped = Subscription.objects.filter(profile=profile).listed().order_by().values_list("identifier")
    counted = {pk: counts for pk, *counts in grouped.annotate(**SIDES)}
    known = SubscriptionIdentifier.objects.select_related("software_model").in_bulk(counted)
    rows: dict[int | None, dict[str, Any]] = {}
    for pk, counts in counted.items():
        model = known[pk].software_model
        key = model.pk if model else None
        row = rows.setdefault(key, _model_row(profile, model))
        row["identifiers"].append(known[pk].identifier)
        for name, count in zip(SIDES, counts, strict=True):
            row[name] += count
    totals = {name: sum(row[name] for row in rows.values()) for name in SIDES}
    return totals | {
        "rows": sorted(rows.values(), key=lambda row: (row["model"] is None, str(row["model"]))),
        "listed": totals["current"] + totals["left_out"],
        "url": list_url(profile=profile.pk),
        "consuming_url": list_url(profile=profile.pk, license=USES),
        "left_out_url": list_url(profile=profile.pk, seats=EXCLUDED),
    }


def _model_row(profile: IntegrationProfile, model: SoftwareModel | None) -> dict[str, Any]:
    filters = {"profile": profile.pk, "model": model.pk if model else UNRECOGNIZED}
    return dict.fromkeys(SIDES, 0) | {
        "model": model,
        "identifiers": [],
        "url": list_url(**filters),
        "consuming_url": list_url(**filters, license=USES),
    }


def by_profile(
    seats: SubscriptionQuerySet, profiles: Iterable[IntegrationProfile] | None = None
) -> list[dict[str, Any]]:
    """Per profile: current seats, licenses in use as counted here, and excluded seats, beside what the vendor reports.

    The given profiles in their order; if none are given, those that have a listed seat, by name.
    """
    if profiles is not None:
        profiles = list(profiles)
        seats = seats.filter(profile__in=profiles)
    counted = {pk: counts for pk, *counts in seats.listed().order_by().values_list("profile").annotate(**SIDES)}
    if profiles is None:
        profiles = IntegrationProfile.objects.filter(pk__in=counted).order_by("display_name")
    nothing = [0] * len(SIDES)
    return [
        {"profile": profile} | dict(zip(SIDES, counted.get(profile.pk, nothing), strict=True)) for profile in profiles
    ]


def totals(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """The sums of the rows of `by_profile`."""
    rows = list(rows)
    return {name: sum(row[name] for row in rows) for name in SIDES}


def by_last_activity(seats: SubscriptionQuerySet, now: datetime, **filters: Any) -> list[dict[str, Any]]:
    """Current seats per band of last activity, for a chart. Every bar, and the gap in it, has a link to its rows.

    Widths are in percent of the longest bar.
    """
    return draw_bands(last_used.count_by_band(seats, now), **filters)


def draw_bands(rows: list[dict[str, Any]], **filters: Any) -> list[dict[str, Any]]:
    """The bands of last activity with the widths of their bars, and the links of `by_last_activity`."""
    most = max(row["value"] for row in rows) or 1
    return [
        row
        | {
            "width": f"{100 * row['value'] / most:.2f}",
            "gaps_width": f"{100 * row['gaps'] / most:.2f}",
            "url": list_url(**filters, activity=row["key"]),
            "gaps_url": list_url(**filters, activity=row["key"], coverage=last_used.GAP),
        }
        for row in rows
    ]
