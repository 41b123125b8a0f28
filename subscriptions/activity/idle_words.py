"""For how long a seat is surely unused, in a few words. The seats come from `last_used.with_idle_facts`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html

from samsaas.lib.markup import number
from subscriptions.activity import last_used
from subscriptions.activity.coverage import reasons
from subscriptions.activity.last_used import Idle


def describe_days(seat: Any, idle: Idle | None) -> str:
    """The days without use: a number, at least a number, or that it is not known."""
    if idle is None:
        return number(None) if seat.ended_at else "Unknown"
    return number(idle.days) if idle.is_exact else f"≥ {number(idle.days)}"


def describe_evidence(seat: Any, idle: Idle | None) -> str:
    """What those days rest on. Where nothing is known, it takes queries to say why, which a list cannot afford."""
    if seat.ended_at:
        return "The subscription has ended."
    if idle is None:
        return "Not covered. The page of the subscription says why."
    since = f"{timezone.localtime(idle.since):%-d %b %Y}"
    if not idle.is_exact:
        return f"None since {since} (at least {_days(idle)}). {reasons.why_only_since(seat, seat.vouched_from)}"
    if idle.never_used:
        return f"None since it was assigned on {since} ({_days(idle)})."
    return "All the time since then was read."


def describe_last_use(seat: Any, now: datetime) -> str:
    """The day of the last use, or what no known use means."""
    latest = getattr(seat, "last_activity", None)
    if latest is not None:
        return f"{timezone.localtime(latest.at):%-d %b %Y}"
    idle = last_used.idle(seat, now)
    if idle is None:
        known = seat.unused_since is not None
        label = last_used.LABELS[last_used.NEVER_ACTIVE if known else last_used.NOT_COVERED]
        return format_html('<span class="muted">{}</span>', label)
    least = "" if idle.is_exact else "at least "
    at = timezone.localtime(idle.since)
    since = f"{at:%-d %b}" if at.year == timezone.localtime(now).year else f"{at:%-d %b %Y}"
    return format_html('<span class="muted" title="Never active: {}{}">None since {}</span>', least, _days(idle), since)


def _days(idle: Idle) -> str:
    return f"{number(idle.days)} day{'' if idle.days == 1 else 's'}"
