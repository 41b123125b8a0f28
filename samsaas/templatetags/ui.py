"""Template tags and filters of all pages: icons, status pills, times, numbers, charts, and permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from samsaas import handbook, navigation, policy
from samsaas.lib import person_zone
from samsaas.lib.markup import NOTHING, breakable, icon, number, outside, pill, visible

register = template.Library()
for tag in (icon, pill):
    register.simple_tag(tag)
for text_filter in (breakable, number, outside, visible):
    register.filter(text_filter)

UNITS = ((60, "minute"), (3600, "hour"), (86400, "day"), (30 * 86400, "month"), (365 * 86400, "year"))


@register.filter
def ending_in(text: str, mark: str) -> str:
    """The text, and a drawing that stays on the line of the last word."""
    before, space, last = str(text).rpartition(" ")
    return format_html('{}{}<span class="whole">{}{}</span>', before, space, last, mark)


@register.simple_tag(takes_context=True)
def may(context: RequestContext, url_name: str, method: str = "GET") -> bool:
    """Whether the signed-in account may call that page: `{% may 'profile_new' as allowed %}`."""
    request = context.get("request")
    user = getattr(request, "user", None)  # a door may refuse a request before anybody has asked who it is
    return user is not None and policy.may(user, url_name, method=method)


@register.simple_tag(takes_context=True, name="navigation")
def workspace_navigation(context: RequestContext) -> list[navigation.Group]:
    """The groups and items this account may open."""
    request = context.get("request")
    return navigation.for_request(request) if request else []


@register.simple_tag(takes_context=True)
def help_address(context: RequestContext) -> str:
    """Where *Help* on this page leads."""
    match = getattr(context.get("request"), "resolver_match", None)
    return handbook.address_for(match.view_name if match else "")


@register.inclusion_tag("partials/place.html", takes_context=True)
def place(context: RequestContext) -> dict[str, Any]:
    """The first breadcrumbs of a page: its headings in the navigation, and the list above it."""
    request = context.get("request")
    group, item = (navigation.current_place(request) if request else None) or (None, None)
    return {"group": group, "item": item, "is_itself": bool(item and request and request.path == item.url)}


@register.simple_block_tag
def notice(content: str, title: str = "", *, tone: str = "info", action_url: str = "", action_label: str = "") -> str:
    """A notice whose text is longer than a line: `{% notice "Title" tone="bad" %}The text.{% endnotice %}`."""
    context = {"title": title, "text": content if content.strip() else "", "tone": tone}
    return render_to_string("partials/notice.html", context | {"action_url": action_url, "action_label": action_label})


@register.simple_block_tag
def empty_state(content: str, title: str, *, icon_name: str = "", action_url: str = "", action_label: str = "") -> str:
    """What stands where a list would be: `{% empty_state "No rule" icon_name="link" %}Why.{% endempty_state %}`."""
    context = {"title": title, "text": content if content.strip() else "", "icon_name": icon_name}
    return render_to_string("partials/empty.html", context | {"action_url": action_url, "action_label": action_label})


def in_words(seconds: float) -> str:
    """A duration in its largest whole unit, such as "3 days"."""
    size, unit = next(((size, unit) for size, unit in reversed(UNITS) if seconds >= size), (0, ""))
    if not unit:
        return "less than a minute"
    amount = int(seconds // size)
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


def time_element(moment: datetime, text: str) -> str:
    utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M:%S"), text
    )


@register.filter
def ago(moment: datetime | None, never: str = "") -> str:
    """How long ago, with the exact UTC time as tooltip. `never` is the text if there is no time."""
    if moment is None:
        return never or NOTHING
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) < 60:
        return time_element(moment, "just now" if seconds >= 0 else "in a moment")
    return time_element(moment, f"{in_words(seconds)} ago" if seconds > 0 else f"in {in_words(-seconds)}")


@register.filter
def when(moment: datetime | None) -> str:
    """Date and time in the zone of the person who reads, with the exact UTC time as tooltip."""
    return NOTHING if moment is None else time_element(moment, person_zone.describe_moment(moment))


@register.filter
def day(moment: datetime | None) -> str:
    """The date in the installation's zone, with the exact UTC time as tooltip."""
    return NOTHING if moment is None else time_element(moment, timezone.localtime(moment).strftime("%-d %b %Y"))


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as `2 h 05 min`, `3 min 20 s` or `1.4 s`, on one line."""
    if seconds is None:
        return NOTHING
    if seconds < 0.1:
        return "under\N{NO-BREAK SPACE}0.1\N{NO-BREAK SPACE}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def lasting(since: datetime | None) -> str:
    """How long something has been going on, as `duration` shows it."""
    return NOTHING if since is None else duration(max((timezone.now() - since).total_seconds(), 0))


@register.filter
def amount_lines(amounts: Mapping[str, Decimal], preferred: str = "") -> list[str]:
    """Amounts by currency, such as EUR 1,200.00, each a line, never added up. The preferred currency comes first."""
    ordered = sorted(amounts, key=lambda currency: (currency != preferred, currency))
    return [f"{currency} {amounts[currency]:,}" for currency in ordered]


@register.filter
def row_span(table: Any) -> str:
    """Which rows of how many a page shows: `1–25 of 248`; a count that was cut off says so, one that is to come too."""
    page, rows = table.page, table.paginator
    if getattr(rows, "is_counting", False):
        return f"{number(page.start_index())}–{number(page.start_index() + len(page) - 1)} of"
    more = "more than " if getattr(rows, "is_cut", False) else ""
    return f"{number(page.start_index())}–{number(page.end_index())} of {more}{number(rows.count)}"


@register.filter
def lines(text: str) -> list[str]:
    """The lines of a text that are not empty."""
    return [line for line in (text or "").splitlines() if line.strip()]


@register.inclusion_tag("partials/stacked_bar.html")
def stacked_bar(title: str, parts: Sequence[Any]) -> dict[str, Any]:
    """Shares of a whole as one SVG bar and a table. A part has `label`, `value`, `tone` and optionally `url`."""
    total = sum(part["value"] for part in parts)
    start, drawn = 0.0, []
    for part in parts:
        width = 100 * part["value"] / total if total else 0
        drawn.append({**part, "start": f"{start:.3f}", "width": f"{width:.3f}", "share": f"{width:.0f} %"})
        start += width
    words = ", ".join(f"{part['value']:,} {part['label'].lower()}" for part in parts if part["value"])
    return {"title": title, "parts": drawn, "total": total, "words": words or "nothing"}


@register.filter
def readable(value: Any) -> str:
    """Nested data, such as the detail of an audit entry, as lists and words instead of JSON."""
    if isinstance(value, dict):
        pairs = [(visible(key).replace("_", " "), readable(entry)) for key, entry in value.items()]
        return format_html('<dl class="readable">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", pairs))
    if isinstance(value, list | tuple):
        if all(isinstance(entry, str | int | float) for entry in value):
            return ", ".join(visible(entry) for entry in value) or "none"
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", [(readable(entry),) for entry in value]))
    if value is None or value == "":
        return "empty"
    return ("yes" if value else "no") if isinstance(value, bool) else breakable(str(value))
