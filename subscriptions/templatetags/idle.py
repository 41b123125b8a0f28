"""For how long a seat is surely unused, in sentences, and what limits the evidence.

The seats come from `last_used.with_idle_facts`.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from profiles.models import IntegrationProfile
from subscriptions.activity import idle_words, last_used
from subscriptions.activity.coverage import reasons

register = template.Library()

NO_FILE_EVENTS = (
    "The plan of this team records no file events. Somebody who only works with files, and never signs in again, looks "
    "idle."
)


@register.filter
def idle_days(seat: Any) -> str:
    """The days of a seat without use."""
    return idle_words.describe_days(seat, last_used.idle(seat, timezone.now()))


@register.filter
def idle_sentence(seat: Any) -> str:
    """What the days of `idle_days` rest on. Two queries where nothing is known, to say why."""
    now = timezone.now()
    idle = last_used.idle(seat, now)
    if seat.ended_at is None and idle is None:
        return reasons.why_not_covered(seat, now) or reasons.NEVER_READ
    return idle_words.describe_evidence(seat, idle)


@register.filter
def last_use(seat: Any) -> str:
    """The day of a seat's last use, or what no known use means."""
    return idle_words.describe_last_use(seat, timezone.now())


@register.filter
def file_events_missing(profile: IntegrationProfile) -> str:
    """The warning for a profile whose plan records no file events; empty for any other."""
    return NO_FILE_EVENTS if profile.file_events is False else ""
