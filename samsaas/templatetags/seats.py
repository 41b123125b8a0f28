"""Figures of subscriptions for pages of other apps."""

from __future__ import annotations

from typing import Any

from django import template

from profiles.models import IntegrationProfile
from subscriptions import figures

register = template.Library()


@register.simple_tag
def seats_of(profile: IntegrationProfile) -> dict[str, Any]:
    """A profile's current seats by software model, their totals, and the lists behind them."""
    return figures.of_profile(profile)
