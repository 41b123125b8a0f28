"""Home: the page that reads from more than one app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from profiles import notices
from profiles.models import IntegrationProfile, JobRun
from reclamation import jump, waiting
from reclamation.removal import automatic
from samsaas import roles
from samsaas.lib.http import SignedInRequest
from subscriptions import figures, links
from subscriptions.models import Subscription
from subscriptions.templatetags import coverage

SHOWN = 8
RANK = {"bad": 0, "warn": 1, "info": 2, "idle": 3}
RECENT = 6


def home(request: SignedInRequest) -> HttpResponse:
    """The start page: what needs attention, the figures of all subscriptions, and the latest job runs."""
    if not roles.roles_of(request.user):
        return render(request, "samsaas/no_role.html", {"waiting": waiting.list_for(request.user)})
    profiles = _urgent_first(timezone.now())
    needing = [profile for profile in profiles if profile.notices]
    context = {
        "profiles": figures.by_profile(Subscription.objects.all(), profiles[:SHOWN]),
        "needing": needing,
        "shown": needing[:SHOWN],
        "urgent": any(profile.attention or RANK[profile.notices[0].tone] < RANK["info"] for profile in needing),
        "waiting": waiting.list_for(request.user),
        "runs": JobRun.objects.select_related("profile")[:RECENT],
    }
    return render(request, "samsaas/home.html", context | _seat_figures())


def _seat_figures() -> dict[str, Any]:
    """Counts of the subscriptions, and the vendors' own counts of licenses and seats."""
    by_status = figures.by_status(Subscription.objects.all())
    return {
        "by_status": by_status,
        "current": sum(part["value"] for part in by_status),
        "consuming": Subscription.objects.consuming().count(),
        "leavers": Subscription.objects.current().of_leavers(timezone.localdate()).count(),
        "leavers_url": links.list_url(user=links.LEFT),
        "reported": IntegrationProfile.objects.aggregate(
            licensed=Sum("licenses_reported"), used=Sum("seats_used_reported")
        ),
    }


def _urgent_first(now: datetime) -> list[Any]:
    """All profiles with their `notices`, most urgent first."""
    profiles: list[Any] = list(IntegrationProfile.objects.select_related("alias").order_by("display_name"))
    needs = notices.urgent_by_profile(profiles, now)
    for profile in profiles:
        profile.notices = needs[profile.pk]
    coverage.add_gaps(profiles)
    jump.add_notices(profiles, now)
    automatic.add_notices(profiles, now)
    return sorted(profiles, key=lambda one: (not one.attention, min((RANK[n.tone] for n in one.notices), default=9)))
