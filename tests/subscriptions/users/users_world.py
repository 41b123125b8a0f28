"""Seats and whose they are, as the rules find it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from subscriptions.matching import match, resolve
from subscriptions.models import Match, Subscription
from tests import factories


def seat(address: str, **fields: Any) -> Subscription:
    """A seat with a verified address, in a profile of its own unless one is given."""
    fields.setdefault("profile", None)
    fields["profile"] = fields["profile"] or factories.profile(refreshed_at=timezone.now())
    return factories.subscription(**{"email": address, "email_verified": True, **fields})


def user_of(one: Subscription) -> str:
    """The employee number of the seat's user after the rules were applied; empty if it has none."""
    with transaction.atomic():
        resolve.update_matches(match.rules_for(one.profile), one.profile, now=timezone.now())
    found = Match.objects.filter(subscription=one).select_related("person").first()
    return found.person.key if found else ""
