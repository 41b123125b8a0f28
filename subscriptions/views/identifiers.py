"""Subscription identifiers: the work list of unrecognised ones, and mapping one to its software model."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions import figures, map_identifier, recognise
from subscriptions.filters import IdentifierFilter
from subscriptions.forms_software import MapForm
from subscriptions.models import Subscription, SubscriptionIdentifier
from subscriptions.tables import IdentifierTable


def identifier_list(request: HttpRequest) -> HttpResponse:
    """Every seat type the vendors named, unrecognised ones first."""
    context = tables.listing(request, figures.identifiers(), IdentifierTable, IdentifierFilter)
    context["waiting"] = figures.unrecognised()
    return render(request, "subscriptions/identifier_list.html", context)


def identifier_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One identifier: its software model, its seats by status and by profile."""
    identifier = get_object_or_404(figures.identifiers(), pk=pk)
    return render(request, "subscriptions/identifier_detail.html", _context(identifier))


def identifier_map(request: SignedInRequest, pk: int) -> HttpResponse:
    """Choose or describe the software model; says first how many subscriptions move."""
    identifier = get_object_or_404(figures.identifiers(), pk=pk)
    form = MapForm(request.POST or None, initial={"software_model": identifier.software_model_id})
    if form.is_valid():
        moved = map_identifier.run(identifier, form.chosen, by=request.user)
        identifier.refresh_from_db(fields=["software_model"])
        said = f"{identifier} is {identifier.software_model} now, with its {moved.current:,} current subscriptions."
        messages.success(request, said)
        return redirect(identifier)
    return render(request, "subscriptions/identifier_map.html", _context(identifier) | {"form": form})


def identifier_unmap(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask first, then take the software model away."""
    identifier = get_object_or_404(figures.identifiers(), pk=pk)
    if request.method == "POST":
        map_identifier.run(identifier, None, by=request.user)
        messages.success(request, f"{identifier} is unrecognised now; its subscriptions count under no software model.")
        return redirect(identifier)
    return render(request, "subscriptions/identifier_unmap.html", _context(identifier))


def _context(identifier: SubscriptionIdentifier) -> dict[str, object]:
    seats = Subscription.objects.filter(identifier=identifier)
    return {
        "identifier": identifier,
        "moving": map_identifier.moving(identifier),
        "by_status": figures.by_status(seats, identifier=identifier.pk),
        "by_profile": figures.by_profile(seats),
        "list_url": figures.list_url(identifier=identifier.pk),
        "known": recognise.known_as(identifier),
    }
