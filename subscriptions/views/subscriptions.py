"""Software subscriptions: the list, its export, and one seat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from samsaas.lib import csv_export, tables
from subscriptions.filters import SubscriptionFilter
from subscriptions.models import Subscription
from subscriptions.tables import SubscriptionTable

HEADER = (
    "Display name",
    "User principal name",
    "Software model",
    "Subscription identifier",
    "Subscription profile",
    "Status",
    "Uses a licence",
    "Subscription assigned",
    "External user id",
    "Employee id",
    "First seen",
    "Ended",
)


def subscription_list(request: HttpRequest) -> HttpResponse:
    """Every seat of every profile; current ones unless the filter says otherwise."""
    seats = Subscription.objects.select_related("profile", "identifier__software_model")
    context = tables.listing(request, seats, SubscriptionTable, SubscriptionFilter)
    context["export_query"] = request.GET.urlencode()
    return render(request, "subscriptions/subscription_list.html", context)


def subscription_export(request: HttpRequest) -> HttpResponseBase:
    """The rows of the filtered list as CSV. A filter that makes no sense leads back to the list, which says so."""
    seats = Subscription.objects.select_related("profile", "identifier__software_model")
    filtered = SubscriptionFilter(request.GET, queryset=seats, request=request)
    if filtered.errors:
        return redirect(f"{reverse('subscription_list')}?{request.GET.urlencode()}")
    return csv_export.stream("software-subscriptions", HEADER, _rows(filtered.qs))


def _rows(seats: Any) -> Iterator[tuple[Any, ...]]:
    for seat in seats.order_by("display_name", "pk").iterator(chunk_size=2000):
        yield (
            seat.display_name,
            seat.email,
            str(seat.identifier.software_model or ""),
            seat.identifier.identifier,
            seat.profile.display_name,
            seat.get_status_display(),
            seat.consumes_licence and seat.ended_at is None,
            seat.assigned_at,
            seat.external_id,
            seat.employee_id,
            seat.first_seen_at,
            seat.ended_at,
        )


def subscription_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One seat as the vendor last described it, and its history here."""
    related = ("profile", "identifier__software_model", "ended_by_run")
    seat = get_object_or_404(Subscription.objects.select_related(*related), pk=pk)
    return render(request, "subscriptions/subscription_detail.html", {"seat": seat})
