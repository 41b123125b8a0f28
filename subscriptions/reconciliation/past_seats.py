"""The subscriptions behind *listed = counted + aside* of a day that is over: as they were at its end.

The same rules as `subscriptions.counting` has for now and `read_facts` for a whole position, as conditions for a list.
What led to a software model, and what is under management, is as it is known today, as in the run itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q

from subscriptions.counting import shared_profiles
from subscriptions.models import Subscription, SubscriptionVersion
from subscriptions.models.subscription import SubscriptionQuerySet
from subscriptions.reconciliation.read_facts import ASIDE, COUNTED

KINDS = (COUNTED, *ASIDE)
USES = {"excluded": False, "consumes_license": True}
MODEL = "identifier__software_model"


def list_seats(kind: str, at: datetime) -> SubscriptionQuerySet:
    """The subscriptions that were counted, or aside for this reason, at a moment."""
    seats = Subscription.objects.all()
    if kind == "excluded":
        return seats.filter(_was(at, excluded=True))
    if kind == "no_license":
        return seats.filter(_was(at, excluded=False, consumes_license=False))
    twice = _was_twice(at)
    if kind == "duplicate":
        return seats.filter(_was(at, **USES), twice) if twice else seats.none()
    of_model: dict[str, Any] = {
        "unrecognized": {f"{MODEL}__isnull": True},
        "not_managed": {f"{MODEL}__under_management": False},
        COUNTED: {f"{MODEL}__under_management": True},
    }[kind]
    found = seats.filter(_was(at, **USES, **of_model))
    return found.exclude(twice) if twice else found


def _was(at: datetime, **facts: Any) -> Q:
    """Listed at that moment with these facts: the present ones, if they stood then already, or former ones."""
    former = SubscriptionVersion.objects.filter(
        since__lt=at, until__gte=at, listed=True, subscription__valid_since__gte=at, **facts
    )
    return Q(ended_at=None, valid_since__lt=at, **facts) | Q(pk__in=former.order_by().values("subscription"))


def _was_twice(at: datetime) -> Q | None:
    """Whether an earlier profile of the same team had a seat of the account then. None: no team has two profiles."""
    shared = shared_profiles()
    if not shared:
        return None
    earlier = Subscription.objects.filter(
        _was(at, **USES),
        profile__in=shared,
        profile__vendor=OuterRef("profile__vendor"),
        profile__team_id=OuterRef("profile__team_id"),
        profile__lt=OuterRef("profile"),
        external_id=OuterRef("external_id"),
    )
    return Q(profile__in=shared) & Q(Exists(earlier))
