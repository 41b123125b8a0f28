"""Counts of seats for the pages, computed from published rows whenever they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from profiles.models import IntegrationProfile
from subscriptions.models import SoftwareModel, Subscription

TONES = {
    Subscription.Status.ACTIVE: "good",
    Subscription.Status.INVITED: "info",
    Subscription.Status.SUSPENDED: "warn",
    Subscription.Status.REMOVED: "idle",
    Subscription.Status.UNKNOWN: "idle",
}
CURRENT_SEAT = Q(identifiers__subscriptions__ended_at=None, identifiers__subscriptions__isnull=False)
CONSUMING_SEAT = CURRENT_SEAT & Q(identifiers__subscriptions__consumes_licence=True)


def list_url(**filters: Any) -> str:
    """The subscription list behind a figure."""
    return f"{reverse('subscription_list')}?{urlencode(filters)}"


def by_status(seats: QuerySet[Subscription], **filters: Any) -> list[dict[str, Any]]:
    """Current seats of every status, for a stacked bar; statuses nobody has are left out."""
    counted = dict(seats.filter(ended_at=None).order_by().values_list("status").annotate(Count("pk")))
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


def by_profile(
    seats: QuerySet[Subscription], profiles: Iterable[IntegrationProfile] | None = None
) -> list[dict[str, Any]]:
    """Per profile: current seats, licences counted here, and what the vendor reports, side by side.

    The given profiles, in their order; without them, those that hold a current seat, by name.
    """
    if profiles is not None:
        profiles = list(profiles)
        seats = seats.filter(profile__in=profiles)
    grouped = seats.filter(ended_at=None).order_by().values_list("profile")
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
