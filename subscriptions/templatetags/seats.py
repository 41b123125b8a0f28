"""Figures of subscriptions for pages of other apps, and the use of a seat in sentences."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.utils.html import format_html

from profiles.models import IntegrationProfile
from samsaas.lib.markup import number, outside
from subscriptions import figures
from subscriptions.activity.by_day import FRESH, GAP, KNOWN, Day, TableLine
from subscriptions.matching.suggest import Suggestion
from subscriptions.models import LastActivity

register = template.Library()

READ = {KNOWN: "Fully read", FRESH: "Read; late events may be missing", GAP: "Not, or not fully, read"}
QUIET = {KNOWN: "no activity", FRESH: "nothing seen yet", GAP: "not known"}


@register.simple_tag
def seats_of(profile: IntegrationProfile) -> dict[str, Any]:
    """A profile's current seats by software model, with totals and links to the lists."""
    return figures.of_profile(profile)


@register.filter
def read_how(latest: LastActivity) -> str:
    """What the latest activity was, which signal told of it, and the run that read it."""
    what = format_html("<code>{}</code>, {}", outside(latest.kind), latest.get_signal_display().lower())
    if latest.run is None:
        return what
    return format_html('{}, read by <a href="{}">run #{}</a>', what, latest.run.get_absolute_url(), latest.run_id)


@register.filter
def no_user(seat: Any) -> str:
    """Why a subscription has no user."""
    if seat.excluded:
        return "the subscription is excluded by a rule."
    if seat.ended_at:
        return "the subscription has ended."
    return "no resolution rule leads to exactly one person."


@register.filter
def holds(suggestion: Suggestion) -> str:
    """How many seats a suggested person holds, and whether one of them is in the same profile."""
    seats = getattr(suggestion.person, "seats", 0)
    held = _counted(seats, "subscription") if seats else "no subscription"
    if not suggestion.holds_here:
        return f"holds {held}"
    return format_html("holds {}, <strong>one in this profile already</strong>", held)


@register.filter
def day_in_words(day: Day) -> str:
    """A day of the drawing: what was seen on it, or what nothing seen means."""
    if not day.events:
        return f"{_dated(day.day)}: {QUIET[day.state]}"
    return f"{_dated(day.day)}: {number(day.events)}{', not the whole day was read' if day.state == GAP else ''}"


@register.filter
def days_in_words(daily: dict[str, Any]) -> str:
    """The whole drawing for who cannot see it."""
    span = f"from {_dated(daily['since'])} to {_dated(daily['until'])}"
    seen = f"{number(daily['events'])} on {daily['active_days']} of {len(daily['bars'])} days"
    gap = f"{daily['gap_days']} days are not known"
    return f"Activity per day {span}: {seen}; {gap}. The table below says the same."


@register.filter
def days_seen(daily: dict[str, Any]) -> str:
    """How many days were active, and how active the busiest was."""
    if not daily["events"]:
        return "No activity seen"
    return f"{_counted(daily['active_days'], 'active day')}, at most {number(daily['most'])} a day"


@register.filter
def days_unknown(daily: dict[str, Any]) -> str:
    """How many days nobody read."""
    return f"{_counted(daily['gap_days'], 'day')} not known"


@register.filter
def line_events(line: TableLine) -> str:
    """The number of a line of the table; none where nobody looked."""
    return "not known" if line.state == GAP and not line.events else number(line.events)


@register.filter
def line_read(line: TableLine) -> str:
    """How far the days of a line were read."""
    return READ[line.state]


@register.filter
def line_days(line: TableLine) -> str:
    """The day of a line, or the stretch of days alike."""
    return _dated(line.since) if line.until == line.since else f"{_dated(line.since)} to {_dated(line.until)}"


def _dated(day: date) -> str:
    return f"{day:%-d %b %Y}"


def _counted(amount: int, what: str) -> str:
    return f"{number(amount)} {what}{'' if amount == 1 else 's'}"
