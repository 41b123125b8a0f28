"""The cells of the list of subscriptions, which is the longest of all."""

from __future__ import annotations

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from samsaas.lib.markup import NOTHING, outside, pill, visible
from samsaas.lib.text_forms import normalize_name
from subscriptions.activity import idle_words, last_used
from subscriptions.models import Subscription

NO_FILE_EVENTS = SafeString('<span class="sub">no file events</span>')


def write_name(seat: Subscription) -> str:
    role = "Full admin" if seat.is_full_admin else "Admin" if seat.is_admin else ""
    mark = format_html(" {}", pill("connected", role)) if role else ""
    return format_html('<a href="{}">{}</a>{}', seat.get_absolute_url(), outside(seat.title), mark)


def write_model(seat: Subscription) -> str:
    model = seat.identifier.software_model
    return format_html('<span title="{0}">{0}</span>', str(model)) if model else pill("unknown", "Unrecognized")


def write_profile(seat: Subscription) -> str:
    name = seat.profile.display_name
    return format_html('<span class="clamp" title="{}">{}</span>', visible(name), outside(name))


def write_status(seat: Subscription) -> str:
    if seat.ended_at:
        return pill("ended", "Ended")
    status = pill(seat.status, seat.get_status_display())
    return format_html("{} {}", status, pill("canceled", "Excluded")) if seat.excluded else status


def write_license(seat: Subscription) -> str:
    return pill("yes", "Yes") if seat.takes_license else pill("no", "No")


def write_user(seat: Subscription) -> str:
    """Who uses it; *same* where the account is called as they are, so that a list need not name both."""
    match = getattr(seat, "match", None)
    if match is None:
        return NOTHING
    person = match.person
    left = format_html("{} ", pill("removed", "Left")) if person.has_left else ""
    is_same = normalize_name(seat.display_name) == normalize_name(person.name)
    title = format_html(' title="{}"', visible(person.name)) if is_same else ""
    name = "same" if is_same else outside(person.name)
    return format_html('{}<a class="quiet" href="{}"{}>{}</a>', left, person.get_absolute_url(), title, name)


def write_last_use(seat: Subscription) -> str:
    return idle_words.describe_last_use(seat, timezone.now())


def write_idle_days(seat: Subscription) -> str:
    idle = last_used.idle(seat, timezone.now())
    days, evidence = idle_words.describe_days(seat, idle), idle_words.describe_evidence(seat, idle)
    blind = NO_FILE_EVENTS if seat.profile.file_events is False and not seat.ended_at else ""
    return format_html('<span title="{}">{}</span>{}', evidence, days, blind)
