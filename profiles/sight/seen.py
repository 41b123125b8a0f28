"""Which profiles an account may see. `SIGHT_OF` names this, so that lists know of it without knowing profiles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from profiles.models import IntegrationProfile, LimitedSight
from samsaas import roles
from samsaas.lib import sight
from samsaas.lib.sight import Sight


def sight_of(user: Any) -> Sight:
    """The keys of all profiles of its limits; None for an account without any, and for administrators always."""
    if not isinstance(user, User) or roles.is_administrator(user):
        return None
    found = list(LimitedSight.objects.filter(accounts=user).values_list("profiles", flat=True))
    return frozenset(filter(None, found)) if found else None


def list_seen(request: Any) -> QuerySet[IntegrationProfile]:
    """The profiles that the person of a request may see, by name, whatever the page is about."""
    seen = sight.sight_of(request.user)
    every = IntegrationProfile.objects.all()
    return every if seen is None else every.filter(pk__in=seen)


def blind_to(profile_id: int | None) -> set[int]:
    """The keys of the accounts that may not see a profile: they are told nothing about it. One query."""
    seeing = LimitedSight.objects.filter(profiles__in=[profile_id] if profile_id else [], accounts__isnull=False)
    limited = User.objects.filter(limited_sights__isnull=False).exclude(pk__in=seeing.values("accounts"))
    return set(limited.exclude(pk__in=roles.accounts_with(roles.ADMIN).values("pk")).values_list("pk", flat=True))


def remember_sights(users: Iterable[User]) -> None:
    """Read what many accounts may see, in two queries for all of them."""
    limits: dict[int, set[int]] = {}
    rows = LimitedSight.objects.exclude(accounts=None).values_list("accounts", "profiles")
    for account, profile in rows:
        limits.setdefault(account, set()).update([profile] if profile else [])
    for user in users:
        is_limited = user.pk in limits and not roles.is_administrator(user)
        setattr(user, sight.CACHE, frozenset(limits[user.pk]) if is_limited else None)
