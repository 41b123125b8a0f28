"""Which subscriptions count now in the license position, and why the others do not: lists behind its figures.

The same rules as those of a reconciliation, as conditions for the list of subscriptions. Every listed subscription is
counted, or aside for the first reason that applies: excluded, no license, listed twice, unrecognized, not managed.
"""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from profiles.models import IntegrationProfile
from subscriptions.links import EXCLUDED, USES_NONE, list_url
from subscriptions.models import Subscription
from subscriptions.models.subscription import SubscriptionQuerySet

COUNTED, DUPLICATE, UNRECOGNIZED, NOT_MANAGED = "counted", "duplicate", "unrecognized", "not_managed"
# What the list of subscriptions can be narrowed to beside its own filters.
POSITIONS = [
    (COUNTED, "Counted"),
    (DUPLICATE, "Listed twice"),
    (UNRECOGNIZED, "Unrecognized"),
    (NOT_MANAGED, "Not managed"),
]


def shared_profiles() -> list[int]:
    """Profiles that are connected to the same team as another one. An unknown team is nobody else's."""
    rows = list(IntegrationProfile.objects.exclude(team_id="").order_by("pk").values_list("pk", "vendor", "team_id"))
    numbers = Counter((vendor, team) for _, vendor, team in rows)
    return [key for key, vendor, team in rows if numbers[vendor, team] > 1]


def in_position(seats: SubscriptionQuerySet, position: str) -> SubscriptionQuerySet:
    """Those of the subscriptions that count now, or are aside for one of the reasons of `POSITIONS`."""
    found = seats.consuming()
    twice = is_twice()
    if position == DUPLICATE:
        return found.filter(twice) if twice else found.none()
    once = found.exclude(twice) if twice else found
    if position == UNRECOGNIZED:
        return once.filter(identifier__software_model=None)
    if position == NOT_MANAGED:
        return once.filter(identifier__software_model__under_management=False)
    return once.filter(identifier__software_model__under_management=True)


def counted() -> SubscriptionQuerySet:
    """The subscriptions that count now."""
    return in_position(Subscription.objects.all(), COUNTED)


def is_twice() -> Q | None:
    """The condition for subscriptions that do not count, because an earlier profile of the same team has the account.

    None: no team has two profiles.
    """
    shared = shared_profiles()
    if not shared:
        return None
    earlier = Subscription.objects.consuming().filter(
        profile__in=shared,
        profile__vendor=OuterRef("profile__vendor"),
        profile__team_id=OuterRef("profile__team_id"),
        profile__lt=OuterRef("profile"),
        external_id=OuterRef("external_id"),
    )
    return Q(profile__in=shared) & Q(Exists(earlier))


def url_of_aside(kind: str) -> str:
    """The list of the subscriptions that are aside for this reason now."""
    filters = {"excluded": {"seats": EXCLUDED}, "no_license": {"license": USES_NONE}}
    return list_url(**filters.get(kind, {"position": kind}))


def url_of_candidates(**filters: object) -> str:
    """The list of the open removal candidates on subscriptions that count, narrowed further."""
    return f"{reverse('candidate_list')}?{urlencode({'counted': 'true', **filters})}"
