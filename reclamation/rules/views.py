"""Exemptions: list, add for a person or a subscription, end, and import a list with a preview."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from reclamation.models import Exemption
from reclamation.rules import exempt
from reclamation.rules.exemption_file import MOST_LINES
from reclamation.rules.filters import ExemptionFilter
from reclamation.rules.forms import ExemptionFileForm, ExemptionForm
from reclamation.rules.tables import ExemptionTable
from samsaas import roles
from samsaas.lib import tables, uploads
from samsaas.lib.http import SignedInRequest
from subscriptions.models import Person, Subscription

RELATED = ("person", "subscription__profile", "by")


def exemption_list(request: HttpRequest) -> HttpResponse:
    """The exemptions. Without a filter those that are valid today."""
    rows = Exemption.objects.select_related(*RELATED)
    hidden = () if roles.may(request.user, "exemption_end", "POST") else ("end",)
    context = tables.listing(request, rows, ExemptionTable, ExemptionFilter, exclude=hidden)
    return render(request, "reclamation/rules/exemption_list.html", context)


def exemption_new(request: SignedInRequest) -> HttpResponse:
    """Exempt a person by number or address, or whoever the address of the page names."""
    now, target = timezone.now(), _named_target(request)
    form = ExemptionForm(request.POST or None, today=timezone.localdate(), target=target)
    if form.is_valid():
        made = exempt.add(form.protection, by=request.user, now=now)
        messages.success(request, f"{made.person or made.subscription} is exempt. No rule proposes it.")
        return redirect("exemption_list")
    context = {"form": form, "target": target, "is_person": isinstance(target, Person)}
    return render(request, "reclamation/rules/exemption_new.html", context)


def _named_target(request: HttpRequest) -> Person | Subscription | None:
    """The person or subscription in the query string; a page of 404 for one that there is not."""
    kinds: tuple[tuple[str, Any], ...] = (("person", Person), ("subscription", Subscription))
    for name, model in kinds:
        key = request.GET.get(name, "")
        if key:
            is_key = key.isascii() and key.isdigit() and len(key) < 18
            found: Person | Subscription = get_object_or_404(model, pk=int(key) if is_key else 0)
            return found
    return None


def exemption_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """End an exemption after a confirmation."""
    exemption = get_object_or_404(Exemption.objects.select_related(*RELATED), pk=pk)
    if exemption.ended_at:
        messages.info(request, "This exemption has ended already.")
        return redirect("exemption_list")
    if request.method == "POST":
        exempt.end(exemption, by=request.user, now=timezone.now())
        messages.success(request, "The exemption was ended.")
        return redirect("exemption_list")
    return render(request, "reclamation/rules/exemption_end.html", {"exemption": exemption})


def exemption_import(request: SignedInRequest) -> HttpResponse:
    """Read a list of people, show line by line what it would do, and do that when it is confirmed."""
    bound = request.method == "POST"
    form = ExemptionFileForm(
        request.POST if bound else None, request.FILES if bound else None, today=timezone.localdate()
    )
    if uploads.is_oversized(request, "file"):
        form.add_error("file", "The file is too large. Upload it in parts.")
    if bound and form.is_valid() and "apply" in request.POST:
        for protection in form.accepted:
            exempt.add(protection, by=request.user, now=timezone.now())
        messages.success(request, f"{len(form.accepted):,} people are exempt.")
        return redirect("exemption_list")
    shown = form if bound and not form.errors else None
    context = {"form": form, "preview": shown, "most": MOST_LINES}
    return render(request, "reclamation/rules/exemption_import.html", context)
