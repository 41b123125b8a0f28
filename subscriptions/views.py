"""The list of software subscriptions, its export, and the page of one subscription."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django_tables2 import A

from samsaas import audit
from samsaas.lib import csv_export, selection, selection_bar, tables
from samsaas.lib.list_choices import columns_shown
from subscriptions.activity import by_day as daily_activity, last_used
from subscriptions.exclusions import exclude
from subscriptions.exclusions.exclude_selected import UNDO
from subscriptions.filters import SubscriptionFilter
from subscriptions.models import LastActivity, Subscription
from subscriptions.models.subscription import SubscriptionQuerySet
from subscriptions.selection import SUBSCRIPTIONS, allowed_actions, visible_subscriptions
from subscriptions.tables import OF_THE_PERSON, SubscriptionTable

ALL_FACTS = "CSV with all facts"

HEADER = (
    "Display name",
    "User principal name",
    "Software model",
    "Subscription identifier",
    "Subscription profile",
    "Status",
    "Uses a license",
    "Subscription assigned (UTC)",
    "External user id",
    "Employee id",
    "First seen (UTC)",
    "Ended (UTC)",
    "Excluded",
    "User",
    "User left on",
    "Last activity (UTC)",
    "Inactive days",
    "Inactive days are",
    "Activity coverage",
    "File events",
    *(heading for heading, _ in OF_THE_PERSON),
)


IDLE_COLUMNS, USER_COLUMNS = {"last_activity", "inactive_days"}, {"user", "department", "cost_center", "country"}


def with_row_facts(seats: SubscriptionQuerySet, shown: Collection[str] = ()) -> SubscriptionQuerySet:
    """The seats with all that a row shows; `shown` are the columns of a list, otherwise it is everything."""
    every = seats.select_related("profile", "identifier__software_model")
    if not shown or USER_COLUMNS & set(shown):
        every = every.select_related("match__person")
    if not shown or IDLE_COLUMNS & set(shown):
        every = last_used.with_idle_facts(every.select_related("last_activity"), timezone.now())
    return every


def subscription_list(request: HttpRequest) -> HttpResponse:
    """The seats of all profiles. Without a filter only current ones are listed."""
    describe = partial(with_row_facts, shown=columns_shown(request, SubscriptionTable))
    seats, chosen = visible_subscriptions(request), selection.read_for_file(request, SUBSCRIPTIONS)
    context = tables.listing(request, seats, SubscriptionTable, SubscriptionFilter, describe=describe, chosen=chosen)
    selection_bar.prepare_page(request, context, SUBSCRIPTIONS, allowed_actions(request))
    context["undo"] = request.session.get(UNDO)
    context["more_files"] = [(ALL_FACTS, f"{reverse('subscription_export')}?{request.GET.urlencode()}")]
    # The page shows few rows, so their profiles cost nothing more.
    shown = {row.record.profile for row in context["table"].page.object_list} if context["table"].page else set()
    context["without_file_events"] = sorted((one for one in shown if one.file_events is False), key=str)
    return render(request, "subscriptions/subscription_list.html", context)


def subscription_select(request: HttpRequest) -> HttpResponse:
    """Keep what was ticked in the list, and go on to another page of it, to an action, or to a file."""
    return selection.answer(request, SUBSCRIPTIONS, allowed_actions(request))


def subscription_export(request: HttpRequest) -> HttpResponseBase:
    """The rows of the filtered list as CSV. With an invalid filter, back to the list, which names the problem."""
    filtered = SubscriptionFilter(request.GET, queryset=Subscription.objects.all(), request=request)
    if filtered.errors:
        return redirect(f"{reverse('subscription_list')}?{request.GET.urlencode()}")
    audit.record_export(request.user, "software subscriptions", rows=filtered.qs.count(), filters=request.GET.dict())
    rows = _export_rows(with_row_facts(filtered.qs), timezone.now())
    return csv_export.stream("software-subscriptions", HEADER, rows)


def _export_rows(seats: Any, now: datetime) -> Iterator[tuple[Any, ...]]:
    for seat in seats.order_by("display_name", "pk").iterator(chunk_size=2000):
        yield (
            seat.display_name,
            seat.email,
            str(seat.identifier.software_model or ""),
            seat.identifier.identifier,
            seat.profile.display_name,
            seat.get_status_display(),
            seat.takes_license,
            seat.assigned_at,
            seat.external_id,
            seat.employee_id,
            seat.first_seen_at,
            seat.ended_at,
            seat.excluded,
            *((seat.match.person.name, seat.match.person.left_on) if hasattr(seat, "match") else ("", None)),
            *_activity_cells(seat, now),
            {None: "", True: "Recorded", False: "Not in this plan"}[seat.profile.file_events],
            *(A(path).resolve(seat, quiet=True) for _, path in OF_THE_PERSON),
        )


def _activity_cells(seat: Any, now: datetime) -> tuple[Any, Any, str, str]:
    """Last activity, days without use, whether these are exact, and how well the activity is covered, in words."""
    latest: LastActivity | None = getattr(seat, "last_activity", None)
    at = latest.at if latest else None
    idle = last_used.idle(seat, now)
    if idle is None:
        return at, None, "", "Ended" if seat.ended_at else last_used.LABELS[last_used.NOT_COVERED]
    if idle.is_exact:
        return at, idle.days, "exactly", "Covered"
    return at, idle.days, "at least", f"Covered since {timezone.localtime(seat.vouched_from):%Y-%m-%d}"


def subscription_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One seat as the vendor last described it, its use, its history here, and the rules that exclude it."""
    related = ("ended_by_run", "last_activity__run", "match__rule", "match__by")
    seat = get_object_or_404(with_row_facts(Subscription.objects.all()).select_related(*related), pk=pk)
    context = {
        "seat": seat,
        "daily": daily_activity.chart_for_seat(seat, timezone.now()),
        "excluded_by": exclude.rules_for(seat) if seat.excluded else [],
    }
    return render(request, "subscriptions/subscription_detail.html", context)
