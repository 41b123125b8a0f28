"""For how long a seat is surely unused, in sentences, and what limits the evidence.

The seats come from `last_used.with_idle_facts`.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html

from profiles.models import IntegrationProfile
from samsaas.lib.text_forms import normalize_name
from samsaas.templatetags.ui import number
from subscriptions.activity import last_used
from subscriptions.activity.coverage import reasons

register = template.Library()

NO_FILE_EVENTS = (
    "The plan of this team records no file events. Somebody who only works with files, and never signs in again, looks "
    "idle."
)


@register.filter
def idle_days(seat: Any) -> str:
    """The days of a seat without use: a number, at least a number, or that it is not known."""
    idle = last_used.idle(seat, timezone.now())
    if idle is None:
        return number(None) if seat.ended_at else "Unknown"
    return number(idle.days) if idle.is_exact else f"≥ {number(idle.days)}"


@register.filter
def idle_sentence(seat: Any) -> str:
    """What the days of `idle_days` rest on. Two queries where nothing is known, to say why."""
    now = timezone.now()
    if seat.ended_at is None and last_used.idle(seat, now) is None:
        return reasons.why_not_covered(seat, now) or reasons.NEVER_READ
    return idle_hint(seat)


@register.filter
def idle_hint(seat: Any) -> str:
    """As `idle_sentence`, without a query, for lists."""
    idle = last_used.idle(seat, timezone.now())
    if seat.ended_at:
        return "The subscription has ended."
    if idle is None:
        return "Not covered. The page of the subscription says why."
    since = f"{timezone.localtime(idle.since):%-d %b %Y}"
    days = f"{number(idle.days)} day{'' if idle.days == 1 else 's'}"
    if not idle.is_exact:
        return f"None since {since} (at least {days}). {reasons.why_only_since(seat, seat.vouched_from)}"
    if idle.never_used:
        return f"None since it was assigned on {since} ({days})."
    return "All the time since then was read."


@register.filter
def last_use(seat: Any) -> str:
    """The day of a seat's last use, or what no known use means."""
    latest = getattr(seat, "last_activity", None)
    if latest is not None:
        return f"{timezone.localtime(latest.at):%-d %b %Y}"
    idle = last_used.idle(seat, timezone.now())
    if idle is None:
        known = seat.unused_since is not None
        label = last_used.LABELS[last_used.NEVER_ACTIVE if known else last_used.NOT_COVERED]
        return format_html('<span class="muted">{}</span>', label)
    least = "" if idle.is_exact else "at least "
    days = f"{number(idle.days)} day{'' if idle.days == 1 else 's'}"
    at = timezone.localtime(idle.since)
    since = f"{at:%-d %b}" if at.year == timezone.localtime().year else f"{at:%-d %b %Y}"
    return format_html('<span class="muted" title="Never active: {}{}">None since {}</span>', least, days, since)


@register.filter
def file_events_missing(profile: IntegrationProfile) -> str:
    """The warning for a profile whose plan records no file events; empty for any other."""
    return NO_FILE_EVENTS if profile.file_events is False else ""


@register.filter
def has_name_of_user(seat: Any) -> bool:
    """Whether the account is called as its user is, so that a list need not name both."""
    return normalize_name(seat.display_name) == normalize_name(seat.match.person.name)
