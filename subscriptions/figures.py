"""Counts of seats for the pages, computed from published rows whenever they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from profiles.models import IntegrationProfile
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier
from subscriptions.models.subscription import SubscriptionQuerySet

TONES = {
    Subscription.Status.ACTIVE: "good",
    Subscription.Status.INVITED: "info",
    Subscription.Status.SUSPENDED: "warn",
    Subscription.Status.REMOVED: "idle",
    Subscription.Status.UNKNOWN: "idle",
}
USES, USES_NONE = "yes", "no"
UNRECOGNISED = "null"
CURRENT_SEAT = Q(
    identifiers__subscriptions__ended_at=None,
    identifiers__subscriptions__excluded=False,
    identifiers__subscriptions__isnull=False,
)
CONSUMING_SEAT = CURRENT_SEAT & Q(identifiers__subscriptions__consumes_licence=True)


def list_url(**filters: Any) -> str:
    """The subscription list behind a figure."""
    return f"{reverse('subscription_list')}?{urlencode(filters)}"


def by_status(seats: SubscriptionQuerySet, **filters: Any) -> list[dict[str, Any]]:
    """Current seats of every status, for a stacked bar; statuses nobody has are left out."""
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


def software_models() -> QuerySet[SoftwareModel]:
    """Every software model with its current seats and the licences they use."""
    return SoftwareModel.objects.annotate(
        current=Count("identifiers__subscriptions", filter=CURRENT_SEAT),
        consuming=Count("identifiers__subscriptions", filter=CONSUMING_SEAT),
    )


def of_profile(profile: IntegrationProfile) -> dict[str, Any]:
    """Current seats of one profile by software model, unrecognised ones last, with totals and the lists behind them."""
    grouped = Subscription.objects.filter(profile=profile).current().order_by().values_list("identifier")
    counted = list(grouped.annotate(Count("pk"), consuming=Count("pk", filter=Q(consumes_licence=True))))
    known = SubscriptionIdentifier.objects.select_related("software_model").in_bulk([pk for pk, _, _ in counted])
    rows: dict[int | None, dict[str, Any]] = {}
    for pk, current, consuming in counted:
        model = known[pk].software_model
        row = rows.setdefault(
            model.pk if model else None, {"model": model, "identifiers": [], "current": 0, "consuming": 0}
        )
        row["identifiers"].append(known[pk].identifier)
        row["current"] += current
        row["consuming"] += consuming
    for key, row in rows.items():
        row["url"] = list_url(profile=profile.pk, model=key or UNRECOGNISED)
        row["consuming_url"] = list_url(profile=profile.pk, model=key or UNRECOGNISED, licence=USES)
    return {
        "rows": sorted(rows.values(), key=lambda row: (row["model"] is None, str(row["model"]))),
        "current": sum(row["current"] for row in rows.values()),
        "consuming": sum(row["consuming"] for row in rows.values()),
        "url": list_url(profile=profile.pk),
        "consuming_url": list_url(profile=profile.pk, licence=USES),
    }


def by_profile(
    seats: SubscriptionQuerySet, profiles: Iterable[IntegrationProfile] | None = None
) -> list[dict[str, Any]]:
    """Per profile: current seats, licences counted here, and what the vendor reports, side by side.

    The given profiles, in their order; without them, those that hold a current seat, by name.
    """
    if profiles is not None:
        profiles = list(profiles)
        seats = seats.filter(profile__in=profiles)
    grouped = seats.current().order_by().values_list("profile")
    counted = {
        pk: (current, consuming)
        for pk, current, consuming in grouped.annotate(
            current=Count("pk"), consuming=Count("pk", filter=Q(consumes_licence=True))
        )
    }
    if profiles is None:
        profiles = IntegrationProfile.objects.filter(pk__in=counted).order_by("display_name")
    return [
        {"profile": profile, "current": current, "consuming": consuming}
        for profile in profiles
        for current, consuming in [counted.get(profile.pk, (0, 0))]
    ]
