"""Figures of subscriptions for pages of other apps, and the inactive days of a seat."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from profiles.models import IntegrationProfile
from subscriptions import figures
from subscriptions.activity import last_used
from subscriptions.software import figures as software_figures

register = template.Library()


@register.simple_tag
def seats_of(profile: IntegrationProfile) -> dict[str, Any]:
    """A profile's current seats by software model, with totals and links to the lists."""
    return figures.of_profile(profile)


@register.simple_tag
def unrecognized_identifiers() -> dict[str, int]:
    """How many subscription identifiers have no software model, and how many current seats they have."""
    return software_figures.count_unrecognized()


@register.filter
def inactive_days(at: datetime) -> int:
    """Whole days since the latest activity."""
    return last_used.inactive_days(at, timezone.now())
